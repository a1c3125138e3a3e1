"""Profiles: seasons that sum to 1 over a year, lags that sum to 1, ramps that rise from age 0."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from optimizer.errors import InputError
from optimizer.plan.calendar import Calendar
from optimizer.plan.dates import parse_month
from optimizer.plan.names import nearest
from optimizer.plan.tables import Table

SEASON, RAMP, LAG, FREE = "season", "ramp", "lag", "free"
USED_AS = {
    "season": SEASON,
    "potential_profile": SEASON,
    "last_year_profile": SEASON,
    "organic_profile": SEASON,
    "capacity_profile": SEASON,
    "ramp": RAMP,
    "tenure_profile": FREE,
    "carryover_profile": FREE,
    "lag": LAG,
}
"""Column that names a profile -> what the profile must be."""
NO_RAMP = "none"
WORKING_DAYS = "working_days"
_ROUNDING = 1e-3


def period_label(text: str) -> str:
    """`2027-03` for a month of a year, `3` for a month without one and for an age of 3; else the text."""
    month = parse_month(text)
    if month is None:
        return text
    return str(month.month) if month.year is None else f"{month.year}-{month.month:02d}"


def settled_profiles(tables: Mapping[str, Table], calendar: Calendar) -> Mapping[str, Table]:
    """The tables with every profile checked by what it is used as.

    A season's values sum to 1 over a year and a lag's to 1; what rounding leaves, up to 0.001, is spread over
    the values. A ramp's ages start at 0, and its values lie within 0..1 and do not fall. Raises `InputError`
    for others, with the sum found, and for a name that the profiles table does not have.
    """
    profiles = tables.get("profiles")
    kinds = kinds_of(tables)
    if profiles is None:
        return tables
    values = profiles.numbers("value").copy()
    names = np.array(profiles.text("profile"), dtype=object)
    for name in dict.fromkeys(names.tolist()):
        rows = np.flatnonzero(names == name)
        values[rows] = _settled(profiles, name, kinds[name], rows, calendar)
    frame = profiles.frame.assign(value=values)
    return {**tables, "profiles": profiles.replace(frame=frame)}


def kinds_of(tables: Mapping[str, Table]) -> dict[str, str]:
    """What each profile is: by the columns that name it, else by its own name.

    Raises `InputError` for a name that the profiles table does not have.
    """
    used = _kinds(tables)
    profiles = tables.get("profiles")
    names = dict.fromkeys([] if profiles is None else profiles.text("profile"))
    return {name: used.get(name) or _kind_by_name(name) for name in names}


def _kinds(tables: Mapping[str, Table]) -> dict[str, str]:
    """What each profile is used as; raises `InputError` when one is named that does not exist."""
    kinds: dict[str, str] = {}
    profiles = tables.get("profiles")
    known = [] if profiles is None else profiles.text("profile")
    existing = frozenset(known)
    for table in tables.values():
        for column, kind in USED_AS.items():
            if (
                table.name not in ("markets", "sellers", "marketing", "roles")
                or column not in table.frame.columns
            ):
                continue
            for row, name in enumerate(table.text(column)):
                if not name or (kind == RAMP and name == NO_RAMP):
                    continue
                if name not in existing:
                    place = table.place(row, column, name)
                    raise InputError("plan.unknown_profile", place, name=name, nearest=nearest(name, known))
                kinds[name] = kind
    return kinds


def _kind_by_name(name: str) -> str:
    """What a profile that nothing names is: told by its name."""
    if name == SEASON or name.startswith(f"{SEASON}_"):
        return SEASON
    return LAG if name == LAG or name.startswith(f"{LAG}_") else FREE


def _settled(
    profiles: Table, name: str, kind: str, rows: NDArray[np.int64], calendar: Calendar
) -> NDArray[np.float64]:
    values = profiles.numbers("value")[rows]
    if kind == RAMP:
        _check_ramp(profiles, name, rows)
        return values
    if kind == FREE or name == WORKING_DAYS:
        return values
    labels = profiles.text("period_or_age")
    by_year = kind == SEASON and all("-" in labels[row] for row in rows)
    years = max(1.0, round(len(rows) / calendar.periods_a_year)) if by_year else 1.0
    total = float(values.sum())
    if abs(total / years - 1.0) > _ROUNDING:
        key = "plan.season_sum" if kind == SEASON else "plan.lag_sum"
        raise InputError(key, profiles.place(int(rows[-1]), "value"), name=name, total=f"{total / years:.6g}")
    return values * (years / total)


def _check_ramp(profiles: Table, name: str, rows: NDArray[np.int64]) -> None:
    labels, values = profiles.text("period_or_age"), profiles.numbers("value")
    before = -1.0
    share = 0.0
    for row in rows.tolist():
        age = int(labels[row]) if labels[row].isdigit() else -1
        place = profiles.place(row, "period_or_age", labels[row])
        if age < 0:
            raise InputError("plan.ramp_age", place, name=name)
        if before < 0 < age:
            raise InputError("plan.ramp_start", place, name=name)
        if age <= before:
            raise InputError("plan.ramp_order", place, name=name)
        if not share <= values[row] <= 1.0:
            raise InputError("plan.ramp_share", profiles.place(row, "value", f"{values[row]:g}"), name=name)
        before, share = age, values[row]
