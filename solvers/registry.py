"""Which solvers there are, what each can do, and how to reach one by its name."""

from __future__ import annotations

import difflib
import importlib
import importlib.util
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from solvers.errors import UnavailableSolverError, UnknownSolverError
from solvers.options import SolveOptions
from solvers.program import FloatArray, IntArray, LinearProgram
from solvers.result import Basis, SolveResult


@dataclass(frozen=True)
class Capabilities:
    """What a solver can do. Everything is "no" until an adapter says yes.

    `lp`, `mip`: kinds of program; `continuous`: takes columns that are not whole; `simplex`,
    `interior_point`: has both to choose from by the option `method`; `duals`, `ranging`,
    `bound`: what comes back; `warm_start`: uses a basis or an incumbent; `update`: the adapter has `open`,
    so that a session can patch the native model; `log_lines`, `progress`, `interruption`: the callbacks
    and the event of the options work while the solver runs.
    """

    lp: bool = False
    mip: bool = False
    continuous: bool = False
    simplex: bool = False
    interior_point: bool = False
    duals: bool = False
    ranging: bool = False
    bound: bool = False
    warm_start: bool = False
    update: bool = False
    log_lines: bool = False
    interruption: bool = False
    progress: bool = False


@runtime_checkable
class Adapter(Protocol):
    """One solver: translate, run, translate back. No policy, no verification."""

    @property
    def name(self) -> str:
        """Our name for the solver."""
        ...

    @property
    def required_modules(self) -> tuple[str, ...]:
        """Modules that must be installed."""
        ...

    @property
    def capabilities(self) -> Capabilities:
        """What it can do."""
        ...

    def available(self) -> bool:
        """Whether the solver can be used here, asked without importing its library."""
        ...

    def version(self) -> str:
        """The library's version; raises `UnavailableSolverError` when it is not there."""
        ...

    def run(self, program: LinearProgram, options: SolveOptions) -> SolveResult:
        """Solve as asked; raises `InvalidOptionError` for a rejected option, `NativeSolverError` for a
        failure of the library."""
        ...


class NativeModel(Protocol):
    """A built model inside a solver's library. A change that it cannot take raises
    `UnsupportedRequestError` with the reason, and the session rebuilds."""

    def solve(self, options: SolveOptions) -> SolveResult:
        """Solve the model as it is now, from the basis or incumbent that it holds."""
        ...

    def change_objective(self, objective: FloatArray, maximize: bool, offset: float) -> None:
        """Replace the costs (n,), the sense and the constant."""
        ...

    def change_column_bounds(self, lower: FloatArray, upper: FloatArray) -> None:
        """Replace the bounds of all columns, each (n,)."""
        ...

    def change_row_bounds(self, lower: FloatArray, upper: FloatArray) -> None:
        """Replace the bounds of all rows, each (m,)."""
        ...

    def change_coefficients(self, rows: IntArray, columns: IntArray, values: FloatArray) -> None:
        """Set single coefficients, given as three arrays of one length."""
        ...

    def add_row(self, columns: IntArray, values: FloatArray, lower: float, upper: float) -> None:
        """Append the row lower <= values @ x[columns] <= upper and keep the basis."""
        ...

    def basis(self) -> Basis | None:
        """The basis that the model holds, or None."""
        ...

    def start_from(self, basis: Basis | None, x: FloatArray | None) -> None:
        """Start the next solve from this basis (LP) and these values (MIP), or cold if both are None."""
        ...


@runtime_checkable
class UpdatableAdapter(Adapter, Protocol):
    """An adapter with the capability `update`."""

    def open(self, program: LinearProgram, options: SolveOptions) -> NativeModel:
        """Hand the program over and keep the native model."""
        ...


MODULES: dict[str, str] = {
    "highs": "solvers.highs",
    "cbc": "solvers.cbc",
    "glop": "solvers.mathopt",
    "pdlp": "solvers.mathopt",
    "scip": "solvers.mathopt",
    "cp-sat": "solvers.mathopt",
    "gurobi": "solvers.commercial",
    "cplex": "solvers.commercial",
    "xpress": "solvers.commercial",
    "copt": "solvers.commercial",
    "mosek": "solvers.commercial",
}

_extra: dict[str, Adapter] = {}


def names() -> tuple[str, ...]:
    """Names of all known solvers, usable here or not, in the order of preference."""
    return tuple(dict.fromkeys((*MODULES, *_extra)))


def get(name: str) -> Adapter:
    """The adapter of this name; raises `UnknownSolverError` with the nearest name."""
    if name in _extra:
        return _extra[name]
    if name not in MODULES:
        near = difflib.get_close_matches(name.lower(), names(), n=1, cutoff=0.5)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise UnknownSolverError(f"there is no solver {name!r}{hint} (known: {', '.join(names())})")
    module = importlib.import_module(MODULES[name])
    adapters: tuple[Adapter, ...] = module.ADAPTERS
    return next(adapter for adapter in adapters if adapter.name == name)


def get_usable(name: str) -> Adapter:
    """Like `get`; raises `UnavailableSolverError` when the solver cannot be used on this machine."""
    adapter = get(name)
    if not adapter.available():
        needed = ", ".join(adapter.required_modules)
        raise UnavailableSolverError(
            f"{name} cannot be used here: it needs {needed} (and a licence, if sold)"
        )
    return adapter


def available() -> tuple[str, ...]:
    """Names of the solvers that can be used on this machine."""
    return tuple(name for name in names() if get(name).available())


def register(adapter: Adapter) -> None:
    """Add an adapter from outside the package, or replace one of that name, for this process."""
    _extra[adapter.name] = adapter


def unregister(name: str) -> None:
    """Remove an adapter that `register` added; unknown names are ignored."""
    _extra.pop(name, None)


def modules_present(modules: tuple[str, ...]) -> bool:
    """Whether every module can be found; only the top-level package is looked up, nothing is imported."""
    return all(importlib.util.find_spec(module.partition(".")[0]) is not None for module in modules)
