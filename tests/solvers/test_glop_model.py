"""A session on GLOP patches its model, starts warm, and answers like cold solves."""

from __future__ import annotations

import numpy as np
import pytest

from solvers.conformance_programs import long_lp, make_program
from solvers.program import LinearProgram
from solvers.result import Reason
from solvers.session import Session
from solvers.solving import solve

PROGRAM = long_lp(150, 1200)


def cold(program: LinearProgram) -> float:
    """The objective of a cold solve."""
    return solve(program, solver="glop").objective


def test_patches_answer_like_cold_solves_and_start_warm() -> None:
    """Costs, sides, bounds and coefficients are patched; each answer is the cold one in fewer iterations."""
    session = Session(PROGRAM, solver="glop")
    base = session.solve()
    assert base.iterations is not None
    generator = np.random.default_rng(3)
    changes = (
        {"objective": PROGRAM.objective * np.where(generator.random(PROGRAM.num_columns) < 0.02, 1.2, 1.0)},
        {"row_upper": PROGRAM.row_upper * np.where(generator.random(PROGRAM.num_rows) < 0.05, 0.9, 1.0)},
        {"column_upper": np.where(generator.random(PROGRAM.num_columns) < 0.01, 0.5, PROGRAM.column_upper)},
        {"coefficients": (np.array([0, 1, 0]), np.array([5, 7, 900]), np.array([0.5, 0.7, 0.1]))},
    )
    for change in changes:
        session.patch(**change)
        result = session.solve()
        assert result.notes == ()
        assert result.iterations is not None and result.iterations < base.iterations / 2
        assert result.objective == pytest.approx(cold(session.program), rel=1e-9)


def test_the_order_of_what_ifs_does_not_matter() -> None:
    """Back at the base, the same what-if gives the same objective, whatever came between."""
    session = Session(PROGRAM, solver="glop")
    session.solve()
    answers = []
    for factors in ((0.8, 1.1), (1.1, 0.8)):
        found = {}
        for factor in factors:
            session.patch(row_upper=PROGRAM.row_upper * factor)
            found[factor] = session.solve().objective
            session.reset_to_base()
        answers.append(found)
    assert answers[0] == answers[1]


def test_a_row_can_be_added() -> None:
    """A new row is patched in and binds."""
    program = make_program([1, 1], [([1, 2], -np.inf, 4)], [(0, 3)] * 2, maximize=True)
    session = Session(program, solver="glop")
    assert session.solve().objective == pytest.approx(3.5)
    session.add_row(np.array([1, 0]), np.array([1.0, 1.0]), -np.inf, 2.0)
    assert session.solve().objective == pytest.approx(2.0)


def test_contradicting_bounds_and_back() -> None:
    """Bounds that cross are infeasible, and the session works again once they are put right."""
    session = Session(PROGRAM, solver="glop")
    base = session.solve()
    upper = PROGRAM.column_upper.copy()
    upper[3] = -1.0
    session.patch(column_upper=upper)
    assert session.solve().termination.reason is Reason.INFEASIBLE
    session.patch(column_upper=PROGRAM.column_upper)
    assert session.solve().objective == pytest.approx(base.objective)


def test_the_sense_can_be_turned() -> None:
    """Minimising a packing program packs nothing."""
    session = Session(PROGRAM, solver="glop")
    session.solve()
    session.patch(maximize=False)
    assert session.solve().objective == pytest.approx(0.0)
