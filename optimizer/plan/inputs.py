"""The numbers of a plan as arrays, with every assumption that filled a blank."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from optimizer.plan.actuals import Facts, resolve_facts
from optimizer.plan.assumptions import Assumption, AssumptionLog
from optimizer.plan.calendar import Calendar
from optimizer.plan.effects import Effects, resolve_effects
from optimizer.plan.fact_funnel import rated_funnel, rated_stages, with_told
from optimizer.plan.fact_staff import staffed
from optimizer.plan.funnel import Funnel, resolve_funnel
from optimizer.plan.initiatives import Initiatives, resolve_initiatives
from optimizer.plan.marketing import Marketing, resolve_marketing
from optimizer.plan.markets import Markets, resolve_markets
from optimizer.plan.modes import with_mode_applied
from optimizer.plan.plan import Plan
from optimizer.plan.rates import rated_markets, rated_selling
from optimizer.plan.roles import Roles, resolve_roles
from optimizer.plan.sellers import Selling, resolve_sellers
from optimizer.plan.sizes import SizePool, resolve_sizes
from optimizer.plan.spent import with_spent
from optimizer.plan.stages import resolve_stages
from optimizer.plan.uses import Resources, resolve_resources


@dataclass(frozen=True)
class Inputs:
    """A plan whose blanks are filled.

    Arrays by period have T columns, those of the plan's calendar. `optimizer.plan.runout` appends periods
    after the horizon for the model; everything that is reported is about the T periods of the plan.
    """

    plan: Plan
    markets: Markets
    selling: Selling
    sizes: tuple[SizePool, ...]
    resources: Resources
    marketing: Marketing | None = None
    initiatives: Initiatives | None = None
    effects: Effects | None = None
    roles: Roles | None = None
    facts: Facts | None = None
    """What has happened before `calendar.as_of`; None where everything is still ahead."""
    funnel: Funnel | None = None
    assumptions: tuple[Assumption, ...] = field(default=())
    calendar_after: Calendar | None = None
    """The plan's calendar with the run-out periods behind it; None where there are none."""

    @property
    def calendar(self) -> Calendar:
        """The periods of the arrays: those of the plan, and run-out periods where there are any."""
        return self.calendar_after or self.plan.calendar

    @property
    def past(self) -> int:
        """Number of periods that are facts."""
        return 0 if self.facts is None else self.facts.past


def resolve(plan: Plan, factors: Mapping[str, float] | None = None) -> Inputs:
    """Fill every blank by its default or derivation, with the rules as the plan's mode has them.

    `factors` scales assumptions by key, to see what they move.

    Raises `InputError` where a number can neither be read nor derived.
    """
    plan = with_mode_applied(plan)
    log, later = AssumptionLog(factors or {}), AssumptionLog(factors or {})
    markets = rated_markets(plan, resolve_markets(plan, log))
    stages = rated_stages(plan, resolve_stages(plan, markets, later))
    marketing, initiatives = resolve_marketing(plan, later), resolve_initiatives(plan)
    funnel = resolve_funnel(plan, markets, marketing, stages, later)
    led = np.zeros(len(markets.names), dtype=np.bool_) if funnel is None else funnel.led
    selling = rated_selling(plan, resolve_sellers(plan, markets, stages, led, log))
    resources = resolve_resources(plan, markets, selling)
    effects = resolve_effects(plan, markets, selling.sellers, marketing, initiatives, later)
    sizes = resolve_sizes(plan, markets)
    facts = resolve_facts(plan, markets, selling, marketing, initiatives, resources.per_unit, later)
    if facts is not None and facts.spend is not None and marketing is not None:
        marketing = with_spent(marketing, facts.spend, facts.past)
    if funnel is not None:
        funnel = rated_funnel(plan, funnel)
    if funnel is not None and facts is not None:
        funnel = with_told(funnel, facts, selling, marketing, effects)
    return Inputs(
        plan,
        markets,
        selling,
        sizes,
        resources,
        marketing,
        initiatives,
        effects,
        staffed(resolve_roles(plan, later), facts),
        facts,
        funnel,
        (*log.used, *later.used),
    )
