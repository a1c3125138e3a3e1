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
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from optimizer.model.blocks import ActivityBlock
from optimizer.model.compile import Model
from optimizer.model.cube import Cube
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
class Planned:
    """The plan that is kept, by labels: sales (P, T) by seller and market, decisions by their rows."""

    sellers: tuple[str, ...]
    markets: tuple[str, ...]
    periods: tuple[str, ...]
    sales: FloatArray
    decisions: Mapping[str, tuple[tuple[str, ...], FloatArray]]
    """Activity -> label of each row, and its amounts (rows, T)."""

    @classmethod
    def of(cls, solution: Solution) -> Planned:
        """The plan of a solution; raises `ValueError` when it holds none."""
        if solution.sales is None:
            raise ValueError("the solution holds no plan")
        cube, x = solution.sellers, solution.x
        blocks = [block for block in solution.activities.blocks.values() if _is_kept(block)]
        return cls(
            sellers=tuple(cube.seat_names[seat] for seat in cube.pair_seat),
            markets=tuple(cube.markets.names[market] for market in cube.pair_market),
            periods=cube.calendar.period,
            sales=solution.sales,
            decisions={block.name: (_row_names(block), block.values(x)) for block in blocks},
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

    def _outcome(self, model: Model, sellers: Cube, name: str) -> Kept:
        money = money_stage(model)
        result = self._solved(self._warm[name], way_of(self.planned, model, name), money)
        if result.x is None:
            return Kept(None, None, 0, str(result.termination.reason))
        x = result.x
        plan = plan_of_sellers(model.context.activities, seller_context(sellers).activities, x)
        missed = [one for one in rule_outcomes(sellers, plan) if one.status in ("short", "over")]
        revenue = float(model.context.metrics.total("revenue").values(x)[0])
        return Kept(money.value(x), revenue, len(missed), str(result.termination.reason))

    def _solved(self, warm: WarmStages, way: Way, money: Stage) -> StagedResult:
        """Money in one world; where the decisions do not fit into it, its limits give way as little as they
        must."""
        result = warm.solve(way.program, [money], curves=way.curves)
        if result.x is None and result.termination.reason in (
            Reason.INFEASIBLE,
            Reason.INFEASIBLE_OR_UNBOUNDED,
        ):
            possible = widened(way.program, self._options)
            return warm.solve(possible, [money], curves=way.curves)
        return result


def way_of(planned: Planned, model: Model, name: str) -> Way:
    """The world with the plan in it: decisions as planned, sales at most as planned when kept."""
    world = without_rules(model.program)
    lower, upper = world.column_lower.copy(), world.column_upper.copy()
    cells = model.cube.num_cells
    if name == "kept":
        upper[:cells] = np.minimum(upper[:cells], _most_sales(planned, model, world))
    for block in model.context.activities.blocks.values():
        if _is_kept(block):
            part = slice(block.start, block.stop)
            asked = _planned_rows(planned, model.cube, block).ravel()
            amount = np.clip(asked, 0.0, upper[part])
            lower[part] = upper[part] = np.where(world.integer[part], np.round(amount), amount)
    fixed = world.replace(column_lower=lower, column_upper=upper)
    return Way(*follow_decisions(fixed, model.curves, cells))


def _most_sales(planned: Planned, model: Model, world: LinearProgram) -> FloatArray:
    """Planned sales as bounds of the cells (P * T,); of whole units the whole number."""
    cells = _planned_cells(planned, model.cube).ravel()
    whole = world.integer[: cells.size]
    return np.where(whole, np.floor(cells + ROUNDING), cells)


def _planned_cells(planned: Planned, cube: Cube) -> FloatArray:
    """Planned sales of each seat group (P, T): the sum over its sellers; 0 for what was not planned."""
    names = cube.inputs.selling.sellers.names
    group = {name: int(cube.groups.group[seller]) for seller, name in enumerate(names)}
    market = {name: position for position, name in enumerate(cube.markets.names)}
    seat = np.array([group.get(name, -1) for name in planned.sellers], dtype=np.int64)
    row = np.array([market.get(name, -1) for name in planned.markets], dtype=np.int64)
    cells = np.zeros((cube.num_pairs, cube.num_periods))
    if not cube.num_pairs:
        return cells
    count = len(cube.markets.names)
    pair_key = cube.pair_seat * count + cube.pair_market
    order = np.argsort(pair_key)
    key = np.where((seat >= 0) & (row >= 0), seat * count + row, -1)
    slot = np.minimum(np.searchsorted(pair_key[order], key), len(order) - 1)
    found = np.flatnonzero((key >= 0) & (pair_key[order[slot]] == key))
    own, theirs = _shared(cube.calendar.period, planned.periods)
    np.add.at(cells, np.ix_(order[slot[found]], own), planned.sales[np.ix_(found, theirs)])
    return cells


def _planned_rows(planned: Planned, cube: Cube, block: ActivityBlock) -> FloatArray:
    """Planned amounts of a decision under the scenario's rows and periods; 0 for new rows."""
    nothing: tuple[tuple[str, ...], FloatArray] = ((), np.zeros((0, len(planned.periods))))
    names, amounts = planned.decisions.get(block.name, nothing)
    found = np.zeros((block.num_rows, block.num_periods))
    own, theirs = _shared(cube.calendar.period[: block.num_periods], planned.periods)
    rows, source = _shared(_row_names(block), names)
    found[np.ix_(rows, own)] = amounts[np.ix_(source, theirs)]
    return found


def money_stage(model: Model) -> Stage:
    """Contribution of a compiled plan as a stage, or revenue where it knows no margin."""
    metric = "contribution" if model.cube.markets.knows_margin else "revenue"
    terms = model.context.metrics.total(metric)
    columns = model.program.num_columns
    return Stage("money", terms.dense(columns), maximize=True, offset=float(terms.constant[0]))


def _is_kept(block: ActivityBlock) -> bool:
    """Whether the block's amounts stay as planned; sales are bounded by the plan instead."""
    return block.decision and block.name != SALES and block.stands_for is None


def _row_names(block: ActivityBlock) -> tuple[str, ...]:
    columns = [[str(label) for label in labels] for labels in block.labels.values()]
    return tuple(" / ".join(parts) for parts in zip(*columns, strict=True))


def _shared(names: Sequence[str], others: Sequence[str]) -> tuple[IntArray, IntArray]:
    """Positions of the names that both have, in the one and in the other."""
    position = {name: at for at, name in enumerate(others)}
    pairs = [(at, position[name]) for at, name in enumerate(names) if name in position]
    both = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    return both[:, 0], both[:, 1]
