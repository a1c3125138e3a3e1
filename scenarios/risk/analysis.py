"""One risk analysis of one plan: solve it, try it in every future, and set the findings side by side."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from optimizer.errors import InputError, LimitReachedError
from optimizer.io.write import replace_folder, write_json, write_table
from optimizer.result.solution import Solution
from optimizer.result.tables import sales
from optimizer.settings import SolveSettings
from optimizer.solving import solve
from scenarios.base import Base, load_base
from scenarios.engine import Engine
from scenarios.kept import WAYS, Planned
from scenarios.risk.actions import actions_of
from scenarios.risk.breakeven import budget_for, holds_until
from scenarios.risk.contingency import contingency
from scenarios.risk.goals import place_of
from scenarios.risk.measured import decisions_frame
from scenarios.risk.measures import MONEY, measures_of
from scenarios.risk.riskfile import Draws, Risk, load_risk
from scenarios.risk.robust import robust
from scenarios.risk.simulation import Simulation, simulate
from scenarios.risk.statistics import drivers_frame, summary_frame, targets_frame
from scenarios.risk.tornado import tornado

MARKER = "risk.json"
FORMAT = 1
DRIVEN = 4
"""Targets whose drivers are listed, the least likely first, beside money."""

Phase = Callable[[str, int, int], None]
"""Called with the name of a phase, what is done of it and all of it."""


@dataclass(frozen=True)
class Analysis:
    """What a risk analysis found; `frames` are its tables by name."""

    risk: Risk
    solution: Solution
    draws: Draws
    simulations: dict[str, Simulation]
    frames: dict[str, pd.DataFrame]
    seconds: dict[str, float] = field(default_factory=dict)
    findings: dict[str, Any] = field(default_factory=dict)
    """Single figures: worth of knowing and of planning, the gap on fresh futures, break-evens."""

    @property
    def currency(self) -> str:
        """The plan's currency."""
        return self.risk.base.plan.spec.currency or "currency"

    def summary(self) -> dict[str, Any]:
        """What risk.json holds."""
        spec = self.risk.spec
        return {
            "format": FORMAT, "plan": str(self.risk.base.plan.spec.name), "risk": str(spec.name),
            "seed": spec.seed, "samples": len(self.draws), "sampling": spec.sampling,
            "samples_digest": self.draws.digest, "plan_digest": self.risk.base.digest,
            "worst": spec.worst, "currency": self.currency,
            "uncertain": [one.name for one in self.risk.variables],
            "events": [one.name for one in self.risk.events],
            "left_out": {name: list(one.left_out) for name, one in self.simulations.items()},
            "methods": {name: one.method for name, one in self.simulations.items()},
            "failed": {name: int(one.failed.sum()) for name, one in self.simulations.items()},
            "seconds": self.seconds, **self.findings,
            **{name: frame.to_dict("records") for name, frame in self.frames.items() if len(frame) <= 200},
        }  # fmt: skip


def load(plan: str | Path, riskfile: str | Path) -> tuple[Base, Risk]:
    """A plan and a risk file of it; raises `InputError`."""
    base = load_base(plan)
    return base, load_risk(base, riskfile)


def solved(base: Base) -> Solution:
    """The plan that is tried; raises `InputError` where there is none."""
    solution = solve(base.plan, SolveSettings(marginal_values=False, leverage=False))
    if not solution.has_plan:
        raise InputError("risk.no_plan")
    return solution


def analyse(
    base: Base,
    risk: Risk,
    samples: int | None = None,
    engine: Engine | None = None,
    phase: Phase | None = None,
    interrupt: threading.Event | None = None,
) -> Analysis:
    """Simulate the plan kept and reacting; raises `InputError`, and `LimitReachedError` when interrupted."""
    seconds: dict[str, float] = {}
    started = time.perf_counter()
    solution = solved(base)
    seconds["solve"] = time.perf_counter() - started
    draws = risk.draws(samples)
    planned = Planned.of(solution)
    check_wishes(risk, solution, planned)
    simulations: dict[str, Simulation] = {}
    for way in WAYS:
        started = time.perf_counter()

        def announce(done: int, count: int, way: str = way) -> None:
            if phase is not None:
                phase(way, done, count)
            if interrupt is not None and interrupt.is_set():
                raise LimitReachedError("risk.interrupted", done=done, total=count)

        simulations[way] = simulate(risk, planned, draws, way, engine, announce)
        seconds[way] = time.perf_counter() - started
    found = Analysis(risk, solution, draws, simulations, {}, seconds)
    frames = _frames(found)
    started = time.perf_counter()
    frames["tornado"] = tornado(risk, planned)
    seconds["tornado"] = time.perf_counter() - started
    return replace(found, frames=frames)


def check_wishes(risk: Risk, solution: Solution, planned: Planned) -> None:
    """Raise `InputError` for actions and targets that the plan does not know, before it is simulated."""
    actions_of(risk, planned, solution.model)
    if risk.spec.decide is not None:
        labels = measures_of(solution.model).labels
        for name in risk.spec.decide.reach:
            place_of(labels, name)


def prepared(found: Analysis, engine: Engine | None = None) -> Analysis:
    """The analysis with what to prepare now, where the risk file asks for it; raises `InputError`."""
    if found.risk.spec.contingency is None:
        return found
    started = time.perf_counter()
    best, every = contingency(found.risk, Planned.of(found.solution), engine)
    seconds = {**found.seconds, "contingency": time.perf_counter() - started}
    return replace(found, frames={**found.frames, "contingency": best, "signs": every}, seconds=seconds)


def protected(found: Analysis) -> Analysis:
    """The analysis with a plan that holds against a budget of uncertainty, where the risk file asks for it;
    raises `InputError` and `NoPlanError`."""
    if found.risk.spec.robust is None:
        return found
    started = time.perf_counter()
    answer = robust(found.risk, found.solution)
    frames = {
        **found.frames, "robust": answer.rows, "robust_sales": sales(answer.solution),
        "robust_decisions": decisions_frame([("robust", Planned.of(answer.solution))]),
    }  # fmt: skip
    seconds = {**found.seconds, "robust": time.perf_counter() - started}
    findings = {**found.findings, "robust_money": answer.money, "plain_money": answer.plain}
    return replace(found, frames=frames, seconds=seconds, findings=findings)


def with_break_evens(found: Analysis, asked: Sequence[tuple[str, str]]) -> Analysis:
    """The analysis with the value of each budget or uncertain number at which a target is just reached."""
    planned, rows = Planned.of(found.solution), []
    for what, target in asked:
        if what in found.solution.model.context.rule_rows:
            answer = budget_for(found.solution.model, what, target)
        else:
            answer = holds_until(found.risk, planned, what, target)
        rows.append({
            "target": answer.target, "what": answer.what, "value": answer.value, "exact": answer.found.exact,
            "beyond": answer.found.beyond, "always": answer.found.always,
        })  # fmt: skip
    return replace(found, frames={**found.frames, "break_even": pd.DataFrame(rows)}) if rows else found


def _frames(found: Analysis) -> dict[str, pd.DataFrame]:
    worst = found.risk.spec.worst
    simulations = list(found.simulations.values())
    frames = {
        "targets": pd.concat([targets_frame(one) for one in simulations], ignore_index=True),
        "figures": pd.concat([summary_frame(one, worst) for one in simulations], ignore_index=True),
        "drivers": pd.concat(
            [drivers_frame(one, found.risk, found.draws, driven(one)) for one in simulations],
            ignore_index=True,
        ),
        "futures": _futures(found),
    }
    return frames


def driven(simulation: Simulation) -> list[str]:
    """Money and the targets that are least likely among those that are open."""
    rates = simulation.reached.mean(axis=0)
    open_ones = [
        (float(rates[place]), label.name)
        for place, label in enumerate(simulation.labels)
        if label.kind == "target" and 0.0 < rates[place] < 1.0
    ]
    return [MONEY, *(name for _, name in sorted(open_ones)[:DRIVEN])]


def _futures(found: Analysis) -> pd.DataFrame:
    """A row a future: what was uncertain, what happened, money and the targets in each way."""
    columns: dict[str, Any] = {"future": np.arange(len(found.draws))}
    for at, variable in enumerate(found.risk.variables):
        columns[variable.name] = variable.figure(found.draws.u[:, at])
    for at, event in enumerate(found.risk.events):
        columns[event.name] = found.draws.outcomes[:, at]
    for way, simulation in found.simulations.items():
        for place, label in enumerate(simulation.labels):
            if label.metric == MONEY or label.kind == "target":
                columns[f"{way}: {label.name}"] = simulation.values[:, place]
    return pd.DataFrame(columns)


def save(found: Analysis, page: str, out: Path, draw: Callable[[Path], object] = lambda _: None) -> None:
    """Put the folder in the place of `out`: risk.json, page.txt, every table as CSV and Parquet, and what
    `draw` writes into it."""
    with replace_folder(out, MARKER) as folder:
        draw(folder)
        write_json(found.summary(), folder / MARKER)
        (folder / "page.txt").write_text(page, encoding="utf-8")
        for name, frame in found.frames.items():
            write_table(frame, folder / f"{name}.csv")
            write_table(frame, folder / f"{name}.parquet")
