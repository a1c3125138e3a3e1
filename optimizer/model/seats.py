"""Seat groups: sellers who are equal for the model are compiled as one and split by capacity afterwards.

Exact for continuous plans: any plan of the group, split in proportion to capacity, satisfies every row of
each member, and the sum of members' plans satisfies every row of the group.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from optimizer.plan.inputs import Inputs
from optimizer.plan.sellers import CapacityUnit
from optimizer.plan.territories import label_codes

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


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
    limit_of = _limit_of_pair(inputs)
    hours_matter = _hours_matter(inputs)
    signatures = [
        _signature(
            inputs,
            seller,
            slice(bounds[seller], bounds[seller + 1]),
            limit_of,
            columns,
            personal[seller],
            hours_matter,
        )
        if not whole[seller]
        else f"seller {seller}"
        for seller in range(count)
    ]
    group, distinct = label_codes(signatures)
    first = np.full(len(distinct), count, dtype=np.int64)
    np.minimum.at(first, group, np.arange(count))
    return SeatGroups(group, first, _shares(sellers.capacity, group, len(distinct)))


def _shares(capacity: FloatArray, group: IntArray, num_groups: int) -> FloatArray:
    """Split by capacity over the horizon; equally where nobody has a limit or nobody has any capacity."""
    total = np.where(np.isfinite(capacity).all(axis=1), np.nan_to_num(capacity, posinf=0.0).sum(axis=1), 1.0)
    group_total = np.bincount(group, weights=total, minlength=num_groups)
    size = np.bincount(group, minlength=num_groups)
    return np.where(
        group_total[group] > 0, total / np.where(group_total > 0, group_total, 1.0)[group], 1.0 / size[group]
    )


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


def _signature(
    inputs: Inputs,
    seller: int,
    own: slice,
    limit_of: IntArray,
    columns: Collection[str],
    personal: list[object],
    hours_matter: bool,
) -> str:
    """Everything that the model knows of a seller but the amount of capacity, as one string."""
    sellers, selling = inputs.selling.sellers, inputs.selling
    unit: CapacityUnit = sellers.capacity_unit[seller]
    capacity = sellers.capacity[seller]
    total = capacity.sum()
    profile = np.round(capacity / total, 12) if np.isfinite(total) and total > 0 else np.isfinite(capacity)
    parts = (
        unit,
        profile.tobytes().hex(),
        np.round(sellers.presence[seller], 12).tobytes().hex(),
        np.round(sellers.headcount[seller], 12).tobytes().hex(),
        selling.pairs.market[own].tobytes().hex(),
        limit_of[own].tobytes().hex(),
        _rounded(selling.effort[own]).tobytes().hex(),
        ""
        if unit == "revenue" and not hours_matter
        else _rounded(selling.hours_per_unit[own]).tobytes().hex(),
        [amounts[own].tobytes().hex() for amounts in inputs.resources.per_unit.values()],
        float(sellers.commission_rate[seller]),
        tuple(sellers.labels[name][seller] for name in sorted(columns) if name in sellers.labels),
        tuple(personal),
    )
    return repr(parts)
