"""The columns of every activity, in a fixed order: sales first, resources bought last."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from optimizer.model.blocks import Activities, ActivityBlock
from optimizer.model.bounds import may_sell
from optimizer.model.builder import ProgramBuilder
from optimizer.model.cube import Cube
from optimizer.model.facts import fact_blocks
from optimizer.model.funnel import funnel_blocks, funnel_flows
from optimizer.model.gains import find_gains, gain_blocks
from optimizer.model.initiatives import initiative_blocks
from optimizer.model.marketing import marketing_blocks
from optimizer.model.seat_gains import find_seat_gains, seat_gain_blocks
from optimizer.model.seating import seat_blocks
from optimizer.model.staff import staff_blocks
from optimizer.model.uplifts import Uplifts, find_uplifts
from optimizer.model.windows import effect_views, window_blocks

FloatArray = NDArray[np.float64]


def add_activities(builder: ProgramBuilder, cube: Cube) -> Activities:
    """The columns of all activities of a plan; blocks come one behind the other from the first column on."""
    uplifts, seat_gains = find_uplifts(cube), find_seat_gains(cube)
    blocks = [
        _sales(builder, cube),
        *marketing_blocks(builder, cube),
        *initiative_blocks(builder, cube),
        *window_blocks(builder, cube),
        *seat_blocks(builder, cube),
        *staff_blocks(builder, cube),
        *_uplift(builder, cube, uplifts),
        *seat_gain_blocks(builder, cube, seat_gains),
        *funnel_blocks(builder, cube),
    ]
    named = {block.name: block for block in blocks}
    gains = find_gains(cube, named)
    more = [*gain_blocks(builder, cube, named, gains), *effect_views(cube, named)]
    blocks += more
    named |= {block.name: block for block in more}
    facts, pools = fact_blocks(builder, cube)
    blocks += [*facts, *_extra(builder, cube)]
    named |= {block.name: block for block in blocks}
    table = cube.inputs.resources
    return Activities(
        cube,
        named,
        table.names,
        _uses_of_sales(cube),
        table.by_sellers,
        table.extra_price,
        table.by_block,
        pools,
        uplifts,
        funnel_flows(cube, named, gains),
        gains,
        seat_gains,
    )


def _uses_of_sales(cube: Cube) -> dict[int, FloatArray]:
    """Resource -> amount a unit sold (P, T)."""
    return {
        row: np.repeat(amount[cube.pair_source][:, None], cube.num_periods, axis=1)
        for row, amount in cube.inputs.resources.per_unit.items()
    }


def _sales(builder: ProgramBuilder, cube: Cube) -> ActivityBlock:
    """Units sold by pair and period (P, T)."""

    def cell_labels() -> list[tuple[str, ...]]:
        names, markets, periods = cube.seat_names, cube.markets.names, cube.calendar.period
        return [
            (names[seat], markets[market], period)
            for seat, market in zip(cube.pair_seat, cube.pair_market, strict=True)
            for period in periods
        ]

    upper = np.where(may_sell(cube), np.inf, 0.0).ravel()
    planned = np.arange(cube.num_periods) < cube.num_planned
    whole = (cube.markets.whole_units[cube.pair_market][:, None] & planned[None, :]).ravel()
    start = builder.add_columns("sales", cube.num_cells, cell_labels, upper=upper, integer=whole)
    return ActivityBlock(
        "sales", start, {}, cube.num_pairs, cube.num_periods, typical_sales(cube), decision=True
    )


def _uplift(builder: ProgramBuilder, cube: Cube, uplifts: Uplifts | None) -> list[ActivityBlock]:
    """Units sold while a window is open, by window and pair (K, T)."""
    if uplifts is None:
        return []
    effects, found = cube.inputs.effects, cube.inputs.initiatives
    assert effects is not None and found is not None
    begun = [effects.windows[window][0] for window in uplifts.window]
    names = [
        (f"{window + 1} {found.names[row]}", cube.seat_names[seat], cube.markets.names[market])
        for window, row, seat, market in zip(
            uplifts.window,
            begun,
            cube.pair_seat[uplifts.pair],
            cube.pair_market[uplifts.pair],
            strict=True,
        )
    ]
    periods = cube.calendar.period
    start = builder.add_columns(
        "uplift",
        len(names) * len(periods),
        lambda: [(*name, period) for name in names for period in periods],
    )
    typical = typical_sales(cube)[uplifts.pair]
    return [
        ActivityBlock(
            "uplift", start, {}, len(names), cube.num_periods, typical, decision=False, pair=uplifts.pair
        )
    ]


def typical_sales(cube: Cube) -> FloatArray:
    """A plausible size of each cell in units (P, T): the market's potential shared by the sellers of its
    pairs, so that a seat group counts for all of its people."""
    known = np.where(
        np.isfinite(cube.markets.potential), cube.markets.potential, cube.markets.last_year_units
    )
    people = cube.groups.size[cube.pair_seat]
    selling = np.maximum(np.bincount(cube.pair_market, people, minlength=len(cube.markets.names)), 1.0)
    each = np.nan_to_num(cube.by_market(known / selling[:, None]), nan=1.0)
    return np.asarray(people[:, None] * each, dtype=np.float64)


def _extra(builder: ProgramBuilder, cube: Cube) -> list[ActivityBlock]:
    """Resources bought beyond their capacity (R, T), where any can be bought."""
    table = cube.inputs.resources
    bought = np.isfinite(table.extra_price)
    if not bought.any():
        return []
    labels = [(name, period) for name in table.names for period in cube.calendar.period]
    upper = np.repeat(np.where(bought, np.inf, 0.0), cube.num_periods)
    start = builder.add_columns("extra", len(labels), lambda: labels, upper=upper)
    nothing = np.zeros((len(table.names), cube.num_periods))
    by_row = {"resource": list(table.names)}
    return [ActivityBlock("extra", start, by_row, len(table.names), cube.num_periods, nothing, decision=True)]
