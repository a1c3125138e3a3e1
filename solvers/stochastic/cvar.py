"""Decisions with a linear loss in each future: the tail as one program, or by cutting planes.

Planes alone are slow where hundreds of decisions share one limit and the tail is the small difference of
gain and risk (portfolios): there an interior point over the decisions that matter says where to take them.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace

import numpy as np
from scipy import sparse
from threadpoolctl import threadpool_limits

from solvers.errors import InvalidProgramError
from solvers.options import SolveOptions
from solvers.program import FloatArray, IntArray, LinearProgram
from solvers.result import Limit, Reason, SolveResult, Termination
from solvers.solving import solve
from solvers.staged import with_basic_rows
from solvers.stochastic.interior import Near, Point, TailInterior
from solvers.stochastic.measures import check_probabilities, tail_mean, tail_weights

_NEAR = 0.1
"""How far from the best decision towards the master's answer the steadying plane is taken."""

_PLANES_ALONE = 15
"""Rounds after which an interior point is asked where the tail is least."""
_FEW = 150
"""Decisions with which an interior point starts, those of the least reduced costs; others are at bounds."""
_PASSES = 12
_FEW_MISSING = 0.1
"""Share of decisions that may be missing when an interior point goes for the last digits."""
_MOST = 0.8
"""Share of decisions from which all of them are taken."""
_PART = 0.05
"""Share of the gap to which an interior point is taken while decisions are still missing."""


@dataclass(frozen=True)
class TailProgram:
    """Minimise program.objective @ x + offset + weight * CVaR_level(losses @ x + constants) under its rows.

    `losses` (S, n), `constants` (S,), `probability` (S,); the program minimises. Raises
    `InvalidProgramError` where shapes do not fit or the program maximises.
    """

    program: LinearProgram
    losses: FloatArray
    constants: FloatArray
    probability: FloatArray
    level: float
    weight: float = 1.0

    def __post_init__(self) -> None:
        """Validate once."""
        count = self.probability.size
        check_probabilities(self.probability)
        if self.losses.shape != (count, self.program.num_columns) or self.constants.shape != (count,):
            raise InvalidProgramError("losses, constants and probabilities do not fit the program")
        if self.program.maximize:
            raise InvalidProgramError("a tail of losses is minimised")
        if not 0.0 <= self.level < 1.0 or self.weight <= 0.0:
            raise InvalidProgramError("the level must lie in [0, 1) and the weight above 0")

    def loss(self, x: FloatArray) -> FloatArray:
        """The loss in each future (S,)."""
        return np.asarray(self.losses @ x + self.constants, dtype=np.float64)

    def value(self, x: FloatArray) -> float:
        """The objective at x (n,)."""
        return self.program.value(x) + self.weight * tail_mean(self.loss(x), self.probability, self.level)


@dataclass(frozen=True)
class TailResult:
    """The decision, its objective and what is proved; `rounds` of the cutting planes, 0 for one program."""

    termination: Termination
    x: FloatArray | None = None
    objective: float | None = None
    bound: float | None = None
    tail: float | None = None
    """CVaR at the decision."""
    seconds: float = 0.0
    rounds: int = 0
    trace: tuple[tuple[float, float, float], ...] = field(default=())
    """(seconds, best objective, bound) after each round."""


def tail_by_one_program(problem: TailProgram, options: SolveOptions | None = None) -> TailResult:
    """One linear program: weight * (v + sum_s p_s z_s / (1 - level)), z_s >= loss_s - v, z_s >= 0.

    Right for up to about 2,000 futures. Source: Rockafellar & Uryasev 2000.
    """
    started = time.perf_counter()
    program, count = problem.program, problem.probability.size
    tail = sparse.hstack([-np.ones((count, 1)), -sparse.eye_array(count)])
    rows = sparse.hstack([sparse.csr_array(problem.losses), tail])
    own = sparse.hstack([program.matrix, sparse.csc_array((program.num_rows, count + 1))])
    costs = problem.weight * np.append(1.0, problem.probability / (1.0 - problem.level))
    whole = LinearProgram(
        objective=np.append(program.objective, costs),
        matrix=sparse.csc_array(sparse.vstack([own, rows], format="csc")),
        row_lower=np.append(program.row_lower, np.full(count, -np.inf)),
        row_upper=np.append(program.row_upper, -problem.constants),
        column_lower=np.concatenate([program.column_lower, [-np.inf], np.zeros(count)]),
        column_upper=np.append(program.column_upper, np.full(count + 1, np.inf)),
        integer=np.append(program.integer, np.zeros(count + 1, dtype=np.bool_)),
        offset=program.offset,
    )
    result = solve(whole, options)
    return _result(problem, result, result.bound, time.perf_counter() - started, 0)


def tail_by_planes(
    problem: TailProgram, gap: float = 1e-6, options: SolveOptions | None = None, rounds: int = 1_000
) -> TailResult:
    """Cutting planes on the tail, each from the futures that are its tail at the last decision.

        z >= sum_s w_s (loss_s(x)),  w the worst density that the level allows at the last decision

    The master has n + 1 columns whatever the number of futures. Source: Künzi-Bay & Mayer 2006, with the
    quantile put in (Fábián 2008), so that a plane is a subgradient of CVaR itself. Stops when objective and
    bound are within `gap`, relative to the objective. Whatever proposes a decision or a density, the
    objective is that of all futures and the bound that of the planes.
    """
    # One thread of BLAS: several cost more in waiting than they win here (docs/decisions/0043), and the
    # digits stay the same whatever the number of cores.
    with threadpool_limits(limits=1, user_api="blas"):
        return _PlaneRun(problem, options or SolveOptions()).run(gap, rounds)


class _PlaneRun:
    """One run of cutting planes; a round takes planes at the master's answer and near the best decision."""

    def __init__(self, problem: TailProgram, options: SolveOptions) -> None:
        self._started = time.perf_counter()
        self._problem, self._limit = problem, options.time_limit
        self._master = _Planes(problem, replace(options, time_limit=None))
        self._master.add(problem.probability)
        self._best, self._bound = np.inf, -np.inf
        self._x: FloatArray | None = None
        self._trace: list[tuple[float, float, float]] = []

    def run(self, gap: float, rounds: int) -> TailResult:
        """Rounds until the gap or a limit."""
        end = Termination(Reason.LIMIT, Limit.ITERATIONS)
        for number in range(rounds):
            result = self._master.solve()
            if result.x is None:
                return TailResult(result.termination, seconds=self._seconds(), rounds=len(self._trace))
            self._round(result)
            if number + 1 == _PLANES_ALONE and not self._done(gap):
                self._pass_inside(gap)
            if self._done(gap):
                end = Termination(Reason.OPTIMAL)
                break
            if self._late():
                end = Termination(Reason.LIMIT, Limit.TIME)
                break
        tail = None if self._x is None else self._tail(self._problem.loss(self._x))
        trace = tuple(self._trace)
        return TailResult(end, self._x, self._best, self._bound, tail, self._seconds(), len(trace), trace)

    def _round(self, result: SolveResult) -> None:
        point = result.values[: self._problem.program.num_columns]
        self._bound = max(self._bound, -np.inf if result.bound is None else result.bound)
        # The master jumps from corner to corner; a plane near the best decision steadies it. Whole numbers
        # cannot be mixed.
        points = [point]
        if self._x is not None and not self._problem.program.is_mip:
            points.insert(0, self._x + _NEAR * (point - self._x))
        for tried in points:
            self._try(tried)
        self._note()

    def _try(self, x: FloatArray) -> None:
        """Value a decision in all futures, and take its plane."""
        loss = self._problem.loss(x)
        value = self._problem.program.value(x) + self._problem.weight * self._tail(loss)
        self._master.add(tail_weights(loss, self._problem.probability, self._problem.level))
        if value < self._best:
            self._best, self._x = value, x

    def _pass_inside(self, gap: float) -> None:
        """Interior points over ever more decisions; those left out stay at their bounds until their reduced
        costs call them (sifting, Bixby et al. 1992)."""
        problem = self._problem
        if (
            self._x is None
            or problem.program.is_mip
            or problem.level == 0.0
            or problem.probability.min() <= 0
        ):
            return
        x, exact = self._x, False
        chosen = _first_columns(problem.program, x, self._master.reduced)
        part, point = _Part(problem, chosen, x), None
        for _ in range(_PASSES):
            wanted = 0.25 * gap * max(1e-10, abs(self._best))
            near = part.near(point, wanted if exact else max(wanted, _PART * self._open))
            if near is None:
                return
            x, point = near.x, near.point
            self._master.add(near.weights / problem.weight)
            self._try(x)
            result = self._master.solve()
            if result.bound is not None:
                self._bound = max(self._bound, result.bound)
            self._note()
            missing = part.missing(near)
            if self._done(gap) or self._late() or (exact and missing.size == 0):
                return
            exact = exact or missing.size <= _FEW_MISSING * chosen.size
            if missing.size:
                chosen = np.union1d(chosen, missing)
                if chosen.size > _MOST * x.size:
                    chosen, exact = np.arange(x.size), True
                part, point = _Part(problem, chosen, x), None

    @property
    def _open(self) -> float:
        return self._best - self._bound

    def _done(self, gap: float) -> bool:
        return self._open <= gap * max(1e-10, abs(self._best))

    def _late(self) -> bool:
        return self._limit is not None and self._seconds() > self._limit

    def _note(self) -> None:
        self._trace.append((self._seconds(), self._best, self._bound))

    def _tail(self, loss: FloatArray) -> float:
        return tail_mean(loss, self._problem.probability, self._problem.level)

    def _seconds(self) -> float:
        return time.perf_counter() - self._started


class _Planes:
    """The master: the rows of the program, and z above every plane."""

    def __init__(self, problem: TailProgram, options: SolveOptions) -> None:
        program = problem.program
        self._problem, self._options = problem, options
        self._program = program.replace(
            objective=np.append(program.objective, problem.weight),
            matrix=sparse.csc_array(sparse.hstack([program.matrix, sparse.csc_array((program.num_rows, 1))])),
            column_lower=np.append(program.column_lower, -np.inf),
            column_upper=np.append(program.column_upper, np.inf),
            integer=np.append(program.integer, False),
            column_blocks=(),
            row_blocks=(),
        )
        self._rows: list[FloatArray] = []
        self._upper: list[float] = []
        self._result: SolveResult | None = None
        self.reduced = program.objective
        """Reduced costs of the decisions at the last answer (n,)."""

    def add(self, weights: FloatArray) -> None:
        """The plane z >= weights @ (losses @ x + constants), valid for every density that CVaR allows."""
        self._rows.append(np.append(weights @ self._problem.losses, -1.0))
        self._upper.append(-float(weights @ self._problem.constants))

    def solve(self) -> SolveResult:
        """The best decision as far as the planes tell."""
        program = self._program
        grown = program.replace(
            matrix=sparse.csc_array(
                sparse.vstack([program.matrix, sparse.csr_array(np.array(self._rows))], format="csc")
            ),
            row_lower=np.append(program.row_lower, np.full(len(self._rows), -np.inf)),
            row_upper=np.append(program.row_upper, self._upper),
        )
        options = self._options
        if not program.is_mip:
            last = None if self._result is None else self._result.basis
            start = None if last is None else with_basic_rows(last, grown.num_rows - last.rows.size)
            options = replace(options, method="simplex", basis=True, start_basis=start)
        self._result = solve(grown, options)
        duals = self._result.duals
        if duals is not None:
            self.reduced = (grown.objective - grown.matrix.T @ duals)[: self.reduced.size]
        return self._result


def _first_columns(program: LinearProgram, x: FloatArray, reduced: FloatArray) -> IntArray:
    """Decisions between their bounds, and those of the least reduced costs."""
    at_bound = (x == program.column_lower) | (x == program.column_upper)
    return np.union1d(np.flatnonzero(~at_bound), np.argsort(np.abs(reduced), kind="stable")[:_FEW])


class _Part:
    """A tail program over some decisions, the others where `x` has them."""

    def __init__(self, problem: TailProgram, chosen: IntArray, x: FloatArray) -> None:
        program = problem.program
        others = np.ones(x.size, dtype=np.bool_)
        others[chosen] = False
        fixed = np.where(others, x, 0.0)
        shift = program.matrix @ fixed
        part = program.replace(
            objective=program.objective[chosen],
            matrix=sparse.csc_array(program.matrix[:, chosen]),
            row_lower=program.row_lower - shift,
            row_upper=program.row_upper - shift,
            column_lower=program.column_lower[chosen],
            column_upper=program.column_upper[chosen],
            integer=program.integer[chosen],
            column_blocks=(),
            row_blocks=(),
        )
        caps = problem.weight * problem.probability / (1.0 - problem.level)
        losses = np.ascontiguousarray(problem.losses[:, chosen])
        constants = problem.losses @ fixed + problem.constants
        self._interior = TailInterior(part, losses, constants, caps, problem.weight)
        self._problem, self._chosen, self._x = problem, chosen, x

    def near(self, point: Point | None, gap: float) -> Near | None:
        """An interior point over all decisions, from one of an earlier run where there is one."""
        found = self._interior.run(self._x[self._chosen] if point is None else point, gap)
        if found is None:
            return None
        whole, program = self._x.copy(), self._problem.program
        whole[self._chosen] = found.x
        slope = found.weights @ self._problem.losses
        reduced = program.objective + slope - program.matrix.T @ found.row_prices
        return replace(found, x=whole, reduced=reduced)

    def missing(self, near: Near) -> IntArray:
        """Decisions at a bound that would gain by leaving it, the most gainful first."""
        program = self._problem.program
        gain = np.where(near.x <= program.column_lower, -near.reduced, np.abs(near.reduced))
        gain = np.where(near.x >= program.column_upper, near.reduced, gain)
        gain[self._chosen] = 0.0
        return np.argsort(-gain, kind="stable")[: min(2 * self._chosen.size, int((gain > 0.0).sum()))]


def _result(
    problem: TailProgram, result: SolveResult, bound: float | None, seconds: float, rounds: int
) -> TailResult:
    if result.x is None:
        return TailResult(result.termination, seconds=seconds, rounds=rounds)
    x = result.x[: problem.program.num_columns]
    tail = tail_mean(problem.loss(x), problem.probability, problem.level)
    return TailResult(result.termination, x, problem.value(x), bound, tail, seconds, rounds)
