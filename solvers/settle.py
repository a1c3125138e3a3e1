"""Infeasible or unbounded? Many solvers leave it open; whether any plan exists tells which."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from solvers.options import SolveOptions
from solvers.program import LinearProgram
from solvers.result import Reason, SolveResult, Termination

Run = Callable[[LinearProgram, SolveOptions], SolveResult]


def settle(program: LinearProgram, options: SolveOptions, result: SolveResult, run: Run) -> SolveResult:
    """The result with INFEASIBLE_OR_UNBOUNDED made one of the two where the same solver can tell.

    The program without its objective is solved in what is left of the time limit: a program with a verified
    plan is not infeasible, hence unbounded. Any other result comes back as it is.
    """
    if result.termination.reason is not Reason.INFEASIBLE_OR_UNBOUNDED:
        return result
    limit = options.time_limit
    left = None if limit is None else max(0.0, limit - result.seconds)
    plain = replace(
        options,
        time_limit=left,
        progress=None,
        ranging=False,
        basis=False,
        start_basis=None,
        start_values=None,
    )
    aimless = program.replace(objective=np.zeros_like(program.objective), offset=0.0)
    probe = run(aimless, plain)
    if probe.has_solution:
        return _settled(
            result, Reason.UNBOUNDED, "a plan exists, as a second solve without the objective shows"
        )
    if probe.termination.reason is Reason.INFEASIBLE:
        return _settled(
            result, Reason.INFEASIBLE, "no plan exists, as a second solve without the objective shows"
        )
    return result


def _settled(result: SolveResult, reason: Reason, note: str) -> SolveResult:
    termination = Termination(reason, detail=result.termination.detail)
    return replace(result, termination=termination, notes=(*result.notes, note))
