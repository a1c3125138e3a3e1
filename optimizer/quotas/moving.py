"""What a bound is worth where the solve tells no price of it: the plan solved again with the bound moved.

Bounds on shares and ratios are coefficients, not right-hand sides, and a limit may hold a more urgent target
back; neither shows in the prices of the money stage.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from optimizer.model.objective import PlanStage
from optimizer.plan.rules import Rule
from optimizer.result.solution import RuleOutcome, Solution
from optimizer.settings import SolveSettings
from optimizer.solving import solve

STEP = 0.01
"""By what share of itself a bound is moved: less drowns in what the stages may give up."""
_NOISE = 5e-6
"""Changes below this share of a figure are what the stages may give up to each other."""
_NOISE_WHOLE = 2e-4
"""The same for plans with whole numbers or curves, which are solved to a gap."""
_FIGURES = ("money", "metric", "revenue", "penalties", "smallest", "spread")
"""Kinds of stages that are figures of the plan; others are shortfalls, which targets tell, or nearness."""


@dataclass(frozen=True)
class Move:
    """The plan solved again with another bound: the first target by priority whose shortfall changed (before,
    after), and the first stage of the objective behind the targets whose figure changed, with the change."""

    bound: float
    has_plan: bool = True
    target: tuple[RuleOutcome, RuleOutcome] | None = None
    stage: PlanStage | None = None
    change: float = 0.0

    @property
    def changes_something(self) -> bool:
        """Whether the plan is another one."""
        return not self.has_plan or self.target is not None or self.stage is not None


def moved_bounds(
    solution: Solution, outcome: RuleOutcome, settings: SolveSettings | None = None
) -> tuple[Move, Move]:
    """The plan solved again with the bound on which a rule lies: first looser, then tighter.

    The bound moves by one per cent of itself, of 1 where it is 0. Seats stay apart where the rule has
    members, because then one of them gets a bound of its own. Of an equation the upper bound is loosened
    first, then the lower one.
    """
    side: Literal["lower", "upper"] = _side(outcome)
    bound = outcome.lower if side == "lower" else outcome.upper
    now = 0.0 if bound is None else bound
    step = STEP * (abs(now) or 1.0)
    quiet = replace(settings or SolveSettings(), marginal_values=False, leverage=False, on_stage=None)
    if outcome.each:
        quiet = replace(quiet, seat_groups=False)
    if outcome.lower == outcome.upper:
        more = _moved(solution, outcome, "upper", now + step, quiet)
        return more, _moved(solution, outcome, "lower", now - step, quiet)
    looser = step if side == "upper" else -step
    first, second = (_moved(solution, outcome, side, now + by, quiet) for by in (looser, -looser))
    return first, second


def _side(outcome: RuleOutcome) -> Literal["lower", "upper"]:
    """The bound that the value lies on."""
    if outcome.lower is None or outcome.upper is None:
        return "lower" if outcome.upper is None else "upper"
    near_lower = abs(outcome.value - outcome.lower) <= abs(outcome.value - outcome.upper)
    return "lower" if near_lower else "upper"


def _moved(
    solution: Solution,
    outcome: RuleOutcome,
    side: Literal["lower", "upper"],
    bound: float,
    settings: SolveSettings,
) -> Move:
    plan = solution.plan
    rules = tuple(
        _with_bound(rule, solution, outcome, side, bound) if rule.name == outcome.rule else rule
        for rule in plan.rules
    )
    found = solve(plan.replace(rules=rules), settings)
    if not found.has_plan:
        return Move(bound, False)
    noise = _NOISE_WHOLE if solution.model.program.is_mip or solution.model.curves else _NOISE
    stage, change = _changed_stage(solution, found, noise)
    return Move(bound, True, _changed_target(solution, found, outcome, noise), stage, change)


def _changed_stage(before: Solution, after: Solution, noise: float) -> tuple[PlanStage | None, float]:
    for one, other in zip(before.stages, after.stages, strict=True):
        if one.stage.kind in _FIGURES and one.value is not None and other.value is not None:
            change = other.value - one.value
            if abs(change) > noise * max(abs(one.value), one.stage.scale * _NOISE):
                return one.stage, change
    return None, 0.0


def _with_bound(
    rule: Rule, solution: Solution, outcome: RuleOutcome, side: Literal["lower", "upper"], bound: float
) -> Rule:
    """The rule with another bound for one member, in the rule's own form: amount, growth or multiple."""
    asked = outcome.lower if side == "lower" else outcome.upper
    given: Mapping[tuple[str, ...], float] | float | None = getattr(rule, side)
    members = [found.member for found in solution.outcomes if found.rule == rule.name]
    by_member = dict(given) if isinstance(given, Mapping) else dict.fromkeys(members, float(given or 0.0))
    if rule.as_growth or isinstance(rule.of, str):
        shift = 1.0 if rule.as_growth else 0.0
        base = (asked or 0.0) / ((by_member[outcome.member] + shift) or 1.0)
        by_member[outcome.member] = bound / base - shift if base else by_member[outcome.member]
    else:
        by_member[outcome.member] = bound
    return replace(rule, lower=by_member) if side == "lower" else replace(rule, upper=by_member)


def _changed_target(
    before: Solution, after: Solution, moved: RuleOutcome, noise: float
) -> tuple[RuleOutcome, RuleOutcome] | None:
    """The first target by priority that is missed by more or less than before."""
    pairs = zip(before.outcomes, after.outcomes, strict=True)
    soft = [pair for pair in pairs if not pair[0].must and pair[0].rule != moved.rule]
    for one, other in sorted(soft, key=lambda pair: pair[0].priority or 0):
        asked = max(abs(bound) for bound in (one.lower, one.upper, 0.0) if bound is not None)
        if abs(one.shortfall - other.shortfall) > noise * (asked or 1.0):
            return one, other
    return None
