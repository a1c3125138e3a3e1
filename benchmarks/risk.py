"""Risk: the tail of linear losses by cutting planes, the main pack decided for many futures, and simulated.

    python -m benchmarks.risk [--futures 50,500] [--simulations 10000] [--workers 2] [--part tails]

Printed: the tail with 10,000 futures and 1,000 variables (bar: 5 s); the main pack in two stages with its gap
over time (bar: 1 % within 120 s on 2 cores) and what other numbers of futures cost; simulations of the main
pack kept (bar: 60 s on 2 cores). The tail is shown for losses that factors drive, as a plan's are, and for
losses of pure independent noise, and for portfolios: weights that add up to 1 and a tail that is the small
difference of gain and risk, where planes alone take a minute and more.
"""

from __future__ import annotations

import argparse
import math
import time
from dataclasses import replace

import numpy as np
from scipy import sparse

from benchmarks.machine import load_average, machine_facts
from scenarios import examples
from scenarios.engine import engine_of
from scenarios.kept import Planned
from scenarios.risk.analysis import load, solved
from scenarios.risk.deciding import Deciding
from scenarios.risk.simulation import simulate
from solvers.options import SolveOptions
from solvers.program import LinearProgram
from solvers.stochastic.cvar import TailProgram, tail_by_planes
from solvers.stochastic.lshaped import DecompositionOptions

PACK = examples.FOLDER / "premium_year"
RISK = PACK / "risk" / "year_in_detail.yaml"


def tail_case(seed: int, futures: int, columns: int, factors: int, noise: float) -> TailProgram:
    """Margins that `factors` common factors and independent noise move; sixty rows of limited means."""
    random = np.random.default_rng(seed)
    margin = random.uniform(1, 5, columns)
    loads = random.uniform(0, 0.3, (columns, factors)) * (random.random((columns, factors)) < 0.2)
    moved = random.normal(size=(futures, factors)) @ loads.T + noise * random.normal(size=(futures, columns))
    matrix = random.uniform(0.5, 2, (60, columns)) * (random.random((60, columns)) < 0.1)
    program = LinearProgram(
        objective=np.zeros(columns),
        matrix=sparse.csc_array(matrix),
        row_lower=np.full(60, -np.inf),
        row_upper=matrix.sum(axis=1) * 0.4,
        column_lower=np.zeros(columns),
        column_upper=np.full(columns, 2.0),
        integer=np.zeros(columns, dtype=bool),
    )
    shares = np.full(futures, 1.0 / futures)
    return TailProgram(program, -margin * (1.0 + moved), np.zeros(futures), shares, 0.9)


def portfolio_case(
    seed: int, futures: int, columns: int, factors: int, noise: float, cap: float = 1.0
) -> TailProgram:
    """Weights of at most `cap` that add up to 1; gains that common factors and independent noise move."""
    random = np.random.default_rng(seed)
    mean, loads = random.uniform(0.0, 0.15, columns), random.normal(0.1, 0.1, (columns, factors))
    spread = noise * random.uniform(0.5, 2.0, columns)
    moved = random.normal(size=(futures, factors)) @ loads.T
    gains = mean + moved + spread * random.normal(size=(futures, columns))
    program = LinearProgram(
        objective=np.zeros(columns),
        matrix=sparse.csc_array(np.ones((1, columns))),
        row_lower=np.ones(1),
        row_upper=np.ones(1),
        column_lower=np.zeros(columns),
        column_upper=np.full(columns, cap),
        integer=np.zeros(columns, dtype=bool),
    )
    return TailProgram(program, -gains, np.zeros(futures), np.full(futures, 1.0 / futures), 0.9)


def noise_case(seed: int, futures: int, columns: int) -> TailProgram:
    """A portfolio of independent standard normal gains: nearly every weight is used."""
    problem = portfolio_case(seed, futures, columns, 1, 0.1)
    losses = np.random.default_rng(seed).normal(size=(futures, columns))
    return replace(problem, losses=losses)


def tails() -> None:
    """The tail by planes, to a gap of 1e-4."""
    size = (10_000, 1_000)
    cases = {
        "20 factors": lambda: tail_case(0, *size, 20, 0.0),
        "20 factors and noise": lambda: tail_case(0, *size, 20, 0.1),
        "noise alone": lambda: tail_case(0, *size, 1, 0.5),
        "portfolio, 5 factors and noise": lambda: portfolio_case(0, *size, 5, 0.15),
        "portfolio, 20 factors and noise": lambda: portfolio_case(0, *size, 20, 0.05),
        "portfolio, at most 2 % each": lambda: portfolio_case(0, *size, 1, 0.2, 0.02),
        "portfolio, one factor and much noise": lambda: portfolio_case(0, *size, 1, 0.5),
        "portfolio, independent normal gains": lambda: noise_case(0, *size),
    }
    for name, make in cases.items():
        problem = make()
        found = tail_by_planes(problem, 1e-4, SolveOptions(time_limit=60.0))
        gap = (found.objective - found.bound) / abs(found.objective)
        print(f"tail, 10,000 x 1,000, {name}: {found.seconds:.2f} s, {found.rounds} rounds, gap {gap:.1e}")


def decisions(counts: list[int], workers: int) -> None:
    """The main pack in two stages, with its gap over time."""
    base, risk = load(PACK, RISK)
    planned = Planned.of(solved(base))
    for count in counts:
        started = time.perf_counter()
        deciding = Deciding(risk, planned, risk.draws(count))
        problem = deciding.problem(deciding.draws)
        built = time.perf_counter() - started
        recourse = problem.futures[0].recourse.num_columns
        options = DecompositionOptions(gap=0.01, time_limit=600.0, workers=workers)
        choice = deciding.decide(problem, 0.0, options)
        total = time.perf_counter() - started
        print(f"two stages, {count} futures of {recourse} columns: {total:.1f} s ({built:.1f} s to build)")
        for seconds, best, bound in choice.result.trace:
            gap = abs(best - bound) / max(1.0, abs(best))
            proved = f"bound {bound:,.0f}  gap {gap:.2%}" if math.isfinite(bound) else "no bound yet"
            print(f"    {built + seconds:7.1f} s  best {best:,.0f}  {proved}")


def simulations(count: int, workers: int) -> None:
    """The main pack kept in many futures."""
    base, risk = load(PACK, RISK)
    planned, draws = Planned.of(solved(base)), risk.draws(count)
    started = time.perf_counter()
    with engine_of(f"process:{workers}") as engine:
        found = simulate(risk, planned, draws, "kept", engine)
    seconds = time.perf_counter() - started
    print(
        f"{count} kept, {workers} workers: {seconds:.1f} s, {found.method}, {int(found.failed.sum())} failed"
    )


def main() -> None:
    """Run all three."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--futures", default="50,500")
    parser.add_argument("--simulations", type=int, default=10_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--part", choices=["all", "tails", "decisions", "simulations"], default="all")
    chosen = parser.parse_args()
    print(machine_facts(load_average()))
    wanted = {chosen.part} if chosen.part != "all" else {"tails", "decisions", "simulations"}
    if "tails" in wanted:
        tails()
    if "decisions" in wanted:
        decisions([int(text) for text in chosen.futures.split(",")], chosen.workers)
    if "simulations" in wanted:
        simulations(chosen.simulations, chosen.workers)


if __name__ == "__main__":
    main()
