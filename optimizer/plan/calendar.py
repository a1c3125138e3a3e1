"""The horizon of a plan: its periods, their labels, and the quarters and years that they belong to."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from optimizer.errors import InputError, Place
from optimizer.plan.dates import parse_date, parse_month, parse_quarter
from optimizer.plan.names import folded, nearest

if TYPE_CHECKING:
    from optimizer.plan.schema import CalendarSpec

DateArray = NDArray[np.datetime64]
IntArray = NDArray[np.int64]

PERIODS_A_YEAR = {"week": 52, "month": 12, "quarter": 4}
_MONTHS_A_PERIOD = {"month": 1, "quarter": 3}
_DAYS_TO_MIDDLE_OF_WEEK = 3
_LAST_DAY_OF_EVERY_MONTH = 28
_FISCAL_QUARTER = re.compile(r"fy(\d\d)(q[1-4])")


@dataclass(frozen=True)
class Calendar:
    """The periods of a plan, T of them.

    A period belongs to the month, quarter and year of its first day; a week to those of its middle day, so
    that weeks from Monday carry their ISO number. A fiscal year is named after the calendar year in which it
    ends: with `fiscal_year_start: 4`, April 2026 to March 2027 is FY27.
    """

    spec: CalendarSpec

    def __post_init__(self) -> None:
        if self.spec.every != "week" and self.spec.start.day > _LAST_DAY_OF_EVERY_MONTH:
            raise InputError("plan.start_day", Place(value=str(self.spec.start)), every=self.spec.every)
        self._check_as_of()

    def _check_as_of(self) -> None:
        """Raise `InputError` unless `as_of` is the first day of a period or of what follows the last."""
        as_of = self.spec.as_of
        if as_of is not None and np.datetime64(as_of, "D") not in self._edges:
            around = np.argsort(np.abs(self._edges - np.datetime64(as_of, "D")))[:2]
            near = ", ".join(str(day) for day in np.sort(self._edges[around]))
            outside = not self._edges[0] <= np.datetime64(as_of, "D") <= self._edges[-1]
            key = "tracking.as_of_outside" if outside else "tracking.as_of_inside"
            raise InputError(key, Place(value=str(as_of)), nearest=near)

    @cached_property
    def past(self) -> int:
        """Number of periods that are facts: those before `as_of`."""
        as_of = self.spec.as_of
        return 0 if as_of is None else int(np.searchsorted(self._edges, np.datetime64(as_of, "D")))

    @property
    def size(self) -> int:
        """Number of periods T."""
        return self.spec.periods

    @property
    def every(self) -> str:
        """Length of a period: week, month or quarter."""
        return self.spec.every

    @property
    def periods_a_year(self) -> int:
        """52, 12 or 4."""
        return PERIODS_A_YEAR[self.every]

    @cached_property
    def _edges(self) -> DateArray:
        steps = np.arange(self.size + 1)
        first = np.datetime64(self.spec.start, "D")
        if self.every == "week":
            return np.asarray(first + 7 * steps)
        months = first.astype("datetime64[M]") + _MONTHS_A_PERIOD[self.every] * steps
        return np.asarray(months.astype("datetime64[D]") + np.timedelta64(self.spec.start.day - 1, "D"))

    @property
    def starts(self) -> DateArray:
        """First day of each period, datetime64[D] (T,)."""
        return self._edges[:-1]

    @property
    def ends(self) -> DateArray:
        """First day after each period, datetime64[D] (T,)."""
        return self._edges[1:]

    @property
    def days(self) -> NDArray[np.float64]:
        """Days of each period (T,)."""
        return (self.ends - self.starts).astype(np.float64)

    @cached_property
    def anchors(self) -> DateArray:
        """The day by which a period belongs to a month, quarter or year, datetime64[D] (T,)."""
        shift = _DAYS_TO_MIDDLE_OF_WEEK if self.every == "week" else 0
        return np.asarray(self.starts + np.timedelta64(shift, "D"))

    @cached_property
    def month_of_year(self) -> IntArray:
        """Month 1..12 of each period (T,)."""
        return np.asarray(self.anchors.astype("datetime64[M]").astype(np.int64) % 12 + 1)

    @cached_property
    def calendar_year(self) -> IntArray:
        """Calendar year of each period (T,), whatever the fiscal year is."""
        return np.asarray(self.anchors.astype("datetime64[Y]").astype(np.int64) + 1970)

    @cached_property
    def quarter(self) -> tuple[str, ...]:
        """Quarter of each period: `2027-Q1`, or `FY27-Q1` where the fiscal year does not start in January."""
        first = self.spec.fiscal_year_start
        numbers = (self.month_of_year - first) % 12 // 3 + 1
        return tuple(f"{year}-Q{number}" for year, number in zip(self.year, numbers, strict=True))

    @cached_property
    def year(self) -> tuple[str, ...]:
        """Year of each period: `2027`, or `FY27` where the fiscal year does not start in January."""
        first = self.spec.fiscal_year_start
        if first == 1:
            return tuple(str(year) for year in self.calendar_year)
        ends_in = self.calendar_year + (self.month_of_year >= first)
        return tuple(f"FY{year % 100:02d}" for year in ends_in)

    @cached_property
    def period(self) -> tuple[str, ...]:
        """Label of each period: `2027-01`, `2027-W05`, or the quarter."""
        if self.every == "quarter":
            return self.quarter
        if self.every == "month":
            return tuple(str(month) for month in self.anchors.astype("datetime64[M]"))
        dates = [day.isocalendar() for day in self.anchors.tolist()]
        return tuple(f"{day.year}-W{day.week:02d}" for day in dates)

    @cached_property
    def dimensions(self) -> Mapping[str, NDArray[np.str_]]:
        """The label arrays (T,) of `period`, `quarter` and `year`, usable in rules."""
        labels = {"period": self.period, "quarter": self.quarter, "year": self.year}
        return {name: np.array(values) for name, values in labels.items()}

    def position(self, when: object) -> int:
        """Index of the period that a label names, that contains a date, or that a longer span starts with.

        Takes a period, quarter or year label, a month (`2027-05`, `май 2027`), or a date. Raises `InputError`
        with the nearest labels when it is none of these or lies outside the horizon.
        """
        return int(self.positions(when)[0])

    def positions(self, when: object) -> IntArray:
        """Indices of all periods in a span, or of the one that contains a date; raises like `position`."""
        found = self._positions_of_label(when)
        if found is None:
            known = [*dict.fromkeys(self.year), *dict.fromkeys(self.quarter), *self.period]
            raise InputError(
                "plan.unknown_period",
                when=str(when),
                first=self.period[0],
                last=self.period[-1],
                nearest=nearest(str(when), known),
            )
        return found

    def positions_between(self, first: object = None, last: object = None) -> IntArray:
        """Indices of the periods from `first` to `last`, both included; None leaves a side open.

        Raises `InputError` like `position`, and when `last` comes before `first`.
        """
        start = 0 if first is None else int(self.positions(first)[0])
        stop = self.size - 1 if last is None else int(self.positions(last)[-1])
        if stop < start:
            raise InputError("plan.range_backwards", first=str(first), last=str(last))
        return np.arange(start, stop + 1)

    def labels_of(self, column: str, label: object) -> tuple[str, ...]:
        """The labels of `period`, `quarter` or `year` that `label` stands for, in order.

        A period may be named by anything that `position` takes, a quarter or a year by itself only. Raises
        `InputError` with the nearest labels.
        """
        labels = self.dimensions[column]
        positions = self.positions(label)
        found = tuple(dict.fromkeys(labels[positions].tolist()))
        if column != "period" and not np.array_equal(np.flatnonzero(np.isin(labels, found)), positions):
            known = dict.fromkeys(labels.tolist())
            raise InputError("plan.unknown_label", column=column, nearest=nearest(str(label), known))
        return found

    def labels_between(self, column: str, first: object = None, last: object = None) -> tuple[str, ...]:
        """The labels of `period`, `quarter` or `year` from `first` to `last`, both included."""
        return tuple(dict.fromkeys(self.dimensions[column][self.positions_between(first, last)].tolist()))

    def last_year_position(self, label: object) -> int | None:
        """Index of the period one year after the month, quarter or week that `label` names.

        A label without a year (`март`, `3月`) means the year before the horizon. None when it names no such
        span, or when the period one year later is not in the horizon; the first one where months are wanted
        and the plan has weeks.
        """
        return self._period_of_column(label, 1)

    def plan_position(self, label: object) -> int | None:
        """Index of the period that a column label names; None when it names none of the horizon.

        A label without a year (`март`) means the first such month of the horizon.
        """
        return self._period_of_column(label, 0)

    def grain_of(self, label: object) -> str | None:
        """`month`, `quarter` or `week` when a column label reads as one, in the horizon or not; else None."""
        if parse_month(label) is not None:
            return "month"
        if not isinstance(label, str):
            return None
        if parse_quarter(label) is not None or _FISCAL_QUARTER.fullmatch(folded(label)) is not None:
            return "quarter"
        return None if _week(label) is None else "week"

    @cached_property
    def _by_label(self) -> Mapping[str, Mapping[str, IntArray]]:
        """Dimension -> label without case and punctuation -> positions."""
        return {
            name: {folded(label): np.flatnonzero(labels == label) for label in dict.fromkeys(labels.tolist())}
            for name, labels in self.dimensions.items()
        }

    @cached_property
    def _by_month(self) -> Mapping[tuple[int, int], IntArray]:
        """(calendar year, month) -> positions."""
        keys = list(zip(self.calendar_year.tolist(), self.month_of_year.tolist(), strict=True))
        months = dict.fromkeys(keys)
        return {key: np.array([at for at, other in enumerate(keys) if other == key]) for key in months}

    def _positions_of_label(self, when: object) -> IntArray | None:
        text = str(when) if isinstance(when, str | int) else ""
        for labels in self._by_label.values():
            if folded(text) in labels:
                return labels[folded(text)]
        quarter = parse_quarter(when)
        if quarter is not None:
            return self._of_calendar_quarter(*quarter)
        day = parse_date(when)
        if day is not None:
            return self._containing(day)
        month = parse_month(when)
        if month is None or month.year is None:
            return None
        found = self._by_month.get((month.year, month.month))
        if found is None and self.every == "quarter":
            # A month inside a quarterly plan stands for the quarter that contains it.
            found = self._containing(datetime.date(month.year, month.month, 1))
        return found

    def _of_calendar_quarter(self, year: int, quarter: int) -> IntArray | None:
        """Positions of a calendar quarter; None in plans with fiscal quarters, where it would mislead."""
        if self.spec.fiscal_year_start != 1:
            return None
        return self._by_label["quarter"].get(folded(f"{year}-Q{quarter}"))

    def _containing(self, day: datetime.date) -> IntArray | None:
        at = int(np.searchsorted(self._edges, np.datetime64(day, "D"), side="right")) - 1
        return np.array([at]) if 0 <= at < self.size else None

    def _period_of_column(self, label: object, years_later: int) -> int | None:
        month = parse_month(label)
        if month is not None:
            year = None if month.year is None else month.year + years_later
            return self._period_of_month(year, month.month)
        quarter = parse_quarter(label)
        if quarter is not None:
            return self._first(self._of_calendar_quarter(quarter[0] + years_later, quarter[1]))
        if not isinstance(label, str):
            return None
        week = _week(label)
        if week is not None:
            text = f"{week[0] + years_later}-W{week[1]:02d}"
            return self._first(self._by_label["period"].get(folded(text)))
        return self._fiscal_column(label, years_later)

    def _period_of_month(self, year: int | None, month: int) -> int | None:
        """The first period of a month, or the quarter that contains it; any year when `year` is None."""
        years = dict.fromkeys(self.calendar_year.tolist()) if year is None else (year,)
        for candidate in years:
            found = self._by_month.get((candidate, month))
            if found is None and self.every == "quarter":
                found = self._containing(datetime.date(candidate, month, 1))
            if found is not None:
                return int(found[0])
        return None

    def _fiscal_column(self, label: str, years_later: int) -> int | None:
        found = _FISCAL_QUARTER.fullmatch(folded(label))
        if found is None:
            return None
        year = (int(found.group(1)) + years_later) % 100
        return self._first(self._by_label["quarter"].get(f"fy{year:02d}{found.group(2)}"))

    @staticmethod
    def _first(positions: IntArray | None) -> int | None:
        return None if positions is None else int(positions[0])


def _week(label: str) -> tuple[int, int] | None:
    """(year, week) of `2027-W05`, or None."""
    text = folded(label)
    year, mark, week = text.partition("w")
    if mark and len(year) == 4 and year.isdigit() and week.isdigit() and 1 <= int(week) <= 53:
        return int(year), int(week)
    return None
