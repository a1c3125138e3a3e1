"""Arrays into MathOpt's messages and back, a whole array at a time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from solvers.options import SolveOptions
from solvers.program import FloatArray, LinearProgram
from solvers.result import Basis, Limit, Reason, SolveResult, Termination

_REASONS = {
    "OPTIMAL": Reason.OPTIMAL,
    "INFEASIBLE": Reason.INFEASIBLE,
    "UNBOUNDED": Reason.UNBOUNDED,
    "INFEASIBLE_OR_UNBOUNDED": Reason.INFEASIBLE_OR_UNBOUNDED,
    "IMPRECISE": Reason.IMPRECISE,
    "FEASIBLE": Reason.LIMIT,
    "NO_SOLUTION_FOUND": Reason.LIMIT,
    "NUMERICAL_ERROR": Reason.ERROR,
    "OTHER_ERROR": Reason.ERROR,
}
_LIMITS = {
    "TIME": Limit.TIME,
    "ITERATION": Limit.ITERATIONS,
    "NODE": Limit.NODES,
    "SOLUTION": Limit.SOLUTIONS,
    "MEMORY": Limit.MEMORY,
}
_WITH_VALUES = (Reason.OPTIMAL, Reason.LIMIT, Reason.INTERRUPTED, Reason.IMPRECISE)


def model_message(program: LinearProgram) -> Any:
    """The program as a ModelProto; ids are positions."""
    from ortools.math_opt import model_pb2

    message = model_pb2.ModelProto()
    columns, rows = message.variables, message.linear_constraints
    columns.ids.extend(range(program.num_columns))
    columns.lower_bounds.extend(program.column_lower.tolist())
    columns.upper_bounds.extend(program.column_upper.tolist())
    columns.integers.extend(program.integer.tolist())
    rows.ids.extend(range(program.num_rows))
    rows.lower_bounds.extend(program.row_lower.tolist())
    rows.upper_bounds.extend(program.row_upper.tolist())
    message.objective.maximize = program.maximize
    message.objective.offset = program.offset
    fill_vector(message.objective.linear_coefficients, program.objective)
    by_row = program.matrix.tocsr().sorted_indices()
    row_ids = np.repeat(np.arange(program.num_rows), np.diff(by_row.indptr))
    fill_matrix(message.linear_constraint_matrix, row_ids, by_row.indices, by_row.data)
    return message


def fill_vector(message: Any, values: FloatArray) -> None:
    """Write a dense array (n,) into a sparse vector."""
    message.ids.extend(range(values.size))
    message.values.extend(values.tolist())


def fill_matrix(message: Any, rows: NDArray[Any], columns: NDArray[Any], values: FloatArray) -> None:
    """Write entries, sorted by row and then by column, into a sparse matrix."""
    message.row_ids.extend(rows.tolist())
    message.column_ids.extend(columns.tolist())
    message.coefficients.extend(values.tolist())


def fill_start(message: Any, program: LinearProgram, options: SolveOptions) -> None:
    """Write the basis and values to start from into a ModelSolveParametersProto."""
    if options.start_basis is not None:
        parts = (
            (message.initial_basis.variable_status, options.start_basis.columns),
            (message.initial_basis.constraint_status, options.start_basis.rows),
        )
        for part, codes in parts:
            part.ids.extend(range(codes.size))
            part.values.extend(codes.tolist())
    if options.start_values is not None and program.is_mip:
        fill_vector(message.solution_hints.add().variable_values, options.start_values)


def read_result(solver: str, program: LinearProgram, options: SolveOptions, message: Any) -> SolveResult:
    """A SolveResultProto as our result; values only where the solver says that they are feasible."""
    from ortools.math_opt import solution_pb2

    termination = read_termination(options, message)
    usable = termination.reason in _WITH_VALUES and len(message.solutions) > 0
    solution = message.solutions[0] if usable else solution_pb2.SolutionProto()
    feasible = solution_pb2.SOLUTION_STATUS_FEASIBLE
    has_values = usable and solution.primal_solution.feasibility_status == feasible
    has_duals = (
        has_values
        and termination.reason is Reason.OPTIMAL
        and solution.dual_solution.feasibility_status == feasible
    )
    dual = solution.dual_solution
    bound = message.termination.objective_bounds.dual_bound
    stats = message.solve_stats
    iterations = stats.simplex_iterations + stats.barrier_iterations + stats.first_order_iterations
    return SolveResult(
        solver=solver,
        termination=termination,
        x=_dense(solution.primal_solution.variable_values, program.num_columns) if has_values else None,
        bound=bound if np.isfinite(bound) and usable else None,
        duals=_dense(dual.dual_values, program.num_rows) if has_duals else None,
        reduced_costs=_dense(dual.reduced_costs, program.num_columns) if has_duals else None,
        basis=_basis(solver, solution) if options.basis and solution.HasField("basis") else None,
        seconds=stats.solve_time.ToNanoseconds() * 1e-9,
        iterations=int(iterations),
        nodes=int(stats.node_count) if program.is_mip else None,
    )


def read_termination(options: SolveOptions, message: Any) -> Termination:
    """MathOpt's reason; a limit that it cannot name is the time limit where no other limit was asked for."""
    from ortools.math_opt import result_pb2

    native = message.termination
    name = result_pb2.TerminationReasonProto.Name(native.reason).removeprefix("TERMINATION_REASON_")
    limit = result_pb2.LimitProto.Name(native.limit).removeprefix("LIMIT_")
    reason = _REASONS.get(name, Reason.OTHER)
    detail = " | ".join(filter(None, (name, native.detail)))
    if reason is not Reason.LIMIT:
        return Termination(reason, detail=detail)
    asked = options.interrupt is not None and options.interrupt.is_set()
    if limit == "INTERRUPTED" or (limit == "UNDETERMINED" and asked):
        return Termination(Reason.INTERRUPTED, detail=detail)
    if limit == "UNDETERMINED" and options.time_limit is not None and not _limits_more(options.raw):
        return Termination(Reason.LIMIT, Limit.TIME, detail)
    return Termination(Reason.LIMIT, _LIMITS.get(limit, Limit.OTHER), f"{detail} | {limit.lower()}")


def _limits_more(raw: Mapping[str, Any]) -> bool:
    """Whether the solver's own options name a limit; `limits/nodes` and `max_number_of_iterations` do."""
    return any(
        "limit" in name or name.startswith("max_") or (isinstance(value, Mapping) and _limits_more(value))
        for name, value in raw.items()
    )


def _dense(message: Any, size: int) -> FloatArray:
    values = np.zeros(size)
    values[np.fromiter(message.ids, np.int64, len(message.ids))] = np.array(message.values)
    return values


def _basis(solver: str, solution: Any) -> Basis:
    codes = (solution.basis.variable_status.values, solution.basis.constraint_status.values)
    return Basis(solver, *(np.fromiter(values, np.int8, len(values)) for values in codes))
