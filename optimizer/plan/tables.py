"""A table as the planner's file gives it, validated, with the place of every row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from optimizer.errors import Place

FloatArray = NDArray[np.float64]
ALL = "*"


@dataclass(frozen=True)
class Table:
    """One validated table.

    `frame` has our column names and a RangeIndex: label columns hold str (blank optional labels are ""),
    number columns float64 (NaN = blank), date columns datetime64 (NaT = blank), yes/no columns bool.
    `by_period` holds measures that stand one column a period, float64 of shape (rows, periods); such a
    measure is not a column of `frame`. `rows` are the row numbers in the file, counted from 1.
    """

    name: str
    frame: pd.DataFrame
    by_period: Mapping[str, FloatArray] = field(default_factory=dict)
    file: str = ""
    sheet: str | None = None
    rows: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    labels: tuple[str, ...] = ()
    """The dimension columns that the planner added (region, line, team ...), in file order."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Our column name -> the planner's, where the file has the column."""
    _numbers: dict[str, FloatArray] = field(default_factory=dict, init=False, repr=False, compare=False)
    """Number columns that were asked for already: pandas takes long for each."""

    def __len__(self) -> int:
        return len(self.frame)

    def has(self, column: str) -> bool:
        """Whether the planner gave this column, by row or by period."""
        return column in self.frame.columns or column in self.by_period

    def numbers(self, column: str) -> FloatArray:
        """A number column (rows,), read-only; NaN where blank, all NaN where the column is absent."""
        if column not in self._numbers:
            found = np.full(len(self.frame), np.nan)
            if column in self.frame.columns:
                found = np.array(self.frame[column], dtype=np.float64)
            found.flags.writeable = False
            self._numbers[column] = found
        return self._numbers[column]

    def text(self, column: str) -> list[str]:
        """A label column as a list of str; raises KeyError when it is absent."""
        texts: list[str] = self.frame[column].to_list()
        return texts

    def place(self, row: int, column: str | None = None, value: object = None) -> Place:
        """Where entry `row` (counted from 0 in `frame`) stands in the planner's file."""
        number = int(self.rows[row]) if row < len(self.rows) else None
        header = None if column is None else self.headers.get(column, column)
        shown = None if value is None else str(value)
        return Place(file=self.file, sheet=self.sheet, row=number, column=header, value=shown)

    def yes(self, column: str) -> NDArray[np.bool_]:
        """A yes/no column (rows,); no where the column is absent."""
        if column not in self.frame.columns:
            return np.zeros(len(self.frame), dtype=np.bool_)
        return np.asarray(self.frame[column], dtype=np.bool_)

    def choices(self, column: str) -> list[str]:
        """A label or choice column as a list of str; blank where the column is absent."""
        return self.text(column) if column in self.frame.columns else [""] * len(self.frame)

    def replace(self, **changes: Any) -> Table:
        """A new table with some parts replaced."""
        return replace(self, **changes)

    def some_rows(self, rows: NDArray[np.int64] | NDArray[np.bool_]) -> Table:
        """The table with these rows only, by position or by a mask."""
        frame = self.frame.iloc[rows].reset_index(drop=True)
        by_period = {name: values[rows] for name, values in self.by_period.items()}
        return replace(self, frame=frame, rows=self.rows[rows], by_period=by_period)


NO_MARKETS = Table("markets", pd.DataFrame(index=pd.RangeIndex(0)))
"""What stands for the markets of a plan of marketing alone."""
