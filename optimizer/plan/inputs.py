"""The numbers of a plan as arrays, with every assumption that filled a blank."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from optimizer.plan.actuals import Facts, resolve_facts
from optimizer.plan.assumptions import Assumption, AssumptionLog
from optimizer.plan.effects import Effects, resolve_effects
from optimizer.plan.initiatives import Initiatives, resolve_initiatives
from optimizer.plan.marketing import Marketing, resolve_marketing
from optimizer.plan.markets import Markets, resolve_markets
from optimizer.plan.modes import with_mode_applied
from optimizer.plan.plan import Plan
from optimizer.plan.rates import rated_markets, rated_selling
from optimizer.plan.sellers import Selling, resolve_sellers
from optimizer.plan.sizes import SizePool, resolve_sizes
from optimizer.plan.spent import with_spent
from optimizer.plan.uses import Resources, resolve_resources


@dataclass(frozen=True)
class Inputs:
    """A plan whose blanks are filled."""

    plan: Plan
    markets: Markets
    selling: Selling
    sizes: tuple[SizePool, ...]
    resources: Resources
    marketing: Marketing | None = None
    initiatives: Initiatives | None = None
    effects: Effects | None = None
    facts: Facts | None = None
    """What has happened before `calendar.as_of`; None where everything is still ahead."""
    assumptions: tuple[Assumption, ...] = field(default=())

    @property
    def past(self) -> int:
        """Number of periods that are facts."""
        return 0 if self.facts is None else self.facts.past


def resolve(plan: Plan, factors: Mapping[str, float] | None = None) -> Inputs:
    """Fill every blank by its default or derivation, with the rules as the plan's mode has them.

    `factors` scales assumptions by key, to see what they move.

    Raises `InputError` where a number can neither be read nor derived.
    """
    plan, log = with_mode_applied(plan), AssumptionLog(factors or {})
    markets = rated_markets(plan, resolve_markets(plan, log))
    selling = rated_selling(plan, resolve_sellers(plan, markets, log))
    resources = resolve_resources(plan, markets, selling)
    marketing, initiatives = resolve_marketing(plan, log), resolve_initiatives(plan)
    effects = resolve_effects(plan, markets, selling.sellers, initiatives, log)
    sizes = resolve_sizes(plan, markets)
    facts = resolve_facts(plan, markets, selling, marketing, initiatives, resources.per_unit, log)
    if facts is not None and facts.spend is not None and marketing is not None:
        marketing = with_spent(marketing, facts.spend, facts.past)
    return Inputs(
        plan,
        markets,
        selling,
        sizes,
        resources,
        marketing,
        initiatives,
        effects,
        facts,
        tuple(log.used),
    )
