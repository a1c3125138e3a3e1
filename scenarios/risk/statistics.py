"""What the figures of many futures say: ranges, probabilities, the worst part, and what drives them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from scenarios.risk.riskfile import Draws, Risk
from scenarios.risk.simulation import Simulation
from solvers.stochastic.measures import quantile
from solvers.stochastic.outofsample import mean_interval, share_interval, tail_interval

FloatArray = NDArray[np.float64]

CONFIDENCE = 0.95
_KNOWN = 10
"""Futures below which no statistic is shown."""


@dataclass(frozen=True)
class Driver:
    """How one uncertain thing moves a figure: rank correlation, and its share of what all of them explain."""

    name: str
    kind: str
    correlation: float
    share: float


def summary_frame(simulation: Simulation, worst: float) -> pd.DataFrame:
    """A row a figure: mean with its interval, deviation, P10, P50, P90, and the worst part.

    `value_at_risk` is the figure that all but the worst part reach, `worst_mean` the mean of that worst part
    (CVaR) with its interval; worst is low, but high for figures with an upper bound only.
    """
    rows = []
    for place, label in enumerate(simulation.labels):
        values = simulation.values[:, place]
        values = values[~np.isnan(values)]
        if len(values) < _KNOWN:
            continue
        sign = 1.0 if _is_ceiling(simulation, place) else -1.0
        shares = np.full(len(values), 1.0 / len(values))
        mean, low, high = mean_interval(values, CONFIDENCE)
        tail = [sign * one for one in tail_interval(sign * values, 1.0 - worst, CONFIDENCE)]
        rows.append({
            "way": simulation.way, "figure": label.name, "rule": label.rule, "member": label.member,
            "metric": label.metric, "unit": label.unit, "futures": len(values), "mean": mean, "mean_low": low,
            "mean_high": high, "deviation": float(values.std(ddof=1)),
            **{f"p{level}": float(np.quantile(values, level / 100)) for level in (10, 50, 90)},
            "value_at_risk": sign * quantile(sign * values, shares, 1.0 - worst),
            "worst_mean": tail[0], "worst_mean_low": min(tail[1:]), "worst_mean_high": max(tail[1:]),
        })  # fmt: skip
    return pd.DataFrame(rows)


def _is_ceiling(simulation: Simulation, place: int) -> bool:
    return bool(np.isnan(simulation.at_least[place]) and not np.isnan(simulation.at_most[place]))


def targets_frame(simulation: Simulation) -> pd.DataFrame:
    """A row a bound: how likely it holds, with the interval of that probability, and the figure's range."""
    rows = []
    tried = ~simulation.failed
    for place, label in enumerate(simulation.labels):
        bounds = simulation.at_least[place], simulation.at_most[place]
        if not label.rule or all(np.isnan(bounds)) or not tried.any():
            continue
        hits, count = int(simulation.reached[tried, place].sum()), int(tried.sum())
        low, high = share_interval(hits, count, CONFIDENCE)
        values = simulation.values[tried, place]
        known = values[~np.isnan(values)]
        spread = [float(np.quantile(known, level)) if len(known) else np.nan for level in (0.1, 0.5, 0.9)]
        rows.append({
            "way": simulation.way, "name": label.name, "rule": label.rule, "kind": label.kind,
            "member": label.member, "metric": label.metric, "unit": label.unit, "priority": label.priority,
            "at_least": bounds[0], "at_most": bounds[1], "probability": hits / count,
            "probability_low": low, "probability_high": high,
            "p10": spread[0], "p50": spread[1], "p90": spread[2],
        })  # fmt: skip
    frame = pd.DataFrame(rows)
    return frame if frame.empty else frame.astype({"priority": "Int64"})


def drivers(simulation: Simulation, risk: Risk, draws: Draws, figure: str) -> list[Driver]:
    """What moves a figure, the strongest first: Spearman's rank correlation, its square's share of all."""
    values = simulation.column(figure)
    known = ~np.isnan(values)
    found = []
    for name, kind, cause in causes(risk, draws):
        correlation = _rank_correlation(cause[known], values[known])
        found.append((name, kind, correlation))
    total = sum(one[2] ** 2 for one in found) or 1.0
    listed = [Driver(name, kind, value, value**2 / total) for name, kind, value in found]
    return sorted(listed, key=lambda one: (-one.share, one.name))


def drivers_frame(simulation: Simulation, risk: Risk, draws: Draws, figures: Sequence[str]) -> pd.DataFrame:
    """The drivers of several figures."""
    rows = [
        {
            "way": simulation.way, "figure": figure, "driver": one.name, "kind": one.kind,
            "rank_correlation": one.correlation, "share": one.share,
        }
        for figure in figures
        for one in drivers(simulation, risk, draws, figure)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def causes(risk: Risk, draws: Draws) -> list[tuple[str, str, FloatArray]]:
    """Each uncertain number by its uniform, each event by whether (and how far) it happens; sellers who leave
    together, as the share of the periods without them."""
    found: list[tuple[str, str, FloatArray]] = [
        (variable.name, "number", draws.u[:, at]) for at, variable in enumerate(risk.variables)
    ]
    together: dict[str, FloatArray] = {}
    periods = risk.base.plan.calendar.size
    for at, event in enumerate(risk.events):
        outcome = draws.outcomes[:, at]
        if event.kind == "leaves":
            name = event.name.removesuffix(f": {event.target}")
            first = outcome - 1
            gone = np.where(outcome > 0, periods - first, 0)
            gone = np.minimum(gone, event.absent) if event.absent else gone
            together[name] = together.get(name, np.zeros(len(draws))) + gone
        elif event.kind == "slips":
            delays = np.array([0, *event.delays])
            found.append((event.name, "event", delays[outcome].astype(np.float64)))
        else:
            found.append((event.name, "event", outcome.astype(np.float64)))
    return found + [(name, "event", gone.astype(np.float64)) for name, gone in together.items()]


def _rank_correlation(one: FloatArray, other: FloatArray) -> float:
    from scipy.stats import rankdata

    if len(one) < 3 or np.ptp(one) == 0.0 or np.ptp(other) == 0.0:
        return 0.0
    first, second = rankdata(one), rankdata(other)
    return float(np.corrcoef(first, second)[0, 1])
