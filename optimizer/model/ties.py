"""The tie-break: weights from hashes of labels, so that one plan is left of all that are equally good."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from optimizer.model.blocks import ActivityBlock
from optimizer.model.context import Context
from optimizer.model.terms import Terms

FloatArray = NDArray[np.float64]

WANTED = ("worked", "organic", "opening", "repeat")
"""Blocks of the funnel of which there is rather more: opportunities worked on, orders taken."""
UNWANTED = ("waiting", "lead_hours")
"""Those of which there is rather less."""


def tie_terms(context: Context) -> Terms:
    """What the last stage makes small, as a single expression.

    Weights between 1 and 2 from a hash of each cell's labels, on revenue, on what marketing costs, on starts
    and hires: among equal plans the one that does less; on the funnel's activities as WANTED and UNWANTED
    say. One answer for any row order, method or worker. It is not continuous in the data; seat groups make
    it fair.
    """
    return _sales_ties(context) + _spend_ties(context) + _start_ties(context) + _funnel_ties(context)


def _sales_ties(context: Context) -> Terms:
    cube = context.cube
    seats = _hashes([_stable_name(context, seat) for seat in range(len(cube.seat_names))])
    markets, periods = _hashes(cube.markets.names), _hashes(cube.calendar.period)
    weight = _weights(
        _mix(seats[cube.pair_seat] ^ _mix(markets[cube.pair_market]))[:, None] ^ _mix(periods)[None, :]
    )
    size = float(context.magnitude(context.metrics.total("revenue"))[0]) or 1.0
    value = (weight * context.metrics.coefficient("revenue")).ravel() / size
    columns = np.arange(cube.num_cells)
    return Terms(np.zeros(cube.num_cells, dtype=np.int64), columns, value, np.zeros(1))


def _spend_ties(context: Context) -> Terms:
    """The same weights on what marketing costs; without the tie-break money that brings nothing could be
    spent."""
    nothing = Terms.constants(np.zeros(1))
    if "spend" not in context.activities.blocks or context.cube.inputs.marketing is None:
        return nothing
    block, marketing = context.activities.blocks["spend"], context.cube.inputs.marketing
    weight = _by_period(context, marketing.names)
    size = float((block.typical * marketing.unit_cost[:, None]).sum()) or 1.0
    value = (weight * marketing.unit_cost[:, None]).ravel() / size
    total = Terms(np.zeros(block.size, dtype=np.int64), block.columns.ravel(), value, np.zeros(1))
    tiers = context.activities.blocks.get("tier")
    if tiers is None or marketing.tiers is None:
        return total
    rows = marketing.tiers.channel
    more = weight[rows] * (marketing.tiers.price - marketing.unit_cost[rows])[:, None] / size
    return total + Terms(
        np.zeros(tiers.size, dtype=np.int64), tiers.columns.ravel(), more.ravel(), np.zeros(1)
    )


def _start_ties(context: Context) -> Terms:
    """The same weights on starts and hires: among equal plans the one that starts and hires less."""
    total = Terms.constants(np.zeros(1))
    for name, column in (("start", "initiative"), ("hire", "seller"), ("role_hire", "role")):
        block = context.activities.blocks.get(name)
        if block is None:
            continue
        weight = _by_period(context, list(block.labels[column]))
        value = weight.ravel() / max(block.num_rows, 1)
        total = total + Terms(np.zeros(block.size, dtype=np.int64), block.columns.ravel(), value, np.zeros(1))
    return total


def _funnel_ties(context: Context) -> Terms:
    """Leads that stay idle, orders that nobody takes, hours on leads: without these weights a figure such as
    conversion would depend on which leads a solver works on."""
    total = Terms.constants(np.zeros(1))
    if context.cube.inputs.funnel is None:
        return total
    for sign, names in ((-1.0, WANTED), (1.0, UNWANTED)):
        for block in (context.activities.blocks[name] for name in names if name in context.activities.blocks):
            weight = sign * _by_period(context, _row_names(context, block))
            size = float(block.typical.sum()) or float(block.size)
            value = weight.ravel() / size
            total = total + Terms(
                np.zeros(block.size, dtype=np.int64), block.columns.ravel(), value, np.zeros(1)
            )
    return total + _brought(context)


def _brought(context: Context) -> Terms:
    """What leads bring, twice, so that the weight on those worked on never pays for more money."""
    marketing, worked = context.cube.inputs.marketing, context.activities.blocks.get("worked")
    nothing = Terms.constants(np.zeros(1))
    if marketing is None or worked is None:
        return nothing
    wanted = np.flatnonzero(marketing.yields.amount > 0)
    columns = context.activities.blocks["response"].columns[marketing.yields.channel[wanted]]
    size = float(worked.typical.sum()) or float(worked.size)
    value = np.repeat(2.0 * marketing.yields.amount[wanted] / size, worked.num_periods)
    return Terms(np.zeros(columns.size, dtype=np.int64), columns.ravel(), value, np.zeros(1))


def _row_names(context: Context, block: ActivityBlock) -> list[str]:
    """A name for each row that does not depend on the order of rows."""
    cube = context.cube
    if block.pair is not None:
        seats, markets = cube.pair_seat[block.pair], cube.pair_market[block.pair]
        own = {seat: _stable_name(context, seat) for seat in np.unique(seats).tolist()}
        return [
            f"{own[seat]}/{cube.markets.names[market]}"
            for seat, market in zip(seats.tolist(), markets.tolist(), strict=True)
        ]
    return ["/".join(parts) for parts in zip(*block.labels.values(), strict=True)] or [""] * block.num_rows


def _by_period(context: Context, names: Sequence[str]) -> FloatArray:
    """A weight between 1 and 2 for each name and period."""
    return _weights(_mix(_hashes(names))[:, None] ^ _mix(_hashes(context.cube.calendar.period))[None, :])


def _weights(mixed: NDArray[np.uint64]) -> FloatArray:
    return np.asarray(1.0 + (_mix(mixed) >> np.uint64(11)).astype(np.float64) / 2.0**53, dtype=np.float64)


def _stable_name(context: Context, seat: int) -> str:
    """The alphabetically first seller of a seat group: the same for any order of rows."""
    cube = context.cube
    names = cube.inputs.selling.sellers.names
    return min(names[seller] for seller in np.flatnonzero(cube.groups.group == seat))


def _hashes(labels: Sequence[str]) -> NDArray[np.uint64]:
    digests = (hashlib.blake2b(label.encode(), digest_size=8).digest() for label in labels)
    return np.frombuffer(b"".join(digests), dtype=np.uint64).copy()


def _mix(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The finaliser of splitmix64 (Steele, Lea & Flood 2014)."""
    mixed = values + np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))
