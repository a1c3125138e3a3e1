"""What sellers do: throughput, win factor, the units above them, and the territories in which they sell."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from optimizer.history.deals import Deals
from optimizer.history.estimates import EstimateLog
from optimizer.history.pooling import pool_rates
from optimizer.history.quality import Quality
from optimizer.history.rates import MarketRates
from optimizer.history.timing import Season

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

NO_UNIT = "unknown"
"""The unit of a seller whose unit the history does not give."""

_MONTHS_FOR_OWN_THROUGHPUT = 6


@dataclass(frozen=True)
class Team:
    """S sellers with deals, sorted by name."""

    frame: pd.DataFrame
    """`seller` and the hierarchy columns, then `productivity` (currency a year), a row a seller."""
    pace: FloatArray
    """Mean revenue of the recent months, currency a year (S,)."""
    win_factor: FloatArray
    """Win rate over what the sold markets would give (S,)."""
    active: NDArray[np.bool_]
    """Sellers with a deal in the last months; the others are not in the plan (S,)."""


def team(deals: Deals, rates: MarketRates, season: Season, log: EstimateLog, quality: Quality) -> Team:
    """Estimate everything about the sellers."""
    frame = _members(deals, quality)
    if frame.empty:
        quality.note("no_sellers", "note", table="sellers")
        nobody = np.zeros(0)
        return Team(frame.assign(productivity=nobody), nobody, nobody, np.zeros(0, dtype=np.bool_))
    first, last = _activity(deals, list(frame["seller"]))
    active = last > deals.last_month - deals.spec.method.idle_months
    for seller in frame.loc[~active, "seller"]:
        where = {"table": "sellers", "column": "seller", "value": seller}
        quality.note("seller_idle", "note", deals.spec.method.idle_months, **where)
    frame["productivity"], pace = _productivity(deals, frame, first, season, log)
    method = deals.spec.method
    described = {"quantile": f"{method.throughput_quantile:.0%}", "window": method.throughput_window}
    where = {"table": "sellers", "column": "productivity"}
    quality.note("productivity_method", "note", int(active.sum()), **where, **described)
    quality.note("hours_unknown", "assumed", int(active.sum()), table="sellers", column="capacity")
    log.assume("sellers.hours", ["all"], np.nan, "not_in_history_productivity_stands_in")
    return Team(frame, pace, _win_factor(deals, frame, rates, log), active)


def seller_numbers(deals: Deals, names: list[str]) -> IntArray:
    """Position of each deal's seller in `names` (N,); -1 where the seller is blank."""
    return np.asarray(pd.Index(names).get_indexer(deals.frame["seller"]), dtype=np.int64)


def territories(deals: Deals, people: Team, quality: Quality) -> pd.DataFrame:
    """Who may sell what: the markets in which a seller, or the unit above, has had a deal of any outcome.

    A column that sellers and markets both have is written `market.region`, for somebody may sell elsewhere.
    """
    unit = deals.spec.territories
    present = people.frame.loc[people.active, "seller"]
    frame = deals.frame.loc[deals.frame["seller"].isin(present)]
    both = [column for column in deals.spec.by if column in deals.spec.hierarchy]
    owner = f"seller.{unit}" if unit in both else unit
    unit_of = people.frame.set_index("seller", drop=False)[unit]
    found = frame[deals.spec.by].rename(columns={column: f"market.{column}" for column in both})
    found.insert(0, owner, frame["seller"].map(unit_of))
    found = found.drop_duplicates()
    if unit != "seller":
        quality.note("territories_pooled", "note", len(found), table="territories", column=unit)
    return found.sort_values(list(found.columns)).reset_index(drop=True)


def _members(deals: Deals, quality: Quality) -> pd.DataFrame:
    """The sellers with their units; where the history gives a seller several, the most frequent one."""
    known = deals.frame.loc[deals.frame["seller"] != ""]
    frame = pd.DataFrame({"seller": sorted(set(known["seller"]))})
    for column in deals.spec.hierarchy:
        counts = (
            known.loc[known[column] != ""].groupby(["seller", column]).size().rename("deals").reset_index()
        )
        counts = counts.sort_values(["seller", "deals", column], ascending=[True, False, True])
        chosen = counts.drop_duplicates("seller").set_index("seller")[column]
        others = counts.loc[counts["seller"].duplicated()].groupby("seller")["deals"].sum()
        for seller, count in others.items():
            where = {"table": "sellers", "column": column, "value": seller}
            quality.note("hierarchy_mixed", "changed", int(count), chosen=chosen[seller], **where)
        units = frame["seller"].map(chosen)
        for seller in frame.loc[units.isna(), "seller"]:
            quality.note(
                "seller_without_unit", "note", table="sellers", column=column, value=seller, label=NO_UNIT
            )
        frame[column] = units.fillna(NO_UNIT).to_numpy()
    return frame


def _activity(deals: Deals, names: list[str]) -> tuple[IntArray, IntArray]:
    """First and last month in which each seller opened or closed a deal: (S,) each."""
    seller = seller_numbers(deals, names)
    first, last = np.full(len(names), np.iinfo(np.int64).max), np.full(len(names), -1)
    for column in ("opened_month", "closed_month"):
        month = deals.frame[column].to_numpy()
        seen = (seller >= 0) & (month >= 0)
        np.minimum.at(first, seller[seen], month[seen])
        np.maximum.at(last, seller[seen], month[seen])
    return first, last


def _productivity(
    deals: Deals, frame: pd.DataFrame, first: IntArray, season: Season, log: EstimateLog
) -> tuple[FloatArray, FloatArray]:
    """Revenue a year at full work, and at the mean pace: (S,) each.

    Full work is a high quantile of the recent months, averaged over a moving window. A window's revenue is
    divided by its share of a year, so that a good season does not look like a good seller. With less than six
    months of work the figure is mixed with the median of the last hierarchy unit.
    """
    revenue, shares = _monthly_revenue(deals, list(frame["seller"]), season)
    worked = np.clip(deals.last_month + 1 - np.maximum(first, deals.recent_month), 0, len(shares))
    own = np.array([_throughput(revenue[row], shares, count, deals) for row, count in enumerate(worked)])
    weight = np.minimum(worked / _MONTHS_FOR_OWN_THROUGHPUT, 1.0)
    unit, parents = _units_above(deals, frame)
    value = weight * own + (1.0 - weight) * _typical(own, weight >= 1.0, unit)
    pace = revenue.sum(axis=1) / shares.sum()
    won = deals.outcome("won") & deals.recent()
    seller = seller_numbers(deals, list(frame["seller"]))
    count = np.bincount(seller[won & (seller >= 0)], minlength=len(frame))
    names, spec = _seller_keys(frame), deals.spec.method
    method = f"quantile_{spec.throughput_quantile:g}_of_{spec.throughput_window}_month_means"
    log.add("sellers.productivity", names, value, method, n=count, parents=parents, own_weight=weight)
    log.add("sellers.pace", names, pace, "sum_over_share_of_year", n=count)
    return value, np.asarray(pace, dtype=np.float64)


def _typical(own: FloatArray, experienced: NDArray[np.bool_], unit: IntArray) -> FloatArray:
    """Median of the experienced sellers of a seller's unit, of the company where it has none: (S,)."""
    company = float(np.median(own[experienced] if experienced.any() else own))
    median = pd.Series(own).where(experienced).groupby(unit).transform("median").fillna(company)
    return np.asarray(median, dtype=np.float64)


def _units_above(deals: Deals, frame: pd.DataFrame) -> tuple[IntArray, list[str]]:
    """Number and name of the unit right above each seller (S,); the company where there is no hierarchy."""
    if not deals.spec.hierarchy:
        return np.zeros(len(frame), dtype=np.int64), ["all"] * len(frame)
    name = deals.spec.hierarchy[-1]
    numbers = pd.factorize(frame[name], sort=True)[0].astype(np.int64)
    return numbers, [f"{name}={label}" for label in frame[name]]


def _seller_keys(frame: pd.DataFrame) -> list[str]:
    return [f"seller={label}" for label in frame["seller"]]


def _monthly_revenue(deals: Deals, names: list[str], season: Season) -> tuple[FloatArray, FloatArray]:
    """Won revenue by seller and recent month (S, months), and each month's share of a year (months,)."""
    months = np.arange(deals.recent_month, deals.last_month + 1)
    seller = seller_numbers(deals, names)
    chosen = deals.outcome("won") & deals.recent() & (seller >= 0)
    cell = seller[chosen] * len(months) + deals.frame["closed_month"].to_numpy()[chosen] - deals.recent_month
    revenue = np.bincount(
        cell, weights=deals.frame["amount"].to_numpy()[chosen], minlength=len(names) * len(months)
    )
    return revenue.reshape(len(names), len(months)).astype(np.float64), season.of(months)


def _throughput(revenue: FloatArray, shares: FloatArray, worked: int, deals: Deals) -> float:
    """Quantile over the last `worked` months of window revenue / its share of a year, at least the mean."""
    if worked == 0:
        return 0.0
    window = min(deals.spec.method.throughput_window, worked)
    sold, share = (sliding_window_view(values[-worked:], window).sum(axis=1) for values in (revenue, shares))
    pace = sold / np.maximum(share, 1e-9)
    mean = revenue[-worked:].sum() / max(float(shares[-worked:].sum()), 1e-9)
    return max(0.0, float(mean), float(np.quantile(pace, deals.spec.method.throughput_quantile)))


def _win_factor(deals: Deals, frame: pd.DataFrame, rates: MarketRates, log: EstimateLog) -> FloatArray:
    """Win rate over the one that the markets of a seller's deals give, pooled with the unit above: (S,)."""
    if not deals.has_outcomes:
        return np.ones(len(frame))
    seller = seller_numbers(deals, list(frame["seller"]))
    closed = deals.outcome("won", "lost") & (seller >= 0)
    market = deals.frame["market"].to_numpy()
    size = len(frame)
    count = np.bincount(seller[closed], minlength=size).astype(np.float64)
    won = np.bincount(seller[closed & deals.outcome("won")], minlength=size).astype(np.float64)
    expected = np.bincount(seller[closed], weights=rates.win_rate[market[closed]], minlength=size)
    base = np.where(count > 0, expected / np.maximum(count, 1.0), float(rates.win_rate.mean()))
    unit, parents = _units_above(deals, frame)
    sums = [np.bincount(unit, weights=values).astype(np.float64) for values in (won, count, expected)]
    unit_base = np.where(sums[1] > 0, sums[2] / np.maximum(sums[1], 1.0), float(base.mean()))
    unit_factor = pool_rates(sums[0], sums[1], unit_base).value / unit_base
    pooled = pool_rates(won, count, base * unit_factor[unit])
    keys, method = _seller_keys(frame), "beta_binomial_pooling"
    log.add_pooled("sellers.win_factor", keys, pooled, method, n=count, parents=parents, scale=1.0 / base)
    return pooled.value / base
