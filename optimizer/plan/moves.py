"""The table `moves`: accounts and territories that go from one seller to another on a day.

    window[p,t] = whether pair p may sell in period t: until the day for the seller who gives them away, from
                  the day on for the one who takes them over

A day inside a period acts from the next one. A pair that the one who takes over had before stays open. Rows
with a `column` are about a seller who changes a label; they act in `replan`, which writes the sellers of its
day.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from optimizer.errors import InputError
from optimizer.plan.markets import Markets
from optimizer.plan.matching import matching_rows, prefixed
from optimizer.plan.names import nearest
from optimizer.plan.plan import Plan
from optimizer.plan.tables import Table
from optimizer.plan.territories import Pairs, market_columns

IntArray = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Handover:
    """One row: markets that go from one seller to another, positions in the plan."""

    row: int
    giver: int
    taker: int
    markets: IntArray
    first: int
    """First period in which the taker has them."""


def handovers(plan: Plan, names: list[str], markets: Markets) -> list[Handover]:
    """The rows of `moves` about accounts and territories; raises `InputError` for unknown sellers."""
    table = plan.tables.get("moves")
    if table is None:
        return []
    days = np.asarray(table.frame["date"], dtype="datetime64[D]")
    row, market = matching_rows(table, prefixed(market_columns(markets), "market"))
    found = []
    for at, column in enumerate(table.choices("column")):
        if column:
            continue
        giver, taker = (_seller(table, at, name, names) for name in ("seller", "to"))
        first = int(np.searchsorted(plan.calendar.starts, days[at], side="left"))
        found.append(Handover(at, giver, taker, market[row == at], first))
    return found


def _seller(table: Table, row: int, column: str, names: list[str]) -> int:
    label = table.text(column)[row]
    if label not in names:
        place = table.place(row, column, label)
        raise InputError("plan.unknown_label", place, column=column, nearest=nearest(label, names))
    return names.index(label)


def moved_pairs(plan: Plan, names: list[str], markets: Markets, pairs: Pairs) -> Pairs:
    """The pairs with those that moves open, and the periods in which each may sell; the same without moves.

    Raises `InputError` for a move of what its seller may not sell.
    """
    found = handovers(plan, names, markets)
    if not found:
        return pairs
    window = np.ones((len(pairs.seller), plan.calendar.size), dtype=np.bool_)
    periods = np.arange(plan.calendar.size)
    for move in found:
        given = np.flatnonzero((pairs.seller == move.giver) & np.isin(pairs.market, move.markets))
        given = given[window[given, min(move.first, plan.calendar.size - 1)]]
        if not len(given):
            raise InputError("moves.nothing", plan.tables["moves"].place(move.row), seller=names[move.giver])
        window[np.ix_(given, periods >= move.first)] = False
        known = np.flatnonzero((pairs.seller == move.taker) & np.isin(pairs.market, pairs.market[given]))
        window[np.ix_(known, periods >= move.first)] = True
        new = given[~np.isin(pairs.market[given], pairs.market[known])]
        pairs = replace(
            pairs,
            seller=np.concatenate([pairs.seller, np.full(len(new), move.taker)]),
            market=np.concatenate([pairs.market, pairs.market[new]]),
            hours_per_unit=np.concatenate([pairs.hours_per_unit, pairs.hours_per_unit[new]]),
            win_factor=np.concatenate([pairs.win_factor, pairs.win_factor[new]]),
        )
        opened = np.broadcast_to(periods >= move.first, (len(new), len(periods)))
        window = np.concatenate([window, opened])
    return _sorted(replace(pairs, window=window))


def _sorted(pairs: Pairs) -> Pairs:
    """The pairs by seller, then market."""
    order = np.lexsort((pairs.market, pairs.seller))
    position = np.argsort(order)
    limits = tuple(replace(limit, pairs=np.sort(position[limit.pairs])) for limit in pairs.share_limits)
    assert pairs.window is not None
    return replace(
        pairs,
        seller=pairs.seller[order],
        market=pairs.market[order],
        hours_per_unit=pairs.hours_per_unit[order],
        win_factor=pairs.win_factor[order],
        share_limits=limits,
        window=pairs.window[order],
    )
