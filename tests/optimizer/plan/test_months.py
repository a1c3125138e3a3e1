"""Months across: each column in its period, missing and repeated months refused."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from optimizer.plan.plan import Plan

Load = Callable[..., Plan]
Problem = Callable[..., str]

RUSSIAN = ["янв", "фев", "март", "апр", "май", "июнь", "июль", "авг", "сен", "окт", "ноя", "дек"]


def _head(measure: str, calendar: str = "{start: 2027-01-01, periods: 12}") -> str:
    markets = f"{{file: markets.csv, months_across: {measure}}}"
    return f"name: x\ncalendar: {calendar}\ntables: {{markets: {markets}}}\n"


def _table(months: list[str], values: list[object], sign: str = ",") -> str:
    return f"region{sign}{sign.join(months)}\nN{sign}{sign.join(map(str, values))}\n"


def _months(year: int, first: int = 1, count: int = 12) -> list[str]:
    return [f"{year + (first + at - 1) // 12}-{(first + at - 1) % 12 + 1:02d}" for at in range(count)]


@pytest.mark.parametrize(
    "months",
    [
        _months(2026),
        RUSSIAN,
        [f"{name}.26" for name in RUSSIAN],
        [f"{month}月" for month in range(1, 13)],
        [f"2026年{month}月" for month in range(1, 13)],
        [f"{month:02d}.2026" for month in range(1, 13)],
    ],
)
def test_last_year_month_by_month(load: Load, months: list[str]) -> None:
    """Months of the year before, however they are written and ordered, become the periods of the plan."""
    shuffled = months[6:] + months[:6]
    values = [*range(7, 13), *range(1, 7)]
    plan = load(head=_head("last_year_revenue"), markets=_table(shuffled, values, ";"))
    assert plan.tables["markets"].by_period["last_year_revenue"].tolist() == [list(range(1, 13))]
    assert not plan.tables["markets"].labels[1:]


def test_blank_months_stay_blank(load: Load) -> None:
    """A blank cell is NaN, not 0."""
    plan = load(head=_head("last_year_units"), markets=_table(_months(2026), ["", *range(2, 13)]))
    values = plan.tables["markets"].by_period["last_year_units"][0]
    assert np.isnan(values[0]) and values[1] == 2


def test_plan_year_measures_have_their_own_months(load: Load) -> None:
    """Potential and price stand in the months of the plan itself."""
    plan = load(head=_head("potential"), markets=_table(_months(2027), list(range(12))))
    assert plan.tables["markets"].by_period["potential"][0, 11] == 11


def test_a_short_horizon_takes_its_months(load: Load) -> None:
    """A plan of one quarter reads the same quarter of the year before and leaves the other months."""
    head = _head("last_year_revenue", "{start: 2027-04-01, periods: 3}")
    plan = load(head=head, markets=_table(_months(2026), list(range(1, 13))))
    assert plan.tables["markets"].by_period["last_year_revenue"].tolist() == [[4, 5, 6]]


def test_a_long_horizon_repeats_last_year(load: Load) -> None:
    """In a plan of two years each year is compared with the same last year."""
    head = _head("last_year_revenue", "{start: 2027-01-01, periods: 24}")
    plan = load(head=head, markets=_table(_months(2026), list(range(1, 13))))
    assert plan.tables["markets"].by_period["last_year_revenue"].tolist() == [[*range(1, 13)] * 2]


def test_quarters_from_months_and_from_quarters(load: Load) -> None:
    """A quarterly plan adds the months of an amount, averages those of a rate, and reads quarters too."""
    quarters = "{start: 2027-01-01, periods: 4, every: quarter}"
    plan = load(head=_head("last_year_revenue", quarters), markets=_table(_months(2026), list(range(1, 13))))
    assert plan.tables["markets"].by_period["last_year_revenue"].tolist() == [[6, 15, 24, 33]]
    plan = load(head=_head("price", quarters), markets=_table(_months(2027), list(range(1, 13))))
    assert plan.tables["markets"].by_period["price"].tolist() == [[2, 5, 8, 11]]
    plan = load(
        head=_head("price", quarters), markets=_table([f"2027-Q{n}" for n in range(1, 5)], [1, 2, 3, 4])
    )
    assert plan.tables["markets"].by_period["price"].tolist() == [[1, 2, 3, 4]]


def test_fiscal_quarters_of_last_year(load: Load) -> None:
    """Fiscal quarters of the year before belong to those of the plan."""
    calendar = "{start: 2026-04-01, periods: 4, every: quarter, fiscal_year_start: 4}"
    months = [f"FY26-Q{number}" for number in range(1, 5)]
    plan = load(head=_head("last_year_revenue", calendar), markets=_table(months, [1, 2, 3, 4]))
    assert plan.tables["markets"].by_period["last_year_revenue"].tolist() == [[1, 2, 3, 4]]


def test_weeks(load: Load) -> None:
    """A weekly plan reads weeks."""
    calendar = "{start: 2027-01-04, periods: 2, every: week}"
    plan = load(head=_head("potential", calendar), markets=_table(["2027-W01", "2027-W02"], [5, 6]))
    assert plan.tables["markets"].by_period["potential"].tolist() == [[5, 6]]


@pytest.mark.parametrize(
    ("measure", "months", "expected"),
    [
        (
            "last_year_revenue",
            _months(2026)[:-2],
            "markets.csv, row 1: no column of last year for these periods of “last_year_revenue”: "
            "2027-11, 2027-12.",
        ),
        ("potential", _months(2026), "no column for these periods of “potential”: 2027-01, 2027-02"),
        (
            "last_year_revenue",
            [*_months(2026), "янв 2026"],
            "markets.csv, row 1, column янв 2026: this column is the same period as “2026-01”.",
        ),
        ("last_year_revenue", ["price"], "no column looks like a month, though months_across is given"),
        ("last_year_revenue", ["2026-Q1", "2026-Q2"], "must all be of one kind that fits the plan: month"),
        (
            "last_year_revenues",
            _months(2026),
            "has no number column “last_year_revenues”. Nearest: last_year_revenue",
        ),
        (
            "last_year_revenue",
            ["last_year_revenue", *_months(2026)],
            "“last_year_revenue” stands as a column and across the months.",
        ),
    ],
)
def test_faults_of_months(problem: Problem, measure: str, months: list[str], expected: str) -> None:
    """Months that are missing, doubled or of another kind are refused by name."""
    assert expected in problem(head=_head(measure), markets=_table(months, [1] * len(months)))


def test_a_fault_in_a_month_names_its_cell(problem: Problem) -> None:
    """A text or a negative amount among the months is named by row and column."""
    values: list[object] = [1] * 12
    values[4] = "n/a"
    text = problem(head=_head("last_year_revenue"), markets=_table(_months(2026), values))
    assert "markets.csv, row 2, column 2026-05, value “n/a”" in text
    values[4] = -3
    text = problem(head=_head("last_year_revenue"), markets=_table(_months(2026), values))
    assert "row 2, column 2026-05, value “-3”: “2026-05” must be 0 or more." in text
