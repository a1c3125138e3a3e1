"""What a unit of each activity adds to each metric. docs/metrics.md says the same in words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from optimizer.errors import InputError
from optimizer.model.blocks import Activities, Parts
from optimizer.model.cube import Cube
from optimizer.model.seating import seat_of_open
from optimizer.model.uplifts import Uplifts
from optimizer.model.windows import groups_touched, opening_path, places, retained, value_by_market

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
Unit = Literal[
    "starts",
    "insertions",
    "leads",
    "opportunities",
    "units",
    "deals",
    "currency",
    "hours",
    "heads",
    "customers",
    "days",
    "share",
    "seats",
    "points",
    "weight",
]


Coefficient = Callable[[Activities], FloatArray]


def _revenue(a: Activities) -> FloatArray:
    return a.cube.by_market(a.cube.markets.price)


def _margin(a: Activities) -> FloatArray:
    if a.cube.num_pairs and not a.cube.markets.knows_margin:
        raise InputError("model.no_margin")
    return a.cube.by_market(a.cube.markets.unit_margin)


def _commission(a: Activities) -> FloatArray:
    return _revenue(a) * a.cube.commission_rate[a.cube.pair_seat][:, None]


def _deals(a: Activities) -> FloatArray:
    return 1.0 / a.cube.by_market(a.cube.markets.units_per_deal)


def _new_customers(a: Activities) -> FloatArray:
    return _deals(a) * a.cube.markets.is_new[a.cube.pair_market][:, None]


def _load(a: Activities) -> FloatArray:
    """Average seller-periods that a unit takes; 0 for sellers without a limit."""
    return load_parts(a, mean_capacity(a.cube))["sales"]


def load_parts(a: Activities, size: FloatArray) -> dict[str, FloatArray]:
    """Capacity that each block takes, in multiples of a size for each seat (G,); 0 where that is inf."""
    pair_size = size[a.cube.pair_seat][:, None]
    parts = {"sales": _in_sizes(a.cube.effort, pair_size)}
    if a.uplifts is not None:
        parts["uplift"] = _in_sizes(a.uplifts.effort, pair_size[a.uplifts.pair])
    leads = a.blocks.get("lead_hours")
    if leads is not None and leads.pair is not None:
        parts["lead_hours"] = 1.0 / pair_size[leads.pair]
    return parts


def _in_sizes(amount: FloatArray, size: FloatArray) -> FloatArray:
    return np.asarray(np.divide(amount, size, out=np.zeros_like(amount), where=np.isfinite(size)))


def mean_capacity(cube: Cube) -> FloatArray:
    """Capacity of an average seller and period among those who count in the same unit (G,); inf without a
    limit.

    The mean is over all of them, so that loads add up: a group's load is the sum of its members'.
    """
    units = np.array(cube.inputs.selling.sellers.capacity_unit)[cube.groups.first]
    mean = np.full(len(units), np.inf)
    seats = cube.inputs.selling.sellers.open_seats
    for unit in set(units.tolist()) - {""}:
        own = units == unit
        there = cube.presence[own, : cube.num_planned].sum()
        if there > 0:
            mean[own] = cube.capacity[own, : cube.num_planned].sum() / there
        elif seats is not None:
            # Nobody is there yet: somebody at full ramp is the average.
            full = seats.full[np.isin(seat_of_open(cube, seats), np.flatnonzero(own))]
            mean[own] = full.mean() if full.size else np.inf
    return np.where(mean > 0, mean, np.inf)


def seats_of_capacity(cube: Cube) -> FloatArray:
    """Capacity of each seat in average seller-periods (G, T); 0 without a limit."""
    return _in_sizes(cube.capacity, mean_capacity(cube)[:, None])


def _extra_cost(a: Activities) -> Parts:
    if "extra" not in a.blocks:
        return {}
    return {"extra": np.where(np.isfinite(a.extra_price), a.extra_price, 0.0)[:, None]}


def _uplifted_commission(a: Activities, found: Uplifts) -> FloatArray:
    return found.price * a.cube.commission_rate[a.cube.pair_seat[found.pair]][:, None]


def _uplifted_hours(a: Activities, found: Uplifts) -> FloatArray:
    return found.hours * np.nan_to_num(a.cube.hours)[found.pair]


def _uplifted_load(a: Activities, found: Uplifts) -> FloatArray:
    return _in_sizes(found.effort, mean_capacity(a.cube)[a.cube.pair_seat[found.pair]][:, None])


UPLIFTED: dict[str, Callable[[Activities, Uplifts], FloatArray]] = {
    "revenue": lambda _, found: found.price,
    "margin": lambda _, found: found.price - found.unit_cost,
    "commission": _uplifted_commission,
    "contribution": lambda a, found: found.price - found.unit_cost - _uplifted_commission(a, found),
    "hours": _uplifted_hours,
    "load": _uplifted_load,
}
"""Metric of sales -> what effects add to it for a unit sold while they work (K, T)."""
SALES_METRICS: dict[str, tuple[Unit, Coefficient]] = {
    "units": ("units", lambda a: np.ones((a.cube.num_pairs, a.cube.num_periods))),
    "deals": ("deals", _deals),
    "revenue": ("currency", _revenue),
    "margin": ("currency", _margin),
    "commission": ("currency", _commission),
    "contribution": ("currency", lambda a: _margin(a) - _commission(a)),
    "hours": ("hours", lambda a: np.nan_to_num(a.cube.hours)),
    "new_customers": ("customers", _new_customers),
    "load": ("seats", _load),
}
SEAT_METRICS: dict[str, Unit] = {"headcount": "heads", "capacity": "seats", "seller_cost": "currency"}


def _marketing_cost(a: Activities) -> Parts:
    marketing = a.cube.inputs.marketing
    if marketing is None:
        return {}
    parts = {"spend": marketing.unit_cost[:, None]}
    for block in ("used", "opened"):
        if block in a.blocks:
            due = marketing.fixed_once == (block == "opened")
            parts[block] = (marketing.fixed_cost * due)[:, None]
    if marketing.tiers is not None:
        # The input is paid at the first price, a tier the difference to its own.
        found = marketing.tiers
        parts["tier"] = (found.price - marketing.unit_cost[found.channel])[:, None]
    return parts


def _insertions(a: Activities) -> Parts:
    marketing = a.cube.inputs.marketing
    return {} if marketing is None else {"spend": marketing.by_insertion.astype(np.float64)[:, None]}


def _initiative_cost(a: Activities) -> Parts:
    found = a.cube.inputs.initiatives
    return {} if found is None else {"start": found.cost[:, None], "active": found.running_cost[:, None]}


def _initiative_benefit(a: Activities) -> Parts:
    found = a.cube.inputs.initiatives
    return {} if found is None else {"start": found.benefit[:, None]}


def leads_of_effects(a: Activities) -> dict[str, FloatArray]:
    """Leads that effects bring by block, (rows, 1): a share of those that come while they work, or an
    amount shared equally by the rows of marketing of the effect."""
    found: dict[str, FloatArray] = {}
    effects = a.cube.inputs.effects
    if "response" in a.gains:
        found["gain_response"] = a.gains["response"].share[:, None]
    if effects is not None and "leads_added" in a.blocks:
        adds = [row for row in effects.of("leads") if not effects.multiplies[row]]
        each = [effects.amount[row] / max(int(effects.channels[row].sum()), 1) for row in adds]
        count = effects.channels[adds].sum(axis=1)
        found["leads_added"] = np.repeat(np.array(each), count)[:, None]
    return found


def channels_of_effects(a: Activities, block: str) -> IntArray:
    """Row of marketing of each row of a block of `leads_of_effects`."""
    if block == "gain_response":
        return a.gains["response"].row
    effects = a.cube.inputs.effects
    assert effects is not None
    adds = [row for row in effects.of("leads") if not effects.multiplies[row]]
    return np.asarray(np.nonzero(effects.channels[adds])[1], dtype=np.int64)


def _leads(a: Activities) -> Parts:
    if "response" not in a.blocks:
        return {}
    return {"response": np.ones((1, 1)), **leads_of_effects(a)}


def _initiative_value(a: Activities) -> Parts:
    """Currency that windows bring in the markets of their effects; a month's figure for each period."""
    effects = a.cube.inputs.effects
    if effects is None or "value" not in a.blocks:
        return {}
    months = 12.0 / a.cube.calendar.periods_a_year
    added = {effect: value_by_market(a.cube, effects, effect) for effect in effects.of("value")}
    effect, market = places(effects, "value")
    rows = [added[int(row)][where] for row, where in zip(effect, market, strict=True)]
    return {"value": np.array(rows) * months}


def _satisfaction_points(a: Activities) -> Parts:
    """Points of the markets of each effect, weighted by what the market sold last year."""
    effects = a.cube.inputs.effects
    if effects is None or "satisfaction" not in a.blocks:
        return {}
    effect, market = places(effects, "satisfaction")
    return {"satisfaction": effects.amount[effect][:, None] * satisfaction_weights(a.cube)[market]}


def satisfaction_weights(cube: Cube) -> FloatArray:
    """Weight of each market and period in the mean of satisfaction (M, T): last year's revenue; 1 where it is
    unknown for all."""
    known = np.nan_to_num(cube.markets.last_year_revenue)
    return known if known.sum() > 0 else np.ones(known.shape)


def _hiring_cost(a: Activities) -> Parts:
    """Recruiting in the period of the decision, pay of those who join less that of those who are let go, and
    what letting go costs; pay of present staff is not in it."""
    seats, roles = a.cube.inputs.selling.sellers.open_seats, a.cube.inputs.roles
    months = 12.0 / a.cube.calendar.periods_a_year
    parts: dict[str, FloatArray] = {}
    if seats is not None:
        parts |= {
            "hire": seats.recruiting,
            "seat_heads": (np.where(seats.role < 0, seats.pay, 0.0) * months)[:, None],
        }
    if roles is not None:
        classes = roles.opening.shape[1]
        parts |= {
            "role_hire": roles.recruiting,
            "heads_added": (roles.pay * months)[:, None],
            "role_leave": np.repeat(roles.leave_cost, classes)[:, None],
        }
    return parts


def _hires(a: Activities) -> Parts:
    return {block: np.ones((1, 1)) for block in ("hire", "role_hire") if block in a.blocks}


def _of_all(block: str) -> Callable[[Activities], Parts]:
    return lambda a: {block: np.ones((1, 1))} if block in a.blocks else {}


def _opportunities(a: Activities) -> Parts:
    return {block: np.ones((1, 1)) for block in ("worked", "organic") if block in a.blocks}


def _flow(name: str) -> Callable[[Activities], Parts]:
    """A flow of the funnel, from yields and organic."""
    return lambda a: {flow: np.ones((1, 1)) for flow in (name, f"{name}_organic") if flow in a.flows}


def _cycle_days(a: Activities) -> Parts:
    funnel = a.cube.inputs.funnel
    if funnel is None:
        return {}
    parts = {"won": funnel.of_yield.days[:, None]} if "won" in a.flows else {}
    if "won_organic" in a.flows:
        parts["won_organic"] = funnel.of_market.days[a.blocks["organic"].markets][:, None]
    return parts | {name: np.ones((1, 1)) for name in ("moved_days", "moved_days_organic") if name in a.flows}


def _brought(a: Activities, value: FloatArray) -> Parts:
    """A figure of markets (M,) a deal for the deals that worked opportunities bring, whenever that is."""
    funnel, marketing = a.cube.inputs.funnel, a.cube.inputs.marketing
    if funnel is None or marketing is None or "worked" not in a.blocks:
        return {}
    market = marketing.yields.market
    parts = {"worked": (funnel.of_yield.conversion * value[market])[:, None]}
    if "worked" in a.gains:
        gains = a.gains["worked"]
        parts["gain_worked"] = (gains.conversion * value[market[gains.row]])[:, None]
    return parts


def _customers_brought(a: Activities) -> Parts:
    return _brought(a, a.cube.markets.is_new.astype(np.float64))


def _margin_brought(a: Activities) -> Parts:
    if a.cube.num_pairs and not a.cube.markets.knows_margin:
        raise InputError("model.no_margin")
    markets, planned = a.cube.markets, a.cube.num_planned
    return _brought(a, (markets.unit_margin * markets.units_per_deal)[:, :planned].mean(axis=1))


def _customers_kept(a: Activities) -> Parts:
    funnel = a.cube.inputs.funnel
    if funnel is None or "customers_before" not in a.flows:
        return {}
    parts = {"customers_before": funnel.customers.retention[:, None]}
    effects = a.cube.inputs.effects
    if effects is not None and "customers_held" in a.blocks:
        groups, path = groups_touched(a.cube, effects), opening_path(a.cube)
        rows = [
            retained(a.cube, effects, effect)[group] * path[group]
            for effect in effects.of("retention")
            for group in np.flatnonzero(groups[effect])
        ]
        parts["customers_held"] = np.array(rows)
    return parts


ACTIVITY_METRICS: dict[str, tuple[Unit, Callable[[Activities], Parts]]] = {
    "extra_cost": ("currency", _extra_cost),
    "marketing_cost": ("currency", _marketing_cost),
    "initiative_cost": ("currency", _initiative_cost),
    "initiative_benefit": ("currency", _initiative_benefit),
    "initiative_value": ("currency", _initiative_value),
    "satisfaction_points": ("points", _satisfaction_points),
    "hiring_cost": ("currency", _hiring_cost),
    "hires": ("heads", _hires),
    "role_heads": ("heads", _of_all("role_heads")),
    "starts": ("starts", _of_all("start")),
    "insertions": ("insertions", _insertions),
    "leads": ("leads", _leads),
    "opportunities": ("opportunities", _opportunities),
    "matured": ("opportunities", _flow("matured")),
    "won": ("deals", _flow("won")),
    "cycle_days": ("days", _cycle_days),
    "customers_brought": ("customers", _customers_brought),
    "margin_brought": ("currency", _margin_brought),
    "customers": ("customers", _of_all("customers")),
    "customers_before": ("customers", _flow("customers_before")),
    "customers_kept": ("customers", _customers_kept),
}
"""Metrics of other activities than sales: unit, and what each block adds."""
GAINS = ("initiative_benefit", "initiative_value")
"""What contribution adds besides margin."""
COSTS = ("extra_cost", "marketing_cost", "initiative_cost", "hiring_cost")
"""What contribution subtracts besides commission."""
OTHER_METRICS: dict[str, Unit] = {
    "market_size": "currency",
    "last_year": "currency",
    "last_year_units": "units",
    "satisfaction_weight": "weight",
}
RATIOS: dict[str, tuple[str, str, Unit]] = {
    "average_check": ("revenue", "deals", "currency"),
    "average_price": ("revenue", "units", "currency"),
    "margin_rate": ("margin", "revenue", "share"),
    "market_share": ("revenue", "market_size", "share"),
    "growth": ("revenue", "last_year", "share"),
    "utilisation": ("load", "capacity", "share"),
    "satisfaction": ("satisfaction_points", "satisfaction_weight", "points"),
    "conversion": ("won", "matured", "share"),
    "cycle_time": ("cycle_days", "won", "days"),
    "cac": ("marketing_cost", "customers_brought", "currency"),
    "roas": ("margin_brought", "marketing_cost", "share"),
    "retention": ("customers_kept", "customers_before", "share"),
}
"""Ratio -> numerator, denominator, unit. growth is numerator / denominator - 1."""
