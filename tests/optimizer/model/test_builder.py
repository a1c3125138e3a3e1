"""Blocks of columns and rows joined to one program."""

from __future__ import annotations

import numpy as np
import pytest

from optimizer.model.builder import ProgramBuilder, fixed_labels
from optimizer.model.terms import Terms


def test_blocks_keep_their_place_and_name() -> None:
    """Columns and rows stand where they were added, under the family's name."""
    builder = ProgramBuilder()
    assert builder.add_columns("sales", 2, fixed_labels(("a",), ("b",)), upper=np.array([1.0, np.inf])) == 0
    assert builder.add_columns("changed", 1, fixed_labels(("c",)), upper=1.0, integer=True) == 2
    terms = Terms(np.array([0, 0]), np.array([0, 2]), np.array([2.0, -1.0]), np.array([3.0]))
    assert builder.add_rows("demand", terms, fixed_labels(("a",)), upper=5.0) == 0
    program = builder.build()
    assert [(block.name, block.start, block.stop) for block in program.column_blocks] == [
        ("sales", 0, 2),
        ("changed", 2, 3),
    ]
    assert program.row_blocks[0].name == "demand"
    assert program.column_upper.tolist() == [1.0, np.inf, 1.0]
    assert program.integer.tolist() == [False, False, True]
    assert program.matrix.toarray().tolist() == [[2.0, 0.0, -1.0]]


def test_constants_go_to_the_bounds() -> None:
    """lower <= terms + constant <= upper."""
    builder = ProgramBuilder()
    builder.add_columns("sales", 1, fixed_labels(("a",)))
    terms = Terms(np.array([0]), np.array([0]), np.array([1.0]), np.array([3.0]))
    builder.add_rows("rules", terms, fixed_labels(("a",)), lower=4.0, upper=5.0)
    program = builder.build()
    assert (program.row_lower[0], program.row_upper[0]) == pytest.approx((1.0, 2.0))


def test_a_column_that_stands_twice_in_a_row_is_added() -> None:
    """Expressions may name a column several times."""
    builder = ProgramBuilder()
    builder.add_columns("sales", 1, fixed_labels(("a",)))
    terms = Terms(np.array([0, 0]), np.array([0, 0]), np.array([1.0, 2.0]), np.zeros(1))
    builder.add_rows("rules", terms, fixed_labels(("a",)), upper=6.0)
    assert builder.build().matrix.toarray().tolist() == [[3.0]]


def test_a_program_without_rows() -> None:
    """A plan without any limit is still a program."""
    builder = ProgramBuilder()
    builder.add_columns("sales", 2, fixed_labels(("a",), ("b",)))
    assert builder.build().matrix.shape == (0, 2)
