"""Is it fair: stretch, spread, Gini, size of territory, who is outside the band and why, and what fairness
costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from optimizer.quotas.quota import Quota
from optimizer.result.solution import Solution
from optimizer.settings import SolveSettings
from optimizer.solving import solve

FloatArray = NDArray[np.float64]

LIKELY_BAND = 0.15
"""Half-width of the band that is reported where the quota names none."""
_FEWEST = 3
"""A correlation of fewer leaves says nothing."""
_SAME = 1e-9


@dataclass(frozen=True, eq=False)
class Fairness:
    """How equally the quotas of the leaves are spread; arrays by leaf (L,), over-assignment taken out.

    `attainability` is plan / quota, `stretch` quota / plan - 1, `ratio` the quota over the basis in
    multiples of the company's; NaN where the denominator is 0.
    """

    basis: str
    band: float
    attainability: FloatArray
    stretch: FloatArray
    ratio: FloatArray
    spread: float | None
    """Largest ratio over smallest."""
    gini: float | None
    """Gini coefficient of the ratios, each leaf weighted by its basis; 0 is perfectly equal."""
    size_correlation: float | None
    """Correlation of stretch with the size of the territory; None for fewer than three leaves or where all
    stretch alike."""
    size_basis: str
    """What the size is: potential, last_year or plan."""
    outside: tuple[tuple[int, str], ...]
    """Leaves outside the band, and the rule that puts each there."""


def fairness(quota: Quota) -> Fairness:
    """The figures of one quota over the horizon."""
    tree = quota.tree
    leaves = tree.leaves
    carried = quota.year[leaves] / quota.factor[leaves]
    exact = quota.stages[-1].values[leaves].sum(axis=1) / quota.factor[leaves]
    plan = quota.bases.plan.sum(axis=1)
    name = quota.spec.fairness.basis
    basis = getattr(quota.bases, name).sum(axis=1)
    ratio = _ratio(carried, basis) / max(
        float(carried.sum() / basis.sum()) if basis.sum() > 0 else 1.0, 1e-300
    )
    known = np.isfinite(ratio)
    sizes, size = next(
        (key, values.sum(axis=1))
        for key, values in (
            ("potential", quota.bases.potential),
            ("last_year", quota.bases.last_year),
            ("plan", quota.bases.plan),
        )
        if values is not None
    )
    half = quota.spec.fairness.within or LIKELY_BAND
    outside = np.flatnonzero(known & (np.abs(ratio - 1.0) > half + _step_share(quota, basis)))
    low = float(ratio[known].min(initial=np.inf))
    return Fairness(
        basis=name,
        band=half,
        attainability=_ratio(plan, carried),
        stretch=_ratio(carried, plan) - 1.0,
        ratio=ratio,
        spread=float(ratio[known].max()) / low if known.any() and low > 0 else None,
        gini=gini(ratio[known], basis[known]),
        size_correlation=correlation(_ratio(exact, plan) - 1.0, size),
        size_basis=sizes,
        outside=tuple((int(leaves.start + at), _reason(quota, int(leaves.start + at))) for at in outside),
    )


def _ratio(top: FloatArray, bottom: FloatArray) -> FloatArray:
    return np.asarray(np.divide(top, bottom, out=np.full(top.shape, np.nan), where=bottom > 0))


def _step_share(quota: Quota, basis: FloatArray) -> FloatArray:
    """What one rounding step moves the ratio of each leaf."""
    middle = quota.target.total / basis.sum() if basis.sum() > 0 else 1.0
    return np.nan_to_num(_ratio(np.full(basis.shape, quota.spec.round_to), basis * middle), nan=np.inf)


def _reason(quota: Quota, node: int) -> str:
    """The rule that puts a leaf outside the band: its own or one above it; else the one on others that moves
    it most; the plan where no rule moves it."""
    own = acting_above(quota, node)
    if own:
        return own
    rules = {limit.rule for limit in quota.limits}
    before, found, most = 0.0, "plan", 0.5 * quota.spec.round_to
    for stage in quota.stages:
        after = float(stage.values[node].sum())
        if stage.name in rules and abs(after - before) > most:
            found, most = stage.name, abs(after - before)
        before = after
    return found


def acting_above(quota: Quota, node: int) -> str:
    """The rule on whose bound a node or one above it lies; blank where none acts."""
    at = node
    while at > 0:
        if quota.acting[at]:
            return quota.acting[at]
        at = int(quota.tree.parent[at])
    return ""


def gini(values: FloatArray, weights: FloatArray) -> float | None:
    """Gini coefficient of values >= 0 with weights: half the mean absolute difference over the mean.

    None where nothing is there or all is zero.
    """
    total, mass = float((values * weights).sum()), float(weights.sum())
    if len(values) == 0 or mass <= 0 or total <= 0:
        return None
    order = np.argsort(values, kind="stable")
    share = weights[order] / mass
    amount = np.cumsum(values[order] * weights[order]) / total
    before = np.concatenate([[0.0], amount[:-1]])
    return float(max(1.0 - (share * (amount + before)).sum(), 0.0))


def correlation(one: FloatArray, other: FloatArray) -> float | None:
    """Pearson correlation of the pairs that are finite; None for fewer than three, or where one does not
    vary."""
    both = np.isfinite(one) & np.isfinite(other)
    first, second = one[both], other[both]
    if len(first) < _FEWEST:
        return None
    spreads = [float(values.std()) for values in (first, second)]
    if any(
        spread <= _SAME * max(1.0, float(np.abs(values).max()))
        for spread, values in zip(spreads, (first, second), strict=True)
    ):
        return None
    return float(np.corrcoef(first, second)[0, 1])


@dataclass(frozen=True)
class PriceOfFairness:
    """What the plan's own balance rules cost: the free plan's figures less this plan's."""

    contribution: float | None
    revenue: float
    rules: tuple[str, ...]


def price_of_fairness(
    solution: Solution, settings: SolveSettings | None = None, names: Sequence[str] | None = None
) -> PriceOfFairness | None:
    """Contribution and revenue that the plan gives up for its balance rules (of these names, else all), by
    solving again without them.

    None where the plan has none, or where the free plan could not be solved.
    """
    plan = solution.plan
    gone = [spec.name for spec in plan.spec.balance if names is None or spec.name in names]
    if not gone or not solution.has_plan:
        return None
    kept = [spec for spec in plan.spec.balance if spec.name not in gone]
    free = plan.replace(spec=plan.spec.model_copy(update={"balance": kept}))
    quiet = replace(settings or SolveSettings(), marginal_values=False, leverage=False)
    found = solve(free, quiet)
    if not found.has_plan:
        return None
    money = None
    if solution.sellers.markets.knows_margin:
        money = found.figure("contribution") - solution.figure("contribution")
    return PriceOfFairness(money, found.figure("revenue") - solution.figure("revenue"), tuple(gone))
