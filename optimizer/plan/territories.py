"""Who may sell what: the allowed seller-market pairs from the territories table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from optimizer.errors import InputError
from optimizer.plan.assumptions import AssumptionLog
from optimizer.plan.markets import Markets
from optimizer.plan.matching import matching_rows, prefixed, winning_rows
from optimizer.plan.plan import Plan
from optimizer.plan.scopes import seller_dimensions
from optimizer.plan.tables import ALL, Table

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]


@dataclass(frozen=True)
class ShareLimit:
    """One territories row with share limits: its pairs sell between `low` and `high` of what is sold in its
    markets."""

    row: int
    low: float
    high: float
    pairs: IntArray
    markets: IntArray


@dataclass(frozen=True)
class Pairs:
    """P allowed pairs, sorted by seller, then market."""

    seller: IntArray
    """Seller of each pair (P,)."""
    market: IntArray
    """Market of each pair (P,)."""
    hours_per_unit: FloatArray
    """Hours a unit (P,); NaN where the territories table does not say."""
    win_factor: FloatArray
    """Units that an opportunity brings with this seller, in units that it brings with an average one (P,)."""
    share_limits: tuple[ShareLimit, ...] = field(default=())
    """Share limits, a territories row each."""
    window: BoolArray | None = None
    """Periods in which each may sell (P, T); None where nothing moves."""

    @classmethod
    def everything(cls, num_sellers: int, num_markets: int) -> Pairs:
        """Every seller may sell in every market."""
        seller, market = np.divmod(np.arange(num_sellers * num_markets), num_markets)
        return cls(seller, market, np.full(seller.shape, np.nan), np.ones(seller.shape))


def resolve_pairs(plan: Plan, sellers: Table, markets: Markets, log: AssumptionLog) -> Pairs:
    """The allowed pairs; the row with more keys filled wins, a tie is an error that names both rows.

    Without a territories table a seller sells in the markets that agree with the seller's labels on the
    columns that both tables have, which is written down as an assumption.
    """
    table = plan.tables.get("territories")
    if table is None:
        return _pairs_by_shared_columns(sellers, markets, log)
    winner = winning_rows(
        table, prefixed(seller_dimensions(sellers), "seller"), prefixed(market_columns(markets), "market")
    )
    seller, market = np.nonzero(winner >= 0)
    row = winner[seller, market]
    return Pairs(
        seller,
        market,
        table.numbers("hours_per_unit")[row],
        _win_factors(table)[row],
        _share_limits(table, row, markets),
    )


def _win_factors(table: Table) -> FloatArray:
    """The win factor of each row, 1 where blank; raises `InputError` for 0."""
    factors = np.nan_to_num(table.numbers("win_factor"), nan=1.0)
    if (factors <= 0).any():
        row = int((factors <= 0).argmax())
        raise InputError("funnel.win_factor_not_positive", table.place(row, "win_factor", factors[row]))
    return factors


def market_columns(markets: Markets) -> dict[str, list[str]]:
    """The label columns of the markets table by name; one unnamed market where there are none."""
    return markets.labels or {"market": list(markets.names)}


def label_codes(labels: Sequence[str]) -> tuple[IntArray, list[str]]:
    """Codes (n,) and the distinct labels in order of first appearance."""
    known: dict[str, int] = {}
    codes = np.fromiter(
        (known.setdefault(label, len(known)) for label in labels), dtype=np.int64, count=len(labels)
    )
    return codes, list(known)


def _pairs_by_shared_columns(sellers: Table, markets: Markets, log: AssumptionLog) -> Pairs:
    allowed = np.ones((len(sellers), len(markets.names)), dtype=np.bool_)
    labels = seller_dimensions(sellers)
    shared = [name for name in labels if name in markets.labels]
    for name in shared:
        found = np.array(labels[name], dtype=object)
        allowed &= (found[:, None] == np.array(markets.labels[name], dtype=object)[None, :]) | (found == ALL)[
            :, None
        ]
    log.note(
        "territories_by_shared_columns" if shared else "territories_everywhere",
        "territories",
        ", ".join(shared) or "*",
        len(sellers),
        None,
        scalable=False,
    )
    seller, market = np.nonzero(allowed)
    return Pairs(seller, market, np.full(seller.shape, np.nan), np.ones(seller.shape))


def _share_limits(table: Table, row: IntArray, markets: Markets) -> tuple[ShareLimit, ...]:
    low, high = table.numbers("share_min"), table.numbers("share_max")
    limited = np.flatnonzero(~np.isnan(low) | ~np.isnan(high))
    if not len(limited):
        return ()
    covering, covered = matching_rows(table, prefixed(market_columns(markets), "market"))
    return tuple(
        ShareLimit(
            row=int(index),
            low=float(np.nan_to_num(low[index])),
            high=float(np.nan_to_num(high[index], nan=1.0)),
            pairs=np.flatnonzero(row == index),
            markets=covered[covering == index],
        )
        for index in limited
    )
