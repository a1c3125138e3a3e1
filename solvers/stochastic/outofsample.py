"""How far a decision that was found on a sample may be from the best one: fresh samples, and an interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import t

from solvers.errors import InvalidProgramError
from solvers.program import FloatArray
from solvers.stochastic.measures import quantile


@dataclass(frozen=True)
class GapInterval:
    """The optimality gap of a decision lies in [0, upper] with this confidence; `mean` is its estimate."""

    mean: float
    deviation: float
    upper: float
    confidence: float
    gaps: FloatArray


def gap_interval(gaps: Sequence[float], confidence: float = 0.95) -> GapInterval:
    """One-sided interval from batches: a gap is value of the decision - best value on one fresh sample.

        upper = mean + t(confidence, batches - 1) * deviation / sqrt(batches)

    Both values of a batch are losses on the same sample, so every gap is at least 0 and its mean at least
    the true gap. Source: Mak, Morton & Wood 1999. Raises `InvalidProgramError` for fewer than two batches.
    """
    values = np.asarray(gaps, dtype=np.float64)
    if values.size < 2:
        raise InvalidProgramError("an interval needs at least two batches")
    mean, deviation = float(values.mean()), float(values.std(ddof=1))
    width = float(t.ppf(confidence, values.size - 1)) * deviation / np.sqrt(values.size)
    return GapInterval(mean, deviation, max(0.0, mean) + width, confidence, values)


def mean_interval(values: FloatArray, confidence: float = 0.95) -> tuple[float, float, float]:
    """Mean and its two-sided interval for independent values (S,)."""
    mean = float(values.mean())
    if values.size < 2:
        return mean, -np.inf, np.inf
    half = float(t.ppf((1.0 + confidence) / 2.0, values.size - 1))
    width = half * float(values.std(ddof=1)) / np.sqrt(values.size)
    return mean, mean - width, mean + width


def tail_interval(loss: FloatArray, level: float, confidence: float = 0.95) -> tuple[float, float, float]:
    """The mean of the worst 1 - level (CVaR) and its two-sided interval for equally likely losses (S,).

    VaR + mean of max(loss - VaR, 0) / (1 - level), with the interval of that mean: VaR is a stationary point,
    so that its own error is of second order. Source: Rockafellar & Uryasev 2002; Trindade et al. 2007.
    """
    at = quantile(loss, np.full(loss.size, 1.0 / loss.size), level)
    mean, low, high = mean_interval(np.maximum(loss - at, 0.0) / (1.0 - level), confidence)
    return at + mean, at + low, at + high


def share_interval(hits: float, count: int, confidence: float = 0.95) -> tuple[float, float]:
    """The interval of a probability that was hit this often (Wilson 1927)."""
    from scipy.stats import norm

    z = float(norm.ppf((1.0 + confidence) / 2.0))
    share = hits / count
    centre = (share + z * z / (2 * count)) / (1 + z * z / count)
    width = z / (1 + z * z / count) * np.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    low, high = max(0.0, centre - width), min(1.0, centre + width)
    return (0.0 if hits == 0 else float(low)), (1.0 if hits == count else float(high))
