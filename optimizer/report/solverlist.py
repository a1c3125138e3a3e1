"""The pages of `apportion solvers`: what is here, and what several solvers said of one plan."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from optimizer import messages
from optimizer.comparing import PlanComparison
from optimizer.exporting import Exported
from optimizer.report.layout import Column, Paper, Tone
from optimizer.report.numbers import number, percent
from solvers.compare import FAULTY, ComparisonRow
from solvers.registry import available, get, names

SHOWN = ("lp", "mip", "duals", "ranging", "bound", "warm_start", "update", "log_lines", "interruption")
"""Capabilities in the order of the columns."""


def solver_data() -> list[dict[str, Any]]:
    """Every solver by name: whether it can be used here, its version, and what it can do."""
    usable = set(available())
    found = []
    for name in names():
        adapter = get(name)
        version = adapter.version() if name in usable else ""
        found.append(
            {"solver": name, "available": name in usable, "version": version}
            | {"capabilities": asdict(adapter.capabilities)}
        )
    return found


def solvers_page(width: int = 100, colour: bool = False, language: str = "en") -> str:
    """What is installed, its version, and its capabilities."""
    paper = Paper(width, colour)
    paper.heading(_say("title", language))
    columns = [Column(_say("solver", language)), Column(_say("version", language))]
    columns += [Column(_say(f"able_{able}", language)) for able in SHOWN]
    rows = []
    for entry in solver_data():
        version = entry["version"] if entry["available"] else _say("absent", language)
        marks = [_say("yes" if entry["capabilities"][able] else "no", language) for able in SHOWN]
        rows.append([entry["solver"], version, *marks])
    paper.table(columns, rows)
    paper.paragraph(_say("hint", language), tone="faint")
    return paper.text()


def comparison_page(
    found: PlanComparison, width: int = 100, colour: bool = False, language: str = "en"
) -> str:
    """One table of answers with a verdict each, and a plain sentence over all."""
    paper = Paper(width, colour)
    paper.heading(_say("compared", language, plan=found.plan.spec.name, stage=found.stage))
    size = _say(
        "size",
        language,
        columns=number(found.program.num_columns, language),
        rows=number(found.program.num_rows, language),
    )
    paper.paragraph(size + (" " + _say("relaxed", language) if found.relaxed else ""))
    heads = (
        "solver",
        "reason",
        "objective",
        "bound",
        "gap",
        "seconds",
        "memory",
        "residual",
        "moved",
        "verdict",
    )
    columns = [
        Column(_say(head, language), number=head not in ("solver", "reason", "verdict")) for head in heads
    ]
    paper.table(columns, [_cells(row, language) for row in found.comparison.rows])
    paper.blank()
    paper.paragraph(verdict(found, language), tone=_tone(found))
    return paper.text()


def verdict(found: PlanComparison, language: str = "en") -> str:
    """How many agree, and what was judged of whom, in a few sentences."""
    comparison = found.comparison
    judged: dict[str, list[str]] = {}
    for row in comparison.rows:
        judged.setdefault(_verdict_word(row, language), []).append(row.solver)
    words = [_say("agree", language, agreeing=len(comparison.agree), count=len(comparison.rows))]
    for word, solvers in judged.items():
        words.append(
            _say("judged", language, verdict=word[:1].upper() + word[1:], solvers=", ".join(solvers))
        )
    return " ".join(words)


def comparison_data(found: PlanComparison) -> dict[str, Any]:
    """The comparison for a program: full numbers, seconds, bytes."""
    comparison = found.comparison
    rows = [asdict(row) | {"notes": list(row.notes)} for row in comparison.rows]
    return {
        "plan": found.plan.spec.name,
        "stage": found.stage,
        "relaxed": found.relaxed,
        "columns": found.program.num_columns,
        "rows": found.program.num_rows,
        "best": comparison.best,
        "agree": list(comparison.agree),
        "faulty": list(comparison.faulty),
        "verdict": verdict(found),
        "answers": rows,
    }


def export_sentence(done: Exported, file: str, language: str = "en") -> str:
    """What was written: stage and size."""
    sizes = {name: number(getattr(done, name), language) for name in ("columns", "rows", "entries")}
    return _say("exported", language, file=file, stage=done.stage, **sizes)


def _cells(row: ComparisonRow, language: str) -> list[str]:
    reason = _say(f"reason_{row.reason.value}", language)
    memory = "" if row.peak_memory is None else number(row.peak_memory / 2**20, language)
    return [
        row.solver,
        reason if row.limit is None else f"{reason} ({_say(f'limit_{row.limit.value}', language)})",
        "" if row.objective is None else f"{row.objective:.10g}",
        "" if row.bound is None else f"{row.bound:.10g}",
        "" if row.gap is None else f"{row.gap:.0e}",
        number(row.seconds, language, 2),
        memory,
        "" if row.worst_residual is None else f"{row.worst_residual:.0e}",
        "" if row.moved is None else percent(row.moved, language),
        _verdict_word(row, language),
    ]


def _verdict_word(row: ComparisonRow, language: str) -> str:
    precision = "" if row.precision is None else f"{row.precision:.0e}"
    return _say("verdict_" + row.verdict.value.replace(" ", "_"), language, precision=precision)


def _tone(found: PlanComparison) -> Tone:
    return "bad" if any(row.verdict in FAULTY for row in found.comparison.rows) else "plain"


def _say(name: str, language: str, /, **fields: object) -> str:
    return messages.text(f"solverlist.{name}", language, **fields)
