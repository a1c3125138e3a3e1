"""A ratio as the objective, against enumeration, Charnes-Cooper, and points on a grid."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from solvers import LinearProgram, Reason, SolveOptions, Stage, solve, solve_stages
from solvers.curves import CurveTerm, curve
from solvers.errors import ZeroDenominatorError
from solvers.ratio import charnes_cooper, charnes_cooper_point
from solvers.staged_curves import solve_curve_stages

Build = Callable[..., LinearProgram]


@st.composite
def fractional_programs(draw: st.DrawFn) -> tuple[LinearProgram, Stage]:
    """Up to four columns between 0 and 5, up to three rows, N of any sign over D >= 1."""
    size, rows = draw(st.integers(1, 4)), draw(st.integers(0, 3))
    whole = st.integers(-4, 6).map(float)
    program = LinearProgram(
        objective=np.zeros(size),
        matrix=sparse.csc_array(
            np.array(draw(st.lists(whole, min_size=rows * size, max_size=rows * size))).reshape(rows, size)
        ),
        row_lower=np.full(rows, -np.inf),
        row_upper=np.array([float(draw(st.integers(0, 12))) for _ in range(rows)]),
        column_lower=np.zeros(size),
        column_upper=np.full(size, 5.0),
        integer=np.zeros(size, dtype=bool),
    )
    stage = Stage(
        "ratio",
        np.array([draw(whole) for _ in range(size)]),
        maximize=draw(st.booleans()),
        offset=draw(whole),
        denominator=np.array([float(draw(st.integers(0, 4))) for _ in range(size)]),
        denominator_offset=1.0,
    )
    return program, stage


@settings(max_examples=60, deadline=None)
@given(fractional_programs())
def test_levels_agree_with_charnes_and_cooper(drawn: tuple[LinearProgram, Stage]) -> None:
    """The best ratio by levels is the optimum of the Charnes-Cooper program, whose plan reaches it."""
    program, stage = drawn
    found = solve_stages(program, [stage])
    other = solve(charnes_cooper(program, stage, 1.0))
    assert found.termination.reason is Reason.OPTIMAL
    assert found.outcomes[0].value == pytest.approx(other.objective, rel=1e-6, abs=1e-6)
    point = charnes_cooper_point(program, other)
    assert point is not None
    assert stage.value(point) == pytest.approx(other.objective, rel=1e-6, abs=1e-6)
    result = found.outcomes[0].result
    assert result is not None
    assert result.bound == pytest.approx(other.objective, rel=1e-6, abs=1e-6)


@settings(max_examples=40, deadline=None)
@given(fractional_programs())
def test_whole_numbers_agree_with_enumeration(drawn: tuple[LinearProgram, Stage]) -> None:
    """Dinkelbach's levels find the best whole point, and the bound is on its far side."""
    program, stage = drawn
    size = program.num_columns
    program = program.replace(integer=np.ones(size, dtype=bool))
    points = np.array(list(itertools.product(range(6), repeat=size)), dtype=float)
    kept = points[(points @ program.matrix.toarray().T <= program.row_upper + 1e-9).all(axis=1)]
    ratios = np.array([stage.value(point) for point in kept])
    best = ratios.max() if stage.maximize else ratios.min()
    result = solve_stages(program, [stage], SolveOptions(gap=1e-9)).outcomes[0].result
    assert result is not None
    assert result.objective == pytest.approx(best, rel=1e-6, abs=1e-6)
    assert result.bound is not None
    assert (result.bound >= best - 1e-6) if stage.maximize else (result.bound <= best + 1e-6)


def test_later_stages_keep_a_ratio(build: Build) -> None:
    """The ratio of the first stage is kept while the second grows as far as it allows."""
    program = build(np.zeros(2), [[1.0, 1.0]], row_upper=[10.0], row_lower=[1.0], column_upper=[4.0, 9.0])
    ratio = Stage("ratio", np.array([3.0, 1.0]), True, denominator=np.ones(2), tolerance=1e-7, scale=0.0)
    result = solve_stages(program, [ratio, Stage("total", np.ones(2), maximize=True)])
    assert result.x == pytest.approx([4.0, 0.0], abs=1e-4)
    assert [outcome.value for outcome in result.outcomes] == pytest.approx([3.0, 4.0], rel=1e-5)


def test_a_ratio_after_another_stage(build: Build) -> None:
    """The smallest cost a unit under what an earlier stage reached, and its program again."""
    program = build(np.zeros(2), [[1.0, 1.0]], row_upper=[10.0], column_upper=[4.0, 9.0])
    stages = [
        Stage("total", np.ones(2), maximize=True),
        Stage("cost", np.array([1.0, 3.0]), denominator=np.ones(2)),
    ]
    result = solve_stages(program, stages)
    assert result.outcome("cost").value == pytest.approx((4 + 3 * 6) / 10, rel=1e-6)
    assert solve(result.program("cost")).objective == pytest.approx(1.0, abs=1e-6)


def test_prices_are_those_of_the_ratio(build: Build) -> None:
    """One more unit of the row changes the ratio by its dual."""
    stage = Stage(
        "ratio",
        np.array([2.0, 1.0]),
        True,
        offset=5.0,
        denominator=np.array([0.5, 0.2]),
        denominator_offset=2.0,
    )

    def solved(capacity: float) -> tuple[float, float]:
        program = build(np.zeros(2), [[1.0, 1.0]], row_upper=[capacity], column_upper=[3.0, 9.0])
        result = solve_stages(program, [stage]).outcomes[0].result
        assert result is not None and result.duals is not None
        return result.objective, float(result.duals[0])

    (less, _), (_, price), (more, _) = (solved(capacity) for capacity in (7.999, 8.0, 8.001))
    assert price == pytest.approx((more - less) / 0.002, rel=1e-3)


@pytest.mark.parametrize("maximize", [True, False])
def test_a_denominator_of_nothing_is_an_error(build: Build, maximize: bool) -> None:
    """Where every column may be 0, so may the denominator."""
    stage = Stage("ratio", np.array([2.0, 1.0]), maximize, denominator=np.ones(2))
    with pytest.raises(ZeroDenominatorError, match="ratio"):
        solve_stages(build(np.zeros(2), [[1.0, 1.0]], row_upper=[8.0]), [stage])


def test_curves_agree_with_a_grid(build: Build) -> None:
    """The best response per money of an S-curve and a saturating one, beside every point of a fine grid."""
    program = build(
        np.zeros(4),
        [[1.0, 1.0, 0.0, 0.0]],
        row_lower=[1.0],
        row_upper=[6.0],
        column_upper=[4.0, 4.0, np.inf, np.inf],
    )
    curves = [curve("hill", top=4.0, half=1.5, slope=3.0), curve("michaelis_menten", top=2.0, half=1.0)]
    terms = [CurveTerm(0, 2, curves[0]), CurveTerm(1, 3, curves[1])]
    stage = Stage(
        "return",
        np.array([0.0, 0, 1, 1]),
        True,
        denominator=np.array([1.0, 1, 0, 0]),
        tolerance=1e-7,
        scale=0.0,
    )
    spent = Stage("spent", np.array([1.0, 1, 0, 0]), maximize=True, keep_duals=False)
    result = solve_curve_stages(program, terms, [stage, spent])
    x = np.linspace(0.0, 4.0, 801)
    first, second = np.meshgrid(x, x, indexing="ij")
    total = first + second
    leads = 4.0 * first**3 / (1.5**3 + first**3) + 2.0 * second / (1.0 + second)
    allowed = (total >= 1.0) & (total <= 6.0)
    best = float((leads[allowed] / total[allowed]).max())
    outcome = result.outcomes[0]
    assert outcome.result is not None and outcome.result.bound is not None
    assert outcome.result.objective >= best - 1e-9
    assert outcome.result.objective <= best * (1 + 1e-4)
    assert outcome.result.bound <= outcome.result.objective * (1 + 2e-6)
    assert outcome.value == pytest.approx(outcome.result.objective, rel=1e-6)
