"""What a plan is solved for: the most contribution, the least spend, or the largest target."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import get_args

from optimizer.errors import InputError, Place
from optimizer.plan.names import nearest
from optimizer.plan.plan import Plan
from optimizer.plan.rules import Rule
from optimizer.plan.schema import LargestSpec, ModeName

Mode = ModeName | LargestSpec

NAMES: tuple[ModeName, ...] = get_args(ModeName)
_LARGEST = "largest:"


def read_mode(text: str) -> Mode:
    """A mode as the command line has it: `contribution`, `least-spend` or `largest:TARGET`.

    Raises `InputError` for anything else.
    """
    name = text.strip()
    if name.startswith(_LARGEST):
        return LargestSpec(largest=name.removeprefix(_LARGEST).strip())
    plain = {one.replace("_", "-"): one for one in NAMES}
    if name in plain:
        return plain[name]
    known = [*plain, f"{_LARGEST}TARGET"]
    raise InputError("modes.unknown", Place(value=text), known=", ".join(known), nearest=nearest(name, known))


def in_mode(plan: Plan, mode: Mode) -> Plan:
    """The plan with another mode, which takes the place of its objective; raises like `check_mode`."""
    check_mode(mode, plan.rules, Place(file=plan.file, value=mode_text(mode)))
    return plan.replace(spec=plan.spec.model_copy(update={"mode": mode, "objective": None}))


def mode_text(mode: Mode) -> str:
    """A mode as the command line takes it."""
    return f"{_LARGEST}{mode.largest}" if isinstance(mode, LargestSpec) else mode.replace("_", "-")


def check_mode(mode: Mode | None, rules: Sequence[Rule], place: Place) -> None:
    """Raise `InputError` where a mode looks for a target that the plan does not have, or that is no bound on
    one side."""
    if not isinstance(mode, LargestSpec):
        return
    targets = {rule.name: rule for rule in rules if rule.kind == "target"}
    if mode.largest not in targets:
        raise InputError(
            "modes.largest_unknown", place, name=mode.largest, nearest=nearest(mode.largest, targets)
        )
    rule = targets[mode.largest]
    if (rule.lower is None) == (rule.upper is None):
        raise InputError("modes.largest_two_sides", place, name=rule.name)


def with_mode_applied(plan: Plan) -> Plan:
    """The plan whose rules say what its mode means.

    `least_spend` makes every target a must, because with soft ones the least spend is 0; `largest` takes the
    bound off the target that it looks for.
    """
    mode = plan.spec.mode
    if mode is None or mode == "contribution":
        return plan
    if mode == "least_spend":
        rules = [
            replace(rule, must=True, priority=None, penalty=None) if rule.kind == "target" else rule
            for rule in plan.rules
        ]
    else:
        rules = [
            replace(rule, must=False, sought=True) if rule.name == mode.largest else rule
            for rule in plan.rules
        ]
    return plan.replace(rules=tuple(rules))
