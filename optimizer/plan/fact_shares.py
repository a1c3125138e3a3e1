"""What closed periods count for in shares of territories rows.

    own[k]   = sum over pools f and closed t of told[f,t] part[f,k,t]
    part     = planned units of the pairs of row k in f / planned units in f
    whole[k] = the same with all pairs in the markets of row k

A pool that lies inside counts whole, one that lies outside not at all. One that covers others as well leaves
open whose its units are: without the table `planned` nobody knows. Units: units sold.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from optimizer.plan.actuals import Facts
from optimizer.plan.territories import Pairs, ShareLimit

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]


def told_shares(facts: Facts, pairs: Pairs, limit: ShareLimit) -> tuple[float, float] | None:
    """Units of a row's pairs and of all its markets in closed periods (`limit` is about single sellers); None
    where facts leave open whose they are, and no plan says it."""
    own = np.zeros(len(pairs.seller), dtype=np.bool_)
    own[limit.pairs] = True
    ours, theirs = (_told(facts, flags) for flags in (own, np.isin(pairs.market, limit.markets)))
    return None if np.isnan(ours) or np.isnan(theirs) else (ours, theirs)


def leaves_open(facts: Facts, pairs: Pairs, limit: ShareLimit) -> bool:
    """Whether facts alone leave open whose the sales are that a row is about."""
    return told_shares(replace(facts, planned=None), pairs, limit) is None


def _told(facts: Facts, flags: BoolArray) -> float:
    """Units that facts tell of some pairs (P,); NaN where nobody knows."""
    sold = facts.values["units"]
    every = _by_pool(facts, np.ones((len(flags), 1)))
    covered = np.divide(
        _by_pool(facts, flags[:, None].astype(np.float64)), every, out=0.0 * every, where=every > 0
    )
    share = np.broadcast_to(covered, sold.shape).copy()
    open_ = (share > 0) & (share < 1)
    share[open_] = np.nan
    if facts.planned is not None:
        whole = _by_pool(facts, facts.planned)
        part = _by_pool(facts, facts.planned * flags[:, None])
        np.divide(part, whole, out=share, where=open_ & (whole > 0))
    return float((share * sold)[sold != 0.0].sum())


def _by_pool(facts: Facts, cells: FloatArray) -> FloatArray:
    """Figures of pairs (P, T) summed over what each pool covers (R, T)."""
    found = np.zeros((facts.size, cells.shape[1]))
    np.add.at(found, facts.pairs[0], cells[facts.pairs[1]])
    return found
