"""The figures of fairness as rows with a sentence each."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from optimizer.plan.plan import Plan
from optimizer.quotas.fairness import fairness
from optimizer.quotas.quota import Quota
from optimizer.quotas.wording import Words

FloatArray = NDArray[np.float64]


def fairness_rows(plan: Plan, quota: Quota, language: str) -> list[dict[str, object]]:
    """The figures of fairness of one quota as rows: figure, value, sentence."""
    words = Words(quota, language, plan.spec.currency)
    found = fairness(quota)
    stretch = found.stretch[np.isfinite(found.stretch)]
    low, high = (float(stretch.min()), float(stretch.max())) if len(stretch) else (None, None)
    basis = words.text(f"basis_{found.basis}")
    rows: list[tuple[str, float | None, dict[str, object]]] = [
        ("attainability", _mean(found.attainability), {"value": words.percent(_mean(found.attainability))}),
        ("stretch_smallest", low, {"value": words.percent(low)}),
        ("stretch_largest", high, {"value": words.percent(high)}),
        ("spread", found.spread, {"value": _figure(found.spread), "basis": basis}),
        ("gini", found.gini, {"value": _figure(found.gini), "basis": basis}),
        (
            "size_correlation",
            found.size_correlation,
            {"value": _figure(found.size_correlation), "basis": words.text(f"basis_{found.size_basis}")},
        ),
        ("outside", float(len(found.outside)), {"count": len(found.outside), "band":
        words.percent(found.band), "basis": basis}),
    ]  # fmt: skip
    shown: list[dict[str, object]] = []
    for name, value, fields in rows:
        key = f"fair_{name}" if value is not None else f"fair_{name}_none"
        sentence = words.text(key, **fields) if value is not None or name == "size_correlation" else ""
        shown.append(
            {
                "quota": quota.name,
                "figure": name,
                "value": value,
                "node": "",
                "rule": "",
                "sentence": sentence,
            }
        )
    for node, rule in found.outside:
        ratio = float(found.ratio[node - quota.tree.leaves.start])
        fields = {
            "node": quota.title(node),
            "value": words.percent(ratio - 1.0),
            "rule": words.rule(rule),
            "basis": basis,
        }
        shown.append({
            "quota": quota.name, "figure": "outside_node", "value": ratio, "node": quota.title(node),
            "rule": rule, "sentence": words.text("fair_outside_node", **fields),
        })  # fmt: skip
    return shown


def _mean(values: FloatArray) -> float | None:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else None


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
