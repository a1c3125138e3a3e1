"""Thresholds: exact against every split tried one by one, and what a rule brings."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from solvers.errors import InvalidProgramError
from solvers.stochastic.threshold import Threshold, best_threshold, record_of

PAIRS = st.lists(st.tuples(st.integers(-4, 4), st.integers(-9, 9)), min_size=1, max_size=12)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(pairs=PAIRS)
def test_no_other_split_brings_more(pairs: list[tuple[int, int]]) -> None:
    """The rule found brings what the best of all splits brings, on either side, acting never included."""
    figure, value = np.array(pairs, dtype=np.float64).T
    levels = [-np.inf, *(np.unique(figure) + 0.5), np.inf]
    tried = [
        record_of(Threshold(one, above), figure, value).value for one in levels for above in (True, False)
    ]
    assert record_of(best_threshold(figure, value), figure, value).value == pytest.approx(max(tried))


def test_a_rule_is_counted_in_hits_alarms_and_misses() -> None:
    """Acting at 1 and 2: one hit, one false alarm; the gain at 4 is missed, and foresight would take both."""
    figure, value = np.array([1.0, 2.0, 3.0, 4.0]), np.array([8.0, -2.0, -4.0, 6.0])
    assert best_threshold(figure, value) == Threshold(1.5, above=False)
    found = record_of(Threshold(2.0, above=False), figure, value)
    assert (found.hits, found.false_alarms, found.misses) == (0.25, 0.25, 0.25)
    assert (found.value, found.always, found.foresight) == (1.5, 2.0, 3.5)


def test_equal_figures_are_never_split_and_unknown_ones_do_not_act() -> None:
    """Between two equal figures there is no level; what is not seen is not acted on."""
    figure, value = np.array([1.0, 1.0, np.nan]), np.array([5.0, -9.0, 7.0])
    rule = best_threshold(figure, value)
    assert rule.level == -np.inf
    assert not rule.acts(figure).any()
    with pytest.raises(InvalidProgramError, match="no future"):
        best_threshold(np.array([np.nan]), np.ones(1))


def test_equal_stakes_give_the_split_of_the_youden_index() -> None:
    """With gains and losses weighed by their frequency the level is that of the largest hits less alarms."""
    figure = np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
    ill = np.array([True, True, False, False, False, True])
    weighed = np.where(ill, 1.0 / ill.sum(), -1.0 / (~ill).sum())
    rates = [((figure <= at) & ill).sum() / 3 - ((figure <= at) & ~ill).sum() / 3 for at in figure]
    assert best_threshold(figure, weighed).level == figure[int(np.argmax(rates))] + 0.5
