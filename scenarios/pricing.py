"""What a month of delay costs and what an assumption weighs: the plan kept, solved again with one decision
moved or one assumption 10 % off, at most so many times as asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from optimizer.plan.inputs import Inputs, resolve
from optimizer.result.leverage import OFF
from optimizer.result.solution import Solution
from optimizer.tracking.decisions import Decision, Priced, decisions
from optimizer.tracking.steps import Steps
from scenarios.forecast import Forecaster

FloatArray = NDArray[np.float64]


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

    def all(self, base: Solution, now: Mapping[tuple[str, str], float]) -> Steps:
        """Delays of what the plan has, then assumptions; `now` is what starting at once makes possible, by
        kind and name."""
        found = [
            Priced(one, now_revenue=now.get((one.kind, one.name)))
            for one in decisions(self.solution, self.inputs.past)
        ]
        if not self.most:
            return Steps(tuple(found), left=len(found))
        found = self._delays(found, base)
        return Steps(tuple(found), self._weights(base), self.solves, self.left)

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
