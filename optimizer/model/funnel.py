"""The columns of the funnel, and what its opportunities come to: deals won, customers who stay."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from optimizer.model.blocks import ActivityBlock, Flow
from optimizer.model.builder import ProgramBuilder
from optimizer.model.cube import Cube
from optimizer.model.gains import Gains, most_organic
from optimizer.model.marketing import by_period
from optimizer.model.seating import may_be_there
from optimizer.model.terms import Terms, sum_by
from optimizer.plan.customers import Customers
from optimizer.plan.funnel import Flow as Rates
from optimizer.plan.funnel import Funnel

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


def funnel_blocks(builder: ProgramBuilder, cube: Cube) -> list[ActivityBlock]:
    """Blocks organic (opportunities worked), opening (deals of what was open at the start), waiting (won and
    not delivered), repeat (orders), customers (at the end of a period) and lead_hours; none without a
    funnel."""
    funnel = cube.inputs.funnel
    if funnel is None:
        return []
    idle = np.asarray(funnel.stages.hours.any(axis=1), dtype=np.bool_)
    blocks = [
        _of_markets(builder, cube, "organic", most_organic(cube), idle | _with_effects(cube)),
        _of_markets(builder, cube, "opening", funnel.opening, idle),
        _of_markets(builder, cube, "waiting", _endless(cube, funnel), np.ones_like(idle)),
        _repeat(builder, cube, funnel),
        _customers(builder, cube, funnel),
        _lead_hours(builder, cube, funnel),
    ]
    return [block for block in blocks if block is not None]


def _of_markets(
    builder: ProgramBuilder, cube: Cube, name: str, most: FloatArray, idle: NDArray[np.bool_]
) -> ActivityBlock | None:
    """At most `most` (M, T) in the markets that have any. Where idling saves no hours, all of it."""
    rows = np.flatnonzero((most > 0).any(axis=1))
    if not len(rows):
        return None
    upper = most[rows]
    # What came in closed periods is told, or at most what was planned.
    closed = np.arange(cube.num_periods) < cube.inputs.past
    lower = np.where(idle[rows][:, None] | closed[None, :], 0.0, upper)
    names = tuple(cube.markets.names[row] for row in rows)
    labels = {column: [texts[row] for row in rows] for column, texts in cube.markets.labels.items()}
    start = builder.add_columns(
        name, upper.size, by_period(names, cube.calendar.period), lower=lower.ravel(), upper=upper.ravel()
    )
    typical = np.where(np.isfinite(upper), upper, 0.0)
    return ActivityBlock(
        name, start, labels, len(rows), cube.num_periods, typical, decision=False, markets=rows
    )


def _with_effects(cube: Cube) -> NDArray[np.bool_]:
    """Markets whose organic opportunities effects change (M,): family uplift says how many there are."""
    effects = cube.inputs.effects
    found: NDArray[np.bool_] = np.zeros(len(cube.markets.names), dtype=np.bool_)
    for effect in effects.of("organic") if effects is not None else ():
        assert effects is not None
        found |= effects.markets[effect]
    return found


def _endless(cube: Cube, funnel: Funnel) -> FloatArray:
    """No limit on what waits, in led markets that keep some of it (M, T); nothing waits in closed periods."""
    waits = funnel.led & (funnel.kept > 0)
    ahead = np.arange(cube.num_periods) >= cube.inputs.past
    return np.where(waits[:, None] & ahead[None, :], np.inf, 0.0)


def _repeat(builder: ProgramBuilder, cube: Cube, funnel: Funnel) -> ActivityBlock | None:
    """Orders of each group in each of its markets (N, T)."""
    found = funnel.customers
    count, periods = len(found.entry_market), cube.num_periods
    if not count:
        return None
    names = tuple(
        f"{found.names[group]} > {cube.markets.names[market]}"
        for group, market in zip(found.entry_group, found.entry_market, strict=True)
    )
    labels = {
        column: [texts[market] for market in found.entry_market]
        for column, texts in cube.markets.labels.items()
    }
    start = builder.add_columns("repeat", count * periods, by_period(names, cube.calendar.period))
    typical = (found.orders * found.opening[:, None])[found.entry_group]
    return ActivityBlock(
        "repeat", start, labels, count, periods, typical, decision=False, markets=found.entry_market
    )


def _customers(builder: ProgramBuilder, cube: Cube, funnel: Funnel) -> ActivityBlock | None:
    """Customers of each group at the end of each period (G, T)."""
    found = funnel.customers
    count, periods = len(found.names), cube.num_periods
    if not count:
        return None
    start = builder.add_columns("customers", count * periods, by_period(found.names, cube.calendar.period))
    typical = np.repeat(found.opening[:, None], periods, axis=1)
    return ActivityBlock("customers", start, found.labels, count, periods, typical, decision=False)


def _lead_hours(builder: ProgramBuilder, cube: Cube, funnel: Funnel) -> ActivityBlock | None:
    """Hours that each seat who counts in hours gives to the opportunities of a market (rows, T)."""
    units = np.array(cube.inputs.selling.sellers.capacity_unit)[cube.groups.first]
    timed = (funnel.led & funnel.stages.hours.any(axis=1))[cube.pair_market]
    pairs = np.flatnonzero(timed & (units[cube.pair_seat] == "hours"))
    if not len(pairs):
        return None
    seats, markets, periods = cube.pair_seat[pairs], cube.pair_market[pairs], cube.calendar.period

    def names() -> list[tuple[str, ...]]:
        return [
            (cube.seat_names[seat], cube.markets.names[market], period)
            for seat, market in zip(seats, markets, strict=True)
            for period in periods
        ]

    upper = np.where(may_be_there(cube)[seats], np.inf, 0.0)
    start = builder.add_columns("lead_hours", upper.size, names, upper=upper.ravel())
    return ActivityBlock(
        "lead_hours",
        start,
        {},
        len(pairs),
        cube.num_periods,
        np.zeros(upper.shape),
        pair=pairs,
        decision=False,
    )


def funnel_flows(cube: Cube, blocks: dict[str, ActivityBlock], gains: Mapping[str, Gains]) -> dict[str, Flow]:
    """Opportunities that are decided in each period (`matured`) and deals won of them (`won`), by entry of
    yields; and `matured_organic`, `won_organic` by market. Periods before the plan are not in them."""
    funnel, marketing = cube.inputs.funnel, cube.inputs.marketing
    if funnel is None:
        return {}
    flows: dict[str, Flow] = {}
    if "worked" in blocks and marketing is not None:
        flows |= _flows(blocks, "worked", funnel.of_yield, "", gains)
    if "organic" in blocks:
        rows = blocks["organic"].markets
        assert rows is not None
        flows |= _flows(blocks, "organic", funnel.of_market.of_rows(rows), "_organic", gains)
    if "customers" in blocks:
        found, block = funnel.customers, blocks["customers"]
        before = customers_before(found, block, cube.inputs.past)
        flows["customers_before"] = Flow(found.labels, block.num_rows, block.num_periods, before)
    return flows


def customers_before(found: Customers, block: ActivityBlock, past: int) -> Terms:
    """Customers at the start of each period, by group and period; up to `past` those of the table."""
    rows, periods = block.num_rows, block.num_periods
    member = np.arange(block.size).reshape(rows, periods)
    opening = np.zeros((rows, periods))
    opening[:, : past + 1] = found.opening[:, None]
    ones = np.ones(rows * (periods - past - 1))
    before = block.columns[:, past : periods - 1]
    return Terms(member[:, past + 1 :].ravel(), before.ravel(), ones, opening.ravel())


def _flows(
    blocks: Mapping[str, ActivityBlock], name: str, rates: Rates, suffix: str, gains: Mapping[str, Gains]
) -> dict[str, Flow]:
    """What of a block is decided and won in each period, and the days by which effects move what is won."""
    block, rows = blocks[name], gains.get(name)
    decided = later(block, rates.lag)
    won = decided.scaled(np.repeat(rates.conversion, block.num_periods))
    moved = Terms.constants(np.zeros(block.size))
    if rows is not None:
        entered, periods = blocks[f"gain_{name}"], block.num_periods
        own = rates.conversion[rows.row][:, None]
        base = np.pad(rates.lag, ((0, 0), (0, rows.lag.shape[1] - rates.lag.shape[1])))[rows.row]
        decided = decided + by_market(later(entered, rows.lag), rows.row, block.num_rows, periods)
        more = rows.conversion[:, None] * base + own * rows.lag
        won = won + by_market(later(entered, more), rows.row, block.num_rows, periods)
        days = rows.days[:, None] * own * base
        moved = by_market(later(entered, days), rows.row, block.num_rows, periods)
    return {
        f"{kind}{suffix}": Flow(block.labels, block.num_rows, block.num_periods, terms)
        for kind, terms in (("matured", decided), ("won", won), ("moved_days", moved))
        if kind != "moved_days" or rows is not None
    }


def later(block: ActivityBlock, weight: FloatArray) -> Terms:
    """sum_l weight[row,l] amount[row,t-l], one expression a row and period; `weight` is (rows, L)."""
    rows, ages = np.nonzero(weight)
    return _shifted(block, rows, ages, weight[rows, ages])


def _shifted(block: ActivityBlock, rows: IntArray, ages: IntArray, weight: FloatArray) -> Terms:
    """Amounts of `rows` in periods t - age, for every period t in which these are periods of the block."""
    periods = block.num_periods
    entered = np.arange(periods)[None, :]
    decided = entered + ages[:, None]
    inside = (decided >= 0) & (decided < periods)
    member = (rows[:, None] * periods + decided)[inside]
    column = (block.start + rows[:, None] * periods + entered)[inside]
    value = np.broadcast_to(weight[:, None], inside.shape)[inside]
    return Terms(member, column, value, np.zeros(block.num_rows * periods))


def earlier(block: ActivityBlock, weight: FloatArray) -> Terms:
    """sum_l weight[row,l] amount[row,t+l], one expression a row and period; `weight` is (rows, L)."""
    rows, ages = np.nonzero(weight)
    return _shifted(block, rows, -ages, weight[rows, ages])


def by_market(terms: Terms, markets: IntArray, count: int, periods: int) -> Terms:
    """Expressions by row and period summed to expressions by market and period."""
    row, period = np.divmod(np.arange(terms.size), periods)
    target = markets[row] * periods + period
    constant = sum_by(target, terms.constant, count * periods)
    return Terms(target[terms.member], terms.column, terms.value, constant)
