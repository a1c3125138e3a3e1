"""The numbers of a plan as arrays, with every assumption that filled a blank."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from optimizer.plan.assumptions import Assumption, AssumptionLog
from optimizer.plan.initiatives import Initiatives, resolve_initiatives
from optimizer.plan.marketing import Marketing, resolve_marketing
from optimizer.plan.markets import Markets, resolve_markets
from optimizer.plan.plan import Plan
from optimizer.plan.sellers import Selling, resolve_sellers
from optimizer.plan.sizes import SizePool, resolve_sizes
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
    assumptions: tuple[Assumption, ...] = field(default=())


def resolve(plan: Plan, factors: Mapping[str, float] | None = None) -> Inputs:
    """Fill every blank by its default or derivation; `factors` scales assumptions by key, to see what they
    move.

    Raises `InputError` where a number can neither be read nor derived.
    """
    log = AssumptionLog(factors or {})
    markets = resolve_markets(plan, log)
    selling = resolve_sellers(plan, markets, log)
    return Inputs(
        plan,
        markets,
        selling,
        resolve_sizes(plan, markets),
        resolve_resources(plan, markets, selling),
        resolve_marketing(plan, log),
        resolve_initiatives(plan),
        tuple(log.used),
    )
