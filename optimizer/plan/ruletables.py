"""Rules and bounds that stand in tables: `targets: targets.csv` and `at_least: {file: quarters.csv}`."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from optimizer.errors import InputError, Place
from optimizer.io.cells import Cells
from optimizer.io.numbers import column_problem, parse_column
from optimizer.io.paths import resolve_inside
from optimizer.plan.cells import cells_of
from optimizer.plan.names import folded, nearest
from optimizer.plan.problems import explained
from optimizer.plan.schema import RuleSpec, TableSpec, ValueTable
from optimizer.plan.source import KeyPath, Source
from optimizer.plan.tables import ALL

_OPTIONS = ("file", "query", "sheet", "header_row", "columns", "encoding", "delimiter", "decimal")
_ROWS = [name for name in RuleSpec.model_fields if name not in ("where", "between")]


@dataclass
class RuleTables:
    """Reads the tables of rules of one plan folder, and remembers the files that it read."""

    folder: Path
    files: dict[str, Path] = field(default_factory=dict)
    """File as the plan names it -> where it is."""

    def cells(self, spec: TableSpec | ValueTable, place: Place) -> Cells:
        """The cells of one table; `place` is where the plan file names it."""
        options = spec if isinstance(spec, TableSpec) else TableSpec(file=spec.file, sheet=spec.sheet)
        self.files[spec.file] = resolve_inside(self.folder, spec.file, place)
        return cells_of(options, self.folder, place)

    def rules(self, spec: TableSpec, place: Place) -> list[tuple[dict[str, Any], Place]]:
        """One rule a row, as the plan file would write it, with its place.

        Columns named like the keys of a rule are these keys (several columns of `each` are joined by `,`),
        any other column is a key of `where`, in which `*` means all and a blank is an error.
        """
        cells = self.cells(spec, place)
        names = {header: _rule_key(spec.columns.get(header, header)) for header in cells.header}
        if "metric" not in names.values():
            where = Place(file=cells.file, sheet=cells.sheet)
            raise InputError("plan.column_missing", where, column="metric")
        return [
            (
                self._rule(cells, names, spec.columns, row),
                Place(file=cells.file, sheet=cells.sheet, row=int(number)),
            )
            for row, number in enumerate(cells.rows)
        ]

    def values(
        self, table: ValueTable, each: Sequence[str], place: Place
    ) -> list[tuple[tuple[str, ...], float, Place]]:
        """The bounds of a table: labels of the `each` columns, value and place of each row with a value."""
        cells = self.cells(table, place)
        columns = [_named_column(cells, name) for name in (*each, table.column)]
        for header in cells.header:
            if header not in columns:
                where = Place(file=cells.file, sheet=cells.sheet, column=header)
                known = ", ".join((*each, table.column))
                raise InputError("plan.unknown_column", where, table=table.file, nearest=known)
        numbers, unreadable = parse_column(cells.columns[columns[-1]])
        if unreadable:
            raise _number_error(cells, columns[-1], unreadable[0])
        found = []
        for row, value in enumerate(numbers.tolist()):
            labels = tuple(_label(cells, column, row) for column in columns[:-1])
            # A bound that is left blank is no bound.
            if not math.isnan(value):
                found.append((labels, value, _place(cells, columns[-1], row)))
        return found

    def _rule(
        self, cells: Cells, names: Mapping[str, str | None], renamed: Mapping[str, str], row: int
    ) -> dict[str, Any]:
        rule: dict[str, Any] = {}
        where: dict[str, Any] = {}
        for header, key in names.items():
            if key is None:
                label = _label(cells, header, row)
                if label != ALL:
                    where[renamed.get(header, header)] = label
                continue
            value = cells.columns[header][row]
            if value is None or (isinstance(value, str) and not value.strip()):
                continue
            rule[key] = [part.strip() for part in str(value).split(",")] if key == "each" else value
        return {**rule, "where": where} if where else rule


def expanded_rules(
    data: Mapping[str, Any], keys: Sequence[str], tables: RuleTables, source: Source
) -> tuple[dict[str, Any], dict[KeyPath, Place]]:
    """The plan file's data with every `targets: targets.csv` replaced by its rules, and their places."""
    expanded = dict(data)
    places: dict[KeyPath, Place] = {}
    for key in keys:
        options = {"file": data[key]} if isinstance(data.get(key), str) else data.get(key)
        if isinstance(options, dict) and "file" in options:
            rules = tables.rules(_options(options, key, source), source.place((key, "file"), options["file"]))
            expanded[key] = [rule for rule, _ in rules]
            places |= {(key, at): where for at, (_, where) in enumerate(rules)}
    return expanded, places


def _options(options: Mapping[str, Any], key: str, source: Source) -> TableSpec:
    """How to read a table of rules; raises `InputError` for an option that such a table does not have."""
    for name in options:
        if name not in _OPTIONS:
            entry, near = f"{key}.{name}", nearest(name, _OPTIONS)
            raise InputError("plan.unknown_key", source.place((key, name)), entry=entry, nearest=near)
    try:
        return TableSpec.model_validate(dict(options))
    except ValidationError as error:
        raise explained(error, source, (key,)) from None


def _rule_key(header: str) -> str | None:
    """The key of a rule that a column stands for, or None for a column of `where`."""
    return next((key for key in _ROWS if folded(key) == folded(header)), None)


def _named_column(cells: Cells, name: str) -> str:
    for header in cells.header:
        if folded(header) == folded(name):
            return header
    place = Place(file=cells.file, sheet=cells.sheet)
    raise InputError("plan.column_missing", place, column=name)


def _label(cells: Cells, column: str, row: int) -> str:
    value = cells.columns[column][row]
    text = "" if value is None else str(value).strip()
    if not text:
        raise InputError("plan.blank_key", _place(cells, column, row), column=column)
    return text


def _place(cells: Cells, column: str, row: int, value: object = None) -> Place:
    shown = None if value is None else str(value)
    return Place(file=cells.file, sheet=cells.sheet, row=int(cells.rows[row]), column=column, value=shown)


def _number_error(cells: Cells, column: str, row: int) -> InputError:
    cell = cells.columns[column][row]
    problem = column_problem(cell)
    return InputError(problem.key, _place(cells, column, row, cell), **problem.fields)
