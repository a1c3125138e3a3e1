"""Measures of a discrete loss: mean, value at risk, conditional value at risk, and blends of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from solvers.errors import InvalidProgramError
from solvers.program import FloatArray

_ATOM = 1e-12
"""Probabilities are added up from the left; a level this close to a sum is that sum."""


@dataclass(frozen=True)
class Blend:
    """mean * E[loss] + tail * CVaR_level[loss]: what a two-stage program minimises."""

    mean: float = 1.0
    tail: float = 0.0
    level: float = 0.9

    def __post_init__(self) -> None:
        """Refuse weights and levels that mean nothing."""
        if not 0.0 <= self.level < 1.0:
            raise InvalidProgramError(f"the level of a tail must lie in [0, 1), not {self.level!r}")
        if min(self.mean, self.tail) < 0.0 or self.mean + self.tail <= 0.0:
            raise InvalidProgramError("the weights of mean and tail must be at least 0, and one above 0")

    def of(self, loss: FloatArray, probability: FloatArray) -> float:
        """The blend of losses (S,) with probabilities (S,)."""
        value = self.mean * float(probability @ loss) if self.mean else 0.0
        return value + (self.tail * tail_mean(loss, probability, self.level) if self.tail else 0.0)

    def weights(self, loss: FloatArray, probability: FloatArray) -> FloatArray:
        """Weights (S,) with weights @ loss equal to the blend, and at most the blend for any other loss.

        A subgradient: mean * probability + tail * the worst density that CVaR allows.
        """
        return self.mean * probability + self.tail * tail_weights(loss, probability, self.level)


def check_probabilities(probability: FloatArray) -> None:
    """Raise `InvalidProgramError` unless the probabilities are at least 0 and add up to 1."""
    if probability.size == 0 or probability.min() < 0.0 or abs(float(probability.sum()) - 1.0) > 1e-9:
        raise InvalidProgramError("probabilities must be at least 0 and add up to 1")


def quantile(loss: FloatArray, probability: FloatArray, level: float) -> float:
    """Value at risk: the smallest loss v with P(loss <= v) >= level."""
    check_probabilities(probability)
    order = np.argsort(loss, kind="stable")
    reached = np.cumsum(probability[order]) >= level - _ATOM
    place = int(reached.argmax()) if reached.any() else loss.size - 1
    return float(loss[order[place]])


def tail_mean(loss: FloatArray, probability: FloatArray, level: float) -> float:
    """Conditional value at risk: the mean of the worst 1 - level, atoms split where the level lies in one.

    VaR + E[max(loss - VaR, 0)] / (1 - level). Source: Rockafellar & Uryasev 2002, Proposition 8.
    """
    at = quantile(loss, probability, level)
    return at + float(probability @ np.maximum(loss - at, 0.0)) / (1.0 - level)


def tail_weights(loss: FloatArray, probability: FloatArray, level: float) -> FloatArray:
    """The density (S,) that attains CVaR: probability / (1 - level) beyond VaR, the rest on VaR itself."""
    at = quantile(loss, probability, level)
    weights = np.where(loss > at, probability / (1.0 - level), 0.0)
    atom = loss == at
    rest = max(0.0, 1.0 - float(weights.sum()))
    weights[atom] = rest * probability[atom] / max(float(probability[atom].sum()), 1e-300)
    return weights
