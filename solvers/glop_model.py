"""A model inside GLOP that is changed and solved again."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

from solvers.bounds import answer_crossed
from solvers.mathopt_call import LogCallback, run_native
from solvers.mathopt_proto import fill_matrix, fill_start, fill_vector, model_message, read_result
from solvers.options import SolveOptions
from solvers.program import FloatArray, IntArray, LinearProgram
from solvers.result import Basis, SolveResult
from solvers.session import changed_matrix

if TYPE_CHECKING:
    from solvers.mathopt import MathOptAdapter

_BASIC = 5


class GlopModel:
    """A native model with its last optimal basis; each change goes to GLOP as one update message.

    The native model is made by the first solve and after a change that GLOP refuses: it takes no bounds that
    contradict each other.
    """

    def __init__(self, adapter: MathOptAdapter, program: LinearProgram) -> None:
        """Keep the program; the first solve hands it over."""
        self._adapter = adapter
        self._program = program
        self._basis: Basis | None = None
        self._native: Any = None

    def solve(self, options: SolveOptions) -> SolveResult:
        """Solve the model as it is now, from the basis that it holds. Raises like `MathOptAdapter.run`."""
        from ortools.math_opt import callback_pb2, model_parameters_pb2

        crossed = answer_crossed(self._adapter.name, self._program)
        if crossed is not None:
            return crossed
        native = self._handed_over()
        start = model_parameters_pb2.ModelSolveParametersProto()
        fill_start(start, self._program, replace(options, start_basis=options.start_basis or self._basis))
        first = (self._adapter.parameters(options), start)

        def call(log: LogCallback | None, interrupter: Any) -> Any:
            return native.solve(*first, log, callback_pb2.CallbackRegistrationProto(), None, interrupter)

        message = run_native(call, options)
        result = read_result(self._adapter.name, self._program, replace(options, basis=True), message)
        self._basis = result.basis if result.duals is not None else None
        return result if options.basis else replace(result, basis=None)

    def change_objective(self, objective: FloatArray, maximize: bool, offset: float) -> None:
        """Replace costs (n,), sense and constant."""
        update = _new_update()
        update.objective_updates.direction_update = maximize
        update.objective_updates.offset_update = offset
        fill_vector(update.objective_updates.linear_coefficients, objective)
        self._apply(update, objective=objective, maximize=maximize, offset=offset)

    def change_column_bounds(self, lower: FloatArray, upper: FloatArray) -> None:
        """Replace the bounds of all columns, each (n,)."""
        update = _new_update()
        fill_vector(update.variable_updates.lower_bounds, lower)
        fill_vector(update.variable_updates.upper_bounds, upper)
        self._apply(update, column_lower=lower, column_upper=upper)

    def change_row_bounds(self, lower: FloatArray, upper: FloatArray) -> None:
        """Replace the bounds of all rows, each (m,)."""
        update = _new_update()
        fill_vector(update.linear_constraint_updates.lower_bounds, lower)
        fill_vector(update.linear_constraint_updates.upper_bounds, upper)
        self._apply(update, row_lower=lower, row_upper=upper)

    def change_coefficients(self, rows: IntArray, columns: IntArray, values: FloatArray) -> None:
        """Set single coefficients, given as three arrays of one length."""
        update, order = _new_update(), np.lexsort((columns, rows))
        matrix = update.linear_constraint_matrix_updates
        fill_matrix(matrix, rows[order], columns[order], values[order])
        self._apply(update, matrix=changed_matrix(self._program.matrix, (rows, columns, values)))

    def add_row(self, columns: IntArray, values: FloatArray, lower: float, upper: float) -> None:
        """Append the row lower <= values @ x[columns] <= upper; the basis is kept, the row basic."""
        update, order, row = _new_update(), np.argsort(columns), self._program.num_rows
        new = update.new_linear_constraints
        new.ids.append(row)
        new.lower_bounds.append(lower)
        new.upper_bounds.append(upper)
        matrix = update.linear_constraint_matrix_updates
        fill_matrix(matrix, np.full(columns.size, row), columns[order], values[order])
        entries = (values, (np.zeros(columns.size, dtype=np.int64), columns))
        below = sparse.csc_array(entries, shape=(1, self._program.num_columns))
        self._apply(
            update,
            matrix=sparse.csc_array(sparse.vstack([self._program.matrix, below], format="csc")),
            row_lower=np.append(self._program.row_lower, lower),
            row_upper=np.append(self._program.row_upper, upper),
            row_blocks=(),
        )
        if self._basis is not None:
            self._basis = replace(self._basis, rows=np.append(self._basis.rows, np.int8(_BASIC)))

    def start_from(self, basis: Basis | None, x: FloatArray | None) -> None:
        """Start the next solve from this basis, or cold without one; GLOP does not use values."""
        self._basis = basis
        if basis is None:
            self._native = None

    def basis(self) -> Basis | None:
        """The basis of the last optimum, or None."""
        return self._basis

    def _handed_over(self) -> Any:
        from ortools.math_opt import parameters_pb2
        from ortools.math_opt.core.python import solver

        if self._native is None:
            code = parameters_pb2.SOLVER_TYPE_GLOP
            initial = parameters_pb2.SolverInitializerProto()
            self._native = solver.new(code, model_message(self._program), initial)
        return self._native

    def _apply(self, update: Any, **changes: Any) -> None:
        from pybind11_abseil.status import StatusNotOk

        self._program = self._program.replace(**changes)
        if self._native is None:
            return
        try:
            taken = self._native.update(update)
        except StatusNotOk:
            taken = False
        if not taken:
            self._native = None


def _new_update() -> Any:
    from ortools.math_opt import model_update_pb2

    return model_update_pb2.ModelUpdateProto()
