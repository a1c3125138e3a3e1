"""How a plan does when the world differs: kept as it is, or with the sellers reacting.

    kept:      0 <= sales <= planned sales, every other activity as planned, maximise money
    reacting:  sales and hours free, every other activity as planned, maximise money

In both the planner's rules are measured, not enforced, so that there is always an answer. Units: money is
contribution, or revenue where the plan knows no margin.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from optimizer.model.activities import add_activities
from optimizer.model.blocks import ActivityBlock
from optimizer.model.builder import ProgramBuilder
from optimizer.model.compile import FAMILIES, Family, make_context
from optimizer.model.context import Context
from optimizer.model.cube import Cube, make_cube, split_by_seller
from optimizer.model.personal import personal_terms, rule_columns, told_by_seller
from optimizer.model.seats import group_sellers
from optimizer.plan.inputs import Inputs
from optimizer.result.evaluate import others_of, rule_outcomes
from optimizer.result.solution import Solution
from solvers.options import SolveOptions
from solvers.program import LinearProgram
from solvers.staged import Stage, solve_stages
from solvers.warm import StageStart, WarmStages, stage_starts

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

SALES = "sales"
RULES = ("rules", "balance", "stay_near")
"""Families that say what the planner wants; all others say what the world allows."""
WORLD: dict[str, Family] = {name: family for name, family in FAMILIES.items() if name not in RULES}


@dataclass(frozen=True)
class Planned:
    """The plan that is kept, by labels: sales (P, T) by seller and market, other activities by their rows."""

    sellers: tuple[str, ...]
    markets: tuple[str, ...]
    periods: tuple[str, ...]
    sales: FloatArray
    others: Mapping[str, tuple[tuple[str, ...], FloatArray]]
    """Activity -> label of each row, and its amounts (rows, T)."""

    @classmethod
    def of(cls, solution: Solution) -> Planned:
        """The plan of a solution; raises `ValueError` when it holds none."""
        if solution.sales is None:
            raise ValueError("the solution holds no plan")
        cube, x = solution.sellers, solution.x
        blocks = {name: block for name, block in solution.activities.blocks.items() if name != SALES}
        return cls(
            sellers=tuple(cube.seat_names[seat] for seat in cube.pair_seat),
            markets=tuple(cube.markets.names[market] for market in cube.pair_market),
            periods=cube.calendar.period,
            sales=solution.sales,
            others={name: (_row_names(block), block.values(x)) for name, block in blocks.items()},
        )


@dataclass(frozen=True)
class Kept:
    """What a plan brings in a scenario: money, and how the planner's rules come out."""

    money: float | None
    revenue: float | None
    rules_missed: int
    reason: str


@dataclass(frozen=True)
class World:
    """What a scenario allows, without the planner's rules: a program that maximises money."""

    context: Context
    program: LinearProgram
    stage: Stage

    @property
    def cube(self) -> Cube:
        """The cube of seat groups."""
        return self.context.cube


def world_of(inputs: Inputs) -> World:
    """Compile what a plan's tables allow; equal sellers are one group as in the plan itself."""
    groups = group_sellers(
        inputs, rule_columns(inputs.plan), personal_terms(inputs), apart=told_by_seller(inputs)
    )
    builder = ProgramBuilder()
    context = make_context(builder, add_activities(builder, make_cube(inputs, groups)))
    for family in WORLD.values():
        family(context)
    metric = "contribution" if context.cube.markets.knows_margin else "revenue"
    terms = context.metrics.total(metric)
    program = builder.build()
    stage = Stage("money", terms.dense(program.num_columns), maximize=True, offset=float(terms.constant[0]))
    return World(context, program, stage)


class KeptPlan:
    """One plan, ready to be tried in many scenarios; each is started from the plan's own world."""

    def __init__(
        self,
        planned: Planned,
        base: Inputs,
        starts: Mapping[str, Sequence[StageStart]] | None = None,
        options: SolveOptions | None = None,
    ) -> None:
        """`starts` come from the `starts` of an equal object; without them the base is solved here."""
        self.planned, self._options = planned, options or SolveOptions()
        world = world_of(base)
        programs = {name: self._program(world, name) for name in ("kept", "reacting")}
        if starts is None:
            cold = SolveOptions(basis=True, threads=self._options.threads, seed=self._options.seed)
            starts = {
                name: stage_starts(solve_stages(program, [world.stage], cold))
                for name, program in programs.items()
            }
        self.starts = starts
        self._warm = {
            name: WarmStages(program, [world.stage], starts[name], self._options)
            for name, program in programs.items()
        }

    def outcomes(self, inputs: Inputs, sellers: Cube) -> dict[str, Kept]:
        """`kept` and `reacting` in one scenario; `sellers` is its cube of single sellers."""
        world = world_of(inputs)
        return {name: self._outcome(world, sellers, name) for name in ("kept", "reacting")}

    def _outcome(self, world: World, sellers: Cube, name: str) -> Kept:
        result = self._warm[name].solve(self._program(world, name), [world.stage])
        if result.x is None:
            return Kept(None, None, 0, str(result.termination.reason))
        cube, x = world.cube, result.x
        cells = np.maximum(x[: cube.num_cells], 0.0).reshape(cube.num_pairs, cube.num_periods)
        sales = split_by_seller(cube, sellers, cells)
        activities = world.context.activities
        extra = x[activities.extra_start : activities.num_columns] if activities.extra_start else np.zeros(0)
        plan = np.concatenate([sales.ravel(), others_of(activities, sellers, x), extra])
        missed = [one for one in rule_outcomes(sellers, plan) if one.status in ("short", "over")]
        revenue = float(world.context.metrics.total("revenue").values(x)[0])
        return Kept(world.stage.value(x), revenue, len(missed), str(result.termination.reason))

    def _program(self, world: World, name: str) -> LinearProgram:
        """The world with the plan in it: extra resources as planned, sales at most as planned when kept."""
        lower, upper = world.program.column_lower.copy(), world.program.column_upper.copy()
        cells = world.cube.num_cells
        if name == "kept":
            upper[:cells] = np.minimum(upper[:cells], self._planned_cells(world).ravel())
        for block in world.context.activities.blocks.values():
            own = block.pair is None and block.stands_for is None
            if own and block.name != SALES and block.name not in world.context.activities.facts:
                fixed = np.clip(
                    self._planned_rows(world, block).ravel(), 0.0, upper[block.start : block.stop]
                )
                lower[block.start : block.stop] = upper[block.start : block.stop] = fixed
        return _always_possible(world.program.replace(column_lower=lower, column_upper=upper), cells)

    def _planned_cells(self, world: World) -> FloatArray:
        """Planned sales of each seat group (P, T): the sum over its sellers; 0 for what was not planned."""
        cube, planned = world.cube, self.planned
        names = cube.inputs.selling.sellers.names
        group = {name: int(cube.groups.group[seller]) for seller, name in enumerate(names)}
        market = {name: position for position, name in enumerate(cube.markets.names)}
        seat = np.array([group.get(name, -1) for name in planned.sellers], dtype=np.int64)
        row = np.array([market.get(name, -1) for name in planned.markets], dtype=np.int64)
        count = len(cube.markets.names)
        pair_key = cube.pair_seat * count + cube.pair_market
        order = np.argsort(pair_key)
        key = np.where((seat >= 0) & (row >= 0), seat * count + row, -1)
        slot = np.minimum(np.searchsorted(pair_key[order], key), max(len(order) - 1, 0))
        found = np.flatnonzero((key >= 0) & (pair_key[order[slot]] == key))
        cells = np.zeros((cube.num_pairs, cube.num_periods))
        own, theirs = _shared(cube.calendar.period, planned.periods)
        np.add.at(cells, np.ix_(order[slot[found]], own), planned.sales[np.ix_(found, theirs)])
        return cells

    def _planned_rows(self, world: World, block: ActivityBlock) -> FloatArray:
        """Planned amounts of another activity under the scenario's rows and periods; 0 for new rows."""
        names, amounts = self.planned.others.get(block.name, ((), np.zeros((0, len(self.planned.periods)))))
        found = np.zeros((block.num_rows, block.num_periods))
        own, theirs = _shared(world.cube.calendar.period, self.planned.periods)
        rows, source = _shared(_row_names(block), names)
        found[np.ix_(rows, own)] = amounts[np.ix_(source, theirs)]
        return found


def _row_names(block: ActivityBlock) -> tuple[str, ...]:
    columns = [[str(label) for label in labels] for labels in block.labels.values()]
    return tuple(" / ".join(parts) for parts in zip(*columns, strict=True))


def _shared(names: Sequence[str], others: Sequence[str]) -> tuple[IntArray, IntArray]:
    """Positions of the names that both have, in the one and in the other."""
    position = {name: at for at, name in enumerate(others)}
    pairs = [(at, position[name]) for at, name in enumerate(names) if name in position]
    return np.array([pair[0] for pair in pairs], dtype=np.int64), np.array(
        [pair[1] for pair in pairs], dtype=np.int64
    )


def _always_possible(program: LinearProgram, num_cells: int) -> LinearProgram:
    """The program with every row that selling nothing would break widened to allow it."""
    nothing = np.where(np.arange(program.num_columns) < num_cells, 0.0, program.column_lower)
    activity = program.matrix @ nothing
    return program.replace(
        row_lower=np.minimum(program.row_lower, activity), row_upper=np.maximum(program.row_upper, activity)
    )
