"""Stages over a program with curves: each is proved on the true curves and locked there."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from solvers.curves import CurveTerm, curve
from solvers.options import SolveOptions
from solvers.program import LinearProgram
from solvers.result import Reason
from solvers.staged import Stage
from solvers.staged_curves import solve_curve_stages

ROOT = curve("power", scale=1.0, exponent=0.5)
CURVES = (CurveTerm(0, 2, ROOT), CurveTerm(1, 3, ROOT))
OUTPUTS = np.array([0.0, 0.0, 1.0, 1.0])


def budget(amount: float) -> LinearProgram:
    """Two inputs with one budget; outputs are their square roots."""
    return LinearProgram(
        objective=np.zeros(4),
        matrix=sparse.csc_array(np.array([[1.0, 1.0, 0.0, 0.0]])),
        row_lower=np.array([-np.inf]),
        row_upper=np.array([amount]),
        column_lower=np.zeros(4),
        column_upper=np.full(4, np.inf),
        integer=np.zeros(4, dtype=np.bool_),
    )


def test_a_later_stage_keeps_the_value_of_an_earlier_one() -> None:
    """Two equal roots share 50 equally; using less of the first input is then worth next to nothing."""
    stages = [Stage("most", OUTPUTS, maximize=True), Stage("less", np.array([1.0, 0.0, 0.0, 0.0]))]
    result = solve_curve_stages(budget(50.0), CURVES, stages)
    assert result.outcome("most").value == pytest.approx(10.0, rel=1e-5)
    assert result.x is not None
    assert result.x[0] == pytest.approx(25.0, abs=0.5)


def test_a_stage_that_chooses_leaves_curves_and_whole_numbers_alone() -> None:
    """Inputs of curves stay to the last digit, and so does a whole number; outputs stay at most where they are,
    and another column moves to its best bound."""
    program = budget(50.0)
    program = program.replace(
        objective=np.zeros(6),
        matrix=sparse.csc_array(np.array([[1.0, 1.0, 0.0, 0.0, 0.0, 0.0]])),
        column_lower=np.append(program.column_lower, [2.0, 0.0]),
        column_upper=np.append(program.column_upper, [9.0, 3.0]),
        integer=np.arange(6) == 5,
    )
    most = Stage("most", np.append(OUTPUTS, [0.0, 1.0]), maximize=True, scale=1e7)
    least = Stage("least", np.array([1.0, 0.0, 0.0, 0.0, 1.0, 1.0]), keep_duals=False, chooses=True)
    alone, both = (solve_curve_stages(program, CURVES, stages) for stages in ([most], [most, least]))
    assert alone.x is not None and both.x is not None
    assert both.x[:2] == pytest.approx(alone.x[:2], abs=1e-9)
    assert (both.x[2:4] <= alone.x[2:4] + 1e-9).all()
    assert both.x[4:] == pytest.approx([2.0, 3.0])
    assert both.termination.reason is Reason.OPTIMAL


def test_a_plan_of_other_numbers_is_mended_before_it_starts_a_stage() -> None:
    """Its inputs stay; a column that has to be larger by now is made so, and the start is not left out."""
    program = budget(50.0).replace(
        objective=np.zeros(5),
        matrix=sparse.csc_array(np.array([[1.0, 1.0, 0.0, 0.0, 0.0]])),
        column_lower=np.array([0.0, 0.0, 0.0, 0.0, 2.0]),
        column_upper=np.append(np.full(4, np.inf), 9.0),
        integer=np.zeros(5, dtype=np.bool_),
    )
    most = Stage("most", np.append(OUTPUTS, 0.0), maximize=True)
    planned = SolveOptions(start_values=np.array([25.0, 25.0, 5.0, 5.0, 1.0]))
    found = solve_curve_stages(program, CURVES, [most], planned).outcome("most")
    assert found.value == pytest.approx(10.0, rel=1e-5)
    assert found.result is not None and not found.result.notes


def test_the_price_of_the_budget_is_that_of_the_tangents() -> None:
    """One more unit of 50 brings 1 / (2 sqrt(25))."""
    result = solve_curve_stages(budget(50.0), CURVES, [Stage("most", OUTPUTS, maximize=True)])
    found = result.outcome("most").result
    assert found is not None and found.duals is not None
    assert found.duals.tolist() == pytest.approx([0.1], rel=1e-3)


def test_a_stage_without_an_objective_is_not_solved() -> None:
    """It says so, and the plan of the other stages stays."""
    stages = [Stage("nothing", np.zeros(4)), Stage("most", OUTPUTS, maximize=True)]
    result = solve_curve_stages(budget(2.0), CURVES, stages)
    assert result.outcome("nothing").result is None
    assert "zero" in result.outcome("nothing").note
    assert result.outcome("most").value == pytest.approx(2.0, rel=1e-5)


def test_no_time_is_a_limit() -> None:
    """Without any time nothing is solved, and the reason is the limit."""
    result = solve_curve_stages(
        budget(2.0), CURVES, [Stage("most", OUTPUTS, maximize=True)], SolveOptions(time_limit=0.0)
    )
    assert result.x is None
    assert result.termination.reason is Reason.LIMIT


def test_the_gap_of_a_stage_with_a_least_size_is_a_share_of_that_size() -> None:
    """A shortfall of half a target that roots of 50 leave: value and bound are within the gap of a whole target of
    it, and the plan has the program's own columns."""
    plain = budget(50.0)
    program = plain.replace(
        objective=np.zeros(5),
        matrix=sparse.csc_array(np.array([[1.0, 1.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.05, 0.05, 1.0]])),
        row_lower=np.array([-np.inf, 1.0]),
        row_upper=np.array([50.0, np.inf]),
        column_lower=np.append(plain.column_lower, 0.0),
        column_upper=np.append(plain.column_upper, np.inf),
        integer=np.zeros(5, dtype=np.bool_),
    )
    short = Stage("short", np.array([0.0, 0.0, 0.0, 0.0, 1.0]), least_size=1.0)
    result = solve_curve_stages(program, CURVES, [short], SolveOptions(gap=1e-3))
    (outcome,) = result.outcomes
    assert result.x is not None and result.x.shape == (5,)
    assert outcome.value == pytest.approx(0.5, abs=1.5e-3)
    assert outcome.result is not None and outcome.result.bound == pytest.approx(0.5, abs=1.5e-3)
    assert outcome.result.bound <= 0.5 + 1e-9
