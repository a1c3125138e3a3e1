"""Seat groups: sellers who are equal for the model are compiled as one and split by capacity afterwards.

Exact for continuous plans: any plan of the group, split in proportion to capacity, satisfies every row of
each member, and the sum of members' plans satisfies every row of the group.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from optimizer.plan.capacity import CapacityUnit
from optimizer.plan.inputs import Inputs
from optimizer.plan.openseats import OpenSeats
from optimizer.plan.territories import label_codes

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]


@dataclass(frozen=True)
class SeatGroups:
    """G groups of S sellers."""

    group: IntArray
    """Group of each seller (S,)."""
    first: IntArray
    """First seller of each group (G,), who stands for it."""
    share: FloatArray
    """Share of the group's plan that each seller carries (S,)."""

    @property
    def size(self) -> IntArray:
        """Number of sellers in each group (G,)."""
        return np.bincount(self.group, minlength=len(self.first))


def group_sellers(
    inputs: Inputs, columns: Collection[str], personal: list[list[object]], apart: bool = False
) -> SeatGroups:
    """Group sellers with the same territory, effort, dates, terms and labels in `columns`.

    `personal` holds one entry a seller: whatever rules say of that seller alone. `apart` keeps every seller
    in a group of one. Sellers of whole units are always apart.
    """
    sellers = inputs.selling.sellers
    count = len(sellers.names)
    if apart:
        everyone = np.arange(count)
        return SeatGroups(everyone, everyone, np.ones(count))
    pairs = inputs.selling.pairs
    bounds = np.searchsorted(pairs.seller, np.arange(count + 1))
    whole = np.bincount(pairs.seller, weights=inputs.markets.whole_units[pairs.market], minlength=count) > 0
    compared = _compared(inputs)
    own = [slice(bounds[seller], bounds[seller + 1]) for seller in range(count)]
    alone = whole | _vacant(inputs)
    signatures = [
        f"seller {seller}"
        if alone[seller]
        else _signature(inputs, seller, own[seller], compared, columns, personal[seller])
        for seller in range(count)
    ]
    group, distinct = label_codes(signatures)
    first = np.full(len(distinct), count, dtype=np.int64)
    np.minimum.at(first, group, np.arange(count))
    return SeatGroups(group, first, _shares(sellers.capacity, group, len(distinct)))


def _vacant(inputs: Inputs) -> BoolArray:
    """Open seats, whole roles and owners of initiatives (S,): what is decided of them is their own."""
    found: BoolArray = np.zeros(len(inputs.selling.sellers.names), dtype=np.bool_)
    seats = inputs.selling.sellers.open_seats
    if seats is not None:
        found[seats.seller] = True
    # What initiatives take of their owner's time is taken from nobody else.
    found[[seller for _, _, seller, _ in inputs.resources.of_owners]] = True
    return found


def equal_open_seats(
    inputs: Inputs, seats: OpenSeats, columns: Collection[str], personal: list[list[object]]
) -> list[list[int]]:
    """Open seats that the model cannot tell apart, in groups of two or more."""
    pairs = inputs.selling.pairs
    bounds = np.searchsorted(pairs.seller, np.arange(len(inputs.selling.sellers.names) + 1))
    compared, facts = _compared(inputs), inputs.facts
    begun = np.zeros(seats.may_start.shape) if facts is None or facts.hires is None else facts.hires
    found: dict[str, list[int]] = {}
    for place, seller in enumerate(seats.seller.tolist()):
        if seats.role[place] >= 0:
            continue
        own = slice(bounds[seller], bounds[seller + 1])
        figures = (
            begun,
            seats.may_start,
            seats.headcount,
            seats.presence,
            seats.full,
            seats.recruiting,
            seats.pay,
        )
        key = repr(
            (
                _signature(inputs, seller, own, compared, columns, personal[seller]),
                [np.round(values[place] * 1.0, 9).tobytes().hex() for values in figures],
                inputs.resources.of_seats(place),
            )
        )
        found.setdefault(key, []).append(place)
    return [group for group in found.values() if len(group) > 1]


def _shares(capacity: FloatArray, group: IntArray, num_groups: int) -> FloatArray:
    """Split by capacity over the horizon; equally where nobody has a limit or nobody has any capacity."""
    total = carried(capacity)
    group_total = np.bincount(group, weights=total, minlength=num_groups)
    size = np.bincount(group, minlength=num_groups)
    return np.where(
        group_total[group] > 0, total / np.where(group_total > 0, group_total, 1.0)[group], 1.0 / size[group]
    )


def carried(capacity: FloatArray) -> FloatArray:
    """What each seller's share of a group is in proportion to (S,): capacity over the horizon, 1 without a
    limit."""
    limited = np.isfinite(capacity).all(axis=1)
    return np.where(limited, np.nan_to_num(capacity, posinf=0.0).sum(axis=1), 1.0)


def _limit_of_pair(inputs: Inputs) -> IntArray:
    limit_of = np.full(len(inputs.selling.pairs.market), -1, dtype=np.int64)
    for limit in inputs.selling.pairs.share_limits:
        limit_of[limit.pairs] = limit.row
    return limit_of


def _rounded(values: FloatArray) -> FloatArray:
    """Values to twelve digits, whatever their size, so that equal figures reached in different ways are
    equal."""
    fraction, exponent = np.frexp(values)
    return np.ldexp(np.round(fraction, 12), exponent)


def _hours_matter(inputs: Inputs) -> bool:
    """Whether anything bounds or rewards hours; else sellers may differ in hours that are only reported."""
    spec = inputs.plan.spec
    named = [rule.metric for rule in inputs.plan.rules]
    named += [entry.metric for entry in spec.balance] + [entry.metric for entry in spec.stay_near]
    for stage in spec.objective or []:
        named += [stage.maximize or "", stage.minimize or "", stage.metric or ""]
    return "hours" in named


@dataclass(frozen=True)
class _Compared:
    """Figures of sellers (S, T) and pairs (P, T), rounded once, so that equal ones are equal."""

    has_profile: BoolArray
    profile: FloatArray
    presence: FloatArray
    headcount: FloatArray
    limit_of: IntArray
    effort: FloatArray
    win_factor: FloatArray
    hours: FloatArray
    hours_matter: bool


def _compared(inputs: Inputs) -> _Compared:
    sellers, selling = inputs.selling.sellers, inputs.selling
    total = sellers.capacity.sum(axis=1)
    has_profile = np.isfinite(total) & (total > 0)
    share = sellers.capacity / np.where(has_profile, total, 1.0)[:, None]
    return _Compared(
        has_profile,
        np.where(has_profile[:, None], np.round(share, 12), np.isfinite(sellers.capacity)),
        np.round(sellers.presence, 12),
        np.round(sellers.headcount, 12),
        _limit_of_pair(inputs),
        _rounded(selling.effort),
        _rounded(selling.pairs.win_factor),
        _rounded(selling.hours_per_unit),
        _hours_matter(inputs),
    )


def _signature(
    inputs: Inputs,
    seller: int,
    own: slice,
    compared: _Compared,
    columns: Collection[str],
    personal: list[object],
) -> str:
    """Everything that the model knows of a seller but the amount of capacity, as one string."""
    sellers = inputs.selling.sellers
    unit: CapacityUnit = sellers.capacity_unit[seller]
    parts = (
        unit,
        bool(compared.has_profile[seller]),
        compared.profile[seller].tobytes().hex(),
        compared.presence[seller].tobytes().hex(),
        compared.headcount[seller].tobytes().hex(),
        inputs.selling.pairs.market[own].tobytes().hex(),
        "" if inputs.selling.pairs.window is None else inputs.selling.pairs.window[own].tobytes().hex(),
        compared.limit_of[own].tobytes().hex(),
        compared.effort[own].tobytes().hex(),
        compared.win_factor[own].tobytes().hex(),
        compared.hours[own].tobytes().hex() if unit != "revenue" or compared.hours_matter else "",
        [amounts[own].tobytes().hex() for amounts in inputs.resources.per_unit.values()],
        float(sellers.commission_rate[seller]),
        tuple(sellers.labels[name][seller] for name in sorted(columns) if name in sellers.labels),
        tuple(personal),
        _touched(inputs, seller),
    )
    return repr(parts)


def _touched(inputs: Inputs, seller: int) -> tuple[object, ...]:
    """The effects that are about a seller; with an amount added to each one's capacity, also the capacity,
    because a group is split in proportion to it."""
    effects = inputs.effects
    if effects is None:
        return ()
    own = np.flatnonzero(effects.sellers[:, seller])
    adds = any(effects.changes[row] == "capacity" and not effects.multiplies[row] for row in own)
    capacity = float(np.round(np.nan_to_num(inputs.selling.sellers.capacity[seller], posinf=-1.0).sum(), 9))
    return (*own.tolist(), capacity if adds else None)
