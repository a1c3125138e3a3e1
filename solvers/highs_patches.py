"""Changes to a model that HiGHS already holds, where its next solve starts, and its basis and ranges."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from solvers.errors import NativeSolverError, UnsupportedRequestError
from solvers.program import FloatArray, IntArray
from solvers.result import Basis, Ranges

if TYPE_CHECKING:
    import highspy

MOST_COEFFICIENTS = 1_000


class HighsPatches:
    """What can be done with a HiGHS model besides solving it; HiGHS keeps the basis through every change."""

    _library: Any
    _highs: highspy.Highs
    _is_mip: bool
    _bounds: tuple[FloatArray, FloatArray]
    _last_basis: tuple[Basis, highspy.HighsBasis] | None = None

    def change_objective(self, objective: FloatArray, maximize: bool, offset: float) -> None:
        """Replace costs (n,), sense and constant."""
        columns = np.arange(objective.size, dtype=np.int32)
        self._check(self._highs.changeColsCost(columns.size, columns, objective), "change costs")
        sense = self._library.ObjSense.kMaximize if maximize else self._library.ObjSense.kMinimize
        self._check(self._highs.changeObjectiveSense(sense), "change the sense")
        self._check(self._highs.changeObjectiveOffset(offset), "change the constant")

    def change_column_bounds(self, lower: FloatArray, upper: FloatArray) -> None:
        """Replace the bounds of all columns, each (n,)."""
        columns = np.arange(lower.size, dtype=np.int32)
        self._check(self._highs.changeColsBounds(columns.size, columns, lower, upper), "change column bounds")

    def change_row_bounds(self, lower: FloatArray, upper: FloatArray) -> None:
        """Replace the bounds of all rows, each (m,)."""
        rows = np.arange(lower.size, dtype=np.int32)
        self._check(self._highs.changeRowsBounds(rows.size, rows, lower, upper), "change row bounds")
        self._bounds = (lower, upper)

    def change_coefficients(self, rows: IntArray, columns: IntArray, values: FloatArray) -> None:
        """Set single coefficients, given as three arrays of one length; many at once are refused, because
        HiGHS takes them one by one and a new hand-over is then faster."""
        if values.size > MOST_COEFFICIENTS:
            raise UnsupportedRequestError(f"HiGHS takes coefficients one by one, and {values.size} changed")
        for row, column, value in zip(rows.tolist(), columns.tolist(), values.tolist(), strict=True):
            self._check(self._highs.changeCoeff(row, column, value), "change a coefficient")

    def add_row(self, columns: IntArray, values: FloatArray, lower: float, upper: float) -> None:
        """Append the row lower <= values @ x[columns] <= upper; the basis is kept, the row basic."""
        self._check(
            self._highs.addRow(lower, upper, columns.size, columns.astype(np.int32), values), "add a row"
        )
        self._bounds = (np.append(self._bounds[0], lower), np.append(self._bounds[1], upper))

    def start_from(self, basis: Basis | None, x: FloatArray | None) -> None:
        """Start the next solve from this basis (LP) and these values (MIP), or cold if both are None."""
        self._check(self._highs.clearSolver(), "forget the last solve")
        if basis is not None and not self._is_mip:
            if self._last_basis is None or self._last_basis[0] is not basis:
                self._last_basis = (basis, self._native_basis(basis))
            self._check(self._highs.setBasis(self._last_basis[1]), "take the basis")
        if x is not None and self._is_mip:
            # Handed over as a whole: single values that break a bound by now would be refused, not mended.
            values = self._library.HighsSolution()
            values.col_value = x.tolist()
            self._check(self._highs.setSolution(values), "take the starting values")

    def basis(self) -> Basis | None:
        """The basis that the model holds, or None."""
        native = self._highs.getBasis()
        if not native.valid or self._is_mip:
            return None
        columns, rows = (
            np.fromiter(map(int, part), np.int8) for part in (native.col_status, native.row_status)
        )
        return Basis("highs", columns, rows)

    def ranges(self, activity: FloatArray) -> Ranges:
        """Ranges of duals and costs after a simplex run; `activity` (m,) are the rows' values."""
        status, ranging = self._highs.getRanging()
        self._check(status, "compute ranges")
        num_columns, basic = self._highs.getNumCol(), int(self._library.HighsBasisStatus.kBasic)
        row_status = np.fromiter(map(int, self._highs.getBasis().row_status), np.int8)
        lower, upper = (np.isfinite(bound) for bound in self._bounds)
        # HiGHS's figures for a basic row are those of its activity, not of its bound.
        slack_lower = np.where(upper & ~lower, activity, np.where(lower & ~upper, -np.inf, np.nan))
        slack_upper = np.where(upper & ~lower, np.inf, np.where(lower & ~upper, activity, np.nan))
        is_basic = row_status == basic
        return Ranges(
            row_lower=np.where(is_basic, slack_lower, np.array(ranging.row_bound_dn.value_)),
            row_upper=np.where(is_basic, slack_upper, np.array(ranging.row_bound_up.value_)),
            cost_lower=np.array(ranging.col_cost_dn.value_)[:num_columns],
            cost_upper=np.array(ranging.col_cost_up.value_)[:num_columns],
        )

    def _native_basis(self, basis: Basis) -> highspy.HighsBasis:
        native = self._library.HighsBasis()
        # HiGHS made it itself: one that it takes for somebody else's is factorised twice.
        native.alien = False
        codes = [self._library.HighsBasisStatus(code) for code in range(5)]
        native.col_status = [codes[code] for code in basis.columns.tolist()]
        native.row_status = [codes[code] for code in basis.rows.tolist()]
        return native

    def _check(self, status: highspy.HighsStatus, action: str) -> None:
        if status == self._library.HighsStatus.kError:
            raise NativeSolverError(f"HiGHS could not {action}")
