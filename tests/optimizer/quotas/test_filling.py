"""Equal stretch on trees: bounds hold, sums are exact, and nothing more equal exists."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optimizer.quotas.filling import fill, floor_conflict
from optimizer.quotas.hierarchy import Hierarchy, build_hierarchy


def tree_of(*columns: list[str]) -> Hierarchy:
    """A hierarchy of the given label columns."""
    return build_hierarchy([f"level {at}" for at in range(len(columns))], columns)[0]


def bounds(tree: Hierarchy, **limits: tuple[float, float]) -> tuple[np.ndarray, np.ndarray]:
    """Bounds by the last label of a node."""
    lower, upper = np.zeros(tree.size), np.full(tree.size, np.inf)
    for node, path in enumerate(tree.paths):
        if path and path[-1] in limits:
            lower[node], upper[node] = limits[path[-1]]
    return lower, upper


def test_without_bounds_everybody_stretches_alike() -> None:
    """A target of 150 % of the plan is 150 % of everybody's plan."""
    tree = tree_of(["A", "A", "B"], ["a", "b", "c"])
    filled = fill(tree, np.array([10.0, 30.0, 20.0]), 90.0, *bounds(tree))
    assert filled.share == pytest.approx([90, 60, 30, 15, 45, 30])
    assert not filled.unassigned.any()


def test_a_cap_moves_the_rest_to_the_others_in_equal_proportion() -> None:
    """What one seller cannot take is shared by all others, whatever team they are in."""
    tree = tree_of(["A", "A", "B"], ["a", "b", "c"])
    filled = fill(tree, np.array([10.0, 30.0, 20.0]), 90.0, *bounds(tree, b=(0.0, 40.0)))
    assert filled.share[3:] == pytest.approx([50 / 3, 40, 100 / 3])


def test_a_bound_of_a_team_holds_and_its_members_stay_equal() -> None:
    """A team's cap binds its sum; inside the team the stretch is equal."""
    tree = tree_of(["A", "A", "B"], ["a", "b", "c"])
    filled = fill(tree, np.array([10.0, 30.0, 20.0]), 90.0, *bounds(tree, A=(0.0, 48.0)))
    assert filled.share == pytest.approx([90, 48, 42, 12, 36, 42])


def test_what_no_cap_allows_stays_unassigned() -> None:
    """When all caps bind the rest stays with the company."""
    tree = tree_of(["A", "B"])
    filled = fill(tree, np.array([1.0, 1.0]), 10.0, *bounds(tree, A=(0, 3), B=(0, 4)))
    assert filled.share == pytest.approx([10, 3, 4])
    assert filled.unassigned == pytest.approx([3, 0, 0])


def test_a_lock_above_the_caps_below_leaves_a_rest_in_the_team() -> None:
    """A locked team keeps its number; what its sellers cannot carry is unassigned there."""
    tree = tree_of(["A", "A", "B"], ["a", "b", "c"])
    filled = fill(tree, np.array([1.0, 1.0, 1.0]), 30.0, *bounds(tree, A=(20, 20), a=(0, 5), b=(0, 7)))
    assert filled.share == pytest.approx([30, 20, 10, 5, 7, 10])
    assert filled.unassigned == pytest.approx([0, 8, 0, 0, 0, 0])


def test_nothing_attainable_gets_the_floor_only() -> None:
    """A leaf without plan gets nothing, or its floor."""
    tree = tree_of(["A", "B", "C"])
    filled = fill(tree, np.array([0.0, 0.0, 5.0]), 12.0, *bounds(tree, B=(2.0, np.inf)))
    assert filled.share == pytest.approx([12, 0, 2, 10])


def test_floors_above_a_cap_are_found() -> None:
    """The node is named whose floors do not fit, and their sum."""
    tree = tree_of(["A", "A", "B"], ["a", "b", "c"])
    lower, upper = bounds(tree, a=(4, np.inf), b=(5, np.inf), A=(0, 8))
    assert floor_conflict(tree, lower, upper, 100.0) == (1, 9.0)
    lower, upper = bounds(tree, a=(4, np.inf), c=(5, np.inf))
    assert floor_conflict(tree, lower, upper, 8.0) == (0, 9.0)
    assert floor_conflict(tree, lower, upper, 9.0) is None


def leximin_key(shares: np.ndarray, weights: np.ndarray) -> tuple[float, ...]:
    """Ratios from the largest to the smallest."""
    return tuple(sorted(np.round(shares / weights, 9), reverse=True))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(1, 4), min_size=4, max_size=4),
    st.lists(st.tuples(st.integers(0, 2), st.integers(2, 6)), min_size=4, max_size=4),
    st.tuples(st.integers(0, 4), st.integers(4, 9)),
    st.integers(6, 16),
)
def test_no_division_in_whole_units_is_more_equal(
    weights: list[int], limits: list[tuple[int, int]], team: tuple[int, int], total: int
) -> None:
    """Brute force over every division in whole units: none beats water-filling in the leximin order."""
    tree = tree_of(["A", "A", "B", "B"], ["a", "b", "c", "d"])
    lower, upper = bounds(tree, A=team, **dict(zip("abcd", limits, strict=True)))
    if floor_conflict(tree, lower, upper, total) is not None:
        return
    weight = np.array(weights, dtype=float)
    filled = fill(tree, weight, float(total), lower, upper)
    shares = filled.share[tree.leaves]
    divisions = [
        division
        for division in product(*(range(low, high + 1) for low, high in limits))
        if team[0] <= division[0] + division[1] <= team[1]
    ]
    if filled.unassigned.any():
        assert np.all(shares <= upper[tree.leaves] + 1e-9)
        # Nobody below can carry more than is given out.
        assert shares.sum() == pytest.approx(max(sum(division) for division in divisions))
        return
    assert filled.share[0] == pytest.approx(total)
    assert np.all(filled.share >= lower - 1e-9) and np.all(filled.share <= np.maximum(upper, 0) + 1e-9)
    best = leximin_key(shares, weight)
    for division in divisions:
        if sum(division) == total:
            other = leximin_key(np.array(division, dtype=float), weight)
            assert best <= tuple(value + 1e-7 for value in other)
