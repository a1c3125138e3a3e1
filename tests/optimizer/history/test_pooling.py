"""Partial pooling: thin cells borrow, thick cells do not."""

from __future__ import annotations

import numpy as np
import pytest

from optimizer.history.pooling import pool_means, pool_rates


def test_a_cell_without_trials_takes_its_parent() -> None:
    """Nothing seen, nothing of its own."""
    pooled = pool_rates(np.array([90.0, 0.0, 20.0]), np.array([100.0, 0.0, 100.0]), np.full(3, 0.5))
    assert pooled.value[1] == pytest.approx(0.5)
    assert pooled.own_weight[1] == 0.0


def test_cells_that_differ_keep_their_own_rates() -> None:
    """With a thousand trials and rates far apart hardly anything is borrowed."""
    trials = np.full(4, 1000.0)
    pooled = pool_rates(np.array([100.0, 400.0, 600.0, 900.0]), trials, np.full(4, 0.5))
    assert pooled.value == pytest.approx([0.1, 0.4, 0.6, 0.9], abs=0.002)
    assert (pooled.own_weight > 0.99).all()


def test_cells_that_differ_by_chance_alone_are_drawn_together() -> None:
    """Sixty cells of one true rate get estimates nearer to it than their own frequencies."""
    random = np.random.default_rng(3)
    trials = random.integers(5, 60, size=60).astype(float)
    wins = random.binomial(trials.astype(int), 0.3).astype(float)
    pooled = pool_rates(wins, trials, np.full(60, wins.sum() / trials.sum()))
    assert np.abs(pooled.value - 0.3).max() < 0.25 * np.abs(wins / trials - 0.3).max()


def test_the_pooled_rate_beats_both_extremes_where_cells_truly_differ() -> None:
    """Mean squared error is below that of single frequencies and of the common rate."""
    random = np.random.default_rng(5)
    true = random.beta(6, 14, size=300)
    trials = random.integers(3, 80, size=300).astype(float)
    wins = random.binomial(trials.astype(int), true).astype(float)
    common = wins.sum() / trials.sum()
    pooled = pool_rates(wins, trials, np.full(300, common))

    def error(estimate: np.ndarray) -> float:
        return float(np.mean((estimate - true) ** 2))

    assert error(pooled.value) < 0.8 * min(error(wins / trials), error(np.full(300, common)))
    inside = (pooled.low <= true) & (true <= pooled.high)
    assert 0.84 <= inside.mean() <= 0.96


def test_a_mean_without_spread_is_kept() -> None:
    """Prices without any variance are facts."""
    pooled = pool_means(np.array([10.0, 30.0]), np.array([5.0, 5.0]), np.zeros(2), np.full(2, 20.0))
    assert pooled.value == pytest.approx([10.0, 30.0])


def test_a_mean_without_data_is_its_parent_with_a_wide_interval() -> None:
    """The interval of an unseen group shows how much groups differ."""
    mean, count = np.array([10.0, 14.0, np.nan]), np.array([100.0, 100.0, 0.0])
    pooled = pool_means(mean, count, np.full(3, 4.0), np.full(3, 12.0))
    assert pooled.value[2] == 12.0
    assert pooled.high[2] - pooled.low[2] > 3 * (pooled.high[0] - pooled.low[0])


def test_means_that_differ_by_chance_are_drawn_together() -> None:
    """Groups no further apart than their errors take the parent's value."""
    random = np.random.default_rng(7)
    mean = 50.0 + random.standard_normal(40) * 5.0
    pooled = pool_means(mean, np.full(40, 4.0), np.full(40, 100.0), np.full(40, mean.mean()))
    assert np.abs(pooled.value - 50.0).max() < 0.5 * np.abs(mean - 50.0).max()
