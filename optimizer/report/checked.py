"""The page of `check`: what the plan consists of, and what was found before solving."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from optimizer import messages
from optimizer.checks.finding import Finding
from optimizer.errors import said
from optimizer.model.metrics import ACTIVITY_METRICS, OTHER_METRICS, RATIOS, SALES_METRICS, SEAT_METRICS
from optimizer.plan.plan import Plan
from optimizer.plan.scopes import (
    initiative_dimensions,
    market_dimensions,
    marketing_dimensions,
    seller_dimensions,
)
from optimizer.report.layout import Column, Paper, Tone
from optimizer.report.numbers import number
from optimizer.report.words import metric_word

LABELS_SHOWN = 8
SHAPE = (
    "markets",
    "sellers",
    "periods",
    "pairs",
    "seat_groups",
    "cells",
    "columns",
    "rows",
    "entries",
    "stages",
)
_TONES: dict[str, Tone] = {"error": "bad", "warning": "heading", "info": "plain"}


def check_page(
    plan: Plan,
    shape: Mapping[str, int],
    findings: Sequence[Finding],
    width: int = 100,
    colour: bool = False,
    with_metrics: bool = False,
    language: str | None = None,
) -> str:
    """The page as text; `shape` is empty where the plan cannot be compiled."""
    tongue = language or plan.spec.language
    paper = Paper(width, colour)
    paper.heading(plan.spec.name)
    _verdict(paper, findings, tongue)
    if findings:
        paper.heading(_say("findings", tongue))
        for finding in findings:
            mark = _say(f"level_{finding.level}", tongue) + "  "
            paper.paragraph(finding.text(tongue), indent=2, mark=mark, tone=_TONES[finding.level])
    if shape:
        paper.heading(_say("shape", tongue))
        sizes = [
            _say("size", tongue, what=_say(f"size_{name}", tongue), count=number(shape[name], tongue))
            for name in SHAPE
        ]
        paper.paragraph(" · ".join(sizes), indent=2)
    _labels(paper, plan, tongue)
    if with_metrics:
        _metrics(paper, plan, tongue)
    return paper.text()


def _say(name: str, language: str, /, **fields: object) -> str:
    return messages.text(f"report.check_{name}", language, **fields)


def _verdict(paper: Paper, findings: Sequence[Finding], language: str) -> None:
    errors = sum(finding.level == "error" for finding in findings)
    warnings = sum(finding.level == "warning" for finding in findings)
    if errors:
        paper.paragraph(_say("failed", language, errors=errors, warnings=warnings), tone="bad")
    elif warnings:
        paper.paragraph(_say("passed_with", language, warnings=warnings), tone="good")
    else:
        paper.paragraph(_say("passed", language), tone="good")


def _labels(paper: Paper, plan: Plan, language: str) -> None:
    """Each column that rules may name, with its first labels."""
    paper.heading(_say("labels", language))
    rows = []
    calendar = plan.calendar
    sides: list[tuple[str, Mapping[str, Sequence[str]]]] = [
        ("market", market_dimensions(plan.tables["markets"])),
        ("seller", seller_dimensions(plan.tables["sellers"]) if "sellers" in plan.tables else {}),
        ("marketing", marketing_dimensions(plan.tables["marketing"]) if "marketing" in plan.tables else {}),
        (
            "initiatives",
            initiative_dimensions(plan.tables["initiatives"]) if "initiatives" in plan.tables else {},
        ),
        ("time", {"period": calendar.period, "quarter": calendar.quarter, "year": calendar.year}),
    ]
    for side, columns in sides:
        for name, values in columns.items():
            labels = list(dict.fromkeys(values))
            shown = ", ".join(labels[:LABELS_SHOWN])
            if len(labels) > LABELS_SHOWN:
                shown += ", …"
            rows.append([name, _say(f"side_{side}", language), str(len(labels)), shown])
    columns_shown = [
        Column(_say("head_column", language)),
        Column(_say("head_side", language)),
        Column(_say("head_count", language), True),
        Column(_say("head_labels", language)),
    ]
    paper.table(columns_shown, rows)


def _metrics(paper: Paper, plan: Plan, language: str) -> None:
    """Every metric and ratio with its unit and definition; docs/metrics.md says the same at length."""
    paper.heading(_say("metrics", language))
    units = {name: unit for name, (unit, _) in (SALES_METRICS | ACTIVITY_METRICS).items()}
    units |= SEAT_METRICS | OTHER_METRICS
    units |= {name: unit for name, (_, _, unit) in RATIOS.items()}
    money = plan.spec.currency or messages.text("report.unit_currency", language)
    for name, unit in units.items():
        shown = money if unit == "currency" else messages.text(f"report.unit_{unit}", language)
        text = _say(
            "metric",
            language,
            word=metric_word(name, language),
            unit=shown,
            definition=_say(f"define_{name}", language),
        )
        paper.paragraph(text, indent=2, mark=f"{name:<16}  ")
    resources = plan.tables.get("resources")
    for name in [] if resources is None else dict.fromkeys(resources.text("resource")):
        paper.paragraph(_say("define_resource", language), indent=2, mark=f"{name:<16}  ")


def findings_data(findings: Sequence[Finding], size: Mapping[str, int], language: str) -> dict[str, Any]:
    """The same for a program: keys, sentences, fields and places."""
    places = ("file", "sheet", "row", "line", "column", "value")
    return {
        "ok": not any(finding.level == "error" for finding in findings),
        "shape": dict(size),
        "findings": [
            {
                "level": finding.level,
                "key": finding.key,
                "text": finding.text(language),
                "fields": said(finding.fields, language),
                "place": {name: getattr(finding.place, name) for name in places},
            }
            for finding in findings
        ],
    }
