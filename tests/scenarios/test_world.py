"""What follows from decisions in a changed world: tied columns, true curves, rows that give way."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from optimizer.model.following import ROUNDING
from scenarios.world import follow_decisions, widened, without_rules
from solvers.curves import CurveTerm, curve
from solvers.options import SolveOptions
from solvers.program import Block, LinearProgram
from solvers.solving import solve

SALES, SPEND, STOCK, LEADS = [0, 1], [2, 3], [4, 5], [6, 7]
RATE = 0.5


def program(spend: list[float], ceiling: float = 100.0) -> LinearProgram:
    """Two periods: sales <= leads, stock = spend + half of the last stock, spend <= ceiling, sales <= 40."""
    rows = np.zeros((7, 8))
    rows[0, [SALES[0], LEADS[0]]] = rows[1, [SALES[1], LEADS[1]]] = 1.0, -1.0
    rows[2, [STOCK[0], SPEND[0]]] = 1.0, -1.0
    rows[3, [STOCK[1], SPEND[1], STOCK[0]]] = 1.0, -1.0, -RATE
    rows[4, SPEND] = 1.0
    rows[5, SALES] = 1.0
    rows[6, SALES[0]] = 1.0
    lower, upper = np.zeros(8), np.full(8, np.inf)
    lower[SPEND] = upper[SPEND] = spend
    inf = np.inf
    return LinearProgram(
        objective=np.array([3.0, 2.0, 0, 0, 0, 0, 0, 0]),
        matrix=sparse.csc_array(rows),
        row_lower=np.array([-inf, -inf, 0, 0, -inf, -inf, 5.0]),
        row_upper=np.array([0, 0, 0, 0, ceiling, 40.0, inf]),
        column_lower=lower,
        column_upper=upper,
        integer=np.zeros(8, dtype=np.bool_),
        maximize=True,
        row_blocks=(Block("demand", 0, 6), Block("rules", 6, 7)),
    )


def response(sense: Literal["<=", "="] = "<=") -> list[CurveTerm]:
    """An S-curve from each period's stock to its leads."""
    hill = curve("hill", top=60.0, half=20.0, slope=2.0)
    return [CurveTerm(STOCK[at], LEADS[at], hill, sense) for at in range(2)]


def leads(stock: float) -> float:
    """The same curve by hand."""
    return 60.0 * stock**2 / (20.0**2 + stock**2)


@settings(max_examples=30, deadline=None)
@given(first=st.floats(0, 80), second=st.floats(0, 80))
def test_responses_are_those_of_the_true_curves(first: float, second: float) -> None:
    """Stock and leads follow from the spend, and money is exact: no gap of a curve is left."""
    known, left = follow_decisions(without_rules(program([first, second])), response(), 2)
    stocks = [first, second + RATE * first]
    assert left == ()
    assert known.column_upper[STOCK] == pytest.approx(stocks)
    # Leads below the rounding of a solver are none.
    assert known.column_upper[LEADS] == pytest.approx([leads(stock) for stock in stocks], abs=ROUNDING)
    result = solve(known)
    one = min(leads(stocks[0]), 40.0)
    assert result.objective == pytest.approx(
        3 * one + 2 * min(leads(stocks[1]), 40.0 - one), rel=1e-6, abs=1e-6
    )


def test_an_exact_curve_fixes_its_output() -> None:
    """Where more may hurt, leads are not only bounded by their curve."""
    known, _ = follow_decisions(program([10.0, 0.0]), response("="), 2)
    assert known.column_lower[LEADS] == pytest.approx(known.column_upper[LEADS])


def test_a_curve_whose_input_is_free_is_left() -> None:
    """Stock that depends on what is not decided keeps its curve."""
    world = program([10.0, 0.0])
    upper = world.column_upper.copy()
    upper[SPEND[1]] = 30.0
    _, left = follow_decisions(world.replace(column_upper=upper), response(), 2)
    assert [term.output_column for term in left] == [LEADS[1]]


def test_limits_on_decisions_are_not_asked_again() -> None:
    """A ceiling that the world has lowered below what is spent does not make the plan impossible."""
    known, _ = follow_decisions(without_rules(program([60.0, 60.0], ceiling=50.0)), response(), 2)
    assert np.isinf(known.row_upper[4])
    assert solve(known).is_optimal


def test_wishes_bind_nothing() -> None:
    """What the planner asks for is measured, not enforced."""
    asked = program([0.0, 0.0])
    known, _ = follow_decisions(asked, response(), 2)
    assert not solve(known).has_solution
    free, _ = follow_decisions(without_rules(asked), response(), 2)
    assert solve(free).objective == pytest.approx(0.0)


def test_rows_give_way_as_little_as_they_must() -> None:
    """Where decisions do not fit into the world, the least violation is allowed and no more."""
    world, _ = follow_decisions(program([10.0, 0.0]), response(), 2)
    row_lower = world.row_lower.copy()
    row_lower[6] = 50.0
    impossible = world.replace(row_lower=row_lower)
    possible = widened(impossible, SolveOptions())
    assert solve(possible).is_optimal
    assert possible.row_lower[6] == pytest.approx(leads(10.0), abs=1e-4)
    assert possible.row_upper[:6] == pytest.approx(world.row_upper[:6])
