"""The cycle and the season, on cases whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from optimizer.history.timing import Exposure, incidence


def watch(opened: np.ndarray, ends: np.ndarray, won: np.ndarray, first: int, last: int) -> Exposure:
    """What an export from month `first` to `last` shows of opportunities that end in month `ends`."""
    seen = ends >= first
    opened, ends, won = opened[seen], ends[seen], won[seen]
    closed = ends <= last
    return Exposure(
        deal=np.arange(len(opened)),
        entry=np.maximum(first - opened, 0),
        last=np.where(closed, ends, last) - opened,
        won=closed & won,
        lost=closed & ~won,
    )


def test_incidence_of_a_case_by_hand() -> None:
    """Ten watched: 4 won and 2 lost at age 0; of the 4 left 1 won and 1 lost at age 1; 2 stay open."""
    last = np.array([0] * 6 + [1] * 4)
    won = np.array([True] * 4 + [False] * 2 + [True, False, False, False])
    lost = np.array([False] * 4 + [True] * 2 + [False, True, False, False])
    found = incidence(Exposure(np.arange(10), np.zeros(10, dtype=np.int64), last, won, lost))
    assert found.won == pytest.approx([0.4, 0.4 * 0.25])
    assert found.conversion == pytest.approx(0.5)
    assert found.lag == pytest.approx([0.8, 0.2])


def test_slow_deals_that_are_still_open_do_not_shorten_the_cycle() -> None:
    """A year of openings cut off at its end gives the true cycle; counting closed deals alone does not."""
    random = np.random.default_rng(11)
    true = np.array([0.1, 0.1, 0.2, 0.2, 0.2, 0.2])
    opened = random.integers(0, 8, size=20_000)
    age = random.choice(6, size=20_000, p=true)
    won = random.random(20_000) < 0.4
    watched = watch(opened, opened + age, won, 0, 7)
    found = incidence(watched)
    naive = np.bincount(watched.last[watched.won], minlength=6) / watched.won.sum()
    assert found.lag == pytest.approx(true, abs=0.02)
    assert found.conversion == pytest.approx(0.4, abs=0.02)
    assert naive @ np.arange(6) < true @ np.arange(6) - 0.5


def test_deals_closed_before_the_export_begins_do_not_lengthen_the_cycle() -> None:
    """An export of closings from month 5 on lacks the quick deals of the months before."""
    random = np.random.default_rng(13)
    true = np.array([0.5, 0.2, 0.1, 0.1, 0.1])
    opened = random.integers(0, 20, size=20_000)
    age = random.choice(5, size=20_000, p=true)
    won = random.random(20_000) < 0.6
    found = incidence(watch(opened, opened + age, won, 5, 19))
    assert found.lag == pytest.approx(true, abs=0.02)
    assert found.conversion == pytest.approx(0.6, abs=0.02)
