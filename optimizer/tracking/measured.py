"""Rates as facts measure them, against the plan: opportunities, hours and conversion, pool by pool.

leads[f]      = sum of opportunities that came / planned ones, over told periods that the plan had ahead
hours[f]      = sum of hours worked / planned ones, at most 1: hours are a limit and drive nothing
conversion[f] = (deals / opportunities) of the facts over that of the plan
conversion of stage k [f] = (entered the next told stage / entered k) of the facts over that of the plan

Where facts tell of stages, conversion is measured from each told stage to the next one, the last time to the
deals; the product is the conversion above.
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
IntArray = NDArray[np.int64]


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
    lost: tuple[float, float] = (0.0, 0.0)
    """Customers lost, planned and measured; of retention only."""

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


def measured_rates(
    facts: Facts,
    plan: View,
    num_pairs: int,
    assumed: Sequence[str] = (),
    entering: FloatArray | None = None,
    first: int = 0,
) -> list[Measured]:
    """What each pool that tells opportunities or hours has measured against the plan of P pairs; what is
    `assumed` measures nothing. `entering` is what the plan lets into each stage (M, K, T), where it has
    any; periods before `first` were facts already when the plan was made."""
    cover = _cover(facts, num_pairs)
    found: list[Measured] = []
    for pool in range(facts.size):
        for measure, rate in (("opportunities", "leads"), ("hours", "hours")):
            found += _total(facts, plan, pool, measure, rate, first) if measure not in assumed else []
        if "opportunities" in assumed:
            continue
        whole = _conversion(facts, plan, pool, cover, first)
        found += whole
        if whole and entering is not None:
            found += _by_stage(facts, plan, whole[0], entering)
    return found


def _by_stage(facts: Facts, plan: View, whole: Measured, entering: FloatArray) -> list[Measured]:
    """The conversion of a pool from each stage that is told in all its periods to the next."""
    own, periods = facts.entered, np.array(whole.periods)
    cube = plan.context.cube
    markets = np.unique(cube.pair_market[facts.pairs[1][facts.pairs[0] == whole.pool]])
    funnel = cube.inputs.funnel
    rows = [
        row
        for row in np.flatnonzero(own.pool == whole.pool).tolist()
        if not np.isnan(own.told[row, periods]).any()
    ]
    if not rows or funnel is None:
        return []
    first = int(funnel.stages.present[markets].any(axis=0).argmax())
    counts = {
        int(own.stage[row]): (
            float(entering[markets, own.stage[row]][:, periods].sum()),
            float(own.told[row, periods].sum()),
        )
        for row in rows
    }
    counts[first] = (whole.base_planned, whole.base)
    told = sorted(stage for stage, count in counts.items() if min(count) > 0)
    ends = [*(counts[stage] for stage in told[1:]), (whole.planned, whole.measured)]
    return [
        Measured(
            staged(funnel.stages.names[stage]), whole.pool, whole.where, end[0], end[1], *counts[stage],
            whole.periods,
        )
        for stage, end in zip(told, ends, strict=True)
        if len(told) > 1
    ]  # fmt: skip


STAGED = "conversion:"
"""Before the name of the stage in the name of a rate of one stage."""


def staged(stage: str) -> str:
    """The name of the rate of one stage."""
    return f"{STAGED}{stage}"


def stage_of(rate: str) -> str | None:
    """The stage of a rate; None for a rate that is not about one."""
    return rate.removeprefix(STAGED) if rate.startswith(STAGED) else None


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


def planned_of_pool(facts: Facts, plan: View, pool: int, metric: str) -> FloatArray | None:
    """A planned metric in the scope of a pool by period (T,); None where the plan does not know it there.

    A market has opportunities, a seller has not: where a pool covers everybody who sells in its markets, the
    sellers that it knows are no narrower scope.
    """
    where, cube = keys_of(facts, pool), plan.context.cube
    found = plan.scoped(metric, where)
    if found is not None:
        return found
    own = facts.pairs[1][facts.pairs[0] == pool]
    whole = np.isin(cube.pair_market, cube.pair_market[own]).sum() == len(own)
    narrower = {name: label for name, label in where.items() if name in cube.markets.labels}
    return plan.scoped(metric, narrower) if whole and narrower != where else None


def _total(facts: Facts, plan: View, pool: int, measure: str, rate: str, first: int) -> list[Measured]:
    told = facts.told[measure][pool, : facts.past]
    periods = _told_periods(told, first)
    if not len(periods):
        return []
    where = keys_of(facts, pool)
    planned = planned_of_pool(facts, plan, pool, measure)
    if planned is None or planned[periods].sum() <= 0:
        return []
    sums = float(planned[periods].sum()), float(told[periods].sum())
    return [Measured(rate, pool, where, sums[0], sums[1], 1.0, 1.0, tuple(periods.tolist()))]


def _told_periods(told: FloatArray, first: int) -> IntArray:
    """The periods from `first` on that are told."""
    return first + np.flatnonzero(~np.isnan(told[first:]))


def _conversion(facts: Facts, plan: View, pool: int, cover: sparse.csr_array, first: int) -> list[Measured]:
    told = facts.told["opportunities"][pool, : facts.past]
    periods = _told_periods(told, first)
    where = keys_of(facts, pool)
    planned = planned_of_pool(facts, plan, pool, "opportunities") if len(periods) else None
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
    _without_doubles(by_pair, found, pool, pair)
    if "hours" in by_pair:
        leads = by_pair.get("leads", np.ones(num_pairs))
        by_pair["hours"] = np.minimum(1.0, by_pair["hours"] / np.maximum(leads, 1e-300))
        # Sales that hours cost are no lower conversion: the last rate that a pair's conversion has takes it.
        for rates, own in _last_conversions(found, pool, pair, num_pairs):
            by_pair[rates][own] /= by_pair["hours"][own]
    return Factors(by_pair, num_pairs)


def _without_doubles(
    by_pair: dict[str, FloatArray], found: list[Measured], pool: IntArray, pair: IntArray
) -> None:
    """Where conversion is measured by stage, the whole one adds nothing."""
    for one in found:
        if stage_of(one.rate) is not None:
            by_pair["conversion"][pair[pool == one.pool]] = 1.0


def _last_conversions(
    found: list[Measured], pool: IntArray, pair: IntArray, num_pairs: int
) -> list[tuple[str, NDArray[np.bool_]]]:
    """The rate of conversion that stands last for each pair: (rate, pairs)."""
    last: dict[int, str] = {one.pool: one.rate for one in found if one.rate.startswith("conversion")}
    rates: dict[str, NDArray[np.bool_]] = {}
    for row, rate in last.items():
        rates.setdefault(rate, np.zeros(num_pairs, dtype=np.bool_))[pair[pool == row]] = True
    return list(rates.items())
