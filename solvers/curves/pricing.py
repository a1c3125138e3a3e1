"""What the blocks of an over-estimator make at most at prices of the rows that couple them.

Blocks that are chains are answered on their true curves (`paths.py`), all others as programs with whole
numbers on the over-estimator.
"""

from __future__ import annotations

from concurrent.futures import Executor
from dataclasses import dataclass, replace

import numpy as np

from solvers.curves.answers import Chosen
from solvers.curves.blocks import Block, Blocks
from solvers.curves.chains import find_chain
from solvers.curves.estimator import Estimator
from solvers.curves.inner import run
from solvers.curves.paths import ChainSearch
from solvers.curves.region import Region
from solvers.curves.shared import Shared
from solvers.curves.tuning import SMALL
from solvers.program import BoolArray, FloatArray, LinearProgram
from solvers.result import Reason, SolveResult

_ENOUGH, _HOPELESS = 20.0, 200.0
"""A chain that misses so many times what it may is solved as a program, too, or only so from then on."""


@dataclass(frozen=True)
class Answer:
    """What no point of a block exceeds; with that, where one was found, its answer (n,) in the prepared
    program, on the over-estimator and on the true curves."""

    most: float
    estimated: FloatArray | None = None
    true: FloatArray | None = None


@dataclass(frozen=True)
class Priced:
    """Usable prices, what rows and the rest make of them at most, and each block's answer."""

    prices: FloatArray
    outside: float
    answers: list[Answer]

    @property
    def bound(self) -> float:
        """No point of the program is better."""
        return self.outside + sum(answer.most for answer in self.answers)

    def replaced(self, number: int, answer: Answer) -> Priced:
        """The same with another answer of one block."""
        return replace(self, answers=[*self.answers[:number], answer, *self.answers[number + 1 :]])


@dataclass(frozen=True)
class Part:
    """A region, the over-estimator in it, and the blocks of that."""

    region: Region
    estimator: Estimator
    blocks: Blocks


class Pricing:
    """Solves blocks, several at once."""

    def __init__(self, shared: Shared, pool: Executor, blocks: Blocks) -> None:
        """The pool's workers solve a block each; `blocks` of any over-estimator of the prepared program."""
        self._shared, self._pool = shared, pool
        self._raw = SMALL.get(shared.solver, {})
        chains = [find_chain(shared.prepared, block) for block in blocks.whole]
        self._chains: list[ChainSearch | None] = [
            None if one is None else ChainSearch(shared.prepared, one) for one in chains
        ]

    def chain(self, number: int) -> ChainSearch | None:
        """The search of a block whose answers come from its true curves."""
        return self._chains[number]

    def bound(self, part: Part, prices: FloatArray, known: Chosen, miss: float) -> Priced | None:
        """The bound of prices of the coupling rows; None where a block is not solved.

        bound(y) = y b + most of the rest + sum of the most of the blocks, each for (c - y A) x. All blocks
        together are solved to `miss`, each from the best of its `known` points.
        """
        program, blocks = part.estimator.program, part.blocks
        prices = blocks.usable(program, prices)
        lower, upper = program.row_lower[blocks.coupling], program.row_upper[blocks.coupling]
        side = np.where(prices > 0, upper, np.where(prices < 0, lower, 0.0))
        rest = self._pool.submit(self._most, blocks.rest.priced(program, prices), miss)
        order = self._hardest_first(program, blocks)
        work = {number: self._pool.submit(self.answer, part, number, prices, known, miss) for number in order}
        answers = [work[number].result() for number in range(len(blocks.whole))]
        most = _proved(rest.result())
        found = [answer for answer in answers if answer is not None]
        if most is None or len(found) < len(answers):
            return None
        return Priced(prices, float(prices @ side) + most, found)

    def _hardest_first(self, program: LinearProgram, blocks: Blocks) -> list[int]:
        # So that the workers end together; chains need hardly any time.
        free = program.integer & (program.column_upper > program.column_lower)
        weight = [int(free[block.columns].sum()) for block in blocks.whole]
        return sorted(range(len(blocks.whole)), key=lambda one: (self.chain(one) is not None, -weight[one]))

    def answer(
        self, part: Part, number: int, prices: FloatArray, known: Chosen, miss: float
    ) -> Answer | None:
        """One block's answer to prices; None where it is not solved. Arguments are those of `bound`."""
        block, search = part.blocks.whole[number], self._chains[number]
        program, start = block.priced(part.estimator.program, prices), known.best(prices, number)
        # Most blocks are solved exactly at once, so that the few hard ones may have more than their share.
        each = miss / float(np.sqrt(len(part.blocks.whole)))
        if search is None:
            return self._by_program(part, block, program, start, each)
        objective, _ = self._on_columns(block, program.objective)
        reached = -np.inf if start is None else float(objective @ start)
        found = search.best(objective, part.region, reached, each)
        point = None if found.decisions is None else search.point(objective, found)
        missed = found.most - max(found.value, reached)
        if missed <= _ENOUGH * each:
            return Answer(found.most, None, point)
        if missed > _HOPELESS * each:
            # What bounds may miss gets less, so the lattices of this one are not fine enough from now on.
            self._chains[number] = None
        answer = self._by_program(part, block, program, start, each)
        return None if answer is None else replace(answer, most=min(answer.most, found.most))

    def _by_program(
        self, part: Part, block: Block, program: LinearProgram, start: FloatArray | None, miss: float
    ) -> Answer | None:
        lifted = None
        if start is not None:
            lifted = part.estimator.lift(self._shared.prepared, start)[block.columns]
        result = self._most(program, miss, lifted)
        if result.termination.reason is Reason.INFEASIBLE:
            return Answer(-np.inf)
        most = _proved(result)
        if most is None or result.x is None:
            return None
        point, own = self._on_columns(block, result.x)
        return Answer(most, point, self._on_curves(block, point, program.objective[own]))

    def _on_columns(self, block: Block, figures: FloatArray) -> tuple[FloatArray, BoolArray]:
        # Figures of a block's columns as those (n,) of the prepared program, and which of them these are.
        size = self._shared.prepared.program.num_columns
        own = block.columns < size
        spread = np.zeros(size)
        spread[block.columns[own]] = figures[own]
        return spread, own

    def _most(self, program: LinearProgram, miss: float, start: FloatArray | None = None) -> SolveResult:
        shared = self._shared
        if not program.is_mip:
            return run(program, shared.plain(), shared.solver)
        options = shared.plain(0.0)
        raw = {**self._raw, "mip_abs_gap": miss} if self._raw else {}
        return run(program, replace(options, raw={**raw, **options.raw}, start_values=start), shared.solver)

    def _on_curves(self, block: Block, point: FloatArray, objective: FloatArray) -> FloatArray:
        """A block's point (n,) with its outputs on the true curves and everything else at its best for the
        inputs, by an objective over its columns of the prepared program; the point as it is where that does
        not go."""
        prepared, base = self._shared.prepared, self._shared.prepared.program
        columns = block.columns[block.columns < base.num_columns]
        lower, upper = base.column_lower.copy(), base.column_upper.copy()
        upright = prepared.sign > 0
        outputs, true = prepared.outputs[upright], prepared.true_values(point)[upright]
        upper[outputs] = np.minimum(upper[outputs], true)
        lower[outputs] = np.where(prepared.equal[upright], upper[outputs], lower[outputs])
        for fixed in (prepared.inputs, np.flatnonzero(base.integer)):
            lower[fixed] = upper[fixed] = point[fixed]
        rows = block.rows[block.rows < base.num_rows]
        part = base.replace(
            objective=objective,
            matrix=base.matrix[rows][:, columns],
            row_lower=base.row_lower[rows],
            row_upper=base.row_upper[rows],
            column_lower=lower[columns],
            column_upper=np.maximum(lower, upper)[columns],
            integer=np.zeros(columns.size, dtype=bool),
        )
        result = run(part, self._shared.plain(), self._shared.solver)
        if result.x is None:
            return point
        on_curves = point.copy()
        on_curves[columns] = result.x
        return on_curves


def _proved(result: SolveResult) -> float | None:
    # What no point exceeds.
    if result.bound is not None:
        return result.bound
    optimal = result.termination.reason is Reason.OPTIMAL and result.duals is not None
    return result.objective if optimal else None
