"""The commercial solvers that PuLP can drive, each usable only where its library and a licence are."""

from __future__ import annotations

import functools
import importlib.metadata
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from solvers.bounds import answer_crossed
from solvers.errors import (
    InvalidOptionError,
    NativeSolverError,
    UnavailableSolverError,
    UnsupportedRequestError,
)
from solvers.options import SolveOptions
from solvers.program import LinearProgram
from solvers.pulp_model import fill_problem
from solvers.registry import Adapter, Capabilities, modules_present
from solvers.result import SolveResult

_SECONDS_TO_ANSWER = 60.0
_TRIAL = """
import sys, warnings
warnings.simplefilter("ignore")
import pulp
problem = pulp.LpProblem("trial", pulp.LpMinimize)
column = problem.add_variable("column", 1, 3)
problem += column
problem += column >= 2
problem.solve(pulp.getSolver(sys.argv[1], msg=False))
sys.exit(0 if abs((column.value() or 0) - 2) < 1e-6 else 1)
"""
_CAPABILITIES = Capabilities(lp=True, mip=True, continuous=True, duals=True)


@dataclass(frozen=True)
class PulpAdapter:
    """A solver behind PuLP: `pulp_name` is its class there; `own_options` are its words for threads, seed,
    tolerances and, where PuLP's `gapRel` does not reach it, gap; `nested` makes the value of PuLP's argument
    `options`, where own options are no arguments of their own."""

    name: str
    pulp_name: str
    required_modules: tuple[str, ...]
    own_options: Mapping[str, str]
    nested: Callable[[dict[str, Any]], Any] | None = None
    capabilities: Capabilities = _CAPABILITIES

    def available(self) -> bool:
        """Whether the library is installed and solves a trial model, so that its licence holds."""
        return modules_present(self.required_modules) and _solves_trial(self.pulp_name)

    def version(self) -> str:
        """The library's version and PuLP's; raises `UnavailableSolverError`."""
        if not modules_present(self.required_modules):
            raise UnavailableSolverError(f"{self.name} needs {', '.join(self.required_modules)}")
        library = importlib.metadata.version(self.required_modules[-1])
        return f"{library} (PuLP {importlib.metadata.version('pulp')})"

    def run(self, program: LinearProgram, options: SolveOptions) -> SolveResult:
        """Solve through PuLP; raises `InvalidOptionError`, `UnsupportedRequestError`, `NativeSolverError`."""
        import pulp

        started = time.perf_counter()
        crossed = answer_crossed(self.name, program)
        if crossed is not None:
            return crossed
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            problem = pulp.LpProblem("model", pulp.LpMinimize)
            native_model = fill_problem(problem, program)
            try:
                native = pulp.getSolver(self.pulp_name, msg=False, **self._arguments(options))
                problem.solve(native)
            except (TypeError, KeyError, ValueError, AttributeError) as error:
                kind = InvalidOptionError if options.raw else NativeSolverError
                raise kind(f"{self.name} failed: {error}") from error
            except pulp.PulpSolverError as error:
                raise NativeSolverError(f"{self.name} failed: {error}") from error
        result = native_model.result(self.name, options)
        return replace(result, seconds=time.perf_counter() - started)

    def _arguments(self, options: SolveOptions) -> dict[str, Any]:
        if options.method != "auto":
            raise UnsupportedRequestError(f"{self.name} has no method {options.method!r}; highs and cbc have")
        given = {
            "threads": options.threads,
            "seed": options.seed,
            "feasibility": options.feasibility_tolerance,
            "optimality": options.optimality_tolerance,
            "gap": options.gap,
        }
        names = self.own_options
        own = {names[key]: value for key, value in given.items() if value is not None and key in names}
        own |= options.raw
        arguments: dict[str, Any] = {"options": self.nested(own)} if self.nested else own
        if options.time_limit is not None:
            arguments["timeLimit"] = options.time_limit
        if options.gap is not None and "gap" not in names:
            arguments["gapRel"] = options.gap
        return arguments


@functools.cache
def _solves_trial(pulp_name: str) -> bool:
    """Ask in a process of its own, because a missing licence may end the process that asks."""
    command = [sys.executable, "-c", _TRIAL, pulp_name]
    try:
        run = subprocess.run(command, capture_output=True, timeout=_SECONDS_TO_ANSWER, check=False)
    except subprocess.TimeoutExpired:
        return False
    return run.returncode == 0


ADAPTERS: tuple[Adapter, ...] = (
    PulpAdapter(
        "gurobi",
        "GUROBI",
        ("pulp", "gurobipy"),
        {
            "threads": "Threads",
            "seed": "Seed",
            "feasibility": "FeasibilityTol",
            "optimality": "OptimalityTol",
        },
    ),
    PulpAdapter(
        "cplex",
        "CPLEX_PY",
        ("pulp", "cplex"),
        {
            "threads": "threads",
            "seed": "randomseed",
            "feasibility": "simplex.tolerances.feasibility",
            "optimality": "simplex.tolerances.optimality",
        },
    ),
    PulpAdapter(
        "xpress",
        "XPRESS_PY",
        ("pulp", "xpress"),
        {"threads": "THREADS", "seed": "RANDOMSEED", "feasibility": "FEASTOL", "optimality": "OPTIMALITYTOL"},
        nested=lambda own: list(own.items()),
    ),
    PulpAdapter(
        "copt",
        "COPT",
        ("pulp", "coptpy"),
        {"threads": "Threads", "feasibility": "FeasTol", "optimality": "DualTol"},
    ),
    PulpAdapter(
        "mosek",
        "MOSEK",
        ("pulp", "mosek"),
        {
            "threads": "MSK_IPAR_NUM_THREADS",
            "seed": "MSK_IPAR_MIO_SEED",
            "gap": "MSK_DPAR_MIO_TOL_REL_GAP",
            "feasibility": "MSK_DPAR_BASIS_TOL_X",
            "optimality": "MSK_DPAR_BASIS_TOL_S",
        },
        nested=dict,
    ),
)
