"""The page of two runs compared, in words and tables."""

from __future__ import annotations

import pandas as pd

from optimizer import messages
from optimizer.report.layout import Column, Paper, Tone
from optimizer.report.numbers import UNKNOWN, amount, signed
from scenarios.record import Record
from scenarios.rundiff import FIGURES, REMAINDER, TOGETHER, RunDiff, diff_tables, explained_frame

MOST_LINES = 3
"""Cells of a change on the page."""
MOST_PARTS = 8
"""Parts of the company on the page: those that move most."""
ROUNDING = 1e-6
"""Differences below this share of a figure are rounding of the solver."""


def diff_page(
    found: RunDiff, first: str, second: str, language: str, width: int = 100, colour: bool = False
) -> str:
    """What changed in the inputs, what in the answer, and which change explains how much; rounded."""
    paper = Paper(width, colour)
    paper.heading(_say("title", language, first=first, second=second))
    if not found.explained:
        paper.paragraph(_say("same_inputs", language))
    _inputs(paper, found, language)
    _without_plan(paper, {first: found.first, second: found.second}, language)
    if found.first.has_plan and found.second.has_plan:
        tables = diff_tables(found)
        _answer(paper, tables["figures"], language)
        _targets(paper, tables["targets"], language)
        _parts(paper, tables["parts"], language)
        _explained(paper, found, language)
    return paper.text()


def _say(name: str, language: str, /, **fields: object) -> str:
    return messages.text(f"diff.{name}", language, **fields)


def _inputs(paper: Paper, found: RunDiff, language: str) -> None:
    if not found.explained:
        return
    paper.heading(_say("inputs", language))
    for one in found.explained:
        for applied in one.changes:
            for line in applied.lines(MOST_LINES):
                paper.paragraph(line, indent=2, mark="· ")


def _without_plan(paper: Paper, records: dict[str, Record], language: str) -> None:
    for name, record in records.items():
        if not record.has_plan:
            text = _say("no_plan", language, run=name, reason=record.reason or record.status)
            paper.paragraph(text, tone="bad")


def _answer(paper: Paper, figures: pd.DataFrame, language: str) -> None:
    paper.heading(_say("answer", language))
    heads = [Column(_say("figure", language)), *_number_columns(("first", "second", "change"), language)]
    rows = []
    for row in figures.to_dict("records"):
        change = row["change"]
        if pd.isna(change) or abs(change) <= ROUNDING * max(abs(row["first"]), 1e-9):
            continue
        shown = [_amount(row[name], language) for name in ("first", "second")]
        rows.append([row["figure"], *shown, signed(_amount(change, language), change)])
    if rows:
        paper.table(heads, rows)
    else:
        paper.paragraph(_say("same_answer", language))


def _targets(paper: Paper, targets: pd.DataFrame, language: str) -> None:
    """Targets that are met in one of the two only."""
    for row in targets.to_dict("records"):
        was, now = (row[name] in ("short", "over") for name in ("base_status", "status"))
        if was == now or not row["base_status"]:
            continue
        name = f"{row['rule']} {row['member']}".strip()
        values = {"old": _amount(row["base"], language), "new": _amount(row["value"], language)}
        if now:
            paper.paragraph(_say("now_missed", language, name=name, **values), indent=2, tone="bad")
        else:
            paper.paragraph(_say("now_met", language, name=name, **values), indent=2, tone="good")


def _parts(paper: Paper, parts: pd.DataFrame, language: str) -> None:
    """The parts of the company whose revenue moves most."""
    parts = parts[parts["metric"] == "revenue"]
    moved = parts[parts["change"].abs() > ROUNDING * max(parts["base"].abs().max(), 1.0)]
    if moved.empty:
        return
    paper.heading(_say("parts", language))
    largest = moved.reindex(moved["change"].abs().sort_values(ascending=False, kind="stable").index)
    heads = [Column(_say("part", language)), *_number_columns(("first", "second", "change"), language)]
    rows = [
        [
            f"{row['scope']} {row['member']}",
            _amount(row["base"], language),
            _amount(row["value"], language),
            signed(_amount(row["change"], language), row["change"]),
        ]
        for row in largest.head(MOST_PARTS).to_dict("records")
    ]
    paper.table(heads, rows)


def _explained(paper: Paper, found: RunDiff, language: str) -> None:
    if not found.explained:
        return
    paper.heading(_say("explained", language))
    known = [name for name in FIGURES if name in found.first.kpis]
    heads = [Column(_say("change", language)), *(Column(name, number=True) for name in known)]
    heads += [Column(_say("targets_met", language), number=True)]
    rows, tones = [], list[Tone]()
    words = {TOGETHER: _say("together", language), REMAINDER: _say("remainder", language)}
    for row in explained_frame(found).to_dict("records"):
        shown = [_signed(row[name], found.first.kpis[name], language) for name in known]
        met = row["targets_met"]
        name = words.get(row["change"], row["change"])
        rows.append([name, *shown, "" if pd.isna(met) else f"{met:+.0f}"])
        tones.append("faint" if row["change"] in words else "plain")
    paper.table(heads, rows, tones)
    for one in found.explained:
        if one.reason:
            text = _say("not_alone", language, change=one.name, reason=one.reason)
            paper.paragraph(text, indent=2, tone="faint")
    paper.paragraph(_say("legend", language), indent=2, tone="faint")


def _number_columns(names: tuple[str, ...], language: str) -> list[Column]:
    return [Column(_say(name, language), number=True) for name in names]


def _amount(value: float | None, language: str) -> str:
    return UNKNOWN if value is None or pd.isna(value) else amount(value, language)


def _signed(value: float | None, size: float, language: str) -> str:
    if value is None or pd.isna(value):
        return UNKNOWN
    small = abs(value) <= ROUNDING * abs(size)
    return "0" if small else signed(amount(value, language), value)
