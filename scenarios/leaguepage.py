"""The page of a sweep: the league table, what changed old -> new, and why scenarios failed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import pandas as pd

from optimizer import messages
from optimizer.report.layout import Column, Paper, Tone
from optimizer.report.numbers import UNKNOWN, amount, signed
from scenarios.record import BASE, Record
from scenarios.sweep import Sweep

MOST_ROWS = 40
"""Scenarios on the page; of more, those that lose most are shown."""
ROUNDING = 1e-6
"""Differences below this share of a scenario's money are rounding of the solver."""
MOST_CHANGES = 8
"""Lines of changes of a scenario on the page."""


def sweep_page(sweep: Sweep, language: str, width: int = 100, colour: bool = False, folder: str = "") -> str:
    """The page of a finished sweep, rounded; its tables have the full numbers."""
    league = pd.read_parquet(sweep.folder / "league.parquet")
    paper = Paper(width, colour)
    count = len(league) - 1
    paper.heading(_say("page_title", language, plan=sweep.marked()["plan"], count=count))
    if sweep.reused:
        paper.paragraph(_say("page_reused", language, count=sweep.reused))
    shown = _shown(league)
    if len(shown) < len(league):
        paper.paragraph(_say("page_cut", language, shown=len(shown) - 1, count=count))
    paper.blank()
    _league(paper, shown, language)
    _notes(paper, shown, language)
    _changes(paper, sweep, set(shown["scenario"]), language)
    _failures(paper, sweep.failures, language)
    if folder:
        paper.blank()
        paper.paragraph(_say("page_folder", language, folder=folder))
    return paper.text()


def _say(name: str, language: str, /, **fields: object) -> str:
    return messages.text(f"scenarios.{name}", language, **fields)


def _shown(league: pd.DataFrame) -> pd.DataFrame:
    """The base and up to MOST_ROWS scenarios in their order."""
    if len(league) <= MOST_ROWS + 1:
        return league
    worst = league.iloc[1:].sort_values("worth_change", kind="stable", na_position="first").index[:MOST_ROWS]
    return league.loc[[0, *sorted(worst)]]


def _league(paper: Paper, league: pd.DataFrame, language: str) -> None:
    numbers = ("money", "change", "met", "kept", "met", "reacting", "met", "regret")
    headings = [Column(_say("col_scenario", language))]
    headings += [Column(_say(f"col_{name}", language), number=True) for name in numbers]
    headings += [Column(_say("col_status", language))]
    rows, tones = [], list[Tone]()
    for row in league.to_dict("records"):
        size = row["worth"]
        has_plan = row["status"] in ("optimal", "feasible")
        rows.append([
            _name(row, language), _amount(size, size, language), _signed(row["worth_change"], size, language),
            _met(row, "targets_met"), _amount(row["kept"], size, language), _met(row, "kept_targets_met"),
            _signed(row["value_of_reacting"], size, language), _met(row, "reacting_targets_met"),
            _amount(row["regret"], size, language), _say(f"status_{row['status']}", language),
        ])  # fmt: skip
        tones.append("plain" if has_plan else "bad")
    paper.table(headings, rows, tones)


def _met(row: dict[str, Any], name: str) -> str:
    """Targets met, of all; unknown without a plan."""
    has_plan = row["status"] in ("optimal", "feasible")
    return UNKNOWN if math.isnan(row[name]) or not has_plan else f"{row[name]:.0f}/{row['targets_asked']:.0f}"


def _notes(paper: Paper, league: pd.DataFrame, language: str) -> None:
    """What the columns are, and what a reader could take wrongly in this table."""
    paper.paragraph(_say("page_legend", language), indent=2, tone="faint")
    base = league.iloc[0]
    if abs(base["worth"] - base["money"]) > ROUNDING * abs(base["worth"]):
        fields = {name: amount(base[name], language) for name in ("worth", "money")}
        paper.paragraph(_say("page_worth", language, **fields), indent=2, tone="faint")
    if (league["regret"] < -ROUNDING * league["worth"].abs()).any():
        paper.paragraph(_say("page_negative", language), indent=2, tone="faint")
    breaking = league[(league[["kept_gave_way", "reacting_gave_way"]] > ROUNDING).any(axis=1)]
    if len(breaking):
        names = ", ".join(_name(row, language) for row in breaking.to_dict("records"))
        paper.paragraph(_say("page_gave_way", language, names=names), indent=2, tone="faint")


def _name(row: dict[str, Any], language: str) -> str:
    """The scenario; a point of a grid by its values, under the name of the grid's file below."""
    if row["scenario"] == BASE:
        return _say("base", language)
    return str(row["point"] or row["scenario"])


def _amount(value: float, size: float, language: str) -> str:
    """A figure; what is rounding beside `size` is 0."""
    if math.isnan(value):
        return UNKNOWN
    return amount(0.0 if abs(value) <= ROUNDING * abs(size) else value, language)


def _signed(value: float, size: float, language: str) -> str:
    text = _amount(value, size, language)
    return text if text == "0" else signed(text, value)


def _changes(paper: Paper, sweep: Sweep, shown: set[str], language: str) -> None:
    """What each file changes; the points of a grid share their file, so the first one stands for them."""
    seen: set[str] = set()
    for record in sweep.records():
        if record.name not in shown or not record.changes or (record.point and record.file in seen):
            continue
        if not seen:
            paper.heading(_say("page_changes", language))
        seen.add(record.file)
        paper.paragraph(f"{record.name} ({record.file})", indent=2)
        for line in record.changes[:MOST_CHANGES]:
            paper.paragraph(line, indent=4, mark="· ")
        if len(record.changes) > MOST_CHANGES:
            paper.paragraph(f"+ {len(record.changes) - MOST_CHANGES}", indent=4, mark="· ")


def _failures(paper: Paper, failures: Sequence[Record], language: str) -> None:
    if not failures:
        return
    paper.heading(_say("page_failures", language, count=len(failures)))
    for record in failures[:MOST_ROWS]:
        paper.paragraph(f"{record.name}: {record.reason}", indent=2, tone="bad")
