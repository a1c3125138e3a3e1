"""Profiles: checked by what they are used as."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from optimizer.plan.plan import Plan
from optimizer.plan.profiles import period_label

Load = Callable[..., Plan]
Problem = Callable[..., str]

HEAD = """\
name: x
calendar: {start: 2027-01-01, periods: 12}
tables: {markets: markets.csv, sellers: sellers.csv, profiles: profiles.csv}
"""


def _profiles(name: str, values: list[tuple[object, object]]) -> str:
    return "profile,period_or_age,value\n" + "".join(f"{name},{label},{value}\n" for label, value in values)


def test_months_of_a_season_are_brought_to_one_form(load: Load) -> None:
    """Months by name, number or year become one label each."""
    written = ["янв", "Feb", "3", "2027-04", "май 2027", "6月", "7", "8", "9", "10", "11", "12"]
    plan = load(
        head=HEAD,
        profiles=_profiles("season", [(label, "1/12") for label in written]).replace("1/12", "0.0833"),
    )
    table = plan.tables["profiles"]
    assert table.text("period_or_age")[:7] == ["1", "2", "3", "2027-04", "2027-05", "6", "7"]
    assert table.numbers("value").sum() == pytest.approx(1.0, abs=1e-12)


def test_period_labels() -> None:
    """An age stays an age and other text stays as it is."""
    assert [period_label(text) for text in ("0", "3", "2027-W05", "2027-Q1")] == [
        "0",
        "3",
        "2027-W05",
        "2027-Q1",
    ]


def test_profiles_by_period_over_two_years(load: Load) -> None:
    """A season by month of two years sums to 1 in each of them."""
    labels = [(f"{2027 + at // 12}-{at % 12 + 1:02d}", "0.08333333") for at in range(24)]
    head = HEAD.replace("periods: 12", "periods: 24")
    plan = load(head=head, profiles=_profiles("season", labels))
    assert plan.tables["profiles"].numbers("value").sum() == pytest.approx(2.0, abs=1e-12)


def test_working_days_need_no_sum(load: Load) -> None:
    """Working days are counts, and a profile that nothing uses is left as it is."""
    profiles = _profiles("working_days", [(month, 20) for month in range(1, 13)]) + "steps,0,5\n"
    assert load(head=HEAD, profiles=profiles).tables["profiles"].numbers("value").tolist() == [20] * 12 + [5]


def test_a_ramp_in_order(load: Load) -> None:
    """A ramp starts at 0 and rises to a share of at most 1; `none` means no ramp."""
    sellers = "seller,ramp\nAnn,new_rep\nBen,none\nCai,\n"
    profiles = _profiles("new_rep", [(0, 0), (3, "50%"), (6, 1)])
    assert load(head=HEAD, sellers=sellers, profiles=profiles).tables["profiles"].numbers(
        "value"
    ).tolist() == [0, 0.5, 1]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (
            [(1, 0), (3, 1)],
            "profiles.csv, row 2, column period_or_age, value “1”: the ramp “r” must start at age 0.",
        ),
        (
            [(0, 0), (6, 0.5), (3, 1)],
            "row 4, column period_or_age, value “3”: the ages of the ramp “r” must increase",
        ),
        (
            [(0, 0), (3, 50)],
            "row 3, column value, value “50”: the ramp “r” must lie between 0 and 1 and not fall.",
        ),
        ([(0, 0.5), (3, 0.4)], "must lie between 0 and 1 and not fall"),
        ([(0, 0), ("three", 1)], "value “three”: the ramp “r” needs an age in whole months"),
    ],
)
def test_faults_of_ramps(problem: Problem, values: list[tuple[object, object]], expected: str) -> None:
    """A ramp with wrong ages or shares is refused with its row."""
    assert expected in problem(head=HEAD, sellers="seller,ramp\nAnn,r\n", profiles=_profiles("r", values))


def test_a_season_that_a_market_names_must_sum_to_one(problem: Problem) -> None:
    """What a profile must be follows from the column that names it."""
    markets = "region,potential_profile\nN,steep\n"
    text = problem(head=HEAD, markets=markets, profiles=_profiles("steep", [(1, 0.7), (2, 0.7)]))
    assert "the season “steep” sums to 1.4 over a year, but must sum to 1." in text
