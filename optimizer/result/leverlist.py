"""The levers of a plan: right-hand sides that people can move, each with what the company has of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from optimizer.model.compile import Model
from optimizer.result.marginal import priced_rows
from solvers.conflict import GroupChange, RowGroup
from solvers.program import LinearProgram

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

COST = {"hours": 1.0, "resources": 1.0, "rules": 1.0, "share": 3.0, "demand": 3.0}
"""Cost of changing a lever by all that the company has of it: who buys demand pays for it, so potential
and size of the market come after people's time, resources and the planner's own budgets and limits."""
SEPARATOR = "\x1f"
"""Between the parts of a lever's name."""


@dataclass(frozen=True)
class Lever:
    """One change: of whose limit, by how much in `unit`, and what share of all that the company has of it."""

    family: str
    name: str
    unit: str
    change: float
    share: float
    money: float | None = None
    """Currency that it costs, where the plan knows a price."""
    seats: float | None = None
    """Full sellers that the hours stand for."""


@dataclass(frozen=True)
class Entry:
    """The rows of one lever: `all` is what the company has of it, `size` (k,) its unit a row unit."""

    family: str
    name: str
    unit: str
    group: RowGroup
    all: float
    size: FloatArray


def levers_of(model: Model) -> Iterator[Entry]:
    """One lever a seat group, market, pool, resource and hard rule.

    The scale of a row is what the company has of its kind over the lever's cost, so that an hour costs the
    same whoever works it, and a unit of potential by its price.
    """
    rows: dict[tuple[str, str], list[tuple[int, float, float]]] = {}
    units: dict[tuple[str, str], str] = {}
    prices = _row_prices(model)
    for row in priced_rows(model):
        upper = float(model.program.row_upper[row.row])
        if row.family == "rules" or not np.isfinite(upper) or (row.family == "hours" and upper <= 0):
            continue
        key = (row.family, row.name[0])
        rows.setdefault(key, []).append((row.row, upper, prices.get(row.row, 1.0)))
        units[key] = row.unit
    totals: dict[tuple[str, str], float] = {}
    for key, entries in rows.items():
        kind = (key[0], units[key])
        totals[kind] = totals.get(kind, 0.0) + sum(max(upper, 0.0) * price for _, upper, price in entries)
    for key, entries in rows.items():
        everything = totals[key[0], units[key]] or 1.0
        position = np.array([row for row, _, _ in entries], dtype=np.int64)
        price = np.array([price for _, _, price in entries])
        scale = everything / (price * COST.get(key[0], 1.0))
        group = RowGroup(SEPARATOR.join(key), position, scale)
        yield Entry(
            *key,
            units[key],
            group,
            sum(max(upper, 0.0) for _, upper, _ in entries) or 1.0,
            np.ones(len(entries)),
        )
    yield from _hard_rules(model)


def _row_prices(model: Model) -> dict[int, float]:
    """Price of the market of each row of demand, so that potentials of unlike markets compare."""
    markets = model.cube.markets
    price = dict(zip(markets.names, markets.price.mean(axis=1).tolist(), strict=True))
    return {row.row: price.get(row.name[0], 1.0) for row in priced_rows(model) if row.family == "demand"}


def _hard_rules(model: Model) -> Iterator[Entry]:
    """Budgets, limits and hard targets of sums; their rows are in multiples of their own bound."""
    for name, places in model.context.rule_places.items():
        rule = model.context.rule_rows[name].rule
        if not rule.must or rule.as_share or model.context.rule_rows[name].denominator is not None:
            continue
        position = np.concatenate([place.first + np.arange(len(place.members)) for place in places])
        scales = np.concatenate([place.scale for place in places])
        group = RowGroup(SEPARATOR.join(["rules", name]), position, np.ones(len(position)) / COST["rules"])
        unit = model.context.metrics.unit(rule.metric)
        yield Entry("rules", name, unit, group, float(scales.sum()), scales)


def moved_lever(model: Model, entry: Entry, change: GroupChange, times: float) -> Lever:
    """The lever as a reader sees it, moved by so many times the least: its amount, price and people."""
    amount = times * float(((change.upper_by - change.lower_by) * entry.size).sum())
    money = seats = None
    if entry.family == "resources":
        table = model.inputs.resources
        price = float(table.extra_price[table.names.index(entry.name)])
        money = amount * price if np.isfinite(price) else None
    if entry.family == "hours":
        money, seats = _people(model, entry.name, amount)
    return Lever(entry.family, entry.name, entry.unit, amount, amount / entry.all, money, seats)


def _people(model: Model, seat: str, amount: float) -> tuple[float | None, float | None]:
    """What further capacity of a seat group costs by its sellers' pay, and how many full sellers it stands
    for."""
    cube = model.cube
    group = cube.seat_names.index(seat)
    planned = slice(cube.num_planned)
    capacity, presence = (
        float(cube.capacity[group, planned].sum()),
        float(cube.presence[group, planned].sum()),
    )
    if capacity <= 0 or presence <= 0:
        return None, None
    seats = amount / (capacity / presence) / cube.num_planned
    cost = float(cube.seat_cost[group, planned].sum()) * 12.0 / cube.calendar.periods_a_year
    return (amount * cost / capacity if cost > 0 else None), seats


def with_levers(
    program: LinearProgram, entries: dict[str, Entry], changes: tuple[GroupChange, ...], times: float
) -> LinearProgram:
    """The program with the levers moved by so many times the least."""
    lower, upper = program.row_lower.copy(), program.row_upper.copy()
    for change in changes:
        rows: IntArray = entries[change.name].group.rows
        lower[rows] -= times * change.lower_by
        upper[rows] += times * change.upper_by
    return program.replace(row_lower=lower, row_upper=upper)
