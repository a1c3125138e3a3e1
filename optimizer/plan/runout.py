"""Run-out periods: what the plan's last months set going still brings money after the horizon.

    R = max(longest lag of opportunities, also of those that effects bring or delay, periods that spending
            works on)

periods behind the plan, each with the demand, capacity and prices of the same season: those of a year
before, or of the last period where the plan is shorter than that. People are those of the last period;
nothing is spent, started or hired. Only the money stage sees these periods; a plan without lag has none. A
price on the closing pipeline instead would make the plan flood its last month.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from optimizer.plan.calendar import Calendar
from optimizer.plan.effects import Effects, effects_run_on
from optimizer.plan.funnel import Funnel, funnel_run_on
from optimizer.plan.initiatives import initiatives_run_on
from optimizer.plan.inputs import Inputs
from optimizer.plan.lags import days_a_period
from optimizer.plan.marketing import marketing_run_on, working_on
from optimizer.plan.markets import Markets
from optimizer.plan.matching import prefixed
from optimizer.plan.plan import Plan
from optimizer.plan.rates import behind
from optimizer.plan.scopes import market_dimensions
from optimizer.plan.sellers import Sellers, Selling
from optimizer.plan.uses import Resources

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


def run_out_periods(inputs: Inputs) -> int:
    """R, the number of run-out periods; 0 for plans in which nothing works on, and where the plan file says
    so."""
    asked = inputs.plan.spec.run_out
    if inputs.funnel is None:
        return 0
    if asked is not None:
        return asked
    carried = 0 if inputs.marketing is None else working_on(inputs.plan, inputs.marketing)
    return max(inputs.funnel.longest, _longest_by_effects(inputs, inputs.funnel), carried)


def _longest_by_effects(inputs: Inputs, funnel: Funnel) -> int:
    """Periods between entry and decision of the opportunities that effects bring or delay, at most."""
    effects, marketing = inputs.effects, inputs.marketing
    if effects is None:
        return 0
    organic = funnel.organic.any(axis=1)
    for effect in effects.of("organic"):
        organic |= effects.markets[effect] & (effects.amount[effect] > 0)
    found: list[FloatArray] = [np.flatnonzero(funnel.of_market.lag[organic].any(axis=0)).astype(np.float64)]
    length = days_a_period(inputs.plan.calendar)
    about = effects.markets & ~effects.by_channel[:, None]
    found.append(_delayed(effects, funnel.of_market.days, about)[organic] / length)
    if marketing is not None:
        entries = marketing.yields
        about = effects.channels[:, entries.channel[entries.pool]] & effects.markets[:, entries.market]
        found.append(_delayed(effects, funnel.of_yield.days, about) / length)
    return int(np.ceil(np.concatenate(found).max(initial=0.0) - 1e-9))


def _delayed(effects: Effects, days: FloatArray, about: NDArray[np.bool_]) -> FloatArray:
    """Days from entry to decision (N,) with everything that effects on the cycle may add; 0 where none adds
    any. `about` (E, N) is what each effect is about."""
    more = np.zeros(len(days))
    for effect in effects.of("cycle"):
        step = float(effects.amount[effect]) * (days if effects.multiplies[effect] else 1.0)
        more += np.where(about[effect], np.maximum(step, 0.0), 0.0)
    return np.where(more > 0, days + more, 0.0)


def run_on(inputs: Inputs) -> Inputs:
    """The inputs with their run-out periods; the same object where there are none."""
    more = run_out_periods(inputs)
    if more == 0 or inputs.funnel is None:
        return inputs
    plan, initiatives, effects = inputs.plan, inputs.initiatives, inputs.effects
    source = same_season(plan, more)
    markets = _markets(plan, inputs.markets, source)
    if initiatives is not None:
        initiatives = initiatives_run_on(plan, initiatives, more)
        effects = None if effects is None else effects_run_on(plan, effects, initiatives, more)
    return replace(
        inputs,
        markets=markets,
        selling=_selling(plan, inputs.selling, source),
        resources=_resources(inputs.resources, source),
        marketing=None if inputs.marketing is None else marketing_run_on(plan, inputs.marketing, more),
        initiatives=initiatives,
        effects=effects,
        roles=None if inputs.roles is None else inputs.roles.run_on(more),
        facts=None if inputs.facts is None else inputs.facts.run_on(more),
        funnel=funnel_run_on(plan, inputs.funnel, markets, source, more),
        calendar_after=Calendar(plan.calendar.spec.model_copy(update={"periods": plan.calendar.size + more})),
    )


def same_season(plan: Plan, more: int) -> IntArray:
    """The period of the plan that each of `more` periods behind it is like (R,): a year before it, or years,
    else the last one."""
    size, year = plan.calendar.size, plan.calendar.periods_a_year
    behind = size + np.arange(more)
    years = (behind - size) // year + 1
    before = behind - years * year
    return np.asarray(np.where(before >= 0, before, size - 1), dtype=np.int64)


def _longer(values: FloatArray, source: IntArray) -> FloatArray:
    """(.., T) with the columns of `source` behind."""
    return np.concatenate([values, values[:, source]], axis=1)


def _markets(plan: Plan, markets: Markets, source: IntArray) -> Markets:
    side = prefixed(market_dimensions(plan.tables["markets"]), "market")
    price, volume = (behind(plan, kind, side, source) for kind in ("price", "volume"))
    dearer = (price - 1.0) * markets.price[:, source]
    return replace(
        markets,
        price=np.hstack([markets.price, markets.price[:, source] + dearer]),
        unit_margin=np.hstack([markets.unit_margin, markets.unit_margin[:, source] + dearer]),
        units_per_deal=_longer(markets.units_per_deal, source),
        potential=np.hstack([markets.potential, markets.potential[:, source] * volume]),
        last_year_units=_longer(markets.last_year_units, source),
        last_year_revenue=_longer(markets.last_year_revenue, source),
        spread=_longer(markets.spread, source),
    )


def _selling(plan: Plan, selling: Selling, source: IntArray) -> Selling:
    sellers, size = sellers_run_on(selling.sellers, source), selling.sellers.capacity.shape[1]
    measured = behind(plan, "hours", prefixed(sellers.labels, "seller"), source)
    capacity = np.hstack([sellers.capacity[:, :size], sellers.capacity[:, size:] * measured])
    return replace(
        selling,
        sellers=replace(sellers, capacity=capacity),
        effort=_longer(selling.effort, source),
        hours_per_unit=_longer(selling.hours_per_unit, source),
    )


def sellers_run_on(sellers: Sellers, source: IntArray) -> Sellers:
    """Those of the last period, ramps as they are then, with a full seller's capacity of the same season."""
    last = np.full(len(source), sellers.presence.shape[1] - 1)
    there = sellers.presence > 0
    full = np.divide(
        np.where(there, sellers.capacity, 0.0),
        sellers.presence,
        out=np.zeros_like(sellers.presence),
        where=there,
    )
    mean = full.sum(axis=1) / np.maximum(there.sum(axis=1), 1)
    season = np.where(there[:, source], full[:, source], mean[:, None])
    present = sellers.presence[:, last]
    capacity = np.multiply(season, present, out=np.zeros_like(present), where=present > 0)
    endless = np.isinf(sellers.capacity[:, source]) & ~there[:, source]
    return replace(
        sellers,
        capacity=np.hstack([sellers.capacity, np.where(endless, np.inf, capacity)]),
        presence=np.hstack([sellers.presence, present]),
        headcount=np.hstack([sellers.headcount, sellers.headcount[:, last]]),
        open_seats=None if sellers.open_seats is None else sellers.open_seats.run_on(source),
    )


def _resources(resources: Resources, source: IntArray) -> Resources:
    return replace(
        resources,
        capacity=_longer(resources.capacity, source),
        by_sellers=_longer(resources.by_sellers, np.full(len(source), resources.by_sellers.shape[1] - 1)),
    )
