"""Metrics and ratios as linear expressions over the cube. docs/metrics.md says the same in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from optimizer.errors import InputError
from optimizer.model.blocks import Activities, Parts
from optimizer.model.coefficients import (
    ACTIVITY_METRICS,
    COSTS,
    GAINS,
    OTHER_METRICS,
    RATIOS,
    SALES_METRICS,
    SEAT_METRICS,
    UPLIFTED,
    load_parts,
    mean_capacity,
    satisfaction_weights,
    seats_of_capacity,
)
from optimizer.model.facts import with_facts
from optimizer.model.room import capacity_decided
from optimizer.model.scopes import SALES, Members, Scopes
from optimizer.model.seating import seat_of_open
from optimizer.model.terms import Terms, sum_by
from optimizer.plan.names import nearest

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

__all__ = [
    "ACTIVITY_METRICS",
    "OTHER_METRICS",
    "RATIOS",
    "SALES_METRICS",
    "SEAT_METRICS",
    "Activities",
    "Metrics",
    "cell_terms",
    "mean_capacity",
    "seats_of_capacity",
    "sum_members",
]


class Metrics:
    """Makes the expressions of a metric for the members of a rule, on one set of activities."""

    def __init__(self, activities: Activities, scopes: Scopes) -> None:
        self.activities = activities
        self.scopes = scopes
        self._coefficients: dict[str, FloatArray] = {}

    def known(self) -> list[str]:
        """Every metric and ratio that this plan has."""
        return [
            *SALES_METRICS,
            *SEAT_METRICS,
            *ACTIVITY_METRICS,
            *OTHER_METRICS,
            *RATIOS,
            *self.activities.resources,
        ]

    def unit(self, metric: str) -> str:
        """Unit of a metric; raises `InputError` when it is unknown."""
        for sums in (SALES_METRICS, ACTIVITY_METRICS):
            if metric in sums:
                return sums[metric][0]
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

    def parts(self, metric: str) -> Parts:
        """What each block adds to a metric that is a sum over activities, facts included."""
        return with_facts(self.activities, metric, self._planned_parts(metric))

    def _planned_parts(self, metric: str) -> Parts:
        if metric in ACTIVITY_METRICS:
            return ACTIVITY_METRICS[metric][1](self.activities)
        if metric == "load":
            return load_parts(self.activities, mean_capacity(self.activities.cube))
        parts: dict[str, FloatArray] = {SALES: self.coefficient(metric)}
        found = self.activities.uplifts
        if metric in UPLIFTED and found is not None:
            parts["uplift"] = UPLIFTED[metric](self.activities, found)
        leads = self.activities.blocks.get("lead_hours")
        if metric == "hours" and leads is not None:
            parts["lead_hours"] = np.ones((1, 1))
        if metric in self.activities.resources:
            position = self.activities.resources.index(metric)
            for block, uses in self.activities.other_uses.items():
                if block in self.activities.blocks and uses[position].any():
                    parts[block] = uses[position][:, None]
        if metric == "contribution":
            for cost in COSTS:
                for block, values in ACTIVITY_METRICS[cost][1](self.activities).items():
                    parts[block] = parts.get(block, 0.0) - values
            for gain in GAINS:
                for block, values in ACTIVITY_METRICS[gain][1](self.activities).items():
                    parts[block] = parts.get(block, 0.0) + values
        return parts

    def blocks(self, metric: str) -> tuple[str, ...]:
        """The blocks that a metric or ratio is about, sales where it has no activity."""
        if metric in RATIOS:
            top, bottom, _ = RATIOS[metric]
            return tuple(dict.fromkeys([*self.blocks(top), *self.blocks(bottom)]))
        if metric in ACTIVITY_METRICS or metric in SALES_METRICS or metric in self.activities.resources:
            return tuple(self.parts(metric)) or (SALES,)
        return (SALES,)

    def known_blocks(self, metric: str) -> tuple[str, ...]:
        """The same; sales for a metric that this plan does not know."""
        try:
            return self.blocks(metric)
        except InputError:
            return (SALES,)

    def members(
        self, metric: str, each: Sequence[str], where: Mapping[str, Any], facts: bool = True
    ) -> Members:
        """The members of `each` in scope that the blocks of a metric have, those of facts only where asked.

        Raises `InputError` for columns that none of them has, and like `sum_members`.
        """
        blocks = tuple(block for block in self.blocks(metric) if facts or block not in self.activities.facts)
        self._check_known(metric, blocks, (*each, *where))
        return sum_members(self.scopes, each, where, blocks)

    def terms(self, metric: str, members: Members, where: Mapping[str, Any]) -> Terms:
        """One expression a member; raises `InputError` for ratios, unknown metrics, sums over unlike
        units, and columns that none of the metric's activities has."""
        self.unit(metric)
        if metric in RATIOS:
            raise InputError("model.ratio_not_a_sum", metric=metric)
        if metric == "units":
            self._same_unit(where)
        self.check_columns(metric, members)
        if metric in SEAT_METRICS:
            return self._seat_constants(metric, members, where)
        if metric in OTHER_METRICS:
            return Terms.constants(self.market_constants(metric, members))
        total = self.summed(metric, members)
        if metric in self.activities.resources:
            return total + self._fixed_uses(metric, members, where)
        return total

    def summed(self, metric: str, members: Members) -> Terms:
        """One expression a member of a metric that is a sum over activities, without any check."""
        total = Terms.constants(np.zeros(members.size))
        for block, coefficient in self.parts(metric).items():
            total = total + self._block_terms(block, members, coefficient)
        return total

    def loads(self, members: Members, size: FloatArray) -> Terms:
        """Capacity that each member uses, in multiples of a size for each seat (G,)."""
        total = Terms.constants(np.zeros(members.size))
        for block, coefficient in load_parts(self.activities, size).items():
            total = total + self._block_terms(block, members, coefficient)
        return total

    def by_cell(self, metric: str, x: FloatArray) -> FloatArray:
        """A metric of sales at a solution x (n,) by pair and period (P, T), effects included."""
        blocks = self.activities.blocks
        cells = self.coefficient(metric) * blocks[SALES].values(x)
        found = self.activities.uplifts
        if metric in UPLIFTED and found is not None:
            step = UPLIFTED[metric](self.activities, found) * blocks["uplift"].values(x)
            np.add.at(cells, found.pair, step)
        return np.asarray(cells, dtype=np.float64)

    def check_columns(self, metric: str, members: Members) -> None:
        """Raise `InputError` when a column of the scope is one that none of the metric's activities has."""
        self._check_known(metric, self.blocks(metric), (*members.row_columns, *members.where))

    def _check_known(self, metric: str, blocks: Iterable[str], columns: Iterable[str]) -> None:
        for column in columns:
            if not any(self.scopes.has_column(block, column) for block in blocks):
                raise InputError("model.metric_not_by_column", metric=metric, column=column)

    def _block_terms(self, block: str, members: Members, coefficient: FloatArray) -> Terms:
        if block == SALES:
            return cell_terms(members, coefficient)
        if block in self.activities.flows:
            return self._flow_terms(block, members, coefficient)
        if block == "customers":
            coefficient = coefficient * _last_of_member(members.period_code)
        place = self.activities.blocks[block]
        code = self.scopes.block_code(block, members)
        rows, periods = np.flatnonzero(code >= 0), np.flatnonzero(members.period_code >= 0)
        value = np.broadcast_to(coefficient, (place.num_rows, place.num_periods))[np.ix_(rows, periods)]
        column = place.columns[np.ix_(rows, periods)]
        member = code[rows][:, None] * members.num_period_members + members.period_code[periods][None, :]
        kept = value.ravel() != 0.0
        return Terms(member.ravel()[kept], column.ravel()[kept], value.ravel()[kept], np.zeros(members.size))

    def _flow_terms(self, name: str, members: Members, coefficient: FloatArray) -> Terms:
        """The sum of a flow's expressions by member."""
        flow = self.activities.flows[name]
        code = self.scopes.block_code(name, members)[:, None]
        period = members.period_code[None, :]
        target = np.where((code >= 0) & (period >= 0), code * members.num_period_members + period, -1).ravel()
        scaled = flow.terms.scaled(np.broadcast_to(coefficient, (flow.num_rows, flow.num_periods)).ravel())
        member = target[scaled.member]
        kept, inside = member >= 0, target >= 0
        constant = sum_by(target[inside], scaled.constant[inside], members.size)
        return Terms(member[kept], scaled.column[kept], scaled.value[kept], constant)

    def ratio(self, metric: str, members: Members, where: Mapping[str, Any]) -> tuple[Terms, Terms, float]:
        """Numerator, denominator and what is subtracted from their quotient."""
        top, bottom, _ = RATIOS[metric]
        counted = self.sized(members) if bottom == "market_size" else members
        return (
            self.terms(top, counted, where),
            self.terms(bottom, members, where),
            1.0 if metric == "growth" else 0.0,
        )

    def total(self, metric: str, where: Mapping[str, Any] | None = None, run_out: bool = False) -> Terms:
        """The metric over a whole scope as one expression; run-out periods count only where asked for."""
        scope = where or {}
        return self.terms(metric, self.scopes.members([], scope, self.blocks(metric), run_out), scope)

    def _same_unit(self, where: Mapping[str, Any]) -> None:
        markets = self.activities.cube.markets
        found = sorted({markets.unit[row] for row in np.flatnonzero(self.scopes.market_mask(where))})
        if len(found) > 1:
            raise InputError("model.unlike_units", units=", ".join(found))

    def _is_company_wide(self, members: Members, where: Mapping[str, Any]) -> bool:
        sides = {self.scopes.sides(column)[0] for column in where}
        return sides <= {"period"} and not members.row_columns

    def _fixed_uses(self, resource: str, members: Members, where: Mapping[str, Any]) -> Terms:
        constant = np.zeros(members.size)
        if self._is_company_wide(members, where):
            used = self.activities.fixed_uses[self.activities.resources.index(resource)]
            inside = members.period_code >= 0
            constant = sum_by(members.period_code[inside], used[inside], members.size)
        return Terms.constants(constant)

    def _seat_constants(self, metric: str, members: Members, where: Mapping[str, Any]) -> Terms:
        """Figures of sellers: each seat counts once, in the member of its cells."""
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
        present = Terms.constants(sum_by(grid[inside], values[inside], members.size))
        if metric == "capacity":
            mean = mean_capacity(cube)
            row_of = np.where(inside, grid, -1)
            return present + capacity_decided(self.activities, row_of, members.size, 1.0 / mean)
        return present + self._filled(metric, members, grid, inside)

    def _filled(self, metric: str, members: Members, grid: IntArray, inside: BoolArray) -> Terms:
        """What open seats add to heads and their cost once they are filled; `grid` is the member of each seat
        and period (G, T)."""
        cube = self.activities.cube
        seats = cube.inputs.selling.sellers.open_seats
        if seats is None:
            return Terms.constants(np.zeros(members.size))
        own = seat_of_open(cube, seats)
        block = self.activities.blocks["seat_heads"]
        months_a_period = 12.0 / cube.calendar.periods_a_year
        periods = max(int((members.period_code >= 0).sum()) // members.num_period_members, 1)
        each = {
            "headcount": np.full(len(own), 1.0 / periods),
            "seller_cost": seats.pay * months_a_period,
        }[metric]
        place, period = np.nonzero(inside[own])
        member, column = grid[own][place, period], block.columns[place, period]
        return Terms(member, column, each[place], np.zeros(members.size))

    def market_constants(self, metric: str, members: Members) -> FloatArray:
        """A figure of markets (M, T) summed over each member's markets and periods (K,)."""
        if metric == "market_size":
            return self._sizes(members)
        cube = self.activities.cube
        markets = cube.markets
        values = {
            "last_year": markets.last_year_revenue,
            "last_year_units": markets.last_year_units,
            "satisfaction_weight": satisfaction_weights(cube),
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


def _last_of_member(period_code: IntArray) -> FloatArray:
    """1 in the last period of each member, else 0 (T,): customers are counted at the end."""
    following = period_code[None, :] == period_code[:, None]
    later = np.triu(following, k=1).any(axis=1)
    return np.asarray(~later, dtype=np.float64)


def cell_terms(members: Members, coefficient: FloatArray) -> Terms:
    """The triplets of sales cells for a coefficient (P, T); cells with coefficient 0 are left out."""
    num_periods = coefficient.shape[1]
    pairs = np.flatnonzero(members.pair_code >= 0)
    periods = np.flatnonzero(members.period_code >= 0)
    whole = len(pairs) == len(coefficient) and len(periods) == num_periods
    value = (coefficient if whole else coefficient[np.ix_(pairs, periods)]).ravel()
    column = (pairs[:, None] * num_periods + periods[None, :]).ravel()
    rows, times = members.pair_code[pairs] * members.num_period_members, members.period_code[periods]
    member = (rows[:, None] + times[None, :]).ravel()
    kept = np.flatnonzero(value)
    if len(kept) < len(value):
        member, column, value = member[kept], column[kept], value[kept]
    return Terms(member, column, value, np.zeros(members.size))


def sum_members(
    scopes: Scopes, each: Sequence[str], where: Mapping[str, Any], blocks: Iterable[str] = (SALES,)
) -> Members:
    """Members of `each` that the rows of `blocks` in scope have; raises `InputError` when there are none."""
    members = scopes.members(each, where, blocks)
    if members.size == 0:
        raise InputError(
            "model.scope_empty", where=", ".join(f"{key}: {value}" for key, value in where.items())
        )
    return members
