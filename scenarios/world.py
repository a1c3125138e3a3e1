"""The world of a compiled plan without what the planner wants: what follows from decisions that are made."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from optimizer.model.following import ROUNDING, settled
from solvers.conflict import RowGroup, least_repair
from solvers.curves import CurveTerm
from solvers.options import SolveOptions
from solvers.program import LinearProgram

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.int64]

WISHES = ("rules", "balance", "stay_near", "freeze")
"""Families that say what the planner wants; all others say what the world allows."""


def without_rules(program: LinearProgram) -> LinearProgram:
    """The program whose rows of wishes bind nothing; its shape stays."""
    lower, upper = program.row_lower.copy(), program.row_upper.copy()
    for block in program.row_blocks:
        if block.name in WISHES:
            lower[block.start : block.stop] = -np.inf
            upper[block.start : block.stop] = np.inf
    return program.replace(row_lower=lower, row_upper=upper)


def with_wishes(program: LinearProgram, asked: LinearProgram, num_cells: int) -> LinearProgram:
    """The program of `without_rules` in which the rows of wishes have the bounds of `asked` again, but for
    those about fixed columns alone: what is decided does not break a rule a second time.

    The first `num_cells` columns are sales, which are never decided.
    """
    wishes = np.zeros(program.num_rows, dtype=np.bool_)
    for block in program.row_blocks:
        wishes[block.start : block.stop] = block.name in WISHES
    decided = program.column_lower == program.column_upper
    decided[:num_cells] = False
    about = (program.matrix != 0).astype(np.int64)
    wishes &= about @ (~decided).astype(np.int64) > 0
    return program.replace(
        row_lower=np.where(wishes, asked.row_lower, program.row_lower),
        row_upper=np.where(wishes, asked.row_upper, program.row_upper),
    )


def follow_decisions(
    program: LinearProgram, curves: Sequence[CurveTerm], num_cells: int
) -> tuple[LinearProgram, tuple[CurveTerm, ...]]:
    """Put in what fixed columns determine: columns that equalities tie to them, and outputs of curves.

    Rows that are about decisions only bind nothing any more: whether the changed world would allow them is
    not asked. The first `num_cells` columns are sales, which are never tied. Gives the program and the curves
    whose input is still free.
    """
    program, left = settled(program, curves, num_cells)
    decided = program.column_lower == program.column_upper
    decided[:num_cells] = False
    about = (program.matrix != 0).astype(np.int64)
    alone = (about @ (~decided).astype(np.int64) == 0) & (about @ decided.astype(np.int64) > 0)
    lower, upper = np.where(alone, -np.inf, program.row_lower), np.where(alone, np.inf, program.row_upper)
    return program.replace(row_lower=lower, row_upper=upper), left


def possible(program: LinearProgram, options: SolveOptions) -> tuple[LinearProgram, float]:
    """The program whose rows give way as little as they must: wishes where that is enough, else the world
    first. Also the sum of relative violations."""
    wishes = _rows_of(program, WISHES)
    found = _given_way(program, wishes, options)
    if found is not None:
        return found
    world = widened(without_rules(program), options)
    lower, upper = world.row_lower.copy(), world.row_upper.copy()
    lower[wishes], upper[wishes] = program.row_lower[wishes], program.row_upper[wishes]
    again = world.replace(row_lower=lower, row_upper=upper)
    return _given_way(again, wishes, options) or (world, np.inf)


def widened(program: LinearProgram, options: SolveOptions) -> LinearProgram:
    """The program whose rows give way by the least sum of relative violations that makes a plan possible."""
    found = _given_way(program, np.arange(program.num_rows), options)
    return program if found is None else found[0]


def _rows_of(program: LinearProgram, names: Sequence[str]) -> IntArray:
    blocks = [block for block in program.row_blocks if block.name in names]
    return np.concatenate([np.zeros(0, np.int64), *(np.arange(one.start, one.stop) for one in blocks)])


def _given_way(
    program: LinearProgram, rows: IntArray, options: SolveOptions
) -> tuple[LinearProgram, float] | None:
    """The program in which some of these rows give way, and by how much in all; None where that is not
    enough."""
    bounds = np.stack([program.row_lower, program.row_upper])
    sizes = np.abs(np.where(np.isfinite(bounds), bounds, 0.0)).max(axis=0)
    rows = rows[np.isfinite(bounds[:, rows]).any(axis=0)]
    group = RowGroup("rows", rows, np.maximum(sizes[rows], 1.0))
    plain = SolveOptions(time_limit=options.time_limit, threads=options.threads, seed=options.seed)
    found = least_repair(program, [group], plain)
    if found.total is None:
        return None
    lower, upper = program.row_lower.copy(), program.row_upper.copy()
    for change in found.changes:
        room = ROUNDING * group.scale
        lower[rows] -= np.where(change.lower_by > 0, change.lower_by + room, 0.0)
        upper[rows] += np.where(change.upper_by > 0, change.upper_by + room, 0.0)
    return program.replace(row_lower=lower, row_upper=upper), found.total
