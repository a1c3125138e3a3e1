"""What a month of delay costs and what starting at once brings: the plan kept, solved again with one decision
moved, at most so many times as asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from optimizer.plan.inputs import Inputs, resolve
from optimizer.result.leverage import OFF
from optimizer.result.solution import Solution
from optimizer.tracking.decisions import Decision, Priced, decisions
from optimizer.tracking.levels import Standing
from optimizer.tracking.steps import Step, Steps
from optimizer.tracking.view import planned_view
from scenarios.forecast import Forecaster

FloatArray = NDArray[np.float64]

STEPS = ("initiative", "hire")
"""Kinds of decisions of which starting at once is a step; a booking has more money, no earlier start."""
_CENT = 0.01
"""Currency below which a step brings nothing."""


class Pricing:
    """Solves of the plan kept, at most `most` of them."""

    def __init__(self, solution: Solution, inputs: Inputs, expected: FloatArray, most: int) -> None:
        self.solution, self.inputs, self.expected, self.most = solution, inputs, expected, most
        self.solves, self.left = 0, 0

    def _may(self, count: int) -> bool:
        if self.solves + count > self.most:
            self.left += 1
            return False
        self.solves += count
        return True

    def all(self, base: Solution, standings: Sequence[Standing]) -> Steps:
        """Delays of what the plan has, starts at once of what it has later or not, assumptions, in this
        order."""
        found = [Priced(one) for one in decisions(self.solution, self.inputs.past)]
        if not self.most:
            return Steps(tuple(found), left=len(found))
        found = self._delays(found, base)
        steps: tuple[Step, ...] = ()
        if standings:
            found, steps = self._starts(found, standings)
        weights = self._weights(base)
        return Steps(tuple(found), steps, weights, self.solves, self.left)

    def _delays(self, found: list[Priced], base: Solution) -> list[Priced]:
        planned = [one.decision.planned is not None for one in found]
        if not any(planned) or self.most < 1:
            return found
        forecaster, past = Forecaster(self.inputs, self.expected), self.inputs.past
        for at in np.flatnonzero(planned).tolist():
            if not self._may(1):
                continue
            later = forecaster.kept(self.solution, moved(self.solution, found[at].decision, past, 1))
            money = None
            if base.inputs.markets.knows_margin:
                money = float(later.figure("contribution") - base.figure("contribution"))
            revenue = float(later.figure("revenue") - base.figure("revenue"))
            found[at] = replace(found[at], delay_revenue=revenue, delay_contribution=money)
        return found

    def _starts(
        self, found: list[Priced], standings: Sequence[Standing]
    ) -> tuple[list[Priced], tuple[Step, ...]]:
        """Starts at once, against the same decisions with sales up to what is possible."""
        past = self.inputs.past
        waiting = [
            at
            for at, one in enumerate(found)
            if one.decision.kind in STEPS and one.decision.planned != past and one.decision.now
        ]
        if not waiting or not self._may(1):
            self.left += len(waiting)
            return found, ()
        forecaster = Forecaster(self.inputs, np.full_like(self.expected, np.inf))
        free = forecaster.kept(self.solution)
        starts: dict[str, Solution] = {}
        for at in waiting:
            if not self._may(1):
                continue
            one = found[at].decision
            started = forecaster.kept(self.solution, moved(self.solution, one, past, None))
            starts[one.name] = started
            gain = float(started.figure("revenue") - free.figure("revenue"))
            found[at] = replace(found[at], now_revenue=gain)
        return found, _steps(free, starts, standings)

    def _weights(self, base: Solution) -> tuple[tuple[str, float], ...]:
        found = []
        for assumption in self.inputs.assumptions:
            if not assumption.scalable or not self._may(2):
                continue
            changes = []
            for factor in (1.0 - OFF, 1.0 + OFF):
                inputs = resolve(self.inputs.plan, {assumption.key: factor})
                end = Forecaster(inputs, self.expected).kept(self.solution)
                changes.append(float(end.figure("revenue") - base.figure("revenue")))
            found.append((assumption.key, max(changes, key=abs)))
        return tuple(sorted(found, key=lambda one: -abs(one[1])))


def moved(solution: Solution, decision: Decision, past: int, later: int | None) -> dict[str, FloatArray]:
    """The activities of one decision (rows, T) with its open periods later by so many, or started in the
    first open one (None)."""
    amounts = solution.activities.blocks[decision.block].values(solution.x).copy()
    ahead = amounts[decision.row, past:].copy()
    if later is None:
        amounts[decision.row, past:] = 0.0
        amounts[decision.row, past] = 1.0
    else:
        amounts[decision.row, past:] = np.concatenate([np.zeros(later), ahead[: len(ahead) - later]])
    return {decision.block: amounts}


def _steps(free: Solution, starts: dict[str, Solution], standings: Sequence[Standing]) -> tuple[Step, ...]:
    """The start that brings most revenue to each member that is short."""
    short = [one for one in standings if one.metric == "revenue" and _gap(one) < 0]
    views = {name: planned_view(solution) for name, solution in starts.items()}
    base = planned_view(free)
    found = []
    for scope in dict.fromkeys(one.scope for one in short):
        before = base.by_period("revenue", scope) or {}
        after = {name: view.by_period("revenue", scope) or {} for name, view in views.items()}
        for one in short:
            if one.scope != scope or one.member not in before:
                continue
            gains = {
                name: float(members[one.member].sum() - before[one.member].sum())
                for name, members in after.items()
                if one.member in members
            }
            best = max(gains, key=lambda name: gains[name], default="")
            if best and gains[best] >= _CENT:
                found.append(Step(scope, one.member, _gap(one), best, gains[best]))
    return tuple(found)


def _gap(one: Standing) -> float:
    return one.forecast - (one.plan if one.target is None else one.target)
