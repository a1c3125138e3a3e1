"""How a plan does when the world differs: kept as it is, or with the sellers reacting.

    kept:      0 <= sales <= planned sales, every decision as planned, maximise money
    reacting:  sales and hours free, every decision as planned, maximise money

Decisions are what the blocks of activities say (spend, starts, hires, resources bought). Everything else
follows from the changed world: stocks and responses on the true curves, leads, customers. The planner's rules
are measured, not enforced, so that there is always an answer. Units: money is contribution, or revenue where
the plan knows no margin. Equal sellers are one group, as in the plan itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from optimizer.model.blocks import ActivityBlock
from optimizer.model.compile import Model
from optimizer.model.cube import Cube
from optimizer.model.past_run import PastPlan
from optimizer.result.evaluate import rule_outcomes, seller_context
from optimizer.result.solution import Solution
from optimizer.result.split import plan_of_sellers
from scenarios.world import follow_decisions, widened, without_rules
from solvers.curves import CurveTerm
from solvers.options import SolveOptions
from solvers.program import LinearProgram
from solvers.result import Reason
from solvers.stage import Stage
from solvers.staged import StagedResult, solve_stages
from solvers.warm import StageStart, WarmStages, stage_starts

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

SALES = "sales"
WAYS = ("kept", "reacting")
ROUNDING = 1e-6
"""A planned whole number may be so far below it."""


@dataclass(frozen=True)
class Planned(PastPlan):
    """The plan that is kept, by labels."""

    forced: frozenset[str] = frozenset()
    """Activities that happen as given, also in periods in which the plan would not allow them."""

    @classmethod
    def of(cls, solution: Solution) -> Planned:
        """The plan of a solution; raises `ValueError` when it holds none."""
        if solution.sales is None:
            raise ValueError("the solution holds no plan")
        cube, x = solution.sellers, solution.x
        blocks = [block for block in solution.activities.blocks.values() if is_kept(block)]
        return cls(
            sellers=tuple(cube.seat_names[seat] for seat in cube.pair_seat),
            markets=tuple(cube.markets.names[market] for market in cube.pair_market),
            periods=cube.calendar.period,
            sales=solution.sales,
            decisions={block.name: (block.row_names, block.values(x)) for block in blocks},
        )


@dataclass(frozen=True)
class Kept:
    """What a plan brings in a scenario: money, and how the planner's rules come out."""

    money: float | None
    revenue: float | None
    rules_missed: int
    reason: str


@dataclass(frozen=True)
class Way:
    """The program of one way in one world, and the curves whose input is not decided."""

    program: LinearProgram
    curves: tuple[CurveTerm, ...]


class KeptPlan:
    """One plan, ready to be tried in many scenarios; each is started from the plan's own world."""

    def __init__(
        self,
        planned: Planned,
        base: Model,
        starts: Mapping[str, Sequence[StageStart]] | None = None,
        options: SolveOptions | None = None,
    ) -> None:
        """`starts` come from the `starts` of an equal object; without them the base is solved here."""
        self.planned, self._options = planned, options or SolveOptions()
        money = money_stage(base)
        ways = {name: way_of(planned, base, name) for name in WAYS}
        if starts is None:
            cold = SolveOptions(basis=True, threads=self._options.threads, seed=self._options.seed)
            starts = {
                name: () if way.curves else stage_starts(solve_stages(way.program, [money], cold))
                for name, way in ways.items()
            }
        self.starts = starts
        self._warm = {
            name: WarmStages(way.program, [money], starts[name], self._options) for name, way in ways.items()
        }

    def outcomes(self, model: Model, sellers: Cube) -> dict[str, Kept]:
        """`kept` and `reacting` in one scenario; `sellers` is its cube of single sellers."""
        return {name: self._outcome(model, sellers, name) for name in WAYS}

    def staged(self, model: Model, name: str, later: Sequence[Stage] = ()) -> StagedResult:
        """One way in one world, money first; the result has the program that it is about."""
        return self._solved(self._warm[name], way_of(self.planned, model, name), [money_stage(model), *later])

    def _outcome(self, model: Model, sellers: Cube, name: str) -> Kept:
        money, result = money_stage(model), self.staged(model, name)
        if result.x is None:
            return Kept(None, None, 0, str(result.termination.reason))
        x = result.x
        plan = plan_of_sellers(model.context.activities, seller_context(sellers).activities, x)
        missed = [one for one in rule_outcomes(sellers, plan) if one.status in ("short", "over")]
        revenue = float(model.context.metrics.total("revenue").values(x)[0])
        return Kept(money.value(x), revenue, len(missed), str(result.termination.reason))

    def _solved(self, warm: WarmStages, way: Way, stages: Sequence[Stage]) -> StagedResult:
        """Money in one world; where the decisions do not fit into it, its limits give way as little as they
        must."""
        result = warm.solve(way.program, stages, curves=way.curves)
        if result.x is None and result.termination.reason in (
            Reason.INFEASIBLE,
            Reason.INFEASIBLE_OR_UNBOUNDED,
        ):
            possible = widened(way.program, self._options)
            return warm.solve(possible, stages, curves=way.curves)
        return result


def way_of(planned: Planned, model: Model, name: str) -> Way:
    """The world with the plan in it: decisions as planned, sales at most as planned when kept."""
    world = without_rules(model.program)
    lower, upper = world.column_lower.copy(), world.column_upper.copy()
    cells = model.cube.num_cells
    if name == "kept":
        upper[:cells] = np.minimum(upper[:cells], _most_sales(planned, model, world))
    for block in model.context.activities.blocks.values():
        if is_kept(block):
            part = slice(block.start, block.stop)
            asked = planned.amounts(model.cube, block).ravel()
            amount = asked if block.name in planned.forced else np.clip(asked, 0.0, upper[part])
            lower[part] = upper[part] = np.where(world.integer[part], np.round(amount), amount)
    fixed = world.replace(column_lower=lower, column_upper=upper)
    return Way(*follow_decisions(fixed, model.curves, cells))


def _most_sales(planned: Planned, model: Model, world: LinearProgram) -> FloatArray:
    """Planned sales as bounds of the cells (P * T,); of whole units the whole number."""
    cells = planned.cells(model.cube).ravel()
    whole = world.integer[: cells.size]
    return np.where(whole, np.floor(cells + ROUNDING), cells)


def decisions_kept(planned: Planned, model: Model, x: FloatArray) -> Planned:
    """The plan with the decisions that stand in the columns x (n,) of a compiled plan."""
    blocks = [block for block in model.context.activities.blocks.values() if is_kept(block)]
    size = len(planned.periods)
    decisions = {block.name: (block.row_names, block.values(x)[:, :size]) for block in blocks}
    return replace(planned, decisions=decisions)


def money_stage(model: Model) -> Stage:
    """Contribution of a compiled plan as a stage, or revenue where it knows no margin."""
    metric = "contribution" if model.cube.markets.knows_margin else "revenue"
    terms = model.context.metrics.total(metric)
    columns = model.program.num_columns
    return Stage("money", terms.dense(columns), maximize=True, offset=float(terms.constant[0]))


def is_kept(block: ActivityBlock) -> bool:
    """Whether the block's amounts stay as planned; sales are bounded by the plan instead."""
    return block.decision and block.name != SALES and block.stands_for is None
