"""Curves as straight lines: what is left of a curve program for solvers of linear programs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy import sparse

from solvers.curves.estimator import build
from solvers.curves.program import CurveProgram
from solvers.curves.solving import relaxation
from solvers.options import SolveOptions
from solvers.program import Block, LinearProgram


def envelope_program(
    curve_program: CurveProgram, options: SolveOptions | None = None, solver: str = "highs"
) -> LinearProgram:
    """The linear program with every curve under its concave envelope, in steps, and no whole numbers.

    It is the over-estimator of `estimator.py` without binaries, in the units of the program: the same rows
    and columns first, then columns for the parts of curves that bend often, the block `steps` of columns and
    the block `envelope` of rows, whose units are the curves' own. Steps are fine where the program's own
    optimum lies, so its value is that of the envelopes within the gap of the options (1e-6), and no point on
    the curves does better. Raises like `solve_curves`.
    """
    prepared, grid = relaxation(curve_program, options or SolveOptions(), solver)
    extended, relaxed = prepared.extended, build(prepared, grid).relaxed()
    (num_rows, num_columns), original = extended.matrix.shape, curve_program.program
    added = relaxed.num_columns - num_columns
    units = np.concatenate([prepared.scaling.columns, np.ones(added)])
    lines = sparse.csc_array(relaxed.matrix[num_rows:] @ sparse.diags_array(1.0 / units))
    wide = sparse.hstack([extended.matrix, sparse.csc_array((num_rows, added))])
    return replace(
        extended,
        objective=np.concatenate([extended.objective, np.zeros(added)]),
        matrix=sparse.csc_array(sparse.vstack([wide, lines], format="csc")),
        row_lower=np.concatenate([extended.row_lower, relaxed.row_lower[num_rows:]]),
        row_upper=np.concatenate([extended.row_upper, relaxed.row_upper[num_rows:]]),
        column_lower=np.concatenate([extended.column_lower, relaxed.column_lower[num_columns:]]),
        column_upper=np.concatenate([extended.column_upper, relaxed.column_upper[num_columns:]]),
        integer=np.zeros(relaxed.num_columns, dtype=bool),
        row_blocks=(*original.row_blocks, Block("envelope", num_rows, relaxed.num_rows)),
        column_blocks=(*original.column_blocks, Block("steps", num_columns, relaxed.num_columns)),
    )
