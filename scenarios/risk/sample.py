"""The futures for which is decided: drawn, and where asked a few that stand for many."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from optimizer.errors import InputError
from scenarios.risk.riskfile import Draws, Risk
from scenarios.risk.schema import DecideSpec
from scenarios.risk.statistics import causes
from solvers.stochastic.reduction import fast_forward

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Sample:
    """Futures with their probabilities (S,); `drawn` of which they stand for, `distance` how far on average
    the others are from the ones that stand for them, as a share of that to a single one."""

    draws: Draws
    shares: FloatArray
    drawn: int
    distance: float = 0.0


def sample_of(risk: Risk, spec: DecideSpec) -> Sample:
    """The futures that a risk file asks for; raises `InputError` where more are to stand for fewer."""
    draws = risk.draws(spec.futures)
    equal = np.full(len(draws), 1.0 / len(draws))
    if spec.reduce_to is None:
        return Sample(draws, equal, len(draws))
    if spec.reduce_to > len(draws):
        place = risk.source.place(("decide", "reduce_to"), str(spec.reduce_to))
        raise InputError("decide.reduce_to", place, futures=len(draws))
    points = features(risk, draws)
    reduced = fast_forward(points, equal, spec.reduce_to)
    one = fast_forward(points, equal, 1).distance
    distance = reduced.distance / one if one > 0.0 else 0.0
    return Sample(draws.taken(reduced.kept), reduced.probability, len(draws), distance)


def features(risk: Risk, draws: Draws) -> FloatArray:
    """What tells futures apart (N, d): the uncertain numbers themselves, and what events do."""
    columns = [variable.figure(draws.u[:, at]) for at, variable in enumerate(risk.variables)]
    columns += [cause for _, kind, cause in causes(risk, draws) if kind == "event"]
    return np.column_stack(columns)
