"""Decisions measured on fresh futures: what they bring, and how often a target is or could be reached."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from scenarios.kept import Planned
from scenarios.risk.arrays import World
from scenarios.risk.frames import best_in
from scenarios.risk.futures import Future
from scenarios.risk.goals import goal_row, place_of
from scenarios.risk.learned import NotLearnedError
from scenarios.risk.learning import Stratified
from scenarios.risk.reaching import ROUNDING, Reached
from scenarios.risk.riskfile import Draws, Risk
from scenarios.risk.sample import Sample
from scenarios.risk.simulation import Simulation
from scenarios.risk.worlds import Worlds
from solvers.stochastic.outofsample import share_interval

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

CONFIDENCE = 0.95


def reach_frame(
    risk: Risk, reached: Reached, fresh: Draws, tried: Simulation | None, sample: Sample
) -> pd.DataFrame:
    """A row a target: the probability asked, that of the sample, and those on fresh futures.

    `could` counts futures in which sales can reach the target when it comes first, as the chance is meant;
    `does` those in which it is reached when money comes first, as *reacting*. Without decisions that reach
    all of them `most` is the largest probability of the target by itself.
    """
    rows = []
    for name, asked in reached.asked.items():
        row: dict[str, Any] = {
            "target": name, "asked": float(asked), "decided_for": sample.drawn,
            "solved_for": len(sample.draws),
            "possible": reached.planned is not None, "most": reached.most.get(name, np.nan),
            "sample": reached.probability.get(name, np.nan), "gap": reached.gap,
        }  # fmt: skip
        if reached.planned is not None and tried is not None:
            does = tried.reached[:, place_of(tried.labels, name)] & ~tried.failed
            could = does | could_reach(risk, reached.planned, fresh, name, ~does)
            low, high = share_interval(int(could.sum()), len(could), CONFIDENCE)
            row |= {"could": float(could.mean()), "could_low": low, "could_high": high}
            row |= {"does": float(does.mean()), "fresh": len(could)}
        rows.append(row)
    return pd.DataFrame(rows)


def could_reach(risk: Risk, planned: Planned, draws: Draws, name: str, asked: BoolArray) -> BoolArray:
    """In which of the futures that are asked about sales can reach a target under these decisions (N,)."""
    worlds = Worlds(risk, planned, "reacting")
    found = np.zeros(len(draws), dtype=np.bool_)
    rows = np.flatnonzero(asked).tolist()
    if not rows:
        return found
    try:
        learned: Stratified | None = Stratified(worlds, draws)
    except NotLearnedError:
        learned = None
    for row in rows:
        world = worlds.compiled(Future.of(draws, row)) if learned is None else learned.world(draws, row)
        found[row] = _most(world, name) >= -ROUNDING
    return found


def _most(world: World, name: str) -> float:
    """The most that a goal can be above its bound in a world."""
    goal = goal_row(world, place_of(world.measures.labels, name))
    program = world.program.replace(objective=goal.coefficients, offset=goal.constant)
    x = best_in(replace(world, program=program))
    return -np.inf if x is None else program.value(x)


def decisions_frame(named: Sequence[tuple[str, Planned]]) -> pd.DataFrame:
    """A row a decision, activity, row and period with an amount: what each decision says to do."""
    rows = [
        {
            "decision": name, "activity": activity, "row": labels[row], "period": planned.periods[period],
            "amount": float(amounts[row, period]),
        }
        for name, planned in named
        for activity, (labels, amounts) in planned.decisions.items()
        for row, period in np.argwhere(np.abs(amounts) > ROUNDING).tolist()
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=["decision", "activity", "row", "period", "amount"])
