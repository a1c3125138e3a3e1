"""Solves of auxiliary programs: no scaling, because they are scaled, and no verification, because only the
answer on the true curves is verified and shown."""

from __future__ import annotations

from dataclasses import replace

from solvers.method import choose_method
from solvers.options import SolveOptions
from solvers.program import LinearProgram
from solvers.registry import get_usable
from solvers.result import SolveResult
from solvers.solving import decide_at_sight


def run(program: LinearProgram, options: SolveOptions, solver: str) -> SolveResult:
    """The solver's own answer, with the objective recomputed from its values."""
    known = decide_at_sight(solver, program)
    if known is not None:
        return known
    adapter = get_usable(solver)
    result = adapter.run(program, choose_method(program, options, adapter.capabilities))
    return result if result.x is None else replace(result, objective_value=program.value(result.x))
