"""What a bound is worth where the solve tells no price of it: the plan solved again with the bound moved.

Bounds on shares and ratios are coefficients, not right-hand sides, and a limit may hold a more urgent target
back; neither shows in the prices of the money stage.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from optimizer.plan.rules import Rule
from optimizer.result.solution import RuleOutcome, Solution
from optimizer.settings import SolveSettings
from optimizer.solving import solve

STEP = 0.01
"""By what share of itself a bound is moved: less drowns in what the stages may give up."""
_NOISE = 5e-6
"""Changes below this share of a figure are what the stages may give up to each other."""
_NOISE_WHOLE = 2e-4
"""The same for plans with whole numbers, which are solved to a gap."""


@dataclass(frozen=True)
class Move:
    """The plan solved again with another bound: the new bound, the change of money, and the first target
    by priority whose shortfall changed (before, after)."""

    bound: float
    money: float | None
    """Change of contribution, of revenue where margins are unknown; None where no plan is left."""
    target: tuple[RuleOutcome, RuleOutcome] | None = None

    @property
    def changes_something(self) -> bool:
        """Whether the plan is another one."""
        return self.money is None or self.money != 0.0 or self.target is not None


def money_metric(solution: Solution) -> str:
    """`contribution`, or `revenue` where margins are unknown."""
    return "contribution" if solution.sellers.markets.knows_margin else "revenue"


def moved_bounds(
    solution: Solution, outcome: RuleOutcome, settings: SolveSettings | None = None
) -> tuple[Move, Move]:
    """The plan solved again with the bound on which a rule lies: first looser, then tighter.

    The bound moves by one per cent of itself, of 1 where it is 0. Seats stay apart where the rule has
    members, because then one of them gets a bound of its own.
    """
    side: Literal["lower", "upper"] = _side(outcome)
    bound = outcome.lower if side == "lower" else outcome.upper
    now = 0.0 if bound is None else bound
    step = STEP * (abs(now) or 1.0)
    quiet = replace(settings or SolveSettings(), marginal_values=False, leverage=False, on_stage=None)
    if outcome.each:
        quiet = replace(quiet, seat_groups=False)
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
        return Move(bound, None)
    metric = money_metric(solution)
    before = solution.figure(metric)
    change = found.figure(metric) - before
    noise = _NOISE_WHOLE if solution.model.program.is_mip else _NOISE
    if abs(change) <= noise * max(1.0, abs(before)):
        change = 0.0
    return Move(bound, change, _changed_target(solution, found, outcome, noise))


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
