"""The same model built and solved with PuLP and with linopy, each the fastest way that we know.

Both hand it to HiGHS with the same method and one thread. linopy gets whole blocks of rows as arrays; PuLP,
which has no arrays, gets an expression a row.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy import sparse

from benchmarks.measure import Clock

Arrays = Mapping[str, Any]


def with_linopy(arrays: Arrays, clock: Clock, method: str, limit: float | None) -> float:
    """Build with linopy, solve through its direct interface, and return the objective."""
    import linopy
    import pandas as pd
    import xarray as xr

    with clock("build"):
        model = linopy.Model()
        columns = pd.RangeIndex(arrays["objective"].size, name="column")
        lower, upper = (xr.DataArray(arrays[f"column_{side}"], [columns]) for side in ("lower", "upper"))
        x = model.add_variables(lower, upper, name="x")
        matrix = _rows(arrays)
        for start, stop in zip(arrays["blocks"][:-1], arrays["blocks"][1:], strict=True):
            _linopy_rows(model, arrays, matrix, int(start), int(stop))
        goal = (x * xr.DataArray(arrays["objective"], [columns])).sum()
        model.add_objective(goal, sense="max" if arrays["maximize"] else "min")
    with clock("solve"):
        options: dict[str, Any] = {"solver": method, "threads": 1, "output_flag": False, **_limit(limit)}
        model.solve("highs", io_api="direct", progress=False, **options)
    if model.objective.value is None:
        raise RuntimeError(f"linopy ended as {model.termination_condition}")
    return float(model.objective.value) + float(arrays["offset"])


def _linopy_rows(model: Any, arrays: Arrays, matrix: sparse.csr_array, start: int, stop: int) -> None:
    """One block of rows, padded to its longest."""
    import linopy
    import xarray as xr

    if start == stop:
        return
    lengths = np.diff(matrix.indptr[start : stop + 1])
    inside = slice(matrix.indptr[start], matrix.indptr[stop])
    row = np.repeat(np.arange(stop - start), lengths)
    place = np.arange(len(row)) - np.repeat(matrix.indptr[start:stop] - matrix.indptr[start], lengths)
    labels = np.full((stop - start, lengths.max()), -1)
    values = np.full(labels.shape, np.nan)
    labels[row, place], values[row, place] = matrix.indices[inside], matrix.data[inside]
    dims = ("row", "_term")
    terms = linopy.LinearExpression(xr.Dataset({"coeffs": (dims, values), "vars": (dims, labels)}), model)
    for side, sign in (("row_lower", ">="), ("row_upper", "<=")):
        bound = arrays[side][start:stop]
        if np.isfinite(bound).any():
            model.add_constraints(terms, sign, xr.DataArray(bound, dims=["row"]), name=f"{side}{start}")


def with_pulp(arrays: Arrays, clock: Clock, method: str, limit: float | None) -> float:
    """Build with PuLP, solve through highspy, and return the objective."""
    import pulp

    with clock("build"):
        problem = pulp.LpProblem("plan", pulp.LpMaximize if arrays["maximize"] else pulp.LpMinimize)
        bounds = zip(_sides(arrays["column_lower"]), _sides(arrays["column_upper"]), strict=True)
        x = [pulp.LpVariable(f"x{index}", lower, upper) for index, (lower, upper) in enumerate(bounds)]
        cost = zip(x, arrays["objective"].tolist(), strict=True)
        problem.setObjective(pulp.LpAffineExpression([term for term in cost if term[1]]))
        _pulp_rows(problem, x, arrays)
    with clock("solve"):
        options: dict[str, Any] = {"solver": method, "output_flag": False}
        problem.solve(pulp.HiGHS(msg=False, threads=1, timeLimit=limit, **options))
    if problem.status != pulp.LpStatusOptimal:
        raise RuntimeError(f"PuLP ended as {pulp.LpStatus[problem.status]}")
    return float(pulp.value(problem.objective)) + float(arrays["offset"])


def _pulp_rows(problem: Any, x: list[Any], arrays: Arrays) -> None:
    import pulp

    matrix = _rows(arrays)
    starts, columns, values = matrix.indptr.tolist(), matrix.indices.tolist(), matrix.data.tolist()
    sides = zip(_sides(arrays["row_lower"]), _sides(arrays["row_upper"]), strict=True)
    for row, (lower, upper) in enumerate(sides):
        inside = range(starts[row], starts[row + 1])
        terms = pulp.LpAffineExpression([(x[columns[entry]], values[entry]) for entry in inside])
        if lower is not None:
            problem.addConstraint(pulp.LpConstraint(terms, pulp.LpConstraintGE, f"at_least{row}", lower))
        if upper is not None:
            problem.addConstraint(pulp.LpConstraint(terms, pulp.LpConstraintLE, f"at_most{row}", upper))


def _rows(arrays: Arrays) -> sparse.csr_array:
    shape = (arrays["row_lower"].size, arrays["objective"].size)
    return sparse.csc_array((arrays["values"], arrays["rows"], arrays["starts"]), shape=shape).tocsr()


def _sides(bounds: np.ndarray) -> list[float | None]:
    return [bound if np.isfinite(bound) else None for bound in bounds.tolist()]


def _limit(limit: float | None) -> dict[str, float]:
    return {} if limit is None else {"time_limit": limit}
