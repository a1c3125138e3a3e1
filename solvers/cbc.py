"""CBC, by the binary that PuLP ships: the model goes by MPS file and full-precision values come back.

PuLP's object model takes a Python object for every coefficient, and its reader keeps eight digits and fills
in values where there is no solution, so only the binary is used.
"""

from __future__ import annotations

import importlib.metadata
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from solvers.bounds import answer_crossed
from solvers.cbc_files import CbcLog, CbcValues, read_log, read_progress, read_values, write_model
from solvers.cbc_process import run_process
from solvers.errors import InvalidOptionError, NativeSolverError, UnavailableSolverError
from solvers.options import SolveOptions
from solvers.program import LinearProgram
from solvers.registry import Adapter, Capabilities, modules_present
from solvers.result import Limit, Reason, SolveResult, Termination

_LIMITS = (("time", Limit.TIME), ("node", Limit.NODES), ("iterations", Limit.ITERATIONS))


class CbcAdapter:
    """The branch-and-cut solver of COIN-OR; its LPs go to Clp."""

    name = "cbc"
    required_modules = ("pulp",)
    capabilities = Capabilities(
        lp=True, mip=True, continuous=True, duals=True, bound=True, log_lines=True, interruption=True,
        progress=True,
    )  # fmt: skip

    def available(self) -> bool:
        """Whether PuLP is installed, asked without importing it."""
        return modules_present(self.required_modules)

    def version(self) -> str:
        """CBC's version and the PuLP that ships it; raises `UnavailableSolverError`."""
        run = subprocess.run([str(_binary()), "-quit"], capture_output=True, text=True, check=False)
        found = re.search(r"Version: (\S+)", run.stdout)
        return f"{found[1] if found else 'unknown'} (PuLP {importlib.metadata.version('pulp')})"

    def run(self, program: LinearProgram, options: SolveOptions) -> SolveResult:
        """Solve in a process of CBC; raises `InvalidOptionError` and `NativeSolverError`."""
        started = time.perf_counter()
        if crossed := answer_crossed(self.name, program):
            return crossed
        with tempfile.TemporaryDirectory(prefix="cbc-") as folder:
            model, saved, status = (Path(folder) / name for name in ("model.mps", "values.bin", "status.txt"))
            write_model(program, model)
            command = [str(_binary()), str(model), *_arguments(program, options)]
            lines = _run([*command, "-solution", str(status), "-saveSolution", str(saved)], program, options)
            log = read_log(program, lines)
            if saved.exists() and status.exists():
                if log.rejected:
                    raise InvalidOptionError(f"cbc rejected an option: {log.rejected}")
                words = status.read_text().partition("\n")[0]
                termination = _termination(program, options, words, log)
                values = read_values(program, saved) if _has_solution(program, termination, words) else None
                return _result(program, termination, values, log, time.perf_counter() - started)
        if options.interrupt is not None and options.interrupt.is_set():
            return SolveResult("cbc", Termination(Reason.INTERRUPTED, detail="ended without an answer"))
        raise NativeSolverError(f"cbc ended without an answer: {' '.join(lines[-3:])}")


def _binary() -> Path:
    """PuLP's CBC for this machine; raises `UnavailableSolverError`."""
    try:
        from pulp.apis.coin_api import pulp_cbc_path
    except ImportError as error:
        raise UnavailableSolverError("cbc needs the package pulp with its bundled CBC") from error
    path = Path(pulp_cbc_path + (".exe" if sys.platform == "win32" else "")).resolve()
    if not path.exists():
        raise UnavailableSolverError(f"pulp ships no CBC for this machine ({path.parent.name})")
    return path


def _arguments(program: LinearProgram, options: SolveOptions) -> list[str]:
    """The command line; CBC obeys it from left to right."""
    figures = {
        "sec": None if options.time_limit is None else max(options.time_limit, 1e-3),
        "ratio": options.gap,
        "primalTolerance": options.feasibility_tolerance,
        "dualTolerance": options.optimality_tolerance,
        "threads": options.threads if options.threads > 1 else None,
        "randomSeed": options.seed + 1,
        "randomCbcSeed": options.seed,
    }
    words = ["-timeMode", "elapsed"]
    for name, figure in {**figures, **options.raw}.items():
        words += [] if figure is None else [f"-{name}", str(figure)]
    method = {"auto": "-solve", "simplex": "-dualSimplex", "interior_point": "-barrier"}[options.method]
    return [*words, "-solve" if program.is_mip else method]


def _run(command: list[str], program: LinearProgram, options: SolveOptions) -> list[str]:
    """Run the process, hand its lines on as they come and give them all back."""

    def take(line: str) -> None:
        if options.log:
            options.log(line)
        progress = read_progress(program, line) if options.progress else None
        if options.progress and progress:
            options.progress(progress)

    return run_process(command, take, options.interrupt)


def _termination(program: LinearProgram, options: SolveOptions, words: str, log: CbcLog) -> Termination:
    """The first line of CBC's solution file, with its log, as a reason."""
    detail = " | ".join(filter(None, (words, log.outcome)))
    if words.startswith("Optimal"):
        return Termination(Reason.OPTIMAL, detail=detail)
    if words.startswith(("Infeasible", "Integer infeasible")):
        # Clp's dual simplex calls some unbounded programs infeasible although its presolve saw the truth.
        return Termination(Reason.INFEASIBLE_OR_UNBOUNDED if log.torn else Reason.INFEASIBLE, detail=detail)
    if words.startswith("Unbounded"):
        # Of a MIP, only the relaxation is known to be unbounded.
        reason = Reason.INFEASIBLE_OR_UNBOUNDED if program.is_mip else Reason.UNBOUNDED
        return Termination(reason, detail=detail)
    if words.startswith("Stopped"):
        if options.interrupt is not None and options.interrupt.is_set():
            return Termination(Reason.INTERRUPTED, detail=detail)
        said = (log.outcome or words).lower()
        limit = next((limit for word, limit in _LIMITS if word in said), Limit.OTHER)
        return Termination(Reason.LIMIT, limit, detail)
    return Termination(Reason.OTHER, detail=detail)


def _has_solution(program: LinearProgram, termination: Termination, words: str) -> bool:
    """Whether CBC claims a solution; its files hold numbers even when there is none."""
    incumbent = program.is_mip and "no integer solution" not in words
    stopped = termination.reason in (Reason.LIMIT, Reason.INTERRUPTED)
    return termination.reason is Reason.OPTIMAL or (stopped and incumbent)


def _result(
    program: LinearProgram, termination: Termination, values: CbcValues | None, log: CbcLog, seconds: float
) -> SolveResult:
    """Translate back; a completed search has proved the objective itself."""
    optimal = termination.reason is Reason.OPTIMAL
    proved = program.value(values.x) if optimal and values else None
    priced = values if optimal and not program.is_mip else None
    return SolveResult(
        solver="cbc",
        termination=termination,
        x=values.x if values else None,
        bound=proved if log.bound is None else log.bound,
        duals=priced.duals if priced else None,
        reduced_costs=priced.reduced_costs if priced else None,
        seconds=seconds,
        iterations=log.counts.get("Total iterations"),
        nodes=log.counts.get("Enumerated nodes"),
        method="mip" if program.is_mip else "",
    )


ADAPTERS: tuple[Adapter, ...] = (CbcAdapter(),)
