"""Tables -> index -> blocks -> one program of arrays, without a loop over cells."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from optimizer.errors import InputError
from optimizer.model.activities import add_activities
from optimizer.model.blocks import Activities
from optimizer.model.builder import ProgramBuilder
from optimizer.model.context import Context
from optimizer.model.cube import Cube, make_cube
from optimizer.model.families.balance import balance
from optimizer.model.families.carryover import carryover
from optimizer.model.families.customers import customers
from optimizer.model.families.demand import demand
from optimizer.model.families.freeze import freeze
from optimizer.model.families.headcount import headcount
from optimizer.model.families.hours import hours
from optimizer.model.families.initiatives import initiatives
from optimizer.model.families.lead_hours import lead_hours
from optimizer.model.families.opportunity import opportunity
from optimizer.model.families.resources import resources
from optimizer.model.families.response import response
from optimizer.model.families.routing import routing
from optimizer.model.families.rules import rules
from optimizer.model.families.share import share
from optimizer.model.families.spend import spend
from optimizer.model.families.stay_near import stay_near
from optimizer.model.families.uplift import uplift
from optimizer.model.metrics import Metrics
from optimizer.model.objective import PlanStage, plan_stages
from optimizer.model.personal import personal_terms, rule_columns, told_by_seller
from optimizer.model.scopes import Scopes
from optimizer.model.seats import group_sellers
from optimizer.plan.inputs import Inputs
from optimizer.plan.runout import run_on
from solvers.curves import CurveTerm
from solvers.program import LinearProgram

Family = Callable[[Context], None]

FAMILIES: dict[str, Family] = {
    "demand": demand,
    "share": share,
    "hours": hours,
    "lead_hours": lead_hours,
    "spend": spend,
    "carryover": carryover,
    "response": response,
    "routing": routing,
    "opportunity": opportunity,
    "customers": customers,
    "resources": resources,
    "initiatives": initiatives,
    "headcount": headcount,
    "uplift": uplift,
    "rules": rules,
    "balance": balance,
    "stay_near": stay_near,
    "freeze": freeze,
}
"""Every constraint family under its public name: the same word in code, LP file, marginal values and
reports."""


@dataclass(frozen=True)
class Model:
    """A compiled plan: the program, its stages, and what its rows and columns mean. `inputs` are those of
    the plan's own periods, the cube has the run-out periods too."""

    inputs: Inputs
    program: LinearProgram
    curves: tuple[CurveTerm, ...]
    """Columns that curves tie; empty for a linear plan."""
    stages: tuple[PlanStage, ...]
    context: Context

    @property
    def cube(self) -> Cube:
        """The cube of seat groups that the program is about."""
        return self.context.cube


def compile_plan(
    inputs: Inputs, seat_groups: bool = True, families: Mapping[str, Family] = FAMILIES
) -> Model:
    """Compile a plan, with run-out periods where something works on behind the horizon.

    `seat_groups=False` keeps every seller apart, with the same optimum.

    Raises `InputError` when a rule does not fit the tables.
    """
    plan, horizon = inputs.plan, run_on(inputs)
    apart = not seat_groups or told_by_seller(inputs)
    groups = group_sellers(horizon, rule_columns(plan), personal_terms(horizon), apart=apart)
    cube = make_cube(horizon, groups)
    if cube.num_pairs == 0 and inputs.marketing is None and inputs.initiatives is None:
        raise InputError("model.nothing_to_sell")
    builder = ProgramBuilder()
    activities = add_activities(builder, cube)
    context = make_context(builder, activities)
    for family in families.values():
        family(context)
    stages = tuple(plan_stages(context))
    return Model(inputs, builder.build(), tuple(context.curves), stages, context)


def make_context(builder: ProgramBuilder, activities: Activities) -> Context:
    """The expressions over a cube's activities."""
    scopes = Scopes(activities.cube, {**activities.blocks, **activities.flows})
    return Context(builder, activities.cube, activities, Metrics(activities, scopes), scopes)
