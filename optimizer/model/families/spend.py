"""Family spend: bounds, pacing and switches of what each row of marketing takes in.

    total_lower <= sum_t spend[c,t] <= total_upper
    spend[c,t] = spend[c,first period]                               with `pacing: even`
    least_if_used used[c,t] <= unit_cost spend[c,t],  spend[c,t] <= U used[c,t]
    spend[c,t] <= U sum_{u <= t} opened[c,u],  sum_u opened[c,u] <= 1    with a fixed cost due once

Units: insertions where the row has a unit_cost, else currency. U is the largest input that bounds and hard
budgets allow. Reference: fixed charge (Hillier & Lieberman, ch. 12).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from optimizer.errors import InputError
from optimizer.model.blocks import ActivityBlock
from optimizer.model.builder import Labels
from optimizer.model.context import Context
from optimizer.model.families.tiers import tiers
from optimizer.model.marketing import by_period, folds, largest_inputs, opens, settled, switched
from optimizer.model.terms import Terms
from optimizer.plan.marketing import Marketing

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


def spend(context: Context) -> None:
    """Add the rows of totals, even pacing and switches; raises `InputError` where a switch has no limit."""
    marketing = context.cube.inputs.marketing
    if marketing is None:
        return
    block = context.activities.blocks["spend"]
    _totals(context, marketing, block)
    tiers(context, marketing)
    _even(context, marketing, block)
    most = largest_inputs(context.cube, marketing)
    for name, rows in (("used", switched(marketing)), ("opened", opens(marketing))):
        if rows.any():
            _check_limits(context, marketing, most, rows)
            _switch(context, marketing, block, name, np.flatnonzero(rows), most)


def _totals(context: Context, marketing: Marketing, block: ActivityBlock) -> None:
    bounds = marketing.bounds
    limited = (bounds.total_lower > 0) | np.isfinite(bounds.total_upper)
    rows = np.flatnonzero(limited & ~folds(marketing, block.num_periods))
    if len(rows):
        context.builder.add_rows(
            "spend",
            _sums(block, rows),
            _names(marketing, rows, "total"),
            lower=bounds.total_lower[rows],
            upper=bounds.total_upper[rows],
        )


def _even(context: Context, marketing: Marketing, block: ActivityBlock) -> None:
    """The same input in every active period."""
    ahead = np.arange(block.num_periods) >= context.cube.inputs.past
    active = marketing.active & marketing.even[:, None] & ahead[None, :]
    first = active.argmax(axis=1)
    later = active & (np.arange(block.num_periods)[None, :] > first[:, None])
    row, period = np.nonzero(later)
    if not len(row):
        return
    member = np.arange(len(row))
    terms = Terms(
        np.tile(member, 2),
        np.concatenate([block.columns[row, period], block.columns[row, first[row]]]),
        np.concatenate([np.ones(len(row)), -np.ones(len(row))]),
        np.zeros(len(row)),
    )
    shown = context.cube.calendar.period

    def labels() -> list[tuple[str, ...]]:
        return [(marketing.names[at], shown[when], "even") for at, when in zip(row, period, strict=True)]

    context.builder.add_rows("spend", terms, labels, lower=0.0, upper=0.0)


def _check_limits(context: Context, marketing: Marketing, most: FloatArray, rows: NDArray[np.bool_]) -> None:
    free = rows & ~np.isfinite(most).all(axis=1)
    if free.any():
        row = int(free.argmax())
        table = context.cube.inputs.plan.tables["marketing"]
        raise InputError("model.spend_without_limit", table.place(row, "max_spend"))


def _switch(
    context: Context,
    marketing: Marketing,
    block: ActivityBlock,
    name: str,
    rows: IntArray,
    most: FloatArray,
) -> None:
    """No input without the switch, and no less than least_if_used with it; facts ask for neither."""
    periods, free = block.num_periods, settled(context.cube, marketing, name)[rows].ravel()
    spent, switch = block.columns[rows], context.activities.blocks[name].columns[rows]
    names, shown = tuple(marketing.names[row] for row in rows), context.cube.calendar.period
    member = np.arange(len(rows) * periods)
    nothing = np.zeros(len(member))
    own = Terms(member, spent.ravel(), np.ones(len(member)), nothing)
    if name == "opened":
        on = _opened(context, marketing, switch, rows, most)
    else:
        on = Terms(member, switch.ravel(), -most[rows].ravel(), nothing)
        least = Terms(member, switch.ravel(), -np.repeat(marketing.least_if_used[rows], periods), nothing)
        context.builder.add_rows(
            "spend",
            own.scaled(np.repeat(marketing.unit_cost[rows], periods)) + least,
            by_period(names, shown, "least"),
            lower=np.where(free, -np.inf, 0.0),
        )
    limit = np.where(free, np.inf, 0.0)
    context.builder.add_rows("spend", own + on, by_period(names, shown, name), upper=limit)


def _opened(
    context: Context, marketing: Marketing, switch: IntArray, rows: IntArray, most: FloatArray
) -> Terms:
    """-most in every period from that of the opening on; a channel is opened once."""
    count, periods = switch.shape
    once = Terms(np.repeat(np.arange(count), periods), switch.ravel(), np.ones(switch.size), np.zeros(count))
    context.builder.add_rows("spend", once, _names(marketing, rows, "opened once"), upper=1.0)
    until = np.broadcast_to(np.tri(periods, dtype=np.bool_), (count, periods, periods))
    row, period, earlier = np.nonzero(until)
    return Terms(
        row * periods + period,
        switch[row, earlier],
        -most[rows][row, period],
        np.zeros(count * periods),
    )


def _sums(block: ActivityBlock, rows: IntArray) -> Terms:
    columns = block.columns[rows]
    return Terms(
        np.repeat(np.arange(len(rows)), block.num_periods),
        columns.ravel(),
        np.ones(columns.size),
        np.zeros(len(rows)),
    )


def _names(marketing: Marketing, rows: IntArray, word: str) -> Labels:
    return lambda: [(marketing.names[row], word) for row in rows]
