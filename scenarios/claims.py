"""Who changed what: two changes of one cell in one scenario are an error unless they are ordered."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from optimizer.errors import InputError
from optimizer.plan.source import KeyPath
from optimizer.plan.tables import Table
from scenarios.files import Change, Layer
from scenarios.rows import matching
from scenarios.schema import TableChange
from scenarios.tablechange import Context

IntArray = NDArray[np.int64]
ALL_CELLS = "*"


class Claims:
    """The cells and keys that the changes of one file are about."""

    def __init__(self, layer: Layer, num_periods: int) -> None:
        self._layer = layer
        self._num_periods = num_periods
        self._cells: dict[tuple[str, str], NDArray[np.int32]] = {}
        self._keys: list[tuple[KeyPath, Change]] = []
        self.gone: list[tuple[Table, IntArray]] = []
        """Rows that changes of this file have taken out, and their lasting numbers."""

    def refuse_gone(self, change: Change, wanted: TableChange, table: str, context: Context) -> None:
        """Raise like `cells` where a change means rows that another change has taken out."""
        if wanted.add_rows is not None:
            return
        for rows, ids in self.gone:
            if rows.name != table:
                continue
            try:
                meant = matching(rows, wanted.where, context.source, (*context.path, "where"))
            except InputError:
                # The filter means none of them; whether it means any others is for the change itself.
                continue
            self.cells(change, table, ALL_CELLS, ids[meant], ids[:0])

    def cells(self, change: Change, table: str, column: str, rows: IntArray, periods: IntArray) -> None:
        """Claim cells of a table; `rows` are lasting numbers of rows, no `periods` means all.

        Raises `InputError` where an earlier change that is not ordered against this one has claimed one.
        """
        positions = np.arange(self._num_periods) if not len(periods) else periods
        for (other_table, other_column), owners in self._cells.items():
            same_column = column == other_column or ALL_CELLS in (column, other_column)
            if other_table == table and same_column:
                self._check(change, owners, rows, positions)
        owners = self._owners(table, column, int(rows.max(initial=-1)) + 1)
        owners[np.ix_(rows, positions)] = change.position

    def keys(self, change: Change, paths: Sequence[KeyPath]) -> None:
        """Claim keys of the plan file; raises like `cells`."""
        for path in paths:
            for other, owner in self._keys:
                shared = min(len(path), len(other))
                if path[:shared] == other[:shared] and owner.position != change.position:
                    self._refuse(change, owner)
        self._keys += [(path, change) for path in paths]

    def _owners(self, table: str, column: str, count: int) -> NDArray[np.int32]:
        owners = self._cells.get((table, column), np.full((0, self._num_periods), -1, dtype=np.int32))
        if len(owners) < count:
            more = np.full((count - len(owners), self._num_periods), -1, dtype=np.int32)
            owners = np.concatenate([owners, more])
        self._cells[table, column] = owners
        return owners

    def _check(self, change: Change, owners: NDArray[np.int32], rows: IntArray, positions: IntArray) -> None:
        known = rows[rows < len(owners)]
        taken = owners[np.ix_(known, positions)]
        for position in np.unique(taken[(taken >= 0) & (taken != change.position)]).tolist():
            self._refuse(change, next(one for one in self._layer.changes if one.position == position))

    def _refuse(self, change: Change, other: Change) -> None:
        ordered = change.order is not None and other.order is not None and change.order != other.order
        if not ordered:
            source = self._layer.source
            first, second = sorted((change, other), key=lambda one: one.position)
            raise InputError(
                "scenarios.cell_twice", source.place(second.path), first=source.place(first.path)
            )
