"""A plan whose rows hold while at most a number of uncertain numbers turn out badly in each of them.

    a_i x + max over |S| <= budget of sum_{v in S} abs(f_iv(x)) <= b_i        for each protected row i

f_iv is what number v at the end of its range does to row i, to its coefficients and to its bound. The numbers
are bounded, symmetric about the plan's own and independent; rows are protected one by one, and a row then
breaks at most with the probability of the published bound. Source: Bertsimas & Sim 2004.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from optimizer.errors import InputError, NoPlanError, SolverFailedError
from optimizer.model.compile import Model
from optimizer.plan.names import nearest
from optimizer.result.solution import Solution
from optimizer.settings import SolveSettings
from optimizer.solving import solution_of, solve_model
from scenarios.kept import money_stage
from scenarios.risk.futures import Future, Futures
from scenarios.risk.riskfile import Risk
from scenarios.risk.schema import RobustSpec
from scenarios.risk.symmetric import Symmetric, symmetric_numbers
from scenarios.world import WISHES
from solvers.program import Block, LinearProgram
from solvers.result import Reason
from solvers.stochastic.factors import Factor, FactorRobust, protect, violations
from solvers.stochastic.outofsample import share_interval
from solvers.stochastic.robust import violation_bound

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

FRESH = 3_000
"""Which fresh samples count violations."""
SAME = 1e-7
"""Relative difference up to which a number moves in a straight line."""
BROKEN = 1e-6
"""A row is broken by more than this share of its bound."""
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Robust:
    """The plain and the robust plan, money of both, and a row for each protected row of the program."""

    plain: float
    money: float
    solution: Solution
    rows: pd.DataFrame


def robust(risk: Risk, solution: Solution) -> Robust:
    """The robust plan of a risk file beside the plan itself, and how often rows break in fresh futures.

    Raises `InputError` for numbers that are not bounded and symmetric, that move together, or that do not
    move rows in a straight line, `NoPlanError` where nothing holds under the budget, and `SolverFailedError`
    where that is not proved.
    """
    spec = risk.spec.robust or RobustSpec()
    model = solution.model
    numbers = symmetric_numbers(risk, spec)
    factors, rows = _factors(risk, model, numbers, spec)
    found = protect(model.program, factors, rows, float(spec.budget))
    settings = SolveSettings(marginal_values=False, leverage=False)
    protected = replace(model, program=_named(model.program, found.program))
    staged = solve_model(protected, settings)
    if staged.x is None and staged.termination.reason is not Reason.INFEASIBLE:
        raise SolverFailedError("cli.solver_failed", reason=str(staged.termination.reason))
    if staged.x is None:
        raise NoPlanError("robust.no_plan", budget=f"{spec.budget:g}")
    plain = solve_model(model, settings)
    if plain.x is None:
        raise NoPlanError("risk.no_plan")
    money, columns = money_stage(model), model.program.num_columns
    draws = risk.draws(spec.futures, fresh=FRESH)
    z = np.column_stack([number.z(draws.u[:, number.place]) for number in numbers])
    table = _table(model, found, factors, float(spec.budget), z, (staged.x[:columns], plain.x))
    return Robust(
        money.value(plain.x), money.value(staged.x[:columns]), solution_of(protected, staged), table
    )


def _named(own: LinearProgram, grown: LinearProgram) -> LinearProgram:
    """The protected program with the blocks of the plan, and what protects behind them."""
    rows = (*own.row_blocks, Block("protection", own.num_rows, grown.num_rows))
    columns = (*own.column_blocks, Block("protection", own.num_columns, grown.num_columns))
    return grown.replace(row_blocks=rows, column_blocks=columns)


def _factors(
    risk: Risk, model: Model, numbers: Sequence[Symmetric], spec: RobustSpec
) -> tuple[list[Factor], IntArray]:
    """What each number does to the rows of the plan, and which rows are protected."""
    asked = _asked(risk, model, spec)
    moved = _Moved(risk, model, asked)
    factors = [moved.factor(number) for number in numbers]
    moved.check_together(numbers, factors)
    touched = np.unique(np.concatenate([one.touched() for one in factors]))
    program = model.program
    both = np.isfinite(program.row_lower[touched]) & np.isfinite(program.row_upper[touched])
    if both.any():
        row = int(touched[int(both.argmax())])
        raise InputError("robust.equation", row=row_names(program, [row])[0])
    if not touched.size:
        raise InputError("robust.nothing", risk.source.place(("robust",)))
    return factors, touched


def _asked(risk: Risk, model: Model, spec: RobustSpec) -> BoolArray:
    """The rows that are to be protected (m,): those of families and rules that are named, or of the world and
    all rules; rows that only measure nearness or fairness are none of these."""
    program = model.program
    families = {block.name for block in program.row_blocks}
    found = np.zeros(program.num_rows, dtype=np.bool_)
    if not spec.rows:
        for block in program.row_blocks:
            found[block.start : block.stop] = block.name not in WISHES or block.name == "rules"
    for at, name in enumerate(spec.rows):
        if name not in families | set(model.context.rule_places):
            known = [*sorted(families), *model.context.rule_places]
            place = risk.source.place(("robust", "rows", at), name)
            raise InputError("robust.row_unknown", place, nearest=nearest(name, known))
        for block in program.row_blocks:
            if block.name == name:
                found[block.start : block.stop] = True
        for place_of in model.context.rule_places.get(name, ()):
            found[place_of.first : place_of.first + len(place_of.scale)] = True
    return found


class _Moved:
    """Compares compiled plans with the plan's own, row by row."""

    def __init__(self, risk: Risk, model: Model, asked: BoolArray) -> None:
        self._risk, self._base, self._asked = risk, model.program, asked
        self._futures, self._curves = Futures(risk), len(model.curves)

    def factor(self, number: Symmetric) -> Factor:
        """What a number does per unit of z; raises `InputError` where that is no straight line."""
        above, below = (self._change({number.place: end}) for end in (number.high, number.low))
        self._must_cancel(above, below, number.name)
        return above

    def check_together(self, numbers: Sequence[Symmetric], factors: Sequence[Factor]) -> None:
        """Raise `InputError` where two numbers multiply each other in a row."""
        joint = self._change({number.place: number.high for number in numbers})
        total = Factor(
            -sum((one.matrix for one in factors), sparse.csr_array(self._base.matrix.shape)),
            -np.sum([one.bound for one in factors], axis=0),
        )
        self._must_cancel(joint, total, ", ".join(number.name for number in numbers))

    def _change(self, amounts: dict[int, FloatArray]) -> Factor:
        model = self._futures.model(Future.with_one(self._risk, amounts))
        program, base = model.program, self._base
        if program.matrix.shape != base.matrix.shape or len(model.curves) != self._curves:
            raise InputError("robust.rows_come", names=self._names(amounts))
        if not (
            np.array_equal(program.column_lower, base.column_lower)
            and np.array_equal(program.column_upper, base.column_upper)
        ):
            raise InputError("robust.not_a_row", names=self._names(amounts))
        bound = np.where(
            np.isfinite(base.row_upper), _less(program.row_upper, base.row_upper),
            _less(program.row_lower, base.row_lower),
        )  # fmt: skip
        keep = sparse.diags_array(self._asked.astype(np.float64))
        change = sparse.csr_array(keep @ (program.matrix - base.matrix))
        change.eliminate_zeros()
        return Factor(change, np.where(self._asked, bound, 0.0))

    def _must_cancel(self, one: Factor, other: Factor, names: str) -> None:
        """Raise `InputError` unless two changes are each other's opposite."""
        rest = sparse.csr_array(one.matrix + other.matrix).tocoo()
        size = np.abs(sparse.csr_array(one.matrix)).max() if one.matrix.nnz else 0.0
        wrong = np.abs(rest.data) > SAME * float(size)
        bad = rest.row[wrong]
        bounds = np.abs(one.bound + other.bound)
        more = np.flatnonzero(bounds > SAME * np.maximum(np.abs(one.bound), 1e-9))
        if len(bad) or len(more):
            row = int(bad[0]) if len(bad) else int(more[0])
            raise InputError("robust.not_linear", names=names, row=row_names(self._base, [row])[0])

    def _names(self, amounts: dict[int, FloatArray]) -> str:
        return ", ".join(self._risk.variables[place].name for place in amounts)


def _less(one: FloatArray, other: FloatArray) -> FloatArray:
    """one - other where both are finite, else 0."""
    known = np.isfinite(one) & np.isfinite(other)
    return np.where(known, np.where(known, one, 0.0) - np.where(known, other, 0.0), 0.0)


def row_names(program: LinearProgram, rows: Sequence[int]) -> list[str]:
    """Family and labels of rows: `hours Li Wei 2027-03`."""
    found = []
    for row in rows:
        block = next(one for one in program.row_blocks if one.start <= row < one.stop)
        labels = block.labels()[row - block.start] if block.labels else (str(row - block.start),)
        found.append(" ".join([block.name, *labels]))
    return found


def _table(
    model: Model,
    found: FactorRobust,
    factors: Sequence[Factor],
    budget: float,
    z: FloatArray,
    plans: tuple[FloatArray, FloatArray],
) -> pd.DataFrame:
    """A row a protected row: how many numbers move it, the bound, and how often it breaks."""
    program, rows = model.program, found.rows
    upper = program.row_upper[rows]
    size = np.maximum(np.abs(np.where(np.isfinite(upper), upper, program.row_lower[rows])), 1.0)
    protected, plain = (
        (violations(program, factors, rows, x, z) > BROKEN * size).mean(axis=0) for x in plans
    )
    count = len(z)
    ends = [share_interval(float(share * count), count, CONFIDENCE) for share in protected]
    return pd.DataFrame({
        "row": row_names(program, rows.tolist()),
        "numbers": found.counts,
        "protection": np.minimum(budget, found.counts),
        "bound": [violation_bound(int(n), min(budget, float(n))) for n in found.counts],
        "broken": protected,
        "broken_low": [low for low, _ in ends],
        "broken_high": [high for _, high in ends],
        "broken_plain": plain,
    })  # fmt: skip
