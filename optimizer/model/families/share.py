"""Family share: our part of a whole market, and a territories row's part of what its markets sell.

    sum_{m in pool} price[m] sales[s,m,t] <= max_share[pool] size[pool]  (no price where the size is in units)
    low sum_{m in row} sales <= sum_{(s,m) of the row} sales <= high sum_{m in row} sales

Facts take their part of max_share * size first. Closed periods count in shares of territories rows as far as
that leaves more for the rest: what was below a limit may be caught up, what went beyond it is not made good.
Where facts leave open who sold it is as planned, and where nobody knows the row is about the rest.
Units: currency or units over the horizon, and the same over run-out periods, with the size of their season. A
pool is one row of markets or market_size, never copied to each market.
Reference: product mix with shares (Hillier & Lieberman, ch. 3).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from optimizer.model.builder import fixed_labels
from optimizer.model.context import Context
from optimizer.model.cube import RUN_OUT, Cube
from optimizer.model.metrics import cell_terms
from optimizer.model.scopes import Members
from optimizer.plan.fact_shares import leaves_open, told_shares
from optimizer.plan.inputs import Inputs
from optimizer.plan.sizes import SizePool
from optimizer.plan.territories import ShareLimit

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

_ROUNDING = 1e-12


def share(context: Context) -> None:
    """Add one row a size pool with a max_share, and one a territories row with share limits."""
    _market_shares(context)
    _territory_shares(context)


def _market_shares(context: Context) -> None:
    cube = context.cube
    pools = [
        pool for pool in cube.inputs.sizes if not np.isnan(pool.max_share) and not _is_kept_anyway(cube, pool)
    ]
    pool_of_market = np.full(len(cube.markets.names), -1, dtype=np.int64)
    for position, pool in enumerate(pools):
        pool_of_market[pool.markets] = position
    in_units = np.array([np.isnan(pool.revenue) for pool in pools], dtype=np.bool_)
    members = _members(context, pool_of_market[cube.pair_market], len(pools))
    coefficient = cube.by_market(cube.markets.price)
    if in_units.any():
        units = in_units[np.maximum(members.pair_code, 0)][:, None]
        coefficient = np.where(units, 1.0, coefficient)
    upper = np.array(
        [pool.max_share * (pool.units if np.isnan(pool.revenue) else pool.revenue) for pool in pools]
    )
    if pools:
        spreads = np.stack([cube.markets.spread[pool.markets].mean(axis=0) for pool in pools])
        left = np.maximum(upper - sold_before(cube, pools), 0.0)
        after = upper * spreads[:, cube.num_planned :].sum(axis=1)
        limits = np.stack([left, after], axis=1)[:, : len(_spans(cube))]
        context.builder.add_rows(
            "share",
            cell_terms(members, coefficient),
            lambda: [(pool.name, *span) for pool in pools for span in _span_labels(cube)],
            upper=limits.ravel(),
        )


def sold_before(cube: Cube, pools: Sequence[SizePool]) -> FloatArray:
    """What facts have taken of each size pool (K,), in its unit; a pool of facts that lies in several size
    pools is told in none of them."""
    facts, taken = cube.inputs.facts, np.zeros(len(pools))
    if facts is None or not len(pools):
        return taken
    of_market = np.full(len(cube.markets.names), -1, dtype=np.int64)
    for position, pool in enumerate(pools):
        of_market[pool.markets] = position
    pool_of = of_market[cube.inputs.selling.pairs.market[facts.pairs[1]]]
    lowest, highest = np.full(facts.size, len(pools)), np.full(facts.size, -2)
    np.minimum.at(lowest, facts.pairs[0], pool_of)
    np.maximum.at(highest, facts.pairs[0], pool_of)
    inside = (lowest == highest) & (lowest >= 0)
    for metric, in_units in (("revenue", False), ("units", True)):
        sold = facts.values[metric].sum(axis=1)
        wanted = np.array([np.isnan(pool.revenue) == in_units for pool in pools], dtype=np.bool_)
        taken += np.where(wanted, np.bincount(lowest[inside], sold[inside], minlength=len(pools)), 0.0)
    return taken


def _is_kept_anyway(cube: Cube, pool: SizePool) -> bool:
    """Whether the potentials of a pool's markets allow no more than its share does, so that a row would say
    it twice."""
    in_units = np.isnan(pool.revenue)
    worth = cube.markets.potential if in_units else cube.markets.potential * cube.markets.price
    largest = pool.max_share * (pool.units if in_units else pool.revenue)
    return bool(worth[pool.markets, : cube.num_planned].sum() <= largest * (1.0 + _ROUNDING))


def _territory_shares(context: Context) -> None:
    cube = context.cube
    ones = np.ones((cube.num_pairs, cube.num_periods))
    for limit, told in zip(cube.share_limits, cube.inputs.selling.pairs.share_limits, strict=True):
        inside = np.full(len(cube.markets.names), -1, dtype=np.int64)
        inside[limit.markets] = 0
        whole = cell_terms(_members(context, inside[cube.pair_market], 1), ones)
        own_code = np.full(cube.num_pairs, -1, dtype=np.int64)
        own_code[limit.pairs] = 0
        own = cell_terms(_members(context, own_code, 1), ones)
        name = _name(cube.inputs, limit)
        high = [(name, "at most", *span) for span in _span_labels(cube)]
        low = [(name, "at least", *span) for span in _span_labels(cube)]
        part, total = _told_of(cube.inputs, told)
        if limit.high < 1.0:
            room = _first_span(cube, max(limit.high * total - part, 0.0))
            context.builder.add_rows(
                "share", own + whole.scaled(-limit.high), fixed_labels(*high), upper=room
            )
        if limit.low > 0.0:
            room = _first_span(cube, min(limit.low * total - part, 0.0))
            context.builder.add_rows("share", own + whole.scaled(-limit.low), fixed_labels(*low), lower=room)


def _told_of(inputs: Inputs, limit: ShareLimit) -> tuple[float, float]:
    """Units of closed periods of a row's pairs and of all its markets; nothing where nobody knows them."""
    told = None if inputs.facts is None else told_shares(inputs.facts, inputs.selling.pairs, limit)
    return told or (0.0, 0.0)


def untold_shares(inputs: Inputs) -> dict[bool, list[str]]:
    """Rows of territories with shares of which facts leave open whose sales they are: under True those whose
    closed periods count as planned, under False those that are about the periods from `as_of` on."""
    facts, pairs = inputs.facts, inputs.selling.pairs
    found: dict[bool, list[str]] = {True: [], False: []}
    for limit in pairs.share_limits if facts is not None else ():
        assert facts is not None
        if leaves_open(facts, pairs, limit):
            found[told_shares(facts, pairs, limit) is not None].append(_name(inputs, limit))
    return found


def _name(inputs: Inputs, limit: ShareLimit) -> str:
    table = inputs.plan.tables["territories"]
    return "/".join(table.text(column)[limit.row] for column in table.labels)


def _first_span(cube: Cube, bound: float) -> FloatArray:
    """A bound of the horizon, and 0 over the run-out periods where there are any."""
    return np.array([bound, 0.0])[: len(_spans(cube))]


def _members(context: Context, pair_code: IntArray, count: int) -> Members:
    """One member a pool over the horizon, and one over the run-out periods where there are any."""
    periods = (np.arange(context.cube.num_periods) >= context.cube.num_planned).astype(np.int64)
    spans = _spans(context.cube)
    labels = tuple((str(index), span) for index in range(count) for span in spans)
    return Members(labels, pair_code, periods, len(spans), None)


def _span_labels(cube: Cube) -> list[tuple[str, ...]]:
    return [(span,) if span else () for span in _spans(cube)]


def _spans(cube: Cube) -> tuple[str, ...]:
    return ("", RUN_OUT) if cube.num_periods > cube.num_planned else ("",)
