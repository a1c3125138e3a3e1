"""Tables in: the cells of a CSV, XLSX, Parquet or SQLite file as they are written, with their row numbers.

Nothing is interpreted here but the container: texts stay texts (`00123`, `NO`, `12:30`), numbers and dates of
spreadsheets stay native, outer white space goes. `Cells.labels` and `Cells.numbers` read a column.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, time
from decimal import Decimal
from functools import cached_property
from hashlib import sha256
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from optimizer.errors import InputError, Place
from optimizer.io.formulas import unprotect
from optimizer.io.numbers import FloatArray, column_problem, decimal_signs, parse_column
from optimizer.io.paths import file_digest, read_bytes, resolve_inside

__all__ = ["Cells", "Grid", "column_letters", "file_digest", "label_text", "read_cells", "resolve_inside"]

_TEXT_SUFFIXES = (".csv", ".tsv", ".txt")
_WORKBOOK_SUFFIXES = (".xlsx", ".xlsm")
_PARQUET_SUFFIXES = (".parquet", ".pq")
_ERRORS = frozenset(
    (
        *("#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NUM!", "#NULL!", "#SPILL!", "#CALC!"),
        *("#Н/Д", "#ССЫЛКА!", "#ЗНАЧ!", "#ДЕЛ/0!", "#ИМЯ?", "#ЧИСЛО!", "#ПУСТО!"),
    )
)
"""What spreadsheets show in place of a value that could not be computed."""


@dataclass(frozen=True)
class Grid:
    """What a reader of one container gives: the header cells, the rows below it, and their row numbers.

    `spreadsheet` says that texts may be protected from being run as formulas.
    """

    header: list[object]
    body: list[Sequence[object]]
    rows: list[int]
    header_row: int = 1
    spreadsheet: bool = True


@dataclass(frozen=True)
class Cells:
    """The cells of one table.

    `columns` holds one list a column: str, or native int, float, bool, date, time; a blank is "" in CSV and
    None elsewhere. `rows` are row numbers as a spreadsheet shows them (records of a Parquet file), counted
    from 1. `digest` is the SHA-256 of the bytes that were read.
    """

    header: list[str]
    columns: dict[str, list[object]]
    rows: NDArray[np.int64]
    file: str
    sheet: str | None = None
    encoding: str | None = None
    delimiter: str | None = None
    decimal: str | None = None
    digest: str = field(default="", repr=False)

    def __len__(self) -> int:
        return len(self.rows)

    @cached_property
    def comma_likely(self) -> bool:
        """Whether the file speaks for a decimal comma: some number has one, or it is delimited by `;`.

        A number that can only have a decimal point outweighs the delimiter, not another number.
        """
        texts = [cell for column in self.columns.values() for cell in column if isinstance(cell, str)]
        comma, point = decimal_signs(texts)
        return comma or (self.delimiter == ";" and not point)

    def labels(self, column: str) -> list[str]:
        """A column as text (rows,): as written, `7.0` of a spreadsheet as "7", blanks as ""."""
        return [cell if isinstance(cell, str) else label_text(cell) for cell in self.columns[column]]

    def numbers(self, column: str) -> tuple[FloatArray, list[int]]:
        """A column as float64 (rows,) with NaN for blanks, and the positions that cannot be read."""
        return parse_column(self.columns[column], self.decimal, comma_likely=self.comma_likely)

    def number_error(self, column: str, position: int) -> InputError:
        """The error for a position that `numbers` could not read."""
        problem = column_problem(self.columns[column][position], self.decimal)
        return InputError(problem.key, self.place(position, column), **problem.fields)

    def place(self, position: int, column: str | None = None) -> Place:
        """Where the entry `position` (counted from 0) stands in the file, with its value."""
        value = None if column is None else label_text(self.columns[column][position])
        return Place(
            file=self.file, sheet=self.sheet, row=int(self.rows[position]), column=column, value=value
        )


def read_cells(
    path: Path,
    *,
    sheet: str | None = None,
    header_row: int = 1,
    encoding: str | None = None,
    delimiter: str | None = None,
    decimal: str | None = None,
    query: str | None = None,
    shown: str | None = None,
    place: Place | None = None,
) -> Cells:
    """Read a table; encoding and delimiter of a CSV are told from its content unless they are given.

    `query` is for databases. `shown` is how messages name the file, and `place` where the plan names it.
    Raises `InputError` with the place for a missing or damaged file, an unclear encoding, delimiter or sheet,
    ragged rows, bad headers, and cells that hold the error of a formula.
    """
    name = shown or path.name
    raw = read_bytes(path, name, place)
    kind = _kind(raw, path, name)
    if query is not None and kind != "database":
        raise InputError("io.query_without_database", Place(file=name))
    used_encoding = used_delimiter = used_sheet = None
    if kind == "workbook":
        from optimizer.io.workbook import read_workbook

        grid, used_sheet = read_workbook(raw, name, sheet, header_row)
    elif kind == "text":
        from optimizer.io.csv_text import read_csv

        grid, used_encoding, used_delimiter = read_csv(raw, name, header_row, encoding, delimiter)
    else:
        grid = _records(kind, raw, path, name, query)
    header, columns = _checked_columns(grid, Place(file=name, sheet=used_sheet))
    return Cells(
        header, columns, np.array(grid.rows, dtype=np.int64), name, used_sheet, used_encoding, used_delimiter,
        decimal, sha256(raw).hexdigest(),
    )  # fmt: skip


def _records(kind: str, raw: bytes, path: Path, name: str, query: str | None) -> Grid:
    """The records of a container that has column names of its own."""
    if kind == "parquet":
        from optimizer.io.parquet import read_parquet

        return read_parquet(raw, name)
    from optimizer.io.database import read_database

    return read_database(path, name, query)


def label_text(cell: object) -> str:
    """A cell as the text of a label: 7.0 is "7", 12:30 is "12:30", a date is "2027-01-31", a blank is ""."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, (float, Decimal)):
        whole = math.isfinite(cell) and abs(float(cell)) < 1e15 and cell == int(cell)
        return str(int(cell)) if whole else str(cell)
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == time() else cell.isoformat(" ")
    if isinstance(cell, time) and cell.second == 0 and cell.microsecond == 0:
        return cell.isoformat("minutes")
    return str(cell).strip()


def column_letters(position: int) -> str:
    """The letters of a spreadsheet's column, counted from 0: 0 is A, 27 is AB."""
    letters = ""
    position += 1
    while position:
        position, rest = divmod(position - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def _kind(raw: bytes, path: Path, name: str) -> str:
    """What a file is, by its first bytes and then by its name."""
    place = Place(file=name)
    suffix = path.suffix.lower()
    if not raw.strip():
        raise InputError("io.table_empty", place)
    if raw.startswith(b"PK\x03\x04"):
        return "workbook"
    if raw.startswith(b"PAR1"):
        return "parquet"
    if raw.startswith(b"SQLite format 3\0"):
        return "database"
    if raw.startswith(b"\xd0\xcf\x11\xe0"):
        raise InputError("io.old_workbook", place)
    if suffix in (*_WORKBOOK_SUFFIXES, *_PARQUET_SUFFIXES):
        raise InputError("io.damaged", place, kind=suffix.lstrip(".").upper())
    if suffix not in _TEXT_SUFFIXES:
        raise InputError("io.unknown_kind", place, suffix=suffix or path.name)
    return "text"


def _checked_columns(grid: Grid, place: Place) -> tuple[list[str], dict[str, list[object]]]:
    """The columns by their header; a column without header must be blank and is left out."""
    names = [_plain(" ".join(label_text(cell).split()), grid.spreadsheet) for cell in grid.header]
    if not any(names):
        raise InputError("io.no_header", place, header_row=grid.header_row)
    lists = [_stripped(column, grid.spreadsheet) for column in zip(*grid.body, strict=True)] or [
        [] for _ in names
    ]
    columns: dict[str, list[object]] = {}
    for at, (name, cells) in enumerate(zip(names, lists, strict=True)):
        if not name:
            _refuse_values(cells, at, grid, place)
        elif name in columns:
            where = Place(file=place.file, sheet=place.sheet, row=grid.header_row, column=name)
            first = column_letters(names.index(name))
            raise InputError("io.header_twice", where, name=name, first=first, second=column_letters(at))
        else:
            columns[name] = cells
    _refuse_errors(columns, grid.rows, place)
    return list(columns), columns


def _stripped(column: Sequence[object], spreadsheet: bool) -> list[object]:
    return [_plain(cell, spreadsheet) if isinstance(cell, str) else cell for cell in column]


def _plain(text: str, spreadsheet: bool) -> str:
    """A text without outer white space, and without the apostrophe that keeps it from being run."""
    text = text.strip()
    return unprotect(text) if spreadsheet and text.startswith("'") else text


def _refuse_values(cells: list[object], at: int, grid: Grid, place: Place) -> None:
    """Refuse a column that has values and no name."""
    for row, cell in zip(grid.rows, cells, strict=True):
        if cell not in (None, ""):
            where = Place(place.file, place.sheet, row=row, column=column_letters(at), value=label_text(cell))
            raise InputError("io.header_blank", where, header_row=grid.header_row, letters=column_letters(at))


def _refuse_errors(columns: dict[str, list[object]], rows: list[int], place: Place) -> None:
    """Refuse cells such as #N/A, which would otherwise become a label."""
    for name, cells in columns.items():
        found = _ERRORS.intersection(cell for cell in cells if isinstance(cell, str))
        if found:
            at = next(at for at, cell in enumerate(cells) if cell in found)
            where = Place(place.file, place.sheet, row=rows[at], column=name, value=str(cells[at]))
            raise InputError("io.error_cell", where, value=str(cells[at]))
