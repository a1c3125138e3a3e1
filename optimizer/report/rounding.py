"""Tables rounded so that every sum on the page is exact."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
_WHOLE = 1e-7
"""A number this near to a whole one is that number."""


def controlled_rounding(cells: FloatArray) -> IntArray:
    """Whole numbers for a table (R, C) with its sums: each cell, row sum, column sum and the total is the
    floor or the ceiling of the true figure, and all of them add up. Shape (R + 1, C + 1), sums last.

    While a figure is not whole, a cycle through such figures is shifted until one of them is: with the
    sums as negative entries, every row and column adds up to zero, so each has none or at least two of
    them (Cox 1987, "A constructive procedure for unbiased controlled rounding"; here the shorter shift is
    taken, not a random one, so that the same table always gives the same page).
    """
    table = _with_sums(cells)
    while True:
        cycle = _cycle(_fractional(table))
        if not cycle:
            break
        _shift(table, cycle)
    whole = np.rint(table).astype(np.int64)
    whole[-1, :-1] *= -1
    whole[:-1, -1] *= -1
    return whole


def _with_sums(cells: FloatArray) -> FloatArray:
    rows, columns = cells.shape
    table = np.zeros((rows + 1, columns + 1))
    table[:rows, :columns] = np.where(np.abs(cells - np.rint(cells)) < _WHOLE, np.rint(cells), cells)
    table[:rows, columns] = -table[:rows, :columns].sum(axis=1)
    table[rows, :columns] = -table[:rows, :columns].sum(axis=0)
    table[rows, columns] = table[:rows, :columns].sum()
    return table


def _fractional(table: FloatArray) -> NDArray[np.bool_]:
    return np.asarray(np.abs(table - np.rint(table)) > _WHOLE)


def _cycle(fractional: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Entries of a closed walk that moves along a row and along a column in turn; empty without any.

    Rows and columns are the corners of a graph and entries its edges: the walk goes on by another edge
    until it comes to a corner where it has been.
    """
    if not fractional.any():
        return []
    row, column = (int(index) for index in np.argwhere(fractional)[0])
    edges = [(row, column)]
    corners = {("row", row): 0, ("column", column): 1}
    while True:
        on_column = len(edges) % 2 == 1
        line = fractional[:, column].copy() if on_column else fractional[row].copy()
        line[row if on_column else column] = False
        if not line.any():
            # Rounding noise left a line with a single entry; it counts as whole.
            fractional[edges[-1]] = False
            return _cycle(fractional)
        if on_column:
            row = int(line.argmax())
        else:
            column = int(line.argmax())
        edges.append((row, column))
        corner = ("row", row) if on_column else ("column", column)
        if corner in corners:
            return edges[corners[corner] :]
        corners[corner] = len(edges)


def _shift(table: FloatArray, cycle: list[tuple[int, int]]) -> None:
    """Add and take in turn along the cycle, as little as makes one entry whole."""
    at = tuple(np.array(cycle).T)
    sign = np.where(np.arange(len(cycle)) % 2 == 0, 1.0, -1.0)
    values = table[at]
    up, down = np.ceil(values) - values, values - np.floor(values)
    forward = np.where(sign > 0, up, down)
    backward = np.where(sign > 0, down, up)
    step = forward.min() if forward.min() <= backward.min() else -backward.min()
    moved = values + sign * step
    table[at] = np.where(np.abs(moved - np.rint(moved)) < _WHOLE, np.rint(moved), moved)
