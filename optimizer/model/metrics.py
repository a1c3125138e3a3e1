"""Metrics and ratios as linear expressions over the cube. docs/metrics.md says the same in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from optimizer.errors import InputError
from optimizer.model.cube import Cube
from optimizer.model.scopes import Members, Scopes
from optimizer.model.terms import Terms, sum_by
from optimizer.plan.names import nearest

FloatArray = NDArray[np.float64]
Unit = Literal["units", "deals", "currency", "hours", "heads", "customers", "share", "seats"]


@dataclass(frozen=True)
class Activities:
    """Where the activities of a model stand among its columns, and what they use.

    `sales` cells are the columns 0 .. P*T-1. `extra_start` is the first column of extra resources (R, T),
    bought at
    `extra_price` (R,); None where nothing can be bought. `uses` is (P, R): resource a unit sold;
    `fixed_uses` (R, T).
    """

    cube: Cube
    resources: tuple[str, ...]
    uses: Mapping[int, FloatArray]
    fixed_uses: FloatArray
    extra_start: int | None
    extra_price: FloatArray


Coefficient = Callable[[Activities], FloatArray]


def _revenue(a: Activities) -> FloatArray:
    return a.cube.by_market(a.cube.markets.price)


def _margin(a: Activities) -> FloatArray:
    if not a.cube.markets.knows_margin:
        raise InputError("model.no_margin")
    return a.cube.by_market(a.cube.markets.unit_margin)


def _commission(a: Activities) -> FloatArray:
    return _revenue(a) * a.cube.commission_rate[a.cube.pair_seat][:, None]


def _deals(a: Activities) -> FloatArray:
    return 1.0 / a.cube.by_market(a.cube.markets.units_per_deal)


def _new_customers(a: Activities) -> FloatArray:
    return _deals(a) * a.cube.markets.is_new[a.cube.pair_market][:, None]


def _load(a: Activities) -> FloatArray:
    """Average seller-periods that a unit takes; 0 for sellers without a limit."""
    mean = mean_capacity(a.cube)[a.cube.pair_seat][:, None]
    return np.asarray(
        np.divide(a.cube.effort, mean, out=np.zeros_like(a.cube.effort), where=np.isfinite(mean))
    )


def mean_capacity(cube: Cube) -> FloatArray:
    """Capacity of an average seller and period among those who count in the same unit (G,); inf without a
    limit.

    The mean is over all of them, so that loads add up: a group's load is the sum of its members'.
    """
    units = np.array(cube.inputs.selling.sellers.capacity_unit)[cube.groups.first]
    mean = np.full(len(units), np.inf)
    for unit in set(units.tolist()) - {""}:
        own = units == unit
        there = cube.presence[own].sum()
        if there > 0:
            mean[own] = cube.capacity[own].sum() / there
    return np.where(mean > 0, mean, np.inf)


def seats_of_capacity(cube: Cube) -> FloatArray:
    """Capacity of each seat in average seller-periods (G, T); 0 without a limit."""
    mean = mean_capacity(cube)[:, None]
    return np.asarray(
        np.divide(cube.capacity, mean, out=np.zeros_like(cube.capacity), where=np.isfinite(mean))
    )


SALES_METRICS: dict[str, tuple[Unit, Coefficient]] = {
    "units": ("units", lambda a: np.ones((a.cube.num_pairs, a.cube.num_periods))),
    "deals": ("deals", _deals),
    "revenue": ("currency", _revenue),
    "margin": ("currency", _margin),
    "commission": ("currency", _commission),
    "contribution": ("currency", lambda a: _margin(a) - _commission(a)),
    "hours": ("hours", lambda a: np.nan_to_num(a.cube.hours)),
    "new_customers": ("customers", _new_customers),
    "load": ("seats", _load),
}
SEAT_METRICS: dict[str, Unit] = {"headcount": "heads", "capacity": "seats", "seller_cost": "currency"}
OTHER_METRICS: dict[str, Unit] = {
    "extra_cost": "currency",
    "market_size": "currency",
    "last_year": "currency",
    "last_year_units": "units",
}
RATIOS: dict[str, tuple[str, str, Unit]] = {
    "average_check": ("revenue", "deals", "currency"),
    "average_price": ("revenue", "units", "currency"),
    "margin_rate": ("margin", "revenue", "share"),
    "market_share": ("revenue", "market_size", "share"),
    "growth": ("revenue", "last_year", "share"),
    "utilisation": ("load", "capacity", "share"),
}
"""Ratio -> numerator, denominator, unit. growth is numerator / denominator - 1."""


class Metrics:
    """Makes the expressions of a metric for the members of a rule, on one set of activities."""

    def __init__(self, activities: Activities, scopes: Scopes) -> None:
        self.activities = activities
        self.scopes = scopes
        self._coefficients: dict[str, FloatArray] = {}

    def known(self) -> list[str]:
        """Every metric and ratio that this plan has."""
        return [*SALES_METRICS, *SEAT_METRICS, *OTHER_METRICS, *RATIOS, *self.activities.resources]

    def unit(self, metric: str) -> str:
        """Unit of a metric; raises `InputError` when it is unknown."""
        if metric in SALES_METRICS:
            return SALES_METRICS[metric][0]
        for table in (SEAT_METRICS, OTHER_METRICS):
            if metric in table:
                return table[metric]
        if metric in RATIOS:
            return RATIOS[metric][2]
        if metric in self.activities.resources:
            return metric
        raise InputError(
            "model.metric_unknown",
            metric=metric,
            nearest=nearest(metric, self.known()),
            known=", ".join(self.known()),
        )

    def coefficient(self, metric: str) -> FloatArray:
        """Metric a unit sold (P, T), for metrics of sales and for resources."""
        if metric not in self._coefficients:
            if metric in SALES_METRICS:
                self._coefficients[metric] = SALES_METRICS[metric][1](self.activities)
            else:
                position = self.activities.resources.index(metric)
                self._coefficients[metric] = self.activities.uses[position]
        return self._coefficients[metric]

    def terms(self, metric: str, members: Members, where: Mapping[str, Any]) -> Terms:
        """One expression a member; raises `InputError` for ratios, unknown metrics and sums over unlike
        units."""
        self.unit(metric)
        if metric in RATIOS:
            raise InputError("model.ratio_not_a_sum", metric=metric)
        if metric == "units":
            self._same_unit(where)
        if metric in SEAT_METRICS:
            return self._seat_constants(metric, members, where)
        if metric in ("market_size", "last_year", "last_year_units"):
            return Terms.constants(self.market_constants(metric, members))
        sold = Terms.constants(np.zeros(members.size))
        if metric != "extra_cost":
            sold = cell_terms(members, self.coefficient(metric))
        if metric in ("contribution", "extra_cost"):
            sign = -1.0 if metric == "contribution" else 1.0
            return sold + self._extra_cost(members, where).scaled(sign)
        if metric in self.activities.resources:
            return sold + self._fixed_uses(metric, members, where)
        return sold

    def ratio(self, metric: str, members: Members, where: Mapping[str, Any]) -> tuple[Terms, Terms, float]:
        """Numerator, denominator and what is subtracted from their quotient."""
        top, bottom, _ = RATIOS[metric]
        counted = self.sized(members) if bottom == "market_size" else members
        return (
            self.terms(top, counted, where),
            self.terms(bottom, members, where),
            1.0 if metric == "growth" else 0.0,
        )

    def total(self, metric: str, where: Mapping[str, Any] | None = None) -> Terms:
        """The metric over a whole scope as one expression."""
        scope = where or {}
        return self.terms(metric, self.scopes.members([], scope), scope)

    def _same_unit(self, where: Mapping[str, Any]) -> None:
        markets = self.activities.cube.markets
        found = sorted({markets.unit[row] for row in np.flatnonzero(self.scopes.market_mask(where))})
        if len(found) > 1:
            raise InputError("model.unlike_units", units=", ".join(found))

    def _extra_cost(self, members: Members, where: Mapping[str, Any]) -> Terms:
        """Cost of extra resources: it has no market and no seller, so it counts only in scopes of periods."""
        activities = self.activities
        nothing = Terms.constants(np.zeros(members.size))
        if activities.extra_start is None or not self._is_company_wide(members, where):
            return nothing
        buys = np.flatnonzero(activities.extra_price < np.inf)
        periods = np.flatnonzero(members.period_code >= 0)
        columns = activities.extra_start + buys[:, None] * activities.cube.num_periods + periods[None, :]
        value = np.broadcast_to(activities.extra_price[buys][:, None], columns.shape)
        member = np.broadcast_to(members.period_code[periods][None, :], columns.shape)
        return Terms(member.ravel(), columns.ravel(), value.ravel(), np.zeros(members.size))

    def _is_company_wide(self, members: Members, where: Mapping[str, Any]) -> bool:
        sides = {self.scopes.sides(column)[0] for column in where}
        return sides <= {"period"} and members.size == members.num_period_members

    def _fixed_uses(self, resource: str, members: Members, where: Mapping[str, Any]) -> Terms:
        constant = np.zeros(members.size)
        if self._is_company_wide(members, where):
            used = self.activities.fixed_uses[self.activities.resources.index(resource)]
            inside = members.period_code >= 0
            constant = sum_by(members.period_code[inside], used[inside], members.size)
        return Terms.constants(constant)

    def _seat_constants(self, metric: str, members: Members, where: Mapping[str, Any]) -> Terms:
        """Figures of sellers without variables: each seat counts once, in the member of its cells."""
        cube = self.activities.cube
        share = seats_of_capacity(cube)
        months_a_period = 12.0 / cube.calendar.periods_a_year
        values = {
            "headcount": cube.headcount
            / np.maximum((members.period_code >= 0).sum() / members.num_period_members, 1),
            "capacity": share,
            "seller_cost": cube.seat_cost * months_a_period,
        }[metric]
        seat_code = np.full(len(cube.seat_names), -1, dtype=np.int64)
        np.maximum.at(seat_code, cube.pair_seat, members.pair_code)
        split = (members.pair_code >= 0) & (members.pair_code != seat_code[cube.pair_seat])
        if split.any():
            # A seat that sells in several members would have to be counted in each of them.
            raise InputError("model.seat_metric_by_market", metric=metric)
        grid = seat_code[:, None] * members.num_period_members + members.period_code[None, :]
        inside = (seat_code[:, None] >= 0) & (members.period_code[None, :] >= 0)
        return Terms.constants(sum_by(grid[inside], values[inside], members.size))

    def market_constants(self, metric: str, members: Members) -> FloatArray:
        """A figure of markets (M, T) summed over each member's markets and periods (K,)."""
        if metric == "market_size":
            return self._sizes(members)
        cube = self.activities.cube
        markets = cube.markets
        values = {
            "last_year": markets.last_year_revenue,
            "last_year_units": markets.last_year_units,
        }[metric]
        if members.market_code is None or members.limits_sellers(cube.pair_market):
            raise InputError("model.market_figure_by_seller", metric=metric)
        grid = members.market_code[:, None] * members.num_period_members + members.period_code[None, :]
        inside = (members.market_code[:, None] >= 0) & (members.period_code[None, :] >= 0)
        if np.isnan(values[inside]).any():
            row = int((np.isnan(values) & inside).any(axis=1).argmax())
            column = "last_year_units" if metric == "last_year_units" else "last_year_revenue"
            raise InputError(
                "model.basis_blank", cube.inputs.plan.tables["markets"].place(row, column), basis=column
            )
        return sum_by(grid[inside], values[inside], members.size)

    def _sizes(self, members: Members) -> FloatArray:
        """Size in currency of the pools that lie in each member's scope (K,)."""
        cube = self.activities.cube
        if members.market_code is None:
            raise InputError("model.market_figure_by_seller", metric="market_share")
        sizes = np.zeros(members.size)
        periods = np.flatnonzero(members.period_code >= 0)
        for pool in cube.inputs.sizes:
            codes = np.unique(members.market_code[pool.markets])
            if np.isnan(pool.revenue) or (codes == -1).all():
                continue
            if len(codes) > 1:
                raise InputError("model.size_too_coarse", pool=pool.name)
            spread = cube.markets.spread[pool.markets].mean(axis=0)[periods]
            member = codes[0] * members.num_period_members + members.period_code[periods]
            sizes += sum_by(member, pool.revenue * spread, members.size)
        return sizes

    def sized(self, members: Members) -> Members:
        """The members without the markets whose size nobody knows."""
        cube = self.activities.cube
        known = np.zeros(len(cube.markets.names), dtype=np.bool_)
        for pool in cube.inputs.sizes:
            known[pool.markets] |= not np.isnan(pool.revenue)
        return replace(members, pair_code=np.where(known[cube.pair_market], members.pair_code, -1))


def cell_terms(members: Members, coefficient: FloatArray) -> Terms:
    """The triplets of sales cells for a coefficient (P, T); cells with coefficient 0 are left out."""
    num_periods = coefficient.shape[1]
    pairs = np.flatnonzero(members.pair_code >= 0)
    periods = np.flatnonzero(members.period_code >= 0)
    value = coefficient[np.ix_(pairs, periods)]
    column = pairs[:, None] * num_periods + periods[None, :]
    member = (
        members.pair_code[pairs][:, None] * members.num_period_members + members.period_code[periods][None, :]
    )
    kept = value.ravel() != 0.0
    return Terms(member.ravel()[kept], column.ravel()[kept], value.ravel()[kept], np.zeros(members.size))


def sum_members(scopes: Scopes, each: Sequence[str], where: Mapping[str, Any]) -> Members:
    """Members of `each` in scope; raises `InputError` when the scope is empty."""
    members = scopes.members(each, where)
    if members.size == 0:
        raise InputError(
            "model.scope_empty", where=", ".join(f"{key}: {value}" for key, value in where.items())
        )
    return members
