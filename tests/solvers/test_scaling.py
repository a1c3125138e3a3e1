"""Tests that scaling loses nothing and makes units irrelevant."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from solvers import Block, LinearProgram, SolveOptions, solve
from solvers.scaling import find_scaling

Build = Callable[..., LinearProgram]


def _mixed(build: Build, money: float) -> LinearProgram:
    # Two kinds of columns: units sold, and spend in some unit of money that lifts demand.
    return build(
        [40.0 * money, 30.0 * money, -1.0],
        [[1, 0, -0.05 / money], [0, 1, -0.02 / money], [2, 3, 0], [0, 0, 1]],
        row_upper=[100, 80, 600, 900 * money],
        maximize=True,
        column_blocks=(Block("sales", 0, 2), Block("spend", 2, 3)),
    )


def test_a_tame_program_is_left_alone(wyndor: LinearProgram) -> None:
    """Ordinary numbers cost nothing."""
    assert find_scaling(wyndor) is None


def test_tame_rows_and_costs_are_left_alone_beside_wild_ones(build: Build) -> None:
    """A row divided by its bound stays so, whatever its coefficients: factors there cost iterations only."""
    program = build([30.0, 50.0], [[1e-4, 3e-4], [1e6, 2e6]], row_upper=[0.5, 1e9])
    scaling = find_scaling(program)
    assert scaling is not None
    assert scaling.rows[0] == 1.0
    assert scaling.rows[1] == 2.0**-21
    assert scaling.objective == 1.0


def test_factors_are_powers_of_two_and_integers_keep_theirs(build: Build) -> None:
    """No digit changes: scaling and back is the identity, bit for bit."""
    program = build(
        [3e8, 5e8], [[1e7, 3], [0, 2e-5]], row_upper=[4e9, 12], integer=[True, False], column_upper=[9, 1e9]
    )
    scaling = find_scaling(program)
    assert scaling is not None
    assert scaling.columns[0] == 1.0
    for factors in (scaling.columns, scaling.rows, np.array([scaling.objective])):
        assert (np.frexp(factors)[0] == 0.5).all()
    scaled = scaling.program(program)
    assert (scaled.matrix.data / scaling.rows[scaled.matrix.indices] == (
        program.matrix.data * np.repeat(scaling.columns, np.diff(program.matrix.indptr))
    )).all()  # fmt: skip


@pytest.mark.parametrize("money", [1e-6, 0.01, 1.0, 100.0, 1e8, 1e12])
def test_the_same_plan_in_any_money(build: Build, money: float) -> None:
    """Cents or hundreds of millions: the same sales, the spend and the duals in proportion."""
    plain, other = solve(_mixed(build, 1.0)), solve(_mixed(build, money), SolveOptions(ranging=True))
    assert other.is_optimal
    assert other.values[:2] == pytest.approx(plain.values[:2], rel=1e-9)
    assert other.values[2] == pytest.approx(plain.values[2] * money, rel=1e-9)
    assert other.objective == pytest.approx(plain.objective * money, rel=1e-9)
    assert plain.duals is not None
    assert other.duals is not None
    assert other.duals[:3] == pytest.approx(plain.duals[:3] * money, rel=1e-9, abs=1e-9 * money)
    assert other.duals[3] == pytest.approx(plain.duals[3], rel=1e-9, abs=1e-9)
    assert other.ranges is not None


def test_ranges_come_back_in_the_units_of_the_program(build: Build) -> None:
    """A range of a row in millions is in millions."""
    program = build([3e6, 5e6], [[1e-6, 0], [0, 2e-6], [3e-6, 2e-6]], row_upper=[4, 12, 18], maximize=True)
    result = solve(program, SolveOptions(ranging=True))
    assert result.values == pytest.approx([2e6, 6e6])
    assert result.ranges is not None
    assert result.ranges.row_lower == pytest.approx([2, 6, 12])
    assert result.ranges.row_upper == pytest.approx([np.inf, 18, 24])
    assert result.ranges.cost_upper[0] == pytest.approx(7.5e6)


def test_whole_numbers_and_prices_survive_scaling(build: Build) -> None:
    """A MIP with large money has the same whole numbers, bound and start."""
    program = build(
        [7e7, 4e7, 3e7],
        [[3e6, 2e6, 2e6]],
        row_upper=[9.5e6],
        column_upper=[3, 3, 3],
        integer=[True] * 3,
        maximize=True,
    )
    result = solve(program, SolveOptions(start_values=np.array([1.0, 1.0, 1.0])))
    assert result.values.tolist() == [3.0, 0.0, 0.0]
    assert result.bound == pytest.approx(2.1e8)


@pytest.mark.parametrize("noise", [1e-14, -1e-14, 1e-21])
def test_a_bound_next_to_nothing_tells_no_size(build: Build, noise: float) -> None:
    """What rounding leaves of a bound of 0 changes no answer.

    With 1e-14 in two rows a bounded program was called unbounded, and others infeasible (2026).
    """
    program = build(
        [2.0, 1.0, 0.0],
        [[1, 1, 0], [1, -1, 0], [0, 1, -1]],
        row_lower=[-np.inf, -np.inf, noise],
        row_upper=[100, noise, np.inf],
        maximize=True,
    )
    result = solve(program)
    assert result.is_optimal
    assert result.objective == pytest.approx(150.0)
