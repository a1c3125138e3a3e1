"""A bound that must hold with a probability: the sample average, with one switch a future."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from solvers.errors import InvalidProgramError
from solvers.program import FloatArray, LinearProgram
from solvers.stochastic.extensive import Extensive


@dataclass(frozen=True)
class Goal:
    """coefficients_s @ y + constant_s >= least in future s; coefficients (S, columns of the whole form)."""

    coefficients: sparse.csr_array
    constants: FloatArray
    least: float


def with_chance(
    form: Extensive,
    goal: Goal,
    probability: FloatArray,
    chance: float,
    lowest: FloatArray | None = None,
) -> LinearProgram:
    """The program in which the goal is reached with at least this chance; its last S columns are 1 where not.

        goal_s(x, y) + M_s missed_s >= least,   sum_s p_s missed_s <= 1 - chance,   missed binary

    M_s = least - lowest_s. Unless `lowest` (S,) is given, it is the least of goal_s over the bounds of its
    columns, so that M is the smallest that is right for these bounds: nothing is cut off and nothing is
    guessed. Coefficients may be of fewer columns than the program has. Raises `InvalidProgramError` where no
    bound limits a goal. Source: Luedtke & Ahmed 2008 (sample average of a chance constraint).
    """
    program, count = form.program, goal.constants.size
    if lowest is None:
        lowest = lowest_values(goal, program)
    if not np.isfinite(lowest).all():
        raise InvalidProgramError("nothing bounds the goal from below in a future: give its columns bounds")
    big = np.maximum(goal.least - lowest, 0.0)
    missing = sparse.csr_array((count, program.num_columns - goal.coefficients.shape[1]))
    goal_rows = sparse.hstack([goal.coefficients, missing, sparse.diags_array(big)])
    nothing = sparse.csr_array((1, program.num_columns))
    share_row = sparse.hstack([nothing, sparse.csr_array(probability[None])])
    own = sparse.hstack([program.matrix, sparse.csc_array((program.num_rows, count))])
    return program.replace(
        objective=np.append(program.objective, np.zeros(count)),
        matrix=sparse.csc_array(sparse.vstack([own, goal_rows, share_row], format="csc")),
        row_lower=np.concatenate([program.row_lower, goal.least - goal.constants, [-np.inf]]),
        # Probabilities add up to 1 within rounding only; a share of futures counts as reached at 1e-9 less.
        row_upper=np.concatenate([program.row_upper, np.full(count, np.inf), [1.0 - chance + 1e-9]]),
        column_lower=np.append(program.column_lower, np.zeros(count)),
        column_upper=np.append(program.column_upper, np.ones(count)),
        integer=np.append(program.integer, np.ones(count, dtype=np.bool_)),
        column_blocks=(),
        row_blocks=(),
    )


def most_reached(program: LinearProgram, probability: FloatArray) -> LinearProgram:
    """The program of `with_chance` (with a chance of 0) that looks for the largest probability instead.

    maximise sum_s p_s (1 - missed_s)
    """
    count = probability.size
    objective = np.append(np.zeros(program.num_columns - count), -probability)
    return program.replace(objective=objective, maximize=True, offset=float(probability.sum()))


def lowest_values(goal: Goal, program: LinearProgram) -> FloatArray:
    """The least that the bounds of the columns allow the goal of each future (S,); -inf without a bound."""
    coefficients = goal.coefficients
    entries = coefficients.tocoo()
    at = np.where(entries.data > 0.0, program.column_lower[entries.col], program.column_upper[entries.col])
    sums = np.bincount(entries.row, weights=entries.data * at, minlength=coefficients.shape[0])
    return np.asarray(sums + goal.constants, dtype=np.float64)
