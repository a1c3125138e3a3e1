"""Expressions as triplets."""

from __future__ import annotations

import numpy as np

from optimizer.model.terms import Terms, spread_members, sum_by


def expressions() -> Terms:
    """Two expressions over three columns: 2 x0 + 3 x2 + 1, and 5 x1."""
    return Terms(np.array([0, 1, 0]), np.array([0, 1, 2]), np.array([2.0, 5.0, 3.0]), np.array([1.0, 0.0]))


def test_values() -> None:
    """Triplets times values, plus constants."""
    assert expressions().values(np.array([1.0, 2.0, 3.0])).tolist() == [12.0, 10.0]


def test_addition_and_scaling() -> None:
    """Expressions add by member, and are scaled by one number or one each."""
    x = np.array([1.0, 2.0, 3.0])
    total = expressions() + expressions().scaled(np.array([1.0, -1.0]))
    assert total.values(x).tolist() == [24.0, 0.0]
    assert expressions().scaled(0.5).values(x).tolist() == [6.0, 5.0]


def test_dense_adds_repeated_columns() -> None:
    """A column that stands twice in an expression counts twice."""
    twice = Terms(np.zeros(2, dtype=np.int64), np.array([1, 1]), np.array([2.0, 3.0]), np.zeros(1))
    assert twice.dense(3).tolist() == [0.0, 5.0, 0.0]


def test_what_cancels_but_for_rounding_is_nothing() -> None:
    """0.1 + 0.2 - 0.3 is 0 in a row of its own, and what is really left stays, as do coefficients of one part."""
    value = np.array([0.1, 0.2, -0.3, 1.0, -0.999, 1e-17])
    terms = Terms(np.zeros(6, dtype=np.int64), np.array([4, 4, 4, 2, 2, 7]), value, np.zeros(1))
    assert terms.cancelled().dense(8)[[2, 4, 7]].tolist() == [1.0 - 0.999, 0.0, 1e-17]


def test_constants_have_no_columns() -> None:
    """Expressions without variables keep their value everywhere."""
    assert Terms.constants(np.array([4.0, 5.0])).values(np.zeros(2)).tolist() == [4.0, 5.0]


def test_members_are_spread_and_repeated() -> None:
    """Member k of the answer is member source[k]."""
    spread = spread_members(expressions(), np.array([1, 0, 1]))
    assert spread.values(np.array([1.0, 2.0, 3.0])).tolist() == [10.0, 12.0, 10.0]


def test_sums_by_code() -> None:
    """Values are added by code; codes without values are 0."""
    assert sum_by(np.array([2, 0, 2]), np.array([1.0, 2.0, 3.0]), 4).tolist() == [2.0, 0.0, 4.0, 0.0]
