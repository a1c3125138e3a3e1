"""Solves of auxiliary programs: no scaling, because they are scaled, and no verification, because only the
answer on the true curves is verified and shown."""

from __future__ import annotations

import threading
from dataclasses import replace

from solvers.method import choose_method
from solvers.options import SolveOptions
from solvers.program import LinearProgram
from solvers.registry import get_usable
from solvers.result import SolveResult
from solvers.settle import settle
from solvers.solving import check_request, decide_at_sight


class EitherEvent(threading.Event):
    """Set by itself or by another event."""

    def __init__(self, other: threading.Event | None) -> None:
        """`other` may be None."""
        super().__init__()
        self._other = other

    def is_set(self) -> bool:
        """Whether one of the two is set."""
        return super().is_set() or (self._other is not None and self._other.is_set())


def run(program: LinearProgram, options: SolveOptions, solver: str) -> SolveResult:
    """The solver's own answer, with the objective recomputed from its values. Raises like `solving.solve`."""
    known = decide_at_sight(solver, program)
    if known is not None:
        return known
    adapter = get_usable(solver)
    check_request(adapter, program, options)

    def once(one: LinearProgram, how: SolveOptions) -> SolveResult:
        result = adapter.run(one, choose_method(one, how, adapter.capabilities))
        return result if result.x is None else replace(result, objective_value=one.value(result.x))

    return settle(program, options, once(program, options), once)
