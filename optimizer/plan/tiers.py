"""The tiers table as arrays: what marketing costs beyond an amount, when prices rise or fall with volume."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from optimizer.errors import InputError
from optimizer.plan.matching import matching_rows
from optimizer.plan.plan import Plan
from optimizer.plan.tables import Table

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

TABLE = "tiers"


@dataclass(frozen=True, eq=False)
class Tiers:
    """K tiers of rows of marketing, those of one row one after the other; the lowest has the price of the
    marketing table and begins at 0."""

    channel: IntArray
    """Row of marketing of each tier (K,)."""
    above: FloatArray
    """Input of a period, or of the horizon, beyond which the tier begins (K,)."""
    price: FloatArray
    """Currency an input inside the tier (K,)."""
    per_horizon: BoolArray
    """Whether the inputs of all periods together fill the tiers (K,)."""
    names: tuple[str, ...]

    @property
    def lowest(self) -> BoolArray:
        """Tiers with nothing below them (K,); each other one follows the one before it in the arrays."""
        return np.asarray(np.diff(self.channel, prepend=-1) != 0, dtype=np.bool_)

    @property
    def width(self) -> FloatArray:
        """Input that a tier takes before the next one begins (K,); inf for the last one of a row."""
        last = np.diff(self.channel, append=-1) != 0
        following = np.append(self.above[1:], np.inf)
        return np.asarray(np.where(last, np.inf, following - self.above), dtype=np.float64)

    @property
    def falling(self) -> BoolArray:
        """Tiers of rows in which some price is below the one before it (K,)."""
        falls = ~self.lowest & (self.price < np.roll(self.price, 1))
        return np.asarray(np.isin(self.channel, self.channel[falls]), dtype=np.bool_)

    def after(self, taken: FloatArray) -> Tiers:
        """The tiers that are left when `taken` (C,) of the horizon is used: it has filled the lowest."""
        used = np.where(self.per_horizon, taken[self.channel], 0.0)
        return replace(self, above=np.maximum(self.above - used, 0.0))

    def amounts(self, inputs: FloatArray) -> FloatArray:
        """What falls into each tier (K, T) of inputs (C, T): filled from the lowest, period by period."""
        own = inputs[self.channel]
        end = np.where(self.per_horizon[:, None], own.cumsum(axis=1), own)
        above, below = self.above[:, None], (self.above + self.width)[:, None]
        return np.asarray(np.clip(end, above, below) - np.clip(end - own, above, below), dtype=np.float64)

    def cost(self, row: int, inputs: FloatArray, periods: int) -> FloatArray | None:
        """Currency a period that inputs a period (..,) of one row of marketing cost when each of `periods`
        gets the same; None for a row without tiers."""
        own = np.flatnonzero(self.channel == row)
        if not len(own):
            return None
        each = float(periods) if self.per_horizon[own[0]] else 1.0
        filled = np.clip(each * inputs[..., None] - self.above[own], 0.0, self.width[own])
        return np.asarray((filled * self.price[own]).sum(axis=-1) / each, dtype=np.float64)

    def next_price(self, unit_cost: FloatArray, inputs: FloatArray) -> FloatArray:
        """Currency that the next input costs (C, T), in the tier that inputs (C, T) have reached;
        `unit_cost` (C,) without tiers."""
        price = np.repeat(unit_cost[:, None], inputs.shape[1], axis=1)
        for tier, row in enumerate(self.channel.tolist()):
            reached = inputs[row].sum() if self.per_horizon[tier] else inputs[row]
            price[row] = np.where(reached >= self.above[tier] * (1.0 - 1e-9), self.price[tier], price[row])
        return price


def resolve_tiers(
    plan: Plan, labels: dict[str, list[str]], unit_cost: FloatArray, bought: BoolArray
) -> Tiers | None:
    """Arrays of tiers; None without the table.

    `unit_cost` (C,) is the first price of an input, `bought` (C,) says whether inputs are insertions. Raises
    `InputError` for tiers without a beginning or a price, and for two of one row that begin together.
    """
    table = plan.tables.get(TABLE)
    if table is None:
        return None
    row, channel = matching_rows(table, labels)
    above = _beginnings(table, row, channel, unit_cost, bought)
    price = _prices(table, row, channel, unit_cost, bought)
    lowest = np.unique(channel)
    at_rest = np.full(len(lowest), -1)
    row, channel = np.concatenate([at_rest, row]), np.concatenate([lowest, channel])
    above, price = np.concatenate([np.zeros(len(lowest)), above]), np.concatenate([unit_cost[lowest], price])
    order = np.lexsort((row, above, channel))
    row, channel, above, price = row[order], channel[order], above[order], price[order]
    together = (np.diff(above, prepend=-1.0) <= 0) & (np.diff(channel, prepend=-1) == 0)
    if together.any():
        raise InputError("tiers.begin_together", table.place(int(row[together.argmax()])))
    names = ["/".join(parts) for parts in zip(*labels.values(), strict=True)]
    shown = tuple(f"{names[at]} > {amount:.12g}" for at, amount in zip(channel, above, strict=True))
    return Tiers(channel, above, price, _horizons(table, row, channel), shown)


def _horizons(table: Table, row: IntArray, channel: IntArray) -> BoolArray:
    """Which tiers are about the horizon (K,): all of one row of marketing, or none."""
    known = np.flatnonzero(row >= 0)
    size = int(channel.max()) + 1
    given = np.array([kind == "horizon" for kind in table.choices("per")], dtype=np.float64)[row[known]]
    wanted = np.bincount(channel[known], given, minlength=size)
    mixed = (wanted > 0) & (wanted < np.bincount(channel[known], minlength=size))
    if mixed.any():
        raise InputError(
            "tiers.per_mixed", table.place(int(row[known][mixed[channel[known]].argmax()]), "per")
        )
    return np.asarray(wanted[channel] > 0, dtype=np.bool_)


def _beginnings(
    table: Table, row: IntArray, channel: IntArray, unit_cost: FloatArray, bought: BoolArray
) -> FloatArray:
    """Input beyond which each row's tier begins; money counts at the first price."""
    _check_one(table, row, "above_insertions", "above_spend")
    insertions, money = table.numbers("above_insertions")[row], table.numbers("above_spend")[row]
    _check_bought(table, row, ~np.isnan(insertions) & ~bought[channel], "above_insertions", "above_spend")
    cost = np.maximum(unit_cost[channel], 1e-300)
    return np.asarray(np.where(np.isnan(insertions), money / cost, insertions), dtype=np.float64)


def _prices(
    table: Table, row: IntArray, channel: IntArray, unit_cost: FloatArray, bought: BoolArray
) -> FloatArray:
    """Currency an input inside each row's tier: as given, or a multiple of the first price."""
    _check_one(table, row, "unit_cost", "price_factor")
    given, factor = table.numbers("unit_cost")[row], table.numbers("price_factor")[row]
    _check_bought(table, row, ~np.isnan(given) & ~bought[channel], "unit_cost", "price_factor")
    return np.asarray(np.where(np.isnan(given), factor * unit_cost[channel], given), dtype=np.float64)


def _check_one(table: Table, row: IntArray, one: str, other: str) -> None:
    wrong = (np.isnan(table.numbers(one)) == np.isnan(table.numbers(other)))[row]
    if wrong.any():
        raise InputError("tiers.one_of_two", table.place(int(row[wrong.argmax()]), one), one=one, other=other)


def _check_bought(table: Table, row: IntArray, wrong: BoolArray, column: str, instead: str) -> None:
    if wrong.any():
        raise InputError("tiers.of_money", table.place(int(row[wrong.argmax()]), column), instead=instead)
