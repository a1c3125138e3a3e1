"""Tests of lexicographic solving against results by hand."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from solvers import LinearProgram, Reason, SolveOptions, Stage, solve, solve_stages
from solvers.errors import InvalidProgramError

Build = Callable[..., LinearProgram]


@pytest.fixture
def two_targets(build: Build) -> LinearProgram:
    """x0, x1 sold, u0, u1 short: x0 + x1 <= 10, x0 + u0 >= 8, x1 + u1 >= 5."""
    return build(
        np.zeros(4),
        [[1, 1, 0, 0], [1, 0, 1, 0], [0, 1, 0, 1]],
        row_upper=[10, np.inf, np.inf],
        row_lower=[-np.inf, 8, 5],
    )


def _stages(tolerance: float = 0.0) -> list[Stage]:
    return [
        Stage("first", np.array([0.0, 0, 1, 0]), tolerance=tolerance),
        Stage("second", np.array([0.0, 0, 0, 1]), tolerance=tolerance),
        Stage("money", np.array([2.0, 3, 0, 0]), maximize=True),
    ]


@pytest.mark.parametrize("method", ["auto", "simplex", "interior_point"])
def test_priorities_are_never_traded(two_targets: LinearProgram, method: Any) -> None:
    """The first target is met in full, the second is short by 3, whatever money would like."""
    result = solve_stages(two_targets, _stages(), SolveOptions(method=method))
    assert result.termination.reason is Reason.OPTIMAL
    assert result.x is not None
    assert result.x == pytest.approx([8, 2, 0, 3], abs=1e-5)
    assert [outcome.value for outcome in result.outcomes] == pytest.approx([0, 3, 22], abs=1e-5)


def test_tolerance_lets_a_later_stage_gain(two_targets: LinearProgram) -> None:
    """With 10 % on the second stage nothing changes for the first (its value is 0), money takes nothing, and
    the reversed order shows the trade."""
    stages = [_stages()[2], _stages(0.1)[0]]
    result = solve_stages(two_targets, [Stage("money", stages[0].objective, True, tolerance=0.1), stages[1]])
    assert result.x is not None
    assert result.outcome("money").value == pytest.approx(27)
    assert result.outcome("first").value == pytest.approx(5)


def test_duals_of_rows_and_of_locks_are_apart(two_targets: LinearProgram) -> None:
    """The money stage has the prices of the three rows, and those of the locks by stage."""
    outcome = solve_stages(two_targets, _stages()).outcome("money")
    assert outcome.result is not None
    assert outcome.result.duals is not None
    assert outcome.result.duals.shape == (3,)
    assert set(outcome.lock_duals) == {"first", "second"}


def test_a_stage_can_be_solved_again(two_targets: LinearProgram) -> None:
    """The program of a stage has the locks before it and gives that stage's value."""
    result = solve_stages(two_targets, _stages())
    again = solve(result.program("money"))
    assert result.program("money").num_rows == 5
    assert again.objective == pytest.approx(22, abs=1e-4)
    with pytest.raises(KeyError):
        result.program("nothing")


def test_ranging_comes_with_the_stage_that_asks(wyndor: LinearProgram) -> None:
    """Only that stage has ranges, and only for the original rows."""
    stages = [
        Stage("output", np.array([1.0, 1.0]), maximize=True, lock=False),
        Stage("money", wyndor.objective, maximize=True, ranging=True),
    ]
    first, second = solve_stages(wyndor, stages).outcomes
    assert first.result is not None
    assert second.result is not None
    assert first.result.ranges is None
    assert second.result.ranges is not None
    assert second.result.ranges.row_upper == pytest.approx([np.inf, 18, 24])


def test_needless_stages_are_skipped_and_said(two_targets: LinearProgram) -> None:
    """A zero objective, or a value that bounds already prove best, costs no solve but keeps its lock."""
    stages = [
        Stage("first", np.array([0.0, 0, 1, 0])),
        Stage("nothing", np.zeros(4)),
        Stage("again", np.array([0.0, 0, 2, 0]), keep_duals=False),
        Stage("money", np.array([2.0, 3, 0, 0]), maximize=True),
    ]
    result = solve_stages(two_targets, stages)
    assert result.outcome("nothing").result is None
    assert "zero" in result.outcome("nothing").note
    assert "cannot be better" in result.outcome("again").note
    assert result.program("money").num_rows == 5
    only_zero = solve_stages(two_targets, [Stage("nothing", np.zeros(4))])
    assert only_zero.has_solution


def test_whole_numbers_in_stages(build: Build) -> None:
    """Stages of a MIP lock the verified incumbent."""
    program = build(np.zeros(3), [[3, 4, 5]], row_upper=[11], column_upper=[3, 3, 3], integer=[True] * 3)
    stages = [
        Stage("count", np.ones(3), maximize=True),
        Stage("value", np.array([1.0, 2.0, 4.0]), maximize=True),
    ]
    result = solve_stages(program, stages)
    assert result.x is not None
    assert result.x.tolist() == [2.0, 0.0, 1.0]


def test_interruption_keeps_the_plan_of_the_stages_before(two_targets: LinearProgram) -> None:
    """Interrupted after the first stage: its plan stays, the others say that they were not solved."""
    event = threading.Event()
    asked: list[str] = []

    def announce(stage: Stage) -> None:
        asked.append(stage.name)
        if stage.name == "second":
            event.set()

    result = solve_stages(two_targets, _stages(), SolveOptions(interrupt=event), announce=announce)
    assert asked == ["first", "second"]
    assert result.has_solution
    assert result.termination.reason is Reason.INTERRUPTED
    assert result.outcome("first").value == pytest.approx(0, abs=1e-6)
    assert "not solved" in result.outcome("money").note


def test_no_time_at_all_gives_no_plan(two_targets: LinearProgram) -> None:
    """With a limit of zero seconds nothing is solved and nothing is claimed."""
    result = solve_stages(two_targets, _stages(), SolveOptions(time_limit=0.0))
    assert not result.has_solution
    assert result.termination.reason is Reason.LIMIT


def test_infeasible_and_unbounded_end_the_stages(two_targets: LinearProgram, build: Build) -> None:
    """The first failing stage names the reason; an unbounded later stage keeps the earlier plan."""
    clash = two_targets.replace(
        row_lower=np.array([11.0, 8.0, 5.0]), row_upper=np.array([10.0, np.inf, np.inf])
    )
    assert solve_stages(clash, _stages()).termination.reason is Reason.INFEASIBLE
    free = build([0, 0], [[1, 0]], row_lower=[1])
    result = solve_stages(
        free, [Stage("low", np.array([1.0, 0])), Stage("high", np.array([0, 1.0]), maximize=True)]
    )
    assert result.termination.reason is Reason.UNBOUNDED
    assert result.x is not None
    assert result.x[0] == pytest.approx(1)
    assert any("kept" in note for note in result.notes)


def test_a_large_lp_takes_the_face_and_agrees_with_simplex(build: Build) -> None:
    """Above the method's threshold stages start on the optimal face, and simplex gives the same values."""
    generator = np.random.default_rng(3)
    from scipy import sparse

    sellers, markets = 60, 520
    n = sellers * markets // 8
    seller, market = generator.integers(0, sellers, n), generator.integers(0, markets, n)
    sell = np.arange(n)
    short = n + np.arange(markets)
    matrix = sparse.csc_array(
        (
            np.r_[np.ones(n), generator.uniform(0.5, 2, n), np.ones(n), np.ones(markets)],
            (
                np.r_[
                    market,
                    markets + seller,
                    markets + sellers + market,
                    markets + sellers + np.arange(markets),
                ],
                np.r_[sell, sell, sell, short],
            ),
        ),
        shape=(2 * markets + sellers, n + markets),
    )
    potential = generator.uniform(5, 15, markets)
    program = LinearProgram(
        objective=np.zeros(n + markets),
        matrix=matrix,
        row_lower=np.r_[np.full(markets + sellers, -np.inf), 0.9 * potential],
        row_upper=np.r_[potential, np.full(sellers, 60.0), np.full(markets, np.inf)],
        column_lower=np.zeros(n + markets),
        column_upper=np.full(n + markets, np.inf),
        integer=np.zeros(n + markets, dtype=bool),
    )
    stages = [
        Stage("short", np.r_[np.zeros(n), np.ones(markets)]),
        Stage("money", np.r_[generator.uniform(1, 5, n), np.zeros(markets)], maximize=True),
        Stage("tie", np.r_[generator.uniform(0, 1, n), np.zeros(markets)], maximize=True, keep_duals=False),
    ]
    quick = solve_stages(program, stages)
    slow = solve_stages(program, stages, SolveOptions(method="simplex"))
    for one, other in zip(quick.outcomes, slow.outcomes, strict=True):
        assert one.result is not None
        assert one.result.is_optimal
        assert one.value == pytest.approx(other.value, rel=1e-7)
    assert quick.x is not None
    assert slow.x is not None
    assert np.abs(quick.x - slow.x).max() < 1e-4
    # Primal simplex from the face has little left to do; dual simplex took thousands of iterations there.
    last = quick.outcome("tie").result
    assert last is not None and last.method == "simplex"
    assert last.iterations is not None and last.iterations < markets


def test_stages_must_fit_the_program(two_targets: LinearProgram) -> None:
    """Repeated names and wrong lengths are refused."""
    with pytest.raises(InvalidProgramError, match="same name"):
        solve_stages(two_targets, [_stages()[0], _stages()[0]])
    with pytest.raises(InvalidProgramError, match="costs for 4 columns"):
        solve_stages(two_targets, [Stage("short", np.ones(3))])


def test_a_later_stage_without_limit_is_called_unbounded(build: Build) -> None:
    """A solver that leaves it open whether whole numbers are infeasible or unbounded is asked again."""
    program = build(np.zeros(2), [[1, 0]], row_upper=[10], integer=[True, True])
    stages = [
        Stage("first", np.array([1.0, 0]), maximize=True),
        Stage("more", np.array([1.0, 1]), maximize=True),
    ]
    result = solve_stages(program, stages)
    assert result.termination.reason is Reason.UNBOUNDED
    assert result.outcome("first").value == pytest.approx(10)


def test_a_lock_in_whole_numbers_cuts_no_optimum_off(build: Build) -> None:
    """21 units are locked, and two sellers share them evenly: HiGHS called 12 and 9 by one of them the best."""
    result = solve_stages(*_shared_units(build), SolveOptions(gap=0.0))
    assert result.outcome("nearness").value == pytest.approx(0.9981060606)


def _shared_units(build: Build) -> tuple[LinearProgram, list[Stage]]:
    """Sales of two markets (the second whole) by three people in two periods: of these, one may sell nothing
    of the first market but a tenth of it, so that nobody sells it, and nothing beyond that.

    Columns: sales by person, market and period (12), missed (2), total below and above (2), sum (1), distance from
    last year by market and period (8), level (2), distance from it by person and period (12).
    """
    unit, seasons = 0.035227272727272725, np.array([0.28606060606060607, 0.21393939393939396])
    sales = np.eye(12).reshape(3, 2, 2, 12)
    tops = sales.sum(axis=0).reshape(4, 12)
    person, first = sales[1].sum(axis=(0, 1)), sales[:, 0].sum(axis=(0, 1))
    second = sales[:, 1].sum(axis=(0, 1))
    own = sales[1, 0].sum(axis=0)
    blank = np.zeros

    def row(cells: Any, *others: tuple[int, float]) -> list[float]:
        found = np.concatenate([cells, blank(27)])
        for column, value in others:
            found[column] = value
        return found.tolist()

    rows, lower, upper = [], [], []

    def add(low: float, high: float, cells: Any, *others: tuple[int, float]) -> None:
        rows.append(row(cells, *others))
        lower.append(low)
        upper.append(high)

    for number, top in enumerate(tops):
        add(-np.inf, (12.180645161290323, 9.10967741935484)[number % 2], top)
    add(0, np.inf, 0.9 * first - own)
    add(0, np.inf, 0.8 * second)
    add(0, np.inf, own - 0.2 * first)
    add(0, np.inf, 0.1369949494949495 * person, (12, 1.0))
    add(-np.inf, 0, 0.12525252525252523 * person, (13, -1.0))
    everything = unit * tops.sum(axis=0)
    add(1, 1, everything, (14, -1.0), (15, 1.0))
    add(0, 0, everything, (16, -1.0))
    for number, top in enumerate(tops):
        add(0, 0, unit * top, (16, -seasons[number % 2]), (17 + number, -1.0), (21 + number, 1.0))
    for place in range(6):
        one, period = divmod(place, 2)
        load = unit / 1.5 * sales[one, :, period].sum(axis=0)
        add(0, 0, load, (25 + period, -1 / 3), (27 + place, -1.0), (33 + place, 1.0))
    whole = sales[:, 1].sum(axis=(0, 1)) > 0
    program = build(blank(39), rows, row_lower=lower, row_upper=upper, integer=[*whole, *[False] * 27])
    goals = {
        "missed": (0.5, range(12, 14)),
        "total": (1.0, range(14, 16)),
        "nearness": (1.0, [*range(17, 25), *range(27, 39)]),
    }
    stages = []
    for name, (weight, columns) in goals.items():
        goal = blank(39)
        goal[list(columns)] = weight
        stages.append(Stage(name, goal, scale=0.1))
    return program, stages
