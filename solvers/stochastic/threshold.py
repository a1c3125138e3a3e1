"""The best single threshold on a figure that is seen before one has to act."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from solvers.errors import InvalidProgramError
from solvers.program import BoolArray, FloatArray


@dataclass(frozen=True)
class Threshold:
    """Act where the figure is at most (or, with `above`, at least) `level`; an infinite level is always or
    never."""

    level: float
    above: bool

    def acts(self, figure: FloatArray) -> BoolArray:
        """Whether to act in each future (S,); not where the figure is unknown (NaN)."""
        return np.asarray(figure >= self.level if self.above else figure <= self.level, dtype=np.bool_)


@dataclass(frozen=True)
class Record:
    """What a rule did in S futures, as shares of them, and what it brings a future on average.

    `hits`: acted, and it was worth it; `false_alarms`: acted, and it was not; `misses`: would have been worth
    it. `value` is mean(act_s * value_s), `always` and `foresight` are those of acting in every future and in
    exactly those in which it is worth it.
    """

    hits: float
    false_alarms: float
    misses: float
    value: float
    deviation: float
    """Standard deviation of act_s * value_s over the futures."""
    always: float
    foresight: float
    futures: int


def best_threshold(figure: FloatArray, value: FloatArray) -> Threshold:
    """The threshold whose rule brings most: a stump with one split, exact.

        maximise over (level, side)  mean(1[figure_s on the side of level] * value_s)

    After sorting, cumulative sums give every split, O(S log S). The level lies half-way between two figures
    that are seen. `figure` and `value` (S,); futures in which the figure is unknown are left out. With equal
    gains and equal losses it is Youden's index with these as weights. Sources: Youden 1950, Iba & Langley
    1992 (one split), Smits 2010 (the index with unequal costs). Raises `InvalidProgramError` for no futures.
    """
    known = ~np.isnan(figure)
    if not known.any():
        raise InvalidProgramError("no future shows the figure")
    order = np.argsort(figure[known], kind="stable")
    seen, brings = figure[known][order], value[known][order]
    # below[k]: what acting on the first k brings; a split between equal figures is none.
    below = np.concatenate([[0.0], np.cumsum(brings)])
    levels = np.concatenate([[-np.inf], (seen[:-1] + seen[1:]) / 2.0, [np.inf]])
    splits = np.concatenate([[True], seen[:-1] < seen[1:], [True]])
    at_most = np.where(splits, below, -np.inf)
    at_least = np.where(splits, below[-1] - below, -np.inf)
    low, high = int(at_most.argmax()), int(at_least.argmax())
    if at_least[high] > at_most[low]:
        return Threshold(float(levels[high]), above=True)
    return Threshold(float(levels[low]), above=False)


def record_of(rule: Threshold, figure: FloatArray, value: FloatArray) -> Record:
    """What a rule does in futures with these figures and values (S,)."""
    acts, worth = rule.acts(figure), value > 0.0
    gained = np.where(acts, value, 0.0)
    return Record(
        hits=float((acts & worth).mean()),
        false_alarms=float((acts & ~worth).mean()),
        misses=float((~acts & worth).mean()),
        value=float(gained.mean()),
        deviation=float(gained.std(ddof=1)) if gained.size > 1 else 0.0,
        always=float(value.mean()),
        foresight=float(np.maximum(value, 0.0).mean()),
        futures=int(value.size),
    )
