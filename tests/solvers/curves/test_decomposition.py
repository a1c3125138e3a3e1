"""Prices of the coupling rows bound what points on the true curves reach, in every region."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from scipy import sparse

from solvers.curves import CurveProgram, CurveResult, CurveTerm, curve, solve_curves
from solvers.curves.blocks import Blocks, find_blocks
from solvers.curves.decomposition import Bounded, Box, Decomposition
from solvers.curves.estimator import Estimator, build
from solvers.curves.grid import Grid, first_grid
from solvers.curves.inner import run
from solvers.curves.pricing import Pricing
from solvers.curves.region import whole_region
from solvers.curves.shared import Shared
from solvers.options import SolveOptions
from solvers.program import FloatArray, LinearProgram
from solvers.verify import primal_residuals

CHANNELS, PERIODS, GAP = 8, 2, 2e-3


@pytest.fixture(scope="module")
def several() -> CurveProgram:
    """8 channels x 2 periods that share a budget; the first has a switch with a cost; stock carries over."""
    random = np.random.default_rng(4)
    size = CHANNELS * PERIODS
    spend, stock, leads = (np.arange(size).reshape(CHANNELS, PERIODS) + k * size for k in range(3))
    used, columns = 3 * size, 3 * size + 1
    rows: list[np.ndarray] = []
    lower: list[float] = []
    upper: list[float] = []

    def add(low: float, high: float, *terms: tuple[int, float]) -> None:
        row = np.zeros(columns)
        for column, value in terms:
            row[column] += value
        rows.append(row)
        lower.append(low)
        upper.append(high)

    for c, t in np.ndindex(CHANNELS, PERIODS):
        before = ((int(stock[c, t - 1]), -0.4),) if t else ()
        add(0.0, 0.0, (int(stock[c, t]), 1.0), (int(spend[c, t]), -0.6), *before)
    for t in range(PERIODS):
        add(-np.inf, 0.0, (int(spend[0, t]), 1.0), (used, -3.0))
    add(-np.inf, 12.0, *((int(column), 1.0) for column in spend.ravel()), (used, 0.3))
    program = LinearProgram(
        objective=np.concatenate([np.zeros(2 * size), random.uniform(0.8, 1.2, size), [0.0]]),
        matrix=sparse.csc_array(np.array(rows)),
        row_lower=np.array(lower),
        row_upper=np.array(upper),
        column_lower=np.zeros(columns),
        column_upper=np.concatenate([np.full(size, 3.0), np.full(2 * size, np.inf), [1.0]]),
        integer=np.arange(columns) == used,
        maximize=True,
    )
    made = [
        curve("hill", top=1.5, half=random.uniform(0.7, 1.3), slope=2.0 + 0.2 * c) for c in range(CHANNELS)
    ]
    terms = [CurveTerm(int(stock[c, t]), int(leads[c, t]), made[c]) for c, t in np.ndindex(CHANNELS, PERIODS)]
    return CurveProgram(program, terms)


@pytest.fixture(scope="module")
def proved(several: CurveProgram) -> CurveResult:
    """Its answer, proved to 1e-3 without prices."""
    result = solve_curves(several, SolveOptions(gap=1e-3))
    assert result.gap is not None and result.gap <= 1e-3
    return result


@pytest.fixture(scope="module")
def parts(several: CurveProgram) -> tuple[Shared, Grid, Estimator, Blocks]:
    """The search of the program, a grid, its over-estimator, and the blocks of that."""
    shared = Shared(several, SolveOptions(gap=GAP), "highs", 0.0)
    grid = first_grid(shared.prepared)
    estimator = build(shared.prepared, grid)
    blocks = find_blocks(shared.prepared, estimator)
    assert blocks is not None
    return shared, grid, estimator, blocks


def test_each_channel_is_a_block_and_the_budget_couples(
    parts: tuple[Shared, Grid, Estimator, Blocks],
) -> None:
    """The budget is the only coupling row; every block holds its curves, rows and whole numbers."""
    _, _, estimator, blocks = parts
    assert len(blocks.whole) == CHANNELS and blocks.coupling.size == 1
    columns = np.concatenate([blocks.rest.columns, *(block.columns for block in blocks.whole)])
    assert sorted(columns.tolist()) == list(range(estimator.program.num_columns))
    rows = np.concatenate([blocks.coupling, blocks.rest.rows, *(block.rows for block in blocks.whole)])
    assert sorted(rows.tolist()) == list(range(estimator.program.num_rows))
    assert not estimator.program.integer[blocks.rest.columns].any()


def test_curves_that_share_a_budget_only_are_no_blocks() -> None:
    """The hull of one curve is its envelope, which the relaxation has already."""
    size = 16
    program = LinearProgram(
        objective=np.concatenate([np.zeros(size), np.ones(size)]),
        matrix=sparse.csc_array(np.concatenate([np.ones(size), np.zeros(size)]).reshape(1, -1)),
        row_lower=np.array([-np.inf]),
        row_upper=np.array([6.0]),
        column_lower=np.zeros(2 * size),
        column_upper=np.concatenate([np.full(size, 3.0), np.full(size, np.inf)]),
        integer=np.zeros(2 * size, dtype=bool),
        maximize=True,
    )
    hill = curve("hill", top=1.0, half=1.0, slope=2.0)
    tied = CurveProgram(program, [CurveTerm(j, size + j, hill) for j in range(size)])
    shared = Shared(tied, SolveOptions(gap=GAP), "highs", 0.0)
    assert find_blocks(shared.prepared, build(shared.prepared, first_grid(shared.prepared))) is None


@pytest.fixture(scope="module")
def bounded(parts: tuple[Shared, Grid, Estimator, Blocks]) -> tuple[Decomposition, Bounded, FloatArray]:
    """Rounds of prices in the whole program, and its relaxation's prices of the coupling rows."""
    shared, grid, estimator, blocks = parts
    relaxed = run(estimator.relaxed(), shared.plain(), "highs")
    assert relaxed.duals is not None
    with ThreadPoolExecutor(1) as pool:
        decomposition = Decomposition(
            shared, estimator, grid, blocks, Pricing(shared, pool, blocks), relaxed.duals
        )
        prices = relaxed.duals[blocks.coupling]
        found = decomposition.rounds(
            whole_region(shared.prepared), prices, 12, Box(0.1), lambda: -np.inf, lambda bound, mixed: None
        )
    assert found is not None and found.bound <= relaxed.objective + 1e-7
    return decomposition, found, prices


def test_prices_bound_better_than_the_envelopes_and_never_too_much(
    proved: CurveResult, bounded: tuple[Decomposition, Bounded, FloatArray]
) -> None:
    """The bound is above the proved plan; answers of blocks lie on the true curves and keep their rows."""
    decomposition, found, _ = bounded
    shared = decomposition.shared
    assert proved.value is not None and found.mixed is not None
    assert shared.prepared.scaled_value(proved.value) <= found.bound + 1e-7
    points = found.mixed.chosen.points
    assert len(points) > CHANNELS
    prepared = shared.prepared
    for point in points:
        assert (point[prepared.outputs] <= prepared.true_values(point) + 1e-7).all()
    shares = np.bincount(found.mixed.chosen.owner, found.mixed.shares)
    assert shares == pytest.approx(np.ones(CHANNELS))


def test_the_halves_of_a_region_hold_its_points(
    several: CurveProgram, proved: CurveResult, parts: tuple[Shared, Grid, Estimator, Blocks]
) -> None:
    """A point on the true curves lies above or below any cut; each half's over-estimator has it if it does."""
    shared, _, estimator, _ = parts
    assert proved.x is not None
    point = shared.prepared.scaled_point(proved.x)
    end = estimator.segments.b[np.flatnonzero(estimator.full >= 0)[0]]
    curve_number = int(estimator.segments.owner[np.flatnonzero(estimator.full >= 0)[0]])
    whole = whole_region(shared.prepared)
    for half in (whole.below(curve_number, end), whole.above(curve_number, end)):
        at = point[shared.prepared.inputs[curve_number]]
        inside = half.low[curve_number] <= at <= half.high[curve_number]
        narrowed = half.of(estimator).program
        fits = primal_residuals(narrowed, estimator.lift(shared.prepared, point)).worst <= 1e-6
        assert fits == inside
        assert half.within(estimator, narrowed.column_lower, narrowed.column_upper).low == pytest.approx(
            half.low
        )


def test_two_threads_prove_a_program_of_blocks(several: CurveProgram, proved: CurveResult) -> None:
    """The whole search with prices, on a program repeated to the size that it takes them for."""
    copies = 4
    program, terms = several.program, several.curves
    width = program.num_columns
    many = replace(
        program,
        objective=np.tile(program.objective, copies),
        matrix=sparse.csc_array(sparse.block_diag([program.matrix] * copies, format="csc")),
        row_lower=np.tile(program.row_lower, copies),
        row_upper=np.tile(program.row_upper, copies),
        column_lower=np.tile(program.column_lower, copies),
        column_upper=np.tile(program.column_upper, copies),
        integer=np.tile(program.integer, copies),
    )
    tied = [
        replace(
            term, input_column=term.input_column + k * width, output_column=term.output_column + k * width
        )
        for k in range(copies)
        for term in terms
    ]
    result = solve_curves(CurveProgram(many, tied), SolveOptions(gap=5e-3, threads=2))
    assert result.gap is not None and result.gap <= 5e-3
    assert proved.value is not None and proved.bound is not None and result.bound is not None
    assert (result.value or 0.0) <= copies * proved.bound * (1 + 1e-9)
    assert result.bound >= copies * proved.value * (1 - 1e-9)
