"""Adapters that are wrong on purpose; a child process loads them as `broken_adapters:NAME`."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from solvers.highs import ADAPTERS as HIGHS
from solvers.options import SolveOptions
from solvers.program import LinearProgram
from solvers.registry import Capabilities
from solvers.result import Reason, SolveResult, Termination

Run = Callable[[LinearProgram, SolveOptions], SolveResult]


@dataclass(frozen=True)
class BrokenAdapter:
    """HiGHS with something broken behind it."""

    name: str
    answer: Run
    required_modules: tuple[str, ...] = ("highspy",)
    capabilities: Capabilities = HIGHS[0].capabilities

    def available(self) -> bool:
        """Always."""
        return True

    def version(self) -> str:
        """A broken one."""
        return "broken"

    def run(self, program: LinearProgram, options: SolveOptions) -> SolveResult:
        """Answer wrongly, or not at all."""
        return self.answer(program, options)


def _honest(program: LinearProgram, options: SolveOptions) -> SolveResult:
    return HIGHS[0].run(program, options)


def _wrong_values(program: LinearProgram, options: SolveOptions) -> SolveResult:
    result = _honest(program, options)
    return replace(result, x=result.values + 1.0)


def _poor_values(program: LinearProgram, options: SolveOptions) -> SolveResult:
    # Feasible, but the optimum of the opposite aim, still called optimal.
    result = _honest(program.replace(maximize=not program.maximize), options)
    return replace(result, duals=None, reduced_costs=None, bound=None)


def _wrong_status(program: LinearProgram, options: SolveOptions) -> SolveResult:
    return SolveResult("wrong-status", Termination(Reason.INFEASIBLE, detail="so it says"))


def _wrong_unbounded(program: LinearProgram, options: SolveOptions) -> SolveResult:
    return SolveResult("wrong-unbounded", Termination(Reason.UNBOUNDED, detail="so it says"))


def _exit(program: LinearProgram, options: SolveOptions) -> SolveResult:
    os._exit(7)


def _segfault(program: LinearProgram, options: SolveOptions) -> SolveResult:
    os.kill(os.getpid(), signal.SIGSEGV)
    return _honest(program, options)


def _hang(program: LinearProgram, options: SolveOptions) -> SolveResult:
    while True:
        time.sleep(1.0)


def _raise(program: LinearProgram, options: SolveOptions) -> SolveResult:
    raise ZeroDivisionError("as planned")


WRONG_VALUES = BrokenAdapter("wrong-values", _wrong_values)
POOR_VALUES = BrokenAdapter("poor-values", _poor_values)
WRONG_STATUS = BrokenAdapter("wrong-status", _wrong_status)
WRONG_UNBOUNDED = BrokenAdapter("wrong-unbounded", _wrong_unbounded)
EXIT = BrokenAdapter("exit", _exit)
SEGFAULT = BrokenAdapter("segfault", _segfault)
HANG = BrokenAdapter("hang", _hang)
RAISE = BrokenAdapter("raise", _raise)
