"""CSV files: encoding and delimiter told from the content, quotes, blank lines and ragged rows."""

from __future__ import annotations

import csv
import io
from itertools import islice

from optimizer.errors import InputError, Place
from optimizer.io.cells import Grid
from optimizer.io.encoding import decode

_DELIMITERS = (",", ";", "\t")
_SAMPLE = 500

Record = list[str]


def read_csv(
    raw: bytes, name: str, header_row: int, encoding: str | None, delimiter: str | None
) -> tuple[Grid, str, str]:
    """The cells of a CSV file, its encoding and its delimiter.

    Row numbers count records as a spreadsheet does: a line break inside quotes does not begin a new row.
    Raises `InputError` with the row.
    """
    place = Place(file=name)
    text, used = decode(raw, encoding, place)
    text = text.removeprefix("\ufeff")
    if text[:4].lower() == "sep=" and text[5:6] in ("\r", "\n", ""):
        delimiter = delimiter or text[4]
        header_row = max(header_row, 2)
    if delimiter is None:
        delimiter = _delimiter(text, header_row, place)
    elif len(delimiter) != 1:
        raise InputError("io.delimiter_length", place, delimiter=delimiter)
    records = _records(text, delimiter, place)
    return _grid(records, header_row, delimiter, place), used, delimiter


def _records(text: str, delimiter: str, place: Place) -> list[Record]:
    records: list[Record] = []
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        records.extend(reader)
    except csv.Error:
        raise InputError("io.csv_quotes", Place(file=place.file, row=len(records) + 1)) from None
    return records


def _grid(records: list[Record], header_row: int, delimiter: str, place: Place) -> Grid:
    if len(records) < header_row:
        raise InputError("io.header_row", place, header_row=header_row, rows=len(records))
    header = records[header_row - 1]
    width = len(header)
    body: list[Record] = []
    rows: list[int] = []
    for number, record in enumerate(islice(records, header_row, None), start=header_row + 1):
        if len(record) == width:
            if not any(record) or not "".join(record).strip():
                continue
        elif not "".join(record).strip():
            continue
        elif len(record) < width or "".join(record[width:]).strip():
            where = Place(file=place.file, row=number)
            sign = "TAB" if delimiter == "\t" else delimiter
            raise InputError("io.ragged", where, found=len(record), width=width, delimiter=sign)
        else:
            del record[width:]
        body.append(record)
        rows.append(number)
    return Grid(list(header), list(body), rows, header_row)


def _delimiter(text: str, header_row: int, place: Place) -> str:
    """The delimiter that cuts header and rows into the same number of cells.

    Where none does, the one that fits most rows is taken, so that the ragged row can be named.
    """
    fits = {sign: _fit(text, sign, header_row) for sign in _DELIMITERS}
    whole = [sign for sign, (width, share) in fits.items() if width > 1 and share == 1.0]
    if len(whole) == 1:
        return whole[0]
    if whole:
        raise InputError("io.delimiter_unclear", place, delimiters=" ".join(map(repr, whole)))
    cut = [sign for sign, (width, _) in fits.items() if width > 1]
    if cut:
        return max(cut, key=lambda sign: fits[sign][1])
    return max(_DELIMITERS, key=lambda sign: fits[sign][1])


def _fit(text: str, delimiter: str, header_row: int) -> tuple[int, float]:
    """The width of the header, and the share of rows of that width in a sample."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        sample = list(islice(reader, header_row - 1, header_row + _SAMPLE))
    except csv.Error:
        return 0, 0.0
    widths = [len(record) for record in sample if record]
    return (widths[0], widths.count(widths[0]) / len(widths)) if widths else (0, 0.0)
