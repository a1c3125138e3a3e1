"""Blocks that are chains: what is recognised, and answers beside those of the program with whole numbers."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import pytest
from scipy import sparse

from solvers.curves import Curve, CurveProgram, CurveTerm, curve
from solvers.curves.answers import Answers
from solvers.curves.blocks import find_blocks
from solvers.curves.chains import Chain, find_chain
from solvers.curves.estimator import build
from solvers.curves.grid import Grid, first_grid
from solvers.curves.paths import ChainSearch
from solvers.curves.pricing import Part, Pricing
from solvers.curves.region import Region, whole_region
from solvers.curves.shared import Shared
from solvers.options import SolveOptions
from solvers.program import FloatArray, LinearProgram

CHANNELS, MONTHS = 8, 4
SIZE = CHANNELS * MONTHS
SPEND, STOCK, LEADS = (np.arange(SIZE).reshape(CHANNELS, MONTHS) + k * SIZE for k in range(3))
SOLD = 3 * SIZE + np.arange(2 * SIZE).reshape(CHANNELS, 2, MONTHS)
USED = 5 * SIZE
Rows = list[tuple[float, float, list[tuple[int, float]]]]


def rows_of_channels() -> Rows:
    """8 channels x 4 months that share a budget: stock keeps 0.4 and starts with 0.3, spend moves by half at
    most, leads go to two regions; the first channel spends 2 in total if it is used, and that costs 0.2."""
    rows: Rows = []
    for c, t in np.ndindex(CHANNELS, MONTHS):
        before = [(int(STOCK[c, t - 1]), -0.4)] if t else []
        kept = 0.0 if t else 0.12
        rows.append((kept, kept, [(int(STOCK[c, t]), 1.0), (int(SPEND[c, t]), -0.6), *before]))
        rows.append(
            (-np.inf, 0.0, [(int(LEADS[c, t]), -1.0), *((int(SOLD[c, g, t]), 0.8) for g in range(2))])
        )
        if t:
            rows.append((-0.5, 0.5, [(int(SPEND[c, t]), 1.0), (int(SPEND[c, t - 1]), -1.0)]))
    rows += [(-np.inf, 0.0, [(int(one), 1.0), (USED, -2.0)]) for one in SPEND[0]]
    rows.append((0.0, np.inf, [*((int(one), 1.0) for one in SPEND[0]), (USED, -2.0)]))
    rows.append((-np.inf, 24.0, [*((int(one), 1.0) for one in SPEND.ravel()), (USED, 0.2)]))
    return rows


def tied(rows: Rows, made: Curve | None = None, **changes: FloatArray) -> CurveProgram:
    """The program of rows; all curves are `made` where it is given."""
    matrix = np.zeros((len(rows), USED + 1))
    for row, (_, _, terms) in enumerate(rows):
        for column, value in terms:
            matrix[row, column] = value
    worth = np.zeros(USED + 1)
    worth[SOLD.ravel()] = np.random.default_rng(8).uniform(0.6, 1.1, SOLD.size)
    program = LinearProgram(
        objective=worth,
        matrix=sparse.csc_array(matrix),
        row_lower=np.array([low for low, _, _ in rows]),
        row_upper=np.array([high for _, high, _ in rows]),
        column_lower=np.zeros(USED + 1),
        column_upper=np.concatenate([np.full(SIZE, 2.0), np.full(4 * SIZE, np.inf), [1.0]]),
        integer=np.arange(USED + 1) == USED,
        maximize=True,
    )
    hills = [
        made or curve("hill", top=1.4, half=0.9 - 0.02 * c, slope=2.0 + 0.1 * c) for c in range(CHANNELS)
    ]
    terms = [CurveTerm(int(STOCK[c, t]), int(LEADS[c, t]), hills[c]) for c, t in np.ndindex(CHANNELS, MONTHS)]
    return CurveProgram(program.replace(**changes), terms)


@dataclass(frozen=True)
class Search:
    """A program in pieces; `part` is all of it."""

    shared: Shared
    grid: Grid
    part: Part

    @property
    def chains(self) -> list[Chain | None]:
        """Every block as a chain."""
        return [find_chain(self.shared.prepared, block) for block in self.part.blocks.whole]


def pieces(program: CurveProgram) -> Search:
    """The pieces that a search by blocks starts from."""
    shared = Shared(program, SolveOptions(gap=1e-3), "highs", 0.0)
    grid = first_grid(shared.prepared)
    estimator = build(shared.prepared, grid)
    blocks = find_blocks(shared.prepared, estimator)
    assert blocks is not None and len(blocks.whole) == CHANNELS
    return Search(shared, grid, Part(whole_region(shared.prepared), estimator, blocks))


@pytest.fixture(scope="module")
def search() -> Search:
    """The program of the channels in pieces."""
    return pieces(tied(rows_of_channels()))


def test_channels_are_chains(search: Search) -> None:
    """Carryover, opening, widths, bounds, uses and the switch are read off the rows."""
    first, second = search.chains[:2]
    assert first is not None and second is not None
    assert (second.keep, second.gain, second.opening) == pytest.approx((0.4, 0.6, 0.12))
    assert second.decisions.tolist() == SPEND[1].tolist() and second.levels.tolist() == STOCK[1].tolist()
    case = second.cases[0]
    assert case.fall[1:].tolist() == case.rise[1:].tolist() == [0.5] * 3 and case.further.size == 0
    assert case.lower.tolist() == [0.0] * 4 and case.upper.tolist() == [2.0] * 4
    assert second.uses.amount == pytest.approx(np.full(8, 1.25)) and second.switch == -1
    off, on = first.cases
    assert first.switch == USED and off.upper.tolist() == [0.0] * 4 and on.upper.tolist() == [2.0] * 4
    assert on.broken(np.full(4, 0.4)) is not None and on.broken(np.full(4, 0.5)) is None


def test_a_stock_written_as_the_sum_of_what_was_spent_is_the_same(search: Search) -> None:
    """A kernel over all earlier months is recognised as well as a row from month to month."""
    plain = [row for row in rows_of_channels() if row[2][0][0] not in STOCK]
    for c, t in np.ndindex(CHANNELS, MONTHS):
        kept = 0.12 * 0.4**t
        spent = [(int(SPEND[c, u]), -0.6 * 0.4 ** (t - u)) for u in range(t + 1)]
        plain.insert(0, (kept, kept, [(int(STOCK[c, t]), 1.0), *spent]))
    again, before = pieces(tied(plain)).chains[1], search.chains[1]
    assert again is not None and before is not None
    assert (again.keep, again.gain, again.opening) == pytest.approx(
        (before.keep, before.gain, before.opening)
    )


@pytest.mark.parametrize(
    ("low", "high", "terms"),
    [
        (-np.inf, 0.0, [(int(SPEND[1, 1]), 1.0), (int(STOCK[1, 1]), -3.0)]),
        (-np.inf, 0.0, [(int(SOLD[1, 0, 1]), 1.0), (int(SPEND[1, 1]), -1.0)]),
        (0.1, 0.4, [(int(SPEND[1, 2]), 1.0), (int(SPEND[1, 1]), -1.0)]),
        (0.0, 0.0, [(int(STOCK[1, 2]), 1.0), (int(SPEND[1, 3]), -1.0)]),
    ],
)
def test_what_is_none_is_not_taken_for_one(low: float, high: float, terms: list[tuple[int, float]]) -> None:
    """Rows about levels, about uses and decisions, steps that have to grow, and a level with two equations."""
    found = pieces(tied([*rows_of_channels(), (low, high, terms)])).chains
    assert found[1] is None and found[2] is not None


def test_curves_that_no_lattice_is_fine_enough_for_are_left_alone() -> None:
    """Nearly a step: the error of a lattice would be larger than the curve."""
    made = curve("hill", top=1.4, half=0.9, slope=200.0)
    assert pieces(tied(rows_of_channels(), made)).chains == [None] * CHANNELS


@pytest.mark.parametrize(("most", "is_chain"), [(1.4, True), (1.0, False)])
def test_outputs_may_be_bounded_where_their_curves_end(most: float, is_chain: bool) -> None:
    """A bound at the ceiling of a curve says nothing; one below it is a row of its own."""
    upper = np.concatenate([np.full(SIZE, 2.0), np.full(4 * SIZE, np.inf), [1.0]])
    upper[LEADS[1]] = most
    found = pieces(tied(rows_of_channels(), column_upper=upper)).chains
    assert (found[1] is not None) == is_chain and found[2] is not None


def on_rows(search: Search, number: int, point: FloatArray) -> bool:
    """Whether a point keeps the block's rows and lies at most on the true curves."""
    prepared, block = search.shared.prepared, search.part.blocks.whole[number]
    rows = block.rows[block.rows < prepared.program.num_rows]
    activity = (prepared.program.matrix @ point)[rows]
    keeps = (activity >= prepared.program.row_lower[rows] - 1e-9) & (
        activity <= prepared.program.row_upper[rows] + 1e-9
    )
    return bool(keeps.all() and (point[prepared.outputs] <= prepared.true_values(point) + 1e-9).all())


@pytest.mark.parametrize("price", [0.05, 0.3, 0.42, 0.6])
def test_answers_agree_with_those_of_the_program_with_whole_numbers(search: Search, price: float) -> None:
    """Neither bound is below the other's point; points keep rows and curves, and the bound is nearly reached."""
    prepared, part = search.shared.prepared, search.part
    with ThreadPoolExecutor(1) as pool:
        pricing = Pricing(search.shared, pool, part.blocks)
    known = Answers(prepared, part.blocks).in_region(part.region)
    prices = np.array([price])
    for number in (0, 1, 7):
        block = part.blocks.whole[number]
        program = block.priced(part.estimator.program, prices)
        objective = np.zeros(prepared.program.num_columns)
        own = block.columns < objective.size
        objective[block.columns[own]] = program.objective[own]
        answer = pricing.answer(part, number, prices, known, 1e-3)
        assert answer is not None and answer.true is not None and answer.estimated is None
        assert on_rows(search, number, answer.true)
        value = float(objective @ answer.true)
        assert value - 1e-9 <= answer.most <= value + 5e-3
        other = pricing._by_program(part, block, program, None, 1e-6)
        assert other is not None and other.true is not None
        assert float(objective @ other.true) - 1e-7 <= answer.most
        assert value <= other.most + 1e-7


def test_parts_of_a_region_bound_as_well_as_all_of_it(search: Search) -> None:
    """Cut at a decision, the better part has the whole's path, and neither is above the whole's bound."""
    chain, prepared = search.chains[1], search.shared.prepared
    assert chain is not None
    own = ChainSearch(prepared, chain)
    objective = prepared.program.objective.copy()
    objective[chain.decisions] -= 0.3 * prepared.scaling.columns[chain.decisions]
    column, place = int(SPEND[1, 2]), 0.5
    whole = search.part.region
    halves: list[Region] = [whole.column_to(column, place), whole.column_from(column, place)]
    found = own.best(objective, whole, -np.inf, 1e-4)
    parts = [own.best(objective, half, -np.inf, 1e-4) for half in halves]
    for half, one in zip(halves, parts, strict=True):
        assert one.decisions is not None
        at = own.point(objective, one)[column]
        assert half.lower[column] - 1e-9 <= at <= half.upper[column] + 1e-9
        assert one.most <= found.most + 1e-3
    assert max(one.most for one in parts) >= found.value - 1e-9
    assert max(one.value for one in parts) == pytest.approx(found.value, abs=1e-3)


def test_what_is_mixed_is_cut_where_mixing_gains(search: Search) -> None:
    """On and off are cut between the two; on the concave part of the curves mixing gains nothing."""
    chain, prepared = search.chains[1], search.shared.prepared
    assert chain is not None
    own, unit = ChainSearch(prepared, chain), prepared.scaling.columns

    def point(level: float) -> FloatArray:
        decisions = np.full(MONTHS, level)
        made = np.zeros(prepared.program.num_columns)
        made[chain.decisions], made[chain.levels] = decisions, chain.levels_at(decisions)
        return made / unit

    shares, worth = np.array([0.5, 0.5]), np.ones(MONTHS)
    cut = own.cut(worth, shares, np.array([point(0.0), point(0.8)]))
    assert cut is not None and cut.gain > 0.0 and cut.column in SPEND[1]
    assert 0.0 < cut.place * unit[cut.column] < 0.8
    assert own.cut(worth, shares, np.array([point(1.5), point(2.0)])) is None
