"""Sweeps beside cold runs and beside a plain PuLP loop, everything included.

    python -m benchmarks.sweeps [--part levers] [--scenarios 1000] [--cold 50] [--memory 10000] [--json FILE]

A lever scenario changes at most 5 % of the plan's numbers (the hours of a twentieth of the sellers); an
all-change scenario changes every potential, price, margin, capacity and effort. A sweep is timed from its
scenario files to its tables: read, change, compile, patch, solve, verify, write. A cold run is `solve`'s own
compile and solve of the same changed plan, without reading and writing; it is timed on some of the scenarios,
spread evenly over the sweep so that both meet the same machine, and counted for all of them. Times are
seconds of the processor, because other programs use the cores too; those of two cores are of the clock.
"""

from __future__ import annotations

import argparse
import json
import math
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pulp

from benchmarks.generator import Size, write_plan
from benchmarks.machine import load_average, machine_facts
from benchmarks.sessions import pulp_problem
from optimizer.model.compile import compile_plan
from optimizer.plan.inputs import resolve
from optimizer.plan.tables import Table
from optimizer.settings import SolveSettings
from optimizer.solving import solve, solver_stage
from scenarios import examples
from scenarios.base import Base, load_base
from scenarios.changes import apply_scenario
from scenarios.files import Scenario, find_files, load_scenarios
from scenarios.sweep import sweep
from scenarios.worker import SweepSettings

SIZE, SMALL = Size("20k", 70, 44, 22), Size("small", 3, 4, 3)
LIMITS = {
    "lever sweep / cold": 1 / 8, "all-change sweep / cold": 1 / 3, "premium_year / cold": 1.0,
    "premium_chain / cold": 1.0, "one core / two cores": 1.7, "memory, most / fewest scenarios": 1.1,
    "lever: distance of the objectives": 1e-6, "all-change: distance of the objectives": 1e-6,
}  # fmt: skip
AT_LEAST = ("one core / two cores",)
PULP_SAMPLES, PACK_SCENARIOS, PACK_LIMIT, CHAIN_LIMIT = 3, 40, 120.0, 600.0
TARGETS = """targets:
  - {name: Year, metric: revenue, growth: 0.25, priority: 1}
  - {name: Premium, metric: revenue, where: {line: premium}, growth: 0.40, priority: 2}
  - {name: Regions, metric: revenue, each: region, growth: 0.05, priority: 3}
"""
TURNS = 3
COLD = SolveSettings(marginal_values=False, leverage=False, threads=1)
"""One thread, as each worker of a sweep has it, so that the seconds of this thread are all of them."""
PLAIN = SweepSettings(kept=False)
Say = Callable[[str], None]


def benchmark_plan(folder: Path, size: Size) -> Path:
    """A generated plan whose targets come by priority, as planners have them, in place of one objective."""
    plan = write_plan(size, folder)
    text = plan.read_text(encoding="utf-8").replace("objective: [{maximize: contribution}]\n", "")
    text = text.replace("name: Premium, metric", "name: Premium share, metric")
    text = text.replace("name: Regions, metric", "name: Near last year, metric")
    plan.write_text(text + TARGETS, encoding="utf-8")
    (folder / "scenarios").mkdir()
    return plan


def write_levers(folder: Path, size: Size, count: int) -> list[Path]:
    """Scenario files in which a twentieth of the sellers have up to a fifth more or less hours."""
    random = np.random.default_rng(1)
    paths = []
    for number in range(count):
        chosen = random.choice(size.sellers, max(1, size.sellers // 20), replace=False)
        names = ", ".join(f"S{index:04d}" for index in chosen)
        where, by = f"{{seller: [{names}]}}", random.uniform(0.8, 1.2)
        change = f"{{table: sellers, where: {where}, column: capacity, multiply: {by:.4f}}}"
        paths.append(_write(folder, f"lever{number:05d}", [change]))
    return paths


def write_all_changes(folder: Path, count: int) -> list[Path]:
    """Scenario files in which every number of the plan moves by up to 3 %."""
    random = np.random.default_rng(2)
    columns = (
        ("markets", "potential"), ("markets", "price"), ("markets", "margin_rate"),
        ("sellers", "capacity"), ("territories", "hours_per_unit"),
    )  # fmt: skip
    paths = []
    for number in range(count):
        changes = [
            f"{{table: {table}, column: {column}, multiply: {random.uniform(0.97, 1.03):.5f}}}"
            for table, column in columns
        ]
        paths.append(_write(folder, f"all{number:05d}", changes))
    return paths


def _write(folder: Path, name: str, changes: Sequence[str]) -> Path:
    path = folder / "scenarios" / f"{name}.yaml"
    path.write_text(f"name: {name}\nchanges:\n" + "".join(f"  - {one}\n" for one in changes))
    return path


def timed(action: Callable[[], Any], clock: Callable[[], float] = time.process_time) -> tuple[float, Any]:
    """Seconds of the processor that an action takes, and what it gives."""
    started = clock()
    given = action()
    return clock() - started, given


class ColdRuns:
    """`solve`'s compile and solve of some scenarios of a sweep, made between them as it goes on."""

    def __init__(
        self, base: Base, scenarios: Sequence[Scenario], count: int, settings: SolveSettings
    ) -> None:
        self.sample = [scenarios[at] for at in np.linspace(0, len(scenarios) - 1, count).astype(int)]
        self.seconds, self.spent, self.money = list[float](), 0.0, dict[str, float]()
        self.gaps = list[float]()
        self._base, self._settings, self._every = base, settings, len(scenarios) / count

    def __call__(self, done: int, total: int, seconds: float) -> None:
        """Called by the sweep after each scenario, whose thread goes on beside this one."""
        while len(self.seconds) < len(self.sample) and done >= len(self.seconds) * self._every:
            self.spent += timed(self._one, time.thread_time)[0]

    def _one(self) -> None:
        scenario = self.sample[len(self.seconds)]
        plan = apply_scenario(self._base, scenario).plan
        spent, found = timed(lambda: solve(plan, self._settings), time.thread_time)
        self.seconds.append(spent)
        self.money[scenario.name] = found.figure("contribution") if found.has_plan else float("nan")
        self.gaps += [stage.gap for stage in found.stages if stage.stage.is_money and stage.gap is not None]

    @property
    def mean(self) -> float:
        """Seconds a scenario."""
        return sum(self.seconds) / len(self.seconds)


def swept(
    plan: Path, files: Sequence[Path], out: Path, cold: ColdRuns | None = None, **settings: Any
) -> tuple[float, pd.DataFrame]:
    """Seconds of a whole sweep, base plan included and cold runs not, and its league table."""
    chosen = SweepSettings(**{"kept": False, **settings})
    seconds, found = timed(lambda: sweep(plan, files, out, chosen, progress=cold))
    league = pd.read_parquet(found.folder / "league.parquet").set_index("scenario")
    return seconds - (cold.spent if cold else 0.0), league


def distance(league: pd.DataFrame, money: dict[str, float]) -> float:
    """The largest relative distance of a sweep's money from that of cold runs."""
    names = list(money)
    cold = np.array([money[name] for name in names])
    return float(
        np.nanmax(np.abs(league["money"].loc[names].to_numpy() - cold) / np.maximum(1.0, np.abs(cold)))
    )


def scenarios_of(base: Base, files: Sequence[Path]) -> list[Scenario]:
    """The scenarios of files, grids written out."""
    return load_scenarios(base.folder, find_files(base.folder, files))


def against_cold(kind: str, folder: Path, chosen: argparse.Namespace, say: Say) -> dict[str, float]:
    """Lever or all-change sweeps of the 20k plan beside cold runs."""
    plan, count = benchmark_plan(folder, SIZE), chosen.scenarios
    base = load_base(plan)
    model = compile_plan(resolve(base.plan))
    program = model.program
    say(f"plan: {program.num_columns:,} columns, {program.num_rows:,} rows, {len(model.stages)} stages")
    files = write_levers(folder, SIZE, count) if kind == "lever" else write_all_changes(folder, count)
    cold = ColdRuns(base, scenarios_of(base, files), min(chosen.cold, count), COLD)
    seconds, league = swept(plan, files, folder / "out", cold)
    each = seconds / count
    say(f"{kind:<10} sweep {each * 1e3:7.1f} ms a scenario, {seconds:.1f} s for {count}")
    say(f"{kind:<10} cold  {cold.mean * 1e3:7.1f} ms a scenario, measured on {len(cold.seconds)} of them")
    some = files[: max(1, count // 20)]
    with_kept, _ = swept(plan, some, folder / "kept", kept=True)
    say(f"{kind:<10} with kept and reacting {with_kept / len(some) * 1e3:7.1f} ms a scenario ({len(some)})")
    worst = distance(league, cold.money)
    return {f"{kind} sweep / cold": each / cold.mean, f"{kind}: distance of the objectives": worst}


def levers(folder: Path, chosen: argparse.Namespace, say: Say) -> dict[str, float]:
    """Scenarios that change a twentieth of the numbers, beside cold runs and PuLP."""
    found = against_cold("lever", folder, chosen, say)
    loop = pulp_seconds(load_base(folder / "plan.yaml"))
    say(f"{'PuLP loop':<10} {loop * 1e3:7.1f} ms a scenario: build and CBC, the money stage only")
    return found


def all_changes(folder: Path, chosen: argparse.Namespace, say: Say) -> dict[str, float]:
    """Scenarios that change all numbers, beside cold runs."""
    return against_cold("all-change", folder, chosen, say)


def pulp_seconds(base: Base) -> float:
    """Seconds a scenario of a script that builds the money stage object by object and calls PuLP's solver."""
    model = compile_plan(resolve(base.plan))
    stage = next(solver_stage(model, stage) for stage in model.stages if stage.is_money)
    program = stage.aimed(model.program)
    started = time.perf_counter()
    for _ in range(PULP_SAMPLES):
        pulp_problem(program).solve(pulp.PULP_CBC_CMD(msg=False))
    return (time.perf_counter() - started) / PULP_SAMPLES


def grid_of(plan: Path, count: int, demand: Sequence[str], productivity: Sequence[str]) -> Path:
    """A grid of `count` scenarios of a main pack: all demand, and what direct sellers can do."""
    steps = ", ".join(f"{value:.3f}" for value in np.linspace(0.9, 1.1, max(1, count // 4)))
    path = plan.parent / "scenarios" / "benchmark.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(
        f"name: b\ngrid: {{demand: [{steps}], hours: [0.92, 0.97, 1.02, 1.07]}}\nchanges:\n"
        + "".join(f"  - {{table: markets, column: {column}, multiply: $demand}}\n" for column in demand)
        + "".join(
            f"  - {{table: sellers, where: {{sales_channel: direct}}, column: {column}, multiply: $hours}}\n"
            for column in productivity
        )
    )
    return path


def _with_range(table: Table, column: str) -> list[str]:
    """A column of a table and the ends of its range, where it has one."""
    return [name for name in (column, f"{column}_low", f"{column}_high") if table.has(name)]


def pack_beside_cold(name: str, folder: Path, count: int, limit: float | None, say: Say) -> dict[str, float]:
    """Scenarios of a main pack, whole numbers and all, each beside its cold run; times and gaps are said."""
    plan = examples.copy(name, folder / "pack")
    base = load_base(plan)
    tables = base.plan.tables
    path = grid_of(
        plan,
        count,
        _with_range(tables["markets"], "potential"),
        _with_range(tables["sellers"], "productivity"),
    )
    found = scenarios_of(base, [path])
    cold = ColdRuns(base, found, len(found), replace(COLD, time_limit=limit))
    seconds, league = swept(plan, [path], folder / "pack_out", cold, time_limit=limit)
    whole = int(compile_plan(resolve(base.plan)).program.integer.sum())
    say(f"{name}: {len(found)} scenarios and the base plan, {whole} whole columns")
    say(f"{name}: sweep {seconds:.1f} s, cold {sum(cold.seconds):.1f} s")
    rows = league.iloc[1:]
    say(
        f"{name}: largest gap of the sweep {_gaps(rows['gap'])}, of cold runs {_gaps(cold.gaps)}, "
        f"asked for {base.plan.spec.proof_gap}"
    )
    say(f"{name}: distance of the money from cold {distance(league, cold.money):.1e}")
    say(f"{name}: ended as {rows['status'].value_counts().to_dict()}")
    return {f"{name} / cold": seconds / sum(cold.seconds)}


def _gaps(gaps: Any) -> str:
    known = np.array(gaps, dtype=float)
    known = known[~np.isnan(known)]
    return f"{known.max():.1e}" if len(known) else "-"


def year_pack(folder: Path, chosen: argparse.Namespace, say: Say) -> dict[str, float]:
    """The main pack without whole numbers."""
    return pack_beside_cold("premium_year", folder, chosen.pack, PACK_LIMIT, say)


def chain_pack(folder: Path, chosen: argparse.Namespace, say: Say) -> dict[str, float]:
    """The main pack with curves, starts and uses."""
    return pack_beside_cold("premium_chain", folder, chosen.chain, CHAIN_LIMIT, say)


def two_cores(folder: Path, chosen: argparse.Namespace, say: Say) -> dict[str, float]:
    """The same lever sweep by one process and by two in turns, the best seconds of the clock of each."""
    plan, count = benchmark_plan(folder, SIZE), chosen.scenarios
    files = write_levers(folder, SIZE, count)
    seconds = {1: math.inf, 2: math.inf}
    for turn in range(TURNS):
        for workers in (1, 2):
            started = time.perf_counter()
            sweep(plan, files, folder / "cores" / f"{turn}_{workers}", PLAIN, engine=f"process:{workers}")
            seconds[workers] = min(seconds[workers], time.perf_counter() - started)
    say(f"{count} levers: one process {seconds[1]:.1f} s, two {seconds[2]:.1f} s, the best of {TURNS} turns")
    return {"one core / two cores": seconds[1] / seconds[2]}


def memory(folder: Path, chosen: argparse.Namespace, say: Say) -> dict[str, float]:
    """Peak memory of sweeps of more and more scenarios, each in a process of its own."""
    plan, most = benchmark_plan(folder, SMALL), chosen.memory
    peaks = []
    for count in (most // 100, most // 10, most):
        values = ", ".join(f"{0.8 + 0.4 * at / count:.6f}" for at in range(count))
        path = folder / "scenarios" / f"grid{count}.yaml"
        path.write_text(
            f"name: g{count}\ngrid: {{by: [{values}]}}\n"
            "changes: [{table: sellers, where: {seller: S0001}, column: capacity, multiply: $by}]\n"
        )
        command = [sys.executable, "-m", "benchmarks.sweeps", "--child", str(plan), str(path)]
        answer = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        peaks.append(float(answer))
        say(f"memory: {count:>6} scenarios {peaks[-1]:7.0f} MiB at most")
    return {"memory, most / fewest scenarios": peaks[-1] / peaks[0]}


PARTS: dict[str, Callable[[Path, argparse.Namespace, Say], dict[str, float]]] = {
    "levers": levers, "all-changes": all_changes, "cores": two_cores, "year": year_pack, "chain": chain_pack,
    "memory": memory,
}  # fmt: skip


def child(plan: Path, scenarios: Path) -> None:
    """Sweep and print the peak memory of this process in MiB."""
    sweep(plan, [scenarios], plan.parent / "out" / scenarios.stem, PLAIN)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def run(arguments: argparse.Namespace, say: Say) -> dict[str, Any]:
    """Every part that is asked for, and what is required of it."""
    ratios: dict[str, float] = {}
    for name in arguments.part or PARTS:
        with tempfile.TemporaryDirectory() as text:
            ratios |= PARTS[name](Path(text) / "plan", arguments, say)
    missed = [
        name for name, limit in LIMITS.items()
        if name in ratios and (ratios[name] < limit if name in AT_LEAST else ratios[name] > limit)
    ]  # fmt: skip
    for name, value in ratios.items():
        word = "at least" if name in AT_LEAST else "at most"
        say(f"{name:<34} {value:10.3g}  ({word} {LIMITS[name]:.3g}{', MISSED' if name in missed else ''})")
    return {"ratios": ratios, "missed": missed}


def main() -> None:
    """Run everything; the exit code is 1 when a requirement is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--part", action="append", choices=list(PARTS), help="All of them unless given.")
    parser.add_argument("--scenarios", type=int, default=1000)
    parser.add_argument("--cold", type=int, default=50)
    parser.add_argument("--pack", type=int, default=PACK_SCENARIOS)
    parser.add_argument("--chain", type=int, default=PACK_SCENARIOS)
    parser.add_argument("--memory", type=int, default=10_000)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--child", nargs=2, type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        child(*arguments.child)
        return
    before = load_average()
    result = run(arguments, lambda line: print(line, flush=True)) | {"machine": machine_facts(before)}
    if arguments.json:
        arguments.json.write_text(json.dumps(result, indent=2, default=str))
    sys.exit(1 if result["missed"] else 0)


if __name__ == "__main__":
    main()
