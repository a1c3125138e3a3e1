"""Bounds that contradict each other, parts that do not add up, and markets that nothing bounds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from optimizer.checks.finding import Checked, Finding, listed, member_phrase
from optimizer.checks.funnel import fed_without_limit
from optimizer.model.families.rules import RuleRows
from optimizer.model.metrics import RATIOS, SALES_METRICS
from optimizer.model.seating import may_be_there
from optimizer.model.terms import Terms
from optimizer.plan.scopes import TIME_COLUMNS

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

_TOLERANCE = 1e-6
_TWO = 2
_CAPS_AT_MOST = 5_000
"""Caps that are compared with floors; beyond, the solver's own explanation has to do."""


def check_contradictions(checked: Checked) -> Iterator[Finding]:
    """Floors that add up to more than a hard cap on a scope that holds all of them."""
    sums = [rows for rows in checked.rows if rows.rule.metric not in RATIOS and not rows.rule.as_share]
    caps = [
        (rows, int(member))
        for rows in sums
        if rows.rule.must
        for member in np.flatnonzero(np.isfinite(rows.upper))
    ]
    for cap, member in caps[:_CAPS_AT_MOST]:
        inside = _cells(checked, cap, member)
        for floor in sums:
            if floor.rule.metric == cap.rule.metric and np.isfinite(floor.lower).any():
                yield from _floor_above_cap(floor, cap, member, inside)


def _cells(checked: Checked, rows: RuleRows, member: int) -> BoolArray:
    inside = np.zeros(checked.context.builder.num_columns or checked.context.cube.num_cells, dtype=np.bool_)
    terms = rows.upper_terms
    inside[terms.column[terms.member == member]] = True
    return inside


def _floor_above_cap(floor: RuleRows, cap: RuleRows, member: int, inside: BoolArray) -> Iterator[Finding]:
    terms = floor.lower_terms
    cells = np.bincount(terms.member, minlength=terms.size)
    outside = np.bincount(terms.member, weights=~inside[terms.column], minlength=terms.size)
    held = np.flatnonzero((cells > 0) & (outside == 0) & np.isfinite(floor.lower))
    total, most = float(floor.lower[held].sum()), float(cap.upper[member])
    # A single floor above a cap is said where targets are compared with what they can reach.
    if floor is cap or len(held) < _TWO or total <= most * (1.0 + _TOLERANCE) + _TOLERANCE:
        return
    fields = {
        "floor": floor.rule.name,
        "total": total,
        "cap": cap.rule.name,
        "most": most,
        "member": member_phrase(cap.members.labels[member]),
        "missing": total - most,
    }
    yield Finding(
        "error" if floor.rule.must else "warning", "checking.floor_above_cap", fields, floor.rule.place
    )


def check_sums(checked: Checked) -> Iterator[Finding]:
    """Targets by quarter (or another time column) that do not add up to the whole, and parts above it."""
    sums = [
        rows
        for rows in checked.rows
        if rows.rule.metric not in RATIOS and not rows.rule.as_share and np.isfinite(rows.lower).any()
    ]
    for parts in sums:
        for whole in sums:
            column = _column_more(parts, whole)
            if column is not None:
                yield from _compared(parts, whole, column)


def _column_more(parts: RuleRows, whole: RuleRows) -> str | None:
    """The one column that `parts` has beyond `whole`, where the two otherwise speak of the same."""
    fine, coarse = parts.rule, whole.rule
    more = [column for column in fine.each if column not in coarse.each]
    same = fine.metric == coarse.metric and dict(fine.where) == dict(coarse.where)
    if not same or len(more) != 1 or not set(coarse.each) <= set(fine.each):
        return None
    return more[0] if np.isfinite(parts.lower).all() else None


def _compared(parts: RuleRows, whole: RuleRows, column: str) -> Iterator[Finding]:
    at = parts.rule.each.index(column)
    order = [parts.rule.each.index(name) for name in whole.rule.each]
    totals: dict[tuple[str, ...], float] = {}
    for label, lower in zip(parts.members.labels, parts.lower, strict=True):
        key = tuple(label[index] for index in order)
        totals[key] = totals.get(key, 0.0) + float(lower)
    for label, lower in zip(whole.members.labels, whole.lower, strict=True):
        total = totals.get(label, np.nan)
        above = total - float(lower)
        off = abs(above) if parts.rule.each[at] in TIME_COLUMNS else above
        if np.isfinite(off) and off > _TOLERANCE * max(abs(float(lower)), 1.0):
            fields = {
                "parts": parts.rule.name,
                "whole": whole.rule.name,
                "column": column,
                "total": total,
                "target": float(lower),
                "difference": above,
                "member": member_phrase(label),
            }
            yield Finding("info", "checking.parts_do_not_add_up", fields, parts.rule.place)


def check_unlimited(checked: Checked) -> Iterator[Finding]:
    """Markets whose sales are worth money and that nothing bounds: the plan would have no largest value."""
    worth = _rewarded(checked)
    if worth is None:
        return
    context = checked.context
    cube = context.cube
    endless = (worth > 0) & ~_bounded(checked, worth)
    markets = np.unique(cube.pair_market[endless.any(axis=1)])
    table = checked.inputs.plan.tables["markets"]
    if len(markets):
        names = [cube.markets.names[market] for market in markets]
        yield Finding(
            "error", "checking.market_without_limit", {"markets": listed(names)}, table.place(int(markets[0]))
        )


def _rewarded(checked: Checked) -> FloatArray | None:
    """What a unit brings in the first stage that maximises a sum (P, T); None where nothing does."""
    context = checked.context
    asked = checked.inputs.plan.spec.objective
    if asked is None:
        return context.metrics.coefficient("contribution") if context.cube.markets.knows_margin else None
    for stage in asked:
        if stage.maximize in SALES_METRICS:
            inside = (
                context.scopes.pair_mask(stage.where)[:, None]
                & context.scopes.period_mask(stage.where)[None, :]
            )
            return context.metrics.coefficient(stage.maximize) * inside
    return None


def _bounded(checked: Checked, worth: FloatArray) -> BoolArray:
    """Cells that a potential, a size pool, a capacity, a resource or a hard rule keeps finite (P, T)."""
    context = checked.context
    cube = context.cube
    pooled = [pool.markets for pool in checked.inputs.sizes if not np.isnan(pool.max_share)]
    bounded = np.isfinite(cube.by_market(cube.markets.potential))
    bounded |= np.isin(cube.pair_market, np.concatenate(pooled) if pooled else [])[:, None]
    bounded |= np.isfinite(cube.capacity[cube.pair_seat]) & (cube.effort > 0)
    bounded |= ~may_be_there(cube)[cube.pair_seat]
    if checked.inputs.funnel is not None:
        bounded |= (checked.inputs.funnel.led & ~fed_without_limit(checked))[cube.pair_market][:, None]
    for resource, uses in context.activities.uses.items():
        table = checked.inputs.resources
        price = float(table.extra_price[resource])
        dear = np.isinf(price) | (uses * (price if np.isfinite(price) else 0.0) >= worth)
        bounded |= (uses > 0) & np.isfinite(table.capacity[resource])[None, :] & dear
    flat = bounded.ravel()
    for terms, member in _hard_caps(checked.rows):
        kept = (terms.member == member) & (terms.value > 0) & (terms.column < cube.num_cells)
        flat[terms.column[kept]] = True
    return flat.reshape(bounded.shape)


def _hard_caps(all_rows: Iterable[RuleRows]) -> Iterator[tuple[Terms, int]]:
    for rows in all_rows:
        if rows.rule.must:
            for member in np.flatnonzero(np.isfinite(rows.upper)):
                yield rows.upper_terms, int(member)
