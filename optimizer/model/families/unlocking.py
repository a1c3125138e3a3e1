"""Part of family initiatives: rows that only an initiative opens, and levels of one demand.

    sum_{s in row} sales[s,m,t] <= most[m,t] sum_w working[w,t]         opened by any of the windows w
    sum_{levels} working[w(level),t] <= 1; = 1 where no level is open by itself
    sum_s sales[s,base,t] <= most[base,t] (1 - sum_{levels} working)    the level that is open by itself

most is what the potential (with everything that effects may add) and the sellers' capacity allow; where
neither bounds it there is an error, never a large number. A price, discount or service level is one row of
markets a level; levels share a demand (`shared_demand`) and exactly one of them is active. Units: units of
the market. Reference: multiple choice and variable upper bounds (Hillier & Lieberman, ch. 12).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from optimizer.errors import InputError
from optimizer.model.bounds import most_demand, most_units
from optimizer.model.context import Context
from optimizer.model.marketing import by_period
from optimizer.model.terms import Terms, sum_by
from optimizer.model.uplifts import touched
from optimizer.plan.effects import UNLOCK, Effects

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]


def unlocking(context: Context) -> None:
    """Add the rows of what is unlocked and of levels; raises `InputError` where nothing limits such a row."""
    effects = context.cube.inputs.effects
    if effects is None or not effects.of(UNLOCK):
        return
    opens = _opening_windows(context, effects)
    for windows in np.unique(opens[opens.any(axis=1)], axis=0):
        pairs = np.flatnonzero((opens == windows).all(axis=1))
        _open(context, effects, pairs, np.flatnonzero(windows), 0.0)
    _levels(context, effects, opens)


def _opening_windows(context: Context, effects: Effects) -> BoolArray:
    """Windows that open each pair (P, W)."""
    opens: BoolArray = np.zeros((context.cube.num_pairs, len(effects.windows)), dtype=np.bool_)
    for effect in effects.of(UNLOCK):
        opens[:, effects.window[effect]] |= touched(context.cube, effects, effect)
    return opens


def _open(context: Context, effects: Effects, pairs: IntArray, windows: IntArray, always: float) -> None:
    """One row a market and period: what these pairs sell there, at most `most` times (always + working)."""
    cube = context.cube
    markets, row = np.unique(cube.pair_market[pairs], return_inverse=True)
    periods = cube.num_periods
    most = _most(context, effects, pairs, markets, row, windows)
    member = row[:, None] * periods + np.arange(periods)[None, :]
    count = len(markets) * periods
    sold = Terms(member.ravel(), context.cell_columns[pairs].ravel(), np.ones(member.size), np.zeros(count))
    sign = -1.0 if always == 0.0 else 1.0
    working = context.activities.blocks["working"].columns[windows]
    switch = Terms(
        np.tile(np.arange(count), len(windows)),
        np.broadcast_to(working[:, None, :], (len(windows), len(markets), periods)).ravel(),
        np.tile(sign * most.ravel(), len(windows)),
        np.zeros(count),
    )
    names = tuple(cube.markets.names[market] for market in markets)
    labels = by_period(names, cube.calendar.period, "base" if always else "unlock", _first(context, pairs))
    context.builder.add_rows("initiatives", sold + switch, labels, upper=always * most.ravel())


def _first(context: Context, pairs: IntArray) -> str:
    """The first seller of these pairs, which tells rows of one market apart."""
    return context.cube.seat_names[int(context.cube.pair_seat[pairs[0]])]


def _most(
    context: Context,
    effects: Effects,
    pairs: IntArray,
    markets: IntArray,
    row: IntArray,
    windows: IntArray,
) -> FloatArray:
    """The most that the pairs can sell in each market and period; raises `InputError` where nothing limits
    it."""
    cube = context.cube
    each = most_units(cube, context.activities.uplifts)[pairs]
    periods = cube.num_periods
    member = row[:, None] * periods + np.arange(periods)[None, :]
    together = sum_by(member.ravel(), each.ravel(), len(markets) * periods).reshape(len(markets), periods)
    most = np.minimum(most_demand(cube)[markets], together)
    if not np.isfinite(most).all():
        effect = next(effect for effect in effects.of(UNLOCK) if effects.window[effect] in windows.tolist())
        market = markets[int((~np.isfinite(most)).any(axis=1).argmax())]
        raise InputError(
            "effects.unlock_without_limit", effects.place[effect], market=cube.markets.names[market]
        )
    return most


def _levels(context: Context, effects: Effects, opens: BoolArray) -> None:
    """Exactly one level of each shared demand is active in each period."""
    cube = context.cube
    shared = cube.markets.shared_demand
    for label in dict.fromkeys(name for name in shared if name):
        rows = np.array([market for market, name in enumerate(shared) if name == label])
        windows = {market: _window_of(context, opens, int(market)) for market in rows}
        levels = {market: found for market, found in windows.items() if found >= 0}
        if not levels:
            continue
        closed = np.array(list(levels.values()))
        base = np.array([market for market, found in windows.items() if found < 0], dtype=np.int64)
        _check_levels(context, effects, label, closed, base)
        working = context.activities.blocks["working"].columns[closed]
        total = Terms(
            np.tile(np.arange(cube.num_periods), len(closed)),
            working.ravel(),
            np.ones(working.size),
            np.zeros(cube.num_periods),
        )
        lower = np.full(cube.num_periods, -np.inf) if len(base) else _reachable(context, effects, closed)
        labels = by_period((label,), cube.calendar.period, "levels")
        context.builder.add_rows("initiatives", total, labels, lower=lower, upper=1.0)
        pairs = np.flatnonzero(np.isin(cube.pair_market, base))
        if len(pairs):
            _open(context, effects, pairs, closed, 1.0)


def _window_of(context: Context, opens: BoolArray, market: int) -> int:
    """The window that opens every pair of a market; -1 where none does.

    Raises `InputError` where some of its sellers are always open, or several initiatives open it.
    """
    own = opens[context.cube.pair_market == market]
    found = np.unique(own, axis=0)
    if not own.any():
        return -1
    if len(found) > 1 or found.sum() > 1:
        raise InputError("effects.level_unlocked_in_parts", market=context.cube.markets.names[market])
    return int(found[0].argmax())


def _check_levels(context: Context, effects: Effects, label: str, windows: IntArray, base: IntArray) -> None:
    if len(base) > 1:
        names = ", ".join(context.cube.markets.names[market] for market in base)
        raise InputError("effects.levels_open", label=label, markets=names)
    if len(set(windows.tolist())) < len(windows):
        raise InputError("effects.levels_together", label=label)


def _reachable(context: Context, effects: Effects, windows: IntArray) -> FloatArray:
    """1 in each period in which some start could make one of the windows work, else no bound (T,)."""
    found = context.cube.inputs.initiatives
    assert found is not None
    periods = context.cube.num_periods
    age = np.arange(periods)[:, None] - np.arange(periods)[None, :]
    reached: BoolArray = np.zeros(periods, dtype=np.bool_)
    for window in windows:
        initiative, after, lasts = effects.windows[window]
        inside = (age >= after) & (age < after + lasts)
        reached |= (inside & found.may_start[initiative][None, :]).any(axis=1)
    return np.where(reached, 1.0, -np.inf)
