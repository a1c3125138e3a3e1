"""What a bound is worth where the solve tells no price: the figures are those of plans solved by hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from optimizer.plan.load import load_plan
from optimizer.plan.plan import Plan
from optimizer.quotas.explanation import Question, explain
from optimizer.quotas.moving import moved_bounds
from optimizer.result.levers import find_outcomes
from optimizer.result.solution import Solution
from optimizer.settings import SolveSettings
from optimizer.solving import solve

QUIET = SolveSettings(leverage=False)
MakePlan = Callable[..., Plan]


def with_share(company: MakePlan, share: float) -> Solution:
    """The small company with a limit on what its shop may sell."""
    limit = {
        "name": "Shop",
        "metric": "revenue",
        "where": {"sales_channel": "online"},
        "share_at_most": share,
    }
    return solve(company(limits=[limit]), QUIET)


def test_a_limit_on_a_share_is_priced_per_share(company: MakePlan) -> None:
    """The shop sells 5 % at most: the plans with 5.05 and 4.95 % are those solved by hand, and the price of one
    more percentage point is theirs, not that of one more unit of its numerator."""
    solution = with_share(company, 0.05)
    (outcome,) = find_outcomes(solution, "Shop")
    assert outcome.binds
    moves = moved_bounds(solution, outcome, QUIET)
    assert [move.bound for move in moves] == pytest.approx([0.0505, 0.0495])
    before = solution.figure("contribution")
    for move in moves:
        expected = with_share(company, move.bound).figure("contribution") - before
        assert move.change == pytest.approx(expected) and move.changes_something
    assert moves[0].stage is not None and moves[0].stage.name == "contribution" and moves[0].change > 0
    (price,) = (one for one in solution.marginal_values if one.name == ("Shop",))
    assert price.unit == "share" and price.bound == 0.05
    assert price.value * 0.0005 == pytest.approx(moves[0].change, rel=0.01)


FORMS: dict[str, dict[str, Any]] = {
    "growth": {"each": "region", "growth": -0.5},
    "multiple": {"each": ["region"], "between": [0.2, 0.9], "of": "last_year"},
    "amount by member": {"each": "region", "at_most": {"East": 5500, "West": 4000}},
}


@pytest.mark.parametrize("form", FORMS)
def test_one_member_of_every_form_of_bound_moves(form: str, company: MakePlan) -> None:
    """Growth, multiples of a column and maps by member: the bound of the one member moves by 1 % of its
    amount, the others stay."""
    solution = solve(company(limits=[{"name": "Rule", "metric": "revenue", **FORMS[form]}]), QUIET)
    outcome = find_outcomes(solution, "Rule")[0]
    asked = outcome.lower if form == "growth" else outcome.upper
    assert asked is not None
    looser, tighter = moved_bounds(solution, outcome, QUIET)
    assert sorted([looser.bound, tighter.bound]) == pytest.approx([0.99 * asked, 1.01 * asked])
    if form != "growth":
        assert outcome.binds
        assert looser.change == pytest.approx(0.01 * asked * 0.5, rel=0.3)
        assert tighter.change == pytest.approx(-0.01 * asked * 0.5, rel=0.3)


def test_a_limit_that_holds_a_target_back_says_so(company: MakePlan) -> None:
    """A looser limit on the shop lets the year be missed by less, which is told before the money."""
    plan = company(
        limits=[
            {"name": "Shop", "metric": "revenue", "where": {"sales_channel": "online"}, "share_at_most": 0.05}
        ],
        targets=[{"name": "Year", "metric": "revenue", "at_least": 14_000}],
    )
    solution = solve(plan, QUIET)
    (outcome,) = find_outcomes(solution, "Shop")
    looser, _ = moved_bounds(solution, outcome, QUIET)
    assert looser.target is not None
    before, after = looser.target
    assert before.rule == "Year" and after.shortfall < before.shortfall
    # Prices of the money stage see what is earned, not what a more urgent target misses.
    unpriced = replace(solution, marginal_values=())
    text = explain(unpriced, Question({}, rule="Shop"), settings=QUIET)
    assert "in its place: Year misses" in " ".join(text.split())


def test_a_bound_that_costs_nothing_is_said_to(company: MakePlan) -> None:
    """A limit on the share of line A that all sellers may fill anyway."""
    limit = {"name": "All", "metric": "revenue", "where": {"line": ["A", "B"]}, "share_at_most": 1.0}
    solution = solve(company(limits=[limit]), QUIET)
    (outcome,) = find_outcomes(solution, "All")
    assert outcome.binds
    assert not moved_bounds(solution, outcome, QUIET)[0].changes_something
    assert "nothing is lost by it" in explain(solution, Question({}, rule="All"), settings=QUIET)


def test_the_tighter_bound_may_leave_no_plan(company: MakePlan) -> None:
    """A floor at the very most that can be sold."""
    most = solve(company(), QUIET).figure("revenue")
    share = {"metric": "revenue", "where": {"sales_channel": "online"}}
    online = solve(company(), QUIET).figure("revenue", {"sales_channel": "online"}) / most
    limits = [
        {"name": "Shop", **share, "share_at_least": online},
        {"name": "All of it", "metric": "revenue", "at_least": most * (1 - 1e-9)},
    ]
    solution = solve(company(limits=limits), QUIET)
    (outcome,) = find_outcomes(solution, "Shop")
    _, tighter = moved_bounds(solution, outcome, QUIET)
    assert not tighter.has_plan and tighter.changes_something


def test_a_plan_of_leads_is_told_in_leads() -> None:
    """A plan that is not about money: what a looser budget brings is in the unit of its objective."""
    plan = load_plan(Path(__file__).parents[2] / "golden" / "win_big_media")
    solution = solve(plan, QUIET)
    outcome = find_outcomes(solution, "Budget")[0]
    looser, tighter = moved_bounds(solution, outcome, QUIET)
    assert looser.stage is not None and looser.stage.name == "leads"
    assert looser.change == pytest.approx(6.25 * 80, rel=1e-3)
    assert tighter.change == pytest.approx(-6.25 * 80, rel=1e-3)
    text = " ".join(explain(solution, Question({}, rule="Budget"), settings=QUIET).split())
    assert "solved again with 8,080 in its place: Leads changes by +500 leads" in text
