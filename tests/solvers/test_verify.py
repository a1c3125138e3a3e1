"""Tests that wrong answers are recognised, whoever gives them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from solvers import LinearProgram, Reason, SolveResult, Termination, solve
from solvers.verify import primal_residuals, verify

Build = Callable[..., LinearProgram]


def _claim(x: list[float], **others: Any) -> SolveResult:
    return SolveResult("liar", Termination(Reason.OPTIMAL), x=np.array(x, dtype=float), **others)


@pytest.mark.parametrize("x", [[2, 6.1], [-1, 6], [np.nan, 6], [2, np.inf]])
def test_values_that_break_a_row_a_bound_or_arithmetic_are_dropped(
    wyndor: LinearProgram, x: list[float]
) -> None:
    """A wrong plan is no plan: IMPRECISE, without values, with a note."""
    checked = verify(wyndor, _claim(x))
    assert not checked.has_solution
    assert checked.termination.reason is Reason.IMPRECISE
    assert any("not accepted" in note for note in checked.notes)


def test_the_objective_is_recomputed(wyndor: LinearProgram) -> None:
    """What the solver says about the objective does not count."""
    assert verify(wyndor, _claim([2, 6], objective_value=99.0)).objective == pytest.approx(36)


def test_duals_that_prove_nothing_are_dropped(wyndor: LinearProgram) -> None:
    """Wrong sign, wrong size or wrong point: the duals become None with a note, the values stay."""
    for x, duals in (([2, 6], [0, 1.5, 2]), ([2, 6], [0, -1.5, 1]), ([2, 5], [0, 1.5, 1])):
        checked = verify(wyndor, _claim(x, duals=np.array(duals, dtype=float)))
        assert checked.duals is None
        assert checked.has_solution
        assert not checked.is_optimal
        assert any("duals" in note for note in checked.notes)
    good = verify(wyndor, _claim([2, 6], duals=np.array([0, 1.5, 1])))
    assert good.duals is not None
    assert good.bound == pytest.approx(36)


def test_whole_numbers_are_made_exact_when_the_rows_allow(build: Build) -> None:
    """2.0000000001 becomes 2; 2.4 is refused."""
    program = build([1], [[1]], row_upper=[3], integer=[True], maximize=True)
    assert verify(program, _claim([2 + 1e-10])).values.tolist() == [2.0]
    assert not verify(program, _claim([2.4])).has_solution


def test_a_looser_answer_is_labelled(wyndor: LinearProgram) -> None:
    """Values within 1e-6 but not within 1e-7 carry their true precision."""
    checked = verify(wyndor, _claim([2, 6 + 3e-6]))
    assert checked.has_solution
    assert any("hold only within" in note for note in checked.notes)


def test_a_bound_on_the_wrong_side_is_dropped(build: Build) -> None:
    """A bound that the values beat cannot be a bound."""
    program = build([1], [[1]], row_upper=[3], integer=[True], maximize=True)
    assert verify(program, _claim([3], bound=2.0)).bound is None
    assert verify(program, _claim([3], bound=3.0)).bound == 3.0


def test_infeasible_claims_carry_no_values(wyndor: LinearProgram) -> None:
    """With INFEASIBLE nothing that the solver filled in is passed on."""
    claim = replace(_claim([0, 0]), termination=Termination(Reason.INFEASIBLE))
    assert verify(wyndor, claim).x is None


@pytest.mark.parametrize("unit", [1e-6, 1.0, 1e9])
def test_residuals_do_not_depend_on_the_unit(build: Build, unit: float) -> None:
    """The same relative error in cents or in hundreds of millions is judged alike."""
    program = build([1, 1], [[1, 1]], row_upper=[unit], column_upper=[unit, unit], maximize=True)
    found = primal_residuals(program, np.array([0.5 * unit, 0.5002 * unit])).primal
    assert 5e-5 < found < 5e-4


def test_the_bound_of_an_lp_is_the_value_of_its_duals(wyndor: LinearProgram) -> None:
    """Strong duality, from our own arithmetic."""
    result = solve(wyndor)
    assert result.bound == pytest.approx(result.objective)
    assert result.residuals is not None
    assert result.residuals.dual is not None
    assert result.residuals.dual < 1e-9
