"""The worlds in which a plan is tried: every future compiled as arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from optimizer.errors import InputError
from optimizer.model.compile import FAMILIES, Model, compile_plan
from optimizer.plan.inputs import Inputs
from scenarios.kept import Planned, is_kept, money_stage, way_of
from scenarios.risk.arrays import World
from scenarios.risk.futures import Future, Futures
from scenarios.risk.measures import measures_of
from scenarios.risk.riskfile import Risk
from scenarios.risk.slips import delays_of, slipped
from scenarios.world import WISHES
from solvers.program import Block, LinearProgram

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

OPEN = "open"
"""The way in which decisions are open: what two stages are made of."""
_TIE = 1e-7


class Worlds:
    """The futures of one plan, tried in one way (kept, reacting)."""

    def __init__(
        self, risk: Risk, planned: Planned, way: str, levels: Mapping[int, FloatArray] | None = None
    ) -> None:
        """`levels` holds some variables at amounts of their own; the base is then the world with these."""
        self.risk, self.planned, self.way = risk, planned, way
        self.futures, self.levels = Futures(risk), dict(levels or {})

    @cached_property
    def inputs(self) -> Inputs:
        """The base with every blank filled."""
        return self.futures.inputs(Future.with_one(self.risk, self.levels))

    @cached_property
    def model(self) -> Model:
        """The base, compiled."""
        return compile_plan(self.inputs)

    def model_of(self, future: Future) -> Model:
        """The plan of a future, compiled; raises `InputError` where its numbers make no plan."""
        return self.futures.model(future)

    def compiled(self, future: Future) -> World:
        """A future compiled in full; raises like `model_of`."""
        return self.world_of(self.model_of(future), future)

    def world_of(self, model: Model, future: Future) -> World:
        """A compiled plan as the world of a future."""
        found = self._program(model, future)
        money = money_stage(model)
        # What brings the same money is told apart as in the plan itself, by the weights of its own world.
        same = model is not self.model and _shape(model) == _shape(self.model)
        ties = self._ties if same else _ties_of(model)
        program = found.replace(objective=money.objective, maximize=True, offset=money.offset)
        delays = delays_of(self.risk.events, future.outcomes)
        if delays:
            program = slipped(program, model, delays)
        return World(program, measures_of(model, self.risk.further), ties)

    def _program(self, model: Model, future: Future) -> LinearProgram:
        """The rows of the world: with the plan in it, or with decisions open under the rules about them."""
        if self.way == OPEN:
            return without_rows(model.program, ~(world_rows(model.program) | rules_of_decisions(model)))
        found = way_of(self.futures.planned(self.planned, future), model, self.way)
        if found.curves:
            raise InputError("risk.curves_left")
        return without_rows(found.program, ~world_rows(found.program))

    @cached_property
    def _ties(self) -> FloatArray:
        return _ties_of(self.model)

    @cached_property
    def base(self) -> World:
        """The plan's own world, with the levels."""
        return self.world_of(self.model, Future.with_one(self.risk))


def _shape(model: Model) -> tuple[Block, ...]:
    """Blocks of columns: where these are equal, so is what each column means."""
    return tuple(replace(block, labels=None) for block in model.program.column_blocks)


def _ties_of(model: Model) -> FloatArray:
    """The tie-break of the plan's last stage, for a ten-millionth of the revenue within reach (n,)."""
    reach = float(np.abs(model.context.magnitude(model.context.metrics.total("revenue"))[0]))
    return _TIE * reach * model.stages[-1].terms.dense(model.program.num_columns)


def world_rows(program: LinearProgram) -> BoolArray:
    """Which rows say what the world allows (m,): neither what the planner wants, nor what stages measure."""
    found = np.zeros(program.num_rows, dtype=np.bool_)
    for block in program.row_blocks:
        found[block.start : block.stop] = block.name in FAMILIES and block.name not in WISHES
    return found


def rules_of_decisions(model: Model) -> BoolArray:
    """The rules about decisions alone (m,), such as budgets of spend, which bind whatever the future."""
    program, decided = model.program, decisions_of(model)
    others = sparse.csr_array(program.matrix != 0).astype(np.int64) @ (~decided).astype(np.int64)
    found = np.zeros(program.num_rows, dtype=np.bool_)
    for block in program.row_blocks:
        found[block.start : block.stop] = block.name == "rules"
    return np.asarray(found & (others == 0), dtype=np.bool_)


def decisions_of(model: Model) -> BoolArray:
    """The columns that are decided now (n,): spend, starts, hires, resources bought; not sales."""
    found = np.zeros(model.program.num_columns, dtype=np.bool_)
    for block in model.context.activities.blocks.values():
        if is_kept(block):
            found[block.start : block.stop] = True
    return found


def without_rows(program: LinearProgram, gone: BoolArray) -> LinearProgram:
    """The program without some rows; its blocks shrink."""
    kept, blocks, first = ~gone, [], 0
    for block in program.row_blocks:
        size = int(kept[block.start : block.stop].sum())
        if size:
            blocks.append(Block(block.name, first, first + size))
        first += size
    return program.replace(
        matrix=sparse.csc_array(program.matrix.tocsr()[np.flatnonzero(kept)].tocsc()),
        row_lower=program.row_lower[kept],
        row_upper=program.row_upper[kept],
        row_blocks=tuple(blocks),
    )
