"""The suite that every adapter has to pass; authors of adapters run it on theirs.

    complaints = check_adapter(adapter)

Answers are judged by objective, feasibility, optimality conditions and reason, never by the values of a
vector: two solvers may return different vertices and different prices, both right.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from solvers.conformance_programs import (
    LP_PROGRAMS,
    MIP_PROGRAMS,
    KnownProgram,
    hard_equalities,
    hard_knapsack,
    long_lp,
)
from solvers.errors import InvalidOptionError, UnsupportedRequestError
from solvers.options import Progress, SolveOptions
from solvers.program import LinearProgram
from solvers.registry import Adapter, Capabilities
from solvers.result import Limit, Reason, SolveResult
from solvers.verify import dual_residuals, primal_residuals

Complaints = list[str]

_TOLERANCE = 2e-6
_LIMIT_SECONDS = 0.5
_PRECISE = SolveOptions(feasibility_tolerance=1e-8, optimality_tolerance=1e-8)


@dataclass(frozen=True)
class Case:
    """One test: `applies` says whether it concerns a solver with these capabilities; `check` runs an adapter
    and gives back what is wrong with it."""

    name: str
    applies: Callable[[Capabilities], bool]
    check: Callable[[Adapter], Complaints]


def check_adapter(adapter: Adapter) -> dict[str, Complaints]:
    """Run every case that applies; the complaints by case, empty when the adapter conforms."""
    found = {case.name: case.check(adapter) for case in CASES if case.applies(adapter.capabilities)}
    return {name: complaints for name, complaints in found.items() if complaints}


def check_known(known: KnownProgram, adapter: Adapter) -> Complaints:
    """Complaints about a program whose answer is known. A solver without continuous columns may refuse
    programs that it cannot write in integers."""
    try:
        result = adapter.run(known.program, _PRECISE)
    except UnsupportedRequestError:
        return ["it refused a program of its kind"] if adapter.capabilities.continuous else []
    reason = result.termination.reason
    if reason not in known.reasons:
        wanted = " or ".join(sorted(known.reasons))
        return [f"it stopped as {reason}, not as {wanted}: {result.termination.detail}"]
    if known.objective is None:
        return []
    if result.x is None:
        return ["it says optimal but gives no values"]
    complaints = check_values(known.program, result, adapter.capabilities)
    objective = known.program.value(result.x)
    if abs(objective - known.objective) > _TOLERANCE * max(1.0, abs(known.objective)):
        complaints.append(f"the objective is {objective!r}, not {known.objective!r}")
    return complaints


def check_values(program: LinearProgram, result: SolveResult, capabilities: Capabilities) -> Complaints:
    """Complaints about feasibility, bound and prices of a result with values."""
    if result.x is None or result.x.shape != (program.num_columns,) or not np.isfinite(result.x).all():
        return ["the values are not finite numbers, one a column"]
    complaints = []
    residuals = primal_residuals(program, result.x)
    if residuals.worst > _TOLERANCE:
        complaints.append(f"the values are infeasible by {residuals.worst:.1e}")
    if result.bound is not None:
        sign = -1.0 if program.maximize else 1.0
        beyond = sign * (result.bound - residuals.objective)
        if beyond > _TOLERANCE * max(1.0, abs(residuals.objective)):
            complaints.append(f"the bound {result.bound!r} is on the wrong side of {residuals.objective!r}")
    if result.termination.reason is Reason.OPTIMAL and not program.is_mip and capabilities.duals:
        complaints += _check_prices(program, result)
    if program.is_mip and result.duals is not None:
        complaints.append("it gives prices for a program with whole numbers")
    return complaints


def _check_prices(program: LinearProgram, result: SolveResult) -> Complaints:
    if result.x is None or result.duals is None or result.reduced_costs is None:
        return ["it has duals but gives none for an optimal LP"]
    complaints = []
    dual, slackness, value = dual_residuals(program, result.x, result.duals)
    if max(dual, slackness) > _TOLERANCE:
        complaints.append(f"the duals prove {value!r} only (dual {dual:.1e}, gap {slackness:.1e})")
    expected = program.objective - program.matrix.T @ result.duals
    off = float(np.abs(expected - result.reduced_costs).max(initial=0.0))
    if off > 1e-5 * max(1.0, float(np.abs(program.objective).max(initial=0.0))):
        complaints.append(f"the reduced costs differ from costs less prices by {off:.1e}")
    return complaints


def check_stopped(make: Callable[[], LinearProgram], seconds: float, adapter: Adapter) -> Complaints:
    """Complaints about a solve that reaches its time limit (or is done before)."""
    program = make()
    result = adapter.run(program, SolveOptions(time_limit=seconds))
    complaints = _check_end(program, result, adapter)
    if result.termination.reason is Reason.LIMIT and result.termination.limit is not Limit.TIME:
        complaints.append(f"it names the limit {result.termination.limit}, not time")
    if result.termination.reason not in (Reason.LIMIT, Reason.OPTIMAL):
        complaints.append(f"it stopped as {result.termination.reason}")
    return complaints


def check_interrupted(make: Callable[[], LinearProgram], adapter: Adapter) -> Complaints:
    """Complaints about a solve that another thread interrupts."""
    program, event = make(), threading.Event()
    timer = threading.Timer(_LIMIT_SECONDS, event.set)
    timer.start()
    try:
        result = adapter.run(program, SolveOptions(interrupt=event, time_limit=60.0))
    finally:
        timer.cancel()
    complaints = _check_end(program, result, adapter)
    if result.termination.reason not in (Reason.INTERRUPTED, Reason.OPTIMAL):
        complaints.append(f"it stopped as {result.termination.reason} ({result.termination.detail})")
    return complaints


def _check_end(program: LinearProgram, result: SolveResult, adapter: Adapter) -> Complaints:
    return [] if result.x is None else check_values(program, result, adapter.capabilities)


def check_log(adapter: Adapter) -> Complaints:
    """Complaints about log lines."""
    lines: list[str] = []
    adapter.run(_first_program(adapter), SolveOptions(log=lines.append))
    if not lines:
        return ["no log line came"]
    return (
        []
        if all(isinstance(line, str) and "\n" not in line for line in lines)
        else ["a log line is not a line"]
    )


def check_progress(adapter: Adapter) -> Complaints:
    """Complaints about progress reports; the first one ends the solve, however busy the machine is."""
    came = threading.Event()

    def note(_progress: Progress) -> None:
        came.set()

    can = adapter.capabilities
    options = SolveOptions(progress=note, interrupt=came if can.interruption else None, time_limit=60.0)
    adapter.run(hard_knapsack() if can.mip else long_lp(), options)
    return [] if came.is_set() else ["no progress came"]


def check_rejected_option(adapter: Adapter) -> Complaints:
    """Complaints about an option that does not exist."""
    options = SolveOptions(raw={"no_such_option": 1})
    try:
        adapter.run(_first_program(adapter), options)
    except InvalidOptionError:
        return []
    return ["it swallowed an unknown option"]


def check_same_again(adapter: Adapter) -> Complaints:
    """Complaints about a second run that gives other values for the same seed."""
    for known in (LP_PROGRAMS if adapter.capabilities.lp else MIP_PROGRAMS)[:12]:
        try:
            first, second = (adapter.run(known.program, SolveOptions(seed=3)) for _ in range(2))
        except UnsupportedRequestError:
            continue
        if first.x is not None and (second.x is None or not np.array_equal(first.x, second.x)):
            return [f"a second run of {known.name!r} gives other values"]
    return []


def check_refuses_continuous(adapter: Adapter) -> Complaints:
    """Complaints about a solver of whole numbers that takes a continuous column."""
    mixed = next(known for known in MIP_PROGRAMS if known.name == "mip mixed")
    try:
        adapter.run(mixed.program, SolveOptions())
    except UnsupportedRequestError as error:
        return [] if "these can: " in str(error) else ["its refusal names no solver that can"]
    return ["it took a continuous column without being able to"]


def check_start(adapter: Adapter) -> Complaints:
    """Complaints about a start from the optimum: the answer has to stay."""
    known = next(known for known in _programs(adapter.capabilities) if known.objective is not None)
    first = adapter.run(known.program, replace(_PRECISE, basis=True))
    again = replace(_PRECISE, start_basis=first.basis, start_values=first.x if known.program.is_mip else None)
    result = adapter.run(known.program, again)
    return check_values(known.program, result, adapter.capabilities)


def _programs(capabilities: Capabilities) -> tuple[KnownProgram, ...]:
    return MIP_PROGRAMS if capabilities.mip else LP_PROGRAMS


def _first_program(adapter: Adapter) -> LinearProgram:
    return _programs(adapter.capabilities)[0].program


def _is_lp(capabilities: Capabilities) -> bool:
    return capabilities.lp


def _is_mip(capabilities: Capabilities) -> bool:
    return capabilities.mip


def _stops(lp: bool, capabilities: Capabilities) -> bool:
    return capabilities.interruption and (capabilities.lp if lp else capabilities.mip)


CASES: tuple[Case, ...] = (
    *(Case(known.name, _is_lp, partial(check_known, known)) for known in LP_PROGRAMS),
    *(Case(known.name, _is_mip, partial(check_known, known)) for known in MIP_PROGRAMS),
    Case("time limit of an lp", _is_lp, partial(check_stopped, long_lp, 0.05)),
    Case("time limit with an incumbent", _is_mip, partial(check_stopped, hard_knapsack, _LIMIT_SECONDS)),
    Case("time limit without an incumbent", _is_mip, partial(check_stopped, hard_equalities, _LIMIT_SECONDS)),
    Case("interruption of an lp", partial(_stops, True), partial(check_interrupted, long_lp)),
    Case("interruption with an incumbent", partial(_stops, False), partial(check_interrupted, hard_knapsack)),
    Case(
        "interruption without an incumbent",
        partial(_stops, False),
        partial(check_interrupted, hard_equalities),
    ),
    Case("log lines", lambda capabilities: capabilities.log_lines, check_log),
    Case("progress", lambda capabilities: capabilities.progress, check_progress),
    Case("a rejected option is an error", lambda capabilities: True, check_rejected_option),
    Case("the same again", lambda capabilities: True, check_same_again),
    Case("start from the optimum", lambda capabilities: capabilities.warm_start, check_start),
    Case(
        "continuous columns are refused",
        lambda capabilities: not capabilities.continuous,
        check_refuses_continuous,
    ),
)
