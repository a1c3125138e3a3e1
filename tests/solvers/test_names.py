"""Tests that names in files are readable, unique and reversible."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from solvers.errors import InvalidProgramError
from solvers.names import all_names, blocks_of, full_name, split_name
from solvers.program import Block

TEXT = st.text(min_size=1, max_size=12)


@pytest.mark.parametrize("style", ["mps", "lp"])
@given(block=TEXT, labels=st.lists(TEXT, min_size=1, max_size=3))
def test_every_name_can_be_read_back(style: str, block: str, labels: list[str]) -> None:
    """Whatever a planner calls things: no blank, no clash, and the same labels again."""
    name = full_name(block, labels, style)
    assert not any(mark.isspace() for mark in name)
    assert split_name(name) == (block, tuple(labels))


def test_names_are_readable() -> None:
    """Letters of any alphabet stay, only what would break the file is coded."""
    assert full_name("hours", ["Ли, Вэй", "2027-01"]) == "hours[Ли%2C%20Вэй,2027-01]"
    assert full_name("hours", ["Ли, Вэй", "2027-01"], "lp") == "hours(Ли%2C%20Вэй,2027%2D01)"


def test_lp_names_never_look_like_numbers_or_words() -> None:
    """`e1`, `2nd` and `free` would be read as something else."""
    for label in ("e1", "2nd", "free", ".5"):
        name = full_name("", [label], "lp")
        assert name.startswith("%")
        assert split_name(name) == ("", (label,))


def test_equal_names_are_refused() -> None:
    """North East and North_East stay two things; the same label twice is an error."""
    distinct = Block("sales", 0, 2, lambda: [("North East",), ("North_East",)])
    assert len(set(all_names((distinct,), 2, "column"))) == 2
    with pytest.raises(InvalidProgramError, match="two of the columns"):
        all_names((Block("sales", 0, 2, lambda: [("a",), ("a",)]),), 2, "column")


def test_blocks_come_back() -> None:
    """Names in a file form the blocks that wrote them; foreign names are labels of a block without name."""
    blocks = (Block("sales", 0, 2, lambda: [("a", "1"), ("a", "2")]), Block("spend", 2, 3))
    again = blocks_of(all_names(blocks, 3, "column"))
    assert [(block.name, block.start, block.stop) for block in again] == [("sales", 0, 2), ("spend", 2, 3)]
    assert again[0].label(1) == ("a", "2")
    assert all_names(blocks_of(["X1", "X2"]), 2, "column") == ["X1", "X2"]
