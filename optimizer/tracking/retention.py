"""What customers who stayed or left have changed: the plan's repeat orders from the measured base.

    kept[g,t]   = (customers[g,t] - joined[g,t]) / customers[g,t-1]      as facts tell it
    base[g,t]   = kept[g,t] base[g,t-1] + joined planned[g,t]            who would be there
    factor[p,t] = 1 + share of repeat orders[m,t] (base[g,t-1] / planned base[g,t-1] - 1)

Customers who joined are those that facts tell of, as far as they do; they are no part of this cause.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from optimizer.plan.actuals import Facts
from optimizer.plan.fact_funnel import pool_markets
from optimizer.result.solution import Solution
from optimizer.tracking.measured import Measured, keys_of

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Base:
    """The customers that one pool of facts tells of, over the P0 closed periods."""

    pool: int
    groups: IntArray
    """Rows of the table customers that it covers."""
    told: FloatArray
    """Customers at the end of each closed period (P0,); NaN where nothing is told."""
    planned: FloatArray
    """Customers before the first period and at the end of each closed one (P0 + 1,), as planned."""
    joined: FloatArray
    """New customers as facts tell of them, else as planned (P0,)."""
    joined_planned: FloatArray
    """New customers as planned (P0,)."""

    @property
    def before(self) -> FloatArray:
        """Customers at the start of each closed period, as facts tell them, else as planned (P0,)."""
        ends = np.where(np.isnan(self.told), self.planned[1:], self.told)
        return np.concatenate([self.planned[:1], ends[:-1]])

    @property
    def kept(self) -> FloatArray:
        """Share of the customers that each closed period has kept (P0,)."""
        ends = np.where(np.isnan(self.told), self.planned[1:], self.told)
        joined = np.where(np.isnan(self.told), self.joined_planned, self.joined)
        return _over(ends - joined, self.before)

    @property
    def kept_planned(self) -> FloatArray:
        """The same as planned (P0,)."""
        return _over(self.planned[1:] - self.joined_planned, self.planned[:-1])

    @property
    def ratio(self) -> FloatArray:
        """Customers at the start of each closed period had only retention differed, over the plan (P0,)."""
        base, found = self.planned[0], []
        for at, kept in enumerate(self.kept):
            found.append(base / self.planned[at] if self.planned[at] > 0 else 1.0)
            base = kept * base + self.joined_planned[at]
        return np.array(found)


def _over(stayed: FloatArray, before: FloatArray) -> FloatArray:
    """Share of the customers that stayed; 1 where there were none."""
    return np.where(before > 0, stayed / np.where(before > 0, before, 1.0), 1.0)


def told_bases(solution: Solution, facts: Facts) -> list[Base]:
    """Every pool that tells customers of groups of the plan; none without the table customers."""
    funnel, block = solution.inputs.funnel, solution.activities.blocks.get("customers")
    if funnel is None or block is None:
        return []
    past, customers = facts.past, funnel.customers
    ends = block.values(solution.x)[:, :past]
    planned = np.hstack([customers.opening[:, None], ends])
    stayed = planned[:, :-1] * customers.kept[:, None]
    joins = planned[:, 1:] - stayed
    told_joins, is_told = _told_joins(facts, solution)
    found = []
    for pool in range(facts.size):
        told = facts.told["customers"][pool, :past]
        if np.isnan(told).all():
            continue
        markets = pool_markets(facts, pool, solution.inputs.selling)
        inside = np.isin(customers.entry_market, markets)
        groups = np.setdiff1d(customers.entry_group[inside], customers.entry_group[~inside])
        if not len(groups):
            continue
        as_planned = joins[groups].sum(axis=0)
        joined = np.where(is_told[groups].all(axis=0), told_joins[groups].sum(axis=0), as_planned)
        found.append(Base(pool, groups, told, planned[groups].sum(axis=0), joined, as_planned))
    return found


def _told_joins(facts: Facts, solution: Solution) -> tuple[FloatArray, NDArray[np.bool_]]:
    """New customers that facts tell of, by group and closed period (G, P0), and whether all its markets of
    new customers are told."""
    funnel = solution.inputs.funnel
    assert funnel is not None
    joins, past = funnel.customers.joins, facts.past
    count = len(funnel.customers.names)
    found, told = np.zeros((count, past)), np.ones((count, past), dtype=np.bool_)
    seen = np.zeros((len(joins), past), dtype=np.bool_)
    for pool in range(facts.size):
        markets = pool_markets(facts, pool, solution.inputs.selling)
        groups = np.unique(joins[markets])
        known = ~np.isnan(facts.told["units"][pool, :past]) | ~np.isnan(facts.told["deals"][pool, :past])
        known |= ~np.isnan(facts.told["revenue"][pool, :past])
        if len(groups) == 1 and groups[0] >= 0:
            found[groups[0]] += np.where(known, facts.values["deals"][pool, :past], 0.0)
            seen[markets] |= known[None, :]
    for market in np.flatnonzero(joins >= 0).tolist():
        told[joins[market]] &= seen[market]
    return found, told


def retention_factors(solution: Solution, facts: Facts, bases: list[Base]) -> FloatArray:
    """What retention alone makes of the planned revenue of each pair and closed period (P, P0)."""
    cube, funnel = solution.sellers, solution.inputs.funnel
    factor = np.ones((cube.num_pairs, facts.past))
    block = solution.activities.blocks.get("repeat")
    if funnel is None or block is None or not bases or solution.sales is None:
        return factor
    customers, past = funnel.customers, facts.past
    units = block.values(solution.x)[:, :past] * customers.units_per_order[:, :past]
    sold = np.zeros((len(cube.markets.names), past))
    np.add.at(sold, cube.pair_market, solution.sales[:, :past] / cube.win_factor[:, None])
    repeat, changed = np.zeros_like(sold), np.zeros_like(sold)
    np.add.at(repeat, customers.entry_market, units)
    ratio = np.ones((len(customers.names), past))
    for base in bases:
        ratio[base.groups] = base.ratio
    np.add.at(changed, customers.entry_market, units * (ratio[customers.entry_group] - 1.0))
    # Orders beyond what is sold are not sold, in the plan as in this evaluation.
    share = np.divide(changed, np.maximum(sold, repeat), out=np.zeros_like(sold), where=sold + repeat > 0)
    return np.asarray(1.0 + share[cube.pair_market], dtype=np.float64)


def measured_retention(
    facts: Facts, bases: list[Base], periods_a_year: int, first: int = 0
) -> list[Measured]:
    """Retention a year of each pool, planned and measured, over its customers at the start of each period
    from `first` on."""
    found = []
    for base in bases:
        at = first + np.flatnonzero(~np.isnan(base.told[first:]))
        start = base.before[at]
        if not start.sum() > 0:
            continue
        kept = float((base.kept[at] * start).sum()), float((base.kept_planned[at] * start).sum())
        total = float(start.sum())
        where = keys_of(facts, base.pool)
        measured, planned = ((max(part, 0.0) / total) ** periods_a_year for part in kept)
        found.append(
            Measured(
                "retention", base.pool, where, planned, measured, 1.0, 1.0, tuple(at.tolist()),
                (total - kept[1], total - kept[0]),
            )
        )  # fmt: skip
    return found
