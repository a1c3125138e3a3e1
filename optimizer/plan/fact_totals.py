"""Totals among facts: they must agree with their details, and count once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from optimizer.errors import InputError
from optimizer.plan.tables import ALL, Table

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

SOLD = ("units", "revenue", "deals")
"""Measures of sales: one of them is enough, the others follow from it."""
TOLERANCE = 1e-3
"""A total may differ from the sum of its details by this share of itself: reports are rounded."""


def without_totals(
    table: Table,
    pools: Table,
    pool: IntArray,
    period: IntArray,
    labels: Mapping[str, Sequence[str]],
    told: Mapping[str, FloatArray],
) -> dict[str, FloatArray]:
    """The facts with every total blanked whose details are there as well.

    Pool a is a total of pool b where b lies in it: every label that a knows b knows as well, with more known.
    Raises `InputError` with the row where a total differs from the sum of its details, and where two pools
    overlap without one lying in the other, so that something would count twice.
    """
    found = {name: values.copy() for name, values in told.items()}
    inside, crossed = _relations(pools, labels)
    if not len(inside[0]) and not len(crossed[0]):
        return found
    anyhow = np.logical_or.reduce([~np.isnan(told[name]) for name in SOLD])
    for name, values in told.items():
        if name == "starts":
            # A start names its own initiative or seat, and is no sum of anything.
            continue
        given = ~np.isnan(values)
        sold = anyhow if name in SOLD else given
        _check_overlap(table, pool, period, pools, crossed, given, name)
        total, part = inside
        both = given[total] & sold[part]
        has_parts = np.zeros(given.shape, dtype=np.bool_)
        np.logical_or.at(has_parts, total, both)
        # A detail that tells its sales in another measure leaves nothing to compare.
        comparable = np.ones(given.shape, dtype=np.bool_)
        np.logical_and.at(comparable, total, ~both | given[part])
        # Only details that are no totals themselves are added up.
        detail = np.where(given & ~has_parts, np.nan_to_num(values), 0.0)
        sums = np.zeros(values.shape)
        np.add.at(sums, total, np.where(both, detail[part], 0.0))
        wrong = has_parts & comparable & (np.abs(sums - values) > TOLERANCE * np.maximum(np.abs(values), 1.0))
        if wrong.any():
            at, when = (int(index) for index in np.argwhere(wrong)[0])
            place = table.place(_row(pool, period, at, when), name, f"{values[at, when]:,.12g}")
            raise InputError("tracking.total_contradicts", place, details=f"{sums[at, when]:,.12g}")
        found[name][has_parts] = np.nan
    return found


def _relations(
    pools: Table, labels: Mapping[str, Sequence[str]]
) -> tuple[tuple[IntArray, IntArray], tuple[IntArray, IntArray]]:
    """Pairs (total, part) of pools of which one lies in the other, and pairs that overlap otherwise.

    Pools are compared by the columns that they fill or know; pools of one pattern of columns never overlap,
    so that only patterns are compared, by their common columns.
    """
    names = [name for name in labels if "." not in name] + [
        name for name in pools.labels if name not in labels
    ]
    columns = [list(labels[name]) if name in labels else _filled(pools, name) for name in names]
    rows = list(zip(*columns, strict=True)) if columns else [()] * len(pools)
    groups: dict[tuple[int, ...], list[int]] = {}
    for at, row in enumerate(rows):
        groups.setdefault(tuple(i for i, label in enumerate(row) if label), []).append(at)
    inside: list[tuple[int, int]] = []
    crossed: list[tuple[int, int]] = []
    keys = list(groups)
    for first, one in enumerate(keys):
        for other in keys[first + 1 :]:
            small, large = (one, other) if len(one) <= len(other) else (other, one)
            common = [column for column in small if column in large]
            nested = len(common) == len(small)
            index: dict[tuple[str, ...], list[int]] = {}
            for at in groups[small]:
                index.setdefault(tuple(rows[at][column] for column in common), []).append(at)
            for at in groups[large]:
                for near in index.get(tuple(rows[at][column] for column in common), []):
                    (inside if nested else crossed).append((near, at))
    return _arrays(inside), _arrays(crossed)


def _filled(pools: Table, name: str) -> list[str]:
    return ["" if label == ALL else label for label in pools.text(name)]


def _arrays(pairs: list[tuple[int, int]]) -> tuple[IntArray, IntArray]:
    found = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    return found[:, 0], found[:, 1]


def _check_overlap(
    table: Table,
    pool: IntArray,
    period: IntArray,
    pools: Table,
    crossed: tuple[IntArray, IntArray],
    given: NDArray[np.bool_],
    name: str,
) -> None:
    one, other = crossed
    both = given[one] & given[other]
    if both.any():
        at, when = (int(index) for index in np.argwhere(both)[0])
        first = _row(pool, period, int(one[at]), when)
        second = _row(pool, period, int(other[at]), when)
        raise InputError(
            "tracking.rows_overlap", table.place(second, name), first=table.place(first).row, column=name
        )


def _row(pool: IntArray, period: IntArray, at: int, when: int) -> int:
    """The row of the table that speaks of a pool and period."""
    return int(np.flatnonzero((pool == at) & (period == when))[0])
