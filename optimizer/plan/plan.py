"""A plan in memory: the plan file, its calendar and its tables, validated and frozen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from optimizer.plan.calendar import Calendar
from optimizer.plan.rules import Rule
from optimizer.plan.schema import PlanSpec
from optimizer.plan.tables import Table


@dataclass(frozen=True)
class Plan:
    """What a planner asked for. A what-if is a new plan made by `replace`."""

    spec: PlanSpec
    calendar: Calendar
    tables: Mapping[str, Table]
    folder: Path
    file: str = "plan.yaml"
    lines: Mapping[tuple[str | int, ...], int] = field(default_factory=dict)
    """Line of each key of the plan file: ("targets", 0, "metric") -> 12."""
    inputs: Mapping[str, str] = field(default_factory=dict)
    """Input file relative to the folder -> SHA-256 of its bytes."""
    rules: tuple[Rule, ...] = ()
    """Targets, budgets and limits in the order of the file, with names, scopes and bounds resolved."""

    def replace(self, **changes: Any) -> Plan:
        """A new plan with some parts replaced."""
        return replace(self, **changes)
