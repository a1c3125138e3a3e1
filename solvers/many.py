"""Many programs of one shape, each started from the optimum of the same first one.

Answers do not depend on the order in which programs come, nor on which process solves them.
"""

from __future__ import annotations

from dataclasses import replace

from solvers.options import SolveOptions
from solvers.program import LinearProgram
from solvers.registry import get_usable
from solvers.result import Reason, SolveResult
from solvers.scaling import TameProgram, tame
from solvers.solving import check_request, solve
from solvers.verify import verify


class ManyPrograms:
    """A first program, and others of its shape."""

    def __init__(
        self, first: LinearProgram, options: SolveOptions | None = None, solver: str = "highs"
    ) -> None:
        """Solves the first program; raises like `solve`."""
        self._adapter, self._solver = get_usable(solver), solver
        self._options = options or SolveOptions()
        check_request(self._adapter, first, self._options)
        self._scaling = tame(first).scaling
        self.first = solve(first, replace(self._options, basis=not first.is_mip), solver)
        basis = self.first.basis
        warm = self._options if basis is None else replace(self._options, method="simplex", start_basis=basis)
        self._warm, self._has_start = warm, basis is not None

    def solve(self, program: LinearProgram) -> SolveResult:
        """The verified answer of a program of the same shape; warm where that ends well, else cold."""
        if not self._has_start:
            return solve(program, self._options, self._solver)
        scaled = program if self._scaling is None else self._scaling.program(program)
        result = self._adapter.run(scaled, self._warm)
        if result.termination.reason is Reason.OPTIMAL:
            own = result if self._scaling is None else self._scaling.result(result)
            checked = verify(program, own, TameProgram(scaled, self._scaling))
            if checked.is_optimal and checked.duals is not None:
                return checked
        return solve(program, self._options, self._solver)
