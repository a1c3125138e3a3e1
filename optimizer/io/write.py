"""Tables out: CSV, Parquet, workbooks and JSON, readable by people's programs and by our own reader.

CSV is UTF-8 with a byte order mark, so that a spreadsheet shows Cyrillic and Chinese; numbers are the
shortest text that gives the same float64; texts that a spreadsheet would run are protected
(`optimizer.io.formulas`).
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from optimizer.io.formulas import protect
from optimizer.io.replace import recover, replace_file, replace_folder
from optimizer.io.sheets import write_workbook

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "json_text", "recover", "replace_file", "replace_folder", "write_json", "write_table", "write_workbook",
]  # fmt: skip


def write_table(frame: pd.DataFrame, path: Path) -> None:
    """Write a table without its index as CSV or Parquet, by the ending of the name.

    In CSV, NaN and None are blank cells. Raises ValueError for another ending.
    """
    suffix = path.suffix.lower()
    if suffix == ".csv":
        path.write_text(csv_text(frame), encoding="utf-8-sig", newline="")
    elif suffix == ".parquet":
        frame.to_parquet(path, engine="pyarrow", index=False)
    else:
        raise ValueError(f"a table is written as .csv or .parquet, not as {path.name!r}")


def csv_text(frame: pd.DataFrame) -> str:
    """The table as CSV text with commas and a header."""
    header = ",".join(_quoted(protect(str(name))) for name in frame.columns)
    columns = [_texts(frame.iloc[:, at]) for at in range(frame.shape[1])]
    return "\n".join([header, *map(",".join, zip(*columns, strict=True))]) + "\n"


def write_json(data: object, path: Path) -> None:
    """Write data as `json_text` in UTF-8."""
    path.write_text(json_text(data) + "\n", encoding="utf-8", newline="")


def json_text(data: object, indent: int | None = 2) -> str:
    """Data as JSON: NumPy values as plain ones, dates as ISO text; NaN and infinities as null.

    Without `indent` it is one line, which takes a tenth of the time.
    """
    return json.dumps(_plain(data), ensure_ascii=False, indent=indent, allow_nan=False)


def _plain(data: object) -> object:
    if isinstance(data, np.generic):
        data = data.item()
    if isinstance(data, Mapping):
        return {str(key): _plain(value) for key, value in data.items()}
    if isinstance(data, np.ndarray):
        return _plain(data.tolist())
    if isinstance(data, (list, tuple, set, frozenset)):
        return [_plain(value) for value in (sorted(data) if isinstance(data, (set, frozenset)) else data)]
    if isinstance(data, float):
        return data if math.isfinite(data) else None
    if isinstance(data, date):
        return data.isoformat()
    return str(data) if isinstance(data, Path) else data


def _texts(column: pd.Series[Any]) -> list[str]:
    """A column as the texts of CSV cells."""
    kind = column.dtype.kind if isinstance(column.dtype, np.dtype) else "O"
    if kind == "f":
        values: list[float] = column.to_numpy(dtype=np.float64).tolist()
        return ["" if math.isnan(value) else repr(value).removesuffix(".0") for value in values]
    if kind in "iu":
        return list(map(str, column.tolist()))
    blank = column.isna().tolist()
    cells = column.astype(object).tolist()
    texts = (
        {cell: _quoted(protect(cell)) for cell in set(cells) if isinstance(cell, str)} if kind == "O" else {}
    )
    return [
        "" if empty else texts[cell] if isinstance(cell, str) else _quoted(_cell_text(cell))
        for cell, empty in zip(cells, blank, strict=True)
    ]


def _cell_text(value: object) -> str:
    """One cell that is no text: whole floats without `.0`, midnight as a date."""
    if isinstance(value, float):
        return repr(float(value)).removesuffix(".0")
    return str(value).removesuffix(" 00:00:00") if isinstance(value, date) else str(value)


def _quoted(text: str) -> str:
    special = any(sign in text for sign in ',"\n\r') or text != text.strip()
    return '"' + text.replace('"', '""') + '"' if special else text
