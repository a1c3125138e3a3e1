"""Win rate, price and units a deal by market: thin markets borrow from the groups that contain them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from optimizer.history.deals import Deals
from optimizer.history.estimates import EstimateLog
from optimizer.history.pooling import Pooled, pool_means, pool_rates

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
PoolLevel = Callable[[IntArray, int, FloatArray], Pooled]


@dataclass(frozen=True)
class MarketRates:
    """Rates of M markets, arrays (M,)."""

    win_rate: FloatArray
    """Won / (won + lost); 1 where lost deals are not recorded."""
    price: FloatArray
    """Currency a unit; NaN where the market and its groups have sold nothing."""
    units_per_deal: FloatArray
    """Units a won deal."""


def market_rates(deals: Deals, log: EstimateLog) -> MarketRates:
    """Estimate the rates of every market from the whole history."""
    return MarketRates(_win_rate(deals, log), _price(deals, log), _units_per_deal(deals, log))


def _win_rate(deals: Deals, log: EstimateLog) -> FloatArray:
    """won / (won + lost), pooled down the columns of `by` by `pool_rates`; open deals do not count."""
    keys = _market_keys(deals)
    if not deals.has_outcomes:
        log.add("markets", "win_rate", ["all"], 1.0, "share", method="no_lost_deals_in_history", origin="assumed")
        return np.ones(deals.num_markets)
    won, closed = deals.count(deals.outcome("won")), deals.count(deals.outcome("won", "lost"))

    def pool(groups: IntArray, size: int, parent: FloatArray) -> Pooled:
        return pool_rates(_sums(groups, won, size), _sums(groups, closed, size), parent)

    company = (won.sum() + 0.5) / (closed.sum() + 1.0)
    pooled, parents = _down_the_levels(deals, pool, company)
    log.add("markets", "win_rate", ["all"], won.sum() / closed.sum(), "share", n=closed.sum(), method="won_over_closed")
    log.add("markets", "win_rate", keys, pooled.value, "share", n=closed, low=pooled.low, high=pooled.high,
            method="beta_binomial_pooling", pooled_with=parents, own_weight=pooled.own_weight)  # fmt: skip
    return pooled.value


def _price(deals: Deals, log: EstimateLog) -> FloatArray:
    """Revenue / units; where list prices are known, the ratio to the list price is pooled, else the price itself."""
    won = deals.outcome("won")
    listed = _list_prices(deals)
    base = np.where(np.isnan(listed), 1.0, listed)
    own_base = base[deals.frame["market"].to_numpy()]
    units, revenue = deals.count(won, "quantity"), deals.count(won, "amount")
    unit_price = deals.frame["amount"].to_numpy() / deals.frame["quantity"].to_numpy() / own_base
    count = deals.count(won)
    weighted = np.where(won, deals.frame["quantity"].to_numpy() * own_base, 0.0)
    at_list = _sums(deals.frame["market"].to_numpy(), weighted, deals.num_markets)
    variance = _variances(deals, won, unit_price)

    def pool(groups: IntArray, size: int, parent: FloatArray) -> Pooled:
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = _sums(groups, revenue, size) / _sums(groups, at_list, size)
        number = _sums(groups, count, size)
        spread = _group_variance(groups, size, count, variance)
        return pool_means(mean, number, spread, parent)

    pooled, parents = _down_the_levels(deals, pool, revenue.sum() / at_list.sum())
    method = "list_price_x_pooled_ratio" if not np.isnan(listed).all() else "normal_pooling"
    log.add("markets", "price", _market_keys(deals), pooled.value * base, "currency/unit", n=count,
            low=np.maximum(pooled.low, 0.0) * base, high=pooled.high * base, method=method, pooled_with=parents,
            own_weight=pooled.own_weight)  # fmt: skip
    _log_prices(deals, log, won, units, listed)
    groups_without_list = np.isnan(listed) & (units <= 0)
    return np.where(groups_without_list & ~np.isnan(listed).all(), np.nan, pooled.value * base)


def _log_prices(deals: Deals, log: EstimateLog, won: NDArray[np.bool_], units: FloatArray, listed: FloatArray) -> None:
    """The median price and the list price beside the price that the plan uses."""
    keys, chosen = _market_keys(deals), deals.frame.loc[won]
    median = (chosen["amount"] / chosen["quantity"]).groupby(chosen["market"]).median()
    log.add("markets", "price_median", keys, median.reindex(range(deals.num_markets)).to_numpy(), "currency/unit",
            n=deals.count(won), method="median")  # fmt: skip
    log.add("markets", "units_won", keys, units, "units in all history", n=deals.count(won), method="sum")
    if not np.isnan(listed).all():
        log.add("markets", "list_price", keys, listed, "currency/unit", method="look_up", n=deals.count(won))


def _units_per_deal(deals: Deals, log: EstimateLog) -> FloatArray:
    won = deals.outcome("won")
    if "quantity" not in deals.spec.known_columns:
        log.add("markets", "units_per_deal", ["all"], 1.0, "units/deal", method="no_quantity_in_history", origin="assumed")
        return np.ones(deals.num_markets)
    count, units = deals.count(won), deals.count(won, "quantity")
    variance = _variances(deals, won, deals.frame["quantity"].to_numpy(dtype=np.float64))

    def pool(groups: IntArray, size: int, parent: FloatArray) -> Pooled:
        number = _sums(groups, count, size)
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = _sums(groups, units, size) / number
        return pool_means(mean, number, _group_variance(groups, size, count, variance), parent)

    pooled, parents = _down_the_levels(deals, pool, units.sum() / count.sum())
    log.add("markets", "units_per_deal", _market_keys(deals), pooled.value, "units/deal", n=count, low=pooled.low,
            high=pooled.high, method="normal_pooling", pooled_with=parents, own_weight=pooled.own_weight)  # fmt: skip
    return pooled.value


def _down_the_levels(deals: Deals, pool: PoolLevel, company: float) -> tuple[Pooled, list[str]]:
    """Pool level by level from the company to the market; each level's values are the parents of the next.

    Returns the estimates of the markets (M,), and the name of the group that each was pooled with.
    """
    levels = deals.levels()
    value = np.full(deals.num_markets, company)
    pooled = Pooled(value, np.ones_like(value), value, value)
    for groups in levels[1:]:
        size = int(groups.max()) + 1
        parent = np.empty(size)
        parent[groups] = value
        found = pool(groups, size, parent)
        pooled = Pooled(found.value[groups], found.own_weight[groups], found.low[groups], found.high[groups])
        value = pooled.value
    depth = len(levels) - 2
    return pooled, [deals.group_label(depth, market) for market in range(deals.num_markets)]


def _market_keys(deals: Deals) -> list[str]:
    return [deals.group_label(len(deals.spec.by), market) for market in range(deals.num_markets)]


def _list_prices(deals: Deals) -> FloatArray:
    """List price of each market (M,): the mean over its deals, NaN where unknown."""
    return deals.frame.groupby("market")["list_price"].mean().to_numpy(dtype=np.float64)


def _variances(deals: Deals, mask: NDArray[np.bool_], values: FloatArray) -> FloatArray:
    """Variance of `values` over each market's deals (M,); the pooled variance where a market has fewer than two."""
    market = deals.frame["market"].to_numpy()[mask]
    size = deals.num_markets
    count = np.bincount(market, minlength=size).astype(np.float64)
    mean = _sums(market, values[mask], size) / np.maximum(count, 1.0)
    squares = _sums(market, (values[mask] - mean[market]) ** 2, size)
    pooled = squares.sum() / max(float(np.maximum(count - 1.0, 0.0).sum()), 1.0)
    return np.where(count > 1, squares / np.maximum(count - 1.0, 1.0), pooled)


def _group_variance(groups: IntArray, size: int, count: FloatArray, variance: FloatArray) -> FloatArray:
    """Variance within the markets of each group (size,), by number of deals."""
    return _sums(groups, count * variance, size) / np.maximum(_sums(groups, count, size), 1e-300)


def _sums(groups: IntArray, values: FloatArray, size: int) -> FloatArray:
    return np.bincount(groups, weights=values, minlength=size).astype(np.float64)
