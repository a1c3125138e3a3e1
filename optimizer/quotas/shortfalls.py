"""Targets and limits in sentences: met or short, what binds, what one more brings, and what would close a
gap."""

from __future__ import annotations

import math
from typing import Any

from optimizer import messages
from optimizer.quotas.moving import Move, moved_bounds
from optimizer.report import numbers
from optimizer.report.words import figure, metric_word, one_word, unit_word
from optimizer.result.leverlist import Lever
from optimizer.result.levers import Binding, Closing
from optimizer.result.solution import MarginalValue, RuleOutcome, Solution
from optimizer.settings import SolveSettings

_APART = 1e-3
"""Left and right values that differ by more than this share are both told."""


def target_sentences(
    solution: Solution, closing: Closing, language: str, settings: SolveSettings | None = None
) -> list[str]:
    """A heading, then one sentence each for what binds, what one more brings, and the levers.

    A rule that lies on its bound without a price is solved again with the bound looser and tighter.
    """
    outcome = closing.outcome
    found = [_heading(solution, outcome, language)]
    if outcome.status not in ("short", "over"):
        return [*found, *_prices(solution, outcome, language, settings)]
    found += [_binding(solution, outcome, binding, language) for binding in closing.binding]
    if closing.levers:
        levers = [_lever(solution, lever, language) for lever in closing.levers]
        key = "why_levers_closed" if closing.closed else "why_levers_open"
        # Along curves the next tangent is followed until the target is met, which need not be the least.
        head = "why_levers_curves" if solution.model.curves else "why_levers"
        found += [_say(head, language), *levers, _say(key, language)]
    else:
        # Curves are replaced by tangents and whole numbers by a gap, so that a failed search proves less.
        proved = not solution.model.curves and not solution.model.program.is_mip
        found.append(_say("why_no_levers" if proved else "why_none_found", language))
    return found


def target_rows(closing: Closing) -> list[dict[str, Any]]:
    """The same as rows: the rule itself, what binds it, and the levers.

    Columns: rule, member, part (rule, binding, lever), family, name, unit, bound, value (of the rule; what
    one more unit adds to it; the change of a lever), less, more, holds_from, holds_to, share (short of
    what was asked; of the lever), money, seats, closed.
    """
    outcome = closing.outcome
    asked = outcome.upper if outcome.status == "over" else outcome.lower
    head = {"rule": outcome.rule, "member": " / ".join(outcome.member)}
    rows: list[dict[str, Any]] = [{
        **head, "part": "rule", "family": "rules", "name": outcome.rule, "unit": outcome.unit, "bound": asked,
        "value": outcome.value, "share": outcome.shortfall / abs(asked) if asked else None, "closed":
        closing.closed,
    }]  # fmt: skip
    rows += [
        {
            **head, "part": "binding", "family": one.family, "name": one.name, "unit": one.unit, "bound":
            one.bound, "value": one.value, "less": one.less, "more": one.more, "holds_from": one.holds_from,
            "holds_to": one.holds_to,
        }
        for one in closing.binding
    ]  # fmt: skip
    rows += [
        {
            **head, "part": "lever", "family": lever.family, "name": lever.name, "unit": lever.unit,
            "value": lever.change, "share": lever.share, "money": lever.money, "seats": lever.seats,
            "closed": closing.closed,
        }
        for lever in closing.levers
    ]  # fmt: skip
    return rows


def _say(name: str, language: str, /, **fields: object) -> str:
    return messages.text(f"quotas.{name}", language, **fields)


def _heading(solution: Solution, outcome: RuleOutcome, language: str) -> str:
    title = ": ".join([outcome.rule, *([" / ".join(outcome.member)] if outcome.member else [])])
    lower_counts = outcome.lower is not None and outcome.status != "over"
    asked = outcome.lower if lower_counts else outcome.upper
    fields = {
        "rule": title,
        "value": _amount(solution, outcome.value, outcome.unit, language),
        "asked": _asked(solution, outcome, language),
    }
    if outcome.status == "no_denominator":
        return _say("why_nothing", language, **fields)
    if outcome.status == "met":
        return _say("why_met", language, **fields)
    missing = _difference(solution, outcome.shortfall, outcome.unit, language)
    share = numbers.percent(outcome.shortfall / abs(asked) if asked else None, language, 2)
    return _say(f"why_{outcome.status}", language, missing=missing, share=share, **fields)


def _one(solution: Solution, unit: str, language: str) -> str:
    """One of a unit, also of money in a plan without a currency."""
    return one_word(solution, unit, language) or _say("one_currency", language)


def _asked(solution: Solution, outcome: RuleOutcome, language: str) -> str:
    """The bounds of a rule: at least, at most, both, or one figure."""
    low, high = (_amount(solution, side, outcome.unit, language) for side in (outcome.lower, outcome.upper))
    if outcome.lower is None or outcome.upper is None:
        return f"≥ {low}" if outcome.upper is None else f"≤ {high}"
    return low if outcome.lower == outcome.upper else f"{low} … {high}"


def _amount(solution: Solution, value: float | None, unit: str, language: str) -> str:
    gap = "" if language == "zh" else " "
    return f"{figure(value, unit, language)}{gap}{unit_word(solution, unit, language)}".strip()


def _difference(solution: Solution, value: float, unit: str, language: str) -> str:
    """An amount, or percentage points for a share."""
    if unit != "share":
        return _amount(solution, value, unit, language)
    points = value * 100.0
    decimals = 2 if points == 0.0 else min(12, max(2, 1 - math.floor(math.log10(abs(points)))))
    return messages.text("report.points", language, value=numbers.number(points, language, decimals))


def _binding(solution: Solution, outcome: RuleOutcome, one: Binding, language: str) -> str:
    sides = [side for side in (one.less, one.more) if side is not None]
    differ = any(abs(side - one.value) > _APART * abs(one.value) for side in sides)
    scale = 0.01 if one.unit == "share" else 1.0
    sentence = _say(
        "why_binding",
        language,
        name=messages.text(f"report.family_{one.family}", language, name=one.name),
        bound=_amount(solution, one.bound, one.unit, language),
        one=_one(solution, one.unit, language),
        value=_difference(
            solution, scale * (one.value if one.more is None else one.more), outcome.unit, language
        ),
    )
    if differ and one.less is not None:
        last = _difference(solution, scale * one.less, outcome.unit, language)
        sentence += _say("why_less", language, value=last, one=_one(solution, one.unit, language))
    return sentence + _range(solution, one.holds_from, one.holds_to, one.unit, language)


def _range(solution: Solution, low: float | None, high: float | None, unit: str, language: str) -> str:
    if low is None and high is None:
        return ""
    ends = [_amount(solution, end, unit, language) for end in (low, high)]
    return _say("why_holds", language, low=ends[0], high=ends[1])


def _lever(solution: Solution, lever: Lever, language: str) -> str:
    sentence = _say(
        "why_lever",
        language,
        name=messages.text(f"report.family_{lever.family}", language, name=lever.name),
        change=numbers.signed(_amount(solution, lever.change, lever.unit, language), lever.change),
        share=numbers.percent(lever.share, language, 1, sign=True),
    )
    if lever.seats is not None:
        sentence += _say("why_lever_seats", language, seats=numbers.number(lever.seats, language, 2))
    if lever.money is not None:
        sentence += _say(
            "why_lever_money", language, money=_amount(solution, lever.money, "currency", language)
        )
    return sentence


def _prices(
    solution: Solution, outcome: RuleOutcome, language: str, settings: SolveSettings | None
) -> list[str]:
    """What one more unit of a rule that is kept costs or brings in money."""
    found = [
        price
        for price in solution.marginal_values
        if price.family == "rules"
        and price.name[: 1 + len(outcome.member)] == (outcome.rule, *outcome.member)
        and price.name[: 1 + len(outcome.member)] == (outcome.rule, *outcome.member)
    ]
    if found:
        return [_price(solution, price, language) for price in found]
    if outcome.binds:
        looser, tighter = moved_bounds(solution, outcome, settings)
        is_equation = outcome.lower == outcome.upper
        if not looser.changes_something and not (is_equation and tighter.changes_something):
            return [_say("why_slack", language)]
        return [_move(solution, outcome, move, language) for move in (looser, tighter)]
    if solution.model.program.is_mip:
        # With whole numbers a rule that does not bind may still have kept a better plan away.
        return [_say("why_room_whole", language)]
    return [_say("why_slack", language)]


def _move(solution: Solution, outcome: RuleOutcome, move: Move, language: str) -> str:
    """One sentence: the plan solved again with the bound moved."""
    bound = _amount(solution, move.bound, outcome.unit, language)
    if outcome.unit == "share":
        bound = numbers.percent(move.bound, language, 2)
    effects = [] if move.has_plan else [_say("effect_none_left", language)]
    if move.target is not None:
        before, after = move.target
        title = ": ".join([before.rule, *([" / ".join(before.member)] if before.member else [])])
        amounts = [_difference(solution, one.shortfall, one.unit, language) for one in (after, before)]
        effects.append(_say("effect_target", language, rule=title, after=amounts[0], before=amounts[1]))
    if move.stage is not None:
        change = numbers.signed(_amount(solution, move.change, move.stage.unit, language), move.change)
        effects.append(
            _say("effect_stage", language, stage=_stage_word(move.stage.name, language), change=change)
        )
    mark = "；" if language == "zh" else "; "
    shown = mark.join(effects or [_say("effect_none", language)])
    return _say("why_moved", language, bound=bound, effects=shown)


def _stage_word(name: str, language: str) -> str:
    """A stage of the objective as people call it."""
    if name in ("penalties", "smallest", "spread"):
        return _say(f"stage_{name}", language)
    return metric_word(name, language)


def _price(solution: Solution, price: MarginalValue, language: str) -> str:
    scale = 0.01 if price.unit == "share" else 1.0
    value = price.value if price.more is None else price.more
    sentence = _say(
        "why_price",
        language,
        one=_one(solution, price.unit, language),
        value=numbers.signed(_amount(solution, value * scale, "currency", language), value),
    )
    if (
        price.less is not None
        and price.more is not None
        and abs(price.less - price.more) > _APART * abs(value)
    ):
        last = numbers.signed(_amount(solution, price.less * scale, "currency", language), price.less)
        sentence += _say("why_less", language, value=last, one=_one(solution, price.unit, language))
    return sentence + _range(solution, price.holds_from, price.holds_to, price.unit, language)
