"""Small programs whose answers are known by hand, and large ones that take long."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from solvers.program import LinearProgram
from solvers.result import Reason

_INFINITY = np.inf
_NO_PLAN = frozenset({Reason.INFEASIBLE, Reason.INFEASIBLE_OR_UNBOUNDED})
_NO_END = frozenset({Reason.UNBOUNDED, Reason.INFEASIBLE_OR_UNBOUNDED})


@dataclass(frozen=True)
class KnownProgram:
    """A program with its optimal objective, or with the reasons that name why there is none."""

    name: str
    program: LinearProgram
    objective: float | None = None
    reasons: frozenset[Reason] = frozenset({Reason.OPTIMAL})


def make_program(
    objective: Sequence[float],
    rows: Sequence[tuple[Sequence[float], float, float]],
    columns: Sequence[tuple[float, float]],
    *,
    integer: Sequence[int] = (),
    maximize: bool = False,
    offset: float = 0.0,
) -> LinearProgram:
    """A program from rows as (coefficients, lower, upper), column bounds and positions of integer columns."""
    num_columns = len(objective)
    matrix = np.array([coefficients for coefficients, _, _ in rows], dtype=float).reshape(
        len(rows), num_columns
    )
    whole = np.zeros(num_columns, dtype=bool)
    whole[list(integer)] = True
    return LinearProgram(
        objective=np.array(objective, dtype=float),
        matrix=sparse.csc_array(matrix),
        row_lower=np.array([lower for _, lower, _ in rows], dtype=float),
        row_upper=np.array([upper for _, _, upper in rows], dtype=float),
        column_lower=np.array([lower for lower, _ in columns], dtype=float),
        column_upper=np.array([upper for _, upper in columns], dtype=float),
        integer=whole,
        maximize=maximize,
        offset=offset,
    )


def hard_knapsack(num_rows: int = 12, num_columns: int = 90) -> LinearProgram:
    """A knapsack with several rows and close ratios: a first plan is easy, the proof takes minutes."""
    weights, profit = _hard_numbers(num_rows, num_columns)
    sides = weights.sum(axis=1) // 2
    return _binary_program(profit, weights, np.full(num_rows, -_INFINITY), sides)


def hard_equalities(num_rows: int = 6, num_columns: int = 50) -> LinearProgram:
    """Market-split rows (Cornuejols & Dawande 1998): even a first plan takes minutes."""
    weights, profit = _hard_numbers(num_rows, num_columns)
    sides = weights.sum(axis=1) // 2
    return _binary_program(profit, weights, sides, sides)


def long_lp(num_rows: int = 1100, num_columns: int = 9000) -> LinearProgram:
    """A random packing LP that takes most of a second."""
    random = np.random.default_rng(7)
    matrix = sparse.random_array((num_rows, num_columns), density=0.004, rng=random, format="csc")
    return LinearProgram(
        objective=random.random(num_columns),
        matrix=sparse.csc_array(matrix),
        row_lower=np.full(num_rows, -_INFINITY),
        row_upper=random.random(num_rows) * 5,
        column_lower=np.zeros(num_columns),
        column_upper=np.ones(num_columns),
        integer=np.zeros(num_columns, dtype=bool),
        maximize=True,
    )


def _hard_numbers(num_rows: int, num_columns: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(1)
    weights = random.integers(1, 100, (num_rows, num_columns)).astype(float)
    return weights, np.round(weights.mean(axis=0)) + random.integers(0, 10, num_columns)


def _binary_program(
    profit: np.ndarray, weights: np.ndarray, lower: np.ndarray, upper: np.ndarray
) -> LinearProgram:
    num_columns = profit.size
    return LinearProgram(
        objective=profit,
        matrix=sparse.csc_array(weights),
        row_lower=lower,
        row_upper=upper,
        column_lower=np.zeros(num_columns),
        column_upper=np.ones(num_columns),
        integer=np.ones(num_columns, dtype=bool),
        maximize=True,
    )


def _assignment(size: int) -> LinearProgram:
    """Every assignment costs the same, so that every vertex is an optimum and most are degenerate."""
    people, jobs = np.repeat(np.eye(size), size, axis=1), np.tile(np.eye(size), size)
    rows = [(row.tolist(), 1.0, 1.0) for row in np.vstack([people, jobs])]
    return make_program([1.0] * size**2, rows, [(0.0, _INFINITY)] * size**2)


_ANY = (-_INFINITY, _INFINITY)
_POSITIVE = (0.0, _INFINITY)
_UP = _INFINITY
_DOWN = -_INFINITY

LP_PROGRAMS: tuple[KnownProgram, ...] = (
    KnownProgram(
        "lp minimise",
        make_program([1, 1], [([1, 2], 4, _UP), ([3, 1], 6, _UP)], [_POSITIVE] * 2),
        2.8,
    ),
    KnownProgram(
        "lp maximise with a constant",
        make_program(
            [1, 1], [([1, 2], _DOWN, 4), ([3, 1], _DOWN, 6)], [_POSITIVE] * 2, maximize=True, offset=100.0
        ),
        102.8,
    ),
    KnownProgram(
        "lp free and fixed columns",
        make_program([1, 0.5], [([1, 1], -1, _UP)], [_ANY, (2, 2)]),
        -2.0,
    ),
    KnownProgram(
        "lp upper-bounded and negative columns",
        make_program([1, -1, 2], [([1, 1, 1], -20, _UP)], [(_DOWN, -2), (-9, -4), (-30, 30)]),
        -26.0,
    ),
    KnownProgram(
        "lp empty row and empty column",
        make_program([3, 1, 4], [([0, 0, 0], -1, 1), ([1, 0, 1], 1, _UP)], [_POSITIVE, (-2, 5), _POSITIVE]),
        1.0,
    ),
    KnownProgram(
        "lp free row",
        make_program([2, 3], [([1, 5], _DOWN, _UP), ([1, 1], 1, _UP)], [(0, 10)] * 2),
        2.0,
    ),
    KnownProgram(
        "lp range",
        make_program([1, 2], [([1, 1], 2, 5)], [_ANY, (-3, 3)], maximize=True),
        8.0,
    ),
    KnownProgram(
        "lp range, other side",
        make_program([1, 2], [([1, 1], 2, 5)], [_ANY, (-3, 3)]),
        -1.0,
    ),
    KnownProgram(
        "lp equalities",
        make_program([1, 2, 3], [([1, 1, 1], 1, 1), ([1, -1, 0], 0.5, 0.5)], [_POSITIVE] * 3),
        1.25,
    ),
    KnownProgram("lp zero rows", make_program([1, -1], [], [(0, 5)] * 2, offset=3.0), -2.0),
    KnownProgram("lp degenerate ties", _assignment(6), 6.0),
    KnownProgram(
        "lp zero objective", make_program([0, 0], [([1, 1], 1, 2)], [_POSITIVE] * 2, offset=7.0), 7.0
    ),
    KnownProgram(
        "lp big and tiny coefficients",
        make_program(
            [1, 1, 1e-4],
            [([1e5, 1, 0], _DOWN, 2e5), ([0, 1, 1e-4], _DOWN, 1)],
            [(0, 10), (0, 10), (0, 2e4)],
            maximize=True,
        ),
        3.0,
    ),
    KnownProgram(
        "lp infeasible",
        make_program([1, 1], [([1, 1], 3, _UP), ([1, 1], _DOWN, 2)], [_POSITIVE] * 2),
        reasons=_NO_PLAN,
    ),
    KnownProgram(
        "lp infeasible empty row", make_program([1, 1], [([0, 0], 3, 3)], [(0, 10)] * 2), reasons=_NO_PLAN
    ),
    KnownProgram(
        "lp crossed column bounds",
        make_program([1, 1], [([1, 1], 1, _UP)], [(2, 1), (0, 10)]),
        reasons=_NO_PLAN,
    ),
    KnownProgram(
        "lp crossed row bounds", make_program([1, 1], [([1, 1], 4, 3)], [(0, 10)] * 2), reasons=_NO_PLAN
    ),
    KnownProgram(
        "lp unbounded",
        make_program([1, 1], [([1, -1], _DOWN, 2)], [_POSITIVE] * 2, maximize=True),
        reasons=_NO_END,
    ),
    KnownProgram("lp unbounded without rows", make_program([1, -1], [], [_POSITIVE] * 2), reasons=_NO_END),
    KnownProgram(
        "lp neither it nor its dual feasible",
        make_program([-1, -1], [([1, -1], 1, _UP), ([-1, 1], 1, _UP)], [_POSITIVE] * 2),
        reasons=_NO_PLAN,
    ),
)

MIP_PROGRAMS: tuple[KnownProgram, ...] = (
    KnownProgram(
        "mip maximise binary with a constant",
        make_program(
            [10, 13, 7, 8, 6],
            [([3, 4, 2, 3, 2], _DOWN, 7)],
            [(0, 1)] * 5,
            integer=range(5),
            maximize=True,
            offset=-5.0,
        ),
        18.0,
    ),
    KnownProgram(
        "mip minimise whole numbers",
        make_program([3, 4], [([2, 3], 7, _UP)], [(0, 10)] * 2, integer=range(2)),
        10.0,
    ),
    KnownProgram(
        "mip mixed", make_program([1, 1.5], [([1, 1], 2.5, _UP)], [(0, 10), _POSITIVE], integer=[0]), 2.75
    ),
    KnownProgram(
        "mip free whole number",
        make_program([1, 1], [([2, 0], -7, _UP), ([1, 1], -5, _UP)], [_ANY, (-4, 4)], integer=range(2)),
        -5.0,
    ),
    KnownProgram(
        "mip decimals",
        make_program([1, 0], [([0.1, 0.2], 1.1, 1.1)], [(0, 20)] * 2, integer=range(2), maximize=True),
        11.0,
    ),
    KnownProgram(
        "mip bounds between whole numbers",
        make_program(
            [1, 1], [([3, 3], _DOWN, 16)], [(0.5, 2.7), (-0.5, 4.2)], integer=range(2), maximize=True
        ),
        5.0,
    ),
    KnownProgram(
        "mip range and equality",
        make_program(
            [2, 1, 3], [([1, 1, 1], 4, 6), ([1, 0, -1], 1, 1)], [(0, 9)] * 3, integer=range(3), maximize=True
        ),
        13.0,
    ),
    KnownProgram(
        "mip zero rows", make_program([1, -1], [], [(0, 5)] * 2, integer=range(2), offset=1.0), -4.0
    ),
    KnownProgram(
        "mip large whole numbers",
        make_program(
            [1, 1], [([1, 0], _DOWN, 20_000_000)], [(0, 5e7), (0, 3)], integer=range(2), maximize=True
        ),
        20_000_003.0,
    ),
    KnownProgram(
        "mip infeasible only because whole",
        make_program([1, 1], [([2, 2], 3, 3)], [(0, 10)] * 2, integer=range(2)),
        reasons=_NO_PLAN,
    ),
    KnownProgram(
        "mip infeasible relaxation",
        make_program([1, 1], [([1, 1], 3, _UP), ([1, 1], _DOWN, 2)], [(0, 10)] * 2, integer=range(2)),
        reasons=_NO_PLAN,
    ),
    KnownProgram(
        "mip unbounded",
        make_program([1, 1], [([1, -1], _DOWN, 2)], [_POSITIVE] * 2, integer=range(2), maximize=True),
        reasons=_NO_END,
    ),
)
