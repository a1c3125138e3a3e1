"""Two runs compared: what changed in the inputs, what in the answer, and which change explains how much.

With f the figure of a plan, A and B the two plans and A+c the first one with one change c of the second:

    alone[c] = f(A+c) - f(A),   together = f(B) - f(A),   remainder = together - sum_c alone[c]

The remainder is what changes do to each other. Units: those of the figure.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from optimizer.errors import InputError, LimitReachedError, Place
from optimizer.io.write import replace_folder, write_json, write_table
from optimizer.plan.load import Content, plan_of, read_tables, validated
from scenarios.applied import Applied
from scenarios.base import Base, load_base
from scenarios.changes import ChangedPlan
from scenarios.explaining import plan_of_run
from scenarios.files import Scenario
from scenarios.keydiff import KeyPiece, entry_names, key_pieces
from scenarios.record import Record
from scenarios.sweep import base_record
from scenarios.tablepieces import TablePiece, table_pieces
from scenarios.worker import SweepSettings, Task, Worker, solve_base

FIGURES = ("revenue", "contribution")
"""Figures that are explained."""
MARKER = "diff.json"
TOGETHER, REMAINDER = "together", "remainder"


@dataclass(frozen=True)
class Explained:
    """What one change does alone: figure -> change of it; a change that cannot be alone has a reason."""

    name: str
    changes: tuple[Applied, ...]
    alone: dict[str, float]
    targets_met: int | None = None
    """How many more targets are met."""
    reason: str = ""


@dataclass(frozen=True)
class RunDiff:
    """Two runs: their records, and every change of the inputs with what it explains."""

    first: Record
    second: Record
    currency: str
    language: str
    explained: tuple[Explained, ...]

    def together(self, figure: str) -> float | None:
        """f(B) - f(A); None where one of the two has no plan."""
        return _less(self.second.kpis.get(figure), self.first.kpis.get(figure))

    def remainder(self, figure: str) -> float | None:
        """What the changes do to each other; None where a change cannot be alone, too."""
        whole = self.together(figure)
        parts = [one.alone.get(figure) for one in self.explained]
        if whole is None or any(part is None for part in parts):
            return None
        return whole - sum(part for part in parts if part is not None)


def diff_runs(
    first: Path,
    second: Path,
    interrupt: threading.Event | None = None,
    progress: Callable[[int, int, float], None] | None = None,
) -> RunDiff:
    """Compare two run folders (or plans); both are solved again as they were, and once for each change.

    Raises `InputError` where one of them cannot be read, and `LimitReachedError` when `interrupt` was set.
    """
    bases = [_base_of(run) for run in (first, second)]
    settings = _settings_of(first)
    pieces = _pieces(*bases)
    pack, solution = solve_base(bases[0], settings, str(first))
    worker = Worker(pack)
    start = base_record(solution, str(first))
    end = _solved(worker, second.name or "B", lambda: ChangedPlan(bases[1].plan))
    found = []
    for done, piece in enumerate(pieces):
        if interrupt is not None and interrupt.is_set():
            raise LimitReachedError("diff.interrupted", done=done, total=len(pieces))
        found.append(_explained(worker, piece, bases[0], start))
        if progress is not None:
            progress(done + 1, len(pieces), 0.0)
    spec = bases[0].plan.spec
    return RunDiff(start, end, spec.currency, spec.language, tuple(found))


def _base_of(run: Path) -> Base:
    file, _ = plan_of_run(run)
    if not file.is_file():
        raise InputError("diff.no_run", Place(file=str(run)))
    return load_base(file)


def _settings_of(run: Path) -> SweepSettings:
    _, kept = plan_of_run(run)
    return SweepSettings(kept.time_limit, kept.gap, kept.threads, kept.seed, kept=False)


def _pieces(first: Base, second: Base) -> list[KeyPiece | TablePiece]:
    specs = (first.plan.spec, second.plan.spec)
    keys = [piece for piece in key_pieces(first.content, second.content, specs) if piece.key != "tables"]
    tables = table_pieces(first.content.tables, second.content.tables, first.plan.calendar)
    return [*keys, *tables]


def _solved(worker: Worker, name: str, change: Callable[[], ChangedPlan]) -> Record:
    return worker.measured(Task(Scenario(name, ""), name), change).record


def _explained(worker: Worker, piece: KeyPiece | TablePiece, base: Base, start: Record) -> Explained:
    record = _solved(worker, piece.name, lambda: ChangedPlan(plan_of(_changed(piece, base))))
    applied = piece.applied() if isinstance(piece, KeyPiece) else piece.applied
    if not record.has_plan:
        return Explained(piece.name, applied, {}, reason=record.reason or record.status)
    alone = {
        name: value - start.kpis[name]
        for name, value in record.kpis.items()
        if name in start.kpis and name in FIGURES
    }
    return Explained(piece.name, applied, alone, targets_met(record) - targets_met(start))


def _changed(piece: KeyPiece | TablePiece, base: Base) -> Content:
    """The first plan with one change of the second."""
    content = base.content
    if isinstance(piece, TablePiece):
        tables = {name: table for name, table in content.tables.items() if name != piece.table}
        data: dict[str, Any] = dict(content.data)
        if piece.new is None:
            data["tables"] = {name: file for name, file in data["tables"].items() if name != piece.table}
        else:
            tables[piece.table] = piece.new
            data["tables"] = {**data["tables"], piece.table: data["tables"].get(piece.table, piece.new.file)}
        return content.replace(tables=tables, data=data)
    data = piece.put_in(content.data, entry_names(base.plan.spec))
    if piece.key != "calendar":
        return content.replace(data=data)
    spec = validated(data, content.source)
    return content.replace(data=data, tables=read_tables(spec, content.folder, content.source))


def targets_met(record: Record) -> int:
    """How many members of targets are met."""
    return sum(
        1 for one in record.targets if one["kind"] == "target" and one["status"] not in ("short", "over")
    )


def _less(value: float | None, other: float | None) -> float | None:
    return None if value is None or other is None else value - other


def diff_tables(found: RunDiff) -> dict[str, pd.DataFrame]:
    """inputs, figures, targets, parts and explained as tables, the second run against the first."""
    from scenarios.applied import changes_frame
    from scenarios.league import part_rows, target_rows

    inputs = [
        replace(one, place=explained.name) for explained in found.explained for one in explained.changes
    ]
    before = {(scope, member, metric): value for scope, member, metric, value in found.first.parts}
    names = dict.fromkeys([*found.first.kpis, *found.second.kpis])
    figures = [
        {
            "figure": name, "first": found.first.kpis.get(name), "second": found.second.kpis.get(name),
            "change": _less(found.second.kpis.get(name), found.first.kpis.get(name)),
        }
        for name in names
    ]  # fmt: skip
    return {
        "inputs": changes_frame(inputs).rename(columns={"place": "change"}),
        "figures": pd.DataFrame(figures, columns=["figure", "first", "second", "change"]),
        "targets": pd.DataFrame(target_rows(found.second, found.first)).drop(
            columns="scenario", errors="ignore"
        ),
        "parts": pd.DataFrame(part_rows(found.second, before)).drop(columns="scenario", errors="ignore"),
        "explained": explained_frame(found),
    }


def explained_frame(found: RunDiff) -> pd.DataFrame:
    """A row a change with what it does alone, then all together and the remainder."""
    known = [name for name in FIGURES if name in found.first.kpis]
    rows: list[dict[str, Any]] = [
        {"change": one.name, **{name: one.alone.get(name) for name in known},
         "targets_met": one.targets_met, "reason": one.reason}
        for one in found.explained
    ]  # fmt: skip
    met = targets_met(found.second) - targets_met(found.first) if found.second.has_plan else None
    rows.append(
        {
            "change": TOGETHER,
            **{name: found.together(name) for name in known},
            "targets_met": met,
            "reason": "",
        }
    )
    rows.append({"change": REMAINDER, **{name: found.remainder(name) for name in known}, "reason": ""})
    return pd.DataFrame(rows, columns=["change", *known, "targets_met", "reason"])


def save_diff(found: RunDiff, folder: Path) -> None:
    """Write the tables as CSV and Parquet and both records as diff.json; an earlier comparison is replaced.

    Raises `InputError` where the folder holds something else or cannot be written.
    """
    with replace_folder(folder, MARKER) as new:
        for name, table in diff_tables(found).items():
            write_table(table, new / f"{name}.csv")
            write_table(table, new / f"{name}.parquet")
        write_json({"first": found.first.as_json(), "second": found.second.as_json()}, new / MARKER)
