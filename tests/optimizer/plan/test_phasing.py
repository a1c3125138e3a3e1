"""A year's amount over the periods of any calendar."""

from __future__ import annotations

import pytest

from optimizer.plan.calendar import Calendar
from optimizer.plan.phasing import working_day_shares
from optimizer.plan.schema import CalendarSpec


def calendar(start: str, periods: int, every: str) -> Calendar:
    """A calendar from the words of a plan file."""
    return Calendar(CalendarSpec.model_validate({"start": start, "periods": periods, "every": every}))


@pytest.mark.parametrize("start", ["2027-01-01", "2027-04-01", "2027-07-01", "2027-10-01"])
@pytest.mark.parametrize(("every", "periods"), [("month", 12), ("quarter", 4)])
def test_a_plan_of_twelve_months_has_the_whole_year(start: str, every: str, periods: int) -> None:
    """Last year's total is not off by the days by which two calendar years differ (2028 has one more)."""
    shares = working_day_shares(calendar(start, periods, every))
    assert shares.sum() == pytest.approx(1.0, abs=1e-12)
    assert working_day_shares(calendar(start, 3 * periods, every)).sum() == pytest.approx(3.0, abs=1e-12)


def test_weeks_have_their_part_of_the_year() -> None:
    """A week holds 5 of the plan year's 261 or 262 working days, also across the turn of the year."""
    shares = working_day_shares(calendar("2027-07-05", 52, "week"))
    assert shares == pytest.approx([5 / 262] * 52, rel=0.01)
    assert shares.max() == pytest.approx(shares.min())
