"""Comparisons name what each answer is, and catch adapters that are broken in every known way."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest

from solvers.compare import compare, judge, moved_share
from solvers.conformance_programs import LP_PROGRAMS, MIP_PROGRAMS, hard_knapsack, make_program
from solvers.isolation import Ending, IsolatedResult
from solvers.judgement import Verdict
from solvers.options import SolveOptions
from solvers.program import LinearProgram
from solvers.result import Limit, Reason, Residuals, SolveResult, Termination

LP = LP_PROGRAMS[0].program
KNAPSACK = MIP_PROGRAMS[0].program


def known(name: str) -> LinearProgram:
    """A program of the conformance suite by its name."""
    return next(entry.program for entry in (*LP_PROGRAMS, *MIP_PROGRAMS) if entry.name == name)


def outcome(
    x: list[float] | None,
    reason: Reason = Reason.OPTIMAL,
    *,
    program: LinearProgram = LP,
    bound: float | None = None,
    dual: float | None = None,
    notes: tuple[str, ...] = (),
) -> IsolatedResult:
    """An answer as it would come out of a process."""
    values = None if x is None else np.array(x)
    objective = None if values is None else program.value(values)
    residuals = None if objective is None else Residuals(objective, 0.0, 0.0, 0.0, dual=dual)
    limit = Limit.TIME if reason is Reason.LIMIT else None
    result = SolveResult(
        "s", Termination(reason, limit), values, objective, bound, residuals=residuals, notes=notes
    )
    return IsolatedResult(result, Ending.ANSWERED, None)


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> str:
    """The module of broken adapters, importable in child processes."""
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    return "broken_adapters"


@pytest.mark.slow
def test_five_solvers_agree_on_an_lp() -> None:
    """All that take an LP find the same optimum, and the one that does not refuses with the way out."""
    comparison = compare(LP, ("highs", "cbc", "glop", "pdlp", "scip", "cp-sat"))
    assert [row.verdict for row in comparison.rows[:3]] == [Verdict.SAME_OPTIMUM] * 3
    assert comparison.agree == ("highs", "cbc", "glop", "pdlp", "scip")
    assert comparison.rows[-1].verdict is Verdict.REFUSED
    assert "these can" in comparison.rows[-1].why
    assert comparison.verdict.startswith("5 of 6 solvers agree")
    assert comparison.verdict.endswith("cp-sat: refused")


@pytest.mark.slow
def test_four_solvers_agree_on_a_mip() -> None:
    """Ties of a MIP are another optimum, not a worse answer."""
    comparison = compare(KNAPSACK, ("highs", "cbc", "scip", "cp-sat"))
    assert len(comparison.agree) == 4
    assert {row.verdict for row in comparison.rows} <= {Verdict.SAME_OPTIMUM, Verdict.ANOTHER_OPTIMUM}


@pytest.mark.slow
def test_broken_adapters_are_caught_as_what_they_are(broken: str) -> None:
    """Wrong values, wrong statuses, a crash, a hang and an exception each get their own verdict."""
    expected = {
        "highs": Verdict.SAME_OPTIMUM,
        f"{broken}:WRONG_VALUES": Verdict.WRONG_VALUES,
        f"{broken}:POOR_VALUES": Verdict.WRONG_STATUS,
        f"{broken}:WRONG_STATUS": Verdict.WRONG_STATUS,
        f"{broken}:WRONG_UNBOUNDED": Verdict.WRONG_STATUS,
        f"{broken}:EXIT": Verdict.CRASHED,
        f"{broken}:SEGFAULT": Verdict.CRASHED,
        f"{broken}:RAISE": Verdict.CRASHED,
        f"{broken}:HANG": Verdict.HUNG,
    }
    program = known("lp equalities")
    bounded = program.replace(column_upper=np.array([1.0, 1.0, 0.5]))
    comparison = compare(bounded, tuple(expected), SolveOptions(time_limit=0.3), grace_seconds=0.7)
    assert {row.solver: row.verdict for row in comparison.rows} == expected
    assert comparison.faulty == tuple(expected)[1:]
    assert comparison.best == "highs"


@pytest.mark.slow
def test_a_wrong_status_alone_is_not_refuted() -> None:
    """Solvers that agree on infeasible agree, whatever name they give it."""
    program = known("lp infeasible")
    comparison = compare(program, ("highs", "cbc", "glop"))
    assert {row.verdict for row in comparison.rows} == {Verdict.SAME_STATUS}
    assert comparison.best is None
    assert "3 of 3" in comparison.verdict


def test_contradicting_statuses() -> None:
    """Where one says infeasible and one unbounded without a plan, neither is believed."""
    pair = [("a", outcome(None, Reason.INFEASIBLE)), ("b", outcome(None, Reason.UNBOUNDED))]
    rows = judge(LP, pair).rows
    assert {row.verdict for row in rows} == {Verdict.NO_ANSWER}


def test_looser_precision_is_labelled_with_its_figure() -> None:
    """An answer whose prices prove less is looser, by the distance that it has."""
    exact, loose = outcome([1.6, 1.2]), outcome([1.6, 1.2001], dual=3e-5)
    row = judge(LP, [("exact", exact), ("loose", loose)]).rows[1]
    assert row.verdict is Verdict.LOOSER_PRECISION
    assert row.precision == pytest.approx(1e-4 / 2.8, rel=0.1)


def test_unfinished_is_worse_and_not_wrong() -> None:
    """A plan at the time limit is worse, the same plan called optimal is a wrong status."""
    best, poor = outcome([1.6, 1.2]), [3.0, 3.0]
    rows = judge(LP, [("best", best), ("late", outcome(poor, Reason.LIMIT)), ("liar", outcome(poor))]).rows
    assert [row.verdict for row in rows[1:]] == [Verdict.WORSE_ANSWER, Verdict.WRONG_STATUS]
    assert rows[1].limit is Limit.TIME


def test_a_refuted_bound_is_a_wrong_status() -> None:
    """A bound beyond another solver's verified plan is no bound."""
    liar = outcome([1.6, 1.2], Reason.LIMIT, bound=3.5)
    row = judge(LP, [("best", outcome([1.6, 1.2])), ("liar", liar)]).rows[1]
    assert row.verdict is Verdict.WRONG_STATUS
    assert "bound" in row.why


def test_optimal_without_values_and_limit_without_values() -> None:
    """Optimal without values is a wrong status, a limit without values is no answer."""
    rows = judge(LP, [("a", outcome(None)), ("b", outcome(None, Reason.LIMIT))]).rows
    assert [row.verdict for row in rows] == [Verdict.WRONG_STATUS, Verdict.NO_ANSWER]


def test_another_optimum_by_volume() -> None:
    """Equal objectives by other values are another optimum, with the share of volume that moved."""
    program = make_program([1, 1], [([1, 1], 2, np.inf)], [(0, 2)] * 2)
    pair = [("a", outcome([2, 0], program=program)), ("b", outcome([0.5, 1.5], program=program))]
    row = judge(program, pair, weights=np.array([1.0, 1.0])).rows[1]
    assert row.verdict is Verdict.ANOTHER_OPTIMUM
    assert row.moved == pytest.approx(0.75)


@pytest.mark.parametrize(
    ("x", "other", "weights", "share"),
    [
        ([1, 1], [1, 1], [1, 1], 0.0),
        ([2, 0], [0, 2], [1, 1], 1.0),
        ([2, 0], [1, 1], [1, 1], 0.5),
        ([0, 0], [0, 0], [1, 1], 0.0),
        ([0, 0], [0, 5], [1, 1], 1.0),
        ([1, 9], [1, 0], [1, 0], 0.0),
    ],
)
def test_moved_share(x: list[float], other: list[float], weights: list[float], share: float) -> None:
    """The share is 0 for equal and 1 for disjoint volumes, and columns without weight do not count."""
    assert moved_share(np.array(x), np.array(other), np.array(weights, dtype=float)) == pytest.approx(share)


def test_interruption_ends_the_comparison() -> None:
    """After an interruption the running solver keeps its plan and the others are not started."""
    event, started = threading.Event(), []

    def start(solver: str) -> None:
        started.append(solver)
        threading.Timer(1.0, event.set).start()

    comparison = compare(hard_knapsack(), ("highs", "cbc"), SolveOptions(interrupt=event), on_start=start)
    assert started == ["highs"]
    assert comparison.rows[0].reason is Reason.INTERRUPTED
