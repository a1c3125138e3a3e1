"""The page of a risk analysis: words first, terms in brackets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from optimizer import messages
from optimizer.report.layout import Column, Paper, Tone
from optimizer.report.numbers import UNKNOWN, amount, percent, signed
from optimizer.report.words import figure, metric_word
from scenarios.risk.analysis import Analysis
from scenarios.risk.measures import MONEY
from scenarios.risk.pictures import pictures_sentence
from scenarios.risk.sections import (
    contingency_section,
    quota_section,
    reach_section,
    reduced_sentence,
    robust_section,
)

MOST_TARGETS = 20
MOST_DRIVERS = 6
MOST_BARS = 12
UNLIKELY, LIKELY = 0.5, 0.8
"""Probabilities below and from which a target is marked on a terminal with colours."""
HEADLINE = (MONEY, "revenue")


def risk_page(
    found: Analysis, language: str, width: int = 100, colour: bool = False, folder: str = ""
) -> str:
    """The page of a finished analysis, rounded; its tables have the full numbers."""
    paper = Paper(width, colour)
    spec, draws = found.risk.spec, found.draws
    paper.heading(_say("page_title", language, plan=found.risk.base.plan.spec.name, risk=spec.name))
    paper.paragraph(
        _say(
            "page_samples", language, count=len(draws), seed=spec.seed, numbers=len(found.risk.variables),
            events=len(found.risk.events),
        )
    )  # fmt: skip
    _targets(paper, found, language)
    _ranges(paper, found, language)
    _drivers(paper, found, language)
    _tornado(paper, found, language)
    _frontier(paper, found, language)
    reach_section(paper, found, language)
    quota_section(paper, found, language)
    robust_section(paper, found, language)
    _break_evens(paper, found, language)
    contingency_section(paper, found, language)
    paper.blank()
    paper.paragraph(_say("page_legend", language, worst=percent(spec.worst, language, 0)), tone="faint")
    left_out = list(dict.fromkeys(name for one in found.simulations.values() for name in one.left_out))
    if left_out:
        paper.paragraph(_say("page_left_out", language, names=", ".join(left_out)), tone="bad")
    failed = {name: int(one.failed.sum()) for name, one in found.simulations.items() if one.failed.any()}
    for name, count in failed.items():
        paper.paragraph(
            _say("page_failed", language, way=_say(f"way_{name}", language), count=count), tone="bad"
        )
    if folder:
        paper.blank()
        paper.paragraph(_say("page_folder", language, folder=folder))
        paper.paragraph(pictures_sentence(found, language))
    return paper.text()


def _say(name: str, language: str, /, **fields: object) -> str:
    return messages.text(f"risk.{name}", language, **fields)


def _targets(paper: Paper, found: Analysis, language: str) -> None:
    """How likely each target is, kept and reacting."""
    frame = found.frames["targets"]
    if frame.empty or not (frame["kind"] == "target").any():
        return
    paper.heading(_say("head_targets", language))
    names = ("target", "asked", "kept", "reacting", "p10", "p50", "p90")
    columns = [Column(_say(f"col_{name}", language), number=name != "target") for name in names]
    targets = frame[frame["kind"] == "target"]
    kept, reacting = (targets[targets["way"] == way].set_index("name") for way in ("kept", "reacting"))
    rows: list[list[str]] = []
    tones: list[Tone] = []
    for name, row in list(kept.iterrows())[:MOST_TARGETS]:
        unit = str(row["unit"])
        asked = row["at_least"] if not np.isnan(row["at_least"]) else row["at_most"]
        rows.append([
            str(name), figure(float(asked), unit, language), percent(row["probability"], language, 0),
            _probability(reacting, str(name), language),
            *(figure(float(row[level]), unit, language) for level in ("p10", "p50", "p90")),
        ])  # fmt: skip
        likely = float(row["probability"])
        tones.append("bad" if likely < UNLIKELY else "good" if likely >= LIKELY else "plain")
    paper.table(columns, rows, tones)
    if len(kept) > MOST_TARGETS:
        paper.paragraph(_say("page_more", language, count=len(kept) - MOST_TARGETS), indent=2)


def _probability(frame: pd.DataFrame, name: str, language: str) -> str:
    return percent(float(frame.loc[name, "probability"]), language, 0) if name in frame.index else UNKNOWN


def _ranges(paper: Paper, found: Analysis, language: str) -> None:
    """Money and revenue: range, and the worst part."""
    frame = found.frames["figures"]
    paper.heading(_say("head_ranges", language, currency=found.currency))
    names = ("figure", "mean", "p10", "p50", "p90", "var", "cvar")
    worst = percent(found.risk.spec.worst, language, 0)
    columns = [Column(_say(f"col_{name}", language, worst=worst), number=name != "figure") for name in names]
    rows = []
    for row in frame[frame["figure"].isin(HEADLINE)].to_dict("records"):
        name = _figure_word(found, str(row["figure"]), language)
        way = _say(f"way_{row['way']}", language)
        values = [row[key] for key in ("mean", "p10", "p50", "p90", "value_at_risk", "worst_mean")]
        rows.append(
            [f"{way}, {name}", *(figure(float(value), str(row["unit"]), language) for value in values)]
        )
    paper.table(columns, rows)


def _tornado(paper: Paper, found: Analysis, language: str) -> None:
    """Money when one thing turns out low … high, the widest first; what moves no money is a sentence."""
    frame = found.frames["tornado"]
    paper.heading(_say("head_tornado", language, currency=found.currency))
    ways = [way for way in ("kept", "reacting", "replanned") if f"{way}_low" in frame.columns]
    columns = [Column(_say("col_thing", language))]
    columns += [Column(_say(f"way_{way}", language), number=True) for way in ways]
    rows, names, still = [], [], []
    for row in frame.to_dict("records"):
        changes = [[row[f"{way}_{end}"] - row[f"{way}_planned"] for end in ("low", "high")] for way in ways]
        if max(abs(one) for pair in changes for one in pair) < 1.0:
            still.append(row)
            continue
        cells = [" … ".join(_change(one, language) for one in pair) for pair in changes]
        rows.append([_bar(row), *cells])
        names.append(str(row["name"]))
    if paper.too_wide(columns, rows[:MOST_BARS]):
        # The ends are in the table on disk; a name that is cut is read nowhere.
        rows = [[name, *cells[1:]] for name, cells in zip(names, rows, strict=True)]
    paper.table(columns, rows[:MOST_BARS])
    for row in still:
        moves = str(row["moves"]) or UNKNOWN
        paper.paragraph(_say("bar_still", language, name=_bar(row), moves=moves), indent=2, mark="· ")


def _bar(row: Mapping[Any, Any]) -> str:
    """A bar's name and its ends; an event has none."""
    ends = (str(row["low"]), str(row["high"]))
    return str(row["name"]) if ends == ("-", "+") else f"{row['name']} ({ends[0]} … {ends[1]})"


def _change(value: float, language: str) -> str:
    shown = 0.0 if abs(value) < 1.0 else value
    return signed(amount(shown, language), shown)


def _frontier(paper: Paper, found: Analysis, language: str) -> None:
    """Mean against the worst part, on fresh futures, and what knowing and planning are worth."""
    if "frontier" not in found.frames:
        return
    frame, worst = found.frames["frontier"], percent(found.risk.spec.worst, language, 0)
    paper.heading(_say("head_frontier", language, currency=found.currency))
    columns = [Column(_say("col_decision", language))]
    columns += [
        Column(_say(f"col_{name}", language, worst=worst), number=True) for name in ("mean", "cvar", "gap")
    ]
    rows = []
    for row in frame.to_dict("records"):
        gap = percent(row["gap"], language, 2)
        cells = [amount(row["mean"], language), amount(row["worst_mean"], language), gap]
        rows.append([_decision_word(row, language), *cells])
    paper.table(columns, rows)
    reduced = reduced_sentence(found, language)
    if reduced:
        paper.paragraph(reduced, indent=2)
    known = found.findings
    planning = float(known["worth_of_planning"])
    words = _say("worth_endless", language) if np.isinf(planning) else amount(planning, language)
    paper.paragraph(
        _say(
            "worth", language, knowing=amount(float(known["worth_of_knowing"]), language), planning=words,
            gap=amount(float(known["gap_on_fresh_futures"]["upper"]), language),
        ),
        indent=2,
    )  # fmt: skip
    within = float(known["worth_within"])
    if min(planning, float(known["worth_of_knowing"])) < within:
        paper.paragraph(_say("worth_within", language, within=amount(within, language)), indent=2)


def _decision_word(row: Mapping[Any, Any], language: str) -> str:
    """A decision in words: as planned, with a weight on the worst part, or reaching targets."""
    if not np.isnan(row["weight"]):
        return _say("decision_weight", language, weight=percent(row["weight"], language, 0))
    if row["decision"] == "planned":
        return _say("decision_planned", language)
    return messages.text("decide.decision", language)


def _break_evens(paper: Paper, found: Analysis, language: str) -> None:
    frame = found.frames.get("break_even")
    if frame is None:
        return
    paper.heading(_say("head_break_even", language))
    for row in frame.to_dict("records"):
        kind = (
            "always" if row["always"] else "never" if row["value"] is None or np.isnan(row["value"]) else "at"
        )
        value = UNKNOWN if kind == "never" else amount(float(row["value"]), language)
        text = _say(f"break_even_{kind}", language, target=row["target"], what=row["what"], value=value)
        paper.paragraph(text, indent=2, mark="· ")


def _figure_word(found: Analysis, name: str, language: str) -> str:
    if name != MONEY:
        return metric_word(name, language)
    knows = found.solution.sellers.markets.knows_margin
    return metric_word("contribution" if knows else "revenue", language)


def _drivers(paper: Paper, found: Analysis, language: str) -> None:
    """What moves money and the least likely targets, of the plan that is kept."""
    frame = found.frames["drivers"]
    frame = frame[frame["way"] == "kept"]
    if frame.empty:
        return
    paper.heading(_say("head_drivers", language))
    for name, part in frame.groupby("figure", sort=False):
        listed = [
            f"{one['driver']} {percent(one['share'], language, 0)}"
            for one in part.to_dict("records")[:MOST_DRIVERS]
            if one["share"] >= 0.01
        ]
        moved = ", ".join(listed) or UNKNOWN
        paper.paragraph(f"{_figure_word(found, str(name), language)}: {moved}", indent=2, mark="· ")
