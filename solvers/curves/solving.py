"""Programs with curves, solved to a proved gap: an over-estimator bounds, a climb on the true curves answers.

Each round solves the over-estimator to a third of the gap that is left, climbs from its answer, and refines
it where the two differ: a node on a convex segment, a tangent on a concave one. With two threads one of them
proves and the other one hunts for better points.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from solvers.curves.blockwise import search_blocks
from solvers.curves.estimator import Estimator, build
from solvers.curves.grid import Grid, first_grid, refine_secants
from solvers.curves.inner import run
from solvers.curves.prepared import Prepared
from solvers.curves.program import CurveProgram
from solvers.curves.result import CurveResult
from solvers.curves.rounds import NO_PLAN, Rounds
from solvers.curves.shared import Shared
from solvers.options import SolveOptions
from solvers.program import LinearProgram
from solvers.result import Limit, Reason, SolveResult, Termination

_RELAXATIONS = 12
_STEPS_APART = 20.0
_SECANT_SHARE_OF_GAP = 0.5
_CURVES_WORTH_A_HUNTER = 50


def solve_curves(
    curve_program: CurveProgram,
    options: SolveOptions | None = None,
    solver: str = "highs",
    least_size: float = 0.0,
) -> CurveResult:
    """The best point found of a program with curves, and a proved bound on what any other could reach.

    Uses `gap` (relative to the value, or to `least_size` where that is larger; 1e-6 unless given),
    `time_limit`, `threads`, `seed`, `progress`, `interrupt`, `raw` and `start_values` (n,) of the options:
    the answer is never below a start that is feasible on the true curves. Outputs of the start are taken at
    most at their curve. With two threads or more large programs are searched by two at once; which of several
    answers within the gap comes back then depends on the machine.
    `progress` may be called from either. Raises like `solve`, and `InvalidProgramError` where nothing bounds
    the input of a curve.
    """
    options = options or SolveOptions()
    if not curve_program.curves:
        return _without_curves(curve_program, options, solver)
    shared = Shared(curve_program, options, solver, least_size)
    if options.start_values is not None:
        shared.ledger.take_start(options.start_values)
        shared.ledger.take_bound(_best_by_columns(shared.prepared.program))
        if shared.proved():
            return shared.ledger.result(_why(shared, None), 0, 0)
    coarse = first_grid(shared.prepared, _STEPS_APART * shared.tolerance)
    if shared.ledger.best is not None:
        # Where another objective was best before, this one often is: exact there, a round or two are saved.
        coarse = shared.refine(coarse, shared.inputs_at(shared.ledger.scaled_best()), shared.prepared.all)
    grid, relaxed = _relax(shared, coarse)
    if relaxed.termination.reason in NO_PLAN:
        return shared.ledger.result(relaxed.termination, 0, 0)
    prover = Rounds(shared, grid)
    if relaxed.x is not None and not shared.over():
        prover.begin(relaxed.x)
    if options.threads < 2 or shared.prepared.size < _CURVES_WORTH_A_HUNTER or shared.over():
        ended = prover.run()
        return shared.ledger.result(_why(shared, ended), prover.number, prover.binaries)
    grid, regions = search_blocks(shared, prover.grid, workers=2)
    if regions and shared.over():
        return shared.ledger.result(_why(shared, None), regions, build(shared.prepared, grid).num_binaries)
    ended, prover = _in_two(shared, grid)
    return shared.ledger.result(_why(shared, ended), regions + prover.number, prover.binaries)


def _best_by_columns(program: LinearProgram) -> float:
    """What the bounds of the columns alone allow of a maximised objective; inf where they do not bound it."""
    used = program.objective != 0
    bound = np.where(program.objective > 0, program.column_upper, program.column_lower)[used]
    return float(program.objective[used] @ bound) if np.isfinite(bound).all() else np.inf


def _in_two(shared: Shared, grid: Grid) -> tuple[Termination | None, Rounds]:
    """A prover and, in a thread of its own, a hunter; the prover's end is the hunter's."""
    prover, hunter = Rounds(shared, grid, alone=False), Rounds(shared, grid, hunting=True, alone=False)
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="hunter") as pool:
        hunt = pool.submit(hunter.run)
        try:
            ended = prover.run()
        finally:
            shared.stop.set()
        hunt.result()
    return ended, prover


def relaxation(curve_program: CurveProgram, options: SolveOptions, solver: str) -> tuple[Prepared, Grid]:
    """The prepared program, and the grid on which its relaxation is the concave envelopes within the gap.

    Raises like `solve_curves`.
    """
    shared = Shared(curve_program, options, solver, 0.0)
    grid, _, _ = _tightened(shared, first_grid(shared.prepared, _STEPS_APART * shared.tolerance))
    return shared.prepared, grid


def _relax(shared: Shared, coarse: Grid) -> tuple[Grid, SolveResult]:
    """The relaxation with tangents where it lies; those of earlier rounds that it has left are dropped,
    because each one costs every node of the search. Its prices tell which secants are worth cutting."""
    prepared = shared.prepared
    grid, estimator, result = _tightened(shared, coarse)
    if result.termination.reason is not Reason.OPTIMAL or result.x is None:
        return grid, result
    owner, at, _ = estimator.places(prepared, result.x)
    grid = coarse.with_tangents(owner, at)
    if result.duals is not None:
        price = np.where(estimator.output_row >= 0, np.abs(result.duals[estimator.output_row]), 0.0)
        allowed = _SECANT_SHARE_OF_GAP * shared.wanted(abs(result.objective))
        grid = refine_secants(prepared, grid, price, max(allowed, 1e-12))
    return grid, result


def _tightened(shared: Shared, grid: Grid) -> tuple[Grid, Estimator, SolveResult]:
    """The relaxation with more and more tangents, each where it lies, until they hardly move it."""
    prepared, last = shared.prepared, np.inf
    for _ in range(_RELAXATIONS):
        estimator = build(prepared, grid)
        result = run(estimator.relaxed(), shared.plain(), shared.solver)
        if result.termination.reason is not Reason.OPTIMAL or result.x is None:
            break
        shared.ledger.take_prices(result, shared.tolerance)
        shared.ledger.take_bound(prepared.program.value(result.x[: prepared.program.num_columns]))
        owner, at, over = estimator.places(prepared, result.x)
        gained, last = last - result.objective, result.objective
        if gained <= 0.1 * shared.wanted(abs(result.objective)) or shared.over():
            break
        grid = grid.with_tangents(owner[over > shared.tolerance], at[over > shared.tolerance])
    return grid, estimator, result


def _why(shared: Shared, ended: Termination | None) -> Termination:
    interrupt = shared.options.interrupt
    if shared.proved():
        return Termination(Reason.OPTIMAL, detail=f"proved within {shared.gap:g}")
    if interrupt is not None and interrupt.is_set():
        return Termination(Reason.INTERRUPTED)
    if ended is not None:
        return ended
    return Termination(
        Reason.LIMIT, Limit.TIME if time.perf_counter() >= shared.deadline else Limit.ITERATIONS
    )


def _without_curves(curve_program: CurveProgram, options: SolveOptions, solver: str) -> CurveResult:
    from solvers.solving import solve

    result = solve(curve_program.program, options, solver)
    return CurveResult(
        termination=result.termination,
        x=result.x,
        value=result.objective_value,
        bound=result.bound,
        residuals=result.residuals,
        curve_residual=0.0 if result.x is not None else None,
        seconds=result.seconds,
        notes=result.notes,
    )
