"""Periods, their labels, and the ways in which people name them."""

from __future__ import annotations

import datetime

import numpy as np
import pytest

from optimizer.errors import InputError
from optimizer.plan.calendar import Calendar
from optimizer.plan.schema import CalendarSpec


def _calendar(
    start: str = "2027-01-01", periods: int = 12, every: str = "month", fiscal: int = 1
) -> Calendar:
    spec = {"start": start, "periods": periods, "every": every, "fiscal_year_start": fiscal}
    return Calendar(CalendarSpec.model_validate(spec))


def test_months_of_a_year() -> None:
    """Twelve months from January carry ISO labels, calendar quarters and one year."""
    calendar = _calendar()
    assert calendar.size == 12
    assert calendar.period[0] == "2027-01" and calendar.period[-1] == "2027-12"
    assert calendar.quarter[2:4] == ("2027-Q1", "2027-Q2")
    assert set(calendar.year) == {"2027"}
    assert calendar.days.sum() == 365
    assert calendar.ends[-1] == np.datetime64("2028-01-01")
    assert calendar.periods_a_year == 12
    assert calendar.month_of_year.tolist() == list(range(1, 13))
    assert {name: len(labels) for name, labels in calendar.dimensions.items()} == {
        "period": 12,
        "quarter": 12,
        "year": 12,
    }


def test_fiscal_year_is_named_after_its_end() -> None:
    """With a fiscal year from April, January 2027 is the last quarter of FY27 and April 2027 opens FY28."""
    calendar = _calendar(fiscal=4)
    assert calendar.quarter[0] == "FY27-Q4" and calendar.year[0] == "FY27"
    assert calendar.quarter[3] == "FY28-Q1" and calendar.year[-1] == "FY28"
    assert calendar.positions_between("FY28-Q1", "FY28-Q2").tolist() == [3, 4, 5, 6, 7, 8]


def test_fiscal_plan_refuses_calendar_quarters() -> None:
    """A calendar quarter in a plan with fiscal quarters is refused, because it could mean either."""
    with pytest.raises(InputError, match="2027-Q1"):
        _calendar(fiscal=4).position("2027-Q1")


def test_weeks_from_any_day_have_unique_labels() -> None:
    """Labels of weeks are unique whatever the first day is, and weeks from Monday have their ISO number."""
    for day in range(1, 8):
        calendar = _calendar(f"2027-01-0{day}", 120, "week")
        assert len(set(calendar.period)) == 120
        assert set(calendar.days) == {7.0}
    monday = _calendar("2026-12-28", 53, "week")
    assert monday.period[:2] == ("2026-W53", "2027-W01")
    assert monday.year[:2] == ("2026", "2027")
    assert monday.position("2027-W05") == 5
    assert monday.periods_a_year == 52


def test_quarters_over_several_years() -> None:
    """Quarterly periods carry the quarter as their label, over several years."""
    calendar = _calendar(periods=6, every="quarter")
    assert calendar.period == ("2027-Q1", "2027-Q2", "2027-Q3", "2027-Q4", "2028-Q1", "2028-Q2")
    assert calendar.position("2027-05") == 1
    assert calendar.days[:2].tolist() == [90, 91]
    assert calendar.last_year_position("Nov 2026") == 3
    assert calendar.last_year_position("2026-Q3") == 2


def test_periods_follow_each_other_without_gaps() -> None:
    """Each period ends where the next one starts, also when it starts in the middle of a month."""
    for every in ("week", "month", "quarter"):
        calendar = _calendar("2027-01-15", 30, every)
        assert (calendar.ends[:-1] == calendar.starts[1:]).all()
        assert calendar.starts[0] == np.datetime64("2027-01-15")


@pytest.mark.parametrize(
    ("when", "position"),
    [
        ("2027-05", 4),
        ("2027-05-01", 4),
        ("2027-05-31", 4),
        (datetime.date(2027, 5, 17), 4),
        ("2027-Q2", 3),
        ("Q2 2027", 3),
        ("2 кв. 2027", 3),
        ("2027年第2季度", 3),
        ("2027", 0),
        (2027, 0),
        ("май 2027", 4),
        ("2027年5月", 4),
        ("05.2027", 4),
        ("15.05.2027", 4),
    ],
)
def test_position_reads_what_people_write(when: object, position: int) -> None:
    """Labels, months, quarters, years and dates name a period in each language."""
    assert _calendar().position(when) == position


@pytest.mark.parametrize("when", ["2026-12", "2028-01-01", "2027-13", "2027-02-30", "spring", "", None])
def test_position_outside_or_unreadable_is_refused(when: object) -> None:
    """What is not in the horizon is refused with the horizon and the nearest labels."""
    with pytest.raises(InputError) as caught:
        _calendar().position(when)
    text = caught.value.text("en")
    assert "2027-01 to 2027-12" in text
    assert "Nearest: 20" in text


def test_positions_between_includes_both_ends() -> None:
    """A range of labels includes the whole span of its last label; an open side reaches the horizon's end."""
    calendar = _calendar()
    assert calendar.positions_between("2027-02", "2027-Q2").tolist() == [1, 2, 3, 4, 5]
    assert calendar.positions_between(None, "2027-02").tolist() == [0, 1]
    assert calendar.positions_between("2027-11").tolist() == [10, 11]
    with pytest.raises(InputError, match="comes before"):
        calendar.positions_between("2027-05", "2027-03")


@pytest.mark.parametrize(
    "label",
    [
        "2026-03",
        "Mar 2026",
        "March-26",
        "март 2026",
        "Март",
        "мар.",
        "марта 2026 г.",
        "3月",
        "三月",
        "2026年3月",
        "03.2026",
        "2026/3",
        "2026-03-01 00:00:00",
        datetime.datetime(2026, 3, 1),
    ],
)
def test_months_of_the_year_before(label: object) -> None:
    """A month column of the year before stands for the same month of the plan."""
    calendar = _calendar()
    assert calendar.grain_of(label) == "month"
    assert calendar.last_year_position(label) == 2


def test_months_outside_have_no_position() -> None:
    """Months whose next year is not in the horizon have no position, and other words are no months."""
    calendar = _calendar("2027-01-01", 3)
    assert calendar.last_year_position("2026-07") is None
    assert calendar.last_year_position("2025-01") is None
    assert calendar.plan_position("2027-02") == 1
    assert calendar.plan_position("2026-02") is None
    assert calendar.grain_of("region") is None
    assert calendar.grain_of("Marketing") is None
    assert calendar.grain_of("2027-01-15") is None


def test_start_day_that_some_months_lack_is_refused() -> None:
    """A month cannot start on the 31st."""
    with pytest.raises(InputError, match="2027-01-31"):
        _calendar("2027-01-31")
