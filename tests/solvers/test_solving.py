"""Tests of the one entry: refusals, choice of the method, programs of any size."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest

from solvers import LinearProgram, Progress, Reason, SolveOptions, SolveResult, Termination, registry, solve
from solvers.errors import (
    InvalidOptionError,
    InvalidProgramError,
    NoSolutionError,
    UnavailableSolverError,
    UnsupportedRequestError,
)
from solvers.method import choose_method
from solvers.registry import Capabilities

Transport = Callable[[int, int], LinearProgram]


class Modest:
    """An adapter that can do plain linear programs and answers as it is told."""

    name = "modest"
    required_modules = ("a_module_that_is_not_there",)
    capabilities = Capabilities(lp=True, continuous=True)

    def __init__(self, answer: SolveResult, usable: bool = True) -> None:
        self._answer, self._usable = answer, usable

    def available(self) -> bool:
        return self._usable

    def version(self) -> str:
        return "0"

    def run(self, program: LinearProgram, options: SolveOptions) -> SolveResult:
        return self._answer


@pytest.fixture
def modest() -> Iterator[Callable[..., None]]:
    """A function that registers the modest adapter with an answer, for one test."""

    def install(answer: SolveResult, usable: bool = True) -> None:
        registry.register(Modest(answer, usable))

    yield install
    registry.unregister("modest")


WRONG = SolveResult("modest", Termination(Reason.OPTIMAL), x=np.array([9.0, 9.0]))


def test_what_a_solver_cannot_do_is_refused_with_those_that_can(
    modest: Callable[..., None], wyndor: LinearProgram
) -> None:
    """The message names the missing abilities and the solvers that have them."""
    modest(WRONG)
    whole = wyndor.replace(integer=np.array([True, False]))
    for program, options, words in (
        (whole, SolveOptions(), "whole-number columns.*highs"),
        (wyndor, SolveOptions(ranging=True), "ranges.*highs"),
        (wyndor, SolveOptions(progress=lambda news: None), "progress"),
        (wyndor, SolveOptions(start_values=np.zeros(2)), "start"),
    ):
        with pytest.raises(UnsupportedRequestError, match=words):
            solve(program, options, "modest")


def test_a_wrong_answer_of_an_adapter_is_caught(modest: Callable[..., None], wyndor: LinearProgram) -> None:
    """OPTIMAL with values that break the rows ends as IMPRECISE without values."""
    modest(WRONG)
    result = solve(wyndor, solver="modest")
    assert result.termination.reason is Reason.IMPRECISE
    with pytest.raises(NoSolutionError, match="imprecise"):
        _ = result.objective
    with pytest.raises(NoSolutionError):
        _ = result.values


def test_an_absent_solver_is_named(modest: Callable[..., None], wyndor: LinearProgram) -> None:
    """What is known but not usable here says what it needs."""
    modest(WRONG, usable=False)
    with pytest.raises(UnavailableSolverError, match="a_module_that_is_not_there"):
        solve(wyndor, solver="modest")


def test_the_method_follows_size_and_kind(wyndor: LinearProgram, transport: Transport) -> None:
    """Small or warm: simplex; large and cold: interior point; a MIP and an explicit wish are left alone."""
    can = registry.get("highs").capabilities
    large = transport(100, 450)
    assert choose_method(wyndor, SolveOptions(), can).method == "simplex"
    assert choose_method(large, SolveOptions(), can).method == "interior_point"
    assert choose_method(large, SolveOptions(), can, warm=True).method == "simplex"
    assert choose_method(large, SolveOptions(method="simplex"), can).method == "simplex"
    assert choose_method(large, SolveOptions(), Capabilities(lp=True)).method == "auto"
    whole = large.replace(integer=np.ones(large.num_columns, dtype=bool))
    assert choose_method(whole, SolveOptions(), can).method == "auto"


def test_both_methods_agree_on_a_larger_program(transport: Transport) -> None:
    """The same verified objective by simplex and by interior point, and the bound proves it."""
    program = transport(30, 120)
    results = [solve(program, SolveOptions(method=method)) for method in ("simplex", "interior_point")]
    assert results[0].objective == pytest.approx(results[1].objective, rel=1e-9)
    for result in results:
        assert result.bound == pytest.approx(result.objective, rel=1e-9)
        assert result.residuals is not None
        assert result.residuals.worst < 1e-9


def test_options_and_programs_are_checked(wyndor: LinearProgram) -> None:
    """Unusable figures never reach a solver."""
    with pytest.raises(InvalidOptionError, match="gap"):
        SolveOptions(gap=-1.0)
    with pytest.raises(InvalidOptionError, match="threads"):
        SolveOptions(threads=0)
    for changes, words in (
        ({"objective": np.array([np.nan, 1.0])}, "NaN"),
        ({"objective": np.array([np.inf, 1.0])}, "finite"),
        ({"row_upper": np.ones(2)}, "shape"),
        ({"column_lower": np.array([np.inf, 0.0])}, "wrong side"),
    ):
        with pytest.raises(InvalidProgramError, match=words):
            wyndor.replace(**changes)


def test_progress_is_reported_in_the_units_of_the_caller(knapsack: LinearProgram) -> None:
    """Scaling inside does not show in the reports."""
    news: list[Progress] = []
    million = knapsack.replace(objective=knapsack.objective * 1e8)
    result = solve(million, SolveOptions(time_limit=0.5, progress=news.append))
    best = max(report.objective for report in news if report.objective is not None)
    assert best == pytest.approx(result.objective)
