"""What-ifs of a staged program, each started from the base."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import sparse

from solvers.options import SolveOptions
from solvers.program import LinearProgram
from solvers.result import Reason
from solvers.staged import AT_BEST, Stage, StagedResult, solve_stages
from solvers.warm import WarmStages, stage_starts


def make(seed: int, whole: bool = False, rows: int = 12) -> tuple[LinearProgram, list[Stage]]:
    """A random packing program with two stages; the seed of the pattern is always the same.

    In whole numbers it is smaller: the tie-break of 30 of them takes a minute to prove on a busy machine.
    """
    columns = 12 if whole else 30
    pattern = np.random.default_rng(0).random((rows, columns)) < 0.4
    random = np.random.default_rng(seed)
    matrix = sparse.csc_array(np.where(pattern, random.uniform(0.5, 2.0, (rows, columns)), 0.0))
    program = LinearProgram(
        objective=np.zeros(columns),
        matrix=matrix,
        row_lower=np.full(rows, -np.inf),
        row_upper=random.uniform(5, 10, rows),
        column_lower=np.zeros(columns),
        column_upper=np.full(columns, 3.0),
        integer=np.full(columns, whole),
    )
    money = Stage("money", random.uniform(1, 2, columns), maximize=True, scale=0.1)
    tie = Stage("tie", 1.0 + np.random.default_rng(5).random(columns))
    return program, [money, tie]


def warm(whole: bool = False) -> WarmStages:
    """The base, solved and ready."""
    program, stages = make(1, whole)
    base = solve_stages(program, stages, SolveOptions(basis=True))
    return WarmStages(program, stages, stage_starts(base))


def values(result: StagedResult) -> list[float]:
    """The value of each stage."""
    return [outcome.value for outcome in result.outcomes if outcome.value is not None]


@pytest.mark.parametrize("whole", [False, True])
def test_a_what_if_gives_what_a_cold_solve_gives(whole: bool) -> None:
    """Every stage reaches the value that a cold solve of the same program proves."""
    ready = warm(whole)
    for seed in range(2, 6):
        program, stages = make(seed, whole)
        found, cold = ready.solve(program, stages), solve_stages(program, stages)
        assert found.termination.reason is Reason.OPTIMAL
        assert values(found) == pytest.approx(values(cold), rel=1e-5)


def test_order_changes_nothing() -> None:
    """A what-if gives the same values whichever what-ifs came before."""
    forward, backward = warm(), warm()
    seeds = list(range(2, 7))
    ahead = {seed: forward.solve(*make(seed)).x for seed in seeds}
    back = {seed: backward.solve(*make(seed)).x for seed in reversed(seeds)}
    for seed in seeds:
        assert ahead[seed] == pytest.approx(back[seed], rel=1e-9, abs=1e-9)


def test_another_pattern_of_the_same_shape_is_patched() -> None:
    """Coefficients that the base has not are added, those that are gone become zero."""
    ready = warm()
    program, stages = make(2)
    dense = program.matrix.toarray()
    dense[0], dense[1] = dense[1].copy(), dense[0].copy()
    changed = program.replace(matrix=sparse.csc_array(dense))
    assert values(ready.solve(changed, stages)) == pytest.approx(
        values(solve_stages(changed, stages)), rel=1e-5
    )


def test_another_shape_is_solved_cold_and_said() -> None:
    """A what-if with more rows is not forced into the base's sessions."""
    found = warm().solve(*make(2, rows=13))
    assert found.has_solution
    assert any("cold" in note for note in found.notes)


def test_a_what_if_without_a_plan_leaves_the_base_alone() -> None:
    """After an infeasible what-if the next one is solved as if it had not been."""
    ready = warm()
    program, stages = make(2)
    impossible = program.replace(
        row_lower=np.full(program.num_rows, 1e6), row_upper=np.full(program.num_rows, 2e6)
    )
    assert not ready.solve(impossible, stages).has_solution
    assert values(ready.solve(program, stages)) == pytest.approx(
        values(solve_stages(program, stages)), rel=1e-5
    )


@pytest.mark.parametrize(("asked", "met"), [(8.0, True), (9.0, True), (1000.0, False)])
def test_a_target_that_the_base_meets_is_expected_to_be_met(asked: float, met: bool) -> None:
    """Where the next stage finds a plan without any shortfall, that of the target is not solved; where it
    does not, all stages are. Both give what a cold solve gives."""

    def with_target(bound: float) -> tuple[LinearProgram, list[Stage]]:
        plain, (money, tie) = make(1)
        row = sparse.csc_array(np.append(np.ones(30), 1.0)[None, :])
        wide = sparse.hstack([plain.matrix, sparse.csc_array((12, 1))])
        program = LinearProgram(
            objective=np.zeros(31),
            matrix=sparse.csc_array(sparse.vstack([wide, row])),
            row_lower=np.append(plain.row_lower, bound),
            row_upper=np.append(plain.row_upper, np.inf),
            column_lower=np.zeros(31),
            column_upper=np.append(plain.column_upper, np.inf),
            integer=np.zeros(31, dtype=np.bool_),
        )
        short = Stage("target", np.append(np.zeros(30), 1.0), keep_duals=False)
        more = [replace(stage, objective=np.append(stage.objective, 0.0)) for stage in (money, tie)]
        return program, [short, *more]

    base = solve_stages(*with_target(7.0), SolveOptions(basis=True))
    ready = WarmStages(*with_target(7.0), stage_starts(base))
    found, cold = ready.solve(*with_target(asked)), solve_stages(*with_target(asked))
    assert values(found) == pytest.approx(values(cold), rel=1e-6, abs=1e-9)
    assert (found.outcome("target").result is None) == met
    assert found.outcome("target").note == (AT_BEST if met else "")
