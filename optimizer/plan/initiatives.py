"""The initiatives table as arrays: what may be started, when, at what cost, and what it needs."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from optimizer.errors import InputError
from optimizer.plan.names import nearest
from optimizer.plan.phasing import presence
from optimizer.plan.plan import Plan
from optimizer.plan.scopes import initiative_dimensions
from optimizer.plan.sellers import dates
from optimizer.plan.tables import Table

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

_SEPARATOR = ";"


@dataclass(frozen=True, eq=False)
class Initiatives:
    """I initiatives over T periods; each starts at most once."""

    labels: dict[str, list[str]]
    names: tuple[str, ...]
    cost: FloatArray
    """Currency a start (I,)."""
    running_cost: FloatArray
    """Currency for each active period (I,)."""
    benefit: FloatArray
    """Currency a start that comes back (I,)."""
    may_start: BoolArray
    """Periods in which each may start (I, T)."""
    duration: IntArray
    """Active periods from the start on (I,); T where it runs to the end."""
    requires: tuple[tuple[int, int, int], ...]
    """(initiative, the one it requires, periods that must lie between the starts)."""
    excludes: tuple[tuple[int, int], ...]
    """Pairs of which one may be started."""
    groups: tuple[str, ...]
    """Group of each, whose members leave each other gaps (I,); "" without a column `group`."""
    gap: FloatArray
    """Periods after the end in which nothing else of the group runs (I,); NaN where it leaves none."""


def resolve_initiatives(plan: Plan) -> Initiatives | None:
    """Arrays of initiatives; None without the table.

    Raises `InputError` for unknown initiatives in requires and excludes, and for durations that are no whole
    number of periods.
    """
    table = plan.tables.get("initiatives")
    if table is None:
        return None
    periods, calendar = plan.calendar.size, plan.calendar
    starts, ends = dates(table, "earliest"), dates(table, "latest")
    shares = [presence(calendar, start, end) for start, end in zip(starts, ends, strict=True)]
    after = np.nan_to_num(table.numbers("requires_after"))
    return Initiatives(
        labels=initiative_dimensions(table),
        names=tuple(table.text("initiative")),
        cost=np.nan_to_num(table.numbers("cost")),
        running_cost=np.nan_to_num(table.numbers("running_cost")) * 12.0 / calendar.periods_a_year,
        benefit=np.nan_to_num(table.numbers("benefit")),
        may_start=np.asarray(np.array(shares).reshape(len(table), periods) > 0, dtype=np.bool_),
        duration=_duration(table, periods),
        requires=tuple((row, other, int(after[row])) for row, other in _named(table, "requires")),
        excludes=tuple(
            dict.fromkeys((min(pair), max(pair)) for pair in _named(table, "excludes") if pair[0] != pair[1])
        ),
        groups=tuple(table.choices("group")),
        gap=_gap(table),
    )


def _gap(table: Table) -> FloatArray:
    """The column gap (I,); raises `InputError` for gaps of no group, and of parts of a period."""
    gap = table.numbers("gap")
    given = ~np.isnan(gap)
    if given.any() and "group" not in table.labels:
        raise InputError("effects.gap_without_group", table.place(int(given.argmax()), "gap"))
    wrong = given & (gap != np.round(gap))
    if wrong.any():
        row = int(wrong.argmax())
        raise InputError("effects.periods_not_whole", table.place(row, "gap", f"{gap[row]:g}"))
    return gap


def initiatives_run_on(plan: Plan, initiatives: Initiatives, more: int) -> Initiatives:
    """The initiatives with so many periods more: nothing starts in them, and what runs to the end runs on."""
    after = np.zeros((len(initiatives.names), more), dtype=np.bool_)
    size = plan.calendar.size + more
    return replace(
        initiatives,
        may_start=np.hstack([initiatives.may_start, after]),
        duration=_duration(plan.tables["initiatives"], size),
    )


def _duration(table: Table, periods: int) -> IntArray:
    given = table.numbers("duration")
    wrong = ~np.isnan(given) & ((given < 1) | (given != np.round(given)))
    if wrong.any():
        row = int(wrong.argmax())
        raise InputError("model.duration_not_whole", table.place(row, "duration", f"{given[row]:g}"))
    return np.asarray(np.where(np.isnan(given), periods, given), dtype=np.int64)


def _named(table: Table, column: str) -> list[tuple[int, int]]:
    """(row, row of the initiative that it names) for a column that names initiatives, several by `;`."""
    names = table.text("initiative")
    found = []
    for row, text in enumerate(table.choices(column)):
        for name in filter(None, (part.strip() for part in text.split(_SEPARATOR))):
            if name not in names:
                near = nearest(name, names)
                raise InputError("model.initiative_unknown", table.place(row, column, name), nearest=near)
            found.append((row, names.index(name)))
    return found
