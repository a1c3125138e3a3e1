"""Whole-unit plans by trying every division of units: no solver at all.

The rows are those of the independent formulation; slack, penalties and distances follow from the units by
plain arithmetic, and the stages by sorting.
"""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
from slow_metrics import Expression
from slow_model import INF, SlowModel

MOST = 20_000
SLIP = 1e-9


class Enumeration:
    """All divisions of whole units of a small plan that keep its hard rows."""

    def __init__(self, folder: Path) -> None:
        self.model = SlowModel(folder)
        data = self.model.data
        tops = [
            0 if data.presence[s][t] == 0 else int(data.potential[m][t] + SLIP)
            for s, m in data.pairs
            for t in data.times
        ]
        names = [cell.name for row in self.model.sales.x for cell in row]
        self.at = {name: column for column, name in enumerate(names)}
        self.count = int(np.prod([top + 1.0 for top in tops]))
        if self.count > MOST:
            return
        units = np.array(list(itertools.product(*(range(top + 1) for top in tops))), dtype=float)
        kept = np.ones(len(units), dtype=bool)
        for expression, lower, upper in self.model.hard:
            value = self.values(expression, units)
            slip = SLIP * max(1.0, *(abs(b) for b in (lower, upper) if abs(b) < INF), 1.0)
            kept &= (value >= lower - slip) & (value <= upper + slip)
        self.units = units[kept]

    def values(self, expression: Expression, units: np.ndarray) -> np.ndarray:
        """An expression over cells at every division."""
        found = np.full(len(units), expression.constant)
        for variable, coefficient in expression.items():
            found += coefficient * units[:, self.at[variable.name]]
        return found

    def stages(self) -> tuple[tuple[tuple[str, float], ...], tuple[float, ...]]:
        """Name and value of each stage, and the size that each could have; the best divisions of one stage
        go on to the next."""
        found, sizes, left = [], [], np.ones(len(self.units), dtype=bool)
        for name, value, sign in self._objectives():
            best = sign * float(np.min(sign * value[left]))
            found.append((name, best))
            sizes.append(float(np.abs(value).max()))
            left &= sign * value <= sign * best + SLIP * max(1.0, abs(best))
        return tuple(found), tuple(sizes)

    def _objectives(self) -> list[tuple[str, np.ndarray, float]]:
        model = self.model
        found, priorities = [], {}
        penalties = np.zeros(len(self.units))
        for soft in model.soft:
            value = self.values(soft.expression, self.units)
            missed = np.maximum(soft.lower - value, 0.0) + np.maximum(value - soft.upper, 0.0)
            if "penalty" in soft.spec:
                penalties += soft.spec["penalty"] * missed
            else:
                priority = soft.spec.get("priority", 1)
                share = soft.spec.get("weight", 1.0) * missed / soft.scale
                priorities[priority] = priorities.get(priority, 0.0) + share
        found += [(f"targets {number}", priorities[number], 1.0) for number in sorted(priorities)]
        whole = model.sales.whole_plan
        if model.data.knows_margin:
            money = self.values(model.sales.metric("contribution", whole), self.units)
            return [*found, ("contribution", money - penalties, -1.0)]
        if any("penalty" in soft.spec for soft in model.soft):
            found.append(("penalties", penalties, 1.0))
        revenue = self.values(model.sales.metric("revenue", whole), self.units)
        asked = [bound for bound in model.references if bound > -INF]
        last = [sum(row) for row in model.data.last_revenue if row is not None]
        reference = max(asked) if asked else sum(last)
        if not reference:
            return [*found, ("revenue", revenue, -1.0)]
        return [*found, ("total", np.abs(revenue / reference - 1.0), 1.0)]
