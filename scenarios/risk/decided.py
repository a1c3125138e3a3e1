"""The analysis with decisions for many futures: the frontier, chances, and the worth of knowing."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from optimizer.errors import NoPlanError
from optimizer.report.numbers import percent
from scenarios.engine import Engine
from scenarios.kept import Planned
from scenarios.risk.analysis import Analysis
from scenarios.risk.deciding import GAP, Choice, Deciding
from scenarios.risk.measured import decisions_frame, reach_frame
from scenarios.risk.measures import MONEY
from scenarios.risk.quotas import decided_quotas
from scenarios.risk.reaching import Reaching
from scenarios.risk.sample import sample_of
from scenarios.risk.simulation import Simulation, simulate
from solvers.stochastic.lshaped import DecompositionOptions
from solvers.stochastic.measures import tail_mean
from solvers.stochastic.two_stage import TwoStage

FRESH_FUTURES = 1_000
"""Which fresh samples measure a frontier: none of those on which decisions were found or tested."""


@dataclass(frozen=True)
class Named:
    """One way to decide: its name, the weight of the worst part (NaN without), and what is proved of it."""

    name: str
    planned: Planned
    weight: float = np.nan
    gap: float = np.nan


def decided(found: Analysis, engine: Engine | None = None) -> Analysis:
    """Decide now for many futures where the risk file asks for it, and measure the decisions on fresh ones.

    Adds the frontier of mean and worst part, what each decision says, and how often decisions reach targets
    that the risk file puts a chance on; the worth of knowing and of planning, and the gap on fresh futures.
    Raises `InputError`.
    """
    started = time.perf_counter()
    risk, planned = found.risk, Planned.of(found.solution)
    spec = risk.spec.decide
    if spec is None:
        return found
    sample = sample_of(risk, spec)
    deciding = Deciding(risk, planned, sample.draws)
    problem = deciding.problem(sample.draws, sample.shares)
    choices = deciding.frontier(problem, workers=threads_of(engine))
    named = [Named("planned", planned), *(_named(one) for one in choices)]
    reached = None
    if spec.reach:
        reached = Reaching(deciding, sample.draws, sample.shares).decide(spec.reach, float(spec.time_limit))
        if reached.planned is not None:
            named.append(Named("reach", reached.planned, gap=_known(reached.gap)))
    fresh = risk.draws(len(found.draws), fresh=FRESH_FUTURES)
    tried = {one.name: simulate(risk, one.planned, fresh, "reacting", engine) for one in named}
    frames = {**found.frames, "frontier": _frontier(named, tried, risk.spec.worst)}
    frames["decisions"] = decisions_frame([(one.name, one.planned) for one in named])
    if reached is not None:
        frames["reach"] = reach_frame(risk, reached, fresh, tried.get("reach"), sample)
    carried = decided_quotas(risk, found.solution, choices[0].planned, sample, fresh, engine)
    if not carried.empty:
        frames["quotas_decided"] = carried
    findings = _worths(deciding, problem, choices[0], threads_of(engine)) | {
        "decided_for": sample.drawn, "reduced_to": len(sample.draws), "reduced_distance": sample.distance,
        "held_as_planned": list(deciding.held),
    }  # fmt: skip
    seconds = {**found.seconds, "decide": time.perf_counter() - started}
    return replace(found, frames=frames, seconds=seconds, findings={**found.findings, **findings})


def threads_of(engine: Engine | None) -> int:
    """Threads for a decomposition, which shares memory: as many as workers, and no more than cores here."""
    return 1 if engine is None else min(engine.workers, os.cpu_count() or 1)


def refuse_impossible(found: Analysis) -> None:
    """Raise `NoPlanError` where no decision gives targets the probabilities that were asked."""
    frame = found.frames.get("reach")
    if frame is None or frame["possible"].all():
        return
    language = found.risk.base.plan.spec.language
    short = frame[frame["most"] < frame["asked"]]
    if short.empty:
        raise NoPlanError("decide.impossible_together", targets=", ".join(frame["target"]))
    row = short.iloc[0]
    asked, most = (percent(float(row[name]), language, 0) for name in ("asked", "most"))
    raise NoPlanError("decide.impossible_error", target=row["target"], asked=asked, most=most)


def _named(choice: Choice) -> Named:
    return Named(f"weight {choice.weight:g}", choice.planned, choice.weight, _known(choice.result.gap))


def _known(gap: float | None) -> float:
    """A gap as a number, NaN where nothing is proved."""
    return np.nan if gap is None else gap


def _frontier(named: Sequence[Named], tried: dict[str, Simulation], worst: float) -> pd.DataFrame:
    """A row a decision: mean of money and of its worst part on fresh futures, and what is proved."""
    rows = []
    for one in named:
        money = tried[one.name].column(MONEY)
        shares = np.full(len(money), 1.0 / len(money))
        rows.append({
            "decision": one.name, "weight": one.weight, "mean": float(money.mean()),
            "worst_mean": -tail_mean(-money, shares, 1.0 - worst), "gap": one.gap,
        })  # fmt: skip
    return pd.DataFrame(rows)


def _worths(deciding: Deciding, problem: TwoStage, best: Choice, workers: int) -> dict[str, Any]:
    """The worth of knowing and of planning, and how far the best mean may be from the best.

    Each worth is a difference of two figures that are proved within `GAP` of themselves: `worth_within`.
    """
    options = DecompositionOptions(gap=GAP, workers=workers)
    worth = deciding.worth(problem, options, best.result)
    interval = deciding.out_of_sample(best, workers=workers)
    return {
        "worth_of_knowing": worth.of_knowing, "worth_of_planning": worth.of_planning,
        "worth_within": GAP * abs(worth.together),
        "together": worth.together, "knowing": worth.knowing, "mean_decision": worth.mean_decision,
        "gap_on_fresh_futures": {
            "mean": interval.mean, "upper": interval.upper, "confidence": interval.confidence,
        },
    }  # fmt: skip
