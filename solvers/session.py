"""A built model that is patched and solved again, warm from its base."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from scipy import sparse

from solvers.errors import InvalidProgramError, NativeSolverError, UnsupportedRequestError
from solvers.method import choose_method
from solvers.options import SolveOptions
from solvers.program import FloatArray, IntArray, LinearProgram
from solvers.registry import NativeModel, UpdatableAdapter, get_usable
from solvers.result import Basis, Reason, SolveResult
from solvers.scaling import Scaling, TameProgram, tame, with_costs
from solvers.settle import settle
from solvers.solving import check_request, decide_at_sight, run_cold, with_integer_prices
from solvers.verify import verify

Coefficients = tuple[IntArray, IntArray, FloatArray]

_PATCHABLE = (
    *("objective", "maximize", "offset", "column_lower", "column_upper", "row_lower", "row_upper"),
    "matrix",
)


@dataclass
class _Start:
    """Where a solve starts: a basis (LP) or values (MIP) of the base, in original figures."""

    basis: Basis | None = None
    x: FloatArray | None = None


class Session:
    """One program inside one solver: patch numbers, solve, go back to the base.

    The first solve is the base; `reset_to_base` brings back its numbers and starts the next solve from its
    basis or values, so that answers do not depend on the order of what-ifs. The scaling of the base is kept.
    With `returns=False` the base's basis is not read, which is slow for large programs: a reset starts cold,
    and whole numbers always do (decision 0006).
    A solver or a change that cannot be patched is handed over anew, and the next result's notes say why.
    """

    def __init__(
        self,
        program: LinearProgram,
        options: SolveOptions | None = None,
        solver: str = "highs",
        returns: bool = True,
    ) -> None:
        """Raises like `solve`; nothing runs before the first `solve`."""
        self._adapter = get_usable(solver)
        self._options = options or SolveOptions()
        check_request(self._adapter, program, self._options)
        base = tame(program)
        self._scaling: Scaling | None = base.scaling if self._options.scale else None
        self._base = base if self._options.scale else TameProgram(program, None)
        self._base_program = self._program = program
        self._scaled = self._base.program
        self._native: NativeModel | None = None
        self._start = _Start()
        self._last: _Start | None = None
        self._returns, self._has_base = returns, not returns
        self._notes: list[str] = []

    @property
    def program(self) -> LinearProgram:
        """The program as it is now, unscaled."""
        return self._program

    def solve(self, options: SolveOptions | None = None) -> SolveResult:
        """Solve the program as it is now; the first solve becomes the base. Raises like `solving.solve`."""
        started = time.perf_counter()
        options = options or self._options
        check_request(self._adapter, self._program, options)
        result = self._solved(options)
        if not self._has_base:
            self._keep_base(result)
        if options.integer_prices and self._program.is_mip:
            result = with_integer_prices(self._adapter, self._program, options, result)
        notes, self._notes = tuple(self._notes), []
        return replace(result, notes=(*result.notes, *notes), seconds=time.perf_counter() - started)

    def patch(
        self,
        *,
        objective: FloatArray | None = None,
        column_lower: FloatArray | None = None,
        column_upper: FloatArray | None = None,
        row_lower: FloatArray | None = None,
        row_upper: FloatArray | None = None,
        coefficients: Coefficients | None = None,
        matrix: sparse.csc_array | None = None,
        maximize: bool | None = None,
        offset: float | None = None,
    ) -> None:
        """Change numbers: whole arrays (n,) or (m,); coefficients as (rows, columns, values), or as a whole
        matrix of the same shape.

        Everything is validated before anything is changed; raises `InvalidProgramError`.
        """
        given = {
            "objective": objective,
            "column_lower": column_lower,
            "column_upper": column_upper,
            "row_lower": row_lower,
            "row_upper": row_upper,
            "maximize": maximize,
            "offset": offset,
        }
        changes = {name: value for name, value in given.items() if value is not None}
        if coefficients is not None:
            changes["matrix"] = changed_matrix(self._program.matrix, coefficients)
        elif matrix is not None:
            coefficients = moved(self._program.matrix, matrix)
            if coefficients[0].size:
                changes["matrix"] = matrix
        self._change(self._program.replace(**changes), set(changes), coefficients)

    def add_row(self, columns: IntArray, values: FloatArray, lower: float, upper: float) -> None:
        """Append the row lower <= values @ x[columns] <= upper; the next solve starts from the last basis."""
        row = sparse.csc_array(
            (values, (np.zeros(columns.size, dtype=np.int64), columns)), shape=(1, self._program.num_columns)
        )
        program = self._program.replace(
            matrix=sparse.csc_array(sparse.vstack([self._program.matrix, row], format="csc")),
            row_lower=np.append(self._program.row_lower, lower),
            row_upper=np.append(self._program.row_upper, upper),
        )
        if self._scaling is not None:
            self._scaling = self._scaling.with_row(columns, values)
        self._program = program
        self._scaled = program if self._scaling is None else self._scaling.program(program)
        if self._native is not None:
            own = self._scaled.matrix[[-1], :].tocoo()
            bounds = (float(self._scaled.row_lower[-1]), float(self._scaled.row_upper[-1]))
            self._native.add_row(own.col.astype(np.int64), own.data, *bounds)

    def reset_to_base(self) -> None:
        """Bring back the base's numbers; the next solve starts from its basis or values, or cold if the base
        has none."""
        self._scaling = self._base.scaling
        if self._program.num_rows != self._base_program.num_rows:
            self._native = None
            self._program, self._scaled = self._base_program, self._base.program
        else:
            self._restore()
        self._last = None

    def _restore(self) -> None:
        base, now = self._base_program, self._program
        changed = {name for name in _PATCHABLE if getattr(base, name) is not getattr(now, name)}
        coefficients = None
        if "matrix" in changed:
            coefficients = difference(base.matrix, now.matrix)
            if coefficients is None:
                self._native = None
        self._change(base, changed, coefficients, self._base.program)

    def _change(
        self,
        program: LinearProgram,
        changed: set[str],
        coefficients: Coefficients | None,
        scaled: LinearProgram | None = None,
    ) -> None:
        self._program = program
        if scaled is None and "objective" in changed:
            self._scaling = with_costs(self._scaling, program)
        if scaled is None:
            scaled = program if self._scaling is None else self._scaling.program(program)
        self._scaled = scaled
        if self._native is None:
            return
        try:
            self._patch_native(self._native, changed, coefficients)
        except UnsupportedRequestError as error:
            self._native = None
            self._notes.append(f"handed over anew: {error}")

    def _patch_native(
        self, native: NativeModel, changed: set[str], coefficients: Coefficients | None
    ) -> None:
        scaled = self._scaled
        if not changed.isdisjoint(("objective", "maximize", "offset")):
            native.change_objective(scaled.objective, scaled.maximize, scaled.offset)
        if "column_lower" in changed or "column_upper" in changed:
            native.change_column_bounds(scaled.column_lower, scaled.column_upper)
        if "row_lower" in changed or "row_upper" in changed:
            native.change_row_bounds(scaled.row_lower, scaled.row_upper)
        if coefficients is not None:
            rows, columns, values = coefficients
            if self._scaling is not None:
                values = values * self._scaling.rows[rows] * self._scaling.columns[columns]
            native.change_coefficients(rows, columns, values)

    def _solved(self, options: SolveOptions) -> SolveResult:
        # A warm start can end in numerical trouble that a cold one has not: that is tried once, and said.
        warm = self._with_start(options)[1]
        try:
            result = self._verified(options)
        except NativeSolverError as error:
            if not warm:
                raise
            trouble = str(error)
        else:
            trouble = self._trouble(result) if warm else ""
            if not trouble:
                return result
        self._native = None
        self._notes.append(f"handed over anew and started cold: {trouble}")
        return self._verified(options, cold=True)

    def _trouble(self, result: SolveResult) -> str:
        reason = result.termination.reason
        if reason in (Reason.IMPRECISE, Reason.ERROR, Reason.OTHER):
            return f"from the last basis it ended as {reason}"
        has_duals = self._adapter.capabilities.duals and not self._program.is_mip
        unproved = reason is Reason.OPTIMAL and has_duals and result.duals is None
        return "from the last basis its duals proved nothing" if unproved else ""

    def _verified(self, options: SolveOptions, cold: bool = False) -> SolveResult:
        result = decide_at_sight(self._adapter.name, self._program) or self._run(options, cold)
        result = verify(self._program, result, TameProgram(self._scaled, self._scaling))
        plain = replace(options, integer_prices=False)
        return settle(self._program, plain, result, partial(run_cold, self._adapter))

    def _run(self, options: SolveOptions, cold: bool) -> SolveResult:
        options, warm = self._with_start(options, cold)
        options = choose_method(self._program, options, self._adapter.capabilities, warm)
        options = replace(options, integer_prices=False)
        if self._scaling is not None:
            options = self._scaling.options(options)
        if isinstance(self._adapter, UpdatableAdapter):
            result = self._run_native(self._adapter, options, warm)
        else:
            self._notes.append(f"handed over anew: {self._adapter.name} keeps no model")
            result = self._adapter.run(self._scaled, replace(options, start_values=None, start_basis=None))
        result = result if self._scaling is None else self._scaling.result(result)
        self._last = _Start(x=result.x) if result.termination.reason is Reason.OPTIMAL else None
        return result

    def _with_start(self, options: SolveOptions, cold: bool = False) -> tuple[SolveOptions, bool]:
        # The caller's start, else on from the last optimum, else from the base; and whether that is warm.
        if cold:
            return replace(options, start_basis=None, start_values=None), False
        if options.start_values is not None or options.start_basis is not None:
            return options, options.start_basis is not None
        if self._native is not None and self._last is not None:
            whole = self._program.is_mip and self._returns
            return replace(options, start_values=self._last.x if whole else None), True
        basis = self._start.basis
        if basis is not None and basis.rows.size != self._program.num_rows:
            basis = None
        return replace(options, start_basis=basis, start_values=self._start.x), basis is not None

    def _run_native(self, adapter: UpdatableAdapter, options: SolveOptions, warm: bool) -> SolveResult:
        if self._native is None:
            self._native = adapter.open(self._scaled, options)
        elif not warm or options.method == "interior_point":
            # Interior point cannot use a basis, and one that is held would switch presolve off.
            self._native.start_from(None, None)
            options = replace(options, start_basis=None)
        return self._native.solve(options)

    def _keep_base(self, result: SolveResult) -> None:
        self._has_base = True
        if self._program.is_mip:
            self._start = _Start(x=result.x)
        elif self._native is not None:
            self._start = _Start(basis=self._native.basis())


def changed_matrix(matrix: sparse.csc_array, coefficients: Coefficients) -> sparse.csc_array:
    """The matrix with single coefficients set.

    Raises `InvalidProgramError` for places outside it, repeated places or lengths that differ.
    """
    rows, columns, values = coefficients
    if not rows.shape == columns.shape == values.shape:
        raise InvalidProgramError("coefficients need rows, columns and values of one length")
    if rows.size == 0:
        return matrix
    if (
        rows.min() < 0
        or columns.min() < 0
        or rows.max() >= matrix.shape[0]
        or columns.max() >= matrix.shape[1]
    ):
        raise InvalidProgramError("a coefficient lies outside the matrix")
    wanted = columns.astype(np.int64) * matrix.shape[0] + rows
    if np.unique(wanted).size != wanted.size:
        raise InvalidProgramError("a coefficient is given twice")
    present = _keys(matrix)
    order = np.argsort(present, kind="stable")
    place = np.searchsorted(present, wanted, sorter=order)
    found = place < present.size
    found[found] = present[order[place[found]]] == wanted[found]
    data = matrix.data.copy()
    data[order[place[found]]] = values[found]
    changed = sparse.csc_array((data, matrix.indices, matrix.indptr), shape=matrix.shape)
    if found.all():
        return changed
    new = (values[~found], (rows[~found], columns[~found]))
    return sparse.csc_array(changed + sparse.csc_array(new, shape=matrix.shape))


def _keys(matrix: sparse.csc_array) -> IntArray:
    columns = np.repeat(np.arange(matrix.shape[1], dtype=np.int64), np.diff(matrix.indptr))
    keys: IntArray = columns * matrix.shape[0] + matrix.indices
    return keys


def moved(old: sparse.csc_array, new: sparse.csc_array) -> Coefficients:
    """What must be set to come from `old` to `new`, whatever their patterns; raises `InvalidProgramError`
    when their shapes differ."""
    if old.shape != new.shape:
        raise InvalidProgramError(f"a matrix of {new.shape} cannot take the place of one of {old.shape}")
    found = difference(new, old)
    if found is not None:
        return found
    places = (new - old).tocoo()
    rows, columns = places.row.astype(np.int64), places.col.astype(np.int64)
    return rows, columns, np.asarray(new.tocsr()[rows, columns], dtype=np.float64).ravel()


def difference(base: sparse.csc_array, now: sparse.csc_array) -> Coefficients | None:
    """What must be set to come from `now` to `base`, or None when their patterns differ."""
    if not (np.array_equal(base.indptr, now.indptr) and np.array_equal(base.indices, now.indices)):
        return None
    places = np.flatnonzero(base.data != now.data)
    columns = np.searchsorted(base.indptr, places, side="right") - 1
    return base.indices[places].astype(np.int64), columns.astype(np.int64), base.data[places]
