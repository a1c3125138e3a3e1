"""Several solvers on one plan, and its program as a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from optimizer.comparing import compare_solvers
from optimizer.errors import InputError
from optimizer.exporting import export_plan
from optimizer.plan.load import load_plan
from optimizer.plan.plan import Plan
from optimizer.report.solverlist import comparison_data, comparison_page, solver_data, solvers_page, verdict
from optimizer.settings import SolveSettings
from optimizer.solving import solve
from scenarios.examples import FOLDER
from solvers.files import read_mps
from solvers.judgement import Verdict
from solvers.names import split_name
from solvers.solving import solve as solve_program

PLAN = """
name: Boxes
calendar: {start: 2027-01-01, periods: 3, every: month}
tables: {markets: markets.csv, sellers: sellers.csv}
whole_units: true
targets: [{name: Year, metric: revenue, at_least: 900}]
"""


@pytest.fixture
def whole_plan(tmp_path: Path) -> Plan:
    """A plan that sells whole units only."""
    (tmp_path / "plan.yaml").write_text(PLAN, encoding="utf-8")
    (tmp_path / "markets.csv").write_text("line,price,margin_rate,potential\na,13,0.5,40.5\nb,17,0.4,31\n")
    (tmp_path / "sellers.csv").write_text("seller,capacity,capacity_unit\nAnna,31.5,units\nBen,20,units\n")
    return load_plan(tmp_path)


@pytest.mark.slow
def test_three_solvers_agree_on_whole_units(whole_plan: Plan) -> None:
    """On a whole-number plan at least three solvers find the same optimum, and none is at fault."""
    found = compare_solvers(whole_plan, settings=SolveSettings(time_limit=30.0))
    assert {"highs", "cbc", "scip"} <= set(found.comparison.agree)
    assert found.comparison.faulty == ()
    assert not found.relaxed


@pytest.mark.slow
def test_relaxing_lets_linear_solvers_join(whole_plan: Plan) -> None:
    """Without whole numbers GLOP and PDLP join, and the answer is a bound on the plan."""
    found = compare_solvers(whole_plan, settings=SolveSettings(time_limit=30.0), relax=True)
    assert found.relaxed
    assert {"highs", "cbc", "glop", "pdlp", "scip"} <= set(found.comparison.agree)
    rows = {row.solver: row for row in found.comparison.rows}
    whole = compare_solvers(whole_plan, ["highs"]).comparison.rows[0]
    assert rows["highs"].objective >= whole.objective


@pytest.mark.slow
@pytest.mark.parametrize("case", ["curves_even_bounded", "curves_least_spend"])
def test_response_curves_are_taken_by_their_envelopes(root: Path, case: str, tmp_path: Path) -> None:
    """With `relax` the solvers agree on a bound of the plan; without it they are not asked for half of it."""
    plan = load_plan(root / "tests" / "golden" / case)
    with pytest.raises(InputError, match="response curves.*Add --relax"):
        compare_solvers(plan, ["highs"])
    with pytest.raises(InputError, match="response curves.*Add --relax"):
        export_plan(plan, tmp_path / "plan.mps")
    four = ["highs", "cbc", "glop", "scip"]
    found = compare_solvers(plan, four, SolveSettings(time_limit=30.0), relax=True)
    assert list(found.comparison.agree) == four
    true = solve(plan, SolveSettings(marginal_values=False, leverage=False)).stages[0].value
    bound = found.comparison.rows[0].objective
    assert true is not None and bound is not None
    sign = 1.0 if found.program.maximize else -1.0
    assert sign * bound >= sign * true - 1e-6 * abs(true)
    export_plan(plan, tmp_path / "plan.mps", relax=True)
    assert solve_program(read_mps(tmp_path / "plan.mps")).objective == pytest.approx(bound, rel=1e-6)


def test_a_solver_that_cannot_take_the_plan_is_a_row(whole_plan: Plan) -> None:
    """A solver of linear programs refuses whole numbers; the others go on."""
    found = compare_solvers(whole_plan, ["glop", "highs"])
    assert [row.verdict for row in found.comparison.rows] == [Verdict.REFUSED, Verdict.SAME_OPTIMUM]
    assert "Cannot take this plan: glop." in verdict(found)


@pytest.mark.slow
def test_the_page_says_every_verdict_in_full(whole_plan: Plan) -> None:
    """However narrow the page is, who found the same optimum and who could not stands below the table."""
    found = compare_solvers(whole_plan, ["glop", "highs", "cbc"])
    text = " ".join(comparison_page(found, 60).split())
    assert "Same optimum: highs" in text and "Cannot take this plan: glop." in text


def test_the_page_and_the_data_say_the_same(whole_plan: Plan) -> None:
    """Page and JSON carry the objective, and every language has its words."""
    found = compare_solvers(whole_plan, ["highs", "cbc"])
    data = comparison_data(found)
    for language in ("en", "ru", "zh"):
        page = comparison_page(found, 110, language=language)
        assert f"{data['answers'][0]['objective']:.10g}" in page
    assert data["agree"] == ["highs", "cbc"]


def test_unknown_stage_is_named(whole_plan: Plan) -> None:
    """A stage that the plan does not have is an error with the nearest one."""
    with pytest.raises(InputError, match="no stage “contribtion”. Did you mean contribution"):
        compare_solvers(whole_plan, ["highs"], stage="contribtion")


def test_an_unknown_solver_is_named(whole_plan: Plan) -> None:
    """A slip of the hand is not a solver that cannot take the plan."""
    with pytest.raises(InputError, match="no solver “hihgs”. Did you mean highs"):
        compare_solvers(whole_plan, ["highs", "hihgs"])


def test_solver_list_says_what_is_here() -> None:
    """The six solvers of the installation are here with a version; the page names every one."""
    entries = {entry["solver"]: entry for entry in solver_data()}
    for name in ("highs", "cbc", "glop", "pdlp", "scip", "cp-sat"):
        assert entries[name]["available"]
        assert entries[name]["version"]
    page = solvers_page(120)
    assert all(name in page for name in entries)


@pytest.mark.parametrize("ending", ["mps", "lp"])
def test_exported_names_are_readable(whole_plan: Plan, tmp_path: Path, ending: str) -> None:
    """The file names sales by seller, market and period."""
    target = tmp_path / f"plan.{ending}"
    done = export_plan(whole_plan, target)
    assert done.stage == "contribution"
    assert "Anna" in target.read_text(encoding="utf-8")


def test_exported_program_has_the_plan_as_optimum(whole_plan: Plan, tmp_path: Path) -> None:
    """The MPS file read back has the same optimum and gives every label back."""
    target = tmp_path / "plan.mps"
    export_plan(whole_plan, target)
    program = read_mps(target)
    contribution = next(s.value for s in solve(whole_plan).stages if s.stage.name == "contribution")
    assert abs(solve_program(program).objective) == pytest.approx(contribution, rel=1e-6)
    block = program.column_blocks[0]
    assert block.label(0) == ("Anna", "a", "2027-01")
    assert split_name("sales[Anna,a,2027%2D01]") == ("sales", ("Anna", "a", "2027-01"))


def test_unknown_ending_is_refused(whole_plan: Plan, tmp_path: Path) -> None:
    """Only .mps and .lp are written."""
    with pytest.raises(InputError, match=r"known endings: \.mps, \.lp"):
        export_plan(whole_plan, tmp_path / "plan.txt")
    assert not (tmp_path / "plan.txt").exists()


@pytest.mark.slow
def test_five_solvers_agree_on_the_main_pack() -> None:
    """On the main pack at least five solvers agree, PDLP at the precision that it states."""
    plan = load_plan(FOLDER / "premium_year")
    found = compare_solvers(plan, settings=SolveSettings(time_limit=120.0), relax=True)
    assert {"highs", "cbc", "glop", "pdlp", "scip"} <= set(found.comparison.agree)
    sharp = [row.objective for row in found.comparison.rows if row.verdict is not Verdict.LOOSER_PRECISION]
    assert max(sharp) == pytest.approx(min(sharp), rel=1e-6)
    loose = next(row for row in found.comparison.rows if row.solver == "pdlp")
    assert loose.precision is not None
