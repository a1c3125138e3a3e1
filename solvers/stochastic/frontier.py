"""The frontier between two goals: the most of the first for each level of the second."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from solvers.options import SolveOptions
from solvers.program import FloatArray, LinearProgram
from solvers.staged import Stage, solve_stages


@dataclass(frozen=True)
class Point:
    """The level asked of the second goal, what both reach, and the decision; None where none does."""

    asked: float
    first: float | None
    second: float | None
    x: FloatArray | None


def frontier(
    program: LinearProgram,
    first: Stage,
    second: Stage,
    levels: Sequence[float],
    options: SolveOptions | None = None,
) -> list[Point]:
    """For each level of the second goal the best of the first, then of the second (no point is dominated).

        best first(x) subject to second(x) >= level (a maximised goal; <= for a minimised one)

    Source: Haimes, Lasdon & Wismer 1971; Mavrotas 2009 (the second stage keeps points efficient).
    """
    return [_point(program, first, second, level, options) for level in levels]


def _point(
    program: LinearProgram, first: Stage, second: Stage, level: float, options: SolveOptions | None
) -> Point:
    row = sparse.csc_array(second.objective[None, :])
    at = level - second.offset
    limited = program.replace(
        matrix=sparse.csc_array(sparse.vstack([program.matrix, row], format="csc")),
        row_lower=np.append(program.row_lower, at if second.maximize else -np.inf),
        row_upper=np.append(program.row_upper, np.inf if second.maximize else at),
        row_blocks=(),
    )
    result = solve_stages(limited, [first, second], options)
    if result.x is None:
        return Point(level, None, None, None)
    return Point(level, first.value(result.x), second.value(result.x), result.x)
