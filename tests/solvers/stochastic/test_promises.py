"""Promises against what is delivered: equal probabilities, bounds, ties, and a total that cannot be."""

from __future__ import annotations

import numpy as np
import pytest

from solvers.errors import InvalidProgramError
from solvers.stochastic.promises import promise

FREE = np.zeros(3), np.full(3, np.inf)


def test_promises_are_kept_with_the_same_probability() -> None:
    """Of deliveries of different spread each is promised at the same quantile, and no split misses less."""
    random = np.random.default_rng(4)
    delivered = 100.0 + random.normal(size=(400, 3)) * np.array([2.0, 10.0, 20.0])
    shares = np.full(400, 1 / 400)
    found = promise(delivered, shares, 290.0, *FREE, np.full(3, 97.0))
    assert found.sum() == pytest.approx(290.0)
    kept = (delivered >= found).mean(axis=0)
    assert np.ptp(kept) <= 0.01
    missed = np.maximum(found - delivered, 0.0).sum(axis=1).mean()
    for step in ([1, -1, 0], [0, 1, -1], [-1, 0, 1]):
        other = np.maximum(found + np.array(step) - delivered, 0.0).sum(axis=1).mean()
        assert missed <= other + 1e-9


def test_where_nothing_is_missed_promises_stay() -> None:
    """Among promises that are always kept those nearest to the given ones are chosen, within bounds."""
    delivered, shares = np.full((5, 3), 50.0), np.full(5, 0.2)
    near = np.array([10.0, 20.0, 30.0])
    assert promise(delivered, shares, 60.0, *FREE, near) == pytest.approx(near)
    upper = np.array([5.0, np.inf, 30.0])
    assert promise(delivered, shares, 60.0, FREE[0], upper, near) == pytest.approx([5.0, 25.0, 30.0])


def test_a_total_beyond_the_bounds_is_refused() -> None:
    """Bounds that cannot carry the total are an error, not a smaller total."""
    with pytest.raises(InvalidProgramError, match="total"):
        promise(np.ones((2, 3)), np.full(2, 0.5), 10.0, FREE[0], np.ones(3), np.ones(3))
