"""The columns of tiers: how much of an input falls into each price, and which prices are reached."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from optimizer.model.blocks import ActivityBlock
from optimizer.model.builder import Labels, ProgramBuilder
from optimizer.model.cube import Cube
from optimizer.plan.marketing import Marketing
from optimizer.plan.plan import Plan
from optimizer.plan.tiers import Tiers

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

BETTER_LESS = ("marketing_cost", "cac")
"""Metrics that grow with what marketing costs."""
BETTER_MORE = ("contribution", "roas")
"""Metrics that fall with it."""


def tier_blocks(builder: ProgramBuilder, cube: Cube, marketing: Marketing) -> list[ActivityBlock]:
    """Blocks tier (input inside each tier, K) and reached (binary, tiers whose order needs it); none without
    tiers. They follow from spend, so nobody decides them."""
    found = marketing.tiers
    if found is None:
        return []
    periods, shown = cube.num_periods, cube.calendar.period
    active = marketing.active[found.channel] & (np.arange(periods) >= cube.inputs.past)
    width = np.where(found.per_horizon, np.inf, found.width)[:, None]
    own = ordered_tiers(cube, found)
    blocks = []
    for name, rows, most, whole in (
        ("tier", np.arange(len(found.channel)), np.broadcast_to(width, active.shape), False),
        ("reached", own, np.ones((len(own), periods)), True),
    ):
        if not len(rows):
            continue
        labels = {
            column: [texts[row] for row in found.channel[rows]] for column, texts in marketing.labels.items()
        }
        labels["tier"] = [found.names[row] for row in rows]
        upper = np.where(active[rows], most, 0.0)
        names = [(found.names[row], period) for row in rows for period in shown]
        start = builder.add_columns(name, upper.size, _same(names), upper=upper.ravel(), integer=whole)
        typical = np.where(np.isfinite(upper), upper, 0.0)
        blocks.append(ActivityBlock(name, start, labels, len(rows), periods, typical, decision=False))
    return blocks


def ordered_tiers(cube: Cube, found: Tiers) -> IntArray:
    """Tiers that would fill before those below them if nothing kept their order."""
    needed = found.falling | (found.per_horizon & (cube.num_planned > 1))
    if cost_may_pay(cube.inputs.plan):
        needed = np.ones(len(needed), dtype=np.bool_)
    return np.flatnonzero(needed & ~found.lowest)


def cost_may_pay(plan: Plan) -> bool:
    """Whether a rule, a distance or a stage may be better off when marketing costs more."""
    asked = [one.metric for one in plan.spec.balance] + [one.metric for one in plan.spec.stay_near]
    for stage in plan.spec.objective or ():
        asked += [stage.metric or "", stage.maximize if stage.maximize in BETTER_LESS else ""]
        asked += [stage.minimize if stage.minimize in BETTER_MORE else ""]
    for rule in plan.rules:
        bound = rule.lower if rule.metric in BETTER_LESS else rule.upper
        asked += [rule.metric] if bound is not None or rule.as_share else []
    return any(metric in (*BETTER_LESS, *BETTER_MORE) for metric in asked)


def _same(names: list[tuple[str, str]]) -> Labels:
    return lambda: names
