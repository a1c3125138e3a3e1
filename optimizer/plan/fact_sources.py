"""Opportunities of closed periods that no planned source has brought: what facts tell beyond them.

    need[f,t]    = max(told[f,t] - organic[f,t] - leads that bring opportunities to pool f alone, 0)
    surplus[f,t] = need[f,t] max(1 - leads that pools of f's kind share / sum of their needs, 0)

organic as planned, with effects of what has started; leads are amount[q] response[c(q),t] of what was spent.
Pools are of one kind where rows of yields link them. Where facts are what was planned the surplus is 0,
however the plan has shared its leads. Units: opportunities.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from optimizer.plan.actuals import Facts
from optimizer.plan.brought import leads_of, stock_of
from optimizer.plan.effects import Effects
from optimizer.plan.funnel import Funnel
from optimizer.plan.marketing import Marketing

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

_ROUNDING = 1e-9
_ROOM = 1e-5
"""Room of opportunities that are closed for good, relative: curves are solved to a gap, facts rounded."""


def surplus(
    funnel: Funnel,
    facts: Facts,
    cover: BoolArray,
    marketing: Marketing | None,
    effects: Effects | None,
) -> FloatArray:
    """What facts tell of opportunities beyond what planned sources can have brought (R, T); `cover` says
    which markets each pool covers (R, M)."""
    told = _told(facts)
    organic = cover.astype(np.float64) @ _organic(funnel, facts, effects)
    need = np.where(np.isnan(told), 0.0, told - organic)
    if marketing is None or facts.spend is None:
        return np.maximum(need, 0.0)
    brought, reaches = _brought(marketing, facts, effects), _reaches(marketing, cover)
    alone, shared = reaches.sum(axis=0) == 1, reaches.sum(axis=0) > 1
    need -= reaches[:, alone] @ brought[alone]
    need = np.where(np.isnan(told), 0.0, np.maximum(need, 0.0))
    return need * _left(need, reaches[:, shared], brought[shared]) if shared.any() else need


def closed_for_good(lag: FloatArray, hours: FloatArray, past: int) -> BoolArray:
    """Closed periods whose opportunities take no more hours and are all decided before `as_of` (N, P), by
    kind, or never take any, so that nobody would drop them; `lag` is the share that is decided after so many
    periods (N, L), `hours` what each takes then (N, T)."""
    last = past - 1 - np.arange(past)
    decided = np.cumsum(lag, axis=1)[:, np.minimum(last, lag.shape[1] - 1)]
    left = np.cumsum(hours[:, ::-1], axis=1)[:, ::-1]
    after = np.pad(left, ((0, 0), (0, 1)))[:, np.minimum(last + 1, left.shape[1])]
    settled = (decided > 1.0 - _ROUNDING) | ~hours.any(axis=1, keepdims=True)
    return np.asarray(settled & (after <= 0.0), dtype=np.bool_)


def least_closed(
    funnel: Funnel,
    facts: Facts,
    cover: BoolArray,
    marketing: Marketing | None,
    effects: Effects | None,
    organic_closed: BoolArray,
    pool_closed: BoolArray,
) -> FloatArray:
    """Opportunities that pools of facts tell of and that only sources can have brought which are closed for
    good (R, P); organic_closed (M, P) and pool_closed (Q, P) say which these are.

        min(told, closed sources + all others) - all others

    Of leads that the same pools of facts share each has got what nothing else explains; leads that some of
    them share are among the others.
    """
    past, weight = facts.past, cover.astype(np.float64)
    told = np.nan_to_num(_told(facts)[:, :past])
    organic = _organic(funnel, facts, effects)[:, :past]
    closed, others = weight @ (organic * organic_closed), weight @ (organic * ~organic_closed)
    if marketing is not None and facts.spend is not None:
        brought, reaches = _brought(marketing, facts, effects)[:, :past], _reaches(marketing, cover)
        told = told - reaches @ np.minimum(brought, 0.0)
        brought = np.maximum(brought, 0.0)
        alone, shared = reaches.sum(axis=0) == 1, reaches.sum(axis=0) > 1
        need = np.maximum(told - weight @ organic - reaches[:, alone] @ brought[alone], 0.0)
        whole = _shared_by_all(reaches[:, shared], pool_closed[shared])
        closed += reaches[:, alone] @ (brought * pool_closed)[alone]
        closed += (
            need * (1.0 - _left(need, reaches[:, shared], brought[shared])) * _any(reaches[:, shared], whole)
        )
        others += reaches[:, alone] @ (brought * ~pool_closed)[alone]
        others += reaches[:, shared] @ (brought[shared] * ~whole)
    return np.maximum((np.minimum(told, closed + others) - others) * (1.0 - _ROOM), 0.0)


def _shared_by_all(reaches: BoolArray, closed: BoolArray) -> BoolArray:
    """Rows of yields and periods (Q, P) of a kind that is closed and whose every row reaches all its pools of
    facts; `reaches` is (R, Q), `closed` (Q, P)."""
    kind = _kinds(reaches)
    own = kind[reaches.argmax(axis=0)]
    every = reaches.sum(axis=0) == np.bincount(kind, minlength=len(kind))[own]
    found = np.ones((len(kind), closed.shape[1]), dtype=np.bool_)
    np.logical_and.at(found, own, closed & every[:, None])
    return np.asarray(found[own], dtype=np.bool_)


def _any(reaches: BoolArray, flags: BoolArray) -> BoolArray:
    """Whether any row of yields that reaches a pool of facts has a flag (R, P)."""
    return np.asarray(reaches.astype(np.int64) @ flags > 0, dtype=np.bool_)


def _kinds(reaches: BoolArray) -> IntArray:
    """Number of the kind of each pool of facts (R,): those that rows of yields link."""
    from scipy.sparse.csgraph import connected_components

    return np.asarray(connected_components(reaches @ reaches.T)[1], dtype=np.int64)


def _told(facts: Facts) -> FloatArray:
    """Opportunities of each pool (R, T); NaN where facts say nothing, and from `as_of` on."""
    told = facts.told["opportunities"].copy()
    told[:, facts.past :] = np.nan
    return told


def _reaches(marketing: Marketing, cover: BoolArray) -> BoolArray:
    """Which pools of facts cover a market of each pool of yields (R, Q)."""
    found = np.zeros((len(cover), len(marketing.yields.channel)), dtype=np.bool_)
    for pool, market in zip(marketing.yields.pool, marketing.yields.market, strict=True):
        found[:, pool] |= cover[:, market]
    return found


def _brought(marketing: Marketing, facts: Facts, effects: Effects | None) -> FloatArray:
    """Opportunities of each pool of yields (Q, T)."""
    return marketing.yields.amount[:, None] * _leads(marketing, facts, effects)[marketing.yields.channel]


def _left(need: FloatArray, reaches: BoolArray, brought: FloatArray) -> FloatArray:
    """Share of the needs (R, T) that the leads of shared rows (Q, T) leave open; `reaches` is (R, Q)."""
    kind, count = _kinds(reaches), len(reaches)
    whole, shared = np.zeros((count, need.shape[1])), np.zeros((count, need.shape[1]))
    np.add.at(whole, kind, need)
    np.add.at(shared, kind[reaches.argmax(axis=0)], brought)
    left = np.maximum(whole - shared, 0.0)
    share = np.divide(left, whole, out=np.zeros_like(whole), where=whole > 0)
    return np.asarray(share[kind], dtype=np.float64)


def _organic(funnel: Funnel, facts: Facts, effects: Effects | None) -> FloatArray:
    """Organic opportunities as planned, with what effects of started initiatives add (M, T)."""
    total = funnel.organic.copy()
    for effect in effects.of("organic") if effects is not None else ():
        assert effects is not None
        own, working = effects.markets[effect][:, None], _working(facts, effects, effect)
        weight = np.where(own, funnel.organic, 0.0)
        if not effects.multiplies[effect]:
            sums = weight.sum(axis=0, keepdims=True)
            equal = np.where(own, 1.0 / max(int(own.sum()), 1), 0.0) + 0.0 * weight
            weight = np.divide(weight, sums, out=equal, where=sums > 0)
        total += float(effects.amount[effect]) * weight * working
    return total


def _leads(marketing: Marketing, facts: Facts, effects: Effects | None) -> FloatArray:
    """Leads of what was spent, with what effects of started initiatives add (C, T)."""
    assert facts.spend is not None
    base = leads_of(marketing, stock_of(marketing, facts.spend))
    total = base.copy()
    for effect in effects.of("leads") if effects is not None else ():
        assert effects is not None
        own, working = effects.channels[effect][:, None], _working(facts, effects, effect)
        each = base if effects.multiplies[effect] else 1.0 / max(int(own.sum()), 1)
        total += float(effects.amount[effect]) * own * each * working
    return total


def _working(facts: Facts, effects: Effects, effect: int) -> FloatArray:
    """Whether an effect of an initiative that has started works in each period (T,)."""
    assert facts.starts is not None
    initiative, after, lasts = effects.windows[effects.window[effect]]
    found = np.zeros(facts.starts.shape[1])
    for begun in np.flatnonzero(facts.starts[initiative]).tolist():
        found[begun + after : begun + after + lasts] = 1.0
    return found
