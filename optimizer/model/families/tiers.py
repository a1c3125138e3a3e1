"""Part of family spend: prices that rise or fall with volume, tier by tier.

    sum over the tiers k of c of tier[k,t] = spend[c,t]
    tier[k,t] <= width[k]                                                per period
    sum_t tier[k,t] <= width[k]                                          per horizon
    tier[k,t] <= most[k,t] reached[k,t]                                  reached binary
    width[k-1] reached[k,t] <= tier[k-1,t], or sum_{u <= t} tier[k-1,u] per horizon

The tiers fill from the lowest. The rows of `reached` are there only where something else could pay: where a
price falls, where tiers are those of a horizon of several periods, and where a rule or a stage may be better
off when marketing costs more. Units: insertions, or currency at the first price. most is what the largest
input of the period leaves, at most the width. Reference: separable programming, convex and not (Hillier &
Lieberman, ch. 13).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from optimizer.errors import InputError
from optimizer.model.context import Context
from optimizer.model.marketing import by_period, largest_inputs
from optimizer.model.terms import Terms
from optimizer.model.tiers import ordered_tiers
from optimizer.plan.marketing import Marketing
from optimizer.plan.tiers import Tiers

IntArray = NDArray[np.int64]


def tiers(context: Context, marketing: Marketing) -> None:
    """Add the rows of tiers; raises `InputError` where their order needs a largest input and has none."""
    found = marketing.tiers
    if found is None:
        return
    _filled(context, marketing, found)
    _widths(context, found)
    own = ordered_tiers(context.cube, found)
    if len(own):
        _order(context, marketing, found, own)


def _filled(context: Context, marketing: Marketing, found: Tiers) -> None:
    """The tiers of each row of marketing are its input, in periods that are still ahead."""
    spend, tier = (context.activities.blocks[name].columns for name in ("spend", "tier"))
    past, shown = context.cube.inputs.past, context.cube.calendar.period
    rows, of_tier = np.unique(found.channel, return_inverse=True)
    ahead = len(shown) - past
    size = len(rows) * ahead
    taken = Terms(np.arange(size), spend[rows, past:].ravel(), np.ones(size), np.zeros(size))
    member = (of_tier.reshape(-1)[:, None] * ahead + np.arange(ahead)[None, :]).ravel()
    inside = tier[:, past:].ravel()
    parts = Terms(member, inside, -np.ones(len(inside)), np.zeros(size))
    labels = by_period(tuple(marketing.names[row] for row in rows), shown[past:], "tiers")
    context.builder.add_rows("spend", taken + parts, labels, lower=0.0, upper=0.0)


def _widths(context: Context, found: Tiers) -> None:
    """No tier of the horizon takes more than its width; those of a period are bounds of columns."""
    own = np.flatnonzero(found.per_horizon & np.isfinite(found.width))
    if not len(own):
        return
    tier = context.activities.blocks["tier"].columns[own]
    member = np.repeat(np.arange(len(own)), tier.shape[1])
    terms = Terms(member, tier.ravel(), np.ones(tier.size), np.zeros(len(own)))
    names = [(found.names[at], "width") for at in own]
    context.builder.add_rows("spend", terms, lambda: names, upper=found.width[own])


def _order(context: Context, marketing: Marketing, found: Tiers, own: IntArray) -> None:
    """Nothing in a tier before the one below it is full."""
    tier, reached = (context.activities.blocks[name].columns for name in ("tier", "reached"))
    limits = largest_inputs(context.cube, marketing)[found.channel[own]]
    if not np.isfinite(limits).all():
        row = int(found.channel[own][int((~np.isfinite(limits)).any(axis=1).argmax())])
        table = context.cube.inputs.plan.tables["marketing"]
        raise InputError("model.spend_without_limit", table.place(row, "max_spend"))
    # Of a tier of the horizon earlier periods may have filled everything below it.
    begun = np.where(found.per_horizon[own], 0.0, found.above[own])[:, None]
    most = np.minimum(np.maximum(limits - begun, 0.0), found.width[own, None])
    names, shown = tuple(found.names[at] for at in own), context.cube.calendar.period
    count, periods = reached.size, len(shown)
    member = np.arange(count)
    inside = Terms(member, tier[own].ravel(), np.ones(count), np.zeros(count))
    on = Terms(member, reached.ravel(), -most.ravel(), np.zeros(count))
    context.builder.add_rows("spend", inside + on, by_period(names, shown, "reached"), upper=0.0)
    full = Terms(member, reached.ravel(), -np.repeat(found.width[own - 1], periods), np.zeros(count))
    until = np.where(found.per_horizon[own][:, None, None], np.tri(periods), np.eye(periods))
    at, period, earlier = np.nonzero(until)
    below = Terms(at * periods + period, tier[own[at] - 1, earlier], np.ones(len(at)), np.zeros(count))
    context.builder.add_rows("spend", full + below, by_period(names, shown, "below full"), lower=0.0)
