"""The sentence that answers the question of a plan's mode: the least spend, or the largest target."""

from __future__ import annotations

from collections.abc import Mapping

from optimizer import messages
from optimizer.report import numbers
from optimizer.report.sheet import Sheet


def mode(sheet: Sheet) -> None:
    """Nothing for the usual mode."""
    for outcome in sheet.solution.stages:
        if outcome.value is None:
            continue
        if outcome.stage.kind == "least_spend":
            value = sheet.with_unit(outcome.value, "currency")
            _say(sheet, "shown_least_spend", value=value)
        elif outcome.stage.kind == "largest":
            _largest(sheet, outcome.value, outcome.stage.unit, outcome.stage.maximize)


def _largest(sheet: Sheet, value: float, unit: str, is_largest: bool) -> None:
    rule = next(rule for rule in sheet.solution.plan.rules if rule.sought)
    asked = rule.lower if is_largest else rule.upper
    shown, wanted = sheet.with_unit(value, unit), numbers.UNKNOWN
    if unit == "ratio":
        times = numbers.number(value, sheet.language, 3)
        shown = messages.text("modes.shown_multiple", sheet.language, value=times)
    if not isinstance(asked, Mapping):
        wanted = sheet.with_unit(asked, unit)
        shown = sheet.with_unit(value, unit)
    _say(
        sheet, "shown_largest" if is_largest else "shown_smallest", name=rule.name, value=shown, asked=wanted
    )


def _say(sheet: Sheet, key: str, /, **fields: object) -> None:
    sheet.paper.paragraph(messages.text(f"modes.{key}", sheet.language, **fields))
