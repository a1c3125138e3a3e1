"""The sellers and territories tables as arrays: who may sell what, at which effort, with which capacity."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from optimizer.errors import InputError
from optimizer.plan import phasing
from optimizer.plan.assumptions import AssumptionLog
from optimizer.plan.capacity import CapacityUnit, resolve_capacity
from optimizer.plan.markets import Markets
from optimizer.plan.moves import moved_pairs
from optimizer.plan.openseats import OpenSeats, Ramp, open_rows, resolve_open_seats, role_of_rows
from optimizer.plan.plan import Plan
from optimizer.plan.profiles import NO_RAMP
from optimizer.plan.scopes import seller_dimensions
from optimizer.plan.stages import Stages
from optimizer.plan.tables import Table
from optimizer.plan.territories import Pairs, resolve_pairs

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]


@dataclass(frozen=True)
class Sellers:
    """S sellers over T periods. Without a sellers table there is one seller, the company, without limits."""

    labels: dict[str, list[str]]
    """Dimension -> label of each seller; `seller` is one of them."""
    capacity: FloatArray
    """Capacity in `capacity_unit` (S, T), ramp and presence included; inf without a limit."""
    capacity_unit: tuple[CapacityUnit, ...]
    """What each seller's capacity is counted in; "" without a limit."""
    headcount: FloatArray
    """Share of each period that the seller is there (S, T)."""
    presence: FloatArray
    """headcount times the ramp (S, T)."""
    commission_rate: FloatArray
    """Share of revenue (S,)."""
    cost: FloatArray
    """Currency a month (S,); 0 where unknown. Reported, never part of contribution."""
    annual_hours: FloatArray
    """Selling hours of a full year (S,), for sellers whose capacity is given as revenue a year; else NaN."""
    productivity: FloatArray
    """Revenue a year at full ramp (S,); NaN where unknown."""
    open_seats: OpenSeats | None = None
    """The open seats among them; capacity, headcount and presence above are those of nobody being there."""

    @property
    def names(self) -> list[str]:
        """The seller labels."""
        return self.labels["seller"]


@dataclass(frozen=True)
class Selling:
    """The sellers, the allowed seller-market pairs, and the effort of each pair."""

    sellers: Sellers
    pairs: Pairs
    effort: FloatArray
    """Capacity that one unit takes (P, T), in the seller's capacity_unit; 0 without a limit."""
    hours_per_unit: FloatArray
    """Hours that one unit takes (P, T); NaN where nothing is known about hours."""


def resolve_sellers(
    plan: Plan, markets: Markets, stages: Stages, led: BoolArray, log: AssumptionLog
) -> Selling:
    """Arrays of sellers and territories; `led` markets are those whose opportunities are planned (M,).

    Raises `InputError` where a number can neither be read nor derived.
    """
    table = plan.tables.get("sellers")
    if table is None:
        return _company(plan, markets)
    by_stages = _hours_by_stages(stages, markets)
    pairs = moved_pairs(plan, table.text("seller"), markets, resolve_pairs(plan, table, markets, log))
    pairs = _with_hours_by_stages(pairs, by_stages, led, log)
    headcount, presence = _presence(plan, table, log)
    on_leads = np.where(led, np.nan_to_num(by_stages), 0.0)
    vacant = open_rows(plan, table)[:, None]
    there = np.where(vacant, 1.0, presence)
    unit, full, annual_hours = resolve_capacity(plan, table, markets, pairs, there, on_leads, log)
    when = (dates(table, "from"), dates(table, "to"))
    seats = resolve_open_seats(plan, table, when, lambda row: _ramp(plan, table, row, log), full, log)
    sellers = Sellers(
        labels=seller_dimensions(table),
        capacity=np.where(vacant & np.isfinite(full), 0.0, full),
        capacity_unit=unit,
        headcount=headcount,
        presence=presence,
        commission_rate=np.nan_to_num(table.numbers("commission_rate")),
        cost=np.nan_to_num(table.numbers("cost")),
        annual_hours=annual_hours,
        productivity=table.numbers("productivity"),
        open_seats=seats,
    )
    effort, hours = _effort(sellers, markets, pairs, log)
    return Selling(sellers, pairs, effort, hours)


def _hours_by_stages(stages: Stages, markets: Markets) -> FloatArray:
    """Hours that a unit sold takes by the stages, lost deals included (M,); NaN where they do not say."""
    known = stages.hours.any(axis=1) & (stages.won > 0)
    deal = stages.hours_an_opportunity / np.where(stages.won > 0, stages.won, 1.0)
    return np.where(known, deal / markets.units_per_deal.mean(axis=1), np.nan)


def _with_hours_by_stages(pairs: Pairs, by_stages: FloatArray, led: BoolArray, log: AssumptionLog) -> Pairs:
    """Hours a unit where territories leave them blank and stages say them; where opportunities are planned
    the hours are in them, and a unit takes none beside."""
    blank = np.isnan(pairs.hours_per_unit) & ~np.isnan(by_stages)[pairs.market]
    log.note("hours_by_stages", "territories", "hours_per_unit", int(blank.sum()), None, scalable=False)
    hours = np.where(led, 0.0, by_stages)[pairs.market]
    return replace(pairs, hours_per_unit=np.where(blank, hours, pairs.hours_per_unit))


def _company(plan: Plan, markets: Markets) -> Selling:
    periods, count = plan.calendar.size, len(markets.names)
    sellers = Sellers(
        labels={"seller": [plan.spec.name]},
        capacity=np.full((1, periods), np.inf),
        capacity_unit=("",),
        headcount=np.zeros((1, periods)),
        presence=np.ones((1, periods)),
        commission_rate=np.zeros(1),
        cost=np.zeros(1),
        annual_hours=np.full(1, np.nan),
        productivity=np.full(1, np.nan),
    )
    return Selling(
        sellers, Pairs.everything(1, count), np.zeros((count, periods)), np.full((count, periods), np.nan)
    )


def _presence(plan: Plan, table: Table, log: AssumptionLog) -> tuple[FloatArray, FloatArray]:
    """Headcount, and headcount times ramp (S, T); the default ramp is used for direct sellers with a start
    date."""
    calendar, count = plan.calendar, len(table)
    starts, ends = (dates(table, name) for name in ("from", "to"))
    headcount = np.stack(
        [phasing.presence(calendar, start, end) for start, end in zip(starts, ends, strict=True)]
    )
    presence = headcount.copy()
    defaulted, vacant, whole = 0, open_rows(plan, table), role_of_rows(plan, table) >= 0
    for seller in range(count):
        ramp = None if np.isnat(starts[seller]) and not vacant[seller] else _ramp(plan, table, seller, log)
        if ramp is None or whole[seller]:
            continue
        by_default = not table.choices("ramp")[seller]
        if vacant[seller]:
            defaulted += by_default
            continue
        shares = phasing.ramp_shares(calendar, starts[seller], *ramp[:2])
        if by_default and (shares < 1.0).any():
            shares = np.minimum(shares * ramp[2], 1.0)
            defaulted += 1
        presence[seller] *= shares
    log.note("default_ramp", "sellers", "ramp", defaulted, None)
    return np.where(vacant[:, None], 0.0, headcount), np.where(vacant[:, None], 0.0, presence)


def _ramp(plan: Plan, table: Table, seller: int, log: AssumptionLog) -> Ramp | None:
    """The ramp of a seller who starts: the profile that the row names, else the default for direct sellers,
    else none."""
    name, channel = table.choices("ramp")[seller], table.choices("sales_channel")[seller]
    profiles = plan.tables.get("profiles")
    if name == NO_RAMP or (not name and channel not in ("", "direct")):
        return None
    if not name:
        ages, shares = (np.array(part) for part in zip(*phasing.DEFAULT_RAMP, strict=True))
        return ages, shares, log.factor("default_ramp")
    if profiles is None:
        raise InputError("model.profiles_missing", table.place(seller, "ramp", name), profile=name)
    return (*phasing.ramp_steps(profiles, name), 1.0)


def dates(table: Table, column: str) -> NDArray[np.datetime64]:
    """A date column (rows,); NaT where blank or absent."""
    if column not in table.frame.columns:
        return np.full(len(table), np.datetime64("NaT"), dtype="datetime64[D]")
    return np.asarray(table.frame[column], dtype="datetime64[D]")


def _effort(
    sellers: Sellers, markets: Markets, pairs: Pairs, log: AssumptionLog
) -> tuple[FloatArray, FloatArray]:
    """Effort in the seller's capacity unit, and hours, that one unit takes: (P, T) each."""
    units = np.array(sellers.capacity_unit)[pairs.seller]
    price, per_deal = markets.price[pairs.market], markets.units_per_deal[pairs.market]
    hours = np.broadcast_to(pairs.hours_per_unit[:, None], price.shape).copy()
    missing = np.isnan(hours) & (units == "hours")[:, None]
    if missing.any():
        rate = _company_hours_per_revenue(sellers, markets) * log.factor("hours_from_last_year")
        hours = np.where(missing, price * rate, hours)
        log.note(
            "hours_from_last_year",
            "territories",
            "hours_per_unit",
            int(missing.any(axis=1).sum()),
            rate,
            "hours per currency",
        )
    with np.errstate(divide="ignore", invalid="ignore"):
        rate_of_seller = np.where(
            sellers.productivity > 0, sellers.annual_hours / sellers.productivity, np.nan
        )
    derived = price * rate_of_seller[pairs.seller][:, None]
    hours = np.where((units == "revenue")[:, None] & np.isnan(hours), derived, hours)
    effort = np.zeros_like(price)
    for unit, values in (
        ("hours", hours),
        ("revenue", price),
        ("units", np.ones_like(price)),
        ("deals", 1.0 / per_deal),
    ):
        effort = np.where((units == unit)[:, None], values, effort)
    return effort, hours


def _company_hours_per_revenue(sellers: Sellers, markets: Markets) -> float:
    """All hours of the sellers who count in hours over last year's revenue of the horizon: history filled
    their time."""
    counted = sellers.capacity[np.array(sellers.capacity_unit) == "hours"]
    hours = float(counted[np.isfinite(counted)].sum())
    revenue = float(np.nansum(markets.last_year_revenue))
    if revenue <= 0:
        raise InputError("model.hours_underivable")
    return hours / revenue
