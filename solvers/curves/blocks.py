"""Blocks of a curve program: parts that only a few long rows hold together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from solvers.curves.estimator import Estimator
from solvers.curves.prepared import Prepared
from solvers.program import BoolArray, FloatArray, IntArray, LinearProgram

_MOST_OF_CURVES = 0.125
"""Share of all curves that one block may hold."""


@dataclass(frozen=True)
class Block:
    """Columns of a part, its own rows, and its coefficients in the coupling rows."""

    columns: IntArray
    rows: IntArray
    coupled: sparse.csr_array
    matrix: sparse.csc_array

    def priced(self, whole: LinearProgram, prices: FloatArray) -> LinearProgram:
        """The part alone, whose objective pays prices of the coupling rows."""
        return whole.replace(
            objective=whole.objective[self.columns] - self.coupled.T @ prices,
            matrix=self.matrix,
            row_lower=whole.row_lower[self.rows],
            row_upper=whole.row_upper[self.rows],
            column_lower=whole.column_lower[self.columns],
            column_upper=whole.column_upper[self.columns],
            integer=whole.integer[self.columns],
        )


@dataclass(frozen=True)
class Blocks:
    """Blocks with whole numbers, everything else as one block without, and the rows that couple them."""

    whole: tuple[Block, ...]
    rest: Block
    coupling: IntArray
    matrix: sparse.csr_array

    def usable(self, program: LinearProgram, prices: FloatArray) -> FloatArray:
        """Prices of the coupling rows, 0 where the row has no side that they would be about."""
        least = np.where(np.isfinite(program.row_lower[self.coupling]), -np.inf, 0.0)
        most = np.where(np.isfinite(program.row_upper[self.coupling]), np.inf, 0.0)
        return np.clip(prices, least, most)


def find_blocks(prepared: Prepared, estimator: Estimator) -> Blocks | None:
    """The blocks of an over-estimator; None where fewer than two have whole numbers, where some whole
    number belongs to no curve, or where every block is one curve, whose hull is its envelope.

    Rows of the prepared program that are longer than some length couple; it is the largest with which no
    block holds more than an eighth of the curves. The rows of the curves never couple.
    """
    base, program = prepared.program, estimator.program
    rows = sparse.csr_array(program.matrix)
    length = np.diff(rows.indptr)
    length[base.num_rows :] = 0
    label = _labels(prepared, rows, length)
    if label is None:
        return None
    couples = length > label[1]
    of = label[0]
    with_whole = np.unique(of[program.integer])
    with_curves = np.unique(of[prepared.inputs])
    alone = np.bincount(of[prepared.inputs]).max() == 1
    if with_whole.size < 2 or alone or not np.isin(with_whole, with_curves).all():
        return None
    coupling = np.flatnonzero(couples)
    matrix = sparse.csr_array(rows[coupling])
    owner = np.full(program.num_rows, -1)
    there = np.flatnonzero((np.diff(rows.indptr) > 0) & ~couples)
    owner[there] = of[rows.indices[rows.indptr[there]]]
    made = tuple(_block(rows, matrix, of == one, owner == one) for one in with_whole.tolist())
    rest = ~np.isin(of, with_whole)
    rest_rows = ~couples & ~np.isin(owner, with_whole)
    return Blocks(made, _block(rows, matrix, rest, rest_rows), coupling, matrix)


def _block(rows: sparse.csr_array, coupling: sparse.csr_array, columns: BoolArray, own: BoolArray) -> Block:
    at, mine = np.flatnonzero(columns), np.flatnonzero(own)
    return Block(at, mine, sparse.csr_array(coupling[:, at]), sparse.csc_array(rows[mine][:, at]))


def _labels(prepared: Prepared, rows: sparse.csr_array, length: IntArray) -> tuple[IntArray, int] | None:
    # The block of every column, and the longest row that does not couple.
    most = max(1.0, _MOST_OF_CURVES * prepared.size)
    for longest in np.unique(length)[::-1].tolist():
        inner = sparse.csr_array(rows[np.flatnonzero(length <= longest)])
        inner.data = np.ones_like(inner.data)
        # Columns and rows are the two sides of one graph.
        graph = sparse.block_array([[None, inner.T], [inner, None]], format="csr")
        _, label = connected_components(graph, directed=False)
        of = label[: rows.shape[1]].astype(np.int64)
        if np.bincount(of[prepared.inputs]).max() <= most:
            return of, int(longest)
    return None
