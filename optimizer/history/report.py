"""What `fit` hands back: where the plan is, how good the history was, how well the estimates give it back."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from optimizer import messages
from optimizer.history.deals import Deals
from optimizer.history.mapping import MappingSpec
from optimizer.history.quality import Quality
from optimizer.report.numbers import percent

_THIN_COLUMNS_SHOWN = 8
_SIDE_COLUMNS = ("price_median", "list_price", "units_won", "pace", "cycle")


@dataclass(frozen=True)
class FitReport:
    """The result of `fit`; `quality`, `estimates` and `reproduction` are also files of the folder."""

    folder: Path
    """The folder that was written; `plan.yaml` in it is the plan."""
    mapping: MappingSpec
    """The mapping that was used."""
    guessed: bool
    """Whether the mapping was guessed from the names of the columns."""
    language: str
    """Language of the notes in `quality`."""
    quality: pd.DataFrame
    """Findings, a row each."""
    estimates: pd.DataFrame
    """Estimates, a row each."""
    reproduction: pd.DataFrame
    """History beside what the estimates give."""
    tables: dict[str, pd.DataFrame]
    """The plan tables by name."""
    plan: str
    """The text of `plan.yaml`."""
    findings: Quality
    """The findings, to be said in another language."""
    counts: dict[str, int]
    """Rows of the history, and how many became won, lost and open deals."""

    def text(self, language: str | None = None) -> str:
        """A page: what came in, what was dropped, changed and assumed, what is thin, where the plan is."""
        tongue = language or self.language

        def say(name: str, **fields: object) -> str:
            return messages.text(f"history.{name}", tongue, **fields)

        lines = [say("page_rows", **self.counts)]
        if self.guessed:
            lines += [
                say("page_guessed"),
                *(f"  {written} -> {ours}" for written, ours in self.mapping.columns.items()),
            ]
            lines += (
                [] if self.mapping.stages is None else [say("page_guessed_stages", **self._stage_labels())]
            )
        for heading, actions in (
            ("page_dropped", ("dropped",)),
            ("page_changed", ("changed",)),
            ("page_kept", ("kept",)),
            ("page_notes", ("note",)),
            ("page_assumed", ("assumed",)),
        ):
            sentences = _repeated_once(self.findings, tongue, actions)
            lines += ["", say(heading), *(f"  - {sentence}" for sentence in sentences)] if sentences else []
        lines += [
            "",
            say("page_estimates"),
            *self._thinness(tongue),
            "",
            say("page_reproduction"),
            *self._closeness(tongue),
        ]
        return "\n".join([*lines, "", say("page_files", folder=self.folder.name, plan="plan.yaml")]) + "\n"

    def _stage_labels(self) -> dict[str, str]:
        stages = self.mapping.stages
        return {name: ", ".join(getattr(stages, name)) or "-" for name in ("won", "lost", "open")}

    def _thinness(self, language: str) -> list[str]:
        """A line a column: how many estimates, how many of them thin or mostly their parent's."""
        shown = ~self.estimates["column"].isin(_SIDE_COLUMNS) & (self.estimates["origin"] != "assumed")
        measured = self.estimates.loc[shown]
        lines = []
        for (table, column), rows in measured.groupby(["table", "column"], sort=False):
            if rows["thin"].any() or (rows["origin"] == "pooled").any():
                lines.append(
                    "  - "
                    + messages.text(
                        "history.page_thin",
                        language,
                        name=f"{table}.{column}",
                        count=len(rows),
                        thin=int(rows["thin"].sum()),
                        pooled=int((rows["origin"] == "pooled").sum()),
                    )
                )
        return lines[:_THIN_COLUMNS_SHOWN] or ["  - " + messages.text("history.page_not_thin", language)]

    def _closeness(self, language: str) -> list[str]:
        """A line a comparison: the total, and the largest difference of a member with 1 % of it or more."""
        lines = []
        for (measure, by), rows in self.reproduction.groupby(["measure", "by"], sort=False):
            weighty = rows.loc[rows["history"] >= 0.01 * rows["history"].sum()]
            if weighty.empty:
                continue
            worst = weighty.loc[weighty["difference"].abs().idxmax()]
            total = rows["fitted"].sum() / rows["history"].sum() - 1.0
            lines.append(
                "  - "
                + messages.text(
                    "history.page_close",
                    language,
                    measure=measure,
                    by=by,
                    total=percent(total, language, sign=True),
                    member=worst["member"],
                    worst=percent(worst["difference"], language, sign=True),
                )
            )
        return lines


def counts_of(deals: Deals, total: int) -> dict[str, int]:
    """Rows of the file and deals by outcome."""
    found = {name: int(np.count_nonzero(deals.outcome(name))) for name in ("won", "lost", "open")}
    return {"total": total, **found}


def _repeated_once(findings: Quality, language: str, actions: tuple[str, ...]) -> list[str]:
    """Sentences of these actions; a check with many findings is cut after five, with the number of others."""
    lines: list[str] = []
    chosen = [finding for finding in findings.findings if finding.action in actions]
    for check in dict.fromkeys(finding.check for finding in chosen):
        same = [finding for finding in chosen if finding.check == check]
        lines += [finding.text(language) for finding in same[:5]]
        if len(same) > 5:
            lines.append(messages.text("history.page_more", language, count=len(same) - 5))
    return lines
