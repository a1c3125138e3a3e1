"""Parquet files: native numbers, texts and dates of flat columns."""

from __future__ import annotations

import io
import re
from typing import Any

from optimizer.errors import InputError, Place
from optimizer.io.cells import Grid

_INDEX = re.compile(r"__index_level_[0-9]+__")


def read_parquet(raw: bytes, name: str) -> Grid:
    """The columns of a Parquet file; row numbers count its records from 1.

    The index that pandas stores beside the columns is left out. Raises `InputError` for a damaged file and
    for columns of lists, structures or bytes.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.ParquetFile(io.BytesIO(raw)).read()
    except (pa.ArrowException, OSError):
        raise InputError("io.damaged", Place(file=name), kind="Parquet") from None
    kept = [at for at, column in enumerate(table.column_names) if not _INDEX.fullmatch(column)]
    header = [table.column_names[at] for at in kept]
    lists = [_cells(table.column(at), Place(file=name, column=table.column_names[at])) for at in kept]
    body = list(zip(*lists, strict=True))
    blank = [all(cell is None or cell == "" for cell in row) for row in body]
    rows = [number for number, empty in enumerate(blank, start=1) if not empty]
    return Grid(
        list(header), [row for row, empty in zip(body, blank, strict=True) if not empty], rows, 1, False
    )


def _cells(column: Any, place: Place) -> list[object]:
    import pyarrow as pa

    kind = column.type
    if pa.types.is_dictionary(kind):
        column = column.cast(kind.value_type)
        kind = column.type
    if pa.types.is_nested(kind) or pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        raise InputError("io.parquet_type", place, kind=str(kind))
    if pa.types.is_timestamp(kind):
        column = column.cast(pa.timestamp("us", tz=kind.tz), safe=False)
    cells: list[object] = column.to_pylist()
    return cells
