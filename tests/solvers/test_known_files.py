"""Files with known optima are solved right, or honestly left unfinished, by all solvers that take them."""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path

import pytest

from solvers.errors import UnsupportedRequestError
from solvers.files import read_mps
from solvers.options import SolveOptions
from solvers.program import LinearProgram
from solvers.registry import get
from solvers.result import Reason, SolveResult
from solvers.solving import solve

SOLVERS = ("highs", "cbc", "glop", "pdlp", "scip", "cp-sat")
FOLDER = Path(__file__).resolve().parents[3] / "shared" / "data" / "lp_mip"
SECONDS = 10.0


def known() -> list[dict[str, str]]:
    """The table of known answers, empty where the shared data are absent."""
    path = FOLDER / "known_optima.csv"
    if not path.exists():
        return []
    with path.open(encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


@cache
def program_of(place: str) -> LinearProgram:
    """The program of a file, read once."""
    return read_mps(FOLDER / f"{place}.mps.gz")


def takes(solver: str, entry: dict[str, str]) -> bool:
    """Whether the solver takes programs of this kind."""
    can, integers = get(solver).capabilities, int(entry["integer_cols"])
    all_whole = integers == int(entry["cols"])
    return (can.mip if integers else can.lp) and (can.continuous or all_whole)


def pairs() -> list[tuple[str, dict[str, str]]]:
    """Solvers and the files that they take."""
    return [(solver, entry) for entry in known() for solver in SOLVERS if takes(solver, entry)]


SLOW = {
    ("cbc", "bell5"),
    ("cbc", "rgn"),
    ("cbc", "enigma"),
    ("pdlp", "gas11"),
    ("pdlp", "refinery"),
    ("cp-sat", "gt2"),
}


def marked() -> list[object]:
    """The pairs, the long ones marked as slow."""
    return [
        pytest.param(
            solver,
            entry,
            id=f"{solver}-{entry['name']}",
            marks=[pytest.mark.slow] if (solver, entry["name"]) in SLOW else [],
        )
        for solver, entry in pairs()
    ]


@pytest.mark.skipif(
    not known(), reason="needs the folder ../shared with files of known optima, which is not here"
)
@pytest.mark.parametrize(("solver", "entry"), marked())
def test_known_answer(solver: str, entry: dict[str, str]) -> None:
    """The solver finds the optimum, names what has none, or says that it is not done."""
    program = program_of(f"{entry['set']}/{entry['name']}")
    result = answer(solver, program)
    if result is None:
        return
    reason, status = result.termination.reason, entry["highs_status"]
    if reason in (Reason.LIMIT, Reason.IMPRECISE):
        check_unfinished(result, float(entry["highs_objective"]), program, status)
        return
    if (solver, reason) == ("pdlp", Reason.INFEASIBLE_OR_UNBOUNDED):
        # Its certificate takes nearly all of the time, and too little is left to tell which of the two it is.
        assert status in ("kInfeasible", "kUnbounded")
        return
    expected = {"kInfeasible": Reason.INFEASIBLE, "kUnbounded": Reason.UNBOUNDED}.get(status, Reason.OPTIMAL)
    assert reason is expected
    if expected is Reason.OPTIMAL:
        # PDLP may be looser; then it has said so in its notes.
        tolerance = 1e-4 if any("only within" in note for note in result.notes) else 2e-6
        assert result.objective == pytest.approx(float(entry["highs_objective"]), rel=tolerance, abs=1e-6)
    else:
        assert not result.has_solution


def answer(solver: str, program: LinearProgram) -> SolveResult | None:
    """The answer, or None where CP-SAT refuses what it cannot write in integers."""
    try:
        return solve(program, SolveOptions(time_limit=SECONDS), solver)
    except UnsupportedRequestError:
        assert not get(solver).capabilities.continuous
        return None


def check_unfinished(result: SolveResult, optimum: float, program: LinearProgram, status: str) -> None:
    """An unfinished answer promises nothing false: no better plan and no worse bound than the optimum."""
    assert not result.is_optimal
    if status != "kOptimal":
        assert not result.has_solution
        return
    sign, slack = (-1.0 if program.maximize else 1.0), 1e-6 * max(1.0, abs(optimum))
    if result.objective_value is not None:
        assert sign * (result.objective_value - optimum) >= -slack
    if result.bound is not None:
        assert sign * (result.bound - optimum) <= slack
