"""How a plan does when the world differs: kept as it is, or with the sellers reacting.

    kept:       0 <= sales <= planned sales, every decision as planned
    reacting:   sales and hours free, every decision as planned
    re-planned: everything free

Decisions are what the blocks of activities say (spend, starts, hires, resources bought). Everything else
follows from the changed world: stocks and responses on the true curves, leads, customers.

All three have the stages of the plan: its targets by priority, then money, and its must-rules as far as the
decisions allow (else they give way by the least sum of relative violations, so that there is always an
answer). What is possible grows from one to the next: in the order of the stages kept <= reacting <=
re-planned, and in money wherever the earlier stages come out alike. In its own world the plan is all three.
`way_of` is the world alone, without the planner's rules, for those who only ask what it allows.

Units: money is contribution, or revenue where no margin is known. Equal sellers are one group, as in the plan
itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from optimizer.model.blocks import ActivityBlock
from optimizer.model.compile import Model
from optimizer.model.cube import Cube
from optimizer.model.objective import PlanStage
from optimizer.model.past_run import PastPlan
from optimizer.model.tiers import ordered_tiers
from optimizer.result.evaluate import rule_outcomes, seller_context
from optimizer.result.solution import RuleOutcome, Solution, StageOutcome
from optimizer.result.split import plan_of_sellers
from optimizer.solving import solver_stage
from scenarios.world import follow_decisions, possible, with_wishes, without_rules
from solvers.curves import CurveTerm
from solvers.errors import ZeroDenominatorError
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
CHOOSING = ("nearness", "spread")
ROUNDING = 1e-6
"""A planned whole number may be so far below it."""


@dataclass(frozen=True)
class Planned(PastPlan):
    """The plan that is kept, by labels."""

    forced: frozenset[str] = frozenset()
    """Activities that happen as given, also in periods in which the plan would not allow them."""
    after: PastPlan | None = None
    """What it sells in run-out periods; None where that is not known, and then nothing bounds it."""

    def most(self, cube: Cube) -> FloatArray:
        """The most that each seat group sells when the plan is kept (P, T), run-out periods included."""
        found, planned = self.cells(cube), cube.num_planned
        known = () if self.after is None else self.after.periods
        if self.after is not None:
            found += self.after.cells(cube)
        unknown = [period not in known for period in cube.calendar.period[planned:]]
        found[:, planned:][:, unknown] = np.inf
        return found

    @classmethod
    def of(cls, solution: Solution) -> Planned:
        """The plan of a solution; raises `ValueError` when it holds none."""
        if solution.sales is None:
            raise ValueError("the solution holds no plan")
        cube, x = solution.sellers, solution.x
        blocks = [block for block in solution.activities.blocks.values() if is_kept(block)]
        sellers = tuple(cube.seat_names[seat] for seat in cube.pair_seat)
        markets = tuple(cube.markets.names[market] for market in cube.pair_market)
        decisions = {block.name: (block.row_names, block.values(x)) for block in blocks}
        after = None
        if solution.sales_after is not None:
            compiled = solution.model.cube
            behind = compiled.calendar.period[compiled.num_planned :]
            after = PastPlan(sellers, markets, behind, solution.sales_after, {})
        return cls(sellers, markets, cube.calendar.period, solution.sales, decisions, after=after)


@dataclass(frozen=True)
class Kept:
    """What a plan brings in a scenario, and how the planner's rules come out.

    `worth` is what it is compared by (`worth_of`), `money` the figure of the year, `shortfalls` the stages
    before money, `gave_way` the sum of relative violations of must-rules and limits that its decisions break.
    """

    worth: float | None = None
    money: float | None = None
    revenue: float | None = None
    rules_missed: int = 0
    targets_met: int = 0
    shortfalls: tuple[float, ...] = ()
    gave_way: float = 0.0
    reason: str = ""


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
        stages = [solver_stage(base, stage) for stage in stages_of_ways(base)]
        ways = {name: with_rules(way_of(planned, base, name), base) for name in WAYS}
        if starts is None:
            cold = SolveOptions(basis=True, threads=self._options.threads, seed=self._options.seed)
            starts = {
                name: () if way.curves else stage_starts(solve_stages(way.program, stages, cold))
                for name, way in ways.items()
            }
        self.starts = starts
        self._warm = {
            name: WarmStages(way.program, stages, starts[name], self._options) for name, way in ways.items()
        }

    def outcomes(self, model: Model, sellers: Cube) -> dict[str, Kept]:
        """`kept` and `reacting` in one scenario; `sellers` is its cube of single sellers."""
        return {name: self._outcome(model, sellers, name) for name in WAYS}

    def staged(self, model: Model, name: str) -> tuple[StagedResult, float]:
        """One way in one world, with `stages_of_ways`, and by how much its rules gave way in all.

        The result has the program that it is about. Raises like `solve_stages`.
        """
        way, warm = with_rules(way_of(self.planned, model, name), model), self._warm[name]
        stages = [solver_stage(model, stage) for stage in stages_of_ways(model)]
        result = warm.solve(way.program, stages, curves=way.curves)
        if result.x is None and result.termination.reason in (
            Reason.INFEASIBLE,
            Reason.INFEASIBLE_OR_UNBOUNDED,
        ):
            program, total = possible(way.program, self._options)
            return warm.solve(program, stages, curves=way.curves), total
        return result, 0.0

    def _outcome(self, model: Model, sellers: Cube, name: str) -> Kept:
        try:
            result, gave_way = self.staged(model, name)
        except ZeroDenominatorError as error:
            return Kept(reason=str(error))
        if result.x is None:
            return Kept(reason=str(result.termination.reason))
        stages = [
            StageOutcome(stage, outcome.value, outcome.result)
            for stage, outcome in zip(stages_of_ways(model), result.outcomes, strict=True)
        ]
        plan = plan_of_sellers(model.context.activities, seller_context(sellers).activities, result.x)
        outcomes, metrics = rule_outcomes(sellers, plan), model.context.metrics
        names = (money_metric(model), "revenue")
        money, revenue = (float(metrics.total(name).values(result.x)[0]) for name in names)
        return Kept(
            worth=worth_of(stages, money),
            money=money,
            revenue=revenue,
            rules_missed=sum(map(is_missed, outcomes)),
            targets_met=sum(one.kind == "target" and not is_missed(one) for one in outcomes),
            shortfalls=tuple(shortfalls_of(stages)),
            gave_way=gave_way,
            reason=str(result.termination.reason),
        )


def stages_of_ways(model: Model) -> list[PlanStage]:
    """The stages of a plan that is kept: its own without nearness and spreads behind money.

    These choose among plans of the same money; the tie-break at the end chooses too, so that which rules are
    missed does not depend on the solver.
    """
    money = max((at for at, stage in enumerate(model.stages) if stage.is_money), default=len(model.stages))
    return [stage for at, stage in enumerate(model.stages) if at <= money or stage.kind not in CHOOSING]


def is_missed(outcome: RuleOutcome) -> bool:
    """Whether a member of a rule lies outside its bounds."""
    return outcome.status in ("short", "over")


def worth_of(stages: Sequence[StageOutcome], money: float) -> float:
    """What plans of one world are compared by: the figure of their money stage, in currency.

    It counts what run-out periods bring and what missed rules with a penalty cost, which `money` of the year
    does not; where the plan maximises something else, `money` it is.
    """
    for one in stages:
        if one.stage.is_money and one.stage.maximize and one.value is not None:
            return one.value
    return money


def shortfalls_of(stages: Sequence[StageOutcome]) -> list[float]:
    """By how much the targets of each priority are missed, in shares of themselves."""
    return [one.value for one in stages if one.stage.kind == "shortfall" and one.value is not None]


def with_rules(way: Way, model: Model) -> Way:
    """A way in which the planner's rules bind where they are about anything that is still free."""
    program = with_wishes(way.program, model.program, model.cube.num_cells)
    integer = program.integer.copy()
    for block in model.context.activities.blocks.values():
        if is_kept(block):
            # What is fixed at whole numbers needs no search.
            integer[block.start : block.stop] = False
    return Way(program.replace(integer=integer), way.curves)


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
    _fill_tiers(model, lower, upper)
    fixed = world.replace(column_lower=lower, column_upper=upper)
    return Way(*follow_decisions(fixed, model.curves, cells))


def _fill_tiers(model: Model, lower: FloatArray, upper: FloatArray) -> None:
    """What is spent as planned fills the tiers of this world, from the lowest; changes bounds (n,) in
    place."""
    blocks, inputs = model.context.activities.blocks, model.cube.inputs
    if "tier" not in blocks or inputs.marketing is None or inputs.marketing.tiers is None:
        return
    spent = blocks["spend"].values(lower)
    spent = np.where(np.arange(spent.shape[1]) >= inputs.past, spent, 0.0)
    amounts = inputs.marketing.tiers.amounts(spent)
    columns = blocks["tier"].columns
    lower[columns] = upper[columns] = amounts
    if "reached" in blocks:
        own = ordered_tiers(model.cube, inputs.marketing.tiers)
        columns = blocks["reached"].columns
        lower[columns] = upper[columns] = amounts[own] > 0


def _most_sales(planned: Planned, model: Model, world: LinearProgram) -> FloatArray:
    """Planned sales as bounds of the cells (P * T,); of whole units the whole number."""
    cells = planned.most(model.cube).ravel()
    return np.where(world.integer[: cells.size], np.floor(cells + ROUNDING), cells)


def decisions_kept(planned: Planned, model: Model, x: FloatArray) -> Planned:
    """The plan with the decisions that stand in the columns x (n,) of a compiled plan."""
    blocks = [block for block in model.context.activities.blocks.values() if is_kept(block)]
    size = len(planned.periods)
    decisions = {block.name: (block.row_names, block.values(x)[:, :size]) for block in blocks}
    return replace(planned, decisions=decisions)


def money_metric(model: Model) -> str:
    """Contribution, or revenue where there are markets of which no margin is known."""
    known = model.cube.markets.knows_margin or not model.cube.num_pairs
    return "contribution" if known else "revenue"


def money_stage(model: Model) -> Stage:
    """Money of a compiled plan as a stage."""
    terms = model.context.metrics.total(money_metric(model))
    columns = model.program.num_columns
    return Stage("money", terms.dense(columns), maximize=True, offset=float(terms.constant[0]))


def is_kept(block: ActivityBlock) -> bool:
    """Whether the block's amounts stay as planned; sales are bounded by the plan instead."""
    return block.decision and block.name != SALES and block.stands_for is None
