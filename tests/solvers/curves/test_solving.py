"""Answers are on the true curves, proved, and as good as brute force finds."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import sparse

from solvers.curves import Curve, CurveProgram, CurveTerm, Part, climb, curve, local_program, solve_curves
from solvers.curves.table import make_table
from solvers.errors import InvalidProgramError, NativeSolverError
from solvers.options import Progress, SolveOptions
from solvers.program import LinearProgram
from solvers.result import Limit, Reason, SolveResult
from solvers.solving import solve

Allocate = Callable[..., CurveProgram]


def on_the_curves(program: CurveProgram, x: np.ndarray) -> bool:
    """Whether outputs are at most (equations: exactly) the true curves."""
    miss = x[program.outputs] - program.curve_values(x)
    return bool(
        (
            np.where(program.equal, np.abs(miss), miss) <= 1e-12 * np.maximum(1, np.abs(x[program.outputs]))
        ).all()
    )


def test_two_equal_s_curves_share_nothing(allocate: Allocate) -> None:
    """At the equal split of two S-curves of slope 3 the gradient is balanced, and 44 % below giving one all.

    Local optimisers stop there and report success (public marketing optimisers, 2026).
    """
    program = allocate([curve("hill", top=1.0, half=1.0, slope=3.0)] * 2, [3.0, 3.0], 1.5)
    result = solve_curves(program)
    spend = np.sort(result.values[:2])
    equal = 2 * 0.75**3 / (1 + 0.75**3)
    best = 1.5**3 / (1 + 1.5**3)
    assert result.termination.reason is Reason.OPTIMAL
    assert result.value == pytest.approx(best, rel=1e-6)
    assert spend == pytest.approx([0.0, 1.5], abs=1e-4)
    assert equal < 0.78 * best
    low = allocate([curve("hill", top=1.0, half=1.0, slope=3.0)] * 2, [3.0, 3.0], 0.5)
    stationary = 2 * 0.25**3 / (1 + 0.25**3)
    assert stationary < 0.56 * (solve_curves(low).value or 0.0)


@pytest.mark.parametrize("seed", range(6))
def test_certified_answers_agree_with_a_fine_grid(
    allocate: Allocate, best_on_grid: Callable[..., float], seed: int
) -> None:
    """On small instances of all shapes the answer is at least the best on a grid, and the bound is not below it."""
    random = np.random.default_rng(seed)
    made = [
        curve("hill", top=random.uniform(1, 3), half=random.uniform(0.5, 2), slope=random.uniform(1.5, 4)),
        curve(
            "s_logistic", top=random.uniform(1, 3), rate=random.uniform(1, 4), middle=random.uniform(0.3, 2)
        ),
        curve(
            "adbudg",
            maximum=random.uniform(1, 3),
            exponent=random.uniform(0.6, 3),
            divisor=random.uniform(0.5, 3),
        ),
        curve("points", x=(0.0, 0.7, 1.1, 2.0, 3.0), y=tuple(np.cumsum(random.uniform(0, 1, 5)).tolist())),
    ]
    total = random.uniform(1.0, 6.0)
    program = allocate(made, [3.0] * 4, total)
    values = [
        lambda x, index=index: program.table.value(np.full(x.size, index), x) for index in range(len(made))
    ]
    grid = best_on_grid(values, [3.0] * 4, total)
    result = solve_curves(program, SolveOptions(gap=1e-6))
    assert result.gap is not None and result.gap <= 1e-6
    assert on_the_curves(program, result.values)
    assert result.value is not None and result.bound is not None
    assert result.value >= grid - 1e-6 * abs(grid)
    assert result.bound >= grid - 1e-9
    assert result.value == pytest.approx(grid, rel=2e-3)


@pytest.mark.parametrize("slopes", [(2.0, 2.6, 0.8), (1.7, 2.4, 3.0)], ids=["mixed", "all S-shaped"])
@pytest.mark.parametrize("unit", [1e-6, 1e2, 1e6])
def test_currency_does_not_matter(allocate: Allocate, unit: float, slopes: tuple[float, ...]) -> None:
    """The same instance in cents or in millions has the same plan and the same gap, S-curves too."""
    halves = (0.8, 1.4, 0.6)

    def plan(scale: float) -> tuple[np.ndarray, float]:
        made = [
            curve("hill", top=scale * (1 + j), half=scale * half, slope=slope)
            for j, (half, slope) in enumerate(zip(halves, slopes, strict=True))
        ]
        result = solve_curves(allocate(made, [3.0 * scale] * 3, 2.5 * scale))
        assert result.gap is not None and result.gap <= 1e-6
        return result.values / scale, (result.value or 0.0) / scale

    (x, value), (base_x, base_value) = plan(unit), plan(1.0)
    assert value == pytest.approx(base_value, rel=1e-6)
    np.testing.assert_allclose(x, base_x, atol=5e-3)


def small_mip() -> CurveProgram:
    """Whole insertions of one channel, a fixed cost of another, contribution of both.

    Columns: insertions, input 2, output 1, output 2, used.
    """
    program = LinearProgram(
        objective=np.array([-1.0, -1.0, 3.0, 3.0, -0.4]),
        matrix=sparse.csc_array(np.array([[1.0, 1.0, 0, 0, 0], [0, 1.0, 0, 0, -3.0], [0, 1.0, 0, 0, -0.8]])),
        row_lower=np.array([-np.inf, -np.inf, 0.0]),
        row_upper=np.array([5.0, 0.0, np.inf]),
        column_lower=np.array([0.0, 0.0, -np.inf, -np.inf, 0.0]),
        column_upper=np.array([4.0, 3.0, np.inf, np.inf, 1.0]),
        integer=np.array([True, False, False, False, True]),
        maximize=True,
    )
    terms = [
        CurveTerm(0, 2, curve("hill", top=2.0, half=1.5, slope=2.0)),
        CurveTerm(1, 3, curve("hill", top=1.5, half=0.9, slope=3.0)),
    ]
    return CurveProgram(program, terms)


def test_whole_and_semicontinuous_inputs() -> None:
    """The answer is the best of every whole number and a fine grid of the other input."""
    program = small_mip()
    result = solve_curves(program)
    best = -np.inf
    fine = np.concatenate([[0.0], np.linspace(0.8, 3.0, 200_001)])
    other = program.table.value(np.ones(fine.size, dtype=np.int64), fine) * 3 - fine - 0.4 * (fine > 0)
    for count in range(5):
        own = 3 * program.table.value(np.array([0]), np.array([float(count)]))[0] - count
        best = max(best, own + other[fine <= 5 - count].max())
    assert result.termination.reason is Reason.OPTIMAL
    assert result.value == pytest.approx(best, rel=2e-6)
    assert result.values[0] == round(result.values[0])
    assert result.bound is not None and result.bound >= best - 1e-9


def test_least_input_that_reaches_a_target(allocate: Allocate) -> None:
    """Curves in a row that must be met: minimise the inputs for a total output."""
    base = allocate(
        [curve("hill", top=2.0, half=1.0, slope=3.0), curve("hill", top=1.0, half=0.3, slope=1.0)], [4, 4], 9
    )
    program = base.replace(
        objective=np.array([1.0, 1.0, 0.0, 0.0]),
        matrix=sparse.csc_array(np.array([[0.0, 0.0, 1.0, 1.0]])),
        row_lower=np.array([2.0]),
        row_upper=np.array([np.inf]),
        maximize=False,
    )
    result = solve_curves(program)
    x = np.linspace(0.0, 4.0, 400_001)
    first = 2.0 * x**3 / (1 + x**3)
    rest = np.maximum(2.0 - first, 0.0)
    reachable = rest < 4.0 / 4.3
    best = (x[reachable] + 0.3 * rest[reachable] / (1 - rest[reachable])).min()
    assert result.termination.reason is Reason.OPTIMAL
    assert on_the_curves(program, result.values)
    assert result.values[2:].sum() >= 2.0 - 1e-6
    assert result.value == pytest.approx(best, rel=2e-6)
    assert result.bound is not None and result.bound <= best + 1e-9


def test_equations_hold_where_more_output_hurts() -> None:
    """An output that costs something is still the curve's: with <= it would be left at nothing.

    max gain(x) - 0.5 harm(x), gain = 2 log(1 + x), harm = hill(x).
    """
    hill = curve("hill", top=3.0, half=1.0, slope=3.0)
    log = curve("log1p", scale=2.0)

    def program(sense: Any) -> CurveProgram:
        linear = LinearProgram(
            objective=np.array([-0.2, 1.0, -0.5]),
            matrix=sparse.csc_array((0, 3)),
            row_lower=np.zeros(0),
            row_upper=np.zeros(0),
            column_lower=np.array([0.0, -np.inf, 0.0]),
            column_upper=np.array([6.0, np.inf, np.inf]),
            integer=np.zeros(3, dtype=bool),
            maximize=True,
        )
        return CurveProgram(linear, [CurveTerm(0, 1, log), CurveTerm(0, 2, hill, sense)])

    x = np.linspace(0.0, 6.0, 600_001)
    true = -0.2 * x + 2 * np.log1p(x) - 1.5 * x**3 / (1 + x**3)
    result = solve_curves(program("="))
    assert result.termination.reason is Reason.OPTIMAL
    assert on_the_curves(program("="), result.values)
    assert result.value == pytest.approx(true.max(), rel=2e-6)
    loose = solve_curves(program("<="))
    assert loose.value == pytest.approx((-0.2 * x + 2 * np.log1p(x)).max(), rel=2e-6)


def test_sums_of_s_shaped_parts(allocate: Allocate, best_on_grid: Callable[..., float]) -> None:
    """A response of several S-shaped parts with weights is proved too."""
    parts = (
        Part("hill", {"top": 1.0, "half": 0.4, "slope": 4.0}),
        Part("hill", {"top": 2.0, "half": 2.0, "slope": 5.0}, weight=0.7),
        Part("logistic", {"top": 0.5, "rate": 1.0}),
    )
    made = [Curve(parts), curve("hill", top=1.5, half=1.0, slope=2.0)]
    program = allocate(made, [3.0, 3.0], 2.6)
    values = [lambda x, index=index: program.table.value(np.full(x.size, index), x) for index in range(2)]
    grid = best_on_grid(values, [3.0, 3.0], 2.6)
    result = solve_curves(program)
    assert result.gap is not None and result.gap <= 1e-6
    assert result.value is not None and grid - 1e-7 <= result.value <= grid * (1 + 1e-4)


def test_a_start_is_never_lost(allocate: Allocate) -> None:
    """With no time at all the answer is the start, if it is feasible, and says so if it is not."""
    program = allocate([curve("hill", top=1.0, half=1.0, slope=3.0)] * 2, [3.0, 3.0], 1.5)
    start = np.array([1.0, 0.5, 9.0, 9.0])
    result = solve_curves(program, SolveOptions(time_limit=0.0, start_values=start))
    assert result.termination.limit is Limit.TIME
    assert (result.value or 0.0) >= 0.5 + 0.125 / 1.125 - 1e-12
    assert result.history[0].value == pytest.approx(0.5 + 0.125 / 1.125)
    far = solve_curves(program, SolveOptions(start_values=np.array([2.0, 2.0, 0.0, 0.0])))
    assert far.termination.reason is Reason.OPTIMAL
    assert any("start is not feasible" in note for note in far.notes)


def test_a_start_that_is_as_good_as_the_columns_allow_is_not_searched(allocate: Allocate) -> None:
    """Nothing is spent where spending least is asked for and 0 may be spent: proved without a round."""
    program = allocate([curve("hill", top=1.0, half=1.0, slope=3.0)] * 2, [3.0, 3.0], 1.5)
    least = program.program.replace(objective=np.array([1.0, 1.0, 0.0, 0.0]), maximize=False)
    result = solve_curves(CurveProgram(least, program.curves), SolveOptions(start_values=np.zeros(4)))
    assert result.termination.reason is Reason.OPTIMAL and result.rounds == 0
    assert (result.value, result.bound) == pytest.approx((0.0, 0.0), abs=1e-9)


def test_bounds_only_fall_and_values_only_rise(allocate: Allocate) -> None:
    """The history tells when what was known, and progress reports the same."""
    random = np.random.default_rng(3)
    made = [
        curve("hill", top=random.uniform(1, 3), half=random.uniform(0.5, 2), slope=2.5) for _ in range(10)
    ]
    seen: list[Progress] = []
    result = solve_curves(allocate(made, [3.0] * 10, 5.0), SolveOptions(progress=seen.append))
    bounds = [moment.bound for moment in result.history if moment.bound is not None]
    values = [moment.value for moment in result.history if moment.value is not None]
    assert bounds == sorted(bounds, reverse=True) and values == sorted(values)
    assert (seen[-1].objective, seen[-1].bound) == (result.value, result.bound)


def test_contradictory_rows_are_infeasible(allocate: Allocate) -> None:
    """Neither the relaxation nor the curves can make a plan."""
    program = allocate([curve("hill", top=1.0, half=1.0, slope=3.0)] * 2, [3.0, 3.0], -1.0)
    assert solve_curves(program).termination.reason is Reason.INFEASIBLE
    base = allocate([curve("hill", top=1.0, half=1.0, slope=3.0)] * 2, [1.0, 1.0], 1.0)
    # The envelopes reach 0.5 in all with an input of 1; 0.6 is out of reach of the curves and of their envelopes.
    asked = base.replace(
        matrix=sparse.csc_array(np.array([[1.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 1.0]])),
        row_lower=np.array([-np.inf, 0.6]),
        row_upper=np.array([1.0, np.inf]),
    )
    found = solve_curves(asked)
    assert found.termination.reason is Reason.INFEASIBLE
    assert not found.has_solution


def test_interruption_keeps_what_was_found(allocate: Allocate) -> None:
    """An event that is set stops the search."""
    stop = threading.Event()
    stop.set()
    program = allocate([curve("hill", top=1.0, half=1.0, slope=3.0)] * 2, [3.0, 3.0], 1.5)
    result = solve_curves(program, SolveOptions(interrupt=stop, start_values=np.zeros(4)))
    assert result.termination.reason is Reason.INTERRUPTED
    assert result.has_solution


def test_an_input_without_a_bound_of_its_own(allocate: Allocate) -> None:
    """Rows may bound an input; where nothing does, the program is refused."""
    made = [curve("hill", top=1.0, half=1.0, slope=3.0)] * 2
    assert solve_curves(allocate(made, [np.inf, np.inf], 1.5)).value == pytest.approx(1.5**3 / (1 + 1.5**3))
    with pytest.raises(InvalidProgramError, match="nothing bounds column 0"):
        solve_curves(allocate(made, [np.inf, np.inf], np.inf))


def test_inputs_that_cannot_move(allocate: Allocate) -> None:
    """A fixed input gives its curve's value, also at zero."""
    made = [curve("hill", top=1.0, half=1.0, slope=3.0), curve("power", scale=2.0, exponent=0.5)]
    result = solve_curves(allocate(made, [1.0, 0.0], 5.0, lower=[1.0, 0.0]))
    assert result.value == pytest.approx(0.5)
    assert result.bound == pytest.approx(0.5)


def test_programs_without_curves_and_wrong_columns() -> None:
    """No curve leaves an ordinary program; curves that tie nothing or too much are refused."""
    program = small_mip().program
    plain = solve_curves(CurveProgram(program.replace(column_upper=np.array([4.0, 3, 5, 5, 1])), []))
    assert plain.value == pytest.approx(30.0)
    hill = curve("hill", top=1.0, half=1.0, slope=2.0)
    for terms, words in (
        ([CurveTerm(0, 9, hill)], "does not have"),
        ([CurveTerm(0, 2, hill), CurveTerm(1, 2, hill)], "same output"),
        ([CurveTerm(2, 2, hill)], "input and output"),
        ([CurveTerm(2, 3, hill)], "at least 0"),
        ([CurveTerm(0, 3, curve("log", scale=1.0))], "above 0"),
    ):
        with pytest.raises(InvalidProgramError, match=words):
            CurveProgram(program, terms)


def test_the_local_program_prices_rows_at_the_answer(allocate: Allocate) -> None:
    """One more unit of the shared input brings what the duals of the program with tangents say."""
    made = [curve("log1p", scale=2.0), curve("log1p", scale=3.0)]
    program = allocate(made, [9.0, 9.0], 3.0)
    result = solve_curves(program, SolveOptions(gap=1e-9))
    local = solve(local_program(program, result.values))
    # x = (1, 2): both slopes are 1.
    assert local.duals is not None
    assert local.duals[0] == pytest.approx(1.0, abs=1e-3)
    more = solve_curves(program.replace(row_upper=np.array([3.001])), SolveOptions(gap=1e-9))
    assert ((more.value or 0) - (result.value or 0)) / 0.001 == pytest.approx(local.duals[0], abs=5e-3)


def test_a_coupled_year_is_proved() -> None:
    """Carryover, pacing, a cap and routing over 3 channels x 3 periods: proved, and on the true curves."""
    channels, periods = 3, 3
    size = channels * periods
    spend, stock, leads, sold = (np.arange(size).reshape(channels, periods) + k * size for k in range(4))
    rows: list[np.ndarray] = []
    lower: list[float] = []
    upper: list[float] = []

    def add(low: float, high: float, *terms: tuple[int, float]) -> None:
        row = np.zeros(4 * size)
        for column, value in terms:
            row[column] += value
        rows.append(row)
        lower.append(low)
        upper.append(high)

    for c in range(channels):
        for t in range(periods):
            before = ((int(stock[c, t - 1]), -0.4),) if t else ()
            add(0.0, 0.0, (int(stock[c, t]), 1.0), (int(spend[c, t]), -0.6), *before)
            add(-np.inf, 0.0, (int(sold[c, t]), 1.0), (int(leads[c, t]), -1.0))
            if t:
                add(-1.2, 1.2, (int(spend[c, t]), 1.0), (int(spend[c, t - 1]), -1.0))
    add(-np.inf, 8.0, *((int(column), 1.0) for column in spend.ravel()))
    for t in range(periods):
        add(-np.inf, 2.0, *((int(column), 1.0) for column in sold[:, t]))
    weights = np.array([1.0, 1.3, 0.8])
    program = LinearProgram(
        objective=np.concatenate([np.zeros(3 * size), np.repeat(weights, periods)]),
        matrix=sparse.csc_array(np.array(rows)),
        row_lower=np.array(lower),
        row_upper=np.array(upper),
        column_lower=np.zeros(4 * size),
        column_upper=np.concatenate([np.full(size, 3.0), np.full(3 * size, np.inf)]),
        integer=np.zeros(4 * size, dtype=bool),
        maximize=True,
    )
    made = [curve("hill", top=1.5, half=0.9 + 0.3 * c, slope=2.0 + 0.4 * c) for c in range(channels)]
    terms = [CurveTerm(int(stock[c, t]), int(leads[c, t]), made[c]) for c, t in np.ndindex(channels, periods)]
    result = solve_curves(CurveProgram(program, terms), SolveOptions(gap=1e-4, time_limit=60.0))
    assert result.termination.reason is Reason.OPTIMAL
    assert result.residuals is not None and result.residuals.worst <= 1e-7
    assert result.curve_residual == 0.0
    assert result.gap is not None and result.gap <= 1e-4


@pytest.mark.parametrize("warm_only", [True, False])
def test_a_step_that_the_solver_gives_up_costs_no_proof(
    allocate: Allocate, monkeypatch: pytest.MonkeyPatch, warm_only: bool
) -> None:
    """A climb goes on without the basis that troubled the solver, or ends; the answer is proved all the same.

    HiGHS gave up single steps of a plan with initiatives ("its options or the size of the numbers").
    """
    original = climb.run

    def troubled(program: LinearProgram, options: SolveOptions, solver: str) -> SolveResult:
        if options.start_basis is not None or not warm_only:
            raise NativeSolverError("gave up")
        return original(program, options, solver)

    program = allocate(
        [curve("hill", top=1.0, half=1.0, slope=3.0), curve("power", scale=1.0, exponent=0.5)],
        [3.0, 3.0],
        2.0,
    )
    expected = solve_curves(program).value
    monkeypatch.setattr(climb, "run", troubled)
    result = solve_curves(program)
    if warm_only:
        assert result.termination.reason is Reason.OPTIMAL
        assert result.value == pytest.approx(expected, rel=1e-6)
    else:
        assert result.termination.reason is not Reason.OPTIMAL or result.value == pytest.approx(
            expected, rel=1e-6
        )


def test_a_curve_whose_input_hardly_moves_keeps_its_weight() -> None:
    """What is told brings 1.67 of the 3 that are asked, and the other input the rest; with a span of rounding errors as
    its unit it counted for nothing, and 3 were proved to be needed (found by random plans)."""
    points = curve("points", x=(0.0, 8.0, 16.0), y=(0.0, 8.0 / 3.0, 20.0))
    program = LinearProgram(
        objective=np.array([0.0, 1.0, 0.0, 0.0]),
        matrix=sparse.csc_array(np.array([[1.0, 0.0, 0.0, 0.0], [0.0, 0.0, 1.0, 1.0]])),
        row_lower=np.array([5.0, 3.0]),
        row_upper=np.array([5.0, np.inf]),
        column_lower=np.zeros(4),
        column_upper=np.array([np.inf, 16.0, np.inf, np.inf]),
        integer=np.zeros(4, dtype=bool),
    )
    result = solve_curves(CurveProgram(program, [CurveTerm(0, 2, points), CurveTerm(1, 3, points)]))
    # 4/3 more leads are 4 of input on the first line.
    assert result.values[1] == pytest.approx(4.0, rel=1e-5)


def test_equations_of_points_are_proved_at_their_kinks() -> None:
    """30 are shared by a curve up to its kink at 16, and its twin, which brings 2 + 18 * 6 / 8 for the other 14. Steps along
    a tangent went past the kink, and the best point was missed by 3e-4 (found by plans with negative yields)."""
    points = curve("points", x=(0.0, 8.0, 16.0, 26.0), y=(0.0, 2.0, 20.0, 26.0))
    program = LinearProgram(
        objective=np.array([-0.3, -0.5, 1.0, 0.9]),
        matrix=sparse.csc_array(np.array([[1.0, 1.0, 0.0, 0.0]])),
        row_lower=np.array([-np.inf]),
        row_upper=np.array([30.0]),
        column_lower=np.array([0.0, 0.0, -np.inf, -np.inf]),
        column_upper=np.array([26.0, 26.0, np.inf, np.inf]),
        integer=np.zeros(4, dtype=bool),
        maximize=True,
    )
    result = solve_curves(CurveProgram(program, [CurveTerm(j, 2 + j, points, "=") for j in range(2)]))
    assert result.termination.reason is Reason.OPTIMAL
    assert result.value == pytest.approx(20.0 - 0.3 * 16 + 0.9 * 15.5 - 0.5 * 14, rel=1e-6)


def test_kinks_are_those_beside_a_place() -> None:
    """On a sum of two curves of points, in thousands, the nearest of both; a smooth part has none."""
    parts = (
        Part("points", {"x": (0.0, 8.0, 16.0), "y": (0.0, 2.0, 20.0)}),
        Part("points", {"x": (0.0, 10.0), "y": (0.0, 5.0)}),
    )
    table = make_table([Curve(parts, per=1000.0), curve("power", scale=1.0, exponent=0.5)])
    before, behind = table.kinks(np.array([0, 0, 0, 1]), np.array([9e3, 1e4, 2e4, 3.0]))
    assert before.tolist() == [8e3, 1e4, 16e3, -np.inf]
    assert behind.tolist() == [1e4, 16e3, np.inf, np.inf]
