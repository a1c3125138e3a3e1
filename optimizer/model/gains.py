"""What effects change of opportunities and leads: how many are won, when, and how many there are.

A gain row is one window of time for one row of a block (opportunities of a yield, organic ones, leads of a
channel): what enters while the window is open. What changes for each of them is then a sum over gain rows,
and effects add up.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from optimizer.errors import InputError
from optimizer.model.blocks import ActivityBlock
from optimizer.model.builder import ProgramBuilder
from optimizer.model.cube import Cube
from optimizer.model.marketing import largest_inputs, most_leads
from optimizer.model.windows import may_work, shares_of
from optimizer.plan.effects import Effects
from optimizer.plan.funnel import Flow as Rates
from optimizer.plan.lags import arrivals, days_a_period
from optimizer.plan.marketing import Marketing

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Gains:
    """K rows of one block, a window and a row of the block each."""

    base: str
    window: IntArray
    """Window of each row (K,)."""
    row: IntArray
    """Row of the block (K,)."""
    conversion: FloatArray
    """Deals an opportunity by which it differs (K,)."""
    lag: FloatArray
    """Share decided l periods after the entry by which it differs (K, L)."""
    days: FloatArray
    """Days from entry to decision by which it differs (K,)."""
    share: FloatArray
    """Share of leads by which they differ (K,)."""
    most: FloatArray
    """The most that the size of the row of the block can be (K, T); inf where nothing limits it."""
    sign: FloatArray
    """-1 for rows that take opportunities away (yields below 0), else 1 (K,)."""


def find_gains(cube: Cube, blocks: dict[str, ActivityBlock]) -> dict[str, Gains]:
    """The gain rows of every block that effects touch; empty without any.

    Raises `InputError` where effects together leave a conversion outside 0..1, or no cycle or leads.
    """
    effects, funnel, marketing = cube.inputs.effects, cube.inputs.funnel, cube.inputs.marketing
    if effects is None:
        return {}
    found: dict[str, Gains] = {}
    if "response" in blocks and marketing is not None and effects.of("leads"):
        rows = len(marketing.names)
        touched = {
            e: _touched(cube, effects, e, "response") for e in effects.of("leads") if effects.multiplies[e]
        }
        most = most_leads(marketing, largest_inputs(cube, marketing))
        found["response"] = _gains(effects, "response", touched, _no_rates(rows), most, 1.0)
    timed = effects.of("conversion", "cycle")
    length = days_a_period(cube.inputs.plan.calendar)
    if "worked" in blocks and marketing is not None and funnel is not None and timed:
        entries = marketing.yields
        channel = entries.channel[entries.pool]
        touched = {e: _touched(cube, effects, e, "worked") for e in timed}
        amount = entries.amount[entries.pool]
        most = np.abs(amount)[:, None] * _most_leads(cube, marketing)[channel]
        found["worked"] = _gains(effects, "worked", touched, funnel.of_yield, most, length, amount < 0.0)
    if "organic" in blocks and funnel is not None and timed:
        markets = blocks["organic"].markets
        assert markets is not None
        own = funnel.of_market.of_rows(markets)
        touched = {e: _touched(cube, effects, e, "organic")[markets] for e in timed}
        found["organic"] = _gains(effects, "organic", touched, own, most_organic(cube)[markets], length)
    return {name: gains for name, gains in found.items() if len(gains.row)}


def most_worked(cube: Cube) -> FloatArray:
    """Opportunities that marketing brings each market at most (M, T); inf where nothing bounds the leads."""
    marketing, found = cube.inputs.marketing, np.zeros(cube.markets.potential.shape)
    if marketing is None or not len(marketing.yields.pool):
        return found
    entries, leads = marketing.yields, _most_leads(cube, marketing)
    brings = np.flatnonzero(entries.amount[entries.pool] > 0)
    pool = entries.pool[brings]
    np.add.at(found, entries.market[brings], entries.amount[pool][:, None] * leads[entries.channel[pool]])
    return found


def _most_leads(cube: Cube, marketing: Marketing) -> FloatArray:
    """Leads of each row of marketing at most (C, T), with everything that effects may add to them."""
    leads, effects = most_leads(marketing, largest_inputs(cube, marketing)), cube.inputs.effects
    if effects is None:
        return leads
    share, added = np.zeros((len(leads), 1)), np.zeros((len(leads), 1))
    for effect in effects.of("leads"):
        own, amount = effects.channels[effect], max(float(effects.amount[effect]), 0.0)
        if effects.multiplies[effect]:
            share[own] += amount
        else:
            added[own] += amount / max(int(own.sum()), 1)
    return np.asarray((1.0 + share) * leads + added, dtype=np.float64)


def _touched(cube: Cube, effects: Effects, effect: int, base: str) -> BoolArray:
    """Rows that an effect is about: of marketing for response, entries of yields for worked, markets for
    organic."""
    marketing = cube.inputs.marketing
    if base == "organic" or marketing is None:
        return np.asarray(effects.markets[effect] & ~effects.by_channel[effect], dtype=np.bool_)
    if base == "response":
        return np.asarray(effects.channels[effect], dtype=np.bool_)
    entries = marketing.yields
    of_channel = effects.channels[effect][entries.channel[entries.pool]]
    return np.asarray(of_channel & effects.markets[effect][entries.market], dtype=np.bool_)


def touches(cube: Cube, effects: Effects, effect: int, gains: Gains, block: ActivityBlock) -> BoolArray:
    """Gain rows of a block's rows that an effect is about (K,): those of its window, and of its rows."""
    rows = gains.row if block.markets is None else block.markets[gains.row]
    own = _touched(cube, effects, effect, gains.base)[rows]
    return np.asarray(own & (gains.window == effects.window[effect]), dtype=np.bool_)


def change_of_row(
    cube: Cube, effects: Effects, effect: int, gains: Gains, block: ActivityBlock
) -> FloatArray:
    """What one effect changes of what enters in each gain row (K,): deals, days or leads each."""
    change, amount = effects.changes[effect], float(effects.amount[effect])
    funnel = cube.inputs.funnel
    if change == "leads" or not effects.multiplies[effect] or funnel is None:
        return np.full(len(gains.row), amount)
    rates = funnel.of_yield if block.markets is None else funnel.of_market
    rows = gains.row if block.markets is None else block.markets[gains.row]
    return amount * (rates.conversion if change == "conversion" else rates.days)[rows]


def _no_rates(rows: int) -> Rates:
    return Rates(np.ones(rows), np.zeros((rows, 1)), np.zeros(rows))


def _gains(
    effects: Effects,
    base: str,
    touched: dict[int, BoolArray],
    rates: Rates,
    most: FloatArray,
    length: float,
    negative: BoolArray | None = None,
) -> Gains:
    """The gain rows of one block whose rows have these rates; `length` is that of a period in days, and
    `negative` marks rows that are below 0."""
    wanted = np.zeros((len(effects.windows), len(rates.conversion)), dtype=np.bool_)
    for effect, own in touched.items():
        wanted[effects.window[effect]] |= own
    window, row = np.nonzero(wanted)
    conversion, days, share = (np.zeros(len(row)) for _ in range(3))
    for effect, own in touched.items():
        here = (window == effects.window[effect]) & own[row]
        amount, factor = float(effects.amount[effect]), effects.multiplies[effect]
        change = effects.changes[effect]
        if change == "conversion":
            conversion[here] += amount * (rates.conversion[row[here]] if factor else 1.0)
        elif change == "cycle":
            days[here] += amount * (rates.days[row[here]] if factor else 1.0)
        else:
            share[here] += amount
        _check_totals(effects, effect, rates, row, conversion, days)
    ages = int(
        np.ceil(np.max(rates.days + _sums(row, np.maximum(days, 0.0), len(rates.days)), initial=0.0) / length)
    )
    ages = max(ages + 2, rates.lag.shape[1])
    before = np.pad(rates.lag, ((0, 0), (0, ages - rates.lag.shape[1])))[row]
    after = arrivals((rates.days[row] + days) / length, ages)
    lag = np.where((days != 0.0)[:, None], after - before, 0.0)
    sign = np.ones(len(row)) if negative is None else np.where(negative[row], -1.0, 1.0)
    return Gains(base, window, row, conversion, lag, days, share, most[row], sign)


def _sums(row: IntArray, values: FloatArray, size: int) -> FloatArray:
    return np.asarray(np.bincount(row, weights=values, minlength=size), dtype=np.float64)


def _check_totals(
    effects: Effects, effect: int, rates: Rates, row: IntArray, conversion: FloatArray, days: FloatArray
) -> None:
    """Refuse effects that together win more than everything, less than nothing, or take no time back."""
    size = len(rates.conversion)
    up = rates.conversion + _sums(row, np.maximum(conversion, 0.0), size)
    down = rates.conversion + _sums(row, np.minimum(conversion, 0.0), size)
    if effects.changes[effect] == "conversion" and ((up > 1.0 + 1e-9) | (down < -1e-9)).any():
        raise InputError("effects.conversion_outside", effects.place[effect])
    if ((rates.days + _sums(row, np.minimum(days, 0.0), size)) < -1e-9).any():
        raise InputError("effects.nothing_left", effects.place[effect], changes="cycle")


def gain_blocks(
    builder: ProgramBuilder, cube: Cube, blocks: dict[str, ActivityBlock], gains: dict[str, Gains]
) -> list[ActivityBlock]:
    """Blocks gain_worked, gain_organic and gain_response: what enters while a window is open (K, T)."""
    effects, initiatives = cube.inputs.effects, cube.inputs.initiatives
    found = []
    for base, rows in gains.items():
        assert effects is not None and initiatives is not None
        begun = [effects.windows[window][0] for window in rows.window]
        names = [
            (f"{window + 1} {initiatives.names[start]}", f"{row + 1}")
            for window, start, row in zip(rows.window, begun, rows.row, strict=True)
        ]
        periods = cube.calendar.period
        labels = {column: [texts[row] for row in rows.row] for column, texts in blocks[base].labels.items()}

        def shown(
            names: list[tuple[str, str]] = names, periods: tuple[str, ...] = periods
        ) -> list[tuple[str, ...]]:
            return [(*name, period) for name in names for period in periods]

        count = len(names) * len(periods)
        below = np.repeat(rows.sign < 0.0, len(periods))
        lower, upper = np.where(below, -np.inf, 0.0), np.where(below, 0.0, np.inf)
        start = builder.add_columns(f"gain_{base}", count, shown, lower=lower, upper=upper)
        typical = blocks[base].typical[rows.row]
        found.append(
            ActivityBlock(
                f"gain_{base}", start, labels, len(names), cube.num_periods, typical, decision=False
            )
        )
    return found


def most_organic(cube: Cube) -> FloatArray:
    """Organic opportunities of each market at most, with everything that effects may add (M, T)."""
    funnel, effects = cube.inputs.funnel, cube.inputs.effects
    assert funnel is not None
    most: FloatArray = funnel.organic.copy()
    if effects is None or not effects.of("organic"):
        return most
    works = may_work(cube, effects)[effects.window]
    for effect in effects.of("organic"):
        most += np.maximum(added_organic(cube, effects, effect), 0.0) * works[effect]
    return most


def added_organic(cube: Cube, effects: Effects, effect: int) -> FloatArray:
    """Organic opportunities that one effect adds in a period in which it works (M, T): a factor applies to
    each market's own; an amount is shared in proportion to them, or equally where one has none.

    Raises `InputError` for markets whose opportunities are not planned.
    """
    funnel = cube.inputs.funnel
    own = effects.markets[effect]
    if funnel is None or not funnel.led[own].all():
        raise InputError("effects.organic_not_led", effects.place[effect])
    if effects.multiplies[effect]:
        return np.where(own[:, None], funnel.organic, 0.0) * float(effects.amount[effect])
    return float(effects.amount[effect]) * shares_of(own[:, None], funnel.organic)
