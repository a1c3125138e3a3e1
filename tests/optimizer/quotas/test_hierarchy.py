"""The organisation as arrays."""

from __future__ import annotations

import numpy as np
import pytest

from optimizer.quotas.hierarchy import build_hierarchy


def test_nodes_are_sorted_and_nest() -> None:
    """Company, then each level in the order of labels; the same label under two parents is two nodes."""
    tree, leaf = build_hierarchy(["region", "team"], [["West", "East", "East"], ["T", "U", "T"]])
    assert tree.paths == ((), ("East",), ("West",), ("East", "T"), ("East", "U"), ("West", "T"))
    assert tree.parent.tolist() == [-1, 0, 0, 1, 1, 2]
    assert tree.level.tolist() == [0, 1, 1, 2, 2, 2]
    assert leaf.tolist() == [2, 1, 0]


def test_missing_levels_share_one_node() -> None:
    """Sellers without a team stand under one node of their region, named by a dash."""
    tree, _ = build_hierarchy(["team", "seller"], [["*", "", "A"], ["x", "y", "z"]])
    assert tree.paths[1:3] == (("",), ("A",))
    assert tree.name(1, "Firm") == "–"
    assert tree.name(3, "Firm") == "x"
    assert tree.name(0, "Firm") == "Firm"
    assert [tree.level_name(node) for node in (0, 1, 3)] == ["", "team", "seller"]


def test_sums_go_up() -> None:
    """Every node holds the sum of its leaves."""
    tree, _ = build_hierarchy(["team", "seller"], [["A", "A", "B"], ["x", "y", "z"]])
    assert tree.sum_up(np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])).tolist() == [
        [9, 12], [4, 6], [5, 6], [1, 2], [3, 4], [5, 6],
    ]  # fmt: skip
    assert tree.ancestors.tolist() == [[0, 0, 0], [1, 1, 2], [3, 4, 5]]


def test_nothing_to_build_from_is_refused() -> None:
    """A hierarchy needs a level and a row."""
    with pytest.raises(ValueError, match="at least one level"):
        build_hierarchy([], [])
    with pytest.raises(ValueError, match="one row"):
        build_hierarchy(["team"], [[]])
