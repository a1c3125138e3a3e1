"""What the plan assumes because nobody gave the number."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from optimizer import messages


@dataclass(frozen=True)
class Assumption:
    """One default or derivation that was used.

    `key` names it in docs/defaults.md and in the message catalogue (`assumptions.<key>`); `rows` counts the
    entries that it filled; `value` is the figure (a mean where it differs by row). `scalable` says whether
    "10 % off" means something for it, so that its leverage can be measured.
    """

    key: str
    table: str
    column: str
    rows: int
    value: float | None
    unit: str = ""
    scalable: bool = True

    def text(self, language: str = "en") -> str:
        """One sentence: what was assumed, for how many entries, and why."""
        value = "" if self.value is None else f"{self.value:.6g}"
        return messages.text(
            f"assumptions.{self.key}",
            language,
            rows=self.rows,
            value=value,
            unit=self.unit,
            column=self.column,
        )


@dataclass
class AssumptionLog:
    """Collects assumptions while the inputs are resolved; `factors` scales them for what-ifs of their
    leverage."""

    factors: Mapping[str, float] = field(default_factory=dict)
    used: list[Assumption] = field(default_factory=list)

    def factor(self, key: str) -> float:
        """By how much the assumption `key` is scaled in this resolution (1 in the plan itself)."""
        return self.factors.get(key, 1.0)

    def note(
        self,
        key: str,
        table: str,
        column: str,
        rows: int,
        value: float | None,
        unit: str = "",
        scalable: bool = True,
    ) -> None:
        """Write an assumption down, unless it filled nothing."""
        if rows > 0:
            self.used.append(Assumption(key, table, column, int(rows), value, unit, scalable))
