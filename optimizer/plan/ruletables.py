"""Rules and bounds that stand in tables: `targets: targets.csv` and `at_least: {file: quarters.csv}`."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from optimizer.errors import InputError, Place
from optimizer.io.cells import Cells, read_cells
from optimizer.io.numbers import column_problem, parse_column
from optimizer.io.paths import resolve_inside
from optimizer.plan.names import folded, nearest
from optimizer.plan.schema import RuleSpec, ValueTable
from optimizer.plan.source import KeyPath
from optimizer.plan.tables import ALL

_OPTIONS = ("file", "sheet", "header_row", "encoding", "delimiter", "decimal")
_ROWS = [name for name in RuleSpec.model_fields if name not in ("where", "between")]


@dataclass
class RuleTables:
    """Reads the tables of rules of one plan folder, and remembers the files that it read."""

    folder: Path
    files: dict[str, Path] = field(default_factory=dict)
    """File as the plan names it -> where it is."""

    def cells(self, options: Mapping[str, Any], place: Place) -> Cells:
        """The cells of one table; `options` are those of `TableSpec` that say how to read a file."""
        unknown = [name for name in options if name not in _OPTIONS]
        if unknown:
            near = nearest(unknown[0], _OPTIONS)
            raise InputError("plan.unknown_key", place, entry=unknown[0], nearest=near)
        name = str(options["file"])
        path = resolve_inside(self.folder, name, place)
        self.files[name] = path
        return read_cells(
            path,
            sheet=options.get("sheet"),
            header_row=int(options.get("header_row", 1)),
            encoding=options.get("encoding"),
            delimiter=options.get("delimiter"),
            decimal=options.get("decimal"),
            shown=name,
        )

    def rules(self, options: Mapping[str, Any], place: Place) -> list[tuple[dict[str, Any], Place]]:
        """One rule a row, as the plan file would write it, with its place.

        Columns named like the keys of a rule are these keys (several columns of `each` are joined by `,`),
        any other column is a key of `where`, in which `*` means all and a blank is an error.
        """
        cells = self.cells(options, place)
        names = {header: _rule_key(header) for header in cells.header}
        if "metric" not in names.values():
            where = Place(file=cells.file, sheet=cells.sheet)
            raise InputError("plan.column_missing", where, column="metric")
        return [
            (self._rule(cells, names, row), Place(file=cells.file, sheet=cells.sheet, row=int(number)))
            for row, number in enumerate(cells.rows)
        ]

    def values(
        self, table: ValueTable, each: Sequence[str], place: Place
    ) -> list[tuple[tuple[str, ...], float, Place]]:
        """The bounds of a table: labels of the `each` columns, value and place of each row with a value."""
        cells = self.cells(table.model_dump(include={"file", "sheet"}), place)
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

    def _rule(self, cells: Cells, names: Mapping[str, str | None], row: int) -> dict[str, Any]:
        rule: dict[str, Any] = {}
        where: dict[str, Any] = {}
        for header, key in names.items():
            if key is None:
                label = _label(cells, header, row)
                if label != ALL:
                    where[header] = label
                continue
            value = cells.columns[header][row]
            if value is None or (isinstance(value, str) and not value.strip()):
                continue
            rule[key] = [part.strip() for part in str(value).split(",")] if key == "each" else value
        return {**rule, "where": where} if where else rule


def expanded_rules(
    data: Mapping[str, Any], keys: Sequence[str], tables: RuleTables, place: Callable[[KeyPath], Place]
) -> tuple[dict[str, Any], dict[KeyPath, Place]]:
    """The plan file's data with every `targets: targets.csv` replaced by its rules, and their places."""
    expanded = dict(data)
    places: dict[KeyPath, Place] = {}
    for key in keys:
        options = data.get(key)
        if isinstance(options, str):
            options = {"file": options}
        if isinstance(options, dict) and "file" in options:
            rules = tables.rules(options, place((key,)))
            expanded[key] = [rule for rule, _ in rules]
            places |= {(key, at): where for at, (_, where) in enumerate(rules)}
    return expanded, places


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
