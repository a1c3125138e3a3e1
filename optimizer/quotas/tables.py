"""Quotas as tidy tables for the run folder: numbers, chains, letters, fairness, check list, overlay
sellers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from optimizer.quotas.activity import Weeks
from optimizer.quotas.assignment import assign
from optimizer.quotas.bottom_up import commitment_rows
from optimizer.quotas.chain import PARTS, chain_parts
from optimizer.quotas.controls import controls
from optimizer.quotas.credits import overlays
from optimizer.quotas.fairness_rows import fairness_rows
from optimizer.quotas.quota import Quota
from optimizer.quotas.wording import Words, main_reason, marks
from optimizer.result.solution import Solution

CHAIN_COLUMNS = ("quota", "level", "node", "span", "step", "rule", "adds", "after")
FAIRNESS_COLUMNS = ("quota", "figure", "value", "node", "rule", "sentence")
CONTROL_COLUMNS = ("quota", "item", "met", "figure", "sentence")
COMMITMENT_COLUMNS = (
    "quota", "level", "node", "committed", "weight", "agreed", "change", "share", "plan", "unit", "reason",
)  # fmt: skip
CREDIT_COLUMNS = ("quota", "overlay", "span_kind", "span", "plan", "amount", "unit", "share")
QUOTA_COLUMNS = (
    "quota", "level", "node", "parent", "span_kind", "span", "target_share", "plan", "amount", "unit",
    "over_assignment", "stretch", "unassigned", "rule", "vacant", "ramping", "lock_reason", "excess_steps",
    "earned", "earned_beside",
)  # fmt: skip


def quota_frames(solution: Solution, quotas: Sequence[Quota] | None = None) -> dict[str, pd.DataFrame]:
    """Every table of quotas by name: quotas, quota_chain, quota_letters, quota_fairness, quota_controls,
    quota_credits where there are overlay sellers, and quota_commitments where somebody has committed;
    nothing for a plan without quotas.

    Raises `InputError` like `assign`.
    """
    if not solution.plan.spec.quotas:
        return {}
    found = assign(solution) if quotas is None else tuple(quotas)
    language = solution.plan.spec.language
    plan = solution.plan
    rows_fair = [row for quota in found for row in fairness_rows(plan, quota, language)]
    rows_control = [
        (quota.name, item.item, item.met, item.figure, item.sentence)
        for quota in found
        for item in controls(plan, quota, language)
    ]
    frames = {
        "quotas": pd.concat([numbers_frame(solution, quota) for quota in found], ignore_index=True),
        "quota_chain": pd.concat([chain_frame(quota) for quota in found], ignore_index=True),
        "quota_letters": pd.concat([letters_frame(solution, quota) for quota in found], ignore_index=True),
        "quota_fairness": pd.DataFrame(rows_fair, columns=list(FAIRNESS_COLUMNS)).astype(
            {"value": np.float64}
        ),
        "quota_controls": pd.DataFrame(rows_control, columns=list(CONTROL_COLUMNS)),
    }
    credited = credit_rows(solution, found)
    if credited:
        frames["quota_credits"] = pd.DataFrame(credited, columns=list(CREDIT_COLUMNS))
    names = [quota.name for quota in found]
    committed = [row for quota in found for row in commitment_rows(solution, quota, names)]
    if committed:
        frames["quota_commitments"] = pd.DataFrame(committed, columns=list(COMMITMENT_COLUMNS))
    return frames


def numbers_frame(solution: Solution, quota: Quota) -> pd.DataFrame:
    """One row a node and span: target share, plan, quota, and what acts on it.

    `over_assignment` is the share that the level carries above the company's target, `stretch` quota /
    plan - 1 with over-assignment taken out (blank without a plan), `unassigned` what nobody below may
    carry over the horizon, `rule` the one on whose bound the quota of the horizon lies, `earned` what
    facts have brought of the amount, `earned_beside` what facts say of the node alone, over the horizon,
    beside its amount. Amounts are in `unit`.
    """
    spans = quota.spans
    size, count = quota.tree.size, len(spans.all_labels)
    plan, carried = spans.wide(quota.plan), quota.wide / quota.factor[:, None]
    stretch = np.divide(carried, plan, out=np.full(plan.shape, np.nan), where=plan > 0) - 1.0
    unit = quota.unit.replace("currency", solution.plan.spec.currency or "currency")
    columns: dict[str, Any] = {
        name: np.repeat(np.asarray(values), count) for name, values in _by_node(quota).items()
    }
    columns |= {
        "span_kind": np.tile(np.array(spans.all_kinds), size),
        "span": np.tile(np.array(spans.all_labels), size),
        "target_share": spans.wide(quota.target_share).ravel(),
        "plan": plan.ravel(),
        "amount": quota.wide.ravel(),
        "unit": [unit] * (size * count),
        "stretch": stretch.ravel(),
        "earned": quota.earned_wide.ravel(),
    }
    return pd.DataFrame({name: columns[name] for name in QUOTA_COLUMNS})


def _by_node(quota: Quota) -> dict[str, Any]:
    """The columns of the table that are the same in every span, by node (N,)."""
    tree, nodes = quota.tree, range(quota.tree.size)
    reasons = {lock.node: lock.reason for lock in quota.locks}
    titles = [quota.title(node) for node in nodes]
    return {
        "quota": [quota.name] * len(nodes),
        "level": [tree.level_name(node) for node in nodes],
        "node": titles,
        "parent": ["", *(titles[above] for above in tree.parent[1:].tolist())],
        "over_assignment": quota.factor - 1.0,
        "unassigned": quota.unassigned,
        "rule": list(quota.acting),
        "vacant": quota.vacant,
        "ramping": quota.ramping,
        "lock_reason": [reasons.get(node, "") for node in nodes],
        "excess_steps": quota.excess,
        "earned_beside": quota.earned.pooled,
    }


def chain_frame(
    quota: Quota, nodes: Sequence[int] | None = None, spans: Sequence[int] | None = None
) -> pd.DataFrame:
    """One row a step of the chains of some nodes (all) and spans (the horizon): what it adds and where it
    leads.

    The `adds` of a number's rows add up to the quota, exact in thousandths of the rounding step.
    """
    at = list(range(quota.tree.size)) if nodes is None else list(nodes)
    chosen = [len(quota.spans.all_labels) - 1] if spans is None else list(spans)
    names, parts = chain_parts(quota, at)
    part = quota.spec.round_to / PARTS
    values = parts[:, chosen, :]
    adds = np.diff(values, axis=-1, prepend=0)
    rules = {limit.rule for limit in quota.limits}
    count = len(chosen) * len(names)
    frame = pd.DataFrame({
        "quota": quota.name,
        "level": np.repeat([quota.tree.level_name(node) for node in at], count),
        "node": np.repeat([quota.title(node) for node in at], count),
        "span": np.tile(np.repeat([quota.spans.all_labels[span] for span in chosen], len(names)), len(at)),
        "step": np.tile(np.array(names), len(at) * len(chosen)),
        "rule": np.tile([name if name in rules else "" for name in names], len(at) * len(chosen)),
        "adds": adds.ravel() * part,
        "after": values.ravel() * part,
    })  # fmt: skip
    return frame[list(CHAIN_COLUMNS)]


def letters_frame(solution: Solution, quota: Quota) -> pd.DataFrame:
    """The letter of every leaf, one row a span: what it carries, of what plan, and the reason of the
    horizon's number.

    Columns: quota, node, owner (the lowest label), span_kind, span, target_share, plan, amount, unit,
    stretch, marks, reason (sentence; on the row of the horizon), and week_STAGE for each stage of the funnel:
    the deals that enter it in an average week of the span so that the plan comes about (blank for leaves
    that are no sellers).
    """
    words = Words(quota, solution.plan.spec.language, solution.plan.spec.currency)
    frame = numbers_frame(solution, quota)
    leaves = range(quota.tree.size)[quota.tree.leaves]
    count = len(quota.spans.all_labels)
    kept = frame.iloc[leaves.start * count : leaves.stop * count].reset_index(drop=True)
    reasons = [main_reason(words, node) for node in leaves]
    last = np.arange(len(kept)) % count == count - 1
    kept["owner"] = np.repeat([quota.tree.paths[node][-1] for node in leaves], count)
    kept["marks"] = np.repeat([" · ".join(marks(words, node)) for node in leaves], count)
    kept["reason"] = np.where(last, np.repeat(reasons, count), "")
    columns = [
        "quota", "node", "owner", "span_kind", "span", "target_share", "plan", "amount", "unit", "stretch",
        "marks", "reason",
    ]  # fmt: skip
    weeks = Weeks(solution, quota)
    for at, name in enumerate(weeks.stages):
        columns.append(f"week_{name}")
        sells = quota.levels.node_seller[quota.tree.leaves, None] >= 0
        kept[columns[-1]] = np.where(sells, weeks.by_span[quota.tree.leaves, at], np.nan).ravel()
    return kept[columns]


def credit_rows(solution: Solution, quotas: Sequence[Quota]) -> list[dict[str, Any]]:
    """What overlay sellers carry, one row a span; it stands beside the sums of the organisation."""
    names = [quota.name for quota in quotas]
    found = []
    for quota in quotas:
        unit = quota.unit.replace("currency", solution.plan.spec.currency or "currency")
        for overlay in overlays(solution, quota, names):
            plan, amounts = quota.spans.wide(overlay.plan), quota.spans.wide(overlay.amounts)
            found += [
                dict(
                    zip(CREDIT_COLUMNS, (quota.name, overlay.name, *values, unit, overlay.share), strict=True)
                )
                for values in zip(
                    quota.spans.all_kinds,
                    quota.spans.all_labels,
                    plan.tolist(),
                    amounts.tolist(),
                    strict=True,
                )
            ]
    return found
