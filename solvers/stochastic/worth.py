"""What knowing the future would be worth, and what planning for several futures is worth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from solvers.errors import NoSolutionError
from solvers.program import FloatArray
from solvers.result import Reason
from solvers.stochastic.extensive import TwoStageResult, solve_extensive
from solvers.stochastic.two_stage import TwoStage, mean_future
from solvers.verify import PRIMAL_TOLERANCE, primal_residuals

Solve = Callable[[TwoStage], TwoStageResult]


@dataclass(frozen=True)
class Worth:
    """The four figures and what they say, in the program's own sense.

    `together` (RP): the best decision for all futures. `knowing` (WS): the mean of what somebody who knew
    the future would reach. `as_expected` (EV): the program of mean numbers. `mean_decision` (EEV): what its
    decision brings over all futures; None where it cannot be carried out in one of them.
    For a maximisation WS >= RP >= EEV.
    """

    together: float
    knowing: float
    as_expected: float | None
    mean_decision: float | None
    decision: FloatArray
    decision_of_mean: FloatArray | None
    maximize: bool

    @property
    def of_knowing(self) -> float:
        """EVPI: worth of knowing."""
        return abs(self.knowing - self.together)

    @property
    def of_planning(self) -> float:
        """VSS: worth of planning for several futures; infinite where the decision of the mean breaks."""
        return np.inf if self.mean_decision is None else abs(self.together - self.mean_decision)


def worth(problem: TwoStage, solve: Solve = solve_extensive, together: TwoStageResult | None = None) -> Worth:
    """RP, WS, EV and EEV by `solve`; the measure is the mean. `together` is RP where it is known.

    Source: Birge & Louveaux, chapter 4. Raises `NoSolutionError` where the program has no decision at all.
    """
    together = together or solve(problem)
    if together.x is None or together.objective is None:
        raise NoSolutionError(f"there is no decision for all futures: {together.termination.reason}")
    knowing = float(problem.probability @ knowing_values(problem, solve))
    average = mean_future(problem)
    expected = solve(problem.with_futures([average], np.ones(1)))
    carried = None if expected.x is None else value_of(problem, expected.x, solve)
    return Worth(
        together.objective,
        knowing,
        expected.objective,
        carried,
        together.x,
        expected.x,
        problem.first.maximize,
    )


def knowing_values(problem: TwoStage, solve: Solve = solve_extensive) -> FloatArray:
    """What somebody who knew it would reach in each future (S,); raises `NoSolutionError` where nothing."""
    values = []
    for place in range(len(problem.futures)):
        result = solve(problem.single(place))
        if result.objective is None:
            raise NoSolutionError(f"future {place} has no decision at all: {result.termination.reason}")
        values.append(result.objective)
    return np.array(values)


def value_of(problem: TwoStage, x: FloatArray, solve: Solve = solve_extensive) -> float | None:
    """The mean over the futures of a given decision x (n,); None where one of them cannot carry it out, or
    where it breaks a rule of now."""
    first = problem.first
    if primal_residuals(first, x).worst > PRIMAL_TOLERANCE:
        return None
    # The rows of now are checked; kept beside fixed columns, rounding in the last digit would break them.
    fixed = first.replace(
        matrix=first.matrix[:0], row_lower=first.row_lower[:0], row_upper=first.row_upper[:0],
        column_lower=x, column_upper=x, integer=np.zeros(x.size, dtype=np.bool_), row_blocks=(),
    )  # fmt: skip
    result = solve(TwoStage(fixed, problem.futures))
    if result.termination.reason in (Reason.INFEASIBLE, Reason.INFEASIBLE_OR_UNBOUNDED):
        return None
    if result.objective is None:
        raise NoSolutionError(f"the decision could not be valued: {result.termination.reason}")
    return result.objective
