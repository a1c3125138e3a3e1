"""Seconds and memory of plan-shaped models by phase, beside the same arrays given straight to highspy.

Every measurement is a process of its own; ours and the plain one take turns, and ratios are those of pairs.
The exit code is 1 when a requirement is missed.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks import report
from benchmarks.machine import load_average, machine_facts

Figures = dict[str, Any]
ROOT = Path(__file__).resolve().parent.parent
SIZES = ("3k", "25k", "250k", "750k")
LARGE = ("750k",)
WITHOUT_PULP = ("750k",)
PEER_SECONDS = 900.0
STOP_AT = 3.0
"""The method that was not chosen is stopped at this many times the seconds of the chosen one."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure the steps asked for, print the report and return the exit code."""
    options = _options(arguments)
    steps: list[Figures] = []
    load = load_average()
    with tempfile.TemporaryDirectory(prefix="plan_models_") as folder:
        for size in options.sizes:
            runs = options.large_runs if size in LARGE else options.runs
            steps.append(measure_step(size, runs, Path(folder) / size, options.peers))
            print(report.beside(steps[-1:]), file=sys.stderr, flush=True)
    result: Figures = {
        "machine": machine_facts(load),
        "steps": steps,
        "requirements": report.requirements(steps),
    }
    print(report.text(result))
    if options.json:
        options.json.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    return 0 if all(requirement["met"] for requirement in result["requirements"]) else 1


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.plan_models", description=__doc__)
    parser.add_argument(
        "--sizes", type=_sizes, default=SIZES, help=f"steps of the ladder ({','.join(SIZES)})"
    )
    parser.add_argument("--runs", type=_count, default=5, help="pairs of runs a step (5)")
    parser.add_argument("--large-runs", type=_count, default=1, help="pairs of runs at 750k (1)")
    parser.add_argument("--no-peers", dest="peers", action="store_false", help="leave PuLP and linopy out")
    parser.add_argument("--json", type=Path, help="write every figure to this file")
    return parser.parse_args(arguments)


def _sizes(text: str) -> tuple[str, ...]:
    wanted = tuple(text.split(","))
    if unknown := [size for size in wanted if size not in SIZES]:
        raise argparse.ArgumentTypeError(f"unknown size {unknown[0]!r}; there are {', '.join(SIZES)}")
    return wanted


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"a number of runs is at least 1, not {text!r}")
    return int(text)


def measure_step(size: str, runs: int, folder: Path, peers: bool) -> Figures:
    """All measurements of one step: pairs of ours and plain highspy, the other method, the peers."""
    folder.mkdir(parents=True)
    step: Figures = {"model": child("prepare", folder, size), "ours": [], "direct": []}
    for run in range(runs):
        ours = child("ours", folder, "auto", note=f"{size} pair {run + 1} of {runs}")
        method = ours["method"]
        step["ours"].append(ours)
        step["direct"].append(child("direct", folder, method, note=f"{size} pair {run + 1} of {runs}"))
    chosen = median(run["seconds"]["solve"] for run in step["ours"])
    step["method"] = method
    step["other"] = _other_method(size, folder, method, chosen, runs)
    step["peers"] = _peers(size, folder, method) if peers else {}
    return step


def _other_method(size: str, folder: Path, method: str, chosen: float, runs: int) -> Figures:
    other = "simplex" if method == "interior_point" else "interior_point"
    limit = STOP_AT * chosen
    found: list[Figures] = []
    while len(found) < runs and not any(run["reason"] == "limit" for run in found):
        found.append(child("ours", folder, other, limit, note=f"{size} with {other}, at most {limit:.1f} s"))
    return {
        "method": other,
        "seconds": median(run["seconds"]["solve"] for run in found),
        "stopped": any(run["reason"] == "limit" for run in found),
        "runs": found,
    }


def _peers(size: str, folder: Path, method: str) -> Figures:
    found: Figures = {}
    for name in ("linopy", "pulp"):
        if name == "pulp" and size in WITHOUT_PULP:
            found[name] = {"left_out": "not run at this size: an object a coefficient takes too long"}
            continue
        if find_spec(name) is None:
            found[name] = {"left_out": "not installed; it comes with the extra `bench`"}
            continue
        try:
            found[name] = child(name, folder, method, PEER_SECONDS, note=f"{size} with {name}")
        except subprocess.TimeoutExpired:
            found[name] = {"left_out": f"stopped after {PEER_SECONDS:.0f} s"}
    return found


def child(job: str, folder: Path, *rest: object, note: str = "") -> Figures:
    """One measurement in a process of its own; raises `RuntimeError` with its error output when it fails."""
    print(f"{job}: {note or folder.name}", file=sys.stderr, flush=True)
    command = [sys.executable, "-m", "benchmarks.child", job, str(folder), *map(str, rest)]
    timeout = PEER_SECONDS if job in ("linopy", "pulp") else None
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=timeout, check=False)
    if ended.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{ended.stderr[-3000:]}")
    figures: Figures = json.loads(ended.stdout.splitlines()[-1])
    return figures


if __name__ == "__main__":
    sys.exit(main())
