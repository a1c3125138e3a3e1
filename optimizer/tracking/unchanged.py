"""Whether everything that facts tell is as the plan had it, so that no reason to move anything has come."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from optimizer.result.solution import Solution
from optimizer.tracking.measured import planned_of_pool
from optimizer.tracking.tracking import Comparison
from optimizer.tracking.view import planned_view

FloatArray = NDArray[np.float64]

SAME = 1e-4
"""Share of the planned amount by which facts may be off as planned: they come in whole units of money or
with two places."""


def is_unchanged(comparison: Comparison) -> bool:
    """Whether facts are those of the plan: sales of every pool and period, every measured rate, money spent,
    starts, hires and leavers."""
    return all(
        (
            _sold(comparison),
            all(abs(one.factor - 1.0) <= SAME for one in comparison.measured),
            _told_of_pools(comparison),
            _decided(comparison),
        )
    )


def _same(planned: FloatArray, told: FloatArray) -> bool:
    """Whether two arrays of one measure differ by no more than rounding, all differences together."""
    return bool(np.abs(told - planned).sum() <= SAME * np.abs(planned).sum())


def _sold(comparison: Comparison) -> bool:
    found = comparison.evaluations
    same = _same(found.stages["plan"], found.stages["fact"])
    return same and _same(found.units_before, found.units_after)


def _told_of_pools(comparison: Comparison) -> bool:
    """Margin and leads, where they are told: nothing else measures them."""
    facts, view = comparison.facts, planned_view(comparison.solution)
    for measure in ("margin", "leads"):
        told = facts.told[measure][:, : facts.past]
        for pool in np.flatnonzero(~np.isnan(told).all(axis=1)).tolist():
            planned, periods = planned_of_pool(facts, view, pool, measure), ~np.isnan(told[pool])
            if planned is None or not _same(planned[: facts.past][periods], told[pool][periods]):
                return False
    return True


def _decided(comparison: Comparison) -> bool:
    """What was spent and started, and who came and left."""
    facts, roles = comparison.facts, comparison.inputs.roles
    told = {"spend": facts.spend, "start": facts.starts, "hire": facts.hires}
    if roles is not None:
        told |= {"role_hire": roles.hired, "role_leave": roles.gone}
    return all(
        _same(planned, amounts[:, : facts.past])
        for name, amounts in told.items()
        if amounts is not None
        and (planned := _planned(comparison.solution, name, len(amounts), facts.past)) is not None
    )


def _planned(solution: Solution, name: str, rows: int, past: int) -> FloatArray | None:
    """A decision of the plan in closed periods, summed to so many rows; None where the plan has none."""
    block = solution.activities.blocks.get(name)
    if block is None or not rows:
        return None
    amounts = block.values(solution.x)[:, :past]
    return np.asarray(amounts.reshape(rows, -1, past).sum(axis=1), dtype=np.float64)
