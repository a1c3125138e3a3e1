"""The columns of windows: periods in which an effect of an initiative works, and what they carry."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from optimizer.errors import InputError
from optimizer.model.blocks import ActivityBlock
from optimizer.model.builder import Labels, ProgramBuilder
from optimizer.model.cube import Cube
from optimizer.plan.effects import Effects
from optimizer.plan.territories import label_codes

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]


def window_blocks(builder: ProgramBuilder, cube: Cube) -> list[ActivityBlock]:
    """Block working (0..1) of each window and period, and blocks value and satisfaction, which say under
    labels of their own where windows bring something; none without effects."""
    effects, found = cube.inputs.effects, cube.inputs.initiatives
    if effects is None or found is None:
        return []
    rows, periods = len(effects.windows), cube.num_periods
    start = builder.add_columns("working", rows * periods, window_labels(cube, effects), upper=1.0)
    labels = {
        name: [texts[initiative] for initiative, _, _ in effects.windows]
        for name, texts in found.labels.items()
    }
    working = ActivityBlock("working", start, labels, rows, periods, np.ones((rows, periods)), decision=False)
    blocks = [working]
    for change in ("value", "satisfaction"):
        effect, market = places(effects, change)
        if len(effect):
            carried = _labels(cube, effects, found.labels, effect, market)
            columns = working.columns[effects.window[effect]]
            ones = np.ones(columns.shape)
            blocks.append(
                ActivityBlock(
                    change, 0, carried, len(effect), periods, ones, decision=False, stands_for=columns
                )
            )
    return blocks


def effect_views(cube: Cube, blocks: dict[str, ActivityBlock]) -> list[ActivityBlock]:
    """Blocks leads_added and customers_held, which say where windows bring leads and keep customers."""
    effects = cube.inputs.effects
    if effects is None or "working" not in blocks:
        return []
    working, found = blocks["working"].columns, []
    adds = [row for row in effects.of("leads") if not effects.multiplies[row]]
    sources = [("leads_added", "response", np.array(adds, dtype=np.int64), effects.channels)]
    if cube.inputs.funnel is not None:
        groups = groups_touched(cube, effects)
        own = np.array(effects.of("retention"), dtype=np.int64)
        sources.append(("customers_held", "customers", own, groups))
    for name, base, own, touched in sources:
        if base not in blocks or not len(own):
            continue
        row, place = np.nonzero(touched[own])
        at = place.tolist()
        labels = {column: [texts[one] for one in at] for column, texts in blocks[base].labels.items()}
        columns = working[effects.window[own[row]]]
        ones = np.ones(columns.shape)
        found.append(
            ActivityBlock(
                name, 0, labels, len(row), cube.num_periods, ones, decision=False, stands_for=columns
            )
        )
    return found


def may_work(cube: Cube, effects: Effects) -> BoolArray:
    """Periods in which each window can be open at all, whenever its initiative starts (W, T)."""
    found, facts = cube.inputs.initiatives, cube.inputs.facts
    assert found is not None
    begins = found.may_start.copy()
    if facts is not None and facts.starts is not None:
        begins[:, : facts.past] = facts.starts[:, : facts.past] > 0
    open_in: BoolArray = np.zeros((len(effects.windows), cube.num_periods), dtype=np.bool_)
    for window, (initiative, after, lasts) in enumerate(effects.windows):
        for begun in np.flatnonzero(begins[initiative]).tolist():
            open_in[window, begun + after : begun + after + lasts] = True
    return open_in


def groups_touched(cube: Cube, effects: Effects) -> BoolArray:
    """Groups of customers that each effect is about (E, G): those with any market of existing customers
    that it covers."""
    funnel = cube.inputs.funnel
    assert funnel is not None
    found: BoolArray = np.zeros((len(effects.changes), len(funnel.customers.names)), dtype=np.bool_)
    for group, market in zip(funnel.customers.entry_group, funnel.customers.entry_market, strict=True):
        found[:, group] |= effects.markets[:, market]
    return found


def opening_path(cube: Cube) -> FloatArray:
    """Customers whom effects reach who are still there before each period, without any effect (G, T); with
    facts the start is the first period ahead."""
    funnel = cube.inputs.funnel
    assert funnel is not None
    found, age = funnel.customers, np.maximum(np.arange(cube.num_periods) - cube.inputs.past, 0)
    return np.asarray(found.reached[:, None] * found.kept[:, None] ** age[None, :], dtype=np.float64)


def retained(cube: Cube, effects: Effects, effect: int) -> FloatArray:
    """Share of a year's customers that one effect keeps more (G,).

    Raises `InputError` where a group would keep more than all or less than none.
    """
    funnel = cube.inputs.funnel
    assert funnel is not None
    retention = funnel.customers.retention
    amount = float(effects.amount[effect])
    found = np.where(groups_touched(cube, effects)[effect], amount, 0.0)
    more = found * retention if effects.multiplies[effect] else found
    if ((retention + more > 1.0 + 1e-9) | (retention + more < 0.0)).any():
        raise InputError("effects.retention_outside", effects.place[effect])
    return np.asarray(more, dtype=np.float64)


def places(effects: Effects, change: str) -> tuple[IntArray, IntArray]:
    """Every (effect, market) of the effects that change something, arrays of one length."""
    own = np.array(effects.of(change), dtype=np.int64)
    row, market = np.nonzero(effects.markets[own])
    return own[row], market


def window_labels(cube: Cube, effects: Effects) -> Labels:
    """Labels (initiative, first period after its start, length, period) of each window."""
    found = cube.inputs.initiatives
    assert found is not None
    names = [(found.names[row], f"after {after}", f"lasts {lasts}") for row, after, lasts in effects.windows]
    return lambda: [(*name, period) for name in names for period in cube.calendar.period]


def _labels(
    cube: Cube,
    effects: Effects,
    initiatives: Mapping[str, list[str]],
    effect: IntArray,
    market: IntArray,
) -> dict[str, list[str]]:
    """Columns of the initiative and of the market, also as market.NAME, of each (effect, market)."""
    begun = [effects.windows[effects.window[row]][0] for row in effect]
    carried = {name: [texts[row] for row in begun] for name, texts in initiatives.items()}
    for name, texts in cube.markets.labels.items():
        here = [texts[row] for row in market]
        carried.setdefault(name, here)
        carried[f"market.{name}"] = here
    return carried


def demands(cube: Cube) -> tuple[IntArray, list[str]]:
    """The demand that each market belongs to (M,), and the name of each: the market's own, or the one that it
    shares."""
    markets = cube.markets
    return label_codes(
        [shared or name for name, shared in zip(markets.names, markets.shared_demand, strict=True)]
    )


def demand_potential(cube: Cube) -> FloatArray:
    """Units of each demand (N, T): the potential of its market, the largest of those that share it."""
    group, names = demands(cube)
    found = np.zeros((len(names), cube.num_periods))
    np.maximum.at(found, group, cube.markets.potential)
    return found


def added_demand(cube: Cube, effects: Effects, effect: int) -> FloatArray:
    """What one effect adds to each demand in a period in which it works (N, T), in its largest market's
    units.

    A factor is applied to each potential; an amount is shared by the demands in proportion to their
    potential. Raises `InputError` where an effect is about a part of a shared demand.
    """
    group, names = demands(cube)
    inside = np.bincount(group, weights=effects.markets[effect], minlength=len(names))
    if ((inside > 0) & (inside < np.bincount(group, minlength=len(names)))).any():
        raise InputError("effects.part_of_demand", effects.place[effect])
    own = (inside > 0)[:, None]
    potential = demand_potential(cube)
    if effects.multiplies[effect]:
        whole: FloatArray = np.where(own & np.isfinite(potential), potential, 0.0)
        return whole * float(effects.amount[effect])
    return float(effects.amount[effect]) * shares_of(own, potential)


def value_by_market(cube: Cube, effects: Effects, effect: int) -> FloatArray:
    """Currency a month that one effect brings in each market (M, T), shared in proportion to potential."""
    own = effects.markets[effect][:, None]
    return float(effects.amount[effect]) * shares_of(own, cube.markets.potential)


def shares_of(own: BoolArray, potential: FloatArray) -> FloatArray:
    """Share of each row of `own` (rows, 1) in every period, by potential; equal where one has none."""
    known = bool(np.isfinite(potential[own[:, 0]]).all())
    weight = np.where(own, potential if known else 1.0, 0.0)
    total = weight.sum(axis=0, keepdims=True)
    equal = own / max(int(own.sum()), 1)
    return np.asarray(np.divide(weight, total, out=equal + 0.0 * weight, where=total > 0), dtype=np.float64)


def added_by_seat(cube: Cube, effects: Effects, effect: int) -> FloatArray:
    """What one effect adds to the capacity of each seat while it works (G, T), from `as_of` on: an amount for
    each of its sellers who is there, or a share of their capacity."""
    sellers = cube.inputs.selling.sellers
    limited = np.where(np.isfinite(sellers.capacity), sellers.capacity, 0.0)
    basis = limited if effects.multiplies[effect] else sellers.headcount * np.isfinite(sellers.capacity)
    each = effects.amount[effect] * basis * effects.sellers[effect][:, None]
    total = np.zeros(cube.capacity.shape)
    np.add.at(total, cube.groups.group, each * (np.arange(each.shape[1]) >= cube.inputs.past))
    return total
