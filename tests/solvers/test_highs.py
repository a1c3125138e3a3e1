"""Tests of the HiGHS adapter: known traps of the library, signs, limits, callbacks."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from solvers import Limit, LinearProgram, Progress, Reason, SolveOptions, solve
from solvers.errors import InvalidOptionError

Textbook = Callable[[str], tuple[LinearProgram, dict[str, Any]]]
Transport = Callable[[int, int], LinearProgram]


@pytest.mark.parametrize("method", ["auto", "simplex", "interior_point"])
def test_wyndor_duals_and_ranges_are_the_published_ones(textbook: Textbook, method: Any) -> None:
    """Optimum, duals and all ranges of the textbook, whatever the method."""
    program, case = textbook("wyndor")
    result = solve(program, SolveOptions(method=method, ranging=True))
    published = case["published"]
    assert result.is_optimal
    assert result.objective == pytest.approx(published["objective"])
    assert result.duals == pytest.approx(list(published["duals"].values()))
    assert result.ranges is not None
    for found, wanted in (
        ((result.ranges.cost_lower, result.ranges.cost_upper), published["cost_ranges"]),
        ((result.ranges.row_lower, result.ranges.row_upper), published["rhs_ranges"]),
    ):
        limits = [(low, np.inf if high is None else high) for low, high in wanted.values()]
        assert found[0] == pytest.approx([low for low, _ in limits])
        assert found[1] == pytest.approx([high for _, high in limits])


@pytest.mark.parametrize("maximize", [False, True])
@pytest.mark.parametrize("method", ["simplex", "interior_point"])
def test_duals_are_derivatives_by_finite_differences(
    build: Callable[..., LinearProgram], maximize: bool, method: Any
) -> None:
    """A dual is the derivative of the optimal objective by the row's active bound, and a reduced cost that
    by the column's, in both senses."""
    generator = np.random.default_rng(5)
    weights = generator.uniform(0.5, 2.0, (4, 7))
    sign = 1.0 if maximize else -1.0
    program = build(
        sign * generator.uniform(1, 4, 7),
        weights,
        row_upper=[9.0, 8.0, 7.0, 9.5],
        row_lower=[-np.inf, 2.0, 1.0, -np.inf],
        column_lower=np.full(7, 0.1),
        column_upper=np.full(7, 1.7),
        maximize=maximize,
    )
    result = solve(program, SolveOptions(method=method))
    assert result.duals is not None
    assert result.reduced_costs is not None
    step = 1e-5
    for row in range(4):
        moved = program.replace(row_upper=program.row_upper + step * (np.arange(4) == row))
        assert (solve(moved).objective - result.objective) / step == pytest.approx(
            result.duals[row], abs=1e-6
        )
    for column in range(7):
        shift = step * (np.arange(7) == column)
        moved = program.replace(
            column_lower=program.column_lower + shift, column_upper=program.column_upper + shift
        )
        assert (solve(moved).objective - result.objective) / step == pytest.approx(
            result.reduced_costs[column], abs=1e-6
        )


def test_ranges_of_costs_hold(wyndor: LinearProgram) -> None:
    """The plan stays the same inside the range of a cost and changes outside it."""
    result = solve(wyndor, SolveOptions(ranging=True))
    assert result.ranges is not None
    for cost, same in ((7.4, True), (7.6, False), (0.1, True)):
        moved = solve(wyndor.replace(objective=np.array([cost, 5.0])))
        assert np.allclose(moved.values, result.values) == same


def test_a_mip_has_no_duals_unless_prices_are_asked_for(build: Callable[..., LinearProgram]) -> None:
    """HiGHS fills zeros in; here they are None, and prices come with fixed integers and say so."""
    program = build(
        [3, 5], [[1, 0], [0, 2], [3, 2]], row_upper=[4, 12, 18], integer=[True, False], maximize=True
    )
    plain = solve(program)
    assert plain.duals is None
    assert plain.bound == pytest.approx(36)
    priced = solve(program, SolveOptions(integer_prices=True))
    assert priced.duals_are_of_fixed_integers
    assert priced.duals is not None
    assert any("whole numbers fixed" in note for note in priced.notes)


def test_a_second_thread_count_in_one_thread_is_no_trap(
    wyndor: LinearProgram, knapsack: LinearProgram
) -> None:
    """HiGHS refuses another number of workers in the same thread; the adapter resets them."""
    for threads in (1, 2, 1):
        assert solve(wyndor, SolveOptions(threads=threads)).objective == pytest.approx(36)
    found: list[float] = []
    worker = threading.Thread(target=lambda: found.append(solve(wyndor, SolveOptions(threads=2)).objective))
    worker.start()
    worker.join()
    assert found == pytest.approx([36])


def test_time_limit_gives_the_incumbent_with_bound_and_gap(knapsack: LinearProgram) -> None:
    """A MIP that is stopped early has verified values, a bound on the right side and a gap."""
    result = solve(knapsack, SolveOptions(time_limit=0.2, gap=0.0))
    assert result.termination.reason is Reason.LIMIT
    assert result.termination.limit is Limit.TIME
    assert result.has_solution
    assert not result.is_optimal
    assert result.bound is not None
    assert result.bound >= result.objective
    assert result.gap is not None
    assert result.gap > 0


def test_time_limit_without_an_incumbent_has_no_values(transport: Transport) -> None:
    """At once stopped, HiGHS's zeros are not taken for a plan."""
    result = solve(transport(60, 60), SolveOptions(time_limit=0.0))
    assert result.termination.reason is Reason.LIMIT
    assert not result.has_solution
    assert result.objective_value is None


def test_interruption_before_and_during_a_solve(knapsack: LinearProgram, transport: Transport) -> None:
    """An event that is set stops simplex, interior point and branch and bound."""
    event = threading.Event()
    event.set()
    for method in ("simplex", "interior_point"):
        stopped = solve(transport(80, 80), SolveOptions(interrupt=event, method=method))
        assert stopped.termination.reason is Reason.INTERRUPTED
    event.clear()
    found = solve(
        knapsack,
        SolveOptions(gap=0.0, interrupt=event, progress=lambda news: event.set() if news.objective else None),
    )
    assert found.termination.reason is Reason.INTERRUPTED
    assert found.has_solution


def test_an_error_in_a_callback_reaches_the_caller(knapsack: LinearProgram) -> None:
    """What the caller's own progress function raises is raised by `solve`."""

    def broken(news: Progress) -> None:
        raise ZeroDivisionError("mine")

    with pytest.raises(ZeroDivisionError, match="mine"):
        solve(knapsack, SolveOptions(progress=broken))


def test_log_lines_and_progress_arrive(knapsack: LinearProgram) -> None:
    """Lines go to the caller's function; progress has improving objectives and a bound."""
    lines: list[str] = []
    news: list[Progress] = []
    solve(knapsack, SolveOptions(time_limit=1.0, log=lines.append, progress=news.append))
    assert any("MIP" in line for line in lines)
    objectives = [report.objective for report in news if report.objective is not None]
    assert objectives == sorted(objectives)
    assert any(report.bound is not None for report in news)


@pytest.mark.parametrize(("name", "value"), [("bogus", 1), ("time_limit", -1.0), ("threads", "two")])
def test_a_rejected_option_is_an_error(wyndor: LinearProgram, name: str, value: Any) -> None:
    """An option that HiGHS does not take is never ignored."""
    with pytest.raises(InvalidOptionError, match=name):
        solve(wyndor, SolveOptions(raw={name: value}))


def test_infeasible_unbounded_and_empty_programs(build: Callable[..., LinearProgram]) -> None:
    """Each ends with its own reason and without values."""
    infeasible = solve(build([1], [[1], [1]], row_lower=[2, -np.inf], row_upper=[np.inf, 1]))
    assert infeasible.termination.reason is Reason.INFEASIBLE
    unbounded = solve(build([1], [[1]], row_lower=[2], maximize=True))
    assert unbounded.termination.reason in (Reason.UNBOUNDED, Reason.INFEASIBLE_OR_UNBOUNDED)
    assert not infeasible.has_solution
    assert not unbounded.has_solution
    no_rows = solve(build([1, -1], np.zeros((0, 2)), column_upper=[3, 4]))
    assert no_rows.objective == pytest.approx(-4)
    no_columns = build([], np.zeros((1, 0)), row_lower=[0], offset=2.5)
    assert solve(no_columns).objective == pytest.approx(2.5)
    assert solve(no_columns.replace(row_lower=np.ones(1))).termination.reason is Reason.INFEASIBLE


def test_start_values_and_basis_are_taken(knapsack: LinearProgram, transport: Transport) -> None:
    """From its own optimal basis an LP needs no iteration; a MIP is never worse than its start."""
    program = transport(20, 20)
    first = solve(program, SolveOptions(basis=True, method="simplex"))
    again = solve(program, SolveOptions(start_basis=first.basis, method="simplex"))
    assert again.iterations == 0
    assert again.objective == pytest.approx(first.objective)
    start = solve(knapsack, SolveOptions(time_limit=0.3)).values
    held = solve(
        knapsack, SolveOptions(start_values=start, raw={"mip_max_nodes": 1, "mip_heuristic_effort": 0.0})
    )
    assert held.objective >= knapsack.value(start) - 1e-9


@pytest.mark.parametrize(
    ("costs", "row", "best"),
    [([2.0, 3.0], [1.0, 1.0], 9.0), ([0.01, -100.0], [1.0, -1.0], -999.9)],
)
def test_mixed_rows_are_not_stuffed(
    build: Callable[..., LinearProgram], costs: list[float], row: list[float], best: float
) -> None:
    """HiGHS 1.14, which is kept out, called 15 optimal where 9 is (ERGO-Code/HiGHS 2957, 3043)."""
    lower = 4.5 if row[1] > 0 else 0.0
    program = build(
        costs, [row], row_lower=[lower], row_upper=[np.inf], column_upper=[10.0, 10.0], integer=[False, True]
    )
    assert solve(program).objective == pytest.approx(best)


def test_a_presolve_that_highs_refuses_is_left_out(build: Callable[..., LinearProgram]) -> None:
    """HiGHS 1.13 presolves whole numbers whose sum would be no whole number to a point that it then refuses."""
    sold, distances = np.diag([0.5, 0.5, 0.34, 0.34]), np.eye(4)
    rows = np.block(
        [
            [np.eye(4), np.zeros((4, 9))],
            [np.full((1, 4), 1.21), np.zeros((1, 9))],
            [sold.sum(axis=0, keepdims=True), np.full((1, 1), -1.0), np.zeros((1, 8))],
            [sold, np.array([[-0.46], [-0.47], [-0.04], [-0.04]]), -distances, distances],
        ]
    )
    program = build(
        [0.0] * 13,
        rows.tolist(),
        row_lower=[-np.inf] * 4 + [1.0] + [0.0] * 5,
        row_upper=[0.99, 1.01, 1.48, 1.52, 1.0] + [0.0] * 5,
        integer=[True] * 4 + [False] * 9,
    )
    assert solve(program).termination.reason is Reason.INFEASIBLE
