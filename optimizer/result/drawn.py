"""The curves of a plan as points to draw: leads a period by money a period, now and in the plan."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from optimizer.plan.marketing import Marketing
from optimizer.result.returns import Returns, ceiling, of_input, returns
from optimizer.result.solution import Solution
from solvers.curves import Curve, make_table

FloatArray = NDArray[np.float64]

_POINTS = 200
_BEYOND = 1.5
"""A curve is drawn so far beyond the largest of its points."""


@dataclass(frozen=True)
class DrawnCurve:
    """One row of marketing. `money` (k,) is spent in each period and `leads` (k,) are brought by it when that
    goes on for ever, carryover included; `now` and `plan` are (money, leads) a period, None where unknown."""

    name: str
    money: FloatArray
    leads: FloatArray
    now: tuple[float, float] | None
    plan: tuple[float, float]
    marginal: float
    """Leads for the next unit of money, on average over the plan; NaN where nothing is known."""
    saturation: float


def drawn_curves(solution: Solution) -> list[DrawnCurve]:
    """The curve of every row of marketing that has one.

    The plan's point is its mean over active periods, which lies below a concave curve where spending is
    uneven. Raises `ValueError` without a plan.
    """
    marketing, found = solution.inputs.marketing, returns(solution)
    if marketing is None or found is None:
        return []
    periods = solution.sellers.num_planned
    return [
        _drawn(solution, marketing, found, row, periods)
        for row, response in enumerate(marketing.responses)
        if response is not None
    ]


def curve_points(curves: list[DrawnCurve]) -> pd.DataFrame:
    """The same as a table: channel, what (curve, now, plan), money and leads a period."""
    parts = []
    for one in curves:
        points = [("curve", x, y) for x, y in zip(one.money.tolist(), one.leads.tolist(), strict=True)]
        points += [("now", *one.now)] if one.now else []
        frame = pd.DataFrame([*points, ("plan", *one.plan)], columns=["what", "money", "leads"])
        frame.insert(0, "channel", one.name)
        parts.append(frame)
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def _drawn(solution: Solution, marketing: Marketing, found: Returns, row: int, periods: int) -> DrawnCurve:
    response = marketing.responses[row]
    assert response is not None
    active = np.flatnonzero(marketing.active[row, :periods])
    curve, cost = of_input(marketing, row, response), float(marketing.unit_cost[row])
    # An unending input builds a stock of itself times the sum of the kernel.
    carried = float(marketing.kernel[row].sum()) / cost

    def leads_of(money: FloatArray) -> FloatArray:
        return make_table([curve]).value(np.zeros(money.size, dtype=np.int64), carried * money)

    def paid(money: FloatArray) -> FloatArray:
        """What money at the first price comes to by the tiers of prices."""
        tiers = marketing.tiers
        known = None if tiers is None else tiers.cost(row, money / cost, max(active.size, 1))
        return money if known is None else known

    spent = float((found.inputs[row, active] * cost).mean()) if active.size else 0.0
    brought = float(found.leads[row, active].mean()) if active.size else 0.0
    now = _now(solution, marketing, row, max(active.size, 1))
    most = _BEYOND * max(spent, now or 0.0) or _half_way(curve) / carried
    start = 1e-3 * most if curve.open_at_zero else 0.0
    money = np.linspace(start, most, _POINTS)
    return DrawnCurve(
        name=marketing.names[row],
        money=paid(money),
        leads=leads_of(money),
        now=None if now is None else (float(paid(np.array(now))), float(leads_of(np.array([now]))[0])),
        plan=(float(paid(np.array(spent))), brought),
        marginal=_mean(found.marginal[row, active]),
        saturation=_mean(found.saturation[row, active]),
    )


def _now(solution: Solution, marketing: Marketing, row: int, periods: int) -> float | None:
    """Money of a period today: base_spend over the active periods, else the `spend_now` of three figures.

    None where both are blank.
    """
    base = float(solution.plan.tables["marketing"].numbers("base_spend")[row])
    if not np.isnan(base):
        return base / periods
    response = marketing.responses[row]
    if response is None or response.now is None:
        return None
    return response.now * (1.0 if marketing.curve_of_spend[row] else float(marketing.unit_cost[row]))


def _half_way(curve: Curve) -> float:
    """Where a curve with a ceiling has brought about half of it, in units of its input; 1 without one."""
    most = ceiling(curve)
    if np.isnan(most):
        return curve.per
    tried = curve.per * np.logspace(-9, 12, 400)
    values = make_table([curve]).value(np.zeros(tried.size, dtype=np.int64), tried)
    return 2.0 * float(tried[min(int(np.searchsorted(values, 0.5 * most)), tried.size - 1)])


def _mean(values: FloatArray) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if known.size else np.nan
