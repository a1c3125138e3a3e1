"""What each adapter does beyond the conformance suite: the quirks that it keeps away from everybody else."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from solvers import cbc, commercial, mathopt
from solvers.cbc_files import read_log, read_progress, write_model
from solvers.commercial import PulpAdapter
from solvers.conformance import check_known
from solvers.conformance_programs import (
    LP_PROGRAMS,
    MIP_PROGRAMS,
    KnownProgram,
    hard_equalities,
    hard_knapsack,
    make_program,
)
from solvers.errors import (
    InvalidOptionError,
    NativeSolverError,
    UnavailableSolverError,
    UnsupportedRequestError,
)
from solvers.mathopt_call import run_native
from solvers.options import Method, SolveOptions
from solvers.program import LinearProgram
from solvers.registry import Capabilities, get
from solvers.result import Limit, Reason
from solvers.solving import solve
from solvers.whole import to_integers

LP = LP_PROGRAMS[0].program
MIP = MIP_PROGRAMS[0].program
INFINITY = np.inf


def test_cbc_values_keep_all_digits() -> None:
    """CBC's printed solution has eight digits; ours comes from its binary file and has all."""
    program = make_program([1.0], [([3.0], 1.0, INFINITY)], [(0.0, INFINITY)])
    assert cbc.ADAPTERS[0].run(program, SolveOptions()).values[0] == 1.0 / 3.0


def test_cbc_gives_no_values_without_a_solution() -> None:
    """CBC's file holds the relaxation when there is no plan; it is not taken for one."""
    result = cbc.ADAPTERS[0].run(hard_equalities(), SolveOptions(time_limit=0.3))
    assert result.termination.reason is Reason.LIMIT
    assert result.x is None
    assert result.bound is not None


def test_cbc_bound_at_the_time_limit() -> None:
    """At a limit CBC's plan and bound enclose the optimum, and the status is not optimal."""
    program = hard_knapsack()
    result = cbc.ADAPTERS[0].run(program, SolveOptions(time_limit=0.5))
    assert result.termination.limit is Limit.TIME
    assert result.bound is not None
    assert result.bound >= program.value(result.values)


@pytest.mark.parametrize(
    "raw", [{"nonsense": 1}, {"primalTolerance": -1}, {"cuts": "bad"}, {"maxNodes": "x"}]
)
def test_cbc_rejected_options(raw: dict[str, object]) -> None:
    """CBC prints a line about a bad option and goes on; we do not."""
    with pytest.raises(InvalidOptionError):
        cbc.ADAPTERS[0].run(LP, SolveOptions(raw=raw))


def test_cbc_own_options() -> None:
    """A raw option reaches CBC and its limit is named."""
    result = cbc.ADAPTERS[0].run(hard_knapsack(), SolveOptions(raw={"maxNodes": 3}))
    assert result.termination.limit is Limit.NODES


def test_cbc_log_reading() -> None:
    """Bounds are weakened by half of the last printed digit, in the sense of the program."""
    program = hard_knapsack()
    lines = [
        "Result - Stopped on time limit",
        "Lower bound:                    -2257.396",
        "Enumerated nodes: 7",
    ]
    log = read_log(program, lines)
    assert log.bound == pytest.approx(2257.3965)
    assert log.outcome == "Stopped on time limit"
    assert log.counts == {"Enumerated nodes": 7}
    line = "Cbc0010I After 100 nodes, 9 on tree, 1e+50 best solution, best possible -2257.4 (0.17 seconds)"
    progress = read_progress(program, line)
    assert progress is not None
    assert (progress.objective, progress.bound) == (None, 2257.4)


def test_cbc_names_by_position(tmp_path: Path) -> None:
    """The model file names columns and rows by their positions, whatever their labels."""
    path = tmp_path / "model.mps"
    write_model(MIP, path)
    text = path.read_text()
    assert " c4 r0 2.0" in text
    assert "'INTORG'" in text and "'INTEND'" in text


def test_cp_sat_refuses_continuous_columns() -> None:
    """CP-SAT would take them for whole numbers and say optimal (2.0 for 2.8 here)."""
    with pytest.raises(UnsupportedRequestError, match=r"these can: highs, cbc, scip"):
        get("cp-sat").run(LP, SolveOptions())


def test_cp_sat_is_exact_beyond_its_usual_bounds() -> None:
    """MathOpt cuts bounds of CP-SAT at 1e7 unless told otherwise; the optimum is beyond."""
    program = make_program([1], [([1], -INFINITY, 4e8)], [(0, 1e9)], integer=[0], maximize=True)
    assert solve(program, solver="cp-sat").objective == 4e8


@pytest.mark.parametrize(
    ("program", "words"),
    [
        (make_program([1], [([1], 0, 5)], [(0, INFINITY)], integer=[0]), "finite bounds"),
        (make_program([1, 1], [([1 / 3, 1], 0, 5)], [(0, 9)] * 2, integer=[0, 1]), "common whole multiple"),
        (make_program([1, 1], [([1e-9, 1e9], 0, 5)], [(0, 9)] * 2, integer=[0, 1]), "2\\^53|whole multiple"),
    ],
)
def test_cp_sat_refuses_what_it_would_round(program: LinearProgram, words: str) -> None:
    """A program that integers cannot hold exactly is refused, never rounded."""
    with pytest.raises(UnsupportedRequestError, match=words):
        to_integers(program, "cp-sat")


def test_integers_are_exact() -> None:
    """Decimals and powers of two become the smallest integers, sides move inside."""
    program = make_program(
        [0.1, 0.25],
        [([12 / 2**20, 18 / 2**20], -INFINITY, 48.5 / 2**20), ([0.3, 0.7], 1.23, INFINITY)],
        [(0, 5.5), (0, 7)],
        integer=[0, 1],
    )
    whole = to_integers(program, "cp-sat")
    np.testing.assert_array_equal(whole.program.matrix.toarray(), [[2, 3], [3, 7]])
    np.testing.assert_array_equal(whole.program.row_upper, [8, INFINITY])
    np.testing.assert_array_equal(whole.program.row_lower, [-INFINITY, 13])
    np.testing.assert_array_equal(whole.program.objective, [2, 5])
    assert whole.objective_factor == 20.0


@pytest.mark.parametrize(
    ("solver", "raw"),
    [
        ("glop", {"use_scaling": "perhaps"}),
        ("glop", {"primal_feasibility_tolerance": -1.0}),
        ("pdlp", {"termination_criteria": {"simple_optimality_criteria": {"eps_optimal_relative": -1}}}),
        ("scip", {"real_params": {"numerics/nonsense": 1.0}}),
        ("scip", {"int_params": {"limits/nodes": 1}}),
        ("cp-sat", {"num_workers": -3}),
    ],
)
def test_mathopt_rejected_options(solver: str, raw: dict[str, object]) -> None:
    """Each solver's own words for a bad option become one error."""
    program = MIP if solver == "cp-sat" else LP
    with pytest.raises(InvalidOptionError):
        get(solver).run(program, SolveOptions(raw=raw))


def test_mathopt_own_options() -> None:
    """A raw option reaches the solver inside."""
    result = get("scip").run(hard_knapsack(), SolveOptions(raw={"long_params": {"limits/nodes": 1}}))
    assert result.termination.reason is Reason.LIMIT
    assert result.termination.limit is Limit.NODES


def test_mathopt_native_errors_are_ours() -> None:
    """A failure of the library is a NativeSolverError, whatever Python class it arrives as."""
    from pybind11_abseil.status import BuildStatusNotOk, StatusCode

    def fail(log: object, interrupter: object) -> None:
        raise BuildStatusNotOk(StatusCode.INTERNAL, "broken inside")

    with pytest.raises(NativeSolverError, match="broken inside"):
        run_native(fail, SolveOptions())


def test_an_error_of_the_log_function_is_raised() -> None:
    """The caller's own exception comes through the library unharmed."""

    def log(line: str) -> None:
        raise KeyError(line)

    for solver in ("glop", "scip", "cbc", "highs"):
        with pytest.raises(KeyError):
            get(solver).run(LP, SolveOptions(log=log))


def test_methods_that_are_not_there_are_refused() -> None:
    """GLOP has no interior point, and says who has."""
    with pytest.raises(UnsupportedRequestError, match="highs"):
        get("glop").run(LP, SolveOptions(method="interior_point"))


@pytest.mark.parametrize("method", ["simplex", "interior_point"])
def test_cbc_methods(method: Method) -> None:
    """CBC solves by both methods."""
    result = get("cbc").run(LP, SolveOptions(method=method))
    assert LP.value(result.values) == pytest.approx(2.8)


@pytest.mark.parametrize("adapter", commercial.ADAPTERS, ids=lambda adapter: adapter.name)
def test_commercial_solvers_are_asked_safely(adapter: PulpAdapter) -> None:
    """A solver that is not installed, or has no licence, is unavailable and nothing worse."""
    if not adapter.available():
        with pytest.raises(UnavailableSolverError):
            solve(LP, solver=adapter.name)


@pytest.mark.parametrize("known", [*LP_PROGRAMS, *MIP_PROGRAMS], ids=lambda known: known.name)
def test_the_way_through_pulp(known: KnownProgram) -> None:
    """The way that commercial solvers go gives right answers, with a free solver at its end."""
    loose = KnownProgram(
        known.name, known.program, known.objective, known.reasons | {Reason.INFEASIBLE_OR_UNBOUNDED}
    )
    adapter = PulpAdapter(
        "pulp-highs", "HiGHS", ("pulp", "highspy"),
        {"feasibility": "primal_feasibility_tolerance", "optimality": "dual_feasibility_tolerance"},
    )  # fmt: skip
    assert check_known(loose, adapter) == []


def test_pulp_is_not_believed_at_the_time_limit() -> None:
    """PuLP says "Optimal" at a time limit; the second status says that it is not."""
    result = PulpAdapter("pulp-cbc", "PULP_CBC_CMD", ("pulp",), {}).run(
        hard_knapsack(), SolveOptions(time_limit=0.5)
    )
    assert result.termination.reason is Reason.LIMIT


def test_pulp_rejected_option() -> None:
    """An argument that PuLP does not know is an error of ours."""
    with pytest.raises((InvalidOptionError, NativeSolverError)):
        PulpAdapter("pulp-cbc", "PULP_CBC_CMD", ("pulp",), {}).run(LP, SolveOptions(raw={"nonsense": 1}))


def test_a_library_without_a_working_solver_is_unavailable() -> None:
    """Availability is more than an installed module: the solver has to solve."""
    adapter = PulpAdapter("no-such", "NO_SUCH_SOLVER", ("pulp",), {})
    assert not adapter.available()


def test_versions() -> None:
    """Every usable solver names its version."""
    for name in ("highs", "cbc", "glop", "pdlp", "scip", "cp-sat"):
        assert any(character.isdigit() for character in get(name).version())


def test_statuses_without_an_end_are_settled() -> None:
    """Infeasible and unbounded programs are told apart for solvers that leave it open."""
    unbounded = next(known.program for known in LP_PROGRAMS if known.name == "lp unbounded")
    assert solve(unbounded, solver="glop").termination.reason is Reason.UNBOUNDED
    both = next(known.program for known in LP_PROGRAMS if "neither" in known.name)
    for solver in ("glop", "cbc"):
        assert solve(both, solver=solver).termination.reason is Reason.INFEASIBLE


def test_capabilities_say_no_by_default() -> None:
    """A forgotten capability means that the solver cannot."""
    assert not any(vars(Capabilities()).values())
    assert mathopt.ADAPTERS[3].capabilities.continuous is False
