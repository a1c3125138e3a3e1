"""The words of quotas in the reader's language: amounts, rules, and one sentence for each step of a chain."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from optimizer import messages
from optimizer.quotas.chain import PARTS, ChainStep, chain
from optimizer.quotas.quota import Quota
from optimizer.report import numbers

_LARGEST = 25
"""Nodes that one sentence names at most."""


@dataclass(frozen=True)
class Words:
    """How one quota is spoken of: language, and the plan's label of money."""

    quota: Quota
    language: str
    currency: str

    @property
    def unit(self) -> str:
        """The unit of the amounts."""
        unit = self.quota.unit
        if unit == "currency":
            return self.currency or messages.text("report.unit_currency", self.language)
        known = ("units", "deals", "hours", "customers")
        return messages.text(f"report.unit_{unit}", self.language) if unit in known else unit

    def text(self, key: str, **fields: object) -> str:
        """A sentence of the quotas' catalogue."""
        return messages.text(f"quotas.{key}", self.language, **fields)

    def amount(self, value: float, fine: bool = False) -> str:
        """An amount in full; `fine` shows the thousandths of a step that chains count in."""
        step = self.quota.spec.round_to / (PARTS if fine else 1)
        decimals = max(0, min(6, math.ceil(-math.log10(step) - 1e-9)))
        return numbers.number(value, self.language, decimals)

    def change(self, value: float) -> str:
        """An amount of a chain with its sign."""
        return numbers.signed(self.amount(value, fine=True), value)

    def percent(self, share: float | None) -> str:
        """A share in percent."""
        return numbers.percent(share, self.language)

    def rule(self, name: str) -> str:
        """A rule as people call it."""
        return self.text(f"rule_{name}")

    def level(self, node: int) -> str:
        """The level of a node as people call it."""
        from optimizer.report.words import column_word

        return column_word(self.quota.tree.level_name(node), self.language)


def chain_sentences(words: Words, node: int, span: int) -> list[str]:
    """The sentences of one number, in the order of its steps; the last one is the number itself."""
    steps = chain(words.quota, node, span)
    found = [_sentence(words, node, span, step, first=at == 0) for at, step in enumerate(steps)]
    total = words.amount(float(words.quota.wide[node, span]))
    return [*found, words.text("chain_sum", amount=total, unit=words.unit)]


def chain_title(words: Words, node: int, span: int) -> str:
    """Whose number it is, for what and when, with its marks."""
    quota = words.quota
    title = words.text(
        "chain_title",
        quota=quota.name,
        node=quota.title(node),
        span=quota.spans.all_labels[span],
        amount=words.amount(float(quota.wide[node, span])),
        unit=words.unit,
    )
    return " · ".join([title, *marks(words, node)])


def marks(words: Words, node: int) -> list[str]:
    """What a reader has to know of a node: vacant, ramping up, set by hand with the reason."""
    quota = words.quota
    found = [
        words.text(f"mark_{name}")
        for name, given in (("vacant", quota.vacant[node]), ("ramping", quota.ramping[node]))
        if given
    ]
    if node in quota.locked:
        found.append(words.text("mark_lock", reason=quota.locked[node].reason))
    if quota.unassigned[node] > 0:
        found.append(words.text("mark_unassigned", amount=words.amount(float(quota.unassigned[node]))))
    return found


def main_reason(words: Words, node: int) -> str:
    """One line for a number of the whole horizon: the step after the plan that moves it most."""
    steps = chain(words.quota, node, len(words.quota.spans.all_labels) - 1)
    later = [step for step in steps if step.name not in ("last_year", "plan", "rounding")]
    if not later:
        return words.text("reason_plan")
    largest = max(later, key=lambda step: (abs(step.adds), step.name))
    step = _sentence(words, node, len(words.quota.spans.all_labels) - 1, largest, first=False)
    return words.text("reason_step", step=step)


def _sentence(words: Words, node: int, span: int, step: ChainStep, first: bool) -> str:
    quota = words.quota
    fields: dict[str, object] = {
        "amount": words.amount(step.after, fine=True) if first else words.change(step.adds),
        "after": words.amount(step.after, fine=True),
    }
    if step.whose:
        fields |= {"rule": words.rule(step.name), "node": _acting_node(quota, node, step.name)}
        return words.text(f"chain_limit_{step.whose}", **fields)
    planned = float(quota.plan[0].sum())
    gap = quota.target.total - planned
    if step.name == "plan":
        return words.text("chain_plan_first" if first else "chain_plan", **fields)
    if step.name == "last_year":
        fields |= {
            "share": numbers.percent(_last_year_share(quota, node, span), words.language, 2),
            "target": words.amount(quota.target.total),
        }
    elif step.name in ("stretch", "reserve"):
        fields |= {
            "gap": words.amount(abs(gap)),
            "share": words.percent(gap / planned if planned > 0 else None),
        }
    elif step.name == "over_assignment":
        fields |= {"level": words.level(node), "share": words.percent(float(quota.factor[node]) - 1.0)}
    elif step.name == "basis":
        fields["basis"] = words.text(f"basis_{quota.spec.fairness.basis}")
    elif step.name == "rounding":
        fields["step"] = words.amount(quota.spec.round_to)
    return words.text(f"chain_{step.name}", **fields)


def _last_year_share(quota: Quota, node: int, span: int) -> float:
    """The node's share of last year's whole figure, in a span."""
    past = quota.bases.last_year
    if past is None or not past.sum():
        return float("nan")
    return float(quota.spans.wide(quota.tree.sum_up(past)[node])[span] / past.sum())


def _acting_node(quota: Quota, node: int, rule: str) -> str:
    """The node above whose bound acts, or the node itself."""
    above = node
    while above > 0:
        if quota.acting[above] == rule:
            return quota.title(above)
        above = int(quota.tree.parent[above])
    return quota.title(node)


def listed(names: Sequence[str], language: str) -> str:
    """Names with commas, the first ones of many."""
    shown = list(names[:_LARGEST])
    comma = "、" if language == "zh" else ", "
    return comma.join(shown) + (" …" if len(names) > _LARGEST else "")
