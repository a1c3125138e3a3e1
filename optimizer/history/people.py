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

_MONTHS_FOR_OWN_THROUGHPUT = 6


@dataclass(frozen=True)
class Team:
    """S sellers with deals, sorted by name."""

    frame: pd.DataFrame
    """`seller` and the hierarchy columns, then `productivity` (currency a year), a row a seller."""
    win_factor: FloatArray
    """Win rate over what the sold markets would give (S,)."""
    active: NDArray[np.bool_]
    """Sellers with a deal in the last months; the others are not in the plan (S,)."""


def team(deals: Deals, rates: MarketRates, season: Season, log: EstimateLog, quality: Quality) -> Team:
    """Estimate everything about the sellers."""
    frame = _members(deals, quality)
    activity = _activity(deals, list(frame["seller"]))
    last, first = activity.max(axis=1), activity.min(axis=1)
    active = last > deals.last_month - deals.spec.method.idle_months
    for seller in frame.loc[~active, "seller"]:
        quality.note("seller_idle", "note", deals.spec.method.idle_months, table="sellers", column="seller", value=seller)
    frame["productivity"] = _productivity(deals, frame, first, season, log, quality)
    quality.note("hours_unknown", "assumed", int(active.sum()), table="sellers", column="capacity")
    log.add("sellers", "hours", ["all"], np.nan, "hours", method="not_in_history_productivity_stands_in", origin="assumed")
    return Team(frame, _win_factor(deals, frame, rates, log), active)


def seller_numbers(deals: Deals, names: list[str]) -> IntArray:
    """Position of each deal's seller in `names` (N,); -1 where the seller is blank."""
    return np.asarray(pd.Index(names).get_indexer(deals.frame["seller"]), dtype=np.int64)


def territories(deals: Deals, people: Team, quality: Quality) -> pd.DataFrame:
    """Who may sell what: the markets in which a seller, or the unit above, has had a deal of any outcome."""
    unit, by = deals.spec.territories, deals.spec.by
    present = people.frame.loc[people.active, "seller"]
    frame = deals.frame.loc[deals.frame["seller"].isin(present)]
    if unit != "seller":
        of_seller = people.frame.set_index("seller")[unit]
        frame = frame.assign(**{unit: frame["seller"].map(of_seller)})
    keys = [unit, *(column for column in by if column != unit)]
    found = frame.groupby(keys, sort=True).size().reset_index(name="deals")
    if unit != "seller":
        quality.note("territories_pooled", "note", len(found), table="territories", column=unit)
    return found.loc[found[unit] != "", keys].reset_index(drop=True)


def _members(deals: Deals, quality: Quality) -> pd.DataFrame:
    """The sellers with their units; where the history gives a seller several, the most frequent one."""
    known = deals.frame.loc[deals.frame["seller"] != ""]
    frame = pd.DataFrame({"seller": sorted(set(known["seller"]))})
    for column in deals.spec.hierarchy:
        counts = known.groupby(["seller", column]).size().rename("deals").reset_index()
        counts = counts.sort_values(["seller", "deals", column], ascending=[True, False, True])
        chosen = counts.drop_duplicates("seller").set_index("seller")[column]
        for seller, several in counts.groupby("seller"):
            if len(several) > 1:
                quality.note("hierarchy_mixed", "changed", int(several["deals"].iloc[1:].sum()), table="sellers", column=column,
                             value=str(seller), chosen=str(chosen[seller]))  # fmt: skip
        frame[column] = frame["seller"].map(chosen).to_numpy()
    return frame


def _activity(deals: Deals, names: list[str]) -> IntArray:
    """First and last month in which each seller opened or closed a deal: (S, 2)."""
    seller = seller_numbers(deals, names)
    months = np.stack([deals.frame[name].to_numpy() for name in ("opened_month", "closed_month")], axis=1)
    first, last = np.full(len(names), np.iinfo(np.int64).max), np.full(len(names), -1)
    for column in range(2):
        seen = (seller >= 0) & (months[:, column] >= 0)
        np.minimum.at(first, seller[seen], months[seen, column])
        np.maximum.at(last, seller[seen], months[seen, column])
    return np.stack([first, last], axis=1)


def _productivity(
    deals: Deals, frame: pd.DataFrame, first: IntArray, season: Season, log: EstimateLog, quality: Quality
) -> FloatArray:
    """Revenue a year of each seller (S,): a high quantile of the months, averaged over a moving window.

    A window's revenue is divided by its share of a year, so that a good season does not look like a good
    seller. With less than six months of work the figure is mixed with the median of the last hierarchy unit.
    """
    revenue, shares = _monthly_revenue(deals, list(frame["seller"]), season)
    worked = np.clip(deals.last_month + 1 - np.maximum(first, deals.recent_month), 0, len(shares))
    own = np.array([_throughput(revenue[row], shares, count, deals) for row, count in enumerate(worked)])
    unit = frame[deals.spec.hierarchy[-1]] if deals.spec.hierarchy else pd.Series("", index=frame.index)
    experienced = worked >= _MONTHS_FOR_OWN_THROUGHPUT
    typical = pd.Series(own).where(experienced).groupby(unit.to_numpy()).transform("median")
    typical = typical.fillna(float(np.median(own[experienced] if experienced.any() else own)))
    weight = np.minimum(worked / _MONTHS_FOR_OWN_THROUGHPUT, 1.0)
    value = weight * own + (1.0 - weight) * typical.to_numpy()
    won = deals.outcome("won") & deals.recent()
    seller = seller_numbers(deals, list(frame["seller"]))
    count = np.bincount(seller[won & (seller >= 0)], minlength=len(frame))
    names = [f"seller={name}" for name in frame["seller"]]
    parents = [f"{deals.spec.hierarchy[-1]}={label}" if deals.spec.hierarchy else "all" for label in unit]
    log.add("sellers", "productivity", names, value, "currency a year", n=count,
            method=f"quantile_{deals.spec.method.throughput_quantile:g}_of_{deals.spec.method.throughput_window}_month_means",
            pooled_with=parents, own_weight=weight)  # fmt: skip
    log.add("sellers", "pace", names, revenue.sum(axis=1) / shares.sum(), "currency a year", n=count,
            method="sum_over_share_of_year")  # fmt: skip
    quality.note("productivity_method", "note", len(frame), table="sellers", column="productivity",
                 quantile=f"{deals.spec.method.throughput_quantile:.0%}", window=deals.spec.method.throughput_window)  # fmt: skip
    return value


def _monthly_revenue(deals: Deals, names: list[str], season: Season) -> tuple[FloatArray, FloatArray]:
    """Won revenue of each seller in each recent month (S, months), and the share of a year of each month (months,)."""
    months = np.arange(deals.recent_month, deals.last_month + 1)
    seller = seller_numbers(deals, names)
    chosen = deals.outcome("won") & deals.recent() & (seller >= 0)
    cell = seller[chosen] * len(months) + deals.frame["closed_month"].to_numpy()[chosen] - deals.recent_month
    revenue = np.bincount(cell, weights=deals.frame["amount"].to_numpy()[chosen], minlength=len(names) * len(months))
    return revenue.reshape(len(names), len(months)).astype(np.float64), season.of(months)


def _throughput(revenue: FloatArray, shares: FloatArray, worked: int, deals: Deals) -> float:
    """Quantile over the last `worked` months of (revenue of a window / its share of a year), at least their mean."""
    if worked == 0:
        return 0.0
    window = min(deals.spec.method.throughput_window, worked)
    sold, share = (sliding_window_view(values[-worked:], window).sum(axis=1) for values in (revenue, shares))
    pace = sold / np.maximum(share, 1e-9)
    mean = revenue[-worked:].sum() / max(float(shares[-worked:].sum()), 1e-9)
    return max(0.0, float(mean), float(np.quantile(pace, deals.spec.method.throughput_quantile)))


def _win_factor(deals: Deals, frame: pd.DataFrame, rates: MarketRates, log: EstimateLog) -> FloatArray:
    """A seller's win rate over the rate that the markets of his or her deals would give, pooled with the unit above."""
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
    unit_factor, parents = np.ones(size), ["all"] * size
    if deals.spec.hierarchy:
        name = deals.spec.hierarchy[-1]
        unit = pd.factorize(frame[name], sort=True)[0]
        sums = [np.bincount(unit, weights=values) for values in (won, count, expected)]
        unit_base = np.where(sums[1] > 0, sums[2] / np.maximum(sums[1], 1.0), float(base.mean()))
        unit_factor = (pool_rates(sums[0], sums[1], unit_base).value / unit_base)[unit]
        parents = [f"{name}={label}" for label in frame[name]]
    pooled = pool_rates(won, count, base * unit_factor)
    log.add("sellers", "win_factor", [f"seller={label}" for label in frame["seller"]], pooled.value / base, "factor", n=count,
            low=pooled.low / base, high=pooled.high / base, method="beta_binomial_pooling", pooled_with=parents,
            own_weight=pooled.own_weight)  # fmt: skip
    return pooled.value / base
