"""A few futures that stand for many."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from solvers.errors import InvalidProgramError
from solvers.program import FloatArray, IntArray


@dataclass(frozen=True)
class Reduced:
    """Which futures are kept (k,), with what probability (k,), and how far the others are from them."""

    kept: IntArray
    probability: FloatArray
    stands_for: IntArray
    """For each of the S futures, which of the kept ones stands for it (position in `kept`)."""
    distance: float
    """sum_s p_s * distance to the one that stands for it."""


def fast_forward(points: FloatArray, probability: FloatArray, count: int) -> Reduced:
    """Fast forward selection: keep the future that leaves the least distance, again and again.

    `points` (S, d); the distance is Euclidean on columns brought to deviation 1. Each future that is not kept
    gives its probability to the nearest kept one. Needs S^2 numbers. Source: Heitsch & Römisch 2003. Raises
    `InvalidProgramError` for a count outside 1 .. S.
    """
    size = probability.size
    if not 1 <= count <= size:
        raise InvalidProgramError(f"between 1 and {size} futures can be kept, not {count}")
    spread = points.std(axis=0)
    scaled = points / np.where(spread > 0.0, spread, 1.0)
    squares = (scaled**2).sum(axis=1)
    distance = np.sqrt(np.maximum(squares[:, None] + squares[None, :] - 2.0 * scaled @ scaled.T, 0.0))
    np.fill_diagonal(distance, 0.0)
    nearest = np.full(size, np.inf)
    kept: list[int] = []
    for _ in range(count):
        left = probability @ np.minimum(nearest[:, None], distance)
        left[kept] = np.inf
        chosen = int(left.argmin())
        kept.append(chosen)
        nearest = np.minimum(nearest, distance[:, chosen])
    stands_for = distance[:, kept].argmin(axis=1)
    shares = np.bincount(stands_for, weights=probability, minlength=count)
    return Reduced(
        np.array(kept, dtype=np.int64),
        np.asarray(shares, dtype=np.float64),
        stands_for,
        float(probability @ nearest),
    )
