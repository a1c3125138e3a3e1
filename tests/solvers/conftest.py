"""Programs that the solver tests share."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import sparse

from solvers import Block, LinearProgram

Build = Callable[..., LinearProgram]


@pytest.fixture(scope="session")
def build() -> Build:
    """A function that builds a program from plain lists; bounds default to 0 and infinity."""

    def make(
        objective: Sequence[float],
        rows: Sequence[Sequence[float]],
        row_lower: Sequence[float] | None = None,
        row_upper: Sequence[float] | None = None,
        **others: Any,
    ) -> LinearProgram:
        n, m = len(objective), len(rows)
        lower = others.pop("column_lower", np.zeros(n))
        upper = others.pop("column_upper", np.full(n, np.inf))
        integer = others.pop("integer", np.zeros(n, dtype=bool))
        return LinearProgram(
            objective=np.asarray(objective, dtype=float),
            matrix=sparse.csc_array(np.asarray(rows, dtype=float).reshape(m, n)),
            row_lower=np.full(m, -np.inf) if row_lower is None else np.asarray(row_lower, dtype=float),
            row_upper=np.full(m, np.inf) if row_upper is None else np.asarray(row_upper, dtype=float),
            column_lower=np.asarray(lower, dtype=float),
            column_upper=np.asarray(upper, dtype=float),
            integer=np.asarray(integer, dtype=bool),
            **others,
        )

    return make


@pytest.fixture(scope="session")
def wyndor(build: Build) -> LinearProgram:
    """Wyndor Glass: two products, three plants, optimum 36 at (2, 6)."""
    return build(
        [3, 5],
        [[1, 0], [0, 2], [3, 2]],
        row_upper=[4, 12, 18],
        maximize=True,
        row_blocks=(Block("plant", 0, 3, lambda: [("1",), ("2",), ("3",)]),),
        column_blocks=(Block("batches", 0, 2, lambda: [("doors",), ("windows",)]),),
    )


@pytest.fixture(scope="session")
def textbook(shared: Path) -> Callable[[str], tuple[LinearProgram, dict[str, Any]]]:
    """A function that reads a published case: its program and what the case says."""

    def read(name: str) -> tuple[LinearProgram, dict[str, Any]]:
        case = json.loads((shared / "cases" / "textbook" / f"{name}.json").read_text(encoding="utf-8"))
        return _program_of(case["model"]), case

    return read


def _program_of(model: dict[str, Any]) -> LinearProgram:
    variables, rows = model["variables"], model["constraints"]
    place = {variable["name"]: position for position, variable in enumerate(variables)}
    matrix = np.zeros((len(rows), len(variables)))
    for position, row in enumerate(rows):
        for name, value in row["coefs"].items():
            matrix[position, place[name]] = value
    rhs = np.array([row["rhs"] for row in rows], dtype=float)
    senses = np.array([row["sense"] for row in rows])
    bound = [
        (-np.inf if v["lb"] is None else v["lb"], np.inf if v["ub"] is None else v["ub"]) for v in variables
    ]
    return LinearProgram(
        objective=np.array([variable["obj"] for variable in variables], dtype=float),
        matrix=sparse.csc_array(matrix),
        row_lower=np.where(senses == "<=", -np.inf, rhs),
        row_upper=np.where(senses == ">=", np.inf, rhs),
        column_lower=np.array([low for low, _ in bound], dtype=float),
        column_upper=np.array([high for _, high in bound], dtype=float),
        integer=np.array([variable["type"] != "C" for variable in variables]),
        maximize=model["sense"] == "max",
        row_blocks=tuple(Block(row["name"], i, i + 1, lambda: [()]) for i, row in enumerate(rows)),
        column_blocks=tuple(Block(v["name"], i, i + 1, lambda: [()]) for i, v in enumerate(variables)),
    )


@pytest.fixture(scope="session")
def knapsack(build: Build) -> LinearProgram:
    """A knapsack with twenty rows that takes seconds, with easy feasible points."""
    generator = np.random.default_rng(0)
    weights = generator.integers(1, 100, (20, 60)).astype(float)
    return build(
        generator.integers(1, 100, 60),
        weights,
        row_upper=0.4 * weights.sum(axis=1),
        column_upper=np.ones(60),
        integer=np.ones(60, dtype=bool),
        maximize=True,
    )


@pytest.fixture(scope="session")
def transport(build: Build) -> Callable[[int, int], LinearProgram]:
    """A function that makes a balanced random transport problem, an LP of any size, without Python loops."""

    def make(sources: int, sinks: int) -> LinearProgram:
        generator = np.random.default_rng(7)
        supply, demand = generator.uniform(5, 10, sources), generator.uniform(1, 5, sinks)
        supply *= 1.2 * demand.sum() / supply.sum()
        rows = sparse.vstack(
            [
                sparse.kron(sparse.eye_array(sources), np.ones((1, sinks))),
                sparse.kron(np.ones((1, sources)), sparse.eye_array(sinks)),
            ]
        )
        n = sources * sinks
        return LinearProgram(
            objective=generator.uniform(1, 9, n),
            matrix=sparse.csc_array(rows),
            row_lower=np.r_[np.full(sources, -np.inf), demand],
            row_upper=np.r_[supply, np.full(sinks, np.inf)],
            column_lower=np.zeros(n),
            column_upper=np.full(n, np.inf),
            integer=np.zeros(n, dtype=bool),
        )

    return make
