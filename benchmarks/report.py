"""The figures of a run as text, and what is required of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from statistics import median
from typing import Any

Figures = Mapping[str, Any]

JUDGED_AT = "250k"
"""The step whose ratios are required; the others are printed beside it."""
MOST_SECONDS, MOST_MEMORY, MOST_COMPILE, MOST_METHOD = 1.15, 1.5, 0.05, 1.3
PHASES = ("read", "compile", "hand over", "solve", "verify", "write")
SAME_OBJECTIVE = 1e-6
_BUSY = 0.3
"""Load a core beyond our own process from which seconds are not to be trusted."""
_NOT_JUDGED = f"\nSeconds, memory and compiling are judged at {JUDGED_AT}, which was not measured."
_COMPARED = ("compile", "hand over", "solve", "verify")


def requirements(steps: Sequence[Figures]) -> list[dict[str, Any]]:
    """Each requirement that the steps can tell about: words, figure, limit, and whether it is met."""
    found = []
    for step in steps:
        name = step["model"]["name"]
        if name == JUDGED_AT:
            found.append(_at_most(f"{name}: seconds beside plain highspy", seconds_ratio(step), MOST_SECONDS))
            found.append(_at_most(f"{name}: memory beside plain highspy", memory_ratio(step), MOST_MEMORY))
            found.append(
                _at_most(f"{name}: compile as a share of the solve", compile_share(step), MOST_COMPILE)
            )
        found.append(_at_most(f"{name}: chosen method beside the best", method_ratio(step), MOST_METHOD))
        found.append(
            _at_most(f"{name}: distance of the objectives", objective_distance(step), SAME_OBJECTIVE)
        )
    return found


def _at_most(words: str, figure: float, limit: float) -> dict[str, Any]:
    return {"requirement": words, "figure": figure, "at_most": limit, "met": figure <= limit}


def seconds_ratio(step: Figures, kind: str = "seconds") -> float:
    """Our compile, hand over, solve and verify by highspy's hand over and solve: the median of the pairs.

    `kind` is "seconds" or "processor".
    """
    return _of_pairs(
        step,
        lambda run: sum(run[kind][phase] for phase in _COMPARED),
        lambda run: sum(run[kind].values()),
    )


def memory_ratio(step: Figures) -> float:
    """Our peak until the answer is verified by highspy's, imports included: the median of the pairs."""
    return _of_pairs(
        step,
        lambda run: max(run["memory"][phase] for phase in ("read", *_COMPARED)),
        lambda run: max(run["memory"].values()),
    )


def _of_pairs(step: Figures, ours: Callable[[Figures], float], direct: Callable[[Figures], float]) -> float:
    pairs = zip(step["ours"], step["direct"], strict=True)
    return _middle(ours(our_run) / direct(direct_run) for our_run, direct_run in pairs)


def compile_share(step: Figures) -> float:
    """Seconds of compiling by those of solving: the median of the runs."""
    return _middle(run["seconds"]["compile"] / run["seconds"]["solve"] for run in step["ours"])


def method_ratio(step: Figures) -> float:
    """Seconds of the chosen method by those of the better of the two; 1 where the other was stopped."""
    chosen = _seconds(step["ours"], "solve")
    return 1.0 if step["other"]["stopped"] else max(1.0, chosen / float(step["other"]["seconds"]))


def objective_distance(step: Figures) -> float:
    """The largest relative distance of any finished run's objective from our first one."""
    finished = [*step["ours"], *step["direct"], *step["peers"].values()]
    finished += [run for run in step["other"]["runs"] if run["reason"] == "optimal"]
    first = step["ours"][0]["objective"]
    objectives = [run["objective"] for run in finished if "objective" in run]
    return max(float(abs(objective - first) / max(1.0, abs(first))) for objective in objectives)


def text(result: Figures) -> str:
    """The whole report."""
    steps = result["steps"]
    parts = [
        _machine(result["machine"]),
        _sizes(steps),
        _phases("Seconds by phase (median)", "seconds", steps, 3),
        _phases("Most memory held until the end of the phase, MiB (median)", "memory", steps, 0),
        beside(steps),
        _methods(steps),
        _peers(steps),
        _verdicts(result["requirements"]),
    ]
    return "\n\n".join(part for part in parts if part)


def _machine(facts: Figures) -> str:
    versions = ", ".join(f"{name} {number}" for name, number in facts["versions"].items())
    loads = [load for load in (facts["load_before"], facts["load_after"]) if load is not None]
    busy = max(loads, default=0.0) > 1.0 + _BUSY * (facts["cores"] or 1)
    return (
        f"{facts['date']}: {facts['system']}, {facts['cores']} cores ({facts['processor']}), "
        f"{facts['memory_gib']} GiB, load {facts['load_before']} before and {facts['load_after']} after\n"
        f"Python {facts['python']}, {versions}; one thread"
        + ("\nOther programs were using the cores: compare processor seconds." if busy else "")
    )


def _sizes(steps: Sequence[Figures]) -> str:
    names = ("columns", "rows", "entries", "sellers", "markets", "periods")
    rows = [
        [step["model"]["name"], *(f"{step['model'][name]:,}" for name in names), str(len(step["ours"]))]
        for step in steps
    ]
    return "Models\n" + table(["", *names, "pairs"], rows)


def _phases(title: str, figure: str, steps: Sequence[Figures], digits: int) -> str:
    phases = PHASES if figure == "seconds" else ("start", *PHASES)
    rows = []
    for step in steps:
        ours = [f"{_median(step['ours'], figure, phase):,.{digits}f}" for phase in phases]
        direct = [
            f"{_median(step['direct'], figure, phase):,.{digits}f}"
            if phase in step["direct"][0][figure]
            else ""
            for phase in phases
        ]
        rows += [[step["model"]["name"], "apportion", *ours], ["", "highspy alone", *direct]]
    return f"{title}\n" + table(["", "", *phases], rows, texts=2)


def beside(steps: Sequence[Figures]) -> str:
    """The table of ratios to plain highspy."""
    rows = [
        [
            step["model"]["name"],
            f"{seconds_ratio(step):.3f}",
            f"{seconds_ratio(step, 'processor'):.3f}",
            f"{memory_ratio(step):.2f}",
            f"{compile_share(step):.1%}",
        ]
        for step in steps
    ]
    title = "Beside the same arrays given straight to highspy (median of pairs)"
    return f"{title}\n" + table(["", "seconds", "processor seconds", "memory", "compile / solve"], rows)


def _methods(steps: Sequence[Figures]) -> str:
    rows = []
    for step in steps:
        other = step["other"]
        rows.append(
            [
                step["model"]["name"],
                step["method"],
                f"{_seconds(step['ours'], 'solve'):.3f}",
                other["method"],
                f"stopped at {other['seconds']:.3f}" if other["stopped"] else f"{other['seconds']:.3f}",
                f"{method_ratio(step):.2f}",
            ]
        )
    head = ["", "chosen", "seconds", "other", "seconds", "chosen / best"]
    return "Method (the other one is stopped at three times the chosen one)\n" + table(head, rows)


def _peers(steps: Sequence[Figures]) -> str:
    rows, notes = [], []
    for step in steps:
        if not step["peers"]:
            continue
        name = step["model"]["name"]
        build = _middle(run["seconds"]["compile"] + run["seconds"]["hand over"] for run in step["ours"])
        solve = _middle(run["seconds"]["solve"] + run["seconds"]["verify"] for run in step["ours"])
        memory = _peak(step["ours"])
        rows.append(
            [name, "apportion", f"{build:.3f}", f"{solve:.3f}", f"{build + solve:.3f}", f"{memory:,.0f}"]
        )
        for peer, run in step["peers"].items():
            if "left_out" in run:
                notes.append(f"{name}, {peer}: {run['left_out']}.")
                continue
            seconds = run["seconds"]
            total = f"{sum(seconds.values()):.3f}"
            peak = f"{max(run['memory'].values()):,.0f}"
            rows.append(["", peer, f"{seconds['build']:.3f}", f"{seconds['solve']:.3f}", total, peak])
    if not rows:
        return ""
    head = ["", "", "build", "solve", "together", "MiB"]
    title = "The same model built by other libraries from the same arrays, same method (one run each)"
    return "\n".join([title, table(head, rows, texts=2), *notes])


def _verdicts(found: Sequence[Figures]) -> str:
    rows = [
        [
            item["requirement"],
            f"{item['figure']:.3g}",
            f"{item['at_most']:g}",
            "pass" if item["met"] else "FAIL",
        ]
        for item in found
    ]
    note = "" if any(item["requirement"].startswith(JUDGED_AT) for item in found) else _NOT_JUDGED
    return "Requirements\n" + table(["", "figure", "at most", ""], rows) + note


def _seconds(runs: Sequence[Figures], phase: str) -> float:
    return _median(runs, "seconds", phase)


def _median(runs: Sequence[Figures], figure: str, phase: str) -> float:
    return _middle(run[figure][phase] for run in runs)


def _middle(figures: Iterable[float]) -> float:
    return float(median(figures))


def _peak(runs: Sequence[Figures]) -> float:
    return _middle(max(run["memory"][phase] for phase in _COMPARED) for run in runs)


def table(head: Sequence[str], rows: Sequence[Sequence[str]], texts: int = 1) -> str:
    """Lines of aligned columns: the first `texts` to the left, the others to the right."""
    widths = [max(len(row[at]) for row in (head, *rows)) for at in range(len(head))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if at < texts else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in (head, *rows)
    )
