"""Rates as facts measure them, against the plan: opportunities, hours and conversion, pool by pool.

leads[f]      = sum of opportunities that came / planned ones, over the closed periods that pool f tells
hours[f]      = sum of hours worked / planned ones, at most 1: hours are a limit and drive nothing
conversion[f] = (deals / opportunities) of the facts over that of the plan
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from optimizer.plan.actuals import Facts
from optimizer.plan.fact_labels import UNKNOWN
from optimizer.tracking.view import View

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Measured:
    """One rate of one pool: planned and measured, each a count over a base (a count of periods for a sum)."""

    rate: str
    pool: int
    where: Mapping[str, str]
    planned: float
    measured: float
    base_planned: float
    base: float
    periods: tuple[int, ...]

    @property
    def factor(self) -> float:
        """Measured over planned."""
        planned = self.planned / self.base_planned
        return self.measured / self.base / planned if planned > 0 else 1.0


@dataclass(frozen=True, eq=False)
class Factors:
    """Measured over planned by rate and pair of seller and market (P,); 1 where nothing was measured."""

    by_pair: Mapping[str, FloatArray]
    size: int

    def of(self, rate: str) -> FloatArray:
        """The factors of a rate (P,)."""
        return self.by_pair.get(rate, np.ones(self.size))


def measured_rates(facts: Facts, plan: View, num_pairs: int, assumed: Sequence[str] = ()) -> list[Measured]:
    """What each pool that tells opportunities or hours has measured against the plan of P pairs; what is
    `assumed` measures nothing."""
    cover = _cover(facts, num_pairs)
    found: list[Measured] = []
    for pool in range(facts.size):
        for measure, rate in (("opportunities", "leads"), ("hours", "hours")):
            found += _total(facts, plan, pool, measure, rate) if measure not in assumed else []
        if "opportunities" in assumed:
            continue
        found += _conversion(facts, plan, pool, cover)
    return found


def _cover(facts: Facts, num_pairs: int) -> sparse.csr_array:
    """Which pairs each pool covers (R, P)."""
    pool, pair = facts.pairs
    ones = np.ones(len(pool))
    return sparse.csr_array((ones, (pool, pair)), shape=(facts.size, num_pairs))


def keys_of(facts: Facts, pool: int) -> dict[str, str]:
    """The labels that a pool knows, by bare column."""
    return {
        column: labels[pool]
        for column, labels in facts.labels.items()
        if labels[pool] != UNKNOWN and "." not in column
    }


def _total(facts: Facts, plan: View, pool: int, measure: str, rate: str) -> list[Measured]:
    told = facts.told[measure][pool, : facts.past]
    periods = np.flatnonzero(~np.isnan(told))
    if not len(periods):
        return []
    where = keys_of(facts, pool)
    planned = plan.scoped(measure, where)
    if planned is None or planned[periods].sum() <= 0:
        return []
    sums = float(planned[periods].sum()), float(told[periods].sum())
    return [Measured(rate, pool, where, sums[0], sums[1], 1.0, 1.0, tuple(periods.tolist()))]


def _conversion(facts: Facts, plan: View, pool: int, cover: sparse.csr_array) -> list[Measured]:
    told = facts.told["opportunities"][pool, : facts.past]
    periods = np.flatnonzero(~np.isnan(told))
    where = keys_of(facts, pool)
    planned = plan.scoped("opportunities", where) if len(periods) else None
    if planned is None or planned[periods].sum() <= 0 or told[periods].sum() <= 0:
        return []
    own = cover[[pool], :]
    inside = np.asarray((cover @ own.T).todense()).ravel() >= np.asarray(cover.sum(axis=1)).ravel() - 0.5
    inside &= np.asarray(cover.sum(axis=1)).ravel() > 0
    won = float(facts.values["deals"][inside][:, periods].sum())
    deals = plan.scoped("deals", where)
    expected = 0.0 if deals is None else float(deals[periods].sum())
    if expected <= 0:
        return []
    base = float(planned[periods].sum()), float(told[periods].sum())
    return [Measured("conversion", pool, where, expected, won, base[0], base[1], tuple(periods.tolist()))]


def pair_factors(facts: Facts, found: list[Measured], num_pairs: int) -> Factors:
    """The factors of every pair: those of the pools that cover it.

    Hours limit what opportunities bring: leads beyond the hours that were there were not worked.
    """
    by_pair: dict[str, FloatArray] = {}
    pool, pair = facts.pairs
    for one in found:
        values = by_pair.setdefault(one.rate, np.ones(num_pairs))
        values[pair[pool == one.pool]] = one.factor
    if "hours" in by_pair:
        leads = by_pair.get("leads", np.ones(num_pairs))
        by_pair["hours"] = np.minimum(1.0, by_pair["hours"] / np.maximum(leads, 1e-300))
        converted = by_pair.get("conversion")
        if converted is not None:
            by_pair["conversion"] = converted / by_pair["hours"]
    return Factors(by_pair, num_pairs)
