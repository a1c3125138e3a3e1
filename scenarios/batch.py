"""Many plans under many scenarios: a sweep a plan, one data set of all rows; only what changed is redone."""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from optimizer.errors import InputError, Place
from optimizer.io.replace import make_folder, refuse_foreign
from optimizer.io.write import replace_file, write_json
from scenarios.base import load_base
from scenarios.engine import Engine, engine_of
from scenarios.files import find_files, load_scenarios
from scenarios.record import FORMAT, INPUT_ERROR
from scenarios.sweep import RECORD_CODES, Sweep, sweep_loaded, versions
from scenarios.terminal import language_of
from scenarios.worker import SweepSettings

MARKER = "batch.json"
PLAN_FILE = "plan.yaml"
SWEEPS, DATA = "sweeps", "data"
TABLES = ("league", "targets", "parts", "changes")

Progress = Callable[[int, int, float], None]


@dataclass(frozen=True)
class PlanRun:
    """One plan of a batch: its sweep, or why it could not be read."""

    plan: str
    """How the plan was named: its folder, relative to what they have in common."""
    sweep: Sweep | None = None
    reason: str = ""

    @property
    def statuses(self) -> dict[str, int]:
        """Status -> rows, without the base; a plan that cannot be read is one row."""
        return {INPUT_ERROR: 1} if self.sweep is None else self.sweep.statuses

    @property
    def exit_code(self) -> int:
        """That of the sweep; 3 for a plan that cannot be read."""
        return RECORD_CODES[INPUT_ERROR] if self.sweep is None else self.sweep.exit_code


@dataclass(frozen=True)
class Batch:
    """A finished batch."""

    folder: Path
    runs: tuple[PlanRun, ...]

    @property
    def statuses(self) -> dict[str, int]:
        """Status -> rows of all plans."""
        total: Counter[str] = Counter()
        for run in self.runs:
            total.update(run.statuses)
        return dict(total)

    @property
    def reused(self) -> int:
        """Rows that were on disk and unchanged."""
        return sum(run.sweep.reused for run in self.runs if run.sweep is not None)

    @property
    def exit_code(self) -> int:
        """0 when every row of every plan has a plan; else the highest code among those without."""
        return max((run.exit_code for run in self.runs), default=0)

    def failures(self) -> Iterator[tuple[str, str, str, str]]:
        """Plan, scenario, status and reason of every row without a plan."""
        for run in self.runs:
            if run.sweep is None:
                yield run.plan, "", INPUT_ERROR, run.reason
                continue
            base = run.sweep.base
            if not base.has_plan:
                yield run.plan, base.name, base.status, base.reason
            for record in run.sweep.failures:
                yield run.plan, record.name, record.status, record.reason


@dataclass
class _Folder:
    """Where a batch keeps its sweeps and its data set."""

    path: Path
    used: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Raises `InputError` where the folder is a file or holds something else."""
        refuse_foreign(self.path.resolve(), MARKER)
        make_folder(self.path.resolve())
        if not (self.path / MARKER).is_file():
            self.mark({"state": "running"})

    def mark(self, data: dict[str, Any]) -> None:
        """Write batch.json."""
        with replace_file(self.path / MARKER) as file:
            write_json({"format": FORMAT, **data}, file)

    def slug(self, plan: str) -> str:
        """A name for files of a plan, different for every plan."""
        stem = re.sub(r"[^\w]+", "_", plan).strip("_") or "plan"
        name, number = stem, 2
        while self.used.get(name, plan) != plan:
            name, number = f"{stem}_{number}", number + 1
        self.used[name] = plan
        return name

    def publish(self, plan: str, slug: str, found: Sweep) -> None:
        """Put the tables of a sweep into the data set, a column `plan` in front."""
        for table in TABLES:
            (self.path / DATA / table).mkdir(parents=True, exist_ok=True)
            rows = pq.read_table(found.folder / f"{table}.parquet")
            rows = rows.add_column(0, "plan", pa.array([plan] * rows.num_rows, pa.string()))
            with replace_file(self.path / DATA / table / f"{slug}.parquet") as file:
                pq.write_table(rows, file)

    def forget_others(self) -> None:
        """Take rows of plans that are not in the batch any more out of the data set."""
        for file in (self.path / DATA).glob("*/*.parquet"):
            if file.stem not in self.used:
                file.unlink()


def find_plans(paths: Iterable[Path]) -> dict[str, Path]:
    """Plan file by name: a plan file, the folder of a plan.yaml, or a folder with such folders below it.

    Raises `InputError` for a path that is not there, and a folder without plans.
    """
    files: dict[Path, None] = {}
    for path in paths:
        own = path / PLAN_FILE if path.is_dir() else path
        found = [own] if own.is_file() else sorted(path.rglob(PLAN_FILE)) if path.is_dir() else []
        if not found:
            raise InputError("batch.no_plans", Place(file=str(path)))
        files |= {file.resolve(): None for file in found}
    return _named(list(files))


def _named(files: Sequence[Path]) -> dict[str, Path]:
    """Every plan by its folder, as short as it is unique among them."""
    folders = [file.parent if file.name == PLAN_FILE else file.with_suffix("") for file in files]
    depth = 1
    while len({folder.parts[-depth:] for folder in folders}) < len(folders):
        depth += 1
    return {"/".join(folder.parts[-depth:]): file for folder, file in zip(folders, files, strict=True)}


def batch(
    plans: Iterable[Path],
    scenarios: Sequence[str],
    out: Path,
    settings: SweepSettings | None = None,
    engine: str = "serial",
    progress: Progress | None = None,
    interrupt: threading.Event | None = None,
) -> Batch:
    """Sweep every plan under the scenario files or folders of this name in its own folder.

    What an earlier batch in `out` has done and what has not changed since is not done again. A plan or a
    scenario that fails is a row with its reason. Raises `InputError` for paths that are not there and a
    folder that is no batch's, and `LimitReachedError` when `interrupt` was set before the end.
    """
    found, folder = find_plans(plans), _Folder(out)
    settings, runs = settings or SweepSettings(), []
    with engine_of(engine) as running:
        for name, file in found.items():
            run = _one(name, file, scenarios, folder, settings, running, progress, interrupt)
            runs.append(run)
    finished = Batch(out, tuple(runs))
    folder.forget_others()
    folder.mark(manifest(finished))
    return finished


def _one(
    name: str,
    file: Path,
    scenarios: Sequence[str],
    folder: _Folder,
    settings: SweepSettings,
    engine: Engine,
    progress: Progress | None,
    interrupt: threading.Event | None,
) -> PlanRun:
    """One plan of the batch."""
    slug = folder.slug(name)
    try:
        base = load_base(file)
        given = [base.folder / wanted for wanted in scenarios]
        files = find_files(base.folder, [path for path in given if path.exists()])
        loaded = load_scenarios(base.folder, files)
    except InputError as error:
        return PlanRun(name, None, error.text(language_of(file)))
    out = folder.path / SWEEPS / slug
    out.parent.mkdir(exist_ok=True)
    found = sweep_loaded(base, loaded, out, settings, engine, True, progress, interrupt)
    folder.publish(name, slug, found)
    return PlanRun(name, found)


def manifest(found: Batch) -> dict[str, Any]:
    """What batch.json says: every plan with the digests of its inputs and its rows, and the versions."""
    plans = []
    for run in found.runs:
        entry: dict[str, Any] = {"plan": run.plan, "statuses": run.statuses, "exit_code": run.exit_code}
        if run.sweep is None:
            entry["reason"] = run.reason
        else:
            marked = run.sweep.marked()
            entry |= {"folder": f"{SWEEPS}/{run.sweep.folder.name}", "reused": run.sweep.reused}
            entry |= {key: marked[key] for key in ("inputs", "base", "settings")}
        plans.append(entry)
    failed = [
        dict(zip(("plan", "scenario", "status", "reason"), row, strict=True)) for row in found.failures()
    ]
    return {
        "state": "finished", "exit_code": found.exit_code, "statuses": found.statuses,
        "reused": found.reused, "failures": failed, "versions": versions(), "plans": plans,
    }  # fmt: skip
