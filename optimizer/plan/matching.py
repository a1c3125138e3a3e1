"""Which row of a table holds for which cell: `*` means all, and the row with more keys filled wins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from optimizer.errors import InputError
from optimizer.plan.names import nearest
from optimizer.plan.tables import ALL, Table

IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]
Side = Mapping[str, Sequence[str]]
"""Dimension -> label of each member, all of one length: the sellers, or the markets."""

_CELLS_AT_ONCE = 4_000_000


def winning_rows(table: Table, *sides: Side) -> IntArray:
    """The row of `table` that holds for each cell of the product of `sides`; -1 where none does.

    With one side of M members the answer has shape (M,), with two sides of S and M members (S, M). The key
    columns are those of `table.labels` that a side has; a column that several sides have must match on each
    of them, and `market.region` / `seller.region` name the side by `prefixed`. `*` in the table matches
    every member, and a member whose own label is `*` matches every row. Raises `InputError` when a label
    matches no member, and when two rows with equally many keys filled are the best ones for a cell.
    """
    shape = tuple(_size(side) for side in sides)
    winner = np.full(int(np.prod(shape)), -1, dtype=np.int64)
    if not len(table):
        return winner.reshape(shape)
    check_labels(table, *sides)
    patterns = [_patterns(table, side) for side in sides]
    filled = filled_keys(table, *sides)
    for level in np.unique(filled)[::-1]:
        for rows in _chunks(np.flatnonzero(filled == level), patterns):
            repeated, *members = _expand(rows, patterns)
            cells = np.ravel_multi_index(tuple(members), shape)
            _claim(table, winner, filled, repeated, cells)
    return winner.reshape(shape)


def matching_rows(table: Table, *sides: Side) -> tuple[IntArray, ...]:
    """Every match: (row, member of each side), arrays of one length, ordered by row; for tables that add up.

    Raises `InputError` when a label matches no member.
    """
    check_labels(table, *sides)
    patterns = [_patterns(table, side) for side in sides]
    return _expand(np.arange(len(table)), patterns)


def prefixed(side: Side, prefix: str) -> dict[str, Sequence[str]]:
    """The dimensions of a side under their bare names and as `prefix.name`."""
    return {**side, **{f"{prefix}.{name}": labels for name, labels in side.items()}}


def filled_keys(table: Table, *sides: Side) -> IntArray:
    """Number of key columns that are not `*`, by row (rows,)."""
    filled = np.zeros(len(table), dtype=np.int64)
    for column in _key_columns(table, sides):
        filled += np.array([label != ALL for label in table.text(column)], dtype=np.int64)
    return filled


def check_labels(table: Table, *sides: Side) -> None:
    """Raise `InputError` with the nearest label when a key of the table is the label of no member."""
    for column in _key_columns(table, sides):
        known = dict.fromkeys(label for side in sides for label in side.get(column, ()))
        if ALL in known:
            # A member that takes part in everything says nothing about which labels exist.
            del known[ALL]
        for row, label in enumerate(table.text(column)):
            if label != ALL and label not in known:
                place = table.place(row, column, label)
                raise InputError("plan.unknown_label", place, column=column, nearest=nearest(label, known))


@dataclass(frozen=True)
class _Patterns:
    """The distinct keys of one side: which one each row has, and the members that match each."""

    of_row: IntArray
    members: IntArray
    starts: IntArray
    counts: IntArray


def _size(side: Side) -> int:
    return len(next(iter(side.values())))


def _key_columns(table: Table, sides: Sequence[Side]) -> list[str]:
    return [column for column in table.labels if any(column in side for side in sides)]


def _patterns(table: Table, side: Side) -> _Patterns:
    columns = [column for column in table.labels if column in side]
    codes, labels = [], []
    for column in columns:
        known = {label: code for code, label in enumerate(dict.fromkeys(side[column]))}
        known.pop(ALL, None)
        codes.append(np.array([known.get(label, -1 if label == ALL else -2) for label in table.text(column)]))
        labels.append(np.array([known.get(label, -1) for label in side[column]]))
    keys = np.stack(codes, axis=1) if codes else np.zeros((len(table), 0), dtype=np.int64)
    distinct, of_row = _distinct(keys)
    found = [_members(key, labels, _size(side)) for key in distinct]
    counts = np.array([len(members) for members in found], dtype=np.int64)
    members = np.concatenate(found) if found else np.zeros(0, dtype=np.int64)
    return _Patterns(of_row.reshape(-1), members, np.cumsum(counts) - counts, counts)


def _distinct(keys: IntArray) -> tuple[IntArray, IntArray]:
    """The distinct rows of `keys` and which one each row is; by one number a row, which sorts faster."""
    number = np.zeros(len(keys), dtype=np.int64)
    for column in keys.T:
        _, code = np.unique(column, return_inverse=True)
        _, number = np.unique(number * (int(code.max(initial=0)) + 1) + code, return_inverse=True)
    _, first, of_row = np.unique(number, return_index=True, return_inverse=True)
    return keys[first], of_row


def _members(key: IntArray, labels: Sequence[IntArray], size: int) -> IntArray:
    """Members that agree with a key; -1 stands for `*` on either side."""
    agree: BoolArray = np.ones(size, dtype=np.bool_)
    for code, own in zip(key.tolist(), labels, strict=True):
        if code != -1:
            agree &= (own == code) | (own == -1)
    return np.flatnonzero(agree)


def _chunks(rows: IntArray, patterns: Sequence[_Patterns]) -> list[IntArray]:
    """Rows cut so that the cells of each part fit into memory."""
    cells = np.cumsum(_cells(rows, patterns))
    return [part for part in np.split(rows, _cuts(cells)) if len(part)]


def _cuts(cells: IntArray) -> IntArray:
    return np.flatnonzero(np.diff(cells // _CELLS_AT_ONCE)) + 1


def _cells(rows: IntArray, patterns: Sequence[_Patterns]) -> IntArray:
    cells = np.ones(len(rows), dtype=np.int64)
    for pattern in patterns:
        cells *= pattern.counts[pattern.of_row[rows]]
    return cells


def _expand(rows: IntArray, patterns: Sequence[_Patterns]) -> tuple[IntArray, ...]:
    """Each row repeated for the product of its members, and the members beside it."""
    cells = _cells(rows, patterns)
    repeated = np.repeat(rows, cells)
    within = np.arange(len(repeated)) - np.repeat(np.cumsum(cells) - cells, cells)
    sides = []
    for pattern in reversed(patterns):
        key = pattern.of_row[repeated]
        within, offset = np.divmod(within, pattern.counts[key])
        sides.append(pattern.members[pattern.starts[key] + offset])
    return (repeated, *reversed(sides))


def _claim(table: Table, winner: IntArray, filled: IntArray, repeated: IntArray, cells: IntArray) -> None:
    """Give the cells that no better row has to their row of `repeated`; raises where two claim one cell."""
    before = winner[cells]
    _refuse_ties(table, before, repeated, (before >= 0) & (filled[before] == filled[repeated]))
    free = before < 0
    cells, repeated = cells[free], repeated[free]
    winner[cells] = repeated
    _refuse_ties(table, winner[cells], repeated, winner[cells] != repeated)


def _refuse_ties(table: Table, first: IntArray, second: IntArray, tied: BoolArray) -> None:
    if tied.any():
        at = int(tied.argmax())
        one, other = sorted((int(first[at]), int(second[at])))
        raise InputError(
            "plan.rows_tie", table.place(other), first=table.place(one).row, second=table.place(other).row
        )
