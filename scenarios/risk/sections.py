"""Sections of the page of a risk analysis about plans: decisions, robustness, what to prepare."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from optimizer import messages
from optimizer.report.layout import Column, Paper
from optimizer.report.numbers import amount, number, percent
from optimizer.report.words import figure, metric_word
from scenarios.risk.analysis import Analysis

MOST_ROWS = 8
"""Protected rows that are shown, those that broke most often first."""
MOST_MOVES = 5
SHARES = ("bound", "broken", "broken_plain")


def reach_section(paper: Paper, found: Analysis, language: str) -> None:
    """How likely decisions make each target: asked, in the futures decided for, and on fresh ones."""
    frame = found.frames.get("reach")
    if frame is None:
        return

    def say(name: str, **fields: object) -> str:
        return messages.text(f"decide.{name}", language, **fields)

    rows = frame.to_dict("records")
    paper.heading(say("head"))
    names = ("target", "asked", "sample", "could", "does")
    if rows[0]["possible"]:
        columns = [Column(say(f"col_{name}"), number=name != "target") for name in names]
        cells = [[row["target"], *(percent(row[name], language, 0) for name in names[1:])] for row in rows]
        paper.table(columns, cells)
        ends = {name: percent(rows[0][f"could_{name}"], language, 0) for name in ("low", "high")}
        legend = say("legend", count=rows[0]["decided_for"], target=rows[0]["target"], **ends)
        paper.paragraph(legend, indent=2, tone="faint")
        return
    for row in (one for one in rows if one["most"] < one["asked"]):
        fields = {name: percent(row[name], language, 0) for name in ("asked", "most")}
        paper.paragraph(say("impossible", target=row["target"], **fields), indent=2, tone="bad")
    if all(row["most"] >= row["asked"] for row in rows):
        targets = ", ".join(row["target"] for row in rows)
        paper.paragraph(say("impossible_together", targets=targets), indent=2, tone="bad")


def reduced_sentence(found: Analysis, language: str) -> str:
    """For how many futures was decided in the place of how many; empty where for all of them."""
    kept, drawn = found.findings.get("reduced_to"), found.findings.get("decided_for")
    if kept == drawn:
        return ""
    distance = percent(float(found.findings["reduced_distance"]), language, 0)
    return messages.text("decide.reduced", language, kept=kept, drawn=drawn, distance=distance)


def quota_section(paper: Paper, found: Analysis, language: str) -> None:
    """Quotas as assigned and as decided for many futures: what is missed of them, and whose move most."""
    frame = found.frames.get("quotas_decided")
    if frame is None:
        return

    def say(name: str, **fields: object) -> str:
        return messages.text(f"decide.quota_{name}", language, **fields)

    paper.heading(say("head"))
    names = ("quota", "total", "missed", "missed_decided", "least", "least_decided")
    columns = [Column(say(f"col_{name}"), number=name != "quota") for name in names]
    rows, moves = [], []
    for name, part in frame.groupby("quota", sort=False):
        unit = str(part["unit"].iloc[0])
        sums = [float(part[column].sum()) for column in ("assigned", "missed_assigned", "missed_decided")]
        least = [float(part[column].min()) for column in ("reached_assigned", "reached_decided")]
        cells = [figure(one, unit, language) for one in sums] + [percent(one, language, 0) for one in least]
        rows.append([str(name), *cells])
        change = (part["decided"] - part["assigned"]).abs()
        most = part.loc[change[change > 1e-6 * sums[0]].nlargest(MOST_MOVES).index]
        if len(most):
            said = [
                say("move", seller=row["seller"], **{
                    end: figure(float(row[end]), unit, language) for end in ("assigned", "decided")
                })
                for row in most.to_dict("records")
            ]  # fmt: skip
            moves.append(say("moves", quota=name, moves=", ".join(said)))
    paper.table(columns, rows)
    for text in moves:
        paper.paragraph(text, indent=2, mark="· ")
    paper.paragraph(say("legend"), indent=2, tone="faint")


def robust_section(paper: Paper, found: Analysis, language: str) -> None:
    """What robustness costs, and the rows that broke most in fresh futures."""
    frame, spec = found.frames.get("robust"), found.risk.spec.robust
    if frame is None or spec is None:
        return

    def say(name: str, **fields: object) -> str:
        return messages.text(f"robust.{name}", language, **fields)

    paper.heading(say("head", budget=number(float(spec.budget), language, 1).removesuffix(".0")))
    plain, money = (float(found.findings[name]) for name in ("plain_money", "robust_money"))
    change = percent(money / plain - 1.0 if plain else None, language, 1, sign=True)
    amounts = {"plain": amount(plain, language), "robust": amount(money, language)}
    paper.paragraph(say("money", change=change, rows=len(frame), **amounts), indent=2)
    most = frame.sort_values(["broken", "broken_plain"], ascending=False, kind="stable").head(MOST_ROWS)
    names = ("row", "numbers", "bound", "broken", "plain")
    columns = [Column(say(f"col_{name}"), number=name != "row") for name in names]
    rows = [
        [row["row"], str(row["numbers"]), *(percent(row[name], language, 1) for name in SHARES)]
        for row in most.to_dict("records")
    ]
    paper.table(columns, rows)
    paper.paragraph(say("legend", count=spec.futures), indent=2, tone="faint")


def contingency_section(paper: Paper, found: Analysis, language: str) -> None:
    """What to prepare: how often the sign of each action is right, what acting on it is worth."""
    frame = found.frames.get("contingency")
    if frame is None or frame.empty:
        return

    def say(name: str, **fields: object) -> str:
        return messages.text(f"contingency.{name}", language, **fields)

    rows = frame.to_dict("records")
    paper.heading(say("head", currency=found.currency, period=rows[0]["visible_by"]))
    names = ("action", "hits", "alarms", "misses", "value", "prepare")
    columns = [Column(say(f"col_{name}"), number=name != "action") for name in names]
    cells = [
        [
            row["action"],
            *(percent(row[f"fresh_{name}"], language, 0) for name in ("hits", "false_alarms", "misses")),
            amount(row["fresh_value"], language), amount(row["prepare"], language),
        ]
        for row in rows
    ]  # fmt: skip
    paper.table(columns, cells)
    for row in rows:
        always = row["always"] >= row["fresh_value"] and row["always"] > row["prepare"]
        kind = "do_now" if always else "prepare" if row["worth_preparing"] else "leave"
        money = ("value_low", "value_high", "worth", "prepare")
        fields = {name.removeprefix("value_"): amount(row[name], language) for name in money}
        value = amount(row["always" if always else "fresh_value"], language)
        said = say(
            kind, action=row["action"], starts=row["starts"], rule=_rule(row, language), value=value, **fields
        )
        paper.paragraph(said, indent=2, mark="· ")
    best, way = rows[0], messages.text(f"risk.way_{rows[0]['way']}", language)
    foresight = amount(best["foresight"], language)
    legend = say("legend", way=way, count=best["futures"], foresight=foresight, action=best["action"])
    paper.paragraph(legend, indent=2, tone="faint")


def _rule(row: Mapping[Any, Any], language: str) -> str:
    """The rule in words: `revenue East to date is at most 1.2 M`, an event that has happened, always."""

    def say(name: str, **fields: object) -> str:
        return messages.text(f"contingency.sign_{name}", language, **fields)

    above = row["side"] == "at_least"
    if not np.isfinite(row["level"]):
        return say("always" if (row["level"] < 0.0) == above else "never")
    if row["sign_kind"] == "event":
        return say("event" if above else "no_event", sign=row["sign"])
    name = str(row["sign"])
    if row["sign_kind"] == "figure":
        metric, _, member = name.partition(": ")
        name = say("to_date", sign=f"{metric_word(metric, language)} {member}".strip())
    return say(row["side"], sign=name, level=figure(float(row["level"]), str(row["unit"]), language))
