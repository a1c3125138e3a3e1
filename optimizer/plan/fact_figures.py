"""What facts say beyond their own columns: units of a revenue, margin, commission, hours, by mean rates.

    rate[r,t] = sum over the pairs p of pool r of weight[p,t] rate[p,t] / sum weight[p,t]

The weight is planned units of the pair (their revenue for shares of revenue) where the table `planned` has
them, else last year's of the market where they are known, else 1. Where all pairs that a pool covers have one
rate, it is that rate; else the mean is written down as an assumption.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from optimizer.plan.assumptions import AssumptionLog
from optimizer.plan.markets import Markets
from optimizer.plan.matching import matching_rows, prefixed
from optimizer.plan.plan import Plan
from optimizer.plan.scopes import market_dimensions
from optimizer.plan.sellers import Selling
from optimizer.plan.tables import Table

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

_LITTLE = 1e-9
"""Share of a weight that is as good as none."""
_SAME = 1e-9
"""Rates that differ by less than this share are one rate."""


def pool_pairs(plan: Plan, pools: Table, selling: Selling) -> tuple[IntArray, IntArray]:
    """(pool, pair of seller and market) for every pair that a pool covers, ordered by pool."""
    if not len(selling.pairs.seller):
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    rows, covered = matching_rows(pools, pair_labels(plan, selling))
    return rows, covered


def pair_labels(plan: Plan, selling: Selling) -> dict[str, list[str]]:
    """Column of sellers or markets -> label of each pair (P,)."""
    pairs = selling.pairs
    sides = [(selling.sellers.labels, pairs.seller, "seller")]
    if len(plan.tables["markets"]):
        sides.append((market_dimensions(plan.tables["markets"]), pairs.market, "market"))
    side: dict[str, list[str]] = {}
    for labels, position, prefix in sides:
        for name, values in prefixed(labels, prefix).items():
            side[name] = [values[at] for at in position.tolist()]
    return side


class MeanRates:
    """Mean rates of R pools over the pairs that they cover."""

    def __init__(
        self,
        markets: Markets,
        selling: Selling,
        pairs: tuple[IntArray, IntArray],
        size: int,
        planned: FloatArray | None,
    ) -> None:
        self.markets, self.selling = markets, selling
        count = len(selling.pairs.market)
        rows, columns = pairs
        cover = sparse.coo_array((np.ones(len(rows)), (rows, columns)), shape=(size, count)).tocsr()
        alone = np.flatnonzero(cover.sum(axis=1) == 0)
        if len(alone) and count:
            # Nobody may sell what such a pool covers; the mean of everything stands in.
            everything = sparse.csr_array(np.ones((len(alone), count)))
            picked = sparse.csr_array(
                (np.ones(len(alone)), (alone, np.arange(len(alone)))), (size, len(alone))
            )
            cover = cover + picked @ everything
        self._cover = cover
        units = np.nan_to_num(markets.last_year_units)[selling.pairs.market]
        self.by_units = units + (_LITTLE * units.mean() if units.any() else 1.0)
        if planned is not None:
            # Where nothing was planned last year is left.
            self.by_units = planned + _LITTLE * self.by_units / self.by_units.max(initial=1.0)
        self.by_revenue = self.by_units * markets.price[selling.pairs.market]
        self.mixed = np.zeros(size, dtype=np.bool_)

    def of(self, rate: FloatArray, weight: FloatArray, used: NDArray[np.bool_]) -> FloatArray:
        """The mean rate (R, T); pools of which a figure is derived from several rates are marked mixed."""
        total = self._cover @ weight
        total = np.where(total > 0, total, 1.0)
        mean = (self._cover @ (rate * weight)) / total
        square = (self._cover @ (rate * rate * weight)) / total
        spread = square - mean * mean > _SAME * np.maximum(square, 1e-300)
        self.mixed |= (spread & used).any(axis=1)
        return np.asarray(mean, dtype=np.float64)


def derived_figures(
    markets: Markets,
    selling: Selling,
    told: Mapping[str, FloatArray],
    pairs: tuple[IntArray, IntArray],
    uses: Mapping[int, FloatArray],
    planned: FloatArray | None,
    log: AssumptionLog,
) -> tuple[dict[str, FloatArray], dict[int, FloatArray], FloatArray]:
    """Metric -> what each pool adds to it (R, T), resource -> what its sales took of it (R, T), and the mean
    price of a pool (R, T).

    What the table tells is taken as it is; units follow from revenue or deals, revenue and deals from units,
    and the rest from these.
    """
    mean = MeanRates(markets, selling, pairs, len(told["units"]), planned)
    values, price = _sold(markets, selling, told, mean)
    values |= _earned(markets, selling, told, mean, values)
    sold, units = values["revenue"] != 0.0, values["units"]
    taken = {
        row: units * mean.of(amount[:, None] * np.ones_like(mean.by_units), mean.by_units, sold)
        for row, amount in uses.items()
    }
    key = "facts_at_mean" if planned is None else "facts_as_planned"
    log.note(key, "actuals", "price, margin_rate", int(mean.mixed.sum()), None, scalable=False)
    return values, taken, price


def _sold(
    markets: Markets, selling: Selling, told: Mapping[str, FloatArray], mean: MeanRates
) -> tuple[dict[str, FloatArray], FloatArray]:
    """Units, revenue and deals of each pool (R, T), each from the others where it is not told, with what is
    told of leads; and the mean price."""
    market = selling.pairs.market
    nothing = np.isnan(told["units"]) & np.isnan(told["revenue"]) & np.isnan(told["deals"])
    price = mean.of(
        markets.price[market], mean.by_units, ~nothing & np.isnan(told["units"] * told["revenue"])
    )
    per_unit = mean.of(
        1.0 / markets.units_per_deal[market], mean.by_units, ~nothing & np.isnan(told["deals"])
    )
    units = _first(told["units"], _over(told["revenue"], price), _over(told["deals"], per_unit))
    revenue = _first(told["revenue"], units * price)
    values = {
        "units": units,
        "revenue": revenue,
        "deals": _first(told["deals"], units * per_unit),
        "leads": np.nan_to_num(told["leads"]),
        "opportunities": np.nan_to_num(told["opportunities"]),
    }
    return values, price


def _earned(
    markets: Markets,
    selling: Selling,
    told: Mapping[str, FloatArray],
    mean: MeanRates,
    known: Mapping[str, FloatArray],
) -> dict[str, FloatArray]:
    """What follows from the `known` units, revenue and deals of each pool (R, T): commission, margin,
    contribution, hours, new customers."""
    units, revenue, market = known["units"], known["revenue"], selling.pairs.market
    sold, values = revenue != 0.0, {}
    commission = selling.sellers.commission_rate[selling.pairs.seller][:, None] * np.ones_like(mean.by_units)
    values["commission"] = revenue * mean.of(commission, mean.by_revenue, sold)
    if markets.knows_margin:
        rate = np.nan_to_num(markets.unit_margin / markets.price)[market]
        values["margin"] = _first(told["margin"], revenue * mean.of(rate, mean.by_revenue, sold))
        values["contribution"] = values["margin"] - values["commission"]
    hours = np.nan_to_num(selling.hours_per_unit)
    values["hours"] = _first(told["hours"], units * mean.of(hours, mean.by_units, sold))
    deals = 1.0 / markets.units_per_deal[market]
    new = mean.of(markets.is_new[market][:, None] * deals, mean.by_units, sold)
    values["new_customers"] = known["deals"] * np.nan_to_num(_over(new, mean.of(deals, mean.by_units, sold)))
    return values


def _first(*figures: FloatArray) -> FloatArray:
    """The first figure that is known, cell by cell; 0 where none is."""
    found = figures[0]
    for other in figures[1:]:
        found = np.where(np.isnan(found), other, found)
    return np.nan_to_num(found)


def _over(amount: FloatArray, rate: FloatArray) -> FloatArray:
    return np.divide(amount, rate, out=np.full_like(amount, np.nan), where=rate > 0)
