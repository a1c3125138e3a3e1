"""Decisions under uncertainty: what is decided now for many futures, and sales and hours in each of them.

    now: spend, starts, hires, resources bought, under the rules about them (budgets)
    later: sales, hours, leads worked, and all that follows, as in *reacting*

Money is maximised: its mean, the mean of the worst part (CVaR), or a blend. Response curves stand under their
concave envelopes, so that a bound on money is one for the true curves; what a decision brings is measured on
the true curves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from optimizer.errors import InputError
from scenarios.kept import Planned, decisions_kept
from scenarios.risk.arrays import World
from scenarios.risk.futures import Future
from scenarios.risk.learned import NotLearnedError
from scenarios.risk.learning import Stratified
from scenarios.risk.riskfile import Draws, Risk
from scenarios.risk.worlds import OPEN, Worlds, decisions_of
from solvers.program import Block, LinearProgram
from solvers.stochastic.extensive import TwoStageResult
from solvers.stochastic.lshaped import DecompositionOptions, Report, solve_lshaped
from solvers.stochastic.measures import Blend
from solvers.stochastic.outofsample import GapInterval, gap_interval
from solvers.stochastic.planes import Plane
from solvers.stochastic.two_stage import TwoStage, split
from solvers.stochastic.worth import Worth, value_of, worth

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

FOLLOWING = (
    "stock",
    "response",
    "steps",
    "active",
    "working",
    "seat_heads",
    "seat_capacity",
    "seat_gain",
    "tier",
    "reached",
)
"""Blocks that decisions alone determine; they are decided with them, so that their rows bind once."""
GAP = 0.002
BLENDS = (0.0, 0.5, 1.0)
"""Weights of the worst part along the frontier."""


@dataclass(frozen=True)
class Choice:
    """A decision: the weight of the worst part that it is best for, and its proved gap."""

    weight: float
    planned: Planned
    result: TwoStageResult


class Deciding:
    """One plan whose decisions are open, in the futures of a risk file."""

    def __init__(self, risk: Risk, planned: Planned, draws: Draws) -> None:
        """Raises `InputError` where curves themselves are uncertain."""
        self.risk, self.planned, self.draws = risk, planned, draws
        held = {
            at: np.array([1.0 if one.action == "multiply" else 0.0])
            for at, one in enumerate(risk.variables)
            if one.action == "shift" or one.distribution.name == "discrete"
        }
        # Levels that may change rows and columns stay as planned: all futures have the same decisions.
        self._worlds = Worlds(risk, planned, OPEN, held)
        self.held = tuple(risk.variables[at].name for at in held)
        """Uncertain numbers that stay as planned here."""
        self.model = self._worlds.model
        self._learned = self._learn()

    def _learn(self) -> Stratified | None:
        try:
            return Stratified(self._worlds, self.draws)
        except NotLearnedError:
            if any(event.kind == "leaves" for event in self.risk.events):
                # Compiled futures in which somebody leaves have seats of their own.
                raise InputError("risk.decide_not_learned") from None
            return None

    def problem(self, draws: Draws, shares: FloatArray | None = None) -> TwoStage:
        """Two stages over these futures, with equal probabilities unless given."""
        return self._without_idle(self.stages([self.world(draws, row) for row in range(len(draws))], shares))

    def stages(self, worlds: Sequence[World], shares: FloatArray | None = None) -> TwoStage:
        """Two stages over these worlds; columns of now and later are those of `now` and the others."""
        count = len(worlds)
        programs = [self._with_curves(world.program) for world in worlds]
        probability = np.full(count, 1.0 / count) if shares is None else shares
        base = self._with_curves(self._worlds.base.program)
        return split(programs, probability, self.now, base)

    def world(self, draws: Draws, row: int) -> World:
        """One future with decisions open."""
        if self._learned is not None:
            return self._learned.world(draws, row)
        world = self._worlds.compiled(replace(Future.of(draws, row), amounts=self._worlds.levels))
        if not self._worlds.base.fits(world):
            raise InputError("risk.decide_not_learned")
        return world

    @cached_property
    def now(self) -> BoolArray:
        """Columns that are decided now, of the program with its curves."""
        program = self._with_curves(self._worlds.base.program)
        found = np.zeros(program.num_columns, dtype=np.bool_)
        found[: self.model.program.num_columns] = decisions_of(self.model)
        for block in (*self.model.program.column_blocks, Block("steps", len(self._curves[1]), len(found))):
            if block.name in FOLLOWING:
                found[block.start : block.stop] = True
        return found

    @cached_property
    def _curves(self) -> tuple[LinearProgram | None, FloatArray]:
        """The envelopes of the plan's own world as further rows and columns; the columns before them."""
        from solvers.curves import CurveProgram, envelope_program

        base, curves = self._worlds.base.program, self.model.curves
        before = np.zeros(base.num_columns)
        if not curves:
            return None, before
        return envelope_program(CurveProgram(base, curves)), before

    def _with_curves(self, program: LinearProgram) -> LinearProgram:
        """The program of a future with the rows of the envelopes."""
        lines, _ = self._curves
        if lines is None:
            return program
        added = lines.num_columns - program.num_columns
        wide = sparse.hstack([program.matrix, sparse.csc_array((program.num_rows, added))])
        tail = lines.matrix.tocsr()[program.num_rows :]
        return program.replace(
            objective=np.append(program.objective, np.zeros(added)),
            matrix=sparse.csc_array(sparse.vstack([wide, tail], format="csc")),
            row_lower=np.append(program.row_lower, lines.row_lower[program.num_rows :]),
            row_upper=np.append(program.row_upper, lines.row_upper[program.num_rows :]),
            column_lower=np.append(program.column_lower, lines.column_lower[program.num_columns :]),
            column_upper=np.append(program.column_upper, lines.column_upper[program.num_columns :]),
            integer=np.append(program.integer, np.zeros(added, dtype=np.bool_)),
            column_blocks=(),
            row_blocks=(),
        )

    @staticmethod
    def _without_idle(problem: TwoStage) -> TwoStage:
        """Later columns without rows and money play no part."""
        recourse = problem.futures[0].recourse
        used = np.zeros(recourse.num_columns, dtype=np.bool_)
        for future in problem.futures:
            used |= (np.diff(future.recourse.matrix.indptr) > 0) | (future.recourse.objective != 0.0)
        if used.all():
            return problem
        kept = np.flatnonzero(used)
        futures = tuple(
            replace(
                one,
                recourse=one.recourse.replace(
                    objective=one.recourse.objective[kept],
                    matrix=sparse.csc_array(one.recourse.matrix[:, kept]),
                    column_lower=one.recourse.column_lower[kept],
                    column_upper=one.recourse.column_upper[kept],
                    integer=one.recourse.integer[kept],
                ),
            )
            for one in problem.futures
        )
        return TwoStage(problem.first, futures)

    def decide(
        self,
        problem: TwoStage,
        weight: float = 0.0,
        options: DecompositionOptions | None = None,
        planes: tuple[Plane, ...] = (),
    ) -> Choice:
        """The best for (1 - weight) mean + weight worst part; raises `InputError` where there is none."""
        blend = Blend(1.0 - weight, weight, 1.0 - float(self.risk.spec.worst))
        result = solve_lshaped(
            problem, blend, replace(options or DecompositionOptions(gap=GAP), planes=planes)
        )
        if result.x is None:
            raise InputError("risk.decide_nothing", reason=str(result.termination.reason))
        return Choice(weight, self.carried(result.x), result)

    def frontier(
        self,
        problem: TwoStage,
        weights: Sequence[float] = BLENDS,
        workers: int = 1,
        report: Report | None = None,
    ) -> list[Choice]:
        """A decision for each weight; planes of one serve the next."""
        found: list[Choice] = []
        planes: tuple[Plane, ...] = ()
        for weight in weights:
            start = found[-1].result.x if found else None
            options = DecompositionOptions(gap=GAP, workers=workers, start=start, report=report)
            found.append(self.decide(problem, weight, options, planes))
            planes = found[-1].result.planes
        return found

    def out_of_sample(
        self, choice: Choice, batches: int = 4, size: int | None = None, workers: int = 1
    ) -> GapInterval:
        """How far the decision may be from the best for the mean, on fresh samples; a loss is money not made.

        Each batch compares what the decision brings with what is proved possible on the same futures, so that
        the gap is never too small. Source: Mak, Morton & Wood 1999.
        """
        gaps = []
        for batch in range(1, batches + 1):
            problem = self.problem(self.risk.draws(size or len(self.draws), fresh=batch))
            best = self.decide(problem, 0.0, DecompositionOptions(gap=GAP, workers=workers)).result
            value = None if choice.result.x is None else value_of(problem, choice.result.x, solve_lshaped)
            if value is None or best.bound is None:
                raise InputError("risk.decide_nothing", reason="fresh futures")
            gaps.append(best.bound - value)
        return gap_interval(gaps)

    def carried(self, x: FloatArray) -> Planned:
        """The plan with these decisions in the place of its own."""
        whole = np.zeros(self.model.program.num_columns)
        place = np.flatnonzero(self.now)
        inside = place < len(whole)
        whole[place[inside]] = x[inside]
        return decisions_kept(self.planned, self.model, whole)

    def worth(
        self,
        problem: TwoStage,
        options: DecompositionOptions | None = None,
        together: TwoStageResult | None = None,
    ) -> Worth:
        """RP (`together` where it is known), WS, EV and EEV: what knowing and planning for many are worth."""
        chosen = options or DecompositionOptions(gap=GAP)

        def solve(one: TwoStage) -> TwoStageResult:
            return solve_lshaped(one, None, chosen)

        return worth(problem, solve, together)
