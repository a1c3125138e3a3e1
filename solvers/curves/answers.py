"""Points of blocks on the true curves, and the master program that mixes them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from solvers.curves.blocks import Blocks
from solvers.curves.estimator import Estimator
from solvers.curves.inner import run
from solvers.curves.prepared import Prepared
from solvers.curves.region import Region
from solvers.curves.shared import Shared
from solvers.options import SolveOptions
from solvers.program import BoolArray, FloatArray, IntArray, LinearProgram
from solvers.result import Reason

_ROOM = 1e-7
_MIXED = 1e-4
_AT_THE_SIDE = 0.999


@dataclass(frozen=True)
class Chosen:
    """Points (p, n) of blocks in the prepared program: owner, what each takes of the coupling rows (rows, p),
    and what it is worth."""

    owner: IntArray
    effect: FloatArray
    worth: FloatArray
    points: FloatArray

    def best(self, prices: FloatArray, number: int) -> FloatArray | None:
        """The best point (n,) of one block at prices of the coupling rows; None where none is known."""
        mine = np.flatnonzero(self.owner == number)
        if not mine.size:
            return None
        best: FloatArray = self.points[mine[np.argmax(self.worth[mine] - prices @ self.effect[:, mine])]]
        return best


@dataclass(frozen=True)
class Mixed:
    """What the master program mixes: points of blocks with their shares (p), its objective, the prices of the
    coupling rows, the rest (n,) in the prepared program, and whether some price lies at a side of its box."""

    chosen: Chosen
    shares: FloatArray
    objective: float
    prices: FloatArray
    rest: FloatArray
    at_the_side: bool

    def of(self, number: int) -> tuple[FloatArray, FloatArray]:
        """Shares (p) and points (p, n) that are mixed of one block."""
        mine = np.flatnonzero((self.chosen.owner == number) & (self.shares > _MIXED))
        return self.shares[mine], self.chosen.points[mine]

    def mean(self) -> FloatArray:
        """The point (n,) that is mixed: where no curve gains by mixing, a plan as good as the objective."""
        mean: FloatArray = self.rest + self.shares @ self.chosen.points
        return mean


class Answers:
    """What blocks have answered to prices so far. Points are on the true curves where that was possible, so
    that they stay points of their block however the over-estimator is refined."""

    def __init__(self, prepared: Prepared, blocks: Blocks) -> None:
        """`blocks` of any over-estimator of the prepared program: their columns of that are the same."""
        size = prepared.program.num_columns
        self.columns = [block.columns[block.columns < size] for block in blocks.whole]
        self.curves = [np.flatnonzero(np.isin(prepared.inputs, columns)) for columns in self.columns]
        self._prepared = prepared
        self._coupled = sparse.csr_array(blocks.matrix[:, :size])
        self._points: list[list[FloatArray]] = [[] for _ in blocks.whole]

    def add(self, number: int, point: FloatArray) -> None:
        """A point (n,) of which the block's columns count; one that is known already is left out."""
        own = np.zeros_like(point)
        own[self.columns[number]] = point[self.columns[number]]
        if not any(np.abs(own - known).max() <= _ROOM for known in self._points[number]):
            self._points[number].append(own)

    def in_region(self, region: Region) -> Chosen:
        """The points that lie in a region."""
        owner = np.repeat(np.arange(len(self._points)), [len(known) for known in self._points])
        points = np.array([point for known in self._points for point in known])
        points = points.reshape(owner.size, self._prepared.program.num_columns)
        inside = np.zeros(owner.size, dtype=bool)
        for number in range(len(self._points)):
            mine = np.flatnonzero(owner == number)
            inside[mine] = self._inside(number, points[mine], region)
        points = points[inside]
        return Chosen(
            owner[inside], self._coupled @ points.T, points @ self._prepared.program.objective, points
        )

    def _inside(self, number: int, points: FloatArray, region: Region) -> BoolArray:
        # Only what a region cuts is asked: bounds that rows imply are of the program, not of its blocks.
        prepared, curves, own = self._prepared, self.curves[number], self.columns[number]
        at, of = points[:, prepared.inputs[curves]], points[:, own]
        program = prepared.program
        sides = (
            (at - region.low[curves], region.low[curves] > prepared.low[curves]),
            (region.high[curves] - at, region.high[curves] < prepared.high[curves]),
            (of - region.lower[own], region.lower[own] > program.column_lower[own]),
            (region.upper[own] - of, region.upper[own] < program.column_upper[own]),
        )
        inside = np.ones(points.shape[0], dtype=bool)
        for room, cut in sides:
            inside &= (room[:, cut] >= -_ROOM).all(axis=1)
        return inside


def mixed_of(
    shared: Shared,
    estimator: Estimator,
    blocks: Blocks,
    chosen: Chosen,
    box: tuple[FloatArray, FloatArray],
) -> Mixed | None:
    """What the master program makes of some points, with prices in a box; None where it is not solved."""
    low, high = (blocks.usable(estimator.program, side) for side in box)
    program = _master(estimator.program, blocks, chosen, (low, high))
    options = SolveOptions(time_limit=shared.plain().time_limit, interrupt=shared.stop)
    result = run(program, options, shared.solver)
    if result.termination.reason is not Reason.OPTIMAL or result.duals is None or result.x is None:
        return None
    count, points = blocks.rest.columns.size, chosen.owner.size
    prices = result.duals[: blocks.coupling.size]
    middle, reach = 0.5 * (low + high), 0.5 * (high - low)
    # A side that is there because a row has only one is none.
    bounded = (np.abs(prices) > 0) & (reach > 0)
    rest = np.zeros(estimator.program.num_columns)
    rest[blocks.rest.columns] = result.x[:count]
    return Mixed(
        chosen=chosen,
        shares=result.x[count : count + points],
        objective=result.objective,
        prices=prices,
        rest=rest[: shared.prepared.program.num_columns],
        at_the_side=bool((bounded & (np.abs(prices - middle) >= _AT_THE_SIDE * reach)).any()),
    )


def _master(
    program: LinearProgram, blocks: Blocks, chosen: Chosen, box: tuple[FloatArray, FloatArray]
) -> LinearProgram:
    """Shares of the blocks' points, the rest of the program as it is, and prices kept in a box.

        max  c x + sum_p worth_p share_p - high under + low over
        A x + sum_p effect_p share_p - under + over within the coupling rows,   sum of a block's shares = 1

    Columns: the rest, shares, under, over. Rows: the coupling ones, those of the rest, one a block.
    """
    rest, coupling = blocks.rest, blocks.coupling.size
    mixed, count = chosen.owner.size, len(blocks.whole)
    shares = sparse.csr_array((np.ones(mixed), (chosen.owner, np.arange(mixed))), shape=(count, mixed))
    eye = sparse.eye_array(coupling, format="csr")
    coupled = [rest.coupled, sparse.csr_array(chosen.effect), -eye, eye]
    matrix = sparse.block_array(
        [coupled, [rest.matrix, None, None, None], [None, shares, None, None]], format="csc"
    )
    rows = np.concatenate([blocks.coupling, rest.rows])
    added, (low, high) = mixed + 2 * coupling, box
    return replace(
        program,
        objective=np.concatenate([program.objective[rest.columns], chosen.worth, -high, low]),
        matrix=sparse.csc_array(matrix),
        row_lower=np.concatenate([program.row_lower[rows], np.ones(count)]),
        row_upper=np.concatenate([program.row_upper[rows], np.ones(count)]),
        column_lower=np.concatenate([program.column_lower[rest.columns], np.zeros(added)]),
        column_upper=np.concatenate([program.column_upper[rest.columns], np.full(added, np.inf)]),
        integer=np.zeros(rest.columns.size + added, dtype=bool),
        row_blocks=(),
        column_blocks=(),
    )
