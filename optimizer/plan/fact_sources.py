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
BoolArray = NDArray[np.bool_]


def surplus(
    funnel: Funnel,
    facts: Facts,
    cover: BoolArray,
    marketing: Marketing | None,
    effects: Effects | None,
) -> FloatArray:
    """What facts tell of opportunities beyond what planned sources can have brought (R, T); `cover` says
    which markets each pool covers (R, M)."""
    told = facts.told["opportunities"].copy()
    told[:, facts.past :] = np.nan
    organic = cover.astype(np.float64) @ _organic(funnel, facts, effects)
    need = np.where(np.isnan(told), 0.0, told - organic)
    if marketing is None or facts.spend is None:
        return np.maximum(need, 0.0)
    brought = marketing.yields.amount[:, None] * _leads(marketing, facts, effects)[marketing.yields.channel]
    reaches = np.zeros((facts.size, len(brought)), dtype=np.bool_)
    for pool, market in zip(marketing.yields.pool, marketing.yields.market, strict=True):
        reaches[:, pool] |= cover[:, market]
    alone, shared = reaches.sum(axis=0) == 1, reaches.sum(axis=0) > 1
    need -= reaches[:, alone] @ brought[alone]
    need = np.where(np.isnan(told), 0.0, np.maximum(need, 0.0))
    return need * _left(need, reaches[:, shared], brought[shared]) if shared.any() else need


def _left(need: FloatArray, reaches: BoolArray, brought: FloatArray) -> FloatArray:
    """Share of the needs (R, T) that the leads of shared rows (Q, T) leave open; `reaches` is (R, Q)."""
    from scipy.sparse.csgraph import connected_components

    count, kind = connected_components(reaches @ reaches.T)
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
