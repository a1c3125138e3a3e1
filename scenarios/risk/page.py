"""The page of a risk analysis: words first, terms in brackets."""

from __future__ import annotations

import numpy as np
import pandas as pd

from optimizer import messages
from optimizer.report.layout import Column, Paper, Tone
from optimizer.report.numbers import UNKNOWN, percent
from optimizer.report.words import figure, metric_word
from scenarios.risk.analysis import Analysis
from scenarios.risk.measures import MONEY

MOST_TARGETS = 20
MOST_DRIVERS = 6
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
    paper.blank()
    paper.paragraph(_say("page_legend", language, worst=percent(spec.worst, language, 0)), tone="faint")
    failed = {name: int(one.failed.sum()) for name, one in found.simulations.items() if one.failed.any()}
    for name, count in failed.items():
        paper.paragraph(
            _say("page_failed", language, way=_say(f"way_{name}", language), count=count), tone="bad"
        )
    if folder:
        paper.blank()
        paper.paragraph(_say("page_folder", language, folder=folder))
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
            [f"{name}, {way}", *(figure(float(value), str(row["unit"]), language) for value in values)]
        )
    paper.table(columns, rows)


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
