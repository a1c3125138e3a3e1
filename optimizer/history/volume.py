"""How much there is to sell: last year's revenue, organic opportunities and the potential of each market."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from optimizer.history.deals import Deals
from optimizer.history.estimates import EstimateLog
from optimizer.history.quality import Quality
from optimizer.history.rates import MarketRates
from optimizer.history.timing import Season

FloatArray = NDArray[np.float64]

FACTOR_OF_WON_ONLY = 1.5
"""Potential over last year where only won deals are known: last year's sales and half as much again."""

_NORMAL_90 = 1.645


@dataclass(frozen=True)
class MarketVolume:
    """Volumes of M markets, arrays (M,)."""

    last_year_revenue: FloatArray
    """Currency a year."""
    potential: FloatArray
    """Units over the horizon."""


def market_volume(
    deals: Deals, rates: MarketRates, season: Season, log: EstimateLog, quality: Quality
) -> MarketVolume:
    """Estimate the volumes from the recent months."""
    recent = np.arange(deals.recent_month, deals.last_month + 1)
    share = float(season.of(recent).sum())
    horizon = np.arange(deals.start_month, deals.start_month + deals.spec.plan.periods)
    scale = float(season.of(horizon).sum()) / share
    if len(recent) < 12:
        where = {"table": "markets", "column": "last_year_revenue"}
        quality.note("annualised", "assumed", len(recent), share_of_year=f"{share:.0%}", **where)
    revenue = _last_year(deals, share, log)
    _organic(deals, log)
    return MarketVolume(revenue, _potential(deals, rates, scale, log, quality))


def _last_year(deals: Deals, share: float, log: EstimateLog) -> FloatArray:
    """Won revenue of the recent months / the share of a year that they hold by season."""
    won = deals.outcome("won") & deals.recent()
    revenue = deals.count(won, "amount") / share
    whole_year = deals.last_month - deals.recent_month + 1 >= 12
    method = "sum" if whole_year else "sum_over_share_of_year"
    log.add("markets.last_year_revenue", deals.market_keys(), revenue, method, n=deals.count(won))
    return revenue


def _organic(deals: Deals, log: EstimateLog) -> None:
    """Opportunities opened a month; the interval is that of the mean of the months."""
    if not deals.has_openings:
        return
    opened = deals.frame.loc[deals.recent("opened_month")]
    count = deals.last_month - deals.recent_month + 1
    cell = opened["market"].to_numpy() * count + (opened["opened_month"].to_numpy() - deals.recent_month)
    table = np.bincount(cell, minlength=deals.num_markets * count).reshape(deals.num_markets, count)
    mean = table.mean(axis=1)
    reach = np.full(len(mean), np.nan)
    if count > 1:
        reach = _NORMAL_90 * table.std(axis=1, ddof=1) / np.sqrt(count)
    low, high = np.maximum(mean - reach, 0.0), mean + reach
    keys = deals.market_keys()
    log.add("markets.organic", keys, mean, "mean_of_months", n=table.sum(axis=1), low=low, high=high)


def _potential(
    deals: Deals, rates: MarketRates, scale: float, log: EstimateLog, quality: Quality
) -> FloatArray:
    """factor * units of the deals seen lately (won, lost, open) * horizon's share / their share of a year."""
    recent = deals.recent()
    won_units = deals.count(deals.outcome("won") & recent, "quantity")
    others = deals.count((deals.outcome("lost") & recent) | deals.outcome("open"))
    only_won = not deals.outcome("lost", "open").any()
    factor = deals.spec.method.potential_factor or (FACTOR_OF_WON_ONLY if only_won else 1.0)
    potential = factor * scale * (won_units + others * rates.units_per_deal)
    seen = deals.count((deals.outcome("won", "lost") & recent) | deals.outcome("open"))
    check, method = ("potential_won_only", "won") if only_won else ("potential_assumed", "won_lost_open")
    where = {"table": "markets", "column": "potential"}
    quality.note(check, "assumed", int(seen.sum()), factor=f"{factor:g}", **where)
    log.assume("markets.potential", deals.market_keys(), potential, f"{factor:g}_x_{method}", n=seen)
    return potential
