"""Tests that a patched model answers like a fresh one, in any order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from solvers import LinearProgram, Reason, Session, SolveOptions, solve
from solvers.errors import InvalidProgramError

Transport = Callable[[int, int], LinearProgram]


def _what_if(program: LinearProgram, seed: int) -> dict[str, np.ndarray]:
    generator = np.random.default_rng(seed)
    return {
        "row_lower": program.row_lower * generator.uniform(0.8, 1.0, program.num_rows),
        "objective": program.objective * generator.uniform(0.9, 1.1, program.num_columns),
    }


def test_what_ifs_equal_cold_solves_in_any_order(transport: Transport) -> None:
    """Each answer equals that of a fresh solve, and does not depend on what was asked before."""
    program = transport(12, 15)
    session = Session(program)
    base = session.solve()
    found: dict[int, tuple[float, bytes]] = {}
    for seed in (1, 2, 3, 3, 2, 1):
        session.reset_to_base()
        session.patch(**_what_if(program, seed))
        result = session.solve()
        cold = solve(program.replace(**_what_if(program, seed)))
        assert result.objective == pytest.approx(cold.objective, rel=1e-9)
        assert not result.notes
        answer = (result.objective, result.values.tobytes())
        assert found.setdefault(seed, answer) == answer
    session.reset_to_base()
    again = session.solve()
    assert again.objective == base.objective
    assert again.iterations == 0


def test_every_number_can_be_patched(wyndor: LinearProgram) -> None:
    """Costs, sense, constant, bounds, right-hand sides and coefficients, against fresh solves."""
    session = Session(wyndor)
    session.solve()
    matrix = wyndor.matrix.toarray()
    matrix[2, 0], matrix[0, 1] = 2.0, 0.5
    patch: dict[str, Any]
    fresh: dict[str, Any]
    for patch, fresh in (
        (
            {"objective": np.array([3.0, -5.0]), "offset": 7.0},
            {"objective": np.array([3.0, -5.0]), "offset": 7.0},
        ),
        ({"column_upper": np.array([1.0, 2.0])}, {"column_upper": np.array([1.0, 2.0])}),
        (
            {"column_lower": np.array([1.0, 0.0]), "maximize": False},
            {"column_lower": np.array([1.0, 0.0]), "maximize": False},
        ),
        ({"row_upper": np.array([3.0, 9.0, 20.0])}, {"row_upper": np.array([3.0, 9.0, 20.0])}),
        (
            {"coefficients": (np.array([2, 0]), np.array([0, 1]), np.array([2.0, 0.5]))},
            {"matrix": type(wyndor.matrix)(matrix)},
        ),
    ):
        session.reset_to_base()
        session.patch(**patch)
        assert session.solve().objective == pytest.approx(solve(wyndor.replace(**fresh)).objective)
    session.reset_to_base()
    assert session.solve().objective == pytest.approx(36)


@pytest.mark.parametrize(
    "patch",
    [
        {"objective": np.array([1.0])},
        {"row_upper": np.array([1.0, np.nan, 2.0])},
        {"coefficients": (np.array([5]), np.array([0]), np.array([1.0]))},
        {"coefficients": (np.array([0, 0]), np.array([0, 0]), np.array([1.0, 2.0]))},
        {"coefficients": (np.array([0]), np.array([0]), np.array([np.inf]))},
    ],
)
def test_a_bad_patch_changes_nothing(wyndor: LinearProgram, patch: dict[str, Any]) -> None:
    """A patch is validated as a whole before anything is touched."""
    session = Session(wyndor)
    session.solve()
    with pytest.raises(InvalidProgramError):
        session.patch(column_upper=np.array([1.0, 1.0]), **patch)
    assert session.program is wyndor
    assert session.solve().objective == pytest.approx(36)


def test_many_new_coefficients_are_handed_over_anew_and_said(transport: Transport) -> None:
    """Where one by one would be slower than a new hand-over, the session rebuilds and says why."""
    program = transport(40, 40)
    session = Session(program)
    session.solve()
    rows = program.matrix.indices.astype(np.int64)
    columns = np.repeat(np.arange(program.num_columns), np.diff(program.matrix.indptr))
    session.patch(coefficients=(rows, columns, program.matrix.data * 1.1))
    result = session.solve()
    assert any("handed over anew" in note for note in result.notes)
    assert result.objective == pytest.approx(solve(session.program).objective)
    session.reset_to_base()
    assert session.solve().objective == pytest.approx(solve(program).objective)


def test_an_added_row_keeps_the_basis_and_goes_with_the_reset(wyndor: LinearProgram) -> None:
    """A row can be appended; the base comes back without it."""
    session = Session(wyndor)
    session.solve()
    session.add_row(np.array([0, 1]), np.array([1.0, 1.0]), -np.inf, 6.0)
    result = session.solve()
    assert result.objective == pytest.approx(30)
    assert result.duals is not None
    assert result.duals.shape == (4,)
    session.reset_to_base()
    assert session.solve().objective == pytest.approx(36)


def test_a_scaled_session_patches_in_the_units_of_the_caller(wyndor: LinearProgram) -> None:
    """Patches and rows are given unscaled, whatever the session does inside."""
    million = wyndor.replace(
        objective=wyndor.objective * 1e7, row_upper=wyndor.row_upper * 1e6, row_lower=wyndor.row_lower
    )
    session = Session(million)
    assert session.solve().objective == pytest.approx(36e13)
    session.patch(objective=np.array([1e-4, 1e-4]))
    session.add_row(np.array([1]), np.array([1e-3]), -np.inf, 5e3)
    result = session.solve()
    assert result.values == pytest.approx([8e6 / 3, 5e6])
    session.patch(coefficients=(np.array([2]), np.array([0]), np.array([4.0])))
    assert session.solve().values == pytest.approx([2e6, 5e6])


def test_a_mip_session_starts_from_its_incumbent(knapsack: LinearProgram) -> None:
    """A MIP what-if that the base's plan satisfies is never worse than it, even without any search."""
    session = Session(knapsack, SolveOptions(time_limit=0.4))
    base = session.solve()
    session.reset_to_base()
    session.patch(row_upper=knapsack.row_upper + 1.0)
    result = session.solve(SolveOptions(raw={"mip_max_nodes": 1, "mip_heuristic_effort": 0.0}))
    assert result.objective >= base.objective - 1e-9


def test_an_infeasible_what_if_does_not_spoil_the_next(wyndor: LinearProgram) -> None:
    """After an infeasible patch the session still answers right."""
    session = Session(wyndor)
    session.solve()
    session.patch(row_lower=np.array([-np.inf, 13.0, -np.inf]), row_upper=np.array([4.0, 20.0, 12.0]))
    assert session.solve().termination.reason is Reason.INFEASIBLE
    session.reset_to_base()
    session.patch(row_lower=np.array([5.0, -np.inf, -np.inf]))
    assert "row 0 must be at least 5.0 and at most 4.0" in session.solve().termination.detail
    session.reset_to_base()
    assert session.solve().objective == pytest.approx(36)


def test_the_time_limit_is_for_each_solve(transport: Transport) -> None:
    """HiGHS adds up the seconds of all runs of one LP object; the session's later solves have their own."""
    program = transport(60, 60)
    session = Session(program, SolveOptions(method="simplex"))
    spent = session.solve().seconds
    while spent < 0.5:
        session.reset_to_base()
        session.patch(objective=program.objective[::-1].copy())
        spent += session.solve().seconds
    session.reset_to_base()
    assert session.solve(SolveOptions(method="simplex", time_limit=0.5)).is_optimal
