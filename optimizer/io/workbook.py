"""XLSX workbooks: one sheet's cells with native numbers and dates, as last computed by the spreadsheet."""

from __future__ import annotations

import io
import re
import warnings
import zipfile
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from typing import Any

from optimizer.errors import InputError, Place
from optimizer.io.cells import Grid, column_letters

Row = Sequence[object]

_ZEROS = re.compile(r"0{2,}")
_PADDED = re.compile(rb'formatCode="0{2,}"')


def read_workbook(raw: bytes, name: str, sheet: str | None, header_row: int) -> tuple[Grid, str]:
    """The cells of one sheet and its name; without `sheet` the workbook must have one visible sheet.

    A number that the sheet shows with leading zeros (`00123`) is a label and becomes that text.
    Merged cells hold their value in the first cell and are blank elsewhere, as in the file. Raises
    `InputError` for a damaged file, an unknown sheet, and a formula whose value was never computed.
    """
    with warnings.catch_warnings():
        # The library warns of drop-down lists and colours that it does not read; we read values only.
        warnings.simplefilter("ignore", UserWarning)
        book = _open(raw, name, values=True)
        chosen = _sheet(book, name, sheet)
        padded = _PADDED.search(_part(raw, "xl/styles.xml")) is not None
        grid = _grid(list(_rows(book, chosen, padded)), header_row, Place(file=name, sheet=chosen))
        if _has_formulas(raw):
            _refuse_uncomputed(raw, name, chosen, grid)
    return grid, chosen


def _open(raw: bytes, name: str, *, values: bool) -> Any:
    import openpyxl
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        return openpyxl.load_workbook(io.BytesIO(raw), read_only=True, data_only=values)
    except (InvalidFileException, zipfile.BadZipFile, KeyError, ValueError, SyntaxError):
        raise InputError("io.damaged", Place(file=name), kind="XLSX") from None


def _sheet(book: Any, name: str, sheet: str | None) -> str:
    """The name of the sheet to read."""
    names = [each.title for each in book.worksheets]
    if sheet is None:
        visible = [each.title for each in book.worksheets if each.sheet_state == "visible"]
        if len(visible) == 1:
            return str(visible[0])
        raise InputError("io.sheet_unclear", Place(file=name), sheets=", ".join(visible or names))
    if sheet in names:
        return sheet
    near = get_close_matches(sheet.casefold(), [each.casefold() for each in names], n=1)
    if near:
        found = next(each for each in names if each.casefold() == near[0])
        raise InputError("io.sheet_near", Place(file=name), sheet=sheet, near=found)
    raise InputError("io.sheet_missing", Place(file=name), sheet=sheet, sheets=", ".join(names))


def _rows(book: Any, sheet: str, padded: bool = False) -> Iterator[Row]:
    """Every row of the sheet, whatever size the file claims; `padded` minds leading zeros."""
    page = book[sheet]
    page.reset_dimensions()
    if not padded:
        yield from page.iter_rows(values_only=True)
        return
    for row in page.iter_rows():
        yield [_shown(cell) for cell in row]


def _shown(cell: Any) -> object:
    value = cell.value
    if isinstance(value, int) and not isinstance(value, bool) and _ZEROS.fullmatch(cell.number_format):
        return str(value).zfill(len(cell.number_format))
    return value


def _part(raw: bytes, name: str) -> bytes:
    """One file inside the workbook, empty when it is not there."""
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        return archive.read(name) if name in archive.namelist() else b""


def _grid(rows: list[Row], header_row: int, place: Place) -> Grid:
    if len(rows) < header_row:
        raise InputError("io.header_row", place, header_row=header_row, rows=len(rows))
    width = max((len(row) for row in rows[header_row - 1 :]), default=0)
    header = list(rows[header_row - 1])
    body: list[Row] = []
    numbers: list[int] = []
    for number, row in enumerate(rows[header_row:], start=header_row + 1):
        if _is_blank(row):
            continue
        body.append(row if len(row) == width else (*row, *[None] * (width - len(row))))
        numbers.append(number)
    return Grid(header + [None] * (width - len(header)), body, numbers, header_row)


def _is_blank(row: Row) -> bool:
    return all(cell is None or (isinstance(cell, str) and not cell.strip()) for cell in row)


def _has_formulas(raw: bytes) -> bool:
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        sheets = [
            name for name in archive.namelist() if name.startswith("xl/worksheets/") and name.endswith(".xml")
        ]
        return any(b"<f" in archive.read(sheet).replace(b"<formula", b"") for sheet in sheets)


def _refuse_uncomputed(raw: bytes, name: str, sheet: str, grid: Grid) -> None:
    """Refuse formulas without a stored value: files made by a program and never opened in a spreadsheet."""
    values = dict(zip(grid.rows, grid.body, strict=True)) | {grid.header_row: grid.header}
    formulas = _rows(_open(raw, name, values=False), sheet)
    for number, row in enumerate(formulas, start=1):
        if number < grid.header_row:
            continue
        known = values.get(number, ())
        for at, cell in enumerate(row):
            written = cell if isinstance(cell, str) else getattr(cell, "text", None)
            if (
                isinstance(written, str)
                and written.startswith("=")
                and (at >= len(known) or known[at] is None)
            ):
                place = Place(name, sheet, row=number, column=column_letters(at), value=written)
                raise InputError("io.formula_without_value", place)
