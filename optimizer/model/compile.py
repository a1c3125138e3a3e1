"""Tables -> index -> blocks -> one program of arrays, without a loop over cells."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from optimizer.errors import InputError
from optimizer.model.builder import ProgramBuilder
from optimizer.model.context import Context
from optimizer.model.cube import Cube, make_cube
from optimizer.model.families.balance import balance
from optimizer.model.families.demand import demand
from optimizer.model.families.hours import hours
from optimizer.model.families.resources import resources
from optimizer.model.families.rules import rules
from optimizer.model.families.share import share
from optimizer.model.families.stay_near import stay_near
from optimizer.model.metrics import Activities, Metrics
from optimizer.model.objective import PlanStage, plan_stages
from optimizer.model.personal import personal_terms, rule_columns
from optimizer.model.scopes import Scopes
from optimizer.model.seats import group_sellers
from optimizer.plan.inputs import Inputs
from solvers.program import LinearProgram

Family = Callable[[Context], None]

FAMILIES: dict[str, Family] = {
    "demand": demand,
    "share": share,
    "hours": hours,
    "resources": resources,
    "rules": rules,
    "balance": balance,
    "stay_near": stay_near,
}
"""Every constraint family under its public name: the same word in code, LP file, marginal values and
reports."""


@dataclass(frozen=True)
class Model:
    """A compiled plan: the program, its stages, and what its rows and columns mean."""

    inputs: Inputs
    program: LinearProgram
    stages: tuple[PlanStage, ...]
    context: Context

    @property
    def cube(self) -> Cube:
        """The cube of seat groups that the program is about."""
        return self.context.cube


def compile_plan(
    inputs: Inputs, seat_groups: bool = True, families: Mapping[str, Family] = FAMILIES
) -> Model:
    """Compile a plan; `seat_groups=False` keeps every seller apart, with the same optimum.

    Raises `InputError` when a rule does not fit the tables.
    """
    plan = inputs.plan
    groups = group_sellers(inputs, rule_columns(plan), personal_terms(inputs), apart=not seat_groups)
    cube = make_cube(inputs, groups)
    if cube.num_pairs == 0:
        raise InputError("model.nothing_to_sell")
    builder = ProgramBuilder()
    activities = add_activities(builder, cube)
    context = make_context(builder, activities)
    for family in families.values():
        family(context)
    stages = tuple(plan_stages(context))
    return Model(inputs, builder.build(), stages, context)


def make_context(builder: ProgramBuilder, activities: Activities) -> Context:
    """The expressions over a cube's activities."""
    scopes = Scopes(activities.cube)
    return Context(builder, activities.cube, activities, Metrics(activities, scopes), scopes)


def add_activities(builder: ProgramBuilder, cube: Cube) -> Activities:
    """The columns of sales (P * T, cell p * T + t) and of extra resources (R * T)."""

    def cell_labels() -> list[tuple[str, ...]]:
        names, markets, periods = cube.seat_names, cube.markets.names, cube.calendar.period
        return [
            (names[seat], markets[market], period)
            for seat, market in zip(cube.pair_seat, cube.pair_market, strict=True)
            for period in periods
        ]

    upper = np.where(cube.presence[cube.pair_seat] > 0, np.inf, 0.0).ravel()
    whole = np.repeat(cube.markets.whole_units[cube.pair_market], cube.num_periods)
    builder.add_columns("sales", cube.num_cells, cell_labels, upper=upper, integer=whole)
    table = cube.inputs.resources
    extra_start = None
    if np.isfinite(table.extra_price).any():
        bought = np.isfinite(table.extra_price)
        labels = [(name, period) for name in table.names for period in cube.calendar.period]
        extra_start = builder.add_columns(
            "extra",
            len(labels),
            lambda: labels,
            upper=np.repeat(np.where(bought, np.inf, 0.0), cube.num_periods),
        )
    uses = {
        row: np.repeat(amount[cube.pair_source][:, None], cube.num_periods, axis=1)
        for row, amount in table.per_unit.items()
    }
    return Activities(cube, table.names, uses, table.by_sellers, extra_start, table.extra_price)
