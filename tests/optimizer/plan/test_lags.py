"""When what enters a stage comes out of it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optimizer.plan.lags import arrivals, closings, work

POSITIONS = st.floats(0.0, 8.0)


@settings(max_examples=50, deadline=None)
@given(position=POSITIONS)
def test_a_lag_keeps_its_mean(position: float) -> None:
    """The shares of a cycle sum to 1, and their mean lag is its length."""
    shares = arrivals(np.array([position]), 12)[0]
    assert shares.sum() == pytest.approx(1.0)
    assert shares @ np.arange(12) == pytest.approx(position)


@settings(max_examples=50, deadline=None)
@given(ends=st.tuples(POSITIONS, POSITIONS))
def test_work_keeps_its_mean_and_closings_their_span(ends: tuple[float, float]) -> None:
    """Work between two moments lies around their middle; closings lie between them, all of them."""
    first, last = np.array([min(ends)]), np.array([max(ends)])
    spent = work(first, last, 12)[0]
    assert spent.sum() == pytest.approx(1.0)
    assert spent @ np.arange(12) == pytest.approx(float(first[0] + last[0]) / 2.0, abs=1e-6)
    closed = closings(first, last, 12)[0]
    assert closed.sum() == pytest.approx(1.0)
    assert not closed[: int(first[0])].any()
    assert not closed[int(last[0]) + 1 :].any()


def test_a_stage_of_one_period_is_worked_on_in_two() -> None:
    """Who enters in the middle of a month leaves in the middle of the next one."""
    assert work(np.zeros(1), np.ones(1), 3)[0] == pytest.approx([0.5, 0.5, 0.0])
