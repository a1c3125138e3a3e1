"""Programs with curves, given to solvers of linear programs by their concave envelopes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from solvers.curves import Curve, CurveProgram, Part, curve, envelope_program, make_table, solve_curves
from solvers.options import SolveOptions
from solvers.solving import solve

Allocate = Callable[..., CurveProgram]

CONCAVE = [curve("hill", top=2.0, half=1.0, slope=0.7), curve("log1p", scale=1.0, unit=0.5)]
S_SHAPED = [curve("hill", top=1.0, half=0.5, slope=3.0)] * 2


def value(made: Curve, x: np.ndarray) -> np.ndarray:
    """The curve at points."""
    return make_table([made]).value(np.zeros(x.size, dtype=np.int64), x)


def hull_at(made: Curve, at: float, most: float) -> float:
    """The concave envelope of a curve on [0, most] at a point: the highest chord between points of a grid."""
    x = np.linspace(0.0, most, 2001)
    y = value(made, x)
    left, right = x <= at, x >= at
    width = np.maximum(x[right][None, :] - x[left][:, None], 1e-12)
    share = (at - x[left])[:, None] / width
    return float((y[left][:, None] * (1.0 - share) + y[right][None, :] * share).max())


def test_concave_curves_keep_their_optimum(allocate: Allocate) -> None:
    """Where every curve is concave the envelope is the curve itself."""
    tied = allocate(CONCAVE, [3.0, 3.0], 4.0)
    assert solve(envelope_program(tied)).objective == pytest.approx(solve_curves(tied).value, rel=2e-6)


def test_an_s_curve_is_taken_by_its_hull(allocate: Allocate) -> None:
    """0.3 is left for two S-curves, where they are convex: the chord that touches one is far above it."""
    wide = allocate([*S_SHAPED, curve("linear", slope=10.0)], [2.0, 2.0, 2.0], 2.3)
    best = solve(envelope_program(wide)).objective
    assert best == pytest.approx(20.0 + hull_at(S_SHAPED[0], 0.3, 2.0), rel=1e-4)
    assert best > solve_curves(wide).value + 0.05


def test_no_point_on_the_curves_is_better(allocate: Allocate) -> None:
    """The proved answer on the true curves is at most that of the envelopes, also for sums and equations."""
    several = Curve(
        (
            Part("hill", {"top": 2.0, "half": 0.7, "slope": 3.0}),
            Part("s_logistic", {"top": 1.0, "rate": 4.0, "middle": 1.5}),
        )
    )
    for sense in ("<=", "="):
        tied = allocate([several, *S_SHAPED], [3.0] * 3, 2.0, sense=sense)
        true = solve_curves(tied, SolveOptions(gap=1e-3)).value
        assert true is not None
        assert solve(envelope_program(tied)).objective >= true - 1e-6 * abs(true)


def test_an_equation_is_bounded_from_below(allocate: Allocate) -> None:
    """An output that costs lies on the lower hull of its equation, not at nothing."""
    tied = allocate([CONCAVE[0]], [3.0], 3.0, sense="=", exactly=True)
    costly = tied.replace(maximize=False)
    assert solve(envelope_program(costly)).objective == pytest.approx(value(CONCAVE[0], np.array([3.0]))[0])


def test_whole_numbers_go_and_rows_keep_their_places(allocate: Allocate) -> None:
    """The program's own rows and columns come first, unchanged but for whole numbers."""
    tied = allocate(CONCAVE, [3.0, 3.0], 4.0)
    program = tied.program
    whole = tied.replace(integer=np.array([True, True, False, False]))
    relaxed = envelope_program(whole, SolveOptions(gap=1e-4))
    assert not relaxed.is_mip
    assert (relaxed.matrix[: program.num_rows, : program.num_columns] != program.matrix).nnz == 0
    np.testing.assert_array_equal(relaxed.column_upper[: program.num_columns], program.column_upper)
    assert [block.name for block in relaxed.row_blocks] == ["envelope"]
