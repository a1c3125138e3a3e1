"""The marketing, curves and yields tables as arrays: what money buys, how much of it, and what it brings."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from optimizer.errors import InputError
from optimizer.plan.assumptions import AssumptionLog
from optimizer.plan.curves import Response, resolve_responses
from optimizer.plan.fromrun import SPENT
from optimizer.plan.matching import matching_rows, prefixed
from optimizer.plan.phasing import kernel_weights, presence
from optimizer.plan.plan import Plan
from optimizer.plan.scopes import market_dimensions, marketing_dimensions
from optimizer.plan.sellers import dates
from optimizer.plan.tables import ALL, Table
from optimizer.plan.tiers import Tiers, resolve_tiers

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]
LEFT_OVER = 0.1
"""Share of a geometric effect that may be left behind the run-out periods."""


@dataclass(frozen=True, eq=False)
class Bounds:
    """Bounds on the input of each row of marketing: of one period (C, T) and of the whole horizon (C,)."""

    lower: FloatArray
    upper: FloatArray
    total_lower: FloatArray
    total_upper: FloatArray


@dataclass(frozen=True, eq=False)
class Yields:
    """E entries of Q pools. A pool is one row of yields for one row of marketing; where it covers several
    markets, it has an entry for each of them."""

    labels: dict[str, list[str]]
    """Column -> label of each entry (E,): those of marketing, and of the market or of the row itself."""
    pool: IntArray
    """Pool of each entry (E,)."""
    market: IntArray
    """Market of each entry (E,); -1 in a plan without markets."""
    channel: IntArray
    """Row of marketing of each pool (Q,)."""
    amount: FloatArray
    """Opportunities a lead of each pool (Q,); may be negative."""
    names: tuple[str, ...]
    """Name of each entry (E,)."""
    row: IntArray
    """Row of the table of each entry (E,)."""


@dataclass(frozen=True, eq=False)
class Marketing:
    """C rows of marketing over T periods. The *input* of a row is insertions where it has a unit_cost, else
    currency."""

    labels: dict[str, list[str]]
    names: tuple[str, ...]
    unit_cost: FloatArray
    """Currency an input (C,); 1 where the input is currency."""
    by_insertion: BoolArray
    """Whether the input is insertions (C,)."""
    whole: BoolArray
    """Whether only whole insertions are bought (C,)."""
    bounds: Bounds
    active: BoolArray
    """Periods in which the row may take anything in (C, T)."""
    least_if_used: FloatArray
    """Least currency in a period in which the row is used at all (C,); 0 without."""
    fixed_cost: FloatArray
    """Currency for each period of use, or once for the horizon (C,)."""
    fixed_once: BoolArray
    """Whether the fixed cost is due once (C,)."""
    even: BoolArray
    """Whether every period gets the same input (C,)."""
    curve_of_spend: BoolArray
    """Whether the curve takes currency though the input is insertions (C,)."""
    kernel: FloatArray
    """Weight of the input of a periods ago in the stock (C, A), A at least 1."""
    opening: FloatArray
    """Stock that earlier spending leaves in each period (C, T)."""
    responses: tuple[Response | None, ...]
    """What each row's stock brings in a period; None for rows that bring no leads."""
    yields: Yields
    tiers: Tiers | None
    """Prices that rise or fall with volume; None where every input has one price."""

    @property
    def has_carryover(self) -> BoolArray:
        """Whether the stock is more than the input of the same period (C,)."""
        weights = (self.kernel[:, 1:] != 0).any(axis=1) | (self.kernel[:, 0] != 1)
        return np.asarray(weights | (self.opening != 0).any(axis=1), dtype=np.bool_)


def resolve_marketing(plan: Plan, log: AssumptionLog) -> Marketing | None:
    """Arrays of marketing, curves and yields; None without marketing.

    Raises `InputError` where bounds contradict each other or a curve cannot be used.
    """
    table = plan.tables.get("marketing")
    if table is None:
        return None
    labels = marketing_dimensions(table)
    unit_cost = table.numbers("unit_cost")
    by_insertion = ~np.isnan(unit_cost)
    yields = _yields(plan, labels)
    kernel, opening = _carryover(plan, table, plan.calendar.size)
    curve_of = table.choices("curve_of")
    return Marketing(
        labels=labels,
        names=tuple("/".join(parts) for parts in zip(*labels.values(), strict=True)),
        unit_cost=np.where(by_insertion, unit_cost, 1.0),
        by_insertion=by_insertion,
        whole=_whole(plan, table) & by_insertion,
        bounds=_bounds(plan, table, by_insertion),
        active=_active(plan, table),
        least_if_used=np.nan_to_num(table.numbers("min_if_used")),
        fixed_cost=np.nan_to_num(table.numbers("fixed_cost")),
        fixed_once=np.array([kind == "horizon" for kind in table.choices("fixed_per")], dtype=np.bool_),
        even=np.array([kind == "even" for kind in table.choices("pacing")], dtype=np.bool_),
        curve_of_spend=np.array([kind == "spend" for kind in curve_of], dtype=np.bool_) & by_insertion,
        kernel=kernel,
        opening=opening,
        responses=resolve_responses(plan, labels, set(yields.channel.tolist()), log),
        yields=yields,
        tiers=resolve_tiers(plan, labels, np.where(by_insertion, unit_cost, 1.0), by_insertion),
    )


def _active(plan: Plan, table: Table) -> BoolArray:
    """Periods any day of which lies between `from` and `to`, both included."""
    starts, ends = (dates(table, name) for name in ("from", "to"))
    shares = [presence(plan.calendar, start, end) for start, end in zip(starts, ends, strict=True)]
    return np.asarray(np.array(shares).reshape(len(table), plan.calendar.size) > 0, dtype=np.bool_)


def _whole(plan: Plan, table: Table) -> BoolArray:
    if "whole_units" in table.frame.columns:
        return table.yes("whole_units")
    return np.full(len(table), plan.spec.whole_units, dtype=np.bool_)


def _yields(plan: Plan, labels: dict[str, list[str]]) -> Yields:
    """Every match of a yields row with a row of marketing, and with the markets it covers; rows add up."""
    table = plan.tables.get("yields")
    nothing = np.zeros(0, dtype=np.int64)
    if table is None:
        return Yields({}, nothing, nothing, nothing, np.zeros(0), (), nothing)
    if len(plan.tables["markets"]):
        return _market_yields(plan, table, labels)
    given = np.flatnonzero(~np.isnan(table.numbers("conversion")))
    if len(given):
        raise InputError("funnel.conversion_without_markets", table.place(int(given[0]), "conversion"))
    row, channel = matching_rows(table, labels)
    own = {name: table.text(name) for name in table.labels if name not in labels}
    carried = {name: [labels[name][at] for at in channel] for name in labels}
    carried |= {name: [texts[at] for at in row] for name, texts in own.items()}
    return Yields(
        carried,
        np.arange(len(row)),
        np.full(len(row), -1),
        channel,
        table.numbers("opportunities")[row],
        tuple("/".join(parts) for parts in zip(*carried.values(), strict=True)),
        row,
    )


def _market_yields(plan: Plan, table: Table, labels: dict[str, list[str]]) -> Yields:
    """Every match of a yields row with a row of marketing is a pool, with an entry a market that it covers.

    A key column that marketing and markets both have must agree on both. Raises `InputError` for a negative
    yield that covers several markets: nobody could say whose opportunities it takes.
    """
    markets = market_dimensions(plan.tables["markets"]) or {"market": ["all"] * len(plan.tables["markets"])}
    row, channel, market = matching_rows(table, labels, prefixed(markets, "market"))
    pair = row * len(labels["channel"]) + channel
    _, first, pool = np.unique(pair, return_index=True, return_inverse=True)
    amount = table.numbers("opportunities")[row[first]]
    shared = (amount < 0) & (np.bincount(pool, minlength=len(first)) > 1)
    if shared.any():
        at = int(row[first][shared.argmax()])
        raise InputError("funnel.negative_pool", table.place(at, "opportunities"))
    carried = {name: [texts[at] for at in channel] for name, texts in labels.items()}
    carried |= {name: [texts[at] for at in market] for name, texts in markets.items()}
    return Yields(
        carried,
        pool.reshape(-1),
        market,
        channel[first],
        amount,
        tuple("/".join(parts) for parts in zip(*carried.values(), strict=True)),
        row,
    )


def _bounds(plan: Plan, table: Table, by_insertion: BoolArray) -> Bounds:
    """Absolute bounds, or multiples of base_spend; a figure by period bounds that period."""
    shape = (len(table), plan.calendar.size)
    unit_cost = np.where(by_insertion, np.maximum(np.nan_to_num(table.numbers("unit_cost")), 1e-300), 1.0)
    sides = []
    for side, open_end, tighter in (("min", 0.0, np.fmax), ("max", np.inf, np.fmin)):
        of_base = table.numbers(f"{side}_of_base") * table.numbers("base_spend")
        _check_base(table, side)
        spend = tighter(table.numbers(f"{side}_spend"), of_base) / unit_cost
        insertions = np.where(by_insertion, table.numbers(f"{side}_insertions"), np.nan)
        total = tighter(spend, insertions)
        period = np.full(shape, np.nan)
        if f"{side}_spend" in table.by_period:
            period = tighter(period, table.by_period[f"{side}_spend"] / unit_cost[:, None])
        if f"{side}_insertions" in table.by_period:
            period = tighter(period, table.by_period[f"{side}_insertions"])
        sides.append(
            (np.where(np.isnan(period), open_end, period), np.where(np.isnan(total), open_end, total))
        )
    (lower, total_lower), (upper, total_upper) = sides
    crossed = (lower > upper).any(axis=1) | (total_lower > total_upper)
    if crossed.any():
        row = int(crossed.argmax())
        raise InputError("model.marketing_bounds_cross", table.place(row))
    return Bounds(lower, upper, total_lower, total_upper)


def _check_base(table: Table, side: str) -> None:
    lost = ~np.isnan(table.numbers(f"{side}_of_base")) & np.isnan(table.numbers("base_spend"))
    if lost.any():
        row = int(lost.argmax())
        raise InputError("model.marketing_no_base", table.place(row, "base_spend"), column=f"{side}_of_base")
    for row in np.flatnonzero(~np.isnan(table.numbers(f"{side}_insertions"))).tolist():
        if np.isnan(table.numbers("unit_cost")[row]):
            raise InputError("model.insertions_without_cost", table.place(row, f"{side}_insertions"))


def marketing_run_on(plan: Plan, marketing: Marketing, more: int) -> Marketing:
    """Marketing with so many periods more, in which nothing is spent and what was spent works on."""
    size = plan.calendar.size + more
    kernel, opening = _carryover(plan, plan.tables["marketing"], size)
    after = np.zeros((len(marketing.names), more))
    bounds = replace(
        marketing.bounds,
        lower=np.hstack([marketing.bounds.lower, after]),
        upper=np.hstack([marketing.bounds.upper, after]),
    )
    active = np.hstack([marketing.active, after > 0])
    return replace(marketing, bounds=bounds, active=active, kernel=kernel, opening=opening)


def working_on(plan: Plan, marketing: Marketing) -> int:
    """Periods that the spending of any row with yields works on: the length of its profile, or until a tenth
    of a geometric effect is left, a year at most."""
    table = plan.tables["marketing"]
    most = plan.calendar.periods_a_year
    rates, names = np.nan_to_num(table.numbers("carryover_rate")), table.choices("carryover_profile")
    longest = 0
    for row in np.unique(marketing.yields.channel).tolist():
        if names[row] and names[row] != ALL:
            longest = max(longest, len(kernel_weights(plan.tables["profiles"], names[row])) - 1)
        elif rates[row] >= 1.0:
            longest = most
        elif rates[row] > 0:
            longest = max(longest, int(np.ceil(np.log(LEFT_OVER) / np.log(rates[row]) - 1e-9)))
    return min(longest, most)


def _carryover(plan: Plan, table: Table, periods: int) -> tuple[FloatArray, FloatArray]:
    """Kernel (C, A) and what the opening stock leaves in each of `periods` (C, T).

    Geometric: weight rate^a of the input a periods ago; a profile gives the weights by age. `normalised`
    makes them sum to 1 (times 1 - rate for an endless geometric kernel).
    """
    count = len(table)
    rate = np.nan_to_num(table.numbers("carryover_rate"))
    names, normalised = table.choices("carryover_profile"), table.yes("normalised")
    stock = np.nan_to_num(table.numbers("opening_stock"))
    ages = np.arange(periods)
    kernel = rate[:, None] ** ages[None, :] * np.where(normalised, 1.0 - rate, 1.0)[:, None]
    opening = stock[:, None] * rate[:, None] ** (ages[None, :] + 1.0)
    for row in range(count):
        if not names[row] or names[row] == ALL:
            continue
        if rate[row] > 0 or stock[row] > 0:
            raise InputError("model.carryover_twice", table.place(row, "carryover_profile", names[row]))
        weights = kernel_weights(plan.tables["profiles"], names[row])
        weights = weights / weights.sum() if normalised[row] else weights
        kernel[row] = 0.0
        kernel[row, : min(len(weights), periods)] = weights[:periods]
        if SPENT in table.by_period:
            before = table.by_period[SPENT][row]
            # Spend b periods before the first one is b + t periods old in period t.
            age = ages[:, None] + np.arange(len(before), 0, -1)[None, :]
            known = age < len(weights)
            opening[row] = np.where(known, weights[np.where(known, age, 0)], 0.0) @ before
    return kernel, opening
