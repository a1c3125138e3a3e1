"""Decisions that make targets reachable with a probability: a chance constraint over many futures.

    maximise  mean money
    subject to  sum_s p_s 1[sales of future s can reach the target] >= probability        for each target

now: spend, starts, hires, resources bought; later: sales and hours, which put the target before money in the
futures that are to reach it. Sample average with an exact big-M; the answer is tried on fresh futures.
Source: Luedtke & Ahmed 2008.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from optimizer.errors import InputError, LimitReachedError, SolverFailedError
from scenarios.kept import Planned
from scenarios.risk.deciding import GAP, Deciding
from scenarios.risk.goals import GoalRow, goal_row, place_of, sparse_rows
from scenarios.risk.riskfile import Draws
from solvers.errors import InvalidProgramError
from solvers.options import SolveOptions
from solvers.program import LinearProgram
from solvers.result import Reason, SolveResult
from solvers.solving import solve
from solvers.stochastic.chance import Goal, lowest_values, most_reached, with_chance
from solvers.stochastic.extensive import Extensive, extensive_form

FloatArray = NDArray[np.float64]

MOST_COLUMNS = 400_000
"""Columns of all futures together beyond which is said that fewer are needed."""
ROUNDING = 1e-6
"""A goal that is short by so much of its bound is reached."""
MOST_GAP = 0.02
"""Proof of the largest probability: within so much of it."""


@dataclass(frozen=True)
class Reached:
    """The best decisions under the chances; `planned` is None where there are none.

    `probability` (target -> share of the futures decided for), `most` (target -> the largest probability that
    any decision gives it by itself, at most this). `objective` is the mean of money, `gap` what is proved.
    """

    asked: Mapping[str, float]
    planned: Planned | None
    probability: Mapping[str, float]
    most: Mapping[str, float]
    objective: float | None = None
    gap: float | None = None


class Reaching:
    """Decisions over a sample of futures, ready for chances."""

    def __init__(self, deciding: Deciding, draws: Draws, shares: FloatArray) -> None:
        """Raises `InputError` where the futures are too many for one program."""
        self._deciding, self._shares = deciding, shares
        width = deciding.now.size * len(draws)
        if width > MOST_COLUMNS:
            most = max(1, MOST_COLUMNS // deciding.now.size)
            raise InputError("decide.too_many", futures=len(draws), most=most)
        self._worlds = [deciding.world(draws, row) for row in range(len(draws))]
        self._problem = deciding.stages(self._worlds, shares)
        self._form = extensive_form(self._problem)

    def decide(self, asked: Mapping[str, float], time_limit: float) -> Reached:
        """The best decisions that reach each target with its probability.

        Raises `InputError` for unknown targets and for figures that nothing bounds, and `LimitReachedError`
        where the time ends before the first answer.
        """
        labels = self._worlds[0].measures.labels
        goals = {name: self._goal(name, place_of(labels, name)) for name in asked}
        program = self._form.program
        for name, chance in asked.items():
            program = self._with(program, goals[name], float(chance), name)
        result = solve(program, SolveOptions(gap=GAP, time_limit=time_limit))
        if result.x is None:
            refuse_unproved(result)
            return Reached(asked, None, {}, self._most(goals, asked, time_limit))
        whole = result.x[: self._form.program.num_columns]
        hit = {
            name: float(self._shares @ (goal.coefficients @ whole + goal.constants >= -ROUNDING))
            for name, goal in goals.items()
        }
        planned = self._deciding.carried(whole[: self._problem.first.num_columns])
        return Reached(asked, planned, hit, {}, result.objective, result.gap)

    def _goal(self, name: str, place: int) -> Goal:
        now = self._deciding.now
        rows = [goal_row(world, place) for world in self._worlds]
        width = self._form.program.num_columns
        mine = sparse_rows([(_wide(one, now.size)[now], 0) for one in rows], width)
        later = zip(rows, self._form.starts.tolist(), strict=True)
        other = sparse_rows([(_wide(one, now.size)[~now], start) for one, start in later], width)
        constants = np.array([one.constant for one in rows])
        if not (np.isfinite(constants).all()):
            raise InputError("decide.no_bound", name=name)
        return Goal(sparse.csr_array(mine + other), constants, 0.0)

    def _with(self, program: LinearProgram, goal: Goal, chance: float, name: str) -> LinearProgram:
        form = Extensive(program, self._form.starts, None)
        lowest = lowest_values(goal, self._form.program)
        for place in np.flatnonzero(~np.isfinite(lowest)).tolist():
            lowest[place] = self._least(goal, place)
        try:
            return with_chance(form, goal, self._shares, chance, lowest)
        except InvalidProgramError:
            raise InputError("decide.nothing_bounds", name=name) from None

    def _least(self, goal: Goal, place: int) -> float:
        """The least that a goal can be in its future under all rows: what M is where bounds give none."""
        single = extensive_form(self._problem.single(place))
        n, size = self._problem.first.num_columns, single.program.num_columns
        row = np.asarray(goal.coefficients[[place]].todense(), dtype=np.float64).ravel()
        start = int(self._form.starts[place])
        objective = np.concatenate([row[:n], row[start : start + size - n]])
        relaxed = single.program.replace(
            objective=objective, maximize=False, offset=float(goal.constants[place]),
            integer=np.zeros(size, dtype=np.bool_),
        )  # fmt: skip
        result = solve(relaxed)
        return -np.inf if result.bound is None else float(result.bound)

    def _most(self, goals: Mapping[str, Goal], asked: Mapping[str, float], limit: float) -> dict[str, float]:
        """The largest probability of each target by itself; what is proved is that there is no more."""
        found = {}
        for name in asked:
            program = most_reached(self._with(self._form.program, goals[name], 0.0, name), self._shares)
            result = solve(program, SolveOptions(gap=MOST_GAP, time_limit=limit))
            if result.x is None:
                refuse_unproved(result)
            bound = 1.0 if result.bound is None else float(result.bound)
            proved = result.termination.reason is Reason.OPTIMAL and result.objective is not None
            found[name] = float(result.objective or 0.0) if proved else min(1.0, bound)
        return found


def refuse_unproved(result: SolveResult) -> None:
    """Raise `LimitReachedError` or `SolverFailedError` unless it is proved that there is no answer."""
    reason = result.termination.reason
    if reason is Reason.LIMIT:
        raise LimitReachedError("decide.limit")
    if reason is not Reason.INFEASIBLE:
        raise SolverFailedError("cli.solver_failed", reason=str(reason))


def _wide(row: GoalRow, width: int) -> FloatArray:
    """Coefficients with zeros for the steps of curves."""
    return np.append(row.coefficients, np.zeros(width - row.coefficients.size))
