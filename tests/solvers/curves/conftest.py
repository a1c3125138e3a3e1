"""Curve programs that the tests share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from scipy import sparse

from solvers.curves import Curve, CurveProgram, CurveTerm
from solvers.program import LinearProgram

Allocate = Callable[..., CurveProgram]


@pytest.fixture(scope="session")
def allocate() -> Allocate:
    """A function that builds: maximise the sum of curves, inputs within bounds, their sum at most `total`."""

    def make(
        curves: Sequence[Curve],
        upper: Sequence[float],
        total: float,
        lower: Sequence[float] | None = None,
        sense: Any = "<=",
        exactly: bool = False,
    ) -> CurveProgram:
        size = len(curves)
        zeros, ones = np.zeros(size), np.ones(size)
        program = LinearProgram(
            objective=np.concatenate([zeros, ones]),
            matrix=sparse.csc_array(np.concatenate([ones, zeros]).reshape(1, -1)),
            row_lower=np.array([total if exactly else -np.inf]),
            row_upper=np.array([float(total)]),
            column_lower=np.concatenate(
                [zeros if lower is None else np.asarray(lower, float), np.full(size, -np.inf)]
            ),
            column_upper=np.concatenate([np.asarray(upper, float), np.full(size, np.inf)]),
            integer=np.zeros(2 * size, dtype=bool),
            maximize=True,
        )
        return CurveProgram(program, [CurveTerm(j, size + j, one, sense) for j, one in enumerate(curves)])

    return make


@pytest.fixture(scope="session")
def best_on_grid() -> Callable[..., float]:
    """A function that finds the best split of `total` on a fine grid by dynamic programming (at most `total`)."""

    def search(
        values: Sequence[Callable[[np.ndarray], np.ndarray]], upper: Sequence[float], total: float
    ) -> float:
        steps = 2000
        step = total / steps
        best = np.zeros(steps + 1)
        for value, most in zip(values, upper, strict=True):
            allowed = int(min(steps, np.floor(most / step + 1e-9)))
            own = value(step * np.arange(allowed + 1))
            best = np.array([(best[n - min(n, allowed) : n + 1] + own[: min(n, allowed) + 1][::-1]).max()
                             for n in range(steps + 1)])  # fmt: skip
        return float(best[-1])

    return search
