"""Bounds that contradict each other; solvers answer them by an error, by a wrong optimum or by the truth."""

from __future__ import annotations

import numpy as np

from solvers.program import LinearProgram
from solvers.result import Reason, SolveResult, Termination


def answer_crossed(solver: str, program: LinearProgram) -> SolveResult | None:
    """INFEASIBLE when a lower bound is above its upper bound, with the place; else None."""
    sides = (
        ("row", program.row_lower, program.row_upper),
        ("column", program.column_lower, program.column_upper),
    )
    for kind, lower, upper in sides:
        crossed = np.flatnonzero(lower > upper)
        if crossed.size:
            place = int(crossed[0])
            detail = (
                f"{kind} {place} has its lower bound {lower[place]:g} above its upper bound {upper[place]:g}"
            )
            return SolveResult(solver, Termination(Reason.INFEASIBLE, detail=detail))
    return None
