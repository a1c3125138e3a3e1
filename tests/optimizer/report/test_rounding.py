"""Tables whose rounded figures add up."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from optimizer.report.rounding import controlled_rounding

CELLS = arrays.arrays(
    np.float64,
    st.tuples(st.integers(1, 6), st.integers(1, 6)),
    elements=st.one_of(st.just(0.0), st.floats(-50, 50, width=32)),
)


@given(CELLS)
@settings(max_examples=200, deadline=None)
def test_every_sum_is_exact_and_every_figure_near(cells: np.ndarray) -> None:
    """Rows, columns and the total add up, and each figure is the floor or the ceiling of the true one."""
    whole = controlled_rounding(cells)
    true = np.pad(cells, ((0, 1), (0, 1)))
    true[:-1, -1], true[-1, :-1], true[-1, -1] = cells.sum(axis=1), cells.sum(axis=0), cells.sum()
    assert (whole[:-1].sum(axis=0) == whole[-1]).all()
    assert (whole[:, :-1].sum(axis=1) == whole[:, -1]).all()
    assert (np.abs(whole - true) < 1.0 + 1e-5).all()


def test_whole_figures_stay() -> None:
    """A table that needs no rounding is not touched, zeros included."""
    cells = np.array([[0.0, 3.0], [7.0, 0.0]])
    assert controlled_rounding(cells).tolist() == [[0, 3, 3], [7, 0, 7], [7, 3, 10]]


def test_naive_rounding_would_not_add_up() -> None:
    """Three thirds are 1 in all: one of them is rounded up."""
    row = controlled_rounding(np.full((1, 3), 1 / 3))[0]
    assert sorted(row[:3].tolist()) == [0, 0, 1]
    assert row[3] == 1
