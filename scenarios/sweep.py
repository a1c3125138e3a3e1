"""A plan under many scenarios: every one solved from the base, on disk at once, and set side by side."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from optimizer.errors import LimitReachedError
from optimizer.result.solution import EXIT_CODES, Solution, Status
from scenarios.base import Base, digest_of, load_base
from scenarios.engine import Engine, engine_of
from scenarios.files import Scenario, find_files, load_scenarios
from scenarios.league import write_tables, written_rows
from scenarios.record import BASE, FAILED, FORMAT, INPUT_ERROR, Record, record_of
from scenarios.store import version_of
from scenarios.sweepfolder import SweepFolder
from scenarios.tasks import run_all
from scenarios.worker import Done, SweepSettings, Task, solve_base
from solvers.registry import get_usable

LIBRARIES = ("apportion", "numpy", "scipy", "pandas", "pyarrow", "pydantic")
RECORD_CODES = {**{str(status): code for status, code in EXIT_CODES.items()}, INPUT_ERROR: 3, FAILED: 6}
"""Exit code of a sweep with a row of this status; the highest counts."""

Progress = Callable[[int, int, float], None]
"""Called with scenarios done, scenarios in all, and seconds since the first was started."""


@dataclass(frozen=True)
class Sweep:
    """A finished sweep: where it is, the base, and how many scenarios ended how."""

    folder: Path
    base: Record
    statuses: dict[str, int]
    """Status -> number of scenarios, without the base."""
    reused: int = 0
    """Scenarios that were on disk already."""
    seconds: float = 0.0
    failures: tuple[Record, ...] = ()
    """Scenarios without a plan, in their order."""

    @property
    def exit_code(self) -> int:
        """0 when every scenario and the base have a plan; else the highest code among those without."""
        return max((RECORD_CODES[status] for status in (*self.statuses, self.base.status)), default=0)

    def marked(self) -> dict[str, Any]:
        """What sweep.json says."""
        return SweepFolder(self.folder, fresh=False).marked()

    def listed(self) -> list[dict[str, Any]]:
        """Every scenario in its order: name, status, file, and the digest of its record."""
        return list(written_rows(self.folder, ("scenario", "status", "file", "digest")))

    def records(self) -> Iterator[Record]:
        """Every scenario in its order, read from the disk one at a time."""
        folder = SweepFolder(self.folder, fresh=False)
        for entry in written_rows(self.folder, ("scenario", "digest")):
            record = folder.read(entry["scenario"], entry["digest"])
            if record is not None:
                yield record


@dataclass
class _Plan:
    """One plan of a sweep on its way: what is to be done and what was done."""

    base: Base
    scenarios: Sequence[Scenario]
    settings: SweepSettings
    folder: SweepFolder
    key: str
    started: float = field(default_factory=time.perf_counter)

    def tasks(self, places: Iterable[int]) -> Iterator[Task]:
        """A task a scenario, one at a time; its digest is that of everything that the answer depends on."""
        for place in places:
            one = self.scenarios[place]
            yield Task(one, digest_of({"key": self.key, "scenario": one.digest}))


def sweep(
    plan: str | Path,
    scenarios: Iterable[str | Path],
    out: str | Path,
    settings: SweepSettings | None = None,
    engine: str = "serial",
    resume: bool = False,
    progress: Progress | None = None,
    interrupt: threading.Event | None = None,
) -> Sweep:
    """Solve a plan file under scenario files (or folders of them) and put the tables into the folder `out`.

    `engine` is serial, process, dask://host:port or ray://host:port; all give the same tables. With `resume`
    scenarios that are on disk and unchanged are not solved again. Raises `InputError` for a plan that cannot
    be read, files outside its folder, and a folder that is no sweep's; a scenario that fails is a row. Raises
    `LimitReachedError` when `interrupt` was set before the end; what is done is on disk.
    """
    base = load_base(plan)
    found = load_scenarios(base.folder, find_files(base.folder, scenarios))
    with engine_of(engine) as running:
        return sweep_loaded(
            base, found, Path(out), settings or SweepSettings(), running, resume, progress, interrupt
        )


def sweep_loaded(
    base: Base,
    scenarios: Sequence[Scenario],
    out: Path,
    settings: SweepSettings,
    engine: Engine,
    resume: bool = False,
    progress: Progress | None = None,
    interrupt: threading.Event | None = None,
) -> Sweep:
    """Like `sweep`, for a plan and scenarios that are read and an engine that runs."""
    folder = SweepFolder(out, fresh=not resume)
    key = digest_of({"inputs": dict(base.plan.inputs), "settings": asdict(settings), "versions": versions()})
    plan = _Plan(base, scenarios, settings, folder, key)
    todo = _open_tasks(plan)
    reused = len(scenarios) - len(todo)
    kept_base = folder.read(BASE, key)
    if todo or kept_base is None:
        pack, solution = solve_base(base, settings, key)
        kept_base = base_record(solution, key)
        folder.write(Done(kept_base))
        engine.share(pack)
    done = 0
    for _, one in run_all(engine, plan.tasks(todo), base.plan.spec.language, interrupt):
        folder.write(one)
        done += 1
        if progress is not None:
            progress(done, len(todo), time.perf_counter() - plan.started)
    if done < len(todo):
        raise LimitReachedError("scenarios.interrupted", done=done + reused, total=len(scenarios))
    return _finished(plan, kept_base, reused)


def versions() -> dict[str, str]:
    """Versions of everything that an answer depends on."""
    found = {name: version_of(name) for name in LIBRARIES}
    return {**found, "solver": get_usable("highs").version(), "format": str(FORMAT)}


def _open_tasks(plan: _Plan) -> list[int]:
    """Places of the scenarios that are to be done: those whose record is not on disk, or does not hold."""
    todo = list[int]()
    for place, task in enumerate(plan.tasks(range(len(plan.scenarios)))):
        record = plan.folder.read(task.scenario.name, task.digest)
        if record is None or record.status == FAILED or not plan.folder.still_holds(record, plan.base.folder):
            todo.append(place)
    return todo


def base_record(solution: Solution, key: str) -> Record:
    """The record of a plan without a scenario."""
    scenario = Scenario(name=BASE, file=solution.plan.file)
    more: dict[str, Any] = {}
    if solution.status is Status.NO_PLAN:
        more["reason"] = "infeasible"
    return record_of(scenario, key, solution, (), **more)


def _finished(plan: _Plan, base: Record, reused: int) -> Sweep:
    """Tables and sweep.json from what is on disk."""
    statuses: Counter[str] = Counter()
    failures: list[Record] = []

    def records() -> Iterator[tuple[Record, pd.DataFrame]]:
        yield base, pd.DataFrame()
        for task in plan.tasks(range(len(plan.scenarios))):
            record = plan.folder.read(task.scenario.name, task.digest)
            if record is None:
                continue
            statuses[record.status] += 1
            if not record.has_plan:
                failures.append(record)
            yield record, plan.folder.changes(record)

    write_tables(plan.folder.path, records(), base)
    seconds = time.perf_counter() - plan.started
    plan.folder.mark({
        "state": "finished", "plan": str(plan.base.plan.spec.name), "currency": plan.base.plan.spec.currency,
        "language": plan.base.plan.spec.language, "base": base.digest, "statuses": dict(statuses),
        "reused": reused,
        "seconds": seconds, "settings": asdict(plan.settings), "versions": versions(),
        "inputs": dict(plan.base.plan.inputs),
    })  # fmt: skip
    return Sweep(plan.folder.path, base, dict(statuses), reused, seconds, tuple(failures))
