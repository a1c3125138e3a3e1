"""Reading the export and its look-up tables: our column names, labels as text, dates and numbers parsed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from optimizer.errors import InputError, Place
from optimizer.history.mapping import DATE_COLUMNS, NUMBER_COLUMNS, LookupSpec, MappingSpec, SourceSpec
from optimizer.history.quality import Quality
from optimizer.io.cells import Cells, label_text, read_cells
from optimizer.io.paths import resolve_inside
from optimizer.plan.dates import parse_date
from optimizer.plan.names import nearest

IntArray = NDArray[np.int64]


def read_export(path: Path, spec: MappingSpec, quality: Quality) -> pd.DataFrame:
    """The export with our column names, its fixes applied, and unreadable rows dropped and reported.

    Column `row` is the row number in the file. Raises `InputError` when a mapped column is not in the file.
    """
    cells = read_source(path, spec.source)
    quality.total = len(cells.rows)
    frame = _renamed(cells, spec.columns, path.name, quality, "history")
    return _fixed(frame, spec, quality, "history")


def join_lookups(frame: pd.DataFrame, folder: Path, spec: MappingSpec, quality: Quality) -> pd.DataFrame:
    """The export with the columns of its look-up tables; labels that a table does not know are reported.

    Raises `InputError` when a key occurs twice in a look-up table, or a joined column is there already.
    """
    for name, lookup in spec.lookups.items():
        frame = _joined(frame, name, _read_lookup(name, folder, lookup, spec, quality), lookup, quality)
    _report_idle_fixes(spec, quality)
    return frame


def read_source(path: Path, source: SourceSpec) -> Cells:
    """The cells of one file, with the sheet, encoding and delimiter that the mapping names."""
    return read_cells(
        path,
        sheet=source.sheet,
        header_row=source.header_row,
        encoding=source.encoding,
        delimiter=source.delimiter,
        decimal=source.decimal,
        shown=path.name,
    )


def _read_lookup(
    name: str, folder: Path, lookup: LookupSpec, spec: MappingSpec, quality: Quality
) -> pd.DataFrame:
    path = resolve_inside(folder, lookup.file)
    if lookup.key not in lookup.columns.values():
        raise InputError("history.lookup_key", Place(file=path.name), table=name, name=lookup.key)
    table = _renamed(read_source(path, lookup), lookup.columns, path.name, quality, name)
    table = _fixed(table, spec, quality, name)
    twice = table[lookup.key].duplicated().to_numpy()
    if twice.any():
        row = int(twice.argmax())
        place = Place(
            path.name, row=int(table["row"].iat[row]), column=lookup.key, value=table[lookup.key].iat[row]
        )
        raise InputError("history.lookup_twice", place)
    return table.drop(columns="row")


def _joined(
    frame: pd.DataFrame, name: str, table: pd.DataFrame, lookup: LookupSpec, quality: Quality
) -> pd.DataFrame:
    if lookup.key not in frame.columns:
        raise InputError(
            "history.lookup_no_key",
            Place(file=lookup.file),
            table=name,
            name=lookup.key,
            nearest=nearest(lookup.key, frame.columns),
        )
    for column in table.columns.drop(lookup.key):
        if column in frame.columns:
            raise InputError("history.column_twice", Place(file=lookup.file, column=column), column=column)
    joined = frame.merge(table, on=lookup.key, how="left", sort=False, validate="many_to_one", indicator=True)
    lonely = (joined.pop("_merge") == "left_only").to_numpy()
    _report_lonely(joined, lonely, name, lookup.key, quality)
    texts = [column for column in table.columns if column not in NUMBER_COLUMNS]
    joined[texts] = joined[texts].fillna("")
    return joined


def _report_lonely(
    joined: pd.DataFrame, lonely: NDArray[np.bool_], name: str, key: str, quality: Quality
) -> None:
    for value, rows in joined.loc[lonely].groupby(key, sort=True)["row"]:
        check = "lookup_unmatched" if value else "lookup_blank"
        quality.rows(check, "kept", rows.to_numpy(), table=name, column=key, value=str(value))


def _renamed(
    cells: Cells, columns: Mapping[str, str], file: str, quality: Quality, table: str
) -> pd.DataFrame:
    """Our columns of a file; rows with a date or number that cannot be read are dropped and reported."""
    data: dict[str, object] = {"row": cells.rows}
    good = np.ones(len(cells), dtype=np.bool_)
    for written, ours in columns.items():
        if written not in cells.columns:
            near = nearest(written, cells.header)
            raise InputError("history.column_missing", Place(file=file, column=written), nearest=near)
        if ours in data:
            raise InputError("history.column_twice", Place(file=file, column=written), column=ours)
        data[ours], unreadable = _parsed(cells, written, ours)
        if len(unreadable):
            example = label_text(cells.columns[written][unreadable[0]])
            quality.rows(
                "unreadable", "dropped", cells.rows[unreadable], table=table, column=written, value=example
            )
            good[unreadable] = False
    return pd.DataFrame(data).loc[good].reset_index(drop=True)


def _parsed(cells: Cells, written: str, ours: str) -> tuple[object, IntArray]:
    """The parsed column, and the positions that cannot be read."""
    if ours in NUMBER_COLUMNS:
        numbers, bad = cells.numbers(written)
        return numbers, np.asarray(bad, dtype=np.int64)
    if ours in DATE_COLUMNS:
        return _dates(cells.columns[written])
    labels = [" ".join(label.split()) for label in cells.labels(written)]
    return np.array(labels, dtype=object), np.zeros(0, dtype=np.int64)


def _dates(values: Sequence[object]) -> tuple[NDArray[np.datetime64], IntArray]:
    """Days (rows,), NaT where blank, and the positions that are neither blank nor a date."""
    texts = [
        value if value is None or not isinstance(value, str) else value.strip() or None for value in values
    ]
    codes, known = pd.factorize(np.array(texts, dtype=object), use_na_sentinel=True)
    days = np.array([parse_date(value) for value in known], dtype="datetime64[D]")
    column = np.full(len(values), np.datetime64("NaT"), dtype="datetime64[D]")
    column[codes >= 0] = days[codes[codes >= 0]]
    return column, np.flatnonzero((codes >= 0) & np.isnat(column))


def _fixed(frame: pd.DataFrame, spec: MappingSpec, quality: Quality, table: str) -> pd.DataFrame:
    """The frame with the mapping's label fixes."""
    for column in frame.columns.intersection(list(spec.fixes)):
        for wrong, right in spec.fixes[column].items():
            found = (frame[column] == wrong).to_numpy()
            rows = frame["row"].to_numpy()[found]
            quality.rows("fixed", "changed", rows, table=table, column=column, value=wrong, right=right)
            frame.loc[found, column] = right
    return frame


def _report_idle_fixes(spec: MappingSpec, quality: Quality) -> None:
    """A fix that met no label of any table is probably misspelled."""
    met = {(finding.column, finding.value) for finding in quality.findings if finding.check == "fixed"}
    for column, fixes in spec.fixes.items():
        for wrong, right in fixes.items():
            if (column, wrong) not in met:
                quality.note("fix_unused", "note", column=column, value=wrong, right=right)
