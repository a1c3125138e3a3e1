"""What-ifs through a session beside cold solves and beside a plain PuLP loop, in one run.

    python -m benchmarks.sessions [--what-ifs 200] [--json FILE]

A lever changes at most 5 % of the numbers (the capacity of a twentieth of the sellers); "every number"
changes all costs, bounds and right-hand sides. The answers are compared with the cold ones, and solved
again in another order.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pulp

from benchmarks.generator import BENCHMARK_FAMILIES, Size, write_plan
from optimizer.model.compile import compile_plan
from optimizer.plan.inputs import resolve
from optimizer.plan.load import load_plan
from optimizer.solving import solver_stage
from solvers.options import SolveOptions
from solvers.program import FloatArray, LinearProgram
from solvers.session import Session
from solvers.solving import solve

SIZE = Size("20k", 70, 44, 22)
PULP_SAMPLES = 5
"""The PuLP loop is timed on so many what-ifs and scaled up; it would take many minutes otherwise."""
LIMITS = {"lever / cold": 1 / 8, "lever / PuLP": 1 / 20, "every number / cold": 1 / 3}
TOLERANCE = 1e-6


@dataclass(frozen=True)
class Change:
    """The numbers of one what-if; None keeps the base's."""

    row_upper: FloatArray
    objective: FloatArray | None = None
    column_upper: FloatArray | None = None

    def apply(self, program: LinearProgram) -> LinearProgram:
        """The changed program, for a cold solve."""
        return program.replace(
            row_upper=self.row_upper,
            objective=program.objective if self.objective is None else self.objective,
            column_upper=program.column_upper if self.column_upper is None else self.column_upper,
        )


@dataclass
class Timing:
    """Seconds of each what-if, and the objectives."""

    seconds: list[float] = field(default_factory=list)
    objectives: list[float] = field(default_factory=list)

    @property
    def total(self) -> float:
        """All of them."""
        return sum(self.seconds)


def base_program() -> LinearProgram:
    """A plan of about 20,000 variables, with its money stage as objective."""
    with tempfile.TemporaryDirectory() as folder:
        plan = load_plan(write_plan(SIZE, Path(folder)))
    model = compile_plan(resolve(plan), True, BENCHMARK_FAMILIES)
    stage = solver_stage(model, model.stages[0])
    return model.program.replace(objective=stage.objective, maximize=stage.maximize, offset=stage.offset)


def lever(program: LinearProgram, seed: int) -> Change:
    """A twentieth of the sellers gain or lose up to a fifth of their hours."""
    random = np.random.default_rng(seed)
    block = next(block for block in program.row_blocks if block.name == "hours")
    rows = np.arange(block.start, block.stop).reshape(-1, SIZE.periods)
    chosen = random.choice(len(rows), max(1, len(rows) // 20), replace=False)
    upper = program.row_upper.copy()
    upper[rows[chosen]] *= random.uniform(0.8, 1.2)
    return Change(upper)


def every_number(program: LinearProgram, seed: int) -> Change:
    """All right-hand sides, costs and bounds change by up to 3 %."""
    random = np.random.default_rng(10_000 + seed)

    def moved(values: FloatArray) -> FloatArray:
        factors = random.uniform(0.97, 1.03, values.shape)
        return np.where(np.isfinite(values), values * factors, values)

    return Change(moved(program.row_upper), moved(program.objective), moved(program.column_upper))


def through_session(program: LinearProgram, changes: Sequence[Change]) -> Timing:
    """One built model: patch, solve warm from the base, go back to the base."""
    session = Session(program, SolveOptions())
    session.solve()
    timing = Timing()
    for change in changes:
        started = time.perf_counter()
        session.reset_to_base()
        session.patch(
            row_upper=change.row_upper, objective=change.objective, column_upper=change.column_upper
        )
        timing.objectives.append(session.solve().objective)
        timing.seconds.append(time.perf_counter() - started)
    return timing


def cold(program: LinearProgram, changes: Sequence[Change]) -> Timing:
    """The same solver, from nothing, each time."""
    timing = Timing()
    for change in changes:
        started = time.perf_counter()
        timing.objectives.append(solve(change.apply(program), SolveOptions()).objective)
        timing.seconds.append(time.perf_counter() - started)
    return timing


def pulp_loop(program: LinearProgram, changes: Sequence[Change]) -> Timing:
    """What a script does: build the model object by object and solve it with the solver that PuLP brings."""
    timing = Timing()
    for change in changes:
        started = time.perf_counter()
        problem = pulp_problem(change.apply(program))
        problem.solve(pulp.PULP_CBC_CMD(msg=False))
        timing.objectives.append(float(pulp.value(problem.objective)) + program.offset)
        timing.seconds.append(time.perf_counter() - started)
    return timing


def pulp_problem(program: LinearProgram) -> pulp.LpProblem:
    """The program as PuLP objects."""
    problem = pulp.LpProblem("plan", pulp.LpMaximize if program.maximize else pulp.LpMinimize)
    columns = [
        pulp.LpVariable(f"x{index}", _finite(lower), _finite(upper))
        for index, (lower, upper) in enumerate(zip(program.column_lower, program.column_upper, strict=True))
    ]
    problem += pulp.LpAffineExpression(list(zip(columns, program.objective.tolist(), strict=True)))
    matrix = program.matrix.tocsr()
    for row in range(program.num_rows):
        inside = slice(matrix.indptr[row], matrix.indptr[row + 1])
        terms = pulp.LpAffineExpression(
            [
                (columns[column], value)
                for column, value in zip(matrix.indices[inside], matrix.data[inside], strict=True)
            ]
        )
        lower, upper = program.row_lower[row], program.row_upper[row]
        if np.isfinite(upper):
            problem += terms <= upper
        if np.isfinite(lower):
            problem += terms >= lower
    return problem


def _finite(bound: float) -> float | None:
    return float(bound) if np.isfinite(bound) else None


def run(count: int, say: Callable[[str], None]) -> dict[str, object]:
    """Time everything and check that the answers agree."""
    program = base_program()
    size = f"{program.num_columns:,} columns, {program.num_rows:,} rows, {program.matrix.nnz:,} entries"
    say(f"{size}, {count} what-ifs")
    levers = [lever(program, seed) for seed in range(count)]
    everything = [every_number(program, seed) for seed in range(count)]
    figures: dict[str, object] = {"columns": program.num_columns, "what_ifs": count}
    totals = {}
    for name, changes in (("lever", levers), ("every number", everything)):
        warm, from_nothing = through_session(program, changes), cold(program, changes)
        backwards = through_session(program, changes[::-1])
        _same(name, warm.objectives, from_nothing.objectives)
        _same(f"{name}, backwards", warm.objectives, backwards.objectives[::-1])
        totals[name], totals[f"{name} cold"] = warm.total, from_nothing.total
        for kind, timing in (("session", warm), ("cold", from_nothing)):
            median = statistics.median(timing.seconds)
            say(f"{name:<13} {kind:<8} {timing.total:8.2f} s, median {median * 1e3:8.2f} ms")
    loop = pulp_loop(program, levers[:PULP_SAMPLES])
    totals["PuLP"] = loop.total / len(loop.seconds) * count
    say(f"{'lever':<13} {'PuLP':<8} {totals['PuLP']:8.2f} s, from {len(loop.seconds)} of them")
    ratios = {
        "lever / cold": totals["lever"] / totals["lever cold"],
        "lever / PuLP": totals["lever"] / totals["PuLP"],
        "every number / cold": totals["every number"] / totals["every number cold"],
    }
    return figures | {"seconds": totals, "ratios": ratios}


def _same(name: str, first: Sequence[float], second: Sequence[float]) -> None:
    worst = max(abs(a - b) / max(1.0, abs(b)) for a, b in zip(first, second, strict=True))
    if worst > TOLERANCE:
        raise SystemExit(f"{name}: answers differ by {worst:.1e} (relative)")


def main() -> None:
    """Print the figures; exit code 1 when a limit is missed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--what-ifs", type=int, default=200)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    figures = run(options.what_ifs, lambda line: print(line, flush=True))
    ratios = figures["ratios"]
    assert isinstance(ratios, dict)
    for name, ratio in ratios.items():
        verdict = "ok" if ratio <= LIMITS[name] else "MISSED"
        print(f"{name:<20} {ratio:7.4f}   at most {LIMITS[name]:.4f}   {verdict}")
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2), encoding="utf-8")
    sys.exit(0 if all(ratios[name] <= limit for name, limit in LIMITS.items()) else 1)


if __name__ == "__main__":
    main()
