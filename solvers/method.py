"""Which algorithm suits a linear program: one rule, measured."""

from __future__ import annotations

from dataclasses import replace

from solvers.options import SolveOptions
from solvers.program import LinearProgram
from solvers.registry import Capabilities

# Measured on plan-shaped cubes with a lagged funnel (one thread, cold start, crossover included), simplex
# against interior point in milliseconds: 960 columns 14 and 15; 1,400 columns 23 and 21; 2,300 columns 43 and
# 35; 4,900 columns 118 and 75; 25,000 columns 1,400 and 550; at 245,000 simplex takes over three times as
# long. Such cubes are degenerate, which costs simplex most. With few rows the basis is small and simplex
# stays ahead.
INTERIOR_POINT_COLUMNS = 2_000
INTERIOR_POINT_ROWS = 500


def choose_method(
    program: LinearProgram, options: SolveOptions, capabilities: Capabilities, warm: bool = False
) -> SolveOptions:
    """The options with `method="auto"` decided, where the solver has both algorithms.

    Interior point for a cold LP of at least 2,000 columns and 500 rows; simplex for smaller ones and from a
    basis (`warm`), which interior point cannot use. A MIP is left to its solver.
    """
    both = capabilities.simplex and capabilities.interior_point
    if options.method != "auto" or program.is_mip or not both:
        return options
    large = program.num_columns >= INTERIOR_POINT_COLUMNS and program.num_rows >= INTERIOR_POINT_ROWS
    cold = not warm and options.start_basis is None
    return replace(options, method="interior_point" if large and cold else "simplex")
