"""The published cases of stochastic programming come out, by the extensive form and by decomposition."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from solvers import LinearProgram, Stage
from solvers.result import Reason
from solvers.stochastic.extensive import TwoStageResult, solve_extensive
from solvers.stochastic.frontier import frontier
from solvers.stochastic.lshaped import DecompositionOptions, solve_lshaped
from solvers.stochastic.measures import Blend, quantile, tail_mean
from solvers.stochastic.two_stage import TwoStage
from solvers.stochastic.worth import value_of, worth

Case = Callable[[str, int], tuple[TwoStage, dict[str, Any]]]
Solve = Callable[..., TwoStageResult]
METHODS = pytest.mark.parametrize("solve", [solve_extensive, solve_lshaped])


@METHODS
def test_the_farmer_plans_for_three_weathers(two_stage_case: Case, solve: Solve) -> None:
    """RP, WS, EEV, EVPI and VSS of the farmer (Birge & Louveaux, section 1.1)."""
    problem, case = two_stage_case("farmer", 3)
    published, found = case["published"], worth(problem, solve)
    assert found.together == pytest.approx(published["RP"], rel=1e-8)
    assert found.knowing == pytest.approx(published["WS"], abs=0.01)
    assert found.as_expected == pytest.approx(published["EV"], rel=1e-8)
    assert found.mean_decision == pytest.approx(published["EEV"], rel=1e-8)
    assert found.of_knowing == pytest.approx(published["EVPI"], abs=0.01)
    assert found.of_planning == pytest.approx(published["VSS"], rel=1e-6)
    assert found.decision == pytest.approx(list(published["x"].values()))


@METHODS
@pytest.mark.parametrize(
    ("key", "blend"),
    [
        ("mean_cvar_lambda1_beta5_alpha0.8", Blend(1.0, 5.0, 0.8)),
        ("mean_cvar_lambda1_beta1_alpha0.5", Blend(1.0, 1.0, 0.5)),
        ("pure_cvar_alpha0.8", Blend(0.0, 1.0, 0.8)),
    ],
)
def test_the_farmer_fears_the_worst_weather(
    two_stage_case: Case, solve: Solve, key: str, blend: Blend
) -> None:
    """The farmer under blends of mean and tail: the figures of mpi-sppy's test."""
    problem, case = two_stage_case("farmer", 3)
    expected = case["verified"]["risk"][key]
    found = solve(with_costs_in_futures(problem), blend)
    assert found.objective == pytest.approx(-expected["objective"], rel=1e-7)
    assert min(found.values) == pytest.approx(expected["worst_profit"], rel=1e-6)
    if blend.mean:
        # With the tail alone nothing asks for the better weathers.
        assert sorted(found.values) == pytest.approx(sorted(expected["scenario_profit"].values()), rel=1e-6)
        assert float(found.values.mean()) == pytest.approx(expected["expected_profit"], rel=1e-6)


def with_costs_in_futures(problem: TwoStage) -> TwoStage:
    """The same program with the first stage's costs counted in each future, where the tail sees them."""
    from dataclasses import replace

    futures = tuple(replace(one, costs=one.costs + problem.first.objective) for one in problem.futures)
    first = problem.first.replace(objective=np.zeros(problem.first.num_columns))
    return TwoStage(first, futures)


@METHODS
def test_the_mean_decision_breaks(two_stage_case: Case, solve: Solve) -> None:
    """Where the decision of the mean cannot be carried out, planning for several futures is worth infinity."""
    problem, case = two_stage_case("bl_infeasible_mean_value", 2)
    published, found = case["published"], worth(problem, solve)
    assert found.together == pytest.approx(published["RP"])
    assert found.knowing == pytest.approx(published["WS"])
    assert found.of_knowing == pytest.approx(published["EVPI"])
    assert found.as_expected == pytest.approx(published["EV"])
    assert found.mean_decision is None
    assert found.of_planning == np.inf
    assert found.decision == pytest.approx(list(published["x"].values()))
    assert value_of(problem, found.decision, solve) == pytest.approx(published["RP"])


def test_a_decision_that_breaks_a_rule_of_now_is_worth_nothing(two_stage_case: Case) -> None:
    """It cannot be made, whatever the future is."""
    problem, case = two_stage_case("bl_infeasible_mean_value", 2)
    decision = np.array(list(case["published"]["x"].values()), dtype=float)
    assert value_of(problem, decision) == pytest.approx(case["published"]["RP"])
    assert value_of(problem, decision - 1e3) is None


def test_discrete_losses_have_the_published_tails(shared: Path) -> None:
    """VaR and CVaR of discrete losses, atoms split at the level (Rockafellar & Uryasev 2002)."""
    case = json.loads((shared / "cases/textbook/cvar_discrete.json").read_text(encoding="utf-8"))
    for one, published in zip(case["data"]["cases"], case["published"]["values"], strict=True):
        loss, share = np.array(one["loss"], dtype=float), np.array(one["prob"], dtype=float)
        share = share / share.sum()
        assert quantile(loss, share, one["alpha"]) == published["VaR"]
        assert tail_mean(loss, share, one["alpha"]) == pytest.approx(published["CVaR"], abs=1e-9)
        blend = Blend(0.0, 1.0, one["alpha"])
        assert blend.weights(loss, share) @ loss == pytest.approx(published["CVaR"], abs=1e-9)


def test_the_frontier_of_two_goals(shared: Path, build: Callable[..., LinearProgram]) -> None:
    """revenue = 30 - 2 eps on the published square, and the lexicographic corner (Mavrotas 2009)."""
    case = json.loads((shared / "cases/textbook/eps_constraint_frontier.json").read_text(encoding="utf-8"))
    program = build([0, 0], [[1, 1]], row_upper=[10], column_upper=[8, 8])
    goals = (
        Stage("first", np.array([3.0, 1.0]), maximize=True),
        Stage("second", np.array([0.0, 1.0]), maximize=True),
    )
    wanted = case["published"]["values"]
    points = frontier(program, *goals, [point["eps"] for point in wanted])
    for point, published in zip(points, wanted, strict=True):
        assert point.first == pytest.approx(published["revenue"], abs=1e-5)
        assert point.second == pytest.approx(published["eps"], abs=1e-5)
    assert frontier(program, *goals, [9.0])[0].x is None
    corner = frontier(program, *goals, [0.0])[0].x
    assert corner == pytest.approx([8, 2], abs=1e-5)


def test_both_methods_agree_with_whole_first_stages(random_two_stage: Callable[..., TwoStage]) -> None:
    """Decomposition and extensive form give the same objective, whole numbers and tails included."""
    for seed in range(2):
        for whole in (False, True):
            for blend in (Blend(), Blend(1.0, 2.0, 0.7)):
                problem = random_two_stage(seed, maximize=bool(seed % 2), whole=whole)
                one, other = solve_extensive(problem, blend), solve_lshaped(problem, blend)
                assert other.termination.reason is Reason.OPTIMAL
                assert other.objective == pytest.approx(one.objective, rel=1e-5, abs=1e-6)


def test_workers_change_nothing(random_two_stage: Callable[..., TwoStage]) -> None:
    """The same decision and figures with one worker and with three, bit for bit."""
    problem = random_two_stage(3, futures=12)
    alone = solve_lshaped(problem)
    many = solve_lshaped(problem, options=DecompositionOptions(workers=3))
    assert alone.objective == many.objective
    assert np.array_equal(alone.x, many.x)
    assert np.array_equal(alone.values, many.values)


def test_knowing_is_worth_more_than_planning_more_than_the_mean(
    random_two_stage: Callable[..., TwoStage],
) -> None:
    """WS >= RP >= EEV when maximising, the other way round when minimising."""
    for seed in range(3):
        problem = random_two_stage(seed, maximize=bool(seed % 2))
        found = worth(problem, partial(solve_extensive))
        order = np.array([found.knowing, found.together, found.mean_decision]) * -problem.sign
        assert (np.diff(order) <= 1e-6).all()
