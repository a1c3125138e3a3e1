"""GLOP, PDLP, SCIP and CP-SAT through OR-Tools MathOpt: one message there, one message back."""

from __future__ import annotations

import importlib.metadata
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from solvers.bounds import answer_crossed
from solvers.errors import (
    InvalidOptionError,
    UnavailableSolverError,
    UnsupportedRequestError,
)
from solvers.mathopt_call import LogCallback, run_native
from solvers.mathopt_proto import fill_start, model_message, read_result
from solvers.options import SolveOptions
from solvers.program import LinearProgram
from solvers.registry import Adapter, Capabilities, modules_present
from solvers.result import SolveResult
from solvers.whole import to_integers

if TYPE_CHECKING:
    from solvers.glop_model import GlopModel


@dataclass(frozen=True)
class MathOptAdapter:
    """A solver of OR-Tools: `native` is its name in MathOpt and `settings` the field of its own options,
    which is what `raw` fills (nested mappings where the message nests)."""

    name: str
    native: str
    settings: str
    capabilities: Capabilities
    methods: tuple[str, ...] = ("auto",)
    required_modules: tuple[str, ...] = ("ortools",)

    def available(self) -> bool:
        """Whether OR-Tools is installed, asked without importing it."""
        return modules_present(self.required_modules)

    def version(self) -> str:
        """The version of OR-Tools; raises `UnavailableSolverError`."""
        if not self.available():
            raise UnavailableSolverError(f"{self.name} needs the package ortools")
        return f"OR-Tools {importlib.metadata.version('ortools')}"

    def run(self, program: LinearProgram, options: SolveOptions) -> SolveResult:
        """Solve; raises `InvalidOptionError`, `UnsupportedRequestError` and `NativeSolverError`."""
        from ortools.math_opt import callback_pb2, model_parameters_pb2, parameters_pb2
        from ortools.math_opt.core.python import solver

        crossed = answer_crossed(self.name, program)
        if crossed is not None:
            return crossed
        model, start = model_message(program), model_parameters_pb2.ModelSolveParametersProto()
        fill_start(start, program, options)
        code = parameters_pb2.SolverTypeProto.Value(f"SOLVER_TYPE_{self.native}")
        first = (model, code, parameters_pb2.SolverInitializerProto(), self.parameters(options), start)

        def call(log: LogCallback | None, interrupter: Any) -> Any:
            return solver.solve(*first, log, callback_pb2.CallbackRegistrationProto(), None, interrupter)

        return read_result(self.name, program, options, run_native(call, options))

    def parameters(self, options: SolveOptions) -> Any:
        """Our options as a SolveParametersProto; raises `InvalidOptionError`, `UnsupportedRequestError`."""
        from google.protobuf import json_format
        from ortools.math_opt import parameters_pb2

        if options.method not in self.methods:
            raise UnsupportedRequestError(f"{self.name} has no method {options.method!r}; highs and cbc have")
        message = parameters_pb2.SolveParametersProto(threads=options.threads)
        if options.time_limit is not None:
            message.time_limit.FromNanoseconds(round(options.time_limit * 1e9))
        if options.gap is not None and self.capabilities.mip:
            message.relative_gap_tolerance = options.gap
        if self.native != "PDLP":  # The only one without any randomness.
            message.random_seed = options.seed
        settings = getattr(message, self.settings)
        _set_tolerances(self.native, settings, options)
        try:
            json_format.ParseDict(dict(options.raw), settings)
        except json_format.ParseError as error:
            raise InvalidOptionError(
                f"{self.name} rejects an option: {str(error).partition(' Avail')[0]}"
            ) from error
        return message


class GlopAdapter(MathOptAdapter):
    """Google's simplex code, which can keep a model and change it."""

    def open(self, program: LinearProgram, options: SolveOptions) -> GlopModel:
        """Hand the program over and keep the native model."""
        from solvers.glop_model import GlopModel

        return GlopModel(self, program)


class CpSatAdapter(MathOptAdapter):
    """CP-SAT counts in integers, takes every column for a whole number and says OPTIMAL all the same.

    Hence it gets bounded whole-number programs only, scaled to integers without rounding.
    """

    def run(self, program: LinearProgram, options: SolveOptions) -> SolveResult:
        """Solve; raises `UnsupportedRequestError` for what cannot be written in integers exactly."""
        integers = to_integers(program, self.name)
        exact = {"mip_max_bound": integers.largest_bound, "mip_max_activity_exponent": 62}
        result = super().run(integers.program, replace(options, raw={**exact, **options.raw}))
        bound = None if result.bound is None else result.bound / integers.objective_factor
        return replace(result, bound=bound)


def _set_tolerances(native: str, settings: Any, options: SolveOptions) -> None:
    """Tolerances under the solver's own names; CP-SAT needs none, because it counts in integers."""
    given = {"primal": options.feasibility_tolerance, "dual": options.optimality_tolerance}
    asked = {side: tolerance for side, tolerance in given.items() if tolerance is not None}
    for side, tolerance in asked.items():
        if native == "GLOP":
            setattr(settings, f"{side}_feasibility_tolerance", tolerance)
        elif native == "GSCIP":
            settings.real_params["numerics/feastol" if side == "primal" else "numerics/dualfeastol"] = (
                tolerance
            )
    if native == "PDLP" and asked:
        criteria = settings.termination_criteria.simple_optimality_criteria
        criteria.eps_optimal_absolute = criteria.eps_optimal_relative = min(asked.values())


_LP = Capabilities(
    lp=True, continuous=True, duals=True, bound=True, warm_start=True, log_lines=True, interruption=True
)
_MIP = replace(_LP, mip=True, duals=False)

ADAPTERS: tuple[Adapter, ...] = (
    GlopAdapter("glop", "GLOP", "glop", replace(_LP, update=True), ("auto", "simplex")),
    MathOptAdapter("pdlp", "PDLP", "pdlp", replace(_LP, warm_start=False)),
    MathOptAdapter("scip", "GSCIP", "gscip", _MIP),
    CpSatAdapter("cp-sat", "CP_SAT", "cp_sat", replace(_MIP, lp=False, continuous=False)),
)
