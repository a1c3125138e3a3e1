"""Part of family uplift: opportunities and leads that enter while an effect works, and what effects add.

    gain[w,k,t] <= amount[k,t]
    sum_{k together} gain[w,k,t] <= most[k,t] working[w,t]
    sum_{k together} (amount[k,t] - gain[w,k,t]) <= most[k,t] (1 - working[w,t])
    organic[m,t] <= organic at rest[m,t] + sum_w added[w,m,t] working[w,t]

k are entries of yields (those of one pool together), organic opportunities or leads of a channel, so that
gain = amount * working exactly; where a yield is negative, gain and amount are below 0 and the rows hold for
their sizes. Units: opportunities, leads. Reference: McCormick 1976.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from optimizer.errors import InputError
from optimizer.model.blocks import ActivityBlock
from optimizer.model.context import Context
from optimizer.model.gains import Gains, added_organic
from optimizer.model.marketing import by_period
from optimizer.model.terms import Terms

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


def gain(context: Context) -> None:
    """Add the rows of every gain block, and those of added organic opportunities."""
    for base, rows in context.activities.gains.items():
        _products(context, context.activities.blocks[base], context.activities.blocks[f"gain_{base}"], rows)
    _organic(context)


def _products(context: Context, base: ActivityBlock, block: ActivityBlock, rows: Gains) -> None:
    """gain = amount * working, because working is 0 or 1."""
    if not np.isfinite(rows.most).all():
        row = int((~np.isfinite(rows.most)).any(axis=1).argmax())
        place = int(rows.row[row])
        parts = dict.fromkeys(str(texts[place]) for texts in base.labels.values())
        raise InputError("effects.gain_without_limit", name="/".join(parts))
    count, periods = block.size, block.num_periods
    each, nothing = np.arange(count), np.zeros(count)
    amount = base.columns[rows.row].ravel()
    sign = np.repeat(rows.sign, periods)
    own = Terms(each, block.columns.ravel(), sign, nothing)
    names = context.builder.column_labels(block.name)
    builder = context.builder
    builder.add_rows("uplift", own + Terms(each, amount, -sign, nothing), names, upper=0.0)
    group, together = _together(context, rows)
    member = (together[:, None] * periods + np.arange(periods)[None, :]).ravel()
    size = len(group) * periods
    most = rows.most[group].ravel()
    working = context.activities.blocks["working"].columns[rows.window[group]].ravel()
    zero = np.zeros(size)
    switch = Terms(np.arange(size), working, -most, zero)
    gained = Terms(member, block.columns.ravel(), sign, zero)
    rest = Terms(member, amount, sign, zero) + gained.scaled(-1.0)
    shown = tuple(f"{rows.window[row] + 1} {base.name} {rows.row[row] + 1}" for row in group)
    for word, terms, upper in (
        ("closed", gained + switch, zero),
        ("open", rest + switch.scaled(-1.0), most),
    ):
        labels = by_period(shown, context.cube.calendar.period, word)
        builder.add_rows("uplift", terms, labels, upper=upper)


def _together(context: Context, rows: Gains) -> tuple[IntArray, IntArray]:
    """Rows that one bound holds for: the first of each set, and the set of each row (K,)."""
    marketing = context.cube.inputs.marketing
    unit = rows.row
    if rows.base == "worked" and marketing is not None:
        unit = marketing.yields.pool[rows.row]
    key = rows.window * (int(unit.max(initial=0)) + 1) + unit
    _, first, together = np.unique(key, return_index=True, return_inverse=True)
    return first, together


def _organic(context: Context) -> None:
    """Organic opportunities are those at rest and what windows add; all of them where idling saves no
    hours."""
    effects, funnel = context.cube.inputs.effects, context.cube.inputs.funnel
    block = context.activities.blocks.get("organic")
    if effects is None or funnel is None or block is None or not effects.of("organic"):
        return
    markets = block.markets
    assert markets is not None
    nothing = np.zeros(block.size)
    terms = Terms(np.arange(block.size), block.columns.ravel(), np.ones(block.size), nothing)
    for effect in effects.of("organic"):
        added = added_organic(context.cube, effects, effect)[markets]
        row, period = np.nonzero(added)
        working = context.activities.blocks["working"].columns[effects.window[effect]]
        terms = terms + Terms(row * block.num_periods + period, working[period], -added[row, period], nothing)
    idle = np.asarray(funnel.stages.hours.any(axis=1), dtype=np.bool_)[markets]
    rest = funnel.organic[markets]
    names = tuple(context.cube.markets.names[market] for market in markets)
    labels = by_period(names, context.cube.calendar.period, "organic")
    # What came in closed periods is at most what facts tell.
    closed = np.arange(block.num_periods) < context.cube.inputs.past
    lower = np.where(idle[:, None] | closed[None, :], -np.inf, rest).ravel()
    context.builder.add_rows("uplift", terms, labels, lower=lower, upper=rest.ravel())
