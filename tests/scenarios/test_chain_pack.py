"""The pack of the whole chain: what is in it, that it is proved on the true curves, and the story it tells."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from optimizer.model.compile import Model
from optimizer.plan.plan import Plan
from optimizer.report.monday import main_cause
from optimizer.result.evaluate import figures
from optimizer.result.solution import Solution, Status
from optimizer.settings import SolveSettings
from optimizer.solving import solve, solver_stage
from optimizer.tracking.moves import moves_of, starts_frame
from scenarios.base import Base, load_base
from scenarios.changes import apply_scenario
from scenarios.files import find_files, load_scenarios
from scenarios.monday import Asked, MondayRun, replan_run
from solvers.curves import CurveProgram
from solvers.curves.estimator import build
from solvers.curves.solving import relaxation
from solvers.options import SolveOptions
from solvers.solving import solve as solve_program
from solvers.stage import Lock, Stage, with_locks

ROOT = Path(__file__).resolve().parents[2]
TRAINING, SERVICE = "Customer training", "After-sales service"
GAP = 1e-3
PREMIUM = {"line": "premium"}
# Row of the table in README.md -> metric, its scope, what one unit of the table is, and how far two answers
# that are both proved within the gap may lie apart beyond rounding.
FIGURES = {
    "contribution": ("contribution", {}, 1e6, 0.05),
    "revenue": ("revenue", {}, 1e6, 0.3),
    "premium line": ("revenue", PREMIUM, 1e6, 0.3),
    "premium, new customers": ("revenue", {**PREMIUM, "customer_type": "new"}, 1e6, 0.3),
    "premium, orders of existing customers": ("revenue", {**PREMIUM, "customer_type": "existing"}, 1e6, 0.3),
    "premium customers that a year keeps": ("retention", PREMIUM, 1e-2, 0.5),
    "marketing": ("marketing_cost", {}, 1e6, 0.1),
    "marketing cost of a new customer": ("cac", {}, 1.0, 500.0),
}


@pytest.fixture(scope="module")
def pack(examples: Path) -> Base:
    """The pack as it is read."""
    return load_base(examples / "premium_chain" / "plan.yaml")


@pytest.fixture(scope="module")
def weak_plan(pack: Base) -> Plan:
    """The plan when a quarter fewer premium quotes become contracts."""
    (scenario,) = load_scenarios(
        pack.folder, find_files(pack.folder, [pack.folder / "scenarios" / "weak_conversion.yaml"])
    )
    return apply_scenario(pack, scenario).plan


@pytest.fixture(scope="module")
def monday(examples: Path) -> MondayRun:
    """The plan tracked with its five months of facts, and the rest planned again."""
    folder = examples / "premium_chain"
    return replan_run(folder, Asked(folder / "actuals.csv"))


@pytest.fixture(scope="module")
def base(monday: MondayRun) -> Solution:
    """The answer to the plan as it ships: what was promised before there were facts."""
    return monday.tracked.solution


@pytest.fixture(scope="module")
def weak(weak_plan: Plan) -> Solution:
    """The answer when conversion is weak."""
    return solved(weak_plan)


def solved(plan: Plan) -> Solution:
    """The answer without what only explains it."""
    return solve(plan, SolveSettings(marginal_values=False, leverage=False))


def chosen(solution: Solution, block: str, column: str) -> list[str]:
    """The rows of a block of switches that are switched on."""
    switches = solution.activities.blocks[block]
    on = switches.values(solution.x).sum(axis=1) > 0.5
    return [name for name, begins in zip(switches.labels[column], on, strict=True) if begins]


def started(solution: Solution) -> list[str]:
    """The initiatives that start."""
    return chosen(solution, "start", "initiative")


def test_the_pack_has_every_part_of_the_chain(pack: Base) -> None:
    """A marketing budget of 9 M, stages, customers, eight initiatives, open seats, and targets on the cost of
    a customer and on market share."""
    plan = pack.plan
    wanted = {"marketing", "curves", "yields", "stages", "customers", "initiatives", "effects", "resources"}
    assert wanted <= set(plan.tables)
    names = plan.tables["initiatives"].text("initiative")
    assert len(names) == 8 and {TRAINING, SERVICE} <= set(names)
    assert plan.tables["sellers"].choices("status").count("open") == 4
    assert {"cac", "market_share"} <= {rule.metric for rule in plan.rules if rule.kind == "target"}
    assert 9_000_000 in [rule.upper for rule in plan.rules if rule.metric == "marketing_cost"]
    assert plan.spec.proof_gap == GAP


@pytest.mark.slow
@pytest.mark.parametrize("name", ["base", "weak"])
def test_the_whole_chain_is_proved_and_meets_its_targets(name: str, request: pytest.FixtureRequest) -> None:
    """Every stage ends optimal, money within 0.1 % of its bound on the true curves, and no target is short."""
    solution = request.getfixturevalue(name)
    assert solution.status is Status.OPTIMAL
    money = next(stage for stage in solution.stages if stage.stage.is_money)
    assert money.result is not None and money.result.bound is not None and money.value is not None
    assert abs(money.result.bound - money.value) <= 1.01 * GAP * abs(money.value)
    assert {outcome.status for outcome in solution.outcomes} <= {"met", "no_denominator"}


@pytest.mark.slow
def test_weak_conversion_brings_in_training_and_service(base: Solution, weak: Solution) -> None:
    """Neither starts as planned; with a quarter fewer contracts out of quotes both do, and nothing else is new."""
    assert not {TRAINING, SERVICE} & set(started(base))
    assert set(started(weak)) - set(started(base)) == {TRAINING, SERVICE}


@pytest.mark.slow
@pytest.mark.parametrize("initiative", [TRAINING, SERVICE])
def test_neither_pays_as_planned(base: Solution, initiative: str) -> None:
    """With either of them no plan that meets the targets earns as much, by at least five times the gap."""
    money = next(stage for stage in base.stages if stage.stage.is_money)
    assert money.value is not None
    stage = solver_stage(base.model, money.stage)
    most = outer(base.model, stage.objective, True, (initiative, True), met=99) + stage.offset
    assert most < money.value * (1.0 - 5.0 * GAP)


@pytest.mark.slow
@pytest.mark.parametrize("initiative", [TRAINING, SERVICE])
def test_both_are_needed_when_conversion_is_weak(weak: Solution, initiative: str) -> None:
    """Without either of them every plan that meets the year's target leaves the premium line 1 % short at least."""
    premium = next(soft for soft in weak.model.context.soft if soft.name == "Premium" and len(soft.columns))
    shortfall = np.zeros(weak.model.program.num_columns)
    shortfall[premium.columns] = 1.0
    assert outer(weak.model, shortfall, False, (initiative, False), met=1) > 0.01


def outer(
    model: Model, objective: NDArray[np.float64], maximize: bool, begun: tuple[str, bool], met: int
) -> float:
    """What no plan goes beyond in which an initiative starts some day, or never, and all targets of a priority up
    to `met` are met: whole numbers as parts, curves as their envelopes."""
    switches = model.context.activities.blocks["start"]
    lower, upper = model.program.column_lower.copy(), model.program.column_upper.copy()
    for soft in model.context.soft:
        if soft.priority is not None and soft.priority <= met:
            upper[soft.columns] = 0.0
    own = switches.columns[switches.labels["initiative"].index(begun[0])]
    someday = np.zeros(model.program.num_columns)
    someday[own] = 1.0
    if not begun[1]:
        upper[own] = 0.0
    program = with_locks(model.program, [Lock(Stage("begun", someday), float(begun[1]), 1.0)]).replace(
        objective=objective, maximize=maximize, offset=0.0, column_lower=lower, column_upper=upper
    )
    prepared, grid = relaxation(CurveProgram(program, model.curves), SolveOptions(gap=GAP), "highs")
    found = solve_program(build(prepared, grid).relaxed())
    assert found.is_optimal and found.x is not None
    size = prepared.program.num_columns
    return float(objective @ (found.x[:size] * prepared.scaling.columns)[: program.num_columns])


@pytest.mark.slow
def test_the_figures_of_the_readme_are_those_of_the_plans(base: Solution, weak: Solution) -> None:
    """Every number and every name in the table of README.md, up to what a proof within 0.1 % leaves open."""
    told = story()
    names = {"initiatives that start": ("start", "initiative"), "seats that are filled": ("hire", "seller")}
    assert set(told) == {*FIGURES, *names}
    for row, cells in told.items():
        for cell, solution in zip(cells, (base, weak), strict=True):
            if row in names:
                assert set(cell.split(", ")) == set(chosen(solution, *names[row])), row
                continue
            metric, scope, unit, apart = FIGURES[row]
            value = figures(solution, metric, [], scope)[0][1] / unit
            number = float(cell.replace(",", "").removesuffix(" %"))
            assert number == pytest.approx(value, abs=apart + 0.05), row


def story() -> dict[str, list[str]]:
    """Rows of the table of the whole chain in README.md: name (up to a bracket or a comma with the unit) and
    its cells."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    section = text.split("## The whole chain")[1].split("\n## ")[0]
    rows = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("| ")]
    found = {}
    for name, *cells in rows[1:]:
        key = name.split("(")[0].strip().removesuffix(", M CNY").removesuffix(", CNY")
        found[key] = [cell.strip() for cell in cells]
    return found


@pytest.mark.slow
def test_monday_of_the_whole_chain_is_the_story_of_the_readme(monday: MondayRun) -> None:
    """Conversion of quotes is the cause, both initiatives come in, the year's target is reached again, every quota
    that moves has parts that add up and a reason, and the README has these figures."""
    again, tracked = monday.replanned, monday.tracked
    assert again is not None and not again.softened
    assert 45 < len(monday.text(height=50).splitlines()) <= 50
    whole = next(split for split in tracked.comparison.splits if not split.scope)
    assert min(whole.causes, key=lambda cause: whole.causes[cause]) == "conversion:quote"
    assert "conversion of quote, premium" in main_cause(tracked.solution, whole, tracked.comparison.drifts)
    starts = starts_frame(tracked.solution, again.solution).set_index("initiative")
    moved = starts[~starts["state"].isin(["kept", "started"])]
    assert set(moved.index) == {TRAINING, SERVICE} and set(moved["new_start"]) == {"2027-06"}
    company = next(one for one in tracked.tracking.standings if one.metric == "revenue")
    ends, premium = again.solution.figure("revenue"), figures(again.solution, "revenue", [], PREMIUM)[0][1]
    assert company.target is not None and company.forecast < company.target <= ends * (1 + 1e-6)
    assert all(
        abs(sum(one.parts.values()) - one.change) <= 1e-6 and one.reason
        for one in moves_of(tracked.solution, again.solution)
        if one.change
    )
    assert {"hires", "starts", "spend"} <= set(tracked.assumed)
    assert f"> start “{SERVICE}” now: up to +" in monday.text()
    step = next(section for section in monday.page.sections if section.asides).asides[0]
    brings = float(step.split("up to +")[1].split(" k")[0]) / 1e3
    text = (ROOT / "README.md").read_text(encoding="utf-8").split("## Monday")[1].split("\n## ")[0]
    for cause in ("leads", "conversion:quote", "volume", "mix"):
        assert f"{whole.causes[cause] / 1e8:+.2f} M" in text, cause
    for figure in ((whole.fact - whole.plan) / 100, company.forecast, ends, premium):
        assert f"{figure / 1e6:.1f} M" in text
    assert f"up to {brings:.2f} M" in text
