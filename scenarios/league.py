"""The tables of a sweep, written some fifty scenarios at a time: memory does not grow with them."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from optimizer.io.write import csv_text, replace_file
from scenarios.applied import COLUMNS as CHANGE_COLUMNS
from scenarios.kept import WAYS
from scenarios.record import KPIS, Record, money_of

CHUNK = 50
"""Scenarios that are in memory at a time."""
GROUP_CELLS, GROUP_CHUNKS = 100_000, 4
"""Cells or chunks with which a row group of Parquet is full; each leaves its description in memory."""

HEAD = (
    "scenario", "category", "probability", "status", "reason", "objective", "objective_change", "money",
    "money_change", "targets_asked", "targets_met", "rules_missed", "worth", "worth_change",
    *(f"{way}{figure}" for way in WAYS for figure in ("", "_targets_met", "_rules_missed", "_gave_way")),
    "value_of_reacting", "regret", "cells_changed", "gap", "start", "file", "digest",
)  # fmt: skip
"""Columns of the league table before the figures of the company."""
TEXTS = ("scenario", "category", "status", "reason", "start", "file", "digest")
TARGETS = (
    "scenario", "rule", "kind", "member", "metric", "unit", "at_least", "at_most", "value", "base", "change",
    "shortfall", "status", "base_status",
)  # fmt: skip
PARTS = ("scenario", "scope", "member", "metric", "value", "base", "change")


def league_row(record: Record, base: Record, kpis: Sequence[str]) -> dict[str, Any]:
    """One scenario as a row of the league table.

    `worth`, `kept` and `reacting` are one measure (`kept.worth_of`): value_of_reacting = reacting - kept;
    regret = worth - kept, what keeping the base plan loses against the plan that knew. It is negative only
    where keeping the base plan misses targets for which the plan that knew gives money.
    """
    money, base_money = money_of(record.kpis), money_of(base.kpis)
    kept, reacting = (record.kept.get(way, {}).get("worth") for way in WAYS)
    asked = [row for row in record.targets if row["kind"] == "target"]
    missed = [row for row in record.targets if row["status"] in ("short", "over")]
    row: dict[str, Any] = {
        "scenario": record.name, "category": record.category or "", "probability": record.probability,
        "status": record.status, "reason": record.reason, "objective": record.objective,
        "objective_change": _less(record.objective, base.objective), "money": money,
        "money_change": _less(money, base_money), "targets_asked": len(asked),
        "targets_met": sum(1 for one in asked if one["status"] not in ("short", "over")),
        "rules_missed": len(missed), "worth": record.worth, "worth_change": _less(record.worth, base.worth),
        "value_of_reacting": _less(reacting, kept), "regret": _less(record.worth, kept),
        "cells_changed": record.cells_changed, "gap": record.gap, "start": record.start, "file": record.file,
        "digest": record.digest,
    }  # fmt: skip
    for way in WAYS:
        found = record.kept.get(way, {})
        row[way] = found.get("worth")
        for name in ("targets_met", "rules_missed", "gave_way"):
            row[f"{way}_{name}"] = found.get(name)
    for name in kpis:
        row[name] = record.kpis.get(name)
        row[f"{name}_change"] = _less(record.kpis.get(name), base.kpis.get(name))
    return row | {"point": ", ".join(f"{name}={value}" for name, value in record.point)}


def target_rows(record: Record, base: Record) -> list[dict[str, Any]]:
    """Every member of every rule beside the base plan's."""
    before = {(row["rule"], row["member"]): row for row in base.targets}
    rows = []
    for row in record.targets:
        old = before.get((row["rule"], row["member"]), {})
        rows.append({
            **row, "scenario": record.name, "base": old.get("value"),
            "change": _less(row["value"], old.get("value")), "base_status": old.get("status", ""),
        })  # fmt: skip
    return rows


def part_rows(record: Record, base: Mapping[tuple[str, str, str], float]) -> list[dict[str, Any]]:
    """Revenue and contribution of every part beside the base plan's."""
    rows = []
    for scope, member, metric, value in record.parts:
        old = base.get((scope, member, metric), 0.0)
        rows.append({
            "scenario": record.name, "scope": scope, "member": member, "metric": metric, "value": value,
            "base": old, "change": value - old,
        })  # fmt: skip
    return rows


def _less(value: float | None, other: float | None) -> float | None:
    return None if value is None or other is None else value - other


class TableFile:
    """A table written piece by piece as Parquet and CSV; both appear whole when the block ends well."""

    def __init__(self, parquet: Path, text: IO[str], columns: Sequence[str], texts: Sequence[str]) -> None:
        self._parquet, self._text = parquet, text
        self._columns, self._texts = list(columns), set(texts)
        self._writer: pq.ParquetWriter | None = None
        self._waiting: list[pd.DataFrame] = []

    def add(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Rows below those that are there."""
        rows = list(rows)
        columns = {name: [row.get(name) for row in rows] for name in self._columns}
        self.add_frame(pd.DataFrame(columns, columns=self._columns))

    def add_frame(self, frame: pd.DataFrame) -> None:
        """Rows of a frame below those that are there."""
        for name in self._columns:
            if name in self._texts:
                frame[name] = frame[name].fillna("").astype(str)
            else:
                frame[name] = frame[name].astype(np.float64)
        text = csv_text(frame)
        if self._writer is None:
            self._writer = pq.ParquetWriter(self._parquet, self._schema())
            self._text.write("\ufeff" + text)
        elif len(frame):
            self._text.write(text.partition("\n")[2])
        self._waiting.append(frame)
        cells = sum(waiting.size for waiting in self._waiting)
        if cells >= GROUP_CELLS or len(self._waiting) == GROUP_CHUNKS:
            self._write_group(self._writer)

    def close(self) -> None:
        """Finish the Parquet file; a table without rows has its columns all the same."""
        if self._writer is None:
            self.add([])
        if self._writer is not None:
            self._write_group(self._writer)
            self._writer.close()

    def _schema(self) -> pa.Schema:
        return pa.schema(
            [(name, pa.string() if name in self._texts else pa.float64()) for name in self._columns]
        )

    def _write_group(self, writer: pq.ParquetWriter) -> None:
        if self._waiting:
            rows = pd.concat(self._waiting, ignore_index=True)
            writer.write_table(pa.Table.from_pandas(rows, schema=self._schema(), preserve_index=False))
            self._waiting.clear()


@contextlib.contextmanager
def table_file(folder: Path, name: str, columns: Sequence[str], texts: Sequence[str]) -> Iterator[TableFile]:
    """Write `name`.parquet and `name`.csv of a folder."""
    with (
        replace_file(folder / f"{name}.parquet") as parquet,
        replace_file(folder / f"{name}.csv") as csv,
        csv.open("w", encoding="utf-8", newline="") as text,
    ):
        table = TableFile(parquet, text, columns, texts)
        yield table
        table.close()


def write_tables(folder: Path, records: Iterable[tuple[Record, pd.DataFrame]], base: Record) -> None:
    """league, targets, parts and changes of a sweep: the base plan, then the scenarios in their order."""
    kpis = list(base.kpis) or list(KPIS)
    before = {(scope, member, metric): value for scope, member, metric, value in base.parts}
    figures = [column for name in kpis for column in (name, f"{name}_change")]
    with (
        table_file(folder, "league", [*HEAD, *figures, "point"], [*TEXTS, "point"]) as league,
        table_file(folder, "targets", TARGETS, [name for name in TARGETS if name not in _NUMBERS]) as targets,
        table_file(folder, "parts", PARTS, PARTS[:4]) as parts,
        table_file(
            folder, "changes", ("scenario", *CHANGE_COLUMNS), ("scenario", *CHANGE_COLUMNS)
        ) as changes,
    ):
        for chunk in _chunks(records):
            league.add(league_row(record, base, kpis) for record, _ in chunk)
            targets.add(row for record, _ in chunk for row in target_rows(record, base))
            parts.add(row for record, _ in chunk for row in part_rows(record, before))
            frames = [frame.assign(scenario=record.name) for record, frame in chunk if len(frame)]
            if frames:
                changes.add_frame(pd.concat(frames)[["scenario", *CHANGE_COLUMNS]])


def written_rows(folder: Path, columns: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Columns of a league table on disk, a scenario at a time in their order, without the base."""
    batches = pq.ParquetFile(folder / "league.parquet").iter_batches(columns=list(columns))
    rows = itertools.chain.from_iterable(batch.to_pylist() for batch in batches)
    # The base plan is the first one.
    yield from itertools.islice(rows, 1, None)


_NUMBERS = ("at_least", "at_most", "value", "base", "change", "shortfall")


def _chunks(
    records: Iterable[tuple[Record, pd.DataFrame]],
) -> Iterator[list[tuple[Record, pd.DataFrame]]]:
    chunk = []
    for entry in records:
        chunk.append(entry)
        if len(chunk) == CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
