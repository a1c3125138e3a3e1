"""A program in two stages: what is decided now, and what is decided once the future is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from solvers.errors import InvalidProgramError
from solvers.program import BoolArray, FloatArray, LinearProgram
from solvers.stochastic.measures import check_probabilities


@dataclass(frozen=True)
class Future:
    """One future: its probability, what can be done in it, and how decisions of now bear on it.

        costs @ x + recourse.objective @ y + recourse.offset
        recourse.row_lower <= technology @ x + recourse.matrix @ y <= recourse.row_upper

    Shapes: x (n,), y (k,), technology (m, n), costs (n,). `costs` come on top of the first stage's objective.
    """

    probability: float
    recourse: LinearProgram
    technology: sparse.csc_array
    costs: FloatArray


@dataclass(frozen=True)
class TwoStage:
    """Minimise (or maximise) first.objective @ x + the blend of futures, subject to the rows of both stages.

    Raises `InvalidProgramError` where shapes, senses or probabilities do not fit each other.
    """

    first: LinearProgram
    futures: tuple[Future, ...]

    def __post_init__(self) -> None:
        """Validate once."""
        check_probabilities(self.probability)
        n = self.first.num_columns
        for future in self.futures:
            if future.technology.shape != (future.recourse.num_rows, n) or future.costs.shape != (n,):
                raise InvalidProgramError("a future does not fit the columns of the first stage")
            if future.recourse.maximize != self.first.maximize:
                raise InvalidProgramError("both stages must minimise, or both maximise")

    @property
    def probability(self) -> FloatArray:
        """Probability of each future (S,)."""
        return np.array([future.probability for future in self.futures])

    @property
    def sign(self) -> float:
        """1 where the program minimises, -1 where it maximises: loss = sign * value."""
        return -1.0 if self.first.maximize else 1.0

    @property
    def has_whole_recourse(self) -> bool:
        """Whether a later decision must be whole, so that its duals mean nothing."""
        return any(future.recourse.is_mip for future in self.futures)

    def with_futures(self, futures: Sequence[Future], probability: FloatArray) -> TwoStage:
        """The same first stage under these futures with these probabilities (S,)."""
        pairs = zip(futures, probability.tolist(), strict=True)
        return replace(self, futures=tuple(replace(one, probability=share) for one, share in pairs))

    def single(self, place: int) -> TwoStage:
        """The program of somebody who knows that this future comes."""
        return self.with_futures([self.futures[place]], np.ones(1))


def split(
    programs: Sequence[LinearProgram],
    probability: FloatArray,
    now: BoolArray,
    base: LinearProgram | None = None,
) -> TwoStage:
    """Two stages from one whole program a future over the same columns; `now` (n,) marks what is decided.

    Rows on columns of now alone, and the bounds of those columns, are taken from `base` (the first program
    unless given): what is decided now cannot depend on the future. Objectives go to the futures as a whole.
    """
    base = base or programs[0]
    if any(program.num_columns != now.size for program in programs):
        raise InvalidProgramError("every future needs the same columns")
    later = np.flatnonzero(~now)
    mine = np.flatnonzero(now)
    own_rows = np.flatnonzero(_rows_of(base, later) == 0)
    first = LinearProgram(
        objective=np.zeros(mine.size),
        matrix=base.matrix[:, mine].tocsr()[own_rows].tocsc(),
        row_lower=base.row_lower[own_rows],
        row_upper=base.row_upper[own_rows],
        column_lower=base.column_lower[mine],
        column_upper=base.column_upper[mine],
        integer=base.integer[mine],
        maximize=base.maximize,
    )
    futures = (
        _future(program, share, mine, later)
        for program, share in zip(programs, probability.tolist(), strict=True)
    )
    return TwoStage(first, tuple(futures))


def _rows_of(program: LinearProgram, columns: np.ndarray) -> np.ndarray:
    """How many entries each row has in these columns (m,)."""
    part = program.matrix[:, columns]
    return np.bincount(part.indices[part.data != 0.0], minlength=program.num_rows)


def _future(program: LinearProgram, share: float, mine: np.ndarray, later: np.ndarray) -> Future:
    rows = np.flatnonzero(_rows_of(program, later) > 0)
    by_row = program.matrix.tocsr()[rows]
    recourse = LinearProgram(
        objective=program.objective[later],
        matrix=sparse.csc_array(by_row[:, later]),
        row_lower=program.row_lower[rows],
        row_upper=program.row_upper[rows],
        column_lower=program.column_lower[later],
        column_upper=program.column_upper[later],
        integer=program.integer[later],
        maximize=program.maximize,
        offset=program.offset,
    )
    return Future(share, recourse, sparse.csc_array(by_row[:, mine]), program.objective[mine])


def mean_future(problem: TwoStage) -> Future:
    """The future of mean numbers: every array averaged; raises `InvalidProgramError` where shapes differ."""
    futures, shares = problem.futures, problem.probability
    if len({future.recourse.matrix.shape for future in futures}) > 1:
        raise InvalidProgramError("futures of different shapes have no mean")

    def mean(arrays: Sequence[FloatArray]) -> FloatArray:
        if any(np.isinf(array).any() for array in arrays):
            # An infinite bound is the same in every future, or there is no mean: inf - inf is refused below.
            return np.asarray(_mean_with_infinities(arrays, shares), dtype=np.float64)
        return np.asarray(np.tensordot(shares, np.stack(arrays), axes=1), dtype=np.float64)

    names = ("objective", "row_lower", "row_upper", "column_lower", "column_upper")
    averaged = {name: mean([getattr(future.recourse, name) for future in futures]) for name in names}
    offset = float(shares @ np.array([future.recourse.offset for future in futures]))
    matrix = _mean_matrix([future.recourse.matrix for future in futures], shares)
    technology = _mean_matrix([future.technology for future in futures], shares)
    recourse = futures[0].recourse.replace(matrix=matrix, offset=offset, **averaged)
    return Future(1.0, recourse, technology, mean([future.costs for future in futures]))


def _mean_with_infinities(arrays: Sequence[FloatArray], shares: FloatArray) -> FloatArray:
    stacked = np.stack(arrays)
    endless = np.isinf(stacked)
    if (endless.any(axis=0) & ~endless.all(axis=0)).any() or (stacked[0] != stacked)[endless].any():
        raise InvalidProgramError("a bound that is infinite in some futures only has no mean")
    finite = np.where(endless, 0.0, stacked)
    return np.where(endless[0], stacked[0], np.tensordot(shares, finite, axes=1))


def _mean_matrix(matrices: Sequence[sparse.csc_array], shares: FloatArray) -> sparse.csc_array:
    total = matrices[0] * float(shares[0])
    for matrix, share in zip(matrices[1:], shares[1:].tolist(), strict=True):
        total = total + matrix * share
    return sparse.csc_array(total)
