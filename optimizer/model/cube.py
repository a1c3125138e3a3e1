"""The cube of sales[seat, market, period]: its axes, labels and coefficients.

The same class serves seat groups (what is solved) and single sellers (what is reported).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from optimizer.model.seats import SeatGroups
from optimizer.plan.calendar import Calendar
from optimizer.plan.inputs import Inputs
from optimizer.plan.markets import Markets
from optimizer.plan.territories import ShareLimit

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

RUN_OUT = "run-out"
"""Label of rows over all run-out periods."""


@dataclass(frozen=True, eq=False)
class Cube:
    """G seats, M markets, P allowed pairs, T periods; cell p * T + t."""

    inputs: Inputs
    groups: SeatGroups
    seat_names: tuple[str, ...]
    """Name of each seat: the seller, or the first of a group and how many follow."""
    pair_seat: IntArray
    pair_market: IntArray
    pair_source: IntArray
    """Position of each pair among the pairs of single sellers (P,)."""
    effort: FloatArray
    """Capacity that a unit takes (P, T)."""
    hours: FloatArray
    """Hours that a unit takes (P, T); NaN where unknown."""
    win_factor: FloatArray
    """Units that the seat makes of an opportunity, in multiples of what an average one makes (P,)."""
    capacity: FloatArray
    """Capacity of each seat (G, T); inf without a limit."""
    presence: FloatArray
    """Sellers there, ramp included (G, T)."""
    headcount: FloatArray
    """Sellers there (G, T)."""
    commission_rate: FloatArray
    seat_cost: FloatArray
    """Fixed cost of those who are there, currency a month (G, T)."""
    share_limits: tuple[ShareLimit, ...]
    window: NDArray[np.bool_] | None
    """Periods in which each pair may sell (P, T); None where nothing moves."""

    @property
    def markets(self) -> Markets:
        """The market axis."""
        return self.inputs.markets

    @property
    def calendar(self) -> Calendar:
        """The period axis: the periods of the plan, and run-out periods behind them in a model that has
        some."""
        return self.inputs.calendar

    @property
    def num_periods(self) -> int:
        """T, run-out periods included."""
        return self.calendar.size

    @property
    def num_planned(self) -> int:
        """Periods of the plan, without run-out periods."""
        return self.inputs.plan.calendar.size

    @property
    def num_pairs(self) -> int:
        """P."""
        return len(self.pair_seat)

    @property
    def num_cells(self) -> int:
        """P * T."""
        return self.num_pairs * self.num_periods

    def by_market(self, values: FloatArray) -> FloatArray:
        """A figure of markets (M, T) for each pair (P, T)."""
        return values[self.pair_market]

    def seat_labels(self, column: str) -> list[str]:
        """The label of each seat in a column of the sellers table."""
        if column == "seller":
            return list(self.seat_names)
        labels = self.inputs.selling.sellers.labels[column]
        return [labels[seller] for seller in self.groups.first]


def make_cube(inputs: Inputs, groups: SeatGroups) -> Cube:
    """The cube of seat groups; the first seller of a group lends it territory, effort and labels."""
    selling = inputs.selling
    pairs, sellers = selling.pairs, selling.sellers
    stands = np.zeros(len(sellers.names), dtype=np.bool_)
    stands[groups.first] = True
    kept = np.flatnonzero(stands[pairs.seller])
    position = np.full(len(pairs.seller), -1, dtype=np.int64)
    position[kept] = np.arange(len(kept))
    seats = len(groups.first)
    ahead = np.arange(inputs.calendar.size) >= inputs.past
    return Cube(
        inputs=inputs,
        groups=groups,
        seat_names=_seat_names(sellers.names, groups),
        pair_seat=groups.group[pairs.seller[kept]],
        pair_market=pairs.market[kept],
        pair_source=kept,
        effort=selling.effort[kept],
        hours=_group_hours(inputs, groups, kept),
        win_factor=pairs.win_factor[kept],
        # Nobody sells in a period that is a fact; what is left of it is not capacity.
        capacity=np.where(ahead, _sum(sellers.capacity, groups.group, seats), 0.0),
        presence=np.where(ahead, _sum(sellers.presence, groups.group, seats), 0.0),
        headcount=_sum(sellers.headcount, groups.group, seats),
        commission_rate=sellers.commission_rate[groups.first],
        seat_cost=_sum(sellers.headcount * sellers.cost[:, None], groups.group, seats),
        share_limits=tuple(
            ShareLimit(
                limit.row,
                limit.low,
                limit.high,
                position[limit.pairs][position[limit.pairs] >= 0],
                limit.markets,
            )
            for limit in pairs.share_limits
        ),
        window=_window(inputs, kept),
    )


def _window(inputs: Inputs, kept: IntArray) -> NDArray[np.bool_] | None:
    """The windows of some pairs; run-out periods are like the last one."""
    found = inputs.selling.pairs.window
    if found is None:
        return None
    return np.pad(found[kept], ((0, 0), (0, inputs.calendar.size - found.shape[1])), mode="edge")


def _sum(values: FloatArray, group: IntArray, num_groups: int) -> FloatArray:
    total = np.zeros((num_groups, values.shape[1]))
    np.add.at(total, group, values)
    return total


def _group_hours(inputs: Inputs, groups: SeatGroups, kept: IntArray) -> FloatArray:
    """Hours a unit of the group: the members' figures weighted by the share of the plan that each carries."""
    selling = inputs.selling
    rate = selling.hours_per_unit
    pairs = selling.pairs
    weighted = rate * groups.share[pairs.seller][:, None]
    key = groups.group[pairs.seller] * len(inputs.markets.names) + pairs.market
    kept_key = key[kept]
    order = np.argsort(kept_key, kind="stable")
    slot = order[np.searchsorted(kept_key[order], key)]
    total = np.zeros((len(kept), rate.shape[1]))
    np.add.at(total, slot, weighted)
    return total


def _seat_names(names: list[str], groups: SeatGroups) -> tuple[str, ...]:
    size = groups.size
    return tuple(
        names[seller] if size[group] == 1 else f"{names[seller]} +{size[group] - 1}"
        for group, seller in enumerate(groups.first)
    )


def split_by_seller(cube: Cube, sellers: Cube, sales: FloatArray) -> FloatArray:
    """The plan of seat groups (P, T) as the plan of single sellers (P', T): the group's plan times the
    seller's share."""
    num_markets = len(cube.markets.names)
    group = cube.groups.group[sellers.pair_seat]
    key = cube.pair_seat * num_markets + cube.pair_market
    order = np.argsort(key, kind="stable")
    slot = order[np.searchsorted(key[order], group * num_markets + sellers.pair_market)]
    return np.asarray(sales[slot] * cube.groups.share[sellers.pair_seat][:, None], dtype=np.float64)
