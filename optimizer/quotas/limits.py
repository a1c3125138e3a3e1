"""Bounds of quotas: caps and floors by hand, against last quota and target pay, fairness bands, and locks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from optimizer.errors import InputError, Place
from optimizer.plan.plan import Plan
from optimizer.plan.schema import QuotaBand, QuotaSpec
from optimizer.quotas.frozen import frozen_numbers
from optimizer.quotas.hierarchy import Hierarchy
from optimizer.quotas.levels import Levels, NodeFinder, rows_of

FloatArray = NDArray[np.float64]

WEAKER = ("stretch_at_most", "fairness", "against_target_pay", "against_last_quota")
"""Rules that give way, weakest first, where their floors add up to more than there is; the others are the
planner's own numbers, and it is an error when they do not fit."""
_WHOLE = 1e-6


@dataclass(frozen=True, eq=False)
class Limit:
    """One rule for quotas: bounds on the horizon by node (N,), in the quota's unit; whole steps after
    `snapped`."""

    rule: str
    lower: FloatArray
    upper: FloatArray


@dataclass(frozen=True)
class Lock:
    """A number set by hand, or kept from a run."""

    node: int
    value: float
    reason: str


def quota_locks(plan: Plan, spec: QuotaSpec, names: list[str], tree: Hierarchy) -> tuple[Lock, ...]:
    """The locks of a quota: numbers by hand, and those that `freeze` takes from a run for other leaves.

    Raises `InputError` where a row names no single node, repeats one, or is not a whole multiple of the step.
    """
    found = _by_hand(plan, spec, names, tree)
    for node, value, reason in frozen_numbers(plan, spec, tree):
        found.setdefault(node, Lock(node, value, reason))
    return tuple(found.values())


def _by_hand(plan: Plan, spec: QuotaSpec, names: list[str], tree: Hierarchy) -> dict[int, Lock]:
    table, rows = rows_of(plan, "locks", spec.name, names)
    found: dict[int, Lock] = {}
    if table is None:
        return found
    finder = NodeFinder(tree, table)
    for row in rows:
        node = finder.node(row)
        value = float(table.numbers("value")[row])
        place = table.place(row, "value", f"{value:.12g}")
        if abs(value / spec.round_to - round(value / spec.round_to)) > _WHOLE:
            raise InputError("quotas.lock_step", place, step=f"{spec.round_to:g}")
        if node == 0:
            raise InputError("quotas.lock_company", place)
        if node in found:
            raise InputError("quotas.lock_twice", place)
        found[node] = Lock(node, value, table.text("reason")[row])
    return found


def quota_limits(
    plan: Plan,
    spec: QuotaSpec,
    levels: Levels,
    locks: tuple[Lock, ...],
    factor: FloatArray,
    plan_figures: FloatArray,
    basis: FloatArray,
    total: float,
    headcount: FloatArray,
) -> list[Limit]:
    """Every rule that bounds quotas, the weakest first; those that nobody asked for are left out.

    `factor` (N,) is over-assignment, `plan_figures` and `basis` (L,) are figures of the horizon, `total`
    is the company's target, `headcount` (S,) the years that each seller is there.
    """
    tree = levels.tree
    leaves = tree.leaves
    limits = []
    if spec.stretch_at_most is not None:
        upper = (1.0 + spec.stretch_at_most) * factor[leaves] * plan_figures
        limits.append(_on_leaves(tree, "stretch_at_most", np.zeros(tree.num_leaves), upper))
    if spec.fairness.within is not None and basis.sum() > 0:
        middle = factor[leaves] * basis * total / basis.sum()
        half = spec.fairness.within
        limits.append(_on_leaves(tree, "fairness", (1.0 - half) * middle, (1.0 + half) * middle))
    limits += _seller_limits(plan, spec, levels, headcount)
    if locks:
        lower, upper = _open(tree)
        for lock in locks:
            lower[lock.node] = upper[lock.node] = lock.value
        limits.append(Limit("lock", lower, upper))
    return [snapped(limit, spec.round_to) for limit in limits]


def snapped(limit: Limit, step: float) -> Limit:
    """The bounds as whole steps inside them; where there is none inside, the nearest one on both sides."""
    low, high = np.ceil(limit.lower / step - _WHOLE), np.floor(limit.upper / step + _WHOLE)
    empty = low > high
    middle = np.rint(np.where(empty, (limit.lower + np.where(empty, limit.upper, 0.0)) / (2.0 * step), 0.0))
    return Limit(limit.rule, np.where(empty, middle, low) * step, np.where(empty, middle, high) * step)


def combined(limits: list[Limit], tree: Hierarchy) -> tuple[FloatArray, FloatArray]:
    """One lower and one upper bound a node (N,): where two rules leave nothing between them, the later,
    stronger one holds."""
    lower, upper = _open(tree)
    for limit in limits:
        low = np.minimum(np.maximum(limit.lower, lower), limit.upper)
        high = np.maximum(np.minimum(limit.upper, upper), limit.lower)
        lower, upper = low, high
    return lower, upper


def without_floors(limit: Limit) -> Limit:
    """The rule with its upper bounds only."""
    return Limit(limit.rule, np.zeros(limit.lower.shape), limit.upper)


def acting_rules(limits: list[Limit], values: FloatArray, step: float) -> list[str]:
    """The rule on whose bound each node's value lies (N,): the strongest of them; blank where none acts."""
    found = np.full(len(values), "", dtype=object)
    for limit in limits:
        near = (np.abs(values - limit.upper) < _WHOLE * step) | (
            (np.abs(values - limit.lower) < _WHOLE * step) & (limit.lower > 0)
        )
        found[near] = limit.rule
    return [str(rule) for rule in found]


def _open(tree: Hierarchy) -> tuple[FloatArray, FloatArray]:
    return np.zeros(tree.size), np.full(tree.size, np.inf)


def _on_leaves(tree: Hierarchy, rule: str, lower: FloatArray, upper: FloatArray) -> Limit:
    low, high = _open(tree)
    low[tree.leaves], high[tree.leaves] = lower, upper
    return Limit(rule, low, high)


def _seller_limits(plan: Plan, spec: QuotaSpec, levels: Levels, headcount: FloatArray) -> list[Limit]:
    """Bounds from the columns of sellers: target pay, last quota, quota_min and quota_max."""
    table = plan.tables.get("sellers")
    own = spec.seller_bounds
    wanted = (spec.metric == "revenue" and not spec.where) if own is None else own
    if table is None or levels.seller_level is None or not wanted:
        return []
    years = plan.calendar.size / plan.calendar.periods_a_year
    found = []
    for rule, band, figures, shift in (
        ("against_target_pay", spec.against_target_pay, table.numbers("target_pay") * headcount, 0.0),
        ("against_last_quota", spec.against_last_quota, table.numbers("last_quota") * years, 1.0),
    ):
        if band is not None:
            _check_band(band, rule, levels.place)
            sides = [_side(side, shift, figures) for side in _sides(band)]
            found.append(_on_sellers(plan, levels, rule, *sides))
    floors, caps = table.numbers("quota_min") * years, table.numbers("quota_max") * years
    if not (np.isnan(floors) & np.isnan(caps)).all():
        crossed = floors > caps
        if crossed.any():
            row = int(crossed.argmax())
            raise InputError("quotas.min_above_max", table.place(row, "quota_min", floors[row] / years))
        found.append(_on_sellers(plan, levels, "quota_min_max", floors, caps))
    return found


def _sides(band: QuotaBand) -> tuple[float | None, float | None]:
    return band.at_least, band.at_most


def _side(side: float | None, shift: float, figures: FloatArray) -> FloatArray:
    return np.full(figures.shape, np.nan) if side is None else figures * (shift + side)


def _check_band(band: QuotaBand, rule: str, place: Place) -> None:
    low, high = _sides(band)
    if low is not None and high is not None and low > high:
        raise InputError("quotas.band_backwards", place, rule=rule)


def _on_sellers(plan: Plan, levels: Levels, rule: str, lower: FloatArray, upper: FloatArray) -> Limit:
    """Bounds of sellers (S,) as bounds of their nodes; NaN is open.

    Raises `InputError` where a bounded seller stands at several places, so that no number is the seller's
    own.
    """
    low, high = _open(levels.tree)
    nodes = levels.tree.nodes(levels.seller_level or 0)
    sellers = levels.node_seller[nodes]
    bounded = ~(np.isnan(lower) & np.isnan(upper))[sellers]
    count = np.bincount(sellers[bounded], minlength=len(lower))
    if (count > 1).any():
        name = plan.tables["sellers"].text("seller")[int(count.argmax())]
        raise InputError("quotas.seller_split", levels.place, seller=name, levels=", ".join(levels.tree.by))
    low[nodes] = np.maximum(np.nan_to_num(lower[sellers], nan=0.0), 0.0)
    high[nodes] = np.where(np.isnan(upper[sellers]), np.inf, upper[sellers])
    return Limit(rule, low, high)
