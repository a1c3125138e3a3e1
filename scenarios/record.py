"""What is kept of one scenario: status, figures, targets, how the base plan does in it. Plain values only."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from optimizer.errors import InputError
from optimizer.result.evaluate import figures
from optimizer.result.kpis import scope_columns
from optimizer.result.solution import Solution
from scenarios.applied import Applied
from scenarios.files import Scenario
from scenarios.kept import shortfalls_of, worth_of

FORMAT = 2
BASE = "base"
"""Name under which the unchanged plan stands in every table."""
INPUT_ERROR, FAILED = "input_error", "failed"

KPIS = (
    "revenue", "contribution", "margin", "commission", "extra_cost", "units", "deals", "new_customers",
    "hours", "utilisation", "average_check", "market_share", "growth",
)  # fmt: skip
"""Figures of the company; those that the tables do not allow are left out."""
PARTS = ("revenue", "contribution")
"""Figures that are split by every column of markets and sellers, and by quarter."""


@dataclass(frozen=True)
class Record:
    """One scenario as it came out."""

    name: str
    digest: str = ""
    """What the answer depends on: plan, scenario, settings, versions."""
    file: str = ""
    category: str | None = None
    probability: float | None = None
    point: tuple[tuple[str, Any], ...] = ()
    status: str = FAILED
    reason: str = ""
    objective: float | None = None
    objective_name: str = ""
    gap: float | None = None
    worth: float | None = None
    """What plans are compared by: the money stage's figure, or money of the year (`kept.worth_of`)."""
    shortfalls: list[float] = field(default_factory=list)
    """By how much the targets of each priority are missed, in shares of themselves."""
    kpis: dict[str, float] = field(default_factory=dict)
    targets: list[dict[str, Any]] = field(default_factory=list)
    parts: list[tuple[str, str, str, float]] = field(default_factory=list)
    """(scope, member, metric, value)."""
    kept: dict[str, dict[str, Any]] = field(default_factory=dict)
    """`kept` and `reacting` -> the fields of `kept.Kept`."""
    cells_changed: int = 0
    changes: list[str] = field(default_factory=list)
    """The changes in short, old -> new."""
    files: dict[str, str] = field(default_factory=dict)
    """Files beyond the plan's own -> SHA-256."""
    start: str = ""
    """How the solve started: warm, or cold and why."""
    seconds: float = 0.0
    format: int = FORMAT

    @property
    def has_plan(self) -> bool:
        """Whether there is a verified plan."""
        return self.status in ("optimal", "feasible")

    def as_json(self) -> dict[str, Any]:
        """The record as JSON values; nothing in it is copied."""
        return {one.name: getattr(self, one.name) for one in dataclasses.fields(self)}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Record:
        """The record of what `as_json` gave; raises `TypeError` or `KeyError` for anything else."""
        known = dict(data)
        known["point"] = tuple((name, value) for name, value in data["point"])
        known["parts"] = [(str(a), str(b), str(c), float(d)) for a, b, c, d in data["parts"]]
        return cls(**known)


def failed(scenario: Scenario, digest: str, status: str, reason: str) -> Record:
    """The row of a scenario that gave nothing."""
    return Record(**_head(scenario, digest), status=status, reason=reason)


def record_of(
    scenario: Scenario, digest: str, solution: Solution, applied: Sequence[Applied], **more: Any
) -> Record:
    """The record of a solved scenario."""
    changes = [line for one in applied for line in one.lines(1)]
    head = {
        **_head(scenario, digest),
        "status": str(solution.status),
        "reason": solution.reason,
        "cells_changed": sum(map(len, applied)),
        "changes": changes,
        **more,
    }
    if not solution.has_plan:
        return Record(**head)
    stage, kpis = _money_stage(solution), kpis_of(solution)
    return Record(
        **head,
        worth=worth_of(solution.stages, money_of(kpis) or 0.0),
        shortfalls=shortfalls_of(solution.stages),
        objective=stage.value,
        objective_name=stage.stage.name,
        gap=stage.gap,
        kpis=kpis,
        targets=targets_of(solution),
        parts=parts_of(solution),
    )


def _head(scenario: Scenario, digest: str) -> dict[str, Any]:
    return {
        "name": scenario.name, "digest": digest, "file": scenario.file, "category": scenario.category,
        "probability": scenario.probability, "point": scenario.point,
    }  # fmt: skip


def money_of(kpis: Mapping[str, float]) -> float | None:
    """Contribution, or revenue where the plan knows no margin; None without a plan."""
    return kpis.get("contribution", kpis.get("revenue"))


def _money_stage(solution: Solution) -> Any:
    """The stage whose figure is the objective of the league table: money, else the last but the tie-break."""
    real = [stage for stage in solution.stages if stage.stage.kind != "tie_break"] or list(solution.stages)
    return next((stage for stage in real if stage.stage.is_money), real[-1])


def kpis_of(solution: Solution) -> dict[str, float]:
    """The company's figures; a ratio of nothing is left out."""
    found = {}
    for metric in (*KPIS, *solution.activities.resources):
        try:
            value = solution.figure(metric)
        except InputError:
            continue
        if np.isfinite(value):
            found[metric] = value
    return found


def targets_of(solution: Solution) -> list[dict[str, Any]]:
    """Every member of every rule as it came out."""
    return [
        {
            "rule": one.rule, "kind": one.kind, "member": " / ".join(one.member), "metric": one.metric,
            "unit": one.unit, "at_least": one.lower, "at_most": one.upper,
            "value": None if np.isnan(one.value) else one.value, "shortfall": one.shortfall,
            "status": one.status,
        }
        for one in solution.outcomes
    ]  # fmt: skip


def parts_of(solution: Solution) -> list[tuple[str, str, str, float]]:
    """Revenue and contribution by each column and by quarter."""
    found: list[tuple[str, str, str, float]] = []
    known = [metric for metric in PARTS if metric != "contribution" or solution.sellers.markets.knows_margin]
    for scope in (*scope_columns(solution), "quarter"):
        for metric in known:
            found += [(scope, label[0], metric, value) for label, value in figures(solution, metric, [scope])]
    return found
