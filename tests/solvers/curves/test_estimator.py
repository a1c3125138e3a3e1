"""The over-estimator is above every curve everywhere, touches it at its nodes, and its relaxation is the envelope."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from solvers.curves import Curve, CurveProgram, Part, curve
from solvers.curves.estimator import Estimator, build
from solvers.curves.grid import Grid, first_grid
from solvers.curves.prepared import Prepared, prepare
from solvers.options import SolveOptions
from solvers.solving import solve
from solvers.verify import primal_residuals

Allocate = Callable[..., CurveProgram]

SHAPES: dict[str, Curve] = {
    "s": curve("hill", top=3.0, bottom=0.5, half=1.0, slope=2.7),
    "s_logistic": curve("s_logistic", top=3.0, rate=2.0, middle=1.5),
    "concave": curve("hill", top=2.0, half=1.0, slope=0.7),
    "power": curve("power", scale=1.0, exponent=0.5),
    "convex": curve("hill", top=2.0, half=30.0, slope=3.0),
    "falling": curve("hill", top=2.0, half=1.0, slope=2.0).scaled(times=-1.0),
    "points": curve("points", x=(0.0, 1.0, 1.5, 2.0, 3.0), y=(0.0, 0.1, 1.0, 1.2, 2.9)),
    "sum": Curve(
        (
            Part("hill", {"top": 2.0, "half": 0.7, "slope": 3.0}),
            Part("hill", {"top": 1.0, "half": 2.0, "slope": 2.0}, weight=0.5),
            Part("log1p", {"scale": 1.0, "unit": 0.5}),
        )
    ),
}


def prepared_for(allocate: Allocate, made: Curve, sense: str = "<=") -> Prepared:
    """One curve on [0, 3]."""
    return prepare(allocate([made], [3.0], 3.0, sense=sense), SolveOptions(), "highs")


def refined(prepared: Prepared, places: list[float]) -> Grid:
    """The first grid with nodes on convex and tangents on concave segments at shares of the domain."""
    grid = first_grid(prepared)
    for share in places:
        at = prepared.low + share * (prepared.high - prepared.low)
        owner = prepared.all
        concave = grid.concave[grid.left_node(owner, at)]
        grid = grid.with_tangents(owner[concave], at[concave]).with_nodes(owner[~concave], at[~concave])
    return grid


def extreme(prepared: Prepared, estimator: Estimator, at: float, largest: bool = True) -> float:
    """Largest (or least) output in original units that the estimator allows at an input (original units)."""
    program = estimator.program
    lower, upper = program.column_lower.copy(), program.column_upper.copy()
    lower[0] = upper[0] = at / prepared.scaling.columns[0]
    objective = np.zeros(program.num_columns)
    objective[1] = 1.0
    fixed = program.replace(objective=objective, column_lower=lower, column_upper=upper, maximize=largest)
    result = solve(fixed, SolveOptions(gap=0.0, feasibility_tolerance=1e-9))
    return float(result.values[1] * prepared.scaling.columns[1])


@pytest.mark.parametrize("name", SHAPES)
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(places=st.lists(st.floats(0.0, 1.0), max_size=4), at=st.floats(0.0, 3.0))
def test_the_over_estimator_is_nowhere_below_the_curve(
    allocate: Allocate, name: str, places: list[float], at: float
) -> None:
    """However it was refined, at any input it allows at least the curve."""
    prepared = prepared_for(allocate, SHAPES[name])
    estimator = build(prepared, refined(prepared, places))
    true = float(prepared.original.table.value(np.array([0]), np.array([at]))[0])
    assert extreme(prepared, estimator, at) >= true - 1e-6


@pytest.mark.parametrize("name", SHAPES)
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(places=st.lists(st.floats(0.0, 1.0), max_size=3), at=st.floats(0.0, 3.0))
def test_an_equation_is_bounded_from_both_sides(
    allocate: Allocate, name: str, places: list[float], at: float
) -> None:
    """With sense = the estimator also allows nothing but at most the curve from below."""
    prepared = prepared_for(allocate, SHAPES[name], "=")
    estimator = build(prepared, refined(prepared, places))
    true = float(prepared.original.table.value(np.array([0]), np.array([at]))[0])
    assert extreme(prepared, estimator, at, largest=False) <= true + 1e-6
    assert extreme(prepared, estimator, at) >= true - 1e-6


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("share", [0.07, 0.3, 0.6, 0.95])
def test_refining_at_a_place_makes_it_exact_there(allocate: Allocate, name: str, share: float) -> None:
    """A node or a tangent at a place leaves nothing between estimator and curve there."""
    prepared = prepared_for(allocate, SHAPES[name])
    estimator = build(prepared, refined(prepared, [share]))
    true = float(prepared.original.table.value(np.array([0]), np.array([3.0 * share]))[0])
    assert extreme(prepared, estimator, 3.0 * share) == pytest.approx(true, abs=1e-6)


@pytest.mark.parametrize("name", SHAPES)
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(places=st.lists(st.floats(0.0, 1.0), max_size=4), at=st.floats(0.0, 3.0))
def test_every_point_of_the_curve_is_a_point_of_the_estimator(
    allocate: Allocate, name: str, places: list[float], at: float
) -> None:
    """Lifting a point on the true curves breaks no row, so that a plan may start the search."""
    prepared = prepared_for(allocate, SHAPES[name])
    estimator = build(prepared, refined(prepared, places))
    true = float(prepared.original.table.value(np.array([0]), np.array([at]))[0])
    point = estimator.lift(prepared, prepared.scaled_point(np.array([at, true])))
    assert primal_residuals(estimator.program, point).worst <= 1e-7


def test_the_relaxation_of_an_s_curve_is_its_concave_envelope(allocate: Allocate) -> None:
    """Below the point that the straight line from 0 touches, the relaxation is that line, never more."""
    prepared = prepared_for(allocate, curve("hill", top=1.0, half=1.0, slope=2.0))
    estimator = build(prepared, refined(prepared, []))
    relaxed = Estimator(**{**vars(estimator), "program": estimator.relaxed()})
    for at in (0.1, 0.5, 0.9):
        # The line from 0 touches x^2 / (1 + x^2) at x = 1, with slope 1/2.
        assert extreme(prepared, relaxed, at) == pytest.approx(0.5 * at, abs=1e-6)


def test_concave_curves_need_no_binaries(allocate: Allocate) -> None:
    """Binaries are only for curves that are somewhere convex, one for each at first."""
    concave = allocate([SHAPES["concave"]] * 3, [3.0] * 3, 5.0)
    mixed = allocate([SHAPES["concave"], SHAPES["s"], SHAPES["s_logistic"]], [3.0] * 3, 5.0)
    counts: list[Any] = []
    for program in (concave, mixed):
        prepared = prepare(program, SolveOptions(), "highs")
        counts.append(build(prepared, first_grid(prepared)).num_binaries)
    assert counts == [0, 2]
