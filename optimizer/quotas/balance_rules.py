"""Balance rules of a plan in words: who lies where in the band, and what they cost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from optimizer import messages
from optimizer.quotas.fairness import PriceOfFairness
from optimizer.report import numbers
from optimizer.report.words import figure, unit_word
from optimizer.result.rows import balance_rows
from optimizer.result.solution import Solution

_NAMED = 10
"""Members that one sentence names at most."""


def balance_names(solution: Solution) -> tuple[str, ...]:
    """The balance rules of a plan."""
    return tuple(spec.name for spec in solution.plan.spec.balance)


def balance_sentences(solution: Solution, names: Sequence[str], language: str) -> list[str]:
    """One sentence a rule: how many members it compares, within which band, and who lies at its edge."""
    found = []
    rows = balance_rows(solution)
    for spec in solution.plan.spec.balance:
        mine = [row for row in rows if row["rule"] == spec.name]
        if spec.name not in names or not mine:
            continue
        values = [float(row["value"]) for row in mine]
        edge = [str(row["member"]) for row in mine if row["binds"]]
        fields: dict[str, object] = {
            "rule": spec.name,
            "count": len(mine),
            "low": numbers.percent(min(values) - 1.0, language, sign=True),
            "high": numbers.percent(max(values) - 1.0, language, sign=True),
            "members": ("、" if language == "zh" else ", ").join(edge[:_NAMED])
            + (" …" if len(edge) > _NAMED else ""),
        }
        found.append(messages.text(f"quotas.balance_{'edge' if edge else 'inside'}", language, **fields))
    return found


def balance_table(solution: Solution, name: str) -> list[dict[str, Any]]:
    """The members of one balance rule as rows.

    Columns: rule, member, part (balance), family, name, unit, value (the member's proportion in multiples of
    the middle of the band), at_least, at_most, binds, closed (whether it is inside the band).
    """
    return [
        {
            "rule": name,
            "member": row["member"],
            "part": "balance",
            "family": "balance",
            "name": name,
            "unit": row["unit"],
            "value": row["value"],
            "at_least": row["at_least"],
            "at_most": row["at_most"],
            "binds": row["binds"],
            "closed": row["status"] == "met",
        }
        for row in balance_rows(solution)
        if row["rule"] == name
    ]


def price_sentence(solution: Solution, price: PriceOfFairness, language: str) -> str:
    """What the plan would bring without its balance rules."""
    money = price.contribution if price.contribution is not None else price.revenue
    key = "price_contribution" if price.contribution is not None else "price_revenue"
    return messages.text(
        f"quotas.{key}",
        language,
        amount=figure(money, "currency", language),
        unit=unit_word(solution, "currency", language),
        rules=", ".join(price.rules),
    )
