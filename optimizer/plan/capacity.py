"""How much each seller can do: a capacity as it is given, or from the revenue of a full year."""

from __future__ import annotations

from typing import Literal, cast

import numpy as np
from numpy.typing import NDArray

from optimizer.errors import InputError
from optimizer.plan import phasing
from optimizer.plan.assumptions import AssumptionLog
from optimizer.plan.markets import Markets
from optimizer.plan.plan import Plan
from optimizer.plan.tables import Table
from optimizer.plan.territories import Pairs

FloatArray = NDArray[np.float64]
CapacityUnit = Literal["hours", "deals", "units", "revenue", ""]

WORKING_DAYS_A_YEAR = 261.0
HOURS_A_DAY = 8.0
SELLING_SHARE = 0.35
SELLING_HOURS_A_YEAR = WORKING_DAYS_A_YEAR * HOURS_A_DAY * SELLING_SHARE


def resolve_capacity(
    plan: Plan,
    table: Table,
    markets: Markets,
    pairs: Pairs,
    presence: FloatArray,
    on_leads: FloatArray,
    log: AssumptionLog,
) -> tuple[tuple[CapacityUnit, ...], FloatArray, FloatArray]:
    """Unit, capacity (S, T) and annual selling hours (S,) of each seller: given, else from productivity, else
    none. `on_leads` are the hours a unit beside hours_per_unit (M,).

    Raises `InputError` for a seller who has both.
    """
    given = table.by_period.get("capacity")
    has_capacity = np.any(~np.isnan(table.numbers("capacity")[:, None] if given is None else given), axis=1)
    productivity = table.numbers("productivity")
    twice = has_capacity & ~np.isnan(productivity)
    if twice.any():
        row = int(twice.argmax())
        raise InputError("model.capacity_twice", table.place(row, "productivity", productivity[row]))
    units = _units(table, has_capacity)
    year = _annual_phase(plan, table, markets)
    capacity = np.full(presence.shape, np.inf)
    for seller in np.flatnonzero(has_capacity).tolist():
        if given is None:
            full = _phased(table, seller, units[seller], year[seller])
        else:
            # A blank month has no limit, which is not the same as nobody being there.
            full = np.where(np.isnan(given[seller]), np.inf, given[seller])
        there = presence[seller] > 0
        capacity[seller] = np.multiply(full, presence[seller], out=np.zeros(there.size), where=there)
    rates = _hours_a_revenue(pairs, markets, on_leads, productivity, log)
    productive = ~np.isnan(productivity)
    amounts = np.where(productive, productivity, 0.0)[:, None] * year * presence
    capacity[productive] = (amounts * np.where(np.isnan(rates), 1.0, rates)[:, None])[productive]
    annual_hours = np.where(np.isnan(rates), SELLING_HOURS_A_YEAR, productivity * rates)
    for seller in np.flatnonzero(productive).tolist():
        units[seller] = "revenue" if np.isnan(rates[seller]) else "hours"
    return tuple(units), capacity, np.where(productive, annual_hours, np.nan)


def _units(table: Table, has_capacity: NDArray[np.bool_]) -> list[CapacityUnit]:
    """What each seller's given capacity is counted in: hours unless the row names another unit."""
    named = table.choices("capacity_unit")
    return [
        cast("CapacityUnit", name or "hours") if known else ""
        for name, known in zip(named, has_capacity, strict=True)
    ]


def _hours_a_revenue(
    pairs: Pairs, markets: Markets, on_leads: FloatArray, productivity: FloatArray, log: AssumptionLog
) -> FloatArray:
    """Hours that a unit of revenue takes of each seller with a productivity (S,); NaN where nobody says."""
    productive = ~np.isnan(productivity)
    derived = productive & _hours_known(pairs, productivity.size)
    factor = log.factor("hours_from_productivity")
    rates = np.full(productivity.size, np.nan)
    for seller in np.flatnonzero(derived).tolist():
        rates[seller] = _hours_per_revenue(pairs, markets, on_leads, seller) * factor
    hours, by_revenue = SELLING_HOURS_A_YEAR, int((productive & ~derived).sum())
    log.note("selling_hours", "sellers", "capacity", by_revenue, hours, "hours a year", scalable=False)
    of_mix = int(derived.sum())
    log.note("hours_from_productivity", "sellers", "capacity", of_mix, None, "hours a year")
    return rates


def _phased(table: Table, seller: int, unit: CapacityUnit, year: FloatArray) -> FloatArray:
    """Capacity of each period (T,): hours are a rate (every period), units, deals and revenue an amount of
    the horizon."""
    amount, per = table.numbers("capacity")[seller], table.choices("capacity_per")[seller]
    per = per or ("period" if unit == "hours" else "horizon")
    if per == "period":
        return np.full(year.shape, amount)
    if per == "year":
        return np.asarray(amount * year, dtype=np.float64)
    return np.asarray(amount * year / max(year.sum(), 1e-300), dtype=np.float64)


def _annual_phase(plan: Plan, table: Table, markets: Markets) -> FloatArray:
    """Share of a year's revenue that each period carries (S, T): capacity_profile, else the season, else
    last year's months of all markets, else working days."""
    profiles, calendar = plan.tables.get("profiles"), plan.calendar
    default, kind = phasing.default_shares(profiles, calendar)
    if kind != "season" and not np.isnan(markets.last_year_revenue).all():
        months = np.nansum(markets.last_year_revenue, axis=0)
        if months.sum() > 0:
            default = months / months.sum() * calendar.size / calendar.periods_a_year
    shares = np.tile(default, (len(table), 1))
    if "capacity_profile" in table.frame.columns:
        names = table.text("capacity_profile")
        for name in sorted({name for name in names if name}):
            if profiles is None:
                raise InputError(
                    "model.profiles_missing",
                    table.place(names.index(name), "capacity_profile", name),
                    profile=name,
                )
            shares[[found == name for found in names]] = phasing.season_shares(profiles, name, calendar)
    return shares


def _hours_known(pairs: Pairs, count: int) -> NDArray[np.bool_]:
    """Sellers all of whose pairs have hours per unit (S,)."""
    blank = np.bincount(pairs.seller, weights=np.isnan(pairs.hours_per_unit), minlength=count)
    total = np.bincount(pairs.seller, minlength=count)
    return np.asarray((blank == 0) & (total > 0), dtype=np.bool_)


def _hours_per_revenue(pairs: Pairs, markets: Markets, on_leads: FloatArray, seller: int) -> float:
    """Hours that a unit of revenue takes at last year's mix of the seller's markets."""
    own = pairs.seller == seller
    market = pairs.market[own]
    revenue = np.nan_to_num(markets.last_year_revenue[market].sum(axis=1))
    weights = revenue if revenue.sum() > 0 else np.ones(len(market))
    hours = pairs.hours_per_unit[own] + on_leads[market]
    return float((weights * hours / markets.price[market].mean(axis=1)).sum() / weights.sum())
