"""What quotas are measured against: plan, last year, potential and capacity of every leaf and span."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from optimizer.errors import InputError, Place
from optimizer.model.cube import Cube
from optimizer.model.metrics import SALES_METRICS, mean_capacity
from optimizer.plan.names import nearest
from optimizer.plan.schema import QuotaSpec
from optimizer.quotas.levels import Levels
from optimizer.quotas.spans import Spans
from optimizer.result.evaluate import as_planned, seller_context
from optimizer.result.solution import Solution

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

METRICS = tuple(name for name in SALES_METRICS if name != "load")
NOISE = 1e-9
"""Figures below this share of their largest are rounding of the solver."""


@dataclass(frozen=True, eq=False)
class Bases:
    """Figures by leaf and shortest span (L, T), in the unit of the quota's metric except `capacity`, which
    is in average seats; None where nothing is known. `nodes` are the leaves' names."""

    plan: FloatArray
    last_year: FloatArray | None
    potential: FloatArray | None
    capacity: FloatArray
    nodes: Callable[[int], str] = str

    def named(self, name: str, place: Place) -> FloatArray:
        """One of them by name; raises `InputError` where it is not known, zero everywhere, or negative for a
        leaf."""
        found: FloatArray | None = getattr(self, name)
        if found is None or not found.any():
            raise InputError("quotas.basis_unknown", place, basis=name)
        negative = found.sum(axis=1) < -NOISE * np.abs(found).max()
        if negative.any():
            node = self.nodes(int(negative.argmax()))
            raise InputError("quotas.basis_below_zero", place, basis=name, node=node)
        return found


def check_metric(metric: str, place: Place) -> None:
    """Raise `InputError` unless a metric is a sum over sales."""
    if metric not in METRICS:
        near = nearest(metric, METRICS)
        raise InputError("quotas.metric", place, metric=metric, nearest=near, known=", ".join(METRICS))


def leaf_bases(solution: Solution, spec: QuotaSpec, levels: Levels, spans: Spans, code: IntArray) -> Bases:
    """The figures of every leaf; `code` is the shortest span of each period, before members are told apart.

    Last year and potential are known by market: a market's figure is split over those who may sell there in
    proportion to their capacity in the period, ramp included (who has no limit counts as one seat). A
    seller's capacity is split over several leaves in proportion to the plan.
    """
    cube = as_planned(solution)
    inside = seller_context(solution.sellers).scopes.period_mask(spec.where)
    rate = solution.metrics.coefficient(spec.metric)
    pairs = levels.pairs

    def by_leaf(values: FloatArray) -> FloatArray:
        found = np.zeros((levels.tree.num_leaves, spans.size))
        periods = np.flatnonzero(inside)
        cell = levels.member[:, None] * (spans.size // len(levels.members)) + code[periods][None, :]
        np.add.at(found, (levels.leaf[:, None], cell), values[:, periods])
        return found

    planned = solution.metrics.by_cell(spec.metric, solution.x)
    plan = _clean(by_leaf(planned[pairs]), spec.metric, levels)
    split = market_shares(cube)[pairs]
    markets, market = cube.markets, cube.pair_market[pairs]
    revenue = spec.metric == "revenue"
    past = markets.last_year_revenue[market] if revenue else markets.last_year_units[market] * rate[pairs]
    last_year = None if np.isnan(past).all() else by_leaf(np.nan_to_num(past) * split)
    ahead = markets.potential[market] * rate[pairs]
    potential = by_leaf(ahead * split) if np.isfinite(ahead).all() else None
    first = int(levels.tree.starts[-2])
    return Bases(
        plan,
        last_year,
        potential,
        by_leaf(_pair_capacity(cube, planned, pairs)),
        lambda leaf: levels.tree.name(first + leaf, ""),
    )


def _clean(values: FloatArray, metric: str, levels: Levels) -> FloatArray:
    """The figures without noise; raises `InputError` where one is negative, as a margin may be."""
    noise = NOISE * np.abs(values).max(initial=0.0)
    if (values < -noise).any():
        leaf = int((values < -noise).any(axis=1).argmax())
        node = levels.tree.name(leaf + int(levels.tree.starts[-2]), "")
        raise InputError("quotas.basis_negative", levels.place, node=node, metric=metric)
    return np.where(values > noise, values, 0.0)


def seats(cube: Cube) -> FloatArray:
    """Capacity of each seller in average seats by period (S, T); presence for sellers without a limit."""
    mean = mean_capacity(cube)[:, None]
    limited = np.isfinite(cube.capacity) & np.isfinite(mean)
    return np.asarray(np.divide(cube.capacity, mean, out=cube.presence.copy(), where=limited))


def market_shares(cube: Cube) -> FloatArray:
    """Share of each pair in its market by period (P, T): by seats, equal where nobody is there yet."""
    weight = seats(cube)[cube.pair_seat]
    size = (len(cube.markets.names), cube.num_periods)
    total, count = np.zeros(size), np.zeros(size)
    np.add.at(total, cube.pair_market, weight)
    np.add.at(count, cube.pair_market, 1.0)
    equal = 1.0 / count[cube.pair_market]
    of_market = total[cube.pair_market]
    return np.asarray(np.divide(weight, of_market, out=equal, where=of_market > 0))


def _pair_capacity(cube: Cube, planned: FloatArray, pairs: IntArray) -> FloatArray:
    """Seats of each seller split over the pairs in scope by the plan, equally where there is none (Q, T)."""
    seat = cube.pair_seat[pairs]
    size = (len(cube.seat_names), cube.num_periods)
    total, count = np.zeros(size), np.zeros(size)
    np.add.at(total, seat, np.maximum(planned[pairs], 0.0))
    np.add.at(count, seat, 1.0)
    share = np.divide(
        np.maximum(planned[pairs], 0.0), total[seat], out=1.0 / count[seat], where=total[seat] > 0
    )
    return np.asarray(seats(cube)[seat] * share)
