"""What the history was like: every row that was dropped or changed is written down, with the reason."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from optimizer import messages
from optimizer.report.numbers import number

Action = Literal["dropped", "changed", "kept", "assumed", "note"]

COLUMNS = ("check", "action", "table", "column", "value", "count", "share", "amount", "rows", "note")

_ROWS_SHOWN = 20


@dataclass(frozen=True)
class Finding:
    """One line of the quality report; `check` names its sentence in the message area `history`."""

    check: str
    action: Action
    count: int
    total: int = 0
    amount: float = 0.0
    table: str = "history"
    column: str = ""
    value: str = ""
    rows: tuple[int, ...] = ()
    fields: dict[str, Any] = field(default_factory=dict)

    def text(self, language: str) -> str:
        """The sentence of this finding."""
        known = {
            "count": self.count,
            "total": self.total,
            "column": self.column,
            "value": self.value,
            "table": self.table,
            "amount": number(self.amount, language),
            "row": self.rows[0] if self.rows else "",
        }
        return messages.text(f"history.{self.check}", language, **{**known, **self.fields})

    def as_row(self, language: str) -> dict[str, Any]:
        """The finding as a row of `quality.csv`."""
        shown = " ".join(str(row) for row in self.rows[:_ROWS_SHOWN])
        more = " ..." if len(self.rows) > _ROWS_SHOWN else ""
        share = self.count / self.total if self.total else np.nan
        values = (
            self.check,
            self.action,
            self.table,
            self.column,
            self.value,
            self.count,
            share,
            self.amount,
            shown + more,
            self.text(language),
        )
        return dict(zip(COLUMNS, values, strict=True))


@dataclass
class Quality:
    """Collects findings in the order in which they are made."""

    total: int = 0
    """Rows of the history."""
    findings: list[Finding] = field(default_factory=list)

    def rows(
        self,
        check: str,
        action: Action,
        rows: NDArray[np.int64],
        amounts: NDArray[np.float64] | None = None,
        **where: Any,
    ) -> None:
        """Write down that `check` holds for these rows (row numbers of the spreadsheet), if any."""
        if not len(rows):
            return
        money = 0.0 if amounts is None else float(np.nansum(amounts))
        numbers = tuple(int(row) for row in rows)
        self._add(check, action, len(rows), money, numbers, **where)

    def note(self, check: str, action: Action, count: int = 0, **where: Any) -> None:
        """Write down something that is not about single rows."""
        self._add(check, action, count, 0.0, (), **where)

    def most_dropped(self) -> Finding | str:
        """The reason for which most rows were left out; nothing where none were."""
        dropped = [finding for finding in self.findings if finding.action == "dropped"]
        return max(dropped, key=lambda finding: finding.count, default="")

    def frame(self, language: str) -> pd.DataFrame:
        """All findings as a table, a finding a row."""
        return pd.DataFrame([finding.as_row(language) for finding in self.findings], columns=list(COLUMNS))

    def _add(
        self,
        check: str,
        action: Action,
        count: int,
        amount: float,
        rows: tuple[int, ...],
        *,
        table: str = "history",
        column: str = "",
        value: object = "",
        **fields: Any,
    ) -> None:
        total = self.total if rows else 0
        self.findings.append(
            Finding(check, action, count, total, amount, table, column, str(value), rows, fields)
        )
