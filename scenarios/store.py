"""Run folders: everything that a solve gave, written whole or not at all, repeatable from its own inputs."""

from __future__ import annotations

import hashlib
import importlib.metadata
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from optimizer.errors import InputError, Place
from optimizer.io import replace
from optimizer.io.paths import read_bytes
from optimizer.io.write import replace_folder, write_json, write_table, write_workbook
from optimizer.plan.plan import Plan
from optimizer.quotas.run import quota_summary
from optimizer.report.compose import worst_gap
from optimizer.result.evaluate import figure
from optimizer.result.rows import outcome_rows, repair_rows
from optimizer.result.solution import Solution, StageOutcome
from optimizer.settings import SolveSettings
from solvers.registry import get_usable

if TYPE_CHECKING:
    import pandas as pd

MARKER = "summary.json"
PLAN_FILE = "plan.yaml"
FORMAT = 1
"""Version of the layout of summary.json and of the tables."""
SHEET_CELLS = 500_000
"""Larger tables are left out of run.xlsx: they take long to write, and a spreadsheet opens them slowly."""
LIBRARIES = ("numpy", "scipy", "pandas", "pyarrow", "pydantic", "openpyxl")
HEADLINE = (
    "revenue",
    "last_year",
    "growth",
    "units",
    "deals",
    "margin",
    "commission",
    "contribution",
    "utilisation",
)


@dataclass(frozen=True)
class Inputs:
    """The files of a plan as they were read: name relative to the plan's folder -> bytes."""

    files: Mapping[str, bytes]

    @classmethod
    def of(cls, plan: Plan) -> Inputs:
        """The files of a plan that has just been loaded.

        Raises `InputError` when one of them is not the one that was read any more.
        """
        files = {}
        for name, digest in plan.inputs.items():
            content = read_bytes(plan.folder / name.replace("\\", "/"), name)
            if hashlib.sha256(content).hexdigest() != digest:
                raise InputError("cli.input_changed", Place(file=name))
            files[name] = content
        return cls(files)

    def write(self, folder: Path, plan_file: str) -> None:
        """Write the files below `folder`, the plan file as `plan.yaml`."""
        root = folder.resolve()
        for name, content in self.files.items():
            shown = PLAN_FILE if name == plan_file else str(PurePosixPath(name.replace("\\", "/")))
            target = (root / shown).resolve()
            if not target.is_relative_to(root):
                raise InputError("io.file_outside", name=name)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)


def refuse_foreign(folder: Path) -> None:
    """Raise `InputError` before a long solve when its folder would be refused afterwards: something that is
    no run stands there."""
    replace.refuse_foreign(folder.resolve(), MARKER)


def left_out(frames: Mapping[str, pd.DataFrame]) -> list[str]:
    """The tables that are too large for run.xlsx."""
    return [name for name, frame in frames.items() if frame.size > SHEET_CELLS]


def save_run(
    folder: Path,
    plan: Plan,
    inputs: Inputs,
    frames: Mapping[str, pd.DataFrame],
    page: str,
    summary: Mapping[str, Any],
    log: Sequence[str] = (),
    letters: Mapping[str, str] | None = None,
) -> None:
    """Put the run in the place of `folder`: summary.json, page.txt, log.txt, run.xlsx, tables/, inputs/, and
    quota letters (name relative to the folder -> text).

    Tables of more than 500,000 cells are in tables/ only.
    Raises `InputError` where the folder holds something else, cannot be written, or the disk is full; an
    earlier run then stays.
    """
    with replace_folder(folder, MARKER) as new:
        (new / "tables").mkdir()
        for name, frame in frames.items():
            write_table(frame, new / "tables" / f"{name}.csv")
            write_table(frame, new / "tables" / f"{name}.parquet")
        small = {name: frame for name, frame in frames.items() if name not in left_out(frames)}
        write_workbook(small, new / "run.xlsx")
        (new / "page.txt").write_text(page, encoding="utf-8")
        (new / "log.txt").write_text("".join(f"{line}\n" for line in log), encoding="utf-8")
        inputs.write(new / "inputs", plan.file)
        for name, text in (letters or {}).items():
            (new / name).parent.mkdir(parents=True, exist_ok=True)
            (new / name).write_text(
                text, encoding="utf-8-sig" if name.endswith(".csv") else "utf-8", newline=""
            )
        write_json(summary, new / MARKER)


def summary(
    solution: Solution, settings: SolveSettings, seconds: Mapping[str, float] | None = None
) -> dict[str, Any]:
    """What a program wants to know of a run; `seconds` adds phases outside the solve (read, write).

    Shares and gaps are fractions; money is in the plan's currency.
    """
    plan = solution.plan
    return {
        "format": FORMAT,
        "name": plan.spec.name,
        "currency": plan.spec.currency,
        "language": plan.spec.language,
        "status": str(solution.status),
        "reason": solution.reason,
        "exit_code": solution.exit_code,
        "has_plan": solution.has_plan,
        "figures": _headline(solution),
        "targets": _targets(solution),
        "objective": [_stage(stage) for stage in solution.stages],
        "gap": worst_gap(solution) if solution.has_plan else None,
        "residuals": _residuals(solution),
        "contradiction": _contradiction(solution),
        "quotas": quota_summary(solution) if plan.spec.quotas else [],
        "shape": _shape(solution),
        "seconds": {**solution.seconds, **(seconds or {})},
        "versions": versions(solution),
        "inputs": dict(plan.inputs),
        "options": options(settings),
    }


def options(settings: SolveSettings) -> dict[str, Any]:
    """The settings that shape the answer."""
    names = (
        "time_limit",
        "gap",
        "threads",
        "seed",
        "method",
        "seat_groups",
        "marginal_values",
        "leverage",
        "mode",
    )
    return {name: getattr(settings, name) for name in names}


def versions(solution: Solution) -> dict[str, str]:
    """Versions of Python, Apportion, the libraries, and each solver that was used."""
    found = {"python": platform.python_version()}
    found |= {name: version_of(name) for name in ("apportion", *LIBRARIES)}
    used = {stage.result.solver for stage in solution.stages if stage.result is not None}
    return found | {f"solver {name}": get_usable(name).version() for name in sorted(used)}


def _residuals(solution: Solution) -> dict[str, float] | None:
    """Our own check of the plan: the worst relative violation by kind."""
    found = solution.residuals
    if found is None:
        return None
    return {
        "rows": found.primal,
        "bounds": found.bounds,
        "whole_numbers": found.integrality,
        "worst": found.worst,
    }


def _shape(solution: Solution) -> dict[str, int]:
    """The size of the plan and of its program."""
    cube, program = solution.model.cube, solution.model.program
    return {
        "markets": len(cube.markets.names),
        "sellers": len(solution.sellers.seat_names),
        "seat_groups": len(cube.seat_names),
        "pairs": solution.sellers.num_pairs,
        "periods": cube.num_periods,
        "columns": program.num_columns,
        "rows": program.num_rows,
        "entries": int(program.matrix.nnz),
        "whole_columns": int(program.integer.sum()),
    }


def version_of(name: str) -> str:
    """The version of a distribution; `source` where the code runs without being installed."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "source"


def _headline(solution: Solution) -> dict[str, float | None]:
    """The company's figures; those that the plan's tables do not allow are left out."""
    if not solution.has_plan:
        return {}
    found: dict[str, float | None] = {}
    for name in HEADLINE:
        try:
            found[name] = figure(solution, name, {})
        except InputError:
            continue
    return found


def _targets(solution: Solution) -> dict[str, Any]:
    asked = [row for row in outcome_rows(solution) if row["kind"] == "target"]
    short = [row for row in asked if row["status"] in ("short", "over")]
    names = ("rule", "member", "metric", "unit", "at_least", "at_most", "value", "shortfall", "status")
    return {
        "asked": len(asked),
        "met": len(asked) - len(short),
        "short": [{name: row[name] for name in names} for row in short],
    }


def _stage(outcome: StageOutcome) -> dict[str, Any]:
    stage, result = outcome.stage, outcome.result
    return {
        "stage": stage.name,
        "kind": stage.kind,
        "sense": "maximize" if stage.maximize else "minimize",
        "unit": stage.unit,
        "value": outcome.value,
        "solved": None if result is None else result.objective_value,
        "bound": outcome.bound,
        "gap": outcome.gap,
        "reason": None if result is None else str(result.termination.reason),
        "solver": None if result is None else result.solver,
        "method": None if result is None else result.method,
        "iterations": None if result is None else result.iterations,
        "nodes": None if result is None else result.nodes,
        "seconds": None if result is None else result.seconds,
        "note": outcome.note,
    }


def _contradiction(solution: Solution) -> dict[str, Any] | None:
    found = solution.contradiction
    if found is None:
        return None
    parts: dict[str, Any] = {"least_change": [], "alone": [], "conflicting": []}
    for row in repair_rows(solution):
        parts[row["part"]].append({name: row[name] for name in ("family", "name", "unit", "bound", "change")})
    return {**parts, "conflicting_is_minimal": found.conflicting_is_minimal}
