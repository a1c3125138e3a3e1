"""One measurement in a process of its own: `python -m benchmarks.child JOB FOLDER [METHOD [SECONDS]]`.

Every job is done with the same modules imported, so that the memory of two processes can be compared; the
last line of the output is its figures as JSON.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any
from unittest.mock import patch

import highspy
import numpy as np

from benchmarks.generator import BENCHMARK_FAMILIES, LADDER, Size, write_plan
from benchmarks.measure import Clock
from optimizer.io.write import write_table
from optimizer.model.compile import Model, compile_plan
from optimizer.model.cube import make_cube, split_by_seller
from optimizer.model.seats import group_sellers
from optimizer.plan.inputs import resolve
from optimizer.plan.load import load_plan
from optimizer.result.solution import Solution, Status
from optimizer.result.tables import sales
from optimizer.settings import SolveSettings
from optimizer.solving import solve_model, solver_stage
from solvers.highs import HighsModel
from solvers.program import FloatArray
from solvers.verify import verify

Figures = dict[str, Any]
Arrays = Mapping[str, Any]
PLAN, ARRAYS = "plan.yaml", "arrays.npz"
NATIVE_METHODS = {"simplex": "simplex", "interior_point": "ipm"}


def prepare(folder: Path, size_name: str) -> Figures:
    """Write the tables of one size and the arrays of its first stage."""
    size = _size(size_name)
    plan = load_plan(write_plan(size, folder))
    model = compile_plan(resolve(plan), families=BENCHMARK_FAMILIES)
    program, stage = model.program, solver_stage(model, model.stages[0])
    np.savez(
        folder / ARRAYS,
        objective=stage.objective,
        offset=stage.offset,
        maximize=stage.maximize,
        starts=program.matrix.indptr.astype(np.int32),
        rows=program.matrix.indices.astype(np.int32),
        values=program.matrix.data,
        row_lower=program.row_lower,
        row_upper=program.row_upper,
        column_lower=program.column_lower,
        column_upper=program.column_upper,
        blocks=np.array([block.start for block in program.row_blocks] + [program.num_rows]),
    )
    return {
        **asdict(size),
        "columns": program.num_columns,
        "rows": program.num_rows,
        "entries": int(program.matrix.nnz),
        "stage": stage.name,
    }


def _size(name: str) -> Size:
    return next(size for size in LADDER if size.name == name)


def ours(folder: Path, method: str = "auto", limit: float | None = None) -> Figures:
    """Tables to tables for the first stage, the way `optimizer.solve` goes.

    "hand over" is all that the solver layer does around the native solve and the verification: checks,
    scaling, copying; its memory is that at the beginning of the native solve.
    """
    clock = Clock()
    with clock("read"):
        plan = load_plan(folder / PLAN)
    with clock("compile"):
        model = compile_plan(resolve(plan), families=BENCHMARK_FAMILIES)
    settings = SolveSettings(method=method, time_limit=limit, marginal_values=False)
    with (
        patch.object(HighsModel, "solve", clock.watch("solve", HighsModel.solve)),
        patch("solvers.session.verify", clock.watch("verify", verify)),
        clock("hand over"),
    ):
        staged = solve_model(model, settings, model.stages[:1])
    clock.take_out("hand over", "solve", "verify")
    clock.memory |= {"hand over": clock.before["solve"], "verify": clock.memory["hand over"]}
    result = staged.outcomes[0].result
    assert result is not None, staged.termination
    if staged.x is not None:
        with clock("write"):
            _write(model, staged.x, folder / "run")
    return {
        **clock.figures(),
        "method": result.method,
        "reason": str(result.termination.reason),
        "objective": result.objective_value,
        "residual": result.residuals.worst if result.residuals else None,
        "iterations": result.iterations,
    }


def _write(model: Model, x: FloatArray, folder: Path) -> None:
    """The sales table of single sellers as CSV and Parquet."""
    inputs, cube = model.inputs, model.cube
    nobody: list[list[object]] = [[] for _ in inputs.selling.sellers.names]
    sellers = make_cube(inputs, group_sellers(inputs, (), nobody, apart=True))
    cells = np.maximum(x[: cube.num_cells], 0.0).reshape(cube.num_pairs, cube.num_periods)
    solution = Solution(
        plan=inputs.plan,
        inputs=inputs,
        model=model,
        status=Status.OPTIMAL,
        reason="optimal",
        stages=(),
        residuals=None,
        sellers=sellers,
        sales=split_by_seller(cube, sellers, cells),
        extra=np.zeros((len(model.context.activities.resources), cube.num_periods)),
    )
    folder.mkdir(exist_ok=True)
    table = sales(solution)
    for suffix in (".csv", ".parquet"):
        write_table(table, folder / f"sales{suffix}")


def direct(folder: Path, method: str, limit: float | None = None) -> Figures:
    """The same arrays given straight to highspy, and its answer read as arrays."""
    with np.load(folder / ARRAYS) as file:
        arrays = {name: file[name] for name in file.files}
    integrality = np.zeros(arrays["objective"].size, dtype=np.int32)
    clock = Clock()
    with clock("hand over"):
        highs = highspy.Highs()
        for name, value in (
            ("output_flag", False),
            ("threads", 1),
            ("random_seed", 0),
            ("solver", NATIVE_METHODS[method]),
            ("time_limit", highspy.kHighsInf if limit is None else limit),
        ):
            highs.setOptionValue(name, value)
        highs.passModel(
            arrays["objective"].size,
            arrays["row_lower"].size,
            arrays["values"].size,
            int(highspy.MatrixFormat.kColwise),
            -1 if arrays["maximize"] else 1,
            float(arrays["offset"]),
            arrays["objective"],
            arrays["column_lower"],
            arrays["column_upper"],
            arrays["row_lower"],
            arrays["row_upper"],
            arrays["starts"],
            arrays["rows"],
            arrays["values"],
            integrality,
        )
    with clock("solve"):
        highs.run()
        solution = highs.getSolution()
        found = [np.array(part) for part in (solution.col_value, solution.row_dual, solution.col_dual)]
    information = highs.getInfo()
    return {
        **clock.figures(),
        "reason": highs.modelStatusToString(highs.getModelStatus()).lower(),
        "objective": float(arrays["objective"] @ found[0] + arrays["offset"]),
        "iterations": information.simplex_iteration_count + max(information.ipm_iteration_count, 0),
    }


def peer(name: str) -> Callable[..., Figures]:
    """The job of building and solving the same model with another modelling library."""

    def run(folder: Path, method: str, limit: float | None = None) -> Figures:
        from benchmarks import peers

        with np.load(folder / ARRAYS) as file:
            arrays = {part: file[part] for part in file.files}
        clock = Clock()
        build = {"linopy": peers.with_linopy, "pulp": peers.with_pulp}[name]
        objective = build(arrays, clock, NATIVE_METHODS[method], limit)
        return {**clock.figures(), "objective": objective}

    return run


JOBS: dict[str, Callable[..., Figures]] = {
    "prepare": prepare,
    "ours": ours,
    "direct": direct,
    "linopy": peer("linopy"),
    "pulp": peer("pulp"),
}


def main(arguments: list[str]) -> None:
    """Do one job and print its figures."""
    job, folder, *rest = arguments
    method = rest[:1]
    limit = [float(seconds) for seconds in rest[1:2]]
    print(json.dumps(JOBS[job](Path(folder), *method, *limit)))


if __name__ == "__main__":
    main(sys.argv[1:])
