"""One program through several solvers, each in a process of its own, judged against each other.

Every answer has passed our own residuals before it gets here. Judged here is what only a comparison shows: a
worse optimum, a reason that another solver's plan refutes, a precision that is not what it seems.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from solvers.isolation import GRACE_SECONDS, IsolatedResult, solve_isolated
from solvers.judgement import Judge, Outcomes, Verdict
from solvers.options import SolveOptions
from solvers.program import FloatArray, LinearProgram
from solvers.result import Limit, Reason, SolveResult

AGREEING = (Verdict.SAME_OPTIMUM, Verdict.ANOTHER_OPTIMUM, Verdict.LOOSER_PRECISION, Verdict.SAME_STATUS)
FAULTY = (Verdict.WRONG_VALUES, Verdict.WRONG_STATUS, Verdict.CRASHED, Verdict.HUNG)


@dataclass(frozen=True)
class ComparisonRow:
    """One solver's answer: `seconds` of the solve, `peak_memory` in bytes, `worst_residual` relative, `moved`
    the share of the weighted volume that lies elsewhere than in the first answer (0 to 1), `precision` the
    worst of all its residuals and its relative distance to the best objective, `verdict` and, in plain words,
    `why`. What an answer does not have is None; values that were not accepted still show their objective."""

    solver: str
    reason: Reason
    limit: Limit | None
    objective: float | None
    bound: float | None
    gap: float | None
    seconds: float
    peak_memory: int | None
    worst_residual: float | None
    moved: float | None
    precision: float | None
    verdict: Verdict
    why: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Comparison:
    """All rows in the order asked for, the `best` solver, the names of those that `agree` with it (itself
    included) and of those that are `faulty`, and a plain `verdict` in one sentence."""

    rows: tuple[ComparisonRow, ...]
    best: str | None
    agree: tuple[str, ...]
    faulty: tuple[str, ...]
    verdict: str


def compare(
    program: LinearProgram,
    solvers: Sequence[str],
    options: SolveOptions | None = None,
    weights: FloatArray | None = None,
    *,
    grace_seconds: float = GRACE_SECONDS,
    on_start: Callable[[str], None] | None = None,
    on_answer: Callable[[str, SolveResult], None] | None = None,
) -> Comparison:
    """Solve with every solver, one after the other, each in its own process, and judge the answers.

    `solvers` are names of the registry or `module:ADAPTER`; `weights` (n,) say how much volume a unit of each
    column is (one, where not given); `on_start` and `on_answer` are called as the solvers go. What a solver
    refuses is a row too. After an interruption the solvers that are left are not run.
    """
    options = options or SolveOptions()
    outcomes: list[tuple[str, IsolatedResult]] = []
    for solver in solvers:
        if options.interrupt is not None and options.interrupt.is_set():
            break
        if on_start:
            on_start(solver)
        outcome = solve_isolated(program, options, solver, grace_seconds)
        outcomes.append((solver, outcome))
        if on_answer:
            on_answer(solver, outcome.result)
    return judge(program, outcomes, options, weights)


def judge(
    program: LinearProgram,
    outcomes: Outcomes,
    options: SolveOptions | None = None,
    weights: FloatArray | None = None,
) -> Comparison:
    """Judge answers that are there: (solver, outcome) in the order in which they are to be shown."""
    judge_of_all = Judge(program, outcomes, options.gap if options else None)
    volumes = np.ones(program.num_columns) if weights is None else np.abs(weights)
    first = next((outcome.result.x for _, outcome in outcomes if outcome.result.x is not None), None)
    rows = []
    for solver, outcome in outcomes:
        x = outcome.result.x
        moved = None if x is None or first is None else moved_share(x, first, volumes)
        rows.append(_row(solver, outcome, judge_of_all, moved))
    agree = tuple(row.solver for row in rows if row.verdict in AGREEING)
    faulty = tuple(row.solver for row in rows if row.verdict in FAULTY)
    best = judge_of_all.best[0] if judge_of_all.best else None
    return Comparison(tuple(rows), best, agree, faulty, _sentence(rows, agree))


def moved_share(x: FloatArray, other: FloatArray, weights: FloatArray) -> float:
    """Share of the weighted volume that lies elsewhere, from 0 for equal arrays (n,) to 1 for disjoint ones.

    max(sum w (x - y)+, sum w (y - x)+) / max(sum w |x|, sum w |y|), 0 where both are 0.
    """
    change = weights * (x - other)
    moved = max(float(np.maximum(change, 0.0).sum()), float(np.maximum(-change, 0.0).sum()))
    volume = max(float((weights * np.abs(x)).sum()), float((weights * np.abs(other)).sum()))
    return moved / volume if volume > 0 else 0.0


def _row(solver: str, outcome: IsolatedResult, judge_of_all: Judge, moved: float | None) -> ComparisonRow:
    result, residuals = outcome.result, outcome.result.residuals
    judgement = judge_of_all.judge(solver, outcome, moved)
    return ComparisonRow(
        solver=solver,
        reason=result.termination.reason,
        limit=result.termination.limit,
        objective=residuals.objective if residuals else result.objective_value,
        bound=result.bound,
        gap=result.gap,
        seconds=result.seconds,
        peak_memory=outcome.peak_memory,
        worst_residual=residuals.worst if residuals else None,
        moved=moved,
        precision=judgement.precision,
        verdict=judgement.verdict,
        why=judgement.why,
        notes=result.notes,
    )


def _sentence(rows: Sequence[ComparisonRow], agree: Sequence[str]) -> str:
    """How many agree, and the others with what they are."""
    others = [f"{row.solver}: {row.verdict}" for row in rows if row.solver not in agree]
    loose = [
        f"{row.solver} within {row.precision:.0e}" for row in rows if row.verdict is Verdict.LOOSER_PRECISION
    ]
    parts = [f"{len(agree)} of {len(rows)} solvers agree"]
    parts += [f"({', '.join(loose)})"] if loose else []
    return " ".join(parts) + (f"; {'; '.join(others)}" if others else "")
