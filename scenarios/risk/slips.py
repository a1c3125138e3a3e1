"""Campaigns that slip: what they bring comes later, what they cost stays where it was planned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from optimizer.model.compile import Model
from scenarios.risk.events import Event
from solvers.program import LinearProgram

IntArray = NDArray[np.int64]

RESPONSE = "response"
OWN = ("spend", "carryover", "response")
"""Families in which a response stands as it is made; in all others it is what arrives."""


def responses_of(model: Model, channel: str) -> list[IntArray]:
    """The columns (T,) of the responses of a channel, a row of marketing each."""
    block = model.context.activities.blocks.get(RESPONSE)
    if block is None:
        return []
    rows = [row for row, name in enumerate(block.labels["channel"]) if str(name) == channel]
    return [block.columns[row] for row in rows]


def delays_of(events: Sequence[Event], outcomes: Mapping[int, int]) -> list[tuple[str, int]]:
    """Channels that slip and by how many periods."""
    found = []
    for number, outcome in outcomes.items():
        event = events[number]
        if event.kind == "slips" and event.block == "spend":
            found.append((event.target, event.delays[outcome - 1]))
    return found


def slipped(program: LinearProgram, model: Model, delays: Sequence[tuple[str, int]]) -> LinearProgram:
    """The program in which what a channel brings arrives `periods` later; behind the end it is lost.

    rows of other families: coefficient of response[c, t] moves to response[c, t - periods]
    """
    arriving = np.ones(program.num_rows, dtype=np.bool_)
    for block in program.row_blocks:
        if block.name in OWN:
            arriving[block.start : block.stop] = False
    matrix = program.matrix.tocoo()
    row, column, data = matrix.row, matrix.col.astype(np.int64), matrix.data
    kept = np.ones(len(data), dtype=np.bool_)
    for channel, periods in delays:
        for columns in responses_of(model, channel):
            source = np.full(program.num_columns, -2, dtype=np.int64)
            source[columns] = np.concatenate([np.full(min(periods, len(columns)), -1), columns[:-periods]])
            moved = (source[column] > -2) & arriving[row]
            kept &= ~(moved & (source[column] == -1))
            column = np.where(moved & kept, source[column], column)
    shape = matrix.shape
    changed = sparse.coo_array((data[kept], (row[kept], column[kept])), shape=shape).tocsc()
    changed.sum_duplicates()
    return program.replace(matrix=sparse.csc_array(changed))
