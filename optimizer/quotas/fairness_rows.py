"""The figures of fairness as rows with a sentence each."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from optimizer.plan.plan import Plan
from optimizer.quotas.fairness import Fairness, acting_above, fairness
from optimizer.quotas.quota import Quota
from optimizer.quotas.wording import Words

FloatArray = NDArray[np.float64]


def fairness_rows(plan: Plan, quota: Quota, language: str) -> list[dict[str, object]]:
    """The figures of fairness of one quota as rows: figure, value, sentence; then who is outside the band."""
    words = Words(quota, language, plan.spec.currency)
    found = fairness(quota)
    return [*_figures(words, found), *_outside(words, found)]


def _figures(words: Words, found: Fairness) -> list[dict[str, object]]:
    stretch = found.stretch[np.isfinite(found.stretch)]
    low, high = (float(stretch.min()), float(stretch.max())) if len(stretch) else (None, None)
    basis, size = words.text(f"basis_{found.basis}"), words.text(f"basis_{found.size_basis}")
    mean, count = _mean(found.attainability), len(found.outside)
    rows: list[tuple[str, float | None, dict[str, object]]] = [
        ("attainability", mean, {"value": words.percent(mean)}),
        ("stretch_smallest", low, {"value": words.percent(low)}),
        ("stretch_largest", high, {"value": words.percent(high)}),
        ("spread", found.spread, {"value": _figure(found.spread), "basis": basis}),
        ("gini", found.gini, {"value": _figure(found.gini), "basis": basis}),
        (
            "size_correlation",
            found.size_correlation,
            {"value": _figure(found.size_correlation), "basis": size},
        ),
        ("outside", float(count), {"count": count, "band": words.percent(found.band), "basis": basis}),
    ]
    return [
        _shown(words, name, value, words.text(f"fair_{name}{'_none' if value is None else ''}", **fields))
        for name, value, fields in rows
    ]


def _outside(words: Words, found: Fairness) -> list[dict[str, object]]:
    quota, basis = words.quota, words.text(f"basis_{found.basis}")
    rows = []
    for node, rule in found.outside:
        ratio = float(found.ratio[node - quota.tree.leaves.start])
        share, who = words.percent(ratio - 1.0), quota.title(node)
        of_others = rule != "plan" and not acting_above(quota, node)
        key = "fair_outside_others" if of_others else "fair_outside_node"
        text = words.text(key, node=who, value=share, rule=words.rule(rule), basis=basis)
        rows.append(_shown(words, "outside_node", ratio, text, who, rule))
    return rows


def _shown(
    words: Words, figure: str, value: float | None, sentence: str, node: str = "", rule: str = ""
) -> dict[str, object]:
    return {
        "quota": words.quota.name,
        "figure": figure,
        "value": value,
        "node": node,
        "rule": rule,
        "sentence": sentence,
    }


def _mean(values: FloatArray) -> float | None:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else None


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
