"""The page of a batch: how many rows ended how, plan by plan, and why some failed."""

from __future__ import annotations

from optimizer import messages
from optimizer.report.layout import Column, Paper, Tone
from scenarios.batch import Batch

MOST_ROWS = 40
"""Plans and failures on the page; batch.json has all."""


def batch_page(found: Batch, language: str, width: int = 100, colour: bool = False, folder: str = "") -> str:
    """The page of a finished batch."""
    paper = Paper(width, colour)
    rows = sum(found.statuses.values())
    paper.heading(_say("title", language, plans=len(found.runs), rows=rows))
    done = ", ".join(f"{_status(name, language)}: {count}" for name, count in sorted(found.statuses.items()))
    paper.paragraph(done or "-")
    paper.paragraph(_say("reused", language, count=found.reused))
    paper.blank()
    heads = [Column(_say("plan", language)), Column(_say("rows", language), number=True)]
    heads += [Column(_say(name, language), number=True) for name in ("with_plan", "without", "unchanged")]
    lines, tones = [], list[Tone]()
    for run in found.runs[:MOST_ROWS]:
        total = sum(run.statuses.values())
        good = sum(run.statuses.get(name, 0) for name in ("optimal", "feasible"))
        reused = 0 if run.sweep is None else run.sweep.reused
        lines.append([run.plan, str(total), str(good), str(total - good), str(reused)])
        tones.append("bad" if run.exit_code else "plain")
    paper.table(heads, lines, tones)
    if len(found.runs) > MOST_ROWS:
        paper.paragraph(f"+ {len(found.runs) - MOST_ROWS}", indent=2)
    _failures(paper, found, language)
    if folder:
        paper.blank()
        paper.paragraph(_say("folder", language, folder=folder))
    return paper.text()


def _say(name: str, language: str, /, **fields: object) -> str:
    return messages.text(f"batch.{name}", language, **fields)


def _status(name: str, language: str) -> str:
    return messages.text(f"scenarios.status_{name}", language)


def _failures(paper: Paper, found: Batch, language: str) -> None:
    rows = list(found.failures())
    if not rows:
        return
    paper.heading(_say("failures", language, count=len(rows)))
    for plan, scenario, status, reason in rows[:MOST_ROWS]:
        name = " · ".join(part for part in (plan, scenario) if part)
        words = _status(status, language)
        paper.paragraph(f"{name}: {words}: {reason}", indent=2, tone="bad")
    if len(rows) > MOST_ROWS:
        paper.paragraph(f"+ {len(rows) - MOST_ROWS}", indent=2)
