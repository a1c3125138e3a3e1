"""Family initiatives: what is started at most once, runs for a while, and depends on other starts.

    active[i,t] = sum_{t - duration < u <= t} start[i,u],      sum_t start[i,t] <= 1
    start[i,t] <= sum_{u <= t - after} start[j,u]              i requires j
    sum_t start[i,t] + sum_t start[j,t] <= 1                   i excludes j
    sum_{i in group} sum_{t - duration - gap < u <= t} start[i,u] <= 1     nobody is touched in between
    working[w,t] = sum_{after <= a < after + lasts} start[i,t-a]           windows of effects

Rows that are unlocked, and levels of one demand, are in `unlocking`.
Units: starts. Reference: project selection (Hillier & Lieberman, ch. 12).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from optimizer.model.blocks import ActivityBlock
from optimizer.model.builder import Labels
from optimizer.model.context import Context
from optimizer.model.families.unlocking import unlocking
from optimizer.model.marketing import by_period
from optimizer.model.terms import Terms
from optimizer.model.windows import window_labels
from optimizer.plan.initiatives import Initiatives

IntArray = NDArray[np.int64]


def initiatives(context: Context) -> None:
    """Add the rows that define active periods, and those of single starts, requirements and exclusions."""
    found = context.cube.inputs.initiatives
    if found is None:
        return
    start = context.activities.blocks["start"]
    _active(context, found, start)
    pairs = [(row, row) for row in range(start.num_rows)]
    _at_most_one(context, start, pairs, lambda: [(name, "once") for name in found.names])
    excluded = list(found.excludes)
    _at_most_one(
        context, start, excluded, lambda: [(found.names[i], "excludes", found.names[j]) for i, j in excluded]
    )
    for row, other, after in found.requires:
        _requires(context, found, start, row, other, after)
    _gaps(context, found, start)
    _windows(context, start)
    unlocking(context)


def _active(context: Context, found: Initiatives, start: ActivityBlock) -> None:
    rows = np.arange(start.num_rows)
    labels = by_period(found.names, context.cube.calendar.period)
    active = context.activities.blocks["active"]
    _spans(context, start, active, rows, np.zeros_like(rows), found.duration, labels)


def _windows(context: Context, start: ActivityBlock) -> None:
    """The periods in which effects work, by windows of time since the start."""
    effects = context.cube.inputs.effects
    if effects is None or not effects.windows:
        return
    row, after, lasts = np.array(effects.windows, dtype=np.int64).T
    labels = window_labels(context.cube, effects)
    _spans(context, start, context.activities.blocks["working"], row, after, after + lasts, labels)


def _spans(
    context: Context,
    start: ActivityBlock,
    block: ActivityBlock,
    begun_by: IntArray,
    youngest: IntArray,
    oldest: IntArray,
    labels: Labels,
) -> None:
    """Columns that are 1 while the start of their initiative is at least `youngest` and less than `oldest`
    periods ago."""
    periods = start.num_periods
    age = np.arange(periods)[:, None] - np.arange(periods)[None, :]
    inside = (age[None] >= youngest[:, None, None]) & (age[None] < oldest[:, None, None])
    row, period, begun = np.nonzero(inside)
    count = block.num_rows * periods
    begins = Terms(
        row * periods + period, start.columns[begun_by[row], begun], np.full(len(row), -1.0), np.zeros(count)
    )
    runs = Terms(np.arange(count), block.columns.ravel(), np.ones(count), np.zeros(count))
    context.builder.add_rows("initiatives", runs + begins, labels, lower=0.0, upper=0.0)


def _gaps(context: Context, found: Initiatives, start: ActivityBlock) -> None:
    """At most one initiative of a group runs, or has ended less than its gap ago, in any period."""
    periods = start.num_periods
    age = np.arange(periods)[:, None] - np.arange(periods)[None, :]
    busy = found.duration + np.nan_to_num(found.gap).astype(np.int64)
    members = {
        group: np.flatnonzero(np.array([own == group for own in found.groups]) & ~np.isnan(found.gap))
        for group in dict.fromkeys(found.groups)
    }
    for group, rows in members.items():
        if len(rows) < 2:
            continue
        row, period, begun = np.nonzero((age >= 0)[None] & (age[None] < busy[rows][:, None, None]))
        ones = np.ones(len(row))
        touched = Terms(period, start.columns[rows[row], begun], ones, np.zeros(periods))
        labels = by_period((group,), context.cube.calendar.period, "gap")
        context.builder.add_rows("initiatives", touched, labels, upper=1.0)


def _at_most_one(
    context: Context, start: ActivityBlock, pairs: list[tuple[int, int]], labels: Labels
) -> None:
    """At most one start of each pair, or of a row itself."""
    if not pairs:
        return
    members, columns = [], []
    for member, pair in enumerate(pairs):
        own = start.columns[list(dict.fromkeys(pair))].ravel()
        members.append(np.full(len(own), member))
        columns.append(own)
    column = np.concatenate(columns)
    terms = Terms(np.concatenate(members), column, np.ones(len(column)), np.zeros(len(pairs)))
    context.builder.add_rows("initiatives", terms, labels, upper=1.0)


def _requires(
    context: Context, found: Initiatives, start: ActivityBlock, row: int, other: int, after: int
) -> None:
    """No start in a period without a start of the other one, `after` periods before it or earlier."""
    periods = start.num_periods
    ahead = np.arange(periods) >= context.cube.inputs.past
    # A start that is a fact needs no permission any more.
    period, begun = np.nonzero(np.tri(periods, k=-after, dtype=np.bool_) & ahead[:, None])
    own = Terms(np.arange(periods), start.columns[row], ahead.astype(np.float64), np.zeros(periods))
    needed = Terms(period, start.columns[other][begun], np.full(len(period), -1.0), np.zeros(periods))
    shown = context.cube.calendar.period

    def labels() -> list[tuple[str, ...]]:
        return [(found.names[row], "requires", found.names[other], label) for label in shown]

    context.builder.add_rows("initiatives", own + needed, labels, upper=0.0)
