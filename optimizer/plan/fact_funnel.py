"""Facts in the funnel: which opportunities came, and measured rates from opportunity to deal."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from optimizer.plan.actuals import Facts
from optimizer.plan.effects import Effects
from optimizer.plan.fact_sources import surplus
from optimizer.plan.funnel import Funnel
from optimizer.plan.marketing import Marketing
from optimizer.plan.matching import prefixed
from optimizer.plan.plan import Plan
from optimizer.plan.rates import factors
from optimizer.plan.scopes import market_dimensions
from optimizer.plan.sellers import Selling
from optimizer.plan.stages import Stages

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]


def rated_stages(plan: Plan, stages: Stages) -> Stages:
    """The stages with the measured conversion, which acts on the last stage of each market; the same without
    the table `rates`. A share stays at most 1."""
    if plan.tables.get("rates") is None or not stages.names:
        return stages
    factor = factors(plan, "conversion", prefixed(market_dimensions(plan.tables["markets"]), "market"))
    count = len(stages.names)
    last = count - 1 - np.argmax(stages.present[:, ::-1], axis=1)
    conversion = stages.conversion.copy()
    row = np.flatnonzero(stages.covered)
    conversion[row, last[row]] = np.minimum(conversion[row, last[row]] * factor[row], 1.0)
    return replace(stages, conversion=conversion)


def rated_funnel(plan: Plan, funnel: Funnel) -> Funnel:
    """The funnel with the measured number of organic opportunities, and retention of customers, from `as_of`
    on."""
    if plan.tables.get("rates") is None:
        return funnel
    side = prefixed(market_dimensions(plan.tables["markets"]), "market")
    organic = funnel.organic.copy()
    organic[:, plan.calendar.past :] *= factors(plan, "leads", side)[:, None]
    found = funnel.customers
    if not len(found.entry_market):
        return replace(funnel, organic=organic)
    entries, group = factors(plan, "retention", side)[found.entry_market], found.entry_group
    factor = np.bincount(group, weights=entries) / np.bincount(group)
    retention = np.minimum(found.retention * factor, 1.0)
    kept = retention ** (1.0 / plan.calendar.periods_a_year)
    return replace(funnel, organic=organic, customers=replace(found, retention=retention, kept=kept))


def with_told(
    funnel: Funnel,
    facts: Facts,
    selling: Selling,
    marketing: Marketing | None,
    effects: Effects | None,
) -> Funnel:
    """The funnel whose closed periods have room for the opportunities that facts tell of: more organic ones
    than planned where more came than planned sources bring. That no more are worked is a row of the model."""
    cover = told_markets(funnel, facts, selling)
    beyond = surplus(funnel, facts, cover, marketing, effects)
    organic = funnel.organic.copy()
    for pool in np.flatnonzero(beyond.any(axis=1)).tolist():
        own = np.flatnonzero(cover[pool])
        planned = funnel.organic[own].sum(axis=0)
        ratio = np.divide(beyond[pool], planned, out=np.zeros_like(planned), where=planned > 0)
        organic[own] = funnel.organic[own] * (1.0 + ratio)
    return replace(funnel, organic=organic)


def told_markets(funnel: Funnel, facts: Facts, selling: Selling) -> BoolArray:
    """Markets of each pool that tells opportunities (R, M), but those whose pipeline tells what is open."""
    cover = np.zeros((facts.size, len(funnel.told)), dtype=np.bool_)
    for pool in np.flatnonzero(~np.isnan(facts.told["opportunities"]).all(axis=1)).tolist():
        cover[pool, pool_markets(facts, pool, selling)] = True
    cover[:, funnel.told] = False
    return cover


def pool_markets(facts: Facts, pool: int, selling: Selling) -> IntArray:
    """The markets that a pool covers."""
    return np.unique(selling.pairs.market[facts.pairs[1][facts.pairs[0] == pool]])
