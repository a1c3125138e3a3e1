"""Why a quota moved between two plans: what was earned, what the rest can bring, and each step behind it.

    change = new number + earned beside it - old number
           = earned (facts less the old plan of these spans) + rest (new less old plan of open spans)
             + the difference of every later step of the two chains

Counted in thousandths of the rounding step, so that the parts add up to the change exactly.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from optimizer import messages
from optimizer.plan.plan import Plan
from optimizer.quotas.assignment import quota_spans
from optimizer.quotas.chain import PARTS, chain_parts
from optimizer.quotas.quota import Quota
from optimizer.report import numbers

IntArray = NDArray[np.int64]

LATER = ("stretch", "over_assignment", "rules", "rounding")
"""Parts of a move behind the plan; all rules that bound quotas are one part."""
_RULES = "rules"
_FIRST = ("last_year", "plan")
_OWN = {"stretch": "stretch", "reserve": "stretch", "basis": "stretch", "over_assignment": "over_assignment"}
_OWN["rounding"] = "rounding"


@dataclass(frozen=True)
class QuotaMove:
    """One node of one quota: old and new number of the horizon, and the parts of the change, which add up to
    it."""

    quota: str
    level: str
    node: str
    old: float
    new: float
    earned: float
    parts: Mapping[str, float]
    reason: str

    @property
    def change(self) -> float:
        """New less old."""
        return self.new - self.old


def quota_moves(old: Sequence[Quota], new: Sequence[Quota], plan: Plan, language: str) -> list[QuotaMove]:
    """Every node of the new quotas against the old ones of the same names; `plan` is the new one."""
    found: list[QuotaMove] = []
    by_name = {quota.name: quota for quota in old}
    for quota in new:
        before = by_name.get(quota.name)
        if before is not None and before.spec.round_to == quota.spec.round_to:
            found += _moves(before, quota, plan, language)
    return found


def _moves(before: Quota, after: Quota, plan: Plan, language: str) -> list[QuotaMove]:
    position = {path: node for node, path in enumerate(before.tree.paths)}
    size = after.spec.round_to / PARTS
    closed = _closed_spans(after, plan)
    old_steps, new_steps = _steps(before), _steps(after)
    rows = []
    for node, path in enumerate(after.tree.paths):
        last = position.get(path)
        known = last is not None
        old = {name: values[last] if known else 0 for name, values in old_steps.items()}
        new = {name: values[node] for name, values in new_steps.items()}
        attainable = int(new["plan"] - old["plan"])
        sold = float(after.plan[node, closed].sum()) - (
            float(before.plan[last, closed].sum()) if known else 0.0
        )
        beside = round(float(after.earned.pooled[node]) / size)
        parts = {"earned": round(sold / size) + beside}
        parts["rest"] = attainable + beside - parts["earned"]
        for name in LATER:
            parts[name] = int(new.get(name, 0) - old.get(name, 0))
        amounts = {name: value * size for name, value in parts.items()}
        carried = float(after.earned_wide[node, -1] + after.earned.pooled[node])
        was = float(before.year[last]) if known else 0.0
        rows.append(
            QuotaMove(
                after.name, after.tree.level_name(node), after.title(node), was,
                was + sum(amounts.values()), carried, amounts, _reason(amounts, bool(carried), language),
            )
        )  # fmt: skip
    return rows


def _closed_spans(quota: Quota, plan: Plan) -> IntArray:
    """The shortest spans that lie before `as_of` altogether."""
    _, code = quota_spans(plan, quota.spec, quota.levels)
    count = int(code.max()) + 1
    ends = np.array([np.flatnonzero(code == span)[-1] for span in range(count)])
    spans = np.arange(quota.spans.size)
    return np.asarray(np.flatnonzero(ends[spans % count] < plan.calendar.past), dtype=np.int64)


def _steps(quota: Quota) -> dict[str, IntArray]:
    """What each step of the chains adds over the horizon, by node (N,), in thousandths; `plan` is where the
    plan leads, rules are one step."""
    names, parts = chain_parts(quota, list(range(quota.tree.size)))
    values = parts[:, -1, :]
    adds = np.diff(values, axis=-1, prepend=0)
    found: dict[str, IntArray] = {"plan": values[:, names.index("plan")]}
    for at, name in enumerate(names):
        if name not in _FIRST:
            key = _OWN.get(name, _RULES)
            found[key] = found.get(key, np.zeros(quota.tree.size, dtype=np.int64)) + adds[:, at]
    return found


def _reason(parts: Mapping[str, float], is_told: bool, language: str) -> str:
    """The parts that moved a quota, the largest first; those below a tenth of the largest are left out.

    Where facts tell nothing of the node, its sales to date stand beside the node above.
    """
    largest = max(abs(amount) for amount in parts.values())
    shown = [name for name, amount in parts.items() if amount and abs(amount) >= 0.1 * largest]
    shown.sort(key=lambda name: -abs(parts[name]))
    texts = []
    for name in shown:
        word = "untold" if name == "earned" and not is_told else name
        amount = numbers.signed(numbers.amount(parts[name], language), parts[name])
        texts.append(messages.text(f"moves.{word}", language, amount=amount))
    return ("；" if language == "zh" else "; ").join(texts) or messages.text("moves.unmoved", language)
