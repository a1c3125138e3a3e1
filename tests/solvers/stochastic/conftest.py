"""Two-stage programs from the published cases, and random ones."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import sparse

from solvers import LinearProgram
from solvers.stochastic.two_stage import Future, TwoStage


def program_of(model: dict[str, Any]) -> LinearProgram:
    """The program of a case's `model`."""
    variables, rows = model["variables"], model["constraints"]
    place = {variable["name"]: at for at, variable in enumerate(variables)}
    matrix = np.zeros((len(rows), len(variables)))
    for at, row in enumerate(rows):
        for name, value in row["coefs"].items():
            matrix[at, place[name]] = value
    rhs = np.array([row["rhs"] for row in rows], dtype=float)
    sense = np.array([row["sense"] for row in rows])
    upper = [np.inf if variable["ub"] is None else variable["ub"] for variable in variables]
    return LinearProgram(
        objective=np.array([variable["obj"] for variable in variables], dtype=float),
        matrix=sparse.csc_array(matrix),
        row_lower=np.where(sense == ">=", rhs, -np.inf),
        row_upper=np.where(sense == "<=", rhs, np.inf),
        column_lower=np.array([variable["lb"] for variable in variables], dtype=float),
        column_upper=np.array(upper, dtype=float),
        integer=np.zeros(len(variables), dtype=bool),
        maximize=model["sense"] == "max",
    )


@pytest.fixture(scope="session")
def two_stage_case(shared: Path) -> Callable[[str, int], tuple[TwoStage, dict[str, Any]]]:
    """A function that reads a published case whose first columns are decided now."""

    def read(name: str, now: int) -> tuple[TwoStage, dict[str, Any]]:
        case = json.loads((shared / f"cases/textbook/{name}.json").read_text(encoding="utf-8"))
        program, futures = program_of(case["model"]), list(case["data"]["scenarios"])
        names = [variable["name"] for variable in case["model"]["variables"]]
        row_names = [row["name"] for row in case["model"]["constraints"]]
        shared_rows = [at for at, row in enumerate(row_names) if not row.endswith(tuple(futures))]
        share = 1.0 / len(futures)
        matrix = program.matrix.toarray()
        parts = []
        for future in futures:
            columns = [at for at, column in enumerate(names) if column.endswith(f"_{future}")]
            rows = [at for at, row in enumerate(row_names) if row.endswith(f"_{future}")]
            recourse = program.replace(
                objective=program.objective[columns] / share,
                matrix=sparse.csc_array(matrix[np.ix_(rows, columns)]),
                row_lower=program.row_lower[rows],
                row_upper=program.row_upper[rows],
                column_lower=program.column_lower[columns],
                column_upper=program.column_upper[columns],
                integer=program.integer[columns],
            )
            parts.append(
                Future(share, recourse, sparse.csc_array(matrix[np.ix_(rows, range(now))]), np.zeros(now))
            )
        first = program.replace(
            objective=program.objective[:now],
            matrix=sparse.csc_array(matrix[np.ix_(shared_rows, range(now))]),
            row_lower=program.row_lower[shared_rows],
            row_upper=program.row_upper[shared_rows],
            column_lower=program.column_lower[:now],
            column_upper=program.column_upper[:now],
            integer=program.integer[:now],
        )
        return TwoStage(first, tuple(parts)), case

    return read


@pytest.fixture(scope="session")
def random_two_stage() -> Callable[..., TwoStage]:
    """A function that draws a bounded two-stage program: buy capacity now, sell against it later."""

    def draw(seed: int, futures: int = 6, maximize: bool = True, whole: bool = False) -> TwoStage:
        random = np.random.default_rng(seed)
        n, k, m = 4, 7, 5
        sign = 1.0 if maximize else -1.0
        weights = random.random(futures) + 0.1
        parts = []
        matrix = random.random((m, k)) * (random.random((m, k)) < 0.6) + np.eye(m, k)
        for share in (weights / weights.sum()).tolist():
            recourse = LinearProgram(
                objective=sign * random.uniform(1, 9, k),
                matrix=sparse.csc_array(matrix * random.uniform(0.8, 1.3)),
                row_lower=np.full(m, -np.inf),
                row_upper=random.uniform(0.5, 3, m),
                column_lower=np.zeros(k),
                column_upper=random.uniform(1, 6, k),
                integer=np.zeros(k, dtype=bool),
                maximize=maximize,
                offset=float(random.normal()),
            )
            technology = -np.eye(m, n) * random.uniform(0.5, 1.5)
            parts.append(Future(share, recourse, sparse.csc_array(technology), -sign * random.random(n)))
        first = LinearProgram(
            objective=-sign * random.uniform(0.5, 3, n),
            matrix=sparse.csc_array(np.ones((1, n))),
            row_lower=np.full(1, -np.inf),
            row_upper=np.full(1, 9.0),
            column_lower=np.zeros(n),
            column_upper=np.full(n, 5.0),
            integer=np.full(n, whole),
            maximize=maximize,
        )
        return TwoStage(first, tuple(parts))

    return draw
