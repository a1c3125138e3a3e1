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

FloatArray = NDArray[np.float64]

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

    integrity: sums of children and spans that are off by a step or more. clarity: leaves whose chain does
    not add up. measurability: leaves without an owner. motivation: largest stretch (met up to 25 %, pay
    guard kept). flexibility: share of the target that is locked (met below all of it). control: number of
    review dates, the first day after each longer span.
    """
    words = Words(quota, language, plan.spec.currency)
    sums, wrong = sums_checked(quota)
    unclear = _unclear(quota)
    owned = [quota.tree.paths[node][-1] != MISSING for node in range(quota.tree.size)[quota.tree.leaves]]
    stretch = _largest_stretch(quota)
    pay_kept = "against_target_pay" not in quota.gave_way
    locked = _locked_share(quota)
    reviews = review_dates(plan, quota)
    leaves = quota.tree.num_leaves
    found = (
        ("integrity", wrong == 0, wrong, {"sums": sums, "wrong": wrong}),
        ("clarity", unclear == 0, unclear, {"leaves": leaves, "unclear": unclear}),
        (
            "measurability",
            all(owned),
            len(owned) - sum(owned),
            {"metric": _metric(quota, language), "unit": words.unit, "spans": len(quota.spans.labels),
            "owned": sum(owned), "leaves": leaves},
        ),
        (
            "motivation",
            stretch <= LIKELY_MOST and pay_kept,
            stretch,
            {"stretch": words.percent(stretch), "most": words.percent(LIKELY_MOST), "pay":
            words.text("pay_kept" if pay_kept else "pay_given_up")},
        ),
        ("flexibility", locked < 1.0, locked, {"locks": len(quota.locks), "share": words.percent(locked)}),
        ("control", bool(reviews), len(reviews), {"count": len(reviews), "dates": ", ".join(reviews)}),
    )  # fmt: skip
    return tuple(
        Control(item, bool(met), float(figure), words.text(f"control_{item}", **fields))
        for item, met, figure, fields in found
    )


def sums_checked(quota: Quota) -> tuple[int, int]:
    """How many sums of children were compared with their parent, and how many are off by a step or more.

    Where all caps below a node bind, what is unassigned counts to its children.
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
        checked += off.size
        wrong += int(off.sum())
    return checked, wrong


def _unclear(quota: Quota) -> int:
    leaves = list(range(quota.tree.size))[quota.tree.leaves]
    _, parts = chain_parts(quota, leaves)
    whole = quota.spans.wide(quota.steps[leaves]) * PARTS
    return int((np.diff(parts, axis=-1, prepend=0).sum(axis=-1) != whole).any(axis=1).sum())


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


def _metric(quota: Quota, language: str) -> str:
    from optimizer.report.words import metric_word

    return metric_word(quota.spec.metric, language)
