"""Partial pooling: a thin cell borrows from its parent, the more, the more alike the cells are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import betaln
from scipy.stats import beta, norm

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

INTERVAL = 0.90
"""Coverage of every interval that `fit` reports."""

_TAIL = (1.0 - INTERVAL) / 2.0
_LARGEST_CONCENTRATION = 1e6
_SMALLEST_CONCENTRATION = 0.5


@dataclass(frozen=True)
class Pooled:
    """Estimates of one level, all arrays (groups,)."""

    value: FloatArray
    """The pooled estimate."""
    own_weight: FloatArray
    """How much of it comes from the group's own data; the rest comes from its parent."""
    low: FloatArray
    """Lower end of the 90 % interval."""
    high: FloatArray
    """Upper end of the 90 % interval."""

    def take(self, groups: IntArray) -> Pooled:
        """The estimates of members, given the group of each: (members,)."""
        return Pooled(self.value[groups], self.own_weight[groups], self.low[groups], self.high[groups])


def pool_rates(successes: FloatArray, trials: FloatArray, parent: FloatArray) -> Pooled:
    """Empirical-Bayes rates by the beta-binomial model.

    rate = (successes + c * parent) / (trials + c), where the concentration c of all groups of a level is the
    one of highest likelihood: successes ~ BetaBinomial(trials, c * parent, c * (1 - parent)). The interval is
    that of the posterior beta distribution. `successes`, `trials`, `parent` are (groups,), the parent's rates
    inside (0, 1). Method: Griffiths 1973 (likelihood); Casella 1985, "An introduction to empirical Bayes".
    """
    mean = np.clip(parent, 1e-6, 1.0 - 1e-6)
    concentration = _concentration(successes, trials, mean)
    above = successes + concentration * mean
    below = trials - successes + concentration * (1.0 - mean)
    return Pooled(
        value=above / (above + below),
        own_weight=trials / (trials + concentration),
        low=np.asarray(beta.ppf(_TAIL, above, below), dtype=np.float64),
        high=np.asarray(beta.ppf(1.0 - _TAIL, above, below), dtype=np.float64),
    )


def _concentration(successes: FloatArray, trials: FloatArray, mean: FloatArray) -> float:
    """The concentration of highest likelihood; very large where the groups do not differ at all."""
    seen = trials > 0
    if seen.sum() < 2:
        return _LARGEST_CONCENTRATION if not seen.any() else _SMALLEST_CONCENTRATION
    wins, closed, rate = successes[seen], trials[seen], mean[seen]

    def minus_log_likelihood(log_concentration: float) -> float:
        weight = np.exp(log_concentration)
        prior = betaln(weight * rate, weight * (1.0 - rate))
        posterior = betaln(wins + weight * rate, closed - wins + weight * (1.0 - rate))
        return -float(np.sum(posterior - prior))

    bounds = (np.log(_SMALLEST_CONCENTRATION), np.log(_LARGEST_CONCENTRATION))
    found = minimize_scalar(minus_log_likelihood, bounds=bounds, method="bounded")
    return float(np.exp(found.x))


def pool_means(mean: FloatArray, count: FloatArray, spread: FloatArray, parent: FloatArray) -> Pooled:
    """Empirical-Bayes means by the normal model.

    value = w * mean + (1 - w) * parent, w = t / (t + s^2 / count), where s^2 is a group's own variance and t
    the variance between groups that the data show beyond chance (method of moments, never below 0). Groups
    without data take the parent. All arrays are (groups,); `spread` is the variance within a group.
    Method: Morris 1983, "Parametric empirical Bayes inference".
    """
    seen = count > 0
    error = np.where(seen, spread / np.maximum(count, 1.0), np.inf)
    between = _between_variance(mean[seen] - parent[seen], error[seen])
    with np.errstate(invalid="ignore"):
        weight = np.where(seen, np.where(error > 0, between / (between + error), 1.0), 0.0)
    weight = np.nan_to_num(weight)
    value = np.where(seen, weight * np.nan_to_num(mean) + (1.0 - weight) * parent, parent)
    deviation = np.sqrt(np.where(seen, weight * np.where(seen, error, 0.0), between))
    reach = float(norm.ppf(1.0 - _TAIL)) * deviation
    return Pooled(value=value, own_weight=weight, low=value - reach, high=value + reach)


def _between_variance(deviation: FloatArray, error: FloatArray) -> float:
    """Variance of true group means around their parents: mean of deviation^2 - error, at least 0."""
    if not len(deviation):
        return 0.0
    typical = float(np.median(error)) or 1.0
    weights = 1.0 / (error + typical)
    return max(0.0, float(np.sum(weights * (deviation**2 - error)) / np.sum(weights)))
