"""The check list of quotas, each item computed: integrity, clarity, measurability, motivation,
flexibility, control."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from optimizer.plan.plan import Plan
from optimizer.quotas.chain import PARTS, chain_parts
from optimizer.quotas.hierarchy import MISSING
from optimizer.quotas.levels import LIKELY_MOST
from optimizer.quotas.quota import Quota
from optimizer.quotas.wording import Words
from optimizer.report.words import metric_word

FloatArray = NDArray[np.float64]

_SAME = 1e-6
_ROUNDED_TWICE = 2.0 - 1e-6
ITEMS = ("integrity", "clarity", "measurability", "motivation", "flexibility", "control")


@dataclass(frozen=True)
class Control:
    """One item of the check list: whether it is met, the figure behind it, and a sentence."""

    item: str
    met: bool
    figure: float
    sentence: str


def controls(plan: Plan, quota: Quota, language: str) -> tuple[Control, ...]:
    """The six items for one quota.

    integrity: sums of children and spans that are off by a step or more. clarity: leaves whose chain
    leaves more than a step a level to rounding. measurability: leaves without an owner. motivation:
    largest stretch (met up to 25 %, pay guard kept). flexibility: share of the target that is locked (met
    below all of it). control: number of review dates, the first day after each longer span.
    """
    words = Words(quota, language, plan.spec.currency)
    items = (_integrity, _clarity, _measurability, _motivation, _flexibility)
    found = [item(words) for item in items]
    reviews = review_dates(plan, quota)
    fields: dict[str, object] = {"count": len(reviews), "dates": ", ".join(reviews)}
    return (*found, _control(words, "control", bool(reviews), len(reviews), fields))


def _control(words: Words, item: str, met: bool, figure: float, fields: dict[str, object]) -> Control:
    return Control(item, bool(met), float(figure), words.text(f"control_{item}", **fields))


def _integrity(words: Words) -> Control:
    sums, wrong = sums_checked(words.quota)
    return _control(words, "integrity", wrong == 0, wrong, {"sums": sums, "wrong": wrong})


def _clarity(words: Words) -> Control:
    unclear = _unclear(words.quota)
    leaves = words.quota.tree.num_leaves
    return _control(words, "clarity", unclear == 0, unclear, {"leaves": leaves, "unclear": unclear})


def _measurability(words: Words) -> Control:
    quota = words.quota
    leaves = quota.tree.num_leaves
    owned = sum(path[-1] != MISSING for path in quota.tree.paths[quota.tree.leaves])
    fields: dict[str, object] = {
        "metric": metric_word(quota.spec.metric, words.language),
        "unit": words.unit,
        "spans": len(quota.spans.labels),
        "owned": owned,
        "leaves": leaves,
    }
    return _control(words, "measurability", owned == leaves, leaves - owned, fields)


def _motivation(words: Words) -> Control:
    stretch = _largest_stretch(words.quota)
    kept, pay = _pay_guard(words)
    fields: dict[str, object] = {
        "stretch": words.percent(stretch),
        "most": words.percent(LIKELY_MOST),
        "pay": pay,
    }
    return _control(words, "motivation", stretch <= LIKELY_MOST and kept, stretch, fields)


def _pay_guard(words: Words) -> tuple[bool, str]:
    """Whether the guard against target pay is kept by the finished numbers, and a sentence about it."""
    quota = words.quota
    if quota.spec.against_target_pay is None:
        return True, words.text("pay_none")
    if "against_target_pay" in quota.gave_way:
        return False, words.text("pay_given_up")
    outside = sum(
        int(((quota.year > limit.upper + _SAME) | (quota.year < limit.lower - _SAME)).sum())
        for limit in quota.limits
        if limit.rule == "against_target_pay"
    )
    return outside == 0, words.text("pay_broken", count=outside) if outside else words.text("pay_kept")


def _flexibility(words: Words) -> Control:
    locked = _locked_share(words.quota)
    fields: dict[str, object] = {"locks": len(words.quota.locks), "share": words.percent(locked)}
    return _control(words, "flexibility", locked < 1.0, locked, fields)


def sums_checked(quota: Quota) -> tuple[int, int]:
    """How many sums of children were compared with their parent, and how many are off by a step or more.

    Where all caps below a node bind, its children and what is unassigned have to add up over the horizon, to
    a step for each of the two.
    """
    tree, wide = quota.tree, quota.wide / quota.spec.round_to
    checked = wrong = 0
    for level in range(tree.depth):
        nodes, children = tree.nodes(level), tree.nodes(level + 1)
        below = np.zeros((tree.size, wide.shape[1]))
        np.add.at(below, tree.parent[children], wide[children])
        ratio = quota.factor[children.start] / quota.factor[nodes.start]
        full = quota.unassigned[nodes] == 0
        off = np.abs(below[nodes] - ratio * wide[nodes])[full] > (1.0 - 1e-6 if ratio != 1.0 else 1e-6)
        rest = quota.unassigned[nodes] / quota.spec.round_to
        left = np.abs(below[nodes, -1] / ratio + rest - wide[nodes, -1])[~full] > _ROUNDED_TWICE
        checked += off.size + left.size
        wrong += int(off.sum() + left.sum())
    return checked, wrong


def _unclear(quota: Quota) -> int:
    """Leaves where the named steps do not lead to the number: rounding moves more than a step a level."""
    leaves = list(range(quota.tree.size))[quota.tree.leaves]
    _, parts = chain_parts(quota, leaves)
    rounding = np.abs(parts[:, -1, -1] - parts[:, -1, -2])
    return int((rounding > (quota.tree.depth + 1) * PARTS).sum())


def _largest_stretch(quota: Quota) -> float:
    """The largest stretch of a leaf, what rounding adds left out."""
    leaves = quota.tree.leaves
    carried = quota.stages[-1].values[leaves].sum(axis=1) / quota.factor[leaves]
    plan = quota.bases.plan.sum(axis=1)
    known = plan > quota.spec.round_to
    return float((carried[known] / plan[known] - 1.0).max(initial=0.0)) if known.any() else 0.0


def _locked_share(quota: Quota) -> float:
    """Share of the company's target that stands below a lock, each leaf once."""
    if quota.target.total <= 0:
        return 0.0
    locked = np.zeros(quota.tree.size, dtype=np.bool_)
    locked[[lock.node for lock in quota.locks]] = True
    for level in range(1, quota.tree.depth + 1):
        nodes = quota.tree.nodes(level)
        locked[nodes] |= locked[quota.tree.parent[nodes]]
    leaves = quota.tree.leaves
    carried = quota.year[leaves] / quota.factor[leaves]
    return float(carried[locked[leaves]].sum() / quota.target.total)


def review_dates(plan: Plan, quota: Quota) -> list[str]:
    """The first day after each quarter of the horizon (after each span where the quota is given by year)."""
    calendar = plan.calendar
    labels = calendar.quarter if quota.spec.per != "year" else calendar.year
    last = {label: at for at, label in enumerate(labels)}
    return [str(calendar.ends[at]) for at in last.values()]
