"""HiGHS through highspy: arrays straight into the library, answers straight back."""

from __future__ import annotations

import importlib.metadata
import os
import threading
import time
from dataclasses import replace
from typing import Any

import numpy as np

from solvers.errors import InvalidOptionError, NativeSolverError, UnavailableSolverError
from solvers.highs_patches import HighsPatches
from solvers.highs_status import TERMINATIONS
from solvers.highs_watch import Watch
from solvers.options import SolveOptions
from solvers.program import LinearProgram
from solvers.registry import Adapter, Capabilities, modules_present
from solvers.result import Reason, SolveResult, Termination

_FEASIBLE = 2
_DUAL, _PRIMAL = 1, 4
"""HiGHS's codes of its simplex methods."""
_thread_state = threading.local()


class HighsModel(HighsPatches):
    """A model inside HiGHS that can be changed and solved again."""

    def __init__(self, program: LinearProgram) -> None:
        """Hand the arrays over; HiGHS keeps its own copy of them."""
        import highspy

        self._library = highspy
        self._highs = highspy.Highs()
        self._is_mip = program.is_mip
        self._bounds = (program.row_lower, program.row_upper)
        self._set("output_flag", False)
        matrix = program.matrix
        self._check(
            self._highs.passModel(
                *(program.num_columns, program.num_rows, matrix.nnz, int(highspy.MatrixFormat.kColwise)),
                *(-1 if program.maximize else 1, program.offset, program.objective),
                *(program.column_lower, program.column_upper, program.row_lower, program.row_upper),
                *(matrix.indptr.astype(np.int32, copy=False), matrix.indices.astype(np.int32, copy=False)),
                *(matrix.data, program.integer.astype(np.int32)),
            ),
            "take the model",
        )

    def solve(self, options: SolveOptions) -> SolveResult:
        """Solve from the basis or incumbent that the model holds."""
        started = time.perf_counter()
        self._set_options(options)
        if options.start_basis is not None or options.start_values is not None:
            self.start_from(options.start_basis, options.start_values)
        watch = Watch(options, self._library.cb.HighsCallbackType.__members__)
        self._listen(watch)
        self._run(options.threads)
        if (
            options.ranging
            and not self._is_mip
            and options.method != "simplex"
            and self._status_name() == "kOptimal"
        ):
            # Ranging reads a simplex factorisation, which interior point leaves behind only after a rerun.
            self._set("solver", "simplex")
            self._run(options.threads)
        notes = self._again_without_presolve(options, started)
        watch.raise_caught()
        return replace(self._result(options, time.perf_counter() - started), notes=notes)

    def _again_without_presolve(self, options: SolveOptions, started: float) -> tuple[str, ...]:
        """Solve a MIP again whose presolve came to an answer that HiGHS itself refused afterwards."""
        # HiGHS 1.13 presolves `a (x1 + x2) = b` in whole numbers away although no whole numbers meet it.
        refused = self._is_mip and self._status_name() == "kSolveError"
        if not refused or options.raw.get("presolve") == "off":
            return ()
        if options.time_limit is not None:
            self._set("time_limit", max(0.0, options.time_limit - (time.perf_counter() - started)))
        self._set("presolve", "off")
        self._run(options.threads)
        self._set("presolve", options.raw.get("presolve", "choose"))
        return ("solved again without presolve, whose answer HiGHS itself refused",)

    def _set_options(self, options: SolveOptions) -> None:
        # HiGHS counts the seconds of all runs of an object against the limit of an LP, but not of a MIP.
        spent = 0.0 if self._is_mip else self._highs.getRunTime()
        limit = self._library.kHighsInf if options.time_limit is None else options.time_limit + spent
        settings: dict[str, Any] = {
            "threads": options.threads,
            "random_seed": options.seed,
            "time_limit": limit,
            "output_flag": options.log is not None,
            "log_to_console": False,
            # HiGHS 1.13 hands lines to the callback only where it also writes them somewhere.
            "log_file": os.devnull if options.log is not None else "",
        }
        # On a MIP the option `solver` would silently drop the whole numbers in some versions of HiGHS.
        method = {"auto": "choose", "simplex": "simplex", "interior_point": "ipm"}[options.method]
        settings["mip_lp_solver" if self._is_mip else "solver"] = method
        # HiGHS takes dual simplex unless told, also from a basis that only the primal one can use.
        primal = options.start_is_feasible and options.start_basis is not None
        settings["simplex_strategy"] = _PRIMAL if primal else _DUAL
        if options.gap is not None:
            settings |= {"mip_rel_gap": options.gap, "mip_abs_gap": min(1e-6, options.gap)}
        if options.feasibility_tolerance is not None:
            for name in ("primal_feasibility_tolerance", "mip_feasibility_tolerance"):
                settings[name] = options.feasibility_tolerance
        if options.optimality_tolerance is not None:
            settings["dual_feasibility_tolerance"] = options.optimality_tolerance
        for name, value in (*settings.items(), *options.raw.items()):
            self._set(name, value)

    def _set(self, name: str, value: Any) -> None:
        if self._highs.setOptionValue(name, value) != self._library.HighsStatus.kOk:
            raise InvalidOptionError(f"HiGHS rejects the option {name} = {value!r}")

    def _listen(self, watch: Watch) -> None:
        kinds = watch.kinds()
        self._check(self._highs.setCallback(watch if kinds else None, None), "take callbacks")
        for kind in kinds:
            native = getattr(self._library.cb.HighsCallbackType, kind)
            self._check(self._highs.startCallback(native), "start a callback")

    def _run(self, threads: int) -> None:
        if getattr(_thread_state, "threads", None) != threads:
            # HiGHS keeps one pool of workers per thread of ours and refuses another size until it is reset.
            self._highs.resetGlobalScheduler(True)
            _thread_state.threads = threads
        failed = self._highs.run() == self._library.HighsStatus.kError
        if failed and self._status_name() == "kNotset":
            _thread_state.threads = None
            raise NativeSolverError(
                "HiGHS gave up: its options or the size of the numbers trouble it (see its log)"
            )

    def _status_name(self) -> str:
        return str(self._highs.getModelStatus().name)

    def _result(self, options: SolveOptions, seconds: float) -> SolveResult:
        info, solution = self._highs.getInfo(), self._highs.getSolution()
        reason, limit = TERMINATIONS.get(self._status_name(), (Reason.OTHER, None))
        words = self._highs.modelStatusToString(self._highs.getModelStatus())
        x = np.array(solution.col_value) if info.primal_solution_status == _FEASIBLE else None
        proved = reason is Reason.OPTIMAL and info.dual_solution_status == _FEASIBLE and not self._is_mip
        bound = info.mip_dual_bound if self._is_mip and np.isfinite(info.mip_dual_bound) else None
        simplex, interior = info.simplex_iteration_count, info.ipm_iteration_count
        return SolveResult(
            solver="highs",
            termination=Termination(reason, limit, words),
            x=x,
            bound=bound,
            duals=np.array(solution.row_dual) if proved else None,
            reduced_costs=np.array(solution.col_dual) if proved else None,
            ranges=self.ranges(np.array(solution.row_value)) if proved and options.ranging else None,
            basis=self.basis() if options.basis else None,
            seconds=seconds,
            iterations=int(simplex + max(interior, 0)) if simplex >= 0 else None,
            nodes=int(info.mip_node_count) if self._is_mip else None,
            method="mip" if self._is_mip else "interior_point" if interior > 0 else "simplex",
        )


class HighsAdapter:
    """The default solver: LP and MIP, simplex and interior point."""

    name = "highs"
    required_modules = ("highspy",)
    capabilities = Capabilities(
        **dict.fromkeys(("lp", "mip", "continuous", "simplex", "interior_point", "duals", "ranging"), True),
        **dict.fromkeys(("bound", "warm_start", "update", "log_lines", "interruption", "progress"), True),
    )

    def available(self) -> bool:
        """Whether highspy is installed."""
        return modules_present(self.required_modules)

    def version(self) -> str:
        """highspy's version."""
        if not self.available():
            raise UnavailableSolverError("highs needs the package highspy")
        return importlib.metadata.version("highspy")

    def open(self, program: LinearProgram, options: SolveOptions) -> HighsModel:
        """Hand the program over and keep the native model."""
        return HighsModel(program)

    def run(self, program: LinearProgram, options: SolveOptions) -> SolveResult:
        """Hand over, solve, read back."""
        return self.open(program, options).solve(options)


ADAPTERS: tuple[Adapter, ...] = (HighsAdapter(),)
