"""A solve in its own process answers like one in this process, and its failures stay there."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from solvers.conformance_programs import LP_PROGRAMS, hard_knapsack
from solvers.errors import InvalidOptionError
from solvers.isolation import Ending, solve_isolated
from solvers.options import Progress, SolveOptions
from solvers.result import Reason
from solvers.solving import solve

LP = LP_PROGRAMS[0].program


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> str:
    """The module of broken adapters, importable here and in child processes."""
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    return "broken_adapters"


def test_same_answer() -> None:
    """Values, prices, ranges and basis come back as they are in this process."""
    options = SolveOptions(ranging=True, basis=True)
    here, there = solve(LP, options), solve_isolated(LP, options)
    assert there.ended is Ending.ANSWERED
    assert there.result.termination == here.termination
    assert there.result.residuals == here.residuals
    assert there.result.ranges is not None and here.ranges is not None
    assert there.result.basis is not None and here.basis is not None
    for mine, other in (
        (here.x, there.result.x),
        (here.duals, there.result.duals),
        (here.ranges.cost_upper, there.result.ranges.cost_upper),
        (here.basis.columns, there.result.basis.columns),
    ):
        assert mine is not None and other is not None
        np.testing.assert_array_equal(mine, other)


def test_memory_is_that_of_the_child() -> None:
    """The peak does not count what this process holds."""
    ballast = np.ones(60_000_000)
    outcome = solve_isolated(LP)
    assert outcome.peak_memory is not None
    assert 10_000_000 < outcome.peak_memory < ballast.nbytes


def test_log_progress_and_interruption_cross() -> None:
    """Callbacks work, and an interrupted solve keeps its incumbent."""
    lines: list[str] = []
    reports: list[Progress] = []
    event = threading.Event()

    def report(progress: Progress) -> None:
        reports.append(progress)
        event.set()

    options = SolveOptions(time_limit=60.0, log=lines.append, progress=report, interrupt=event)
    outcome = solve_isolated(hard_knapsack(), options)
    assert outcome.result.termination.reason is Reason.INTERRUPTED
    assert outcome.ended is Ending.ANSWERED
    assert lines and reports


@pytest.mark.parametrize(
    ("adapter", "ending", "words"),
    [
        ("EXIT", Ending.CRASHED, "exit code 7"),
        ("SEGFAULT", Ending.CRASHED, "SIGSEGV"),
        ("RAISE", Ending.RAISED, "ZeroDivisionError: as planned"),
        ("NO_SUCH", Ending.RAISED, "NO_SUCH"),
    ],
)
@pytest.mark.skipif(sys.platform == "win32", reason="names of signals differ")
def test_failures_are_results(broken: str, adapter: str, ending: Ending, words: str) -> None:
    """A crash or an exception is a result that says what happened."""
    outcome = solve_isolated(LP, solver=f"{broken}:{adapter}")
    assert outcome.ended is ending
    assert outcome.result.termination.reason is Reason.ERROR
    assert words in outcome.result.termination.detail
    assert not outcome.result.has_solution


def test_a_hang_is_killed(broken: str) -> None:
    """A solver that overruns its time limit and grace is ended, and its memory is known all the same."""
    outcome = solve_isolated(LP, SolveOptions(time_limit=0.2), f"{broken}:HANG", grace_seconds=0.5)
    assert outcome.ended is Ending.KILLED
    assert outcome.result.termination.reason is Reason.ERROR
    assert "overran" in outcome.result.termination.detail
    assert outcome.peak_memory is not None


def test_a_deaf_solver_is_killed_on_interruption(broken: str) -> None:
    """A solver that does not hear an interruption is ended after its grace."""
    event = threading.Event()
    event.set()
    outcome = solve_isolated(LP, SolveOptions(interrupt=event), f"{broken}:HANG", grace_seconds=0.5)
    assert outcome.result.termination.reason is Reason.INTERRUPTED


def test_refusals_are_results() -> None:
    """What the solver cannot do is told with the solvers that can."""
    outcome = solve_isolated(hard_knapsack(), solver="glop")
    assert outcome.ended is Ending.REFUSED
    assert "these can: highs" in outcome.result.termination.detail


def test_options_that_cannot_travel() -> None:
    """An object in `raw` is refused before anything starts."""
    with pytest.raises(InvalidOptionError, match="cannot go to another process"):
        solve_isolated(LP, SolveOptions(raw={"presolve": object()}))
