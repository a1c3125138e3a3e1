"""How far the plan moves when an assumption is 10 % off: solved again, not guessed."""

from __future__ import annotations

from collections.abc import Callable

from optimizer.plan.inputs import Inputs, resolve
from optimizer.result.evaluate import figure
from optimizer.result.solution import Leverage, Solution
from optimizer.settings import SolveSettings

OFF = 0.10
LEVERAGE_CELLS = 30_000
"""Beyond this many cells an assumption is listed without its leverage, which would cost two solves each."""

Figures = Callable[[Inputs, SolveSettings], tuple[float, float | None] | None]


def leverages(solution: Solution, settings: SolveSettings, figures: Figures) -> tuple[Leverage, ...]:
    """For each assumption that can be scaled: the larger change of revenue and of contribution at 10 % more
    and less.

    `figures` solves inputs down to the money stage. None stands where an assumption was not measured.
    """
    base_revenue = figure(solution, "revenue", {})
    knows_margin = solution.inputs.markets.knows_margin
    base_money = figure(solution, "contribution", {}) if knows_margin else None
    found = []
    for assumption in solution.inputs.assumptions:
        measured = assumption.scalable and solution.model.cube.num_cells <= LEVERAGE_CELLS
        sides = (
            [
                figures(resolve(solution.plan, {assumption.key: factor}), settings)
                for factor in (1.0 - OFF, 1.0 + OFF)
            ]
            if measured
            else []
        )
        changes = [side for side in sides if side is not None]
        revenue = _largest([side[0] - base_revenue for side in changes])
        money = None
        if base_money is not None:
            money = _largest([side[1] - base_money for side in changes if side[1] is not None])
        found.append(Leverage(assumption.key, revenue, money))
    return tuple(found)


def _largest(changes: list[float]) -> float | None:
    return max(changes, key=abs) if changes else None
