"""How an amount without a period is spread over the periods, and how a newcomer ramps up."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from optimizer.errors import InputError, Place
from optimizer.plan.calendar import Calendar
from optimizer.plan.tables import Table

FloatArray = NDArray[np.float64]

DEFAULT_RAMP = ((0, 0.0), (3, 0.25), (6, 0.5), (9, 0.75), (12, 1.0))
"""Share of full productivity by months since the start, each step held until the next."""

_MONTH = re.compile(r"^(?:\d{4}-)?(\d{1,2})$")


def months_in_periods(calendar: Calendar) -> FloatArray:
    """Which share of each month of the year lies in each period: (T, 12). A row of a monthly calendar has a
    single 1."""
    shares = np.zeros((calendar.size, 12))
    for period, (start, end) in enumerate(zip(calendar.starts, calendar.ends, strict=True)):
        days = np.arange(start, end, dtype="datetime64[D]")
        months = days.astype("datetime64[M]")
        for month, count in zip(*np.unique(months, return_counts=True), strict=True):
            length = (month + 1).astype("datetime64[D]") - month.astype("datetime64[D]")
            shares[period, int(month.astype(int)) % 12] += count / length.astype(int)
    return shares


def working_day_shares(calendar: Calendar) -> FloatArray:
    """Share of a year's working days (Monday to Friday) that each period holds: (T,).

    A year is the twelve months from the first day of the plan, then the twelve after them, so that a plan of
    twelve months has the whole year wherever it starts.
    """
    days = np.busday_count(calendar.starts, calendar.ends).astype(np.float64)
    first = calendar.starts[0]
    month = first.astype("datetime64[M]")
    months = np.floor(_months_since(calendar.starts, first)).astype(np.int64)
    years = month + months // 12 * 12
    since_month_began = first - month.astype("datetime64[D]")
    year_days = np.busday_count(
        years.astype("datetime64[D]") + since_month_began,
        (years + 12).astype("datetime64[D]") + since_month_began,
    )
    return np.asarray(days / year_days, dtype=np.float64)


def default_shares(profiles: Table | None, calendar: Calendar) -> tuple[FloatArray, str]:
    """Share of a year that each period gets where nobody says otherwise (T,), and which of the three it is.

    The profile `season`, else the profile `working_days` (days of each month, in proportion), else working
    days from Monday to Friday.
    """
    known = () if profiles is None else tuple(profiles.text("profile"))
    if profiles is not None and "season" in known:
        return season_shares(profiles, "season", calendar), "season"
    if profiles is not None and "working_days" in known:
        labels, days, _ = _profile(profiles, "working_days")
        years = len(days) / (12 if _is_by_month(labels) else calendar.periods_a_year)
        return season_shares(profiles, "working_days", calendar) * years / days.sum(), "working_days_profile"
    return working_day_shares(calendar), "working_days"


def season_shares(profiles: Table, name: str, calendar: Calendar) -> FloatArray:
    """Share of a year that a season profile gives to each period: (T,), summing to 1 over a year.

    The profile's labels are months (`3`, `2027-03`), or the calendar's own periods. Raises `InputError`
    when the profile does not exist or misses a month of the horizon.
    """
    labels, values, first = _profile(profiles, name)
    if _is_by_month(labels):
        by_month = np.full(12, np.nan)
        for label, value in zip(labels, values, strict=True):
            match = _MONTH.match(label)
            if match is None or not 1 <= int(match.group(1)) <= 12:
                raise InputError("model.profile_month", profiles.place(first, "period_or_age"), profile=name)
            by_month[int(match.group(1)) - 1] = value
        overlap = months_in_periods(calendar)
        if np.isnan(by_month[overlap.any(axis=0)]).any():
            raise InputError("model.profile_gap", profiles.place(first), profile=name)
        return np.asarray(overlap @ np.nan_to_num(by_month), dtype=np.float64)
    shares = np.full(calendar.size, np.nan)
    for label, value in zip(labels, values, strict=True):
        shares[calendar.position(label)] = value
    if np.isnan(shares).any():
        raise InputError("model.profile_gap", profiles.place(first), profile=name)
    return shares


def _is_by_month(labels: list[str]) -> bool:
    """Whether a profile names the months of one year."""
    return len(labels) <= 12 and all(_MONTH.match(label) for label in labels)


def ramp_steps(profiles: Table, name: str) -> tuple[FloatArray, FloatArray]:
    """Ages in months and the share of full productivity from each age on."""
    labels, values, first = _profile(profiles, name)
    try:
        ages = np.array([float(label) for label in labels])
    except ValueError as error:
        raise InputError("model.profile_age", profiles.place(first, "period_or_age"), profile=name) from error
    order = np.argsort(ages)
    return ages[order], values[order]


def kernel_weights(profiles: Table, name: str) -> FloatArray:
    """Weight of each age in periods, from 0 on (A,); ages that the profile leaves out weigh 0."""
    labels, values, first = _profile(profiles, name)
    if not all(label.isdigit() for label in labels):
        raise InputError("model.profile_kernel", profiles.place(first, "period_or_age"), profile=name)
    weights = np.zeros(max(int(label) for label in labels) + 1)
    for label, value in zip(labels, values, strict=True):
        weights[int(label)] = value
    return weights


def ramp_shares(calendar: Calendar, start: np.datetime64, ages: FloatArray, shares: FloatArray) -> FloatArray:
    """Share of full productivity in each period for a start date: (T,); 0 before the first age."""
    step = np.searchsorted(ages, np.maximum(_months_since(calendar.starts, start), 0.0), side="right") - 1
    return np.where(step >= 0, shares[np.maximum(step, 0)], 0.0)


def _months_since(days: NDArray[np.datetime64], start: np.datetime64) -> FloatArray:
    first = start.astype("datetime64[D]")
    months = (days.astype("datetime64[M]") - first.astype("datetime64[M]")).astype(np.float64)
    day_of_month = (days - days.astype("datetime64[M]").astype("datetime64[D]")).astype(np.float64)
    first_day = (first - first.astype("datetime64[M]").astype("datetime64[D]")).astype(np.float64)
    return np.asarray(months + (day_of_month - first_day) / 31.0, dtype=np.float64)


def presence(calendar: Calendar, start: np.datetime64, end: np.datetime64) -> FloatArray:
    """Share of each period's days between `start` and `end` (inclusive; NaT means open): (T,)."""
    first = calendar.starts if np.isnat(start) else np.maximum(calendar.starts, start.astype("datetime64[D]"))
    last = calendar.ends if np.isnat(end) else np.minimum(calendar.ends, end.astype("datetime64[D]") + 1)
    days = (last - first).astype(np.float64)
    return np.asarray(
        np.clip(days / (calendar.ends - calendar.starts).astype(np.float64), 0.0, 1.0), dtype=np.float64
    )


def _profile(profiles: Table, name: str) -> tuple[list[str], FloatArray, int]:
    names = profiles.text("profile")
    rows = [row for row, found in enumerate(names) if found == name]
    if not rows:
        raise InputError(
            "model.profile_unknown",
            Place(file=profiles.file),
            profile=name,
            known=", ".join(sorted(set(names))),
        )
    labels = profiles.text("period_or_age")
    return [labels[row] for row in rows], profiles.numbers("value")[rows], rows[0]
