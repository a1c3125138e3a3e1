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
BoolArray = NDArray[np.bool_]
PoolLevel = Callable[[IntArray, int, FloatArray], Pooled]


@dataclass(frozen=True)
class MarketRates:
    """Rates of M markets, arrays (M,)."""

    win_rate: FloatArray
    """Won / (won + lost); 1 where lost deals are not recorded."""
    price: FloatArray
    """Currency a unit; NaN where neither a list price nor a sale is known."""
    units_per_deal: FloatArray
    """Units a won deal."""


def market_rates(deals: Deals, log: EstimateLog) -> MarketRates:
    """Estimate the rates of every market from the whole history."""
    return MarketRates(_win_rate(deals, log), _price(deals, log), _units_per_deal(deals, log))


def _win_rate(deals: Deals, log: EstimateLog) -> FloatArray:
    """won / (won + lost), pooled down the columns of `by` by `pool_rates`; open deals do not count."""
    if not deals.has_outcomes:
        log.assume("markets.win_rate", ["all"], 1.0, "no_lost_deals_in_history")
        return np.ones(deals.num_markets)
    won, closed = deals.count(deals.outcome("won")), deals.count(deals.outcome("won", "lost"))

    def pool(groups: IntArray, size: int, parent: FloatArray) -> Pooled:
        return pool_rates(_sums(groups, won, size), _sums(groups, closed, size), parent)

    pooled, parents = _down_the_levels(deals, pool, (won.sum() + 0.5) / (closed.sum() + 1.0))
    log.add("markets.win_rate", ["all"], won.sum() / closed.sum(), "won_over_closed", n=closed.sum())
    log.add_pooled(
        "markets.win_rate", deals.market_keys(), pooled, "beta_binomial_pooling", n=closed, parents=parents
    )
    return pooled.value


def _price(deals: Deals, log: EstimateLog) -> FloatArray:
    """Revenue / units; the ratio to the list price is pooled where that is known, else the price itself."""
    won = deals.outcome("won")
    listed = deals.frame.groupby("market")["list_price"].mean().to_numpy(dtype=np.float64)
    base = np.where(np.isnan(listed), 1.0, listed)
    quantity = deals.frame["quantity"].to_numpy(dtype=np.float64)
    market = deals.frame["market"].to_numpy()
    ratio = deals.frame["amount"].to_numpy() / quantity / base[market]
    at_list = _sums(market, np.where(won, quantity * base[market], 0.0), deals.num_markets)
    has_list = not np.isnan(listed).all()
    pooled, parents = _pooled_mean(deals, won, ratio, deals.count(won, "amount"), at_list)
    method = "list_price_x_pooled_ratio" if has_list else "normal_pooling"
    keys, count = deals.market_keys(), deals.count(won)
    log.add_pooled("markets.price", keys, pooled, method, n=count, parents=parents, scale=base)
    chosen = deals.frame.loc[won]
    median = (chosen["amount"] / chosen["quantity"]).groupby(chosen["market"]).median()
    every = range(deals.num_markets)
    log.add("markets.price_median", keys, median.reindex(every).to_numpy(), "median", n=count)
    log.add("markets.units_won", keys, deals.count(won, "quantity"), "sum", n=count)
    if not has_list:
        return pooled.value
    log.add("markets.list_price", keys, listed, "look_up", n=count)
    return np.where(np.isnan(listed) & (count == 0), np.nan, pooled.value * base)


def _units_per_deal(deals: Deals, log: EstimateLog) -> FloatArray:
    """Units of a won deal, pooled down the columns of `by`."""
    if "quantity" not in deals.spec.known_columns:
        log.assume("markets.units_per_deal", ["all"], 1.0, "no_quantity_in_history")
        return np.ones(deals.num_markets)
    won = deals.outcome("won")
    quantity = deals.frame["quantity"].to_numpy(dtype=np.float64)
    count = deals.count(won)
    pooled, parents = _pooled_mean(deals, won, quantity, deals.count(won, "quantity"), count)
    log.add_pooled(
        "markets.units_per_deal", deals.market_keys(), pooled, "normal_pooling", n=count, parents=parents
    )
    return pooled.value


def _pooled_mean(
    deals: Deals, mask: BoolArray, values: FloatArray, total: FloatArray, weight: FloatArray
) -> tuple[Pooled, list[str]]:
    """Pool total / weight of the markets (M,) by `pool_means`; `values` (N,) show how deals vary."""
    count, variance = deals.count(mask), _variances(deals, mask, values)

    def pool(groups: IntArray, size: int, parent: FloatArray) -> Pooled:
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = _sums(groups, total, size) / _sums(groups, weight, size)
        number = _sums(groups, count, size)
        spread = _sums(groups, count * variance, size) / np.maximum(number, 1.0)
        return pool_means(mean, number, spread, parent)

    return _down_the_levels(deals, pool, total.sum() / weight.sum())


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
        pooled = pool(groups, size, parent).take(groups)
        value = pooled.value
    depth = len(levels) - 2
    return pooled, [deals.group_label(depth, market) for market in range(deals.num_markets)]


def _variances(deals: Deals, mask: BoolArray, values: FloatArray) -> FloatArray:
    """Variance of `values` over each market's deals (M,); the pooled one where there are fewer than two."""
    market = deals.frame["market"].to_numpy()[mask]
    size = deals.num_markets
    count = np.bincount(market, minlength=size).astype(np.float64)
    mean = _sums(market, values[mask], size) / np.maximum(count, 1.0)
    squares = _sums(market, (values[mask] - mean[market]) ** 2, size)
    pooled = squares.sum() / max(float(np.maximum(count - 1.0, 0.0).sum()), 1.0)
    return np.where(count > 1, squares / np.maximum(count - 1.0, 1.0), pooled)


def _sums(groups: IntArray, values: FloatArray, size: int) -> FloatArray:
    return np.bincount(groups, weights=values, minlength=size).astype(np.float64)
