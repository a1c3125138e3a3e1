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
    horizon_share: float
    """Share of a year that the horizon holds by season (1 for twelve months, more for longer horizons)."""


def market_volume(deals: Deals, rates: MarketRates, season: Season, log: EstimateLog, quality: Quality) -> MarketVolume:
    """Estimate the volumes from the recent months."""
    recent = np.arange(deals.recent_month, deals.last_month + 1)
    share = float(season.of(recent).sum())
    horizon = float(season.of(np.arange(deals.start_month, deals.start_month + deals.spec.plan.periods)).sum())
    if len(recent) < 12:
        quality.note("annualised", "assumed", len(recent), table="markets", column="last_year_revenue", share_of_year=f"{share:.0%}")
    revenue = _last_year(deals, share, log)
    _organic(deals, log)
    return MarketVolume(revenue, _potential(deals, rates, horizon / share, log, quality), horizon)


def _keys(deals: Deals) -> list[str]:
    return [deals.group_label(len(deals.spec.by), market) for market in range(deals.num_markets)]


def _last_year(deals: Deals, share: float, log: EstimateLog) -> FloatArray:
    """Won revenue of the recent months / the share of a year that they hold by season."""
    won = deals.outcome("won") & deals.recent()
    revenue = deals.count(won, "amount") / share
    whole_year = deals.last_month - deals.recent_month + 1 >= 12
    log.add("markets", "last_year_revenue", _keys(deals), revenue, "currency a year", n=deals.count(won),
            method="sum" if whole_year else "sum_over_share_of_year")  # fmt: skip
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
    reach = _NORMAL_90 * table.std(axis=1, ddof=1) / np.sqrt(count) if count > 1 else np.full(len(mean), np.nan)
    log.add("markets", "organic", _keys(deals), mean, "opportunities a month", n=table.sum(axis=1),
            low=np.maximum(mean - reach, 0.0), high=mean + reach, method="mean_of_months")  # fmt: skip


def _potential(deals: Deals, rates: MarketRates, scale: float, log: EstimateLog, quality: Quality) -> FloatArray:
    """factor x units of the deals seen in the recent months (won, lost, open) x horizon's share / their share of a year."""
    recent = deals.recent()
    won_units = deals.count(deals.outcome("won") & recent, "quantity")
    others = deals.count((deals.outcome("lost") & recent) | deals.outcome("open"))
    only_won = not (deals.outcome("lost", "open")).any()
    factor = deals.spec.method.potential_factor or (FACTOR_OF_WON_ONLY if only_won else 1.0)
    potential = factor * scale * (won_units + others * rates.units_per_deal)
    seen = deals.count((deals.outcome("won", "lost") & recent) | deals.outcome("open"))
    quality.note("potential_won_only" if only_won else "potential_assumed", "assumed", int(seen.sum()), table="markets",
                 column="potential", factor=f"{factor:g}")  # fmt: skip
    log.add("markets", "potential", _keys(deals), potential, "units over the horizon", n=seen,
            method=f"{factor:g}_x_won" if only_won else f"{factor:g}_x_won_lost_open", origin="assumed")  # fmt: skip
    return potential
