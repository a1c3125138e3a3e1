"""Tests of repairs and conflicts on a case by hand, on whole numbers, and against brute force."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from solvers import LinearProgram, Reason, SolveOptions, solve
from solvers.conflict import (
    BoundGroup,
    Group,
    RowGroup,
    least_repair,
    minimal_conflict,
    single_repairs,
)
from solvers.errors import InvalidProgramError

Build = Callable[..., LinearProgram]
Textbook = Callable[[str], tuple[LinearProgram, dict[str, Any]]]

ONE = np.ones(1)


def _target_groups() -> list[Group]:
    names = ["target_total", "hours_ben", "north_quota", "min_cara"]
    rows: list[Group] = [RowGroup(name, np.array([row]), ONE) for row, name in enumerate(names)]
    people = ["anna", "ben", "cara"]
    return rows + [
        BoundGroup(f"ub:{name}", np.array([column]), ONE, "upper") for column, name in enumerate(people)
    ]


def test_the_published_target_case(textbook: Textbook) -> None:
    """The least change is 30; alone, only the target or Cara's limit repair it, by 30 each."""
    program, case = textbook("infeasible_target_iis")
    repair = least_repair(program, _target_groups())
    assert repair.is_proved_least
    assert repair.total == pytest.approx(case["published"]["minimum_total_violation"])
    assert sum(change.amount for change in repair.changes) == pytest.approx(30)
    singles = single_repairs(program, _target_groups())
    assert not singles.unfinished
    amounts = {name: change.amount for name, change in singles.repairs.items() if change is not None}
    assert amounts == pytest.approx({"target_total": 30, "ub:cara": 30})


def test_the_least_repair_is_relative_to_the_scale(textbook: Textbook) -> None:
    """30 of 200 is less than 30 of 60: the target gives way, by 30 of its own unit, downwards."""
    program, _ = textbook("infeasible_target_iis")
    sizes = {"target_total": 200.0, "ub:cara": 60.0}
    groups: list[Group] = [
        RowGroup(group.name, group.rows, ONE * sizes.get(group.name, 1.0))
        if isinstance(group, RowGroup)
        else BoundGroup(group.name, group.columns, ONE * sizes.get(group.name, 1.0), group.side)
        for group in _target_groups()
    ]
    repair = least_repair(program, groups)
    assert [change.name for change in repair.changes] == ["target_total"]
    assert repair.changes[0].lower_by.tolist() == pytest.approx([30])
    assert repair.changes[0].upper_by.tolist() == [0]
    assert repair.total == pytest.approx(0.15)
    assert repair.x is not None
    assert repair.x.sum() == pytest.approx(170)


def test_the_conflict_is_minimal_and_one_of_the_published(textbook: Textbook) -> None:
    """One of the two irreducible sets, and it narrows the search for single repairs."""
    program, _ = textbook("infeasible_target_iis")
    conflict = minimal_conflict(program, _target_groups())
    assert conflict.is_proved
    assert conflict.is_minimal
    assert set(conflict.groups) in (
        {"target_total", "ub:anna", "hours_ben", "ub:cara"},
        {"target_total", "north_quota", "ub:cara"},
    )
    narrowed = single_repairs(program, _target_groups(), candidates=conflict.groups)
    assert {name for name, change in narrowed.repairs.items() if change} == {"target_total", "ub:cara"}


def test_whole_numbers_can_be_the_conflict(build: Build) -> None:
    """2 x = 3 has a fraction but no whole number; the LP relaxation would see nothing."""
    program = build([0, 0], [[2, 0], [1, 1]], row_lower=[3, -np.inf], row_upper=[3, 5], integer=[True, True])
    groups: list[Group] = [RowGroup("odd", np.array([0]), ONE), RowGroup("sum", np.array([1]), ONE)]
    conflict = minimal_conflict(program, groups)
    assert conflict.groups == ("odd",)
    assert conflict.is_minimal
    assert least_repair(program, groups).total == pytest.approx(1)
    relaxed = minimal_conflict(program.replace(integer=np.zeros(2, dtype=bool)), groups)
    assert relaxed.is_feasible
    assert relaxed.groups == ()


def test_a_rest_that_contradicts_itself_is_said(build: Build) -> None:
    """When rows outside every group conflict, no repair exists and the conflict is empty but proved."""
    program = build([0], [[1], [1], [1]], row_lower=[3, -np.inf, 1], row_upper=[np.inf, 2, 9])
    groups: list[Group] = [RowGroup("innocent", np.array([2]), ONE)]
    assert least_repair(program, groups).termination.reason is Reason.INFEASIBLE
    conflict = minimal_conflict(program, groups)
    assert conflict.is_proved
    assert conflict.groups == ()
    assert single_repairs(program, groups).repairs == {"innocent": None}


def test_a_group_of_several_rows_gives_way_together(build: Build) -> None:
    """A repair by a group may change several of its rows, each in its own unit."""
    program = build([0, 0], [[1, 0], [0, 1]], row_lower=[5, 7], column_upper=[3, 4])
    groups: list[Group] = [
        RowGroup("targets", np.array([0, 1]), np.array([10.0, 1.0])),
        BoundGroup("limits", np.array([0]), ONE, "upper"),
    ]
    singles = single_repairs(program, groups).repairs
    assert singles["targets"] is not None
    assert singles["targets"].lower_by.tolist() == pytest.approx([2, 3])
    assert singles["targets"].relative == pytest.approx(3.2)
    assert singles["limits"] is None


def test_time_and_interruption_are_said(textbook: Textbook) -> None:
    """Without time nothing is claimed: neither feasible nor a conflict."""
    program, _ = textbook("infeasible_target_iis")
    stop = threading.Event()
    stop.set()
    for options in (SolveOptions(time_limit=0.0), SolveOptions(interrupt=stop)):
        conflict = minimal_conflict(program, _target_groups(), options)
        assert not conflict.is_proved
        assert not conflict.is_minimal
        assert not conflict.is_feasible
        assert len(single_repairs(program, _target_groups(), options).unfinished) == 7


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("whole", [False, True])
def test_random_conflicts_are_irreducible(build: Build, seed: int, whole: bool) -> None:
    """Brute force: the conflict is infeasible and every set without one of its groups is feasible; a single
    repair exists exactly for the groups whose removal makes the rest feasible."""
    generator = np.random.default_rng(seed)
    rows = generator.integers(-3, 4, (7, 4)).astype(float)
    lower = generator.integers(1, 6, 7).astype(float)
    program = build(
        np.zeros(4), rows, row_lower=lower, column_upper=np.full(4, 2.0), integer=np.full(4, whole)
    )
    groups: list[Group] = [RowGroup(f"rule{row}", np.array([row]), ONE) for row in range(7)]

    def feasible(kept: Sequence[str]) -> bool:
        held = np.array([f"rule{row}" in kept for row in range(7)])
        result = solve(program.replace(row_lower=np.where(held, lower, -np.inf)))
        return result.has_solution

    names = [group.name for group in groups]
    conflict = minimal_conflict(program, groups)
    if feasible(names):
        assert conflict.is_feasible
        return
    assert conflict.is_minimal
    assert not feasible(conflict.groups)
    for kept in itertools.combinations(conflict.groups, len(conflict.groups) - 1):
        assert feasible(kept)
    singles = single_repairs(program, groups, candidates=conflict.groups).repairs
    for name in names:
        assert (singles[name] is not None) == feasible([other for other in names if other != name])


def test_groups_must_be_disjoint_and_scaled(wyndor: LinearProgram) -> None:
    """Overlap, repeated names and scales of zero are refused."""
    for groups, words in (
        ([RowGroup("a", np.array([0]), ONE), RowGroup("b", np.array([0]), ONE)], "two groups"),
        ([RowGroup("a", np.array([0]), ONE), RowGroup("a", np.array([1]), ONE)], "same name"),
        ([RowGroup("a", np.array([0]), np.zeros(1))], "positive scale"),
    ):
        with pytest.raises(InvalidProgramError, match=words):
            least_repair(wyndor, groups)


def test_a_feasible_program_needs_no_repair(wyndor: LinearProgram) -> None:
    """Nothing to change, nothing in conflict."""
    groups: list[Group] = [RowGroup("plants", np.arange(3), np.ones(3))]
    repair = least_repair(wyndor, groups)
    assert repair.total == 0
    assert repair.changes == ()
    assert minimal_conflict(wyndor, groups).is_feasible
