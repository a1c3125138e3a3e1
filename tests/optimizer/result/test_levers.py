"""Levers that are named really close the gap when they are applied to the plan's own data and it is solved
again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from optimizer.errors import InputError
from optimizer.model.compile import compile_plan
from optimizer.plan.load import load_plan, plan_from_data
from optimizer.plan.plan import Plan
from optimizer.plan.rules import Rule
from optimizer.result.levers import Closing, close_shortfall, find_outcomes
from optimizer.result.solution import Solution
from optimizer.settings import SolveSettings
from optimizer.solving import solve, solve_model
from scenarios.examples import FOLDER

QUIET = SolveSettings(marginal_values=False, leverage=False)


def moved(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """By how much bounds moved; 0 where there is none."""
    known = np.isfinite(before)
    return np.where(known, np.where(known, after, 0.0) - np.where(known, before, 0.0), 0.0)


def with_year(plan: Plan, amount: float) -> Plan:
    """The main pack with another target for the year."""

    def changed(rule: Rule) -> Rule:
        return replace(rule, as_growth=False, lower=amount) if rule.name == "Year" else rule

    return plan.replace(rules=tuple(changed(rule) for rule in plan.rules))


@pytest.fixture(scope="module")
def short() -> Solution:
    """The main pack with a target that is out of reach."""
    return solve(with_year(load_plan(FOLDER / "premium_year"), 128e6), QUIET)


@pytest.fixture(scope="module")
def closing(short: Solution) -> Closing:
    """What would close the year."""
    return close_shortfall(short, find_outcomes(short, "Year")[0], QUIET)


def test_the_levers_close_the_gap_in_the_data(short: Solution, closing: Closing) -> None:
    """More time and potential as named, put into the tables of the plan and compiled again, meet the
    target."""
    assert closing.outcome.status == "short" and closing.closed and closing.levers
    inputs, model = short.inputs, closing.model
    assert model is not None
    cube, markets = model.cube, inputs.markets
    more = moved(short.model.program.row_upper, model.program.row_upper)
    assert {lever.family for lever in closing.levers} <= {"hours", "demand", "rules"}
    capacity, potential = inputs.selling.sellers.capacity.copy(), markets.potential.copy()
    for block in model.program.row_blocks:
        if block.labels is None or block.name not in ("hours", "demand"):
            continue
        for at, (name, period) in enumerate(block.labels()):
            step, column = more[block.start + at], cube.calendar.period.index(period)
            if step > 0 and block.name == "demand":
                potential[markets.names.index(name), column] += step
            elif step > 0:
                group = cube.groups.group == cube.seat_names.index(name)
                capacity[group, column] *= 1.0 + step / cube.capacity[cube.seat_names.index(name), column]
    selling = replace(inputs.selling, sellers=replace(inputs.selling.sellers, capacity=capacity))
    changed = replace(inputs, selling=selling, markets=replace(markets, potential=potential))
    again = compile_plan(changed)
    staged = solve_model(again, QUIET, again.stages[:1])
    assert staged.x is not None
    assert float(again.context.metrics.total("revenue").values(staged.x)[0]) >= 128e6 * (1 - 1e-5)


def test_no_lever_is_spare(short: Solution, closing: Closing) -> None:
    """Two per cent less of all levers leaves the target short: the combination is the least one."""
    base = short.model.program
    assert closing.model is not None
    changed = closing.model.program
    sides = {
        side: getattr(base, side) + 0.98 * moved(getattr(base, side), getattr(changed, side))
        for side in ("row_lower", "row_upper")
    }
    part = replace(closing.model, program=base.replace(**sides))
    staged = solve_model(part, QUIET, part.stages[:1])
    assert staged.x is not None
    assert float(part.context.metrics.total("revenue").values(staged.x)[0]) < 128e6 * (1 - 1e-5)


def test_what_binds_has_left_and_right_values(closing: Closing) -> None:
    """Each limit that binds says what one more and the last one bring, and in which range; a limit on a
    share, which is a coefficient, has a value alone."""
    assert closing.binding
    for one in closing.binding:
        assert one.value > 0
        if one.unit == "share":
            continue
        assert one.more is not None and one.less is not None
        assert one.more <= one.less * (1 + 1e-6)
        assert one.holds_from is not None and one.holds_to is not None
        assert one.holds_from <= one.bound * (1 + 1e-9)


def test_a_limit_on_a_share_is_priced_per_share(short: Solution, closing: Closing) -> None:
    """What one more percentage point for agents adds to the year is what a second solve finds; the price of
    such rows once went by their numerator, so that they were left out."""

    def changed(rule: Rule) -> Rule:
        return replace(rule, upper=0.151) if rule.name == "Agents" else rule

    told = next(one for one in closing.binding if one.name == "Agents")
    assert told.unit == "share" and told.bound == 0.15
    looser = solve(short.plan.replace(rules=tuple(changed(rule) for rule in short.plan.rules)), QUIET)
    more = find_outcomes(looser, "Year")[0].value - closing.outcome.value
    assert told.value * 0.001 == pytest.approx(more, rel=0.02)


def test_hours_are_told_as_people_and_money(closing: Closing) -> None:
    """Selling time is said in full sellers, and in money where their pay is known."""
    hours = [lever for lever in closing.levers if lever.family == "hours" and lever.unit == "hours"]
    assert hours
    assert all(lever.seats is not None and lever.seats > 0 for lever in hours)
    assert all(lever.money is not None and lever.money > 0 for lever in hours)


def test_a_ratio_is_closed_too(solved: Callable[[str], Solution]) -> None:
    """The market share of the West in the pack as it is shipped."""
    solution = solved("premium_year")
    outcome = next(found for found in find_outcomes(solution, "Market share") if found.status == "short")
    found = close_shortfall(solution, outcome, QUIET)
    assert found.closed
    assert sum(lever.share for lever in found.levers) < 1.0
    assert all(one.value < 0.01 for one in found.binding)


def test_one_of_a_group_of_equal_sellers_is_closed(tmp_path: Path) -> None:
    """Two equal sellers miss the same amount each: what closes one of them is this one's own time, and
    another plan with that much more of it has the target met."""

    def plan_of(hours: float) -> Plan:
        (tmp_path / "markets.csv").write_text(
            "region,price,margin_rate,last_year_revenue\nEast,1,0.5,6000\n", encoding="utf-8"
        )
        rows = f"seller,capacity,capacity_unit\nAnn,{hours},revenue\nBob,2000,revenue\n"
        (tmp_path / "sellers.csv").write_text(rows, encoding="utf-8")
        return plan_from_data(
            {
                "name": "Firm",
                "calendar": {"start": "2027-01-01", "periods": 12, "every": "month"},
                "tables": {"markets": "markets.csv", "sellers": "sellers.csv"},
                "targets": [{"name": "Each", "metric": "revenue", "each": "seller", "at_least": 2500}],
            },
            tmp_path,
        )

    solution = solve(plan_of(2000), QUIET)
    assert len(solution.model.cube.seat_names) == 1
    for outcome in find_outcomes(solution, "Each"):
        assert outcome.shortfall == pytest.approx(500)
        found = close_shortfall(solution, outcome, QUIET)
        assert found.closed
        assert [(lever.family, lever.name) for lever in found.levers] == [("hours", outcome.member[0])]
        assert found.levers[0].change == pytest.approx(500, rel=1e-4)
        assert {one.name.partition(" / ")[0] for one in found.binding} == {outcome.member[0]}
    again = find_outcomes(solve(plan_of(2500.01), QUIET), "Each")
    assert [outcome.status for outcome in again] == ["met", "short"]


def test_a_met_target_needs_nothing(short: Solution) -> None:
    """No levers, no second solve."""
    outcome = next(found for found in short.outcomes if found.status == "met")
    found = close_shortfall(short, outcome, QUIET)
    assert found.closed and not found.levers and found.model is None


def test_unknown_rules_are_refused(short: Solution) -> None:
    """The nearest name is given."""
    with pytest.raises(InputError) as caught:
        find_outcomes(short, "Yera")
    assert "Year" in caught.value.text()


GOLDEN = Path(__file__).parents[2] / "golden" / "curves_even_bounded"


def campaign(budget: float) -> Plan:
    """A published media plan with response curves, asked for more leads than its budget brings."""
    plan = load_plan(GOLDEN)
    wanted = Rule("target", "Wanted", "leads", lower=700_000.0, must=False, priority=1)
    rules = [replace(rule, lower=budget, upper=budget) for rule in plan.rules]
    return plan.replace(rules=(wanted, *rules))


def test_a_budget_closes_a_target_on_response_curves() -> None:
    """The money that is named meets the target on the curves themselves, and half of it does not; a straight
    line at the plan would name too little."""
    solution = solve(campaign(1_000_000.0), QUIET)
    (outcome,) = find_outcomes(solution, "Wanted")
    assert outcome.status == "short"
    found = close_shortfall(solution, outcome, QUIET)
    assert found.closed and [lever.name for lever in found.levers] == ["Budget"]
    assert found.binding and found.binding[0].value * found.levers[0].change > outcome.shortfall
    for share, status in ((1.001, "met"), (0.5, "short")):
        again = solve(campaign(1_000_000.0 + share * found.levers[0].change), QUIET)
        assert find_outcomes(again, "Wanted")[0].status == status
