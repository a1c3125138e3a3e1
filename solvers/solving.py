"""One entry to every solver: refuse what it cannot do, scale, run, unscale, verify."""

from __future__ import annotations

import time
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from solvers.errors import UnsupportedRequestError
from solvers.method import choose_method
from solvers.options import SolveOptions
from solvers.program import LinearProgram
from solvers.registry import Adapter, Capabilities, get, get_usable, names
from solvers.result import Reason, SolveResult, Termination
from solvers.scaling import tame
from solvers.settle import settle
from solvers.verify import verify

FloatArray = NDArray[np.float64]

CROSSING = 1e-9
"""A lower bound may lie above its upper bound by this, relative to it: rounding, not a contradiction."""


def solve(program: LinearProgram, options: SolveOptions | None = None, solver: str = "highs") -> SolveResult:
    """Solve with the named solver and verify the answer.

    Raises `UnknownSolverError`, `UnavailableSolverError`, `UnsupportedRequestError` (naming the solvers that
    can), `InvalidOptionError` and `NativeSolverError`. An infeasible program or a limit is not an error.
    """
    options = options or SolveOptions()
    started = time.perf_counter()
    adapter = get_usable(solver)
    check_request(adapter, program, options)
    plain = replace(options, integer_prices=False)
    result = settle(program, plain, run_cold(adapter, program, plain), partial(run_cold, adapter))
    if options.integer_prices and program.is_mip:
        result = with_integer_prices(adapter, program, options, result)
    return replace(result, seconds=time.perf_counter() - started)


def check_request(adapter: Adapter, program: LinearProgram, options: SolveOptions) -> None:
    """Raise `UnsupportedRequestError` when the solver lacks what the request needs."""
    missing = _missing(adapter.capabilities, program, options)
    if missing:
        able = [
            name
            for name in names()
            if not _missing(get(name).capabilities, program, options) and get(name).available()
        ]
        raise UnsupportedRequestError(
            f"{adapter.name} cannot do this: it has no {' and no '.join(missing)}; "
            + (f"these can: {', '.join(able)}" if able else "no solver here can")
        )


_REQUESTS = {
    "mip": "whole-number columns",
    "lp": "linear programs without whole-number columns",
    "continuous": "continuous columns",
    "duals": "duals",
    "ranging": "ranges",
    "warm_start": "use for a start",
    "interruption": "interruption",
    "progress": "progress reports",
    "log_lines": "log lines",
}


def _missing(capabilities: Capabilities, program: LinearProgram, options: SolveOptions) -> list[str]:
    prices = options.integer_prices and program.is_mip
    needed = {
        "mip": program.is_mip,
        "lp": not program.is_mip or prices,
        "continuous": not bool(program.integer.all()) or prices,
        "duals": prices,
        "ranging": options.ranging and (prices or not program.is_mip),
        "warm_start": options.start_basis is not None or options.start_values is not None,
        "interruption": options.interrupt is not None,
        "progress": options.progress is not None,
        "log_lines": options.log is not None,
    }
    return [_REQUESTS[name] for name, wanted in needed.items() if wanted and not getattr(capabilities, name)]


def run_cold(adapter: Adapter, program: LinearProgram, options: SolveOptions) -> SolveResult:
    """Scale, solve and verify one program from nothing."""
    known = decide_at_sight(adapter.name, program)
    if known is not None:
        return verify(program, known)
    options = choose_method(program, options, adapter.capabilities)
    measure = tame(program)
    if measure.scaling is None or not options.scale:
        return verify(program, adapter.run(program, options), measure)
    result = adapter.run(measure.program, measure.scaling.options(options))
    return verify(program, measure.scaling.result(result), measure)


def decide_at_sight(solver: str, program: LinearProgram) -> SolveResult | None:
    """The result where none needs to be computed and solvers differ: crossed bounds, or no columns at all."""
    kinds = (
        ("row", program.row_lower, program.row_upper),
        ("column", program.column_lower, program.column_upper),
    )
    for kind, lower, upper in kinds:
        crossed = lower - upper > CROSSING * np.maximum(1.0, np.abs(lower))
        if crossed.any():
            place = int(crossed.argmax())
            words = (
                f"{kind} {place} must be at least {float(lower[place])!r} and at most {float(upper[place])!r}"
            )
            return SolveResult(solver, Termination(Reason.INFEASIBLE, detail=words))
    if program.num_columns > 0:
        return None
    holds = bool((program.row_lower <= 0).all() and (program.row_upper >= 0).all())
    reason = Reason.OPTIMAL if holds else Reason.INFEASIBLE
    empty = np.zeros(0)
    return SolveResult(
        solver,
        Termination(reason, detail="no columns"),
        x=empty if holds else None,
        bound=program.offset if holds else None,
        duals=np.zeros(program.num_rows) if holds else None,
        reduced_costs=empty if holds else None,
    )


def with_fixed_integers(program: LinearProgram, x: FloatArray) -> LinearProgram:
    """The LP that is left of a MIP when its whole numbers are fixed as they are in `x`."""
    whole = np.where(program.integer, np.round(x), 0.0)
    return program.replace(
        integer=np.zeros_like(program.integer),
        column_lower=np.where(program.integer, whole, program.column_lower),
        column_upper=np.where(program.integer, whole, program.column_upper),
    )


def with_integer_prices(
    adapter: Adapter, program: LinearProgram, options: SolveOptions, result: SolveResult
) -> SolveResult:
    """The result of a MIP with the duals of the LP that is left when its whole numbers are fixed.

    They are labelled `duals_are_of_fixed_integers`; where that LP gives none, a note says so.
    """
    if result.x is None:
        return result
    priced = run_cold(
        adapter, with_fixed_integers(program, result.x), replace(options, start_values=None, start_basis=None)
    )
    if priced.duals is None:
        note = f"no prices: the LP with whole numbers fixed ended as {priced.termination.reason}"
        return replace(result, notes=(*result.notes, note))
    return replace(
        result,
        duals=priced.duals,
        reduced_costs=priced.reduced_costs,
        ranges=priced.ranges,
        duals_are_of_fixed_integers=True,
        notes=(*result.notes, "the prices are those with the whole numbers fixed"),
    )
