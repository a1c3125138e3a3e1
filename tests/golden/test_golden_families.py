"""Every constraint family has a case with tables in; LP file, plan and objective out."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from optimizer.model.compile import FAMILIES, Model, compile_plan
from optimizer.plan.inputs import resolve
from optimizer.plan.load import load_plan
from optimizer.result.activities import decisions
from optimizer.result.solution import Solution
from optimizer.solving import solve, solver_stage
from solvers.files import write_lp

HERE = Path(__file__).parent
CASES = {
    "california_mfg": 14.0,
    "closed_month": 45.0,
    "customers_renew": 900.0,
    "dorian_auto": 320.0,
    "fixed_costs": 175.0,
    "frozen_part": 42.0,
    "infeasible_target": None,
    "lagged_funnel": 180 / 7,
    "market_share": 32.0,
    "maxmin_fairness": 150 / 230,
    "near_last_year": 29.0,
    "open_seat": 1740.0,
    "training_and_service": 605.0,
    "reps_and_managers": 2906.68719476736,
    "training_and_prices": 9140 / 9,
    "vacant_seat": 200.0,
    "volume_prices": 166.0,
    "wyndor": 36.0,
}
"""Case with the files model.lp and plan.csv -> the figure of its first stage; None where no plan exists."""


def compiled(case: str) -> Model:
    """The model of a case."""
    return compile_plan(resolve(load_plan(HERE / case)))


def test_every_family_has_a_case() -> None:
    """Each family of the catalogue has rows, or ties columns by curves, in one of the cases."""
    seen = {block.name for case in CASES for block in compiled(case).program.row_blocks if block.size}
    assert set(FAMILIES) - seen == set()


@pytest.mark.parametrize("case", CASES)
def test_the_program_is_the_recorded_one(case: str, tmp_path: Path) -> None:
    """The first stage, written as an LP file, is model.lp of the case, line by line."""
    model = compiled(case)
    stage = solver_stage(model, model.stages[0])
    program = model.program.replace(objective=stage.objective, maximize=stage.maximize, offset=stage.offset)
    write_lp(program, tmp_path / "model.lp")
    written = (tmp_path / "model.lp").read_text(encoding="utf-8")
    assert written == (HERE / case / "model.lp").read_text(encoding="utf-8")


def planned(solution: Solution) -> dict[tuple[str, str, str], float]:
    """What the plan decides, and what follows: activity, row and period -> amount; zeros are left out."""
    cube, model = solution.sellers, solution.model
    periods, found = model.cube.calendar.period, {}
    if solution.sales is not None:
        pairs = zip(cube.pair_seat, cube.pair_market, strict=True)
        for (seat, market), amounts in zip(pairs, solution.sales, strict=True):
            row = f"{cube.seat_names[seat]} / {cube.markets.names[market]}"
            found |= {("sales", row, periods[at]): float(amount) for at, amount in enumerate(amounts)}
        for one in decisions(solution).itertuples():
            found[one.activity, one.row, one.period] = one.amount
    return {key: amount for key, amount in found.items() if abs(amount) > 1e-4}


@pytest.mark.parametrize("case", CASES)
def test_objective_and_plan_are_the_recorded_ones(case: str) -> None:
    """The first stage reaches what can be worked out by hand, by the decisions of plan.csv."""
    solution = solve(load_plan(HERE / case))
    expected = None if CASES[case] is None else pytest.approx(CASES[case], rel=1e-5)
    assert solution.stages[0].value == expected
    table = pd.read_csv(HERE / case / "plan.csv", dtype={"activity": str, "row": str, "period": str})
    recorded = {(one.activity, one.row, one.period): one.amount for one in table.itertuples()}
    assert planned(solution) == pytest.approx(recorded, rel=1e-4, abs=1e-3)


@pytest.mark.parametrize("family", FAMILIES)
def test_the_page_of_the_model_has_every_family(family: str) -> None:
    """Its section has a formula, says in which unit, and where the method comes from."""
    page = (HERE.parents[1] / "docs" / "model.md").read_text(encoding="utf-8")
    section = page.split(f"\n### {family}\n")[1].split("\n### ")[0].split("\n## ")[0]
    assert "\n    " in section
    assert "Reference: " in section
    assert "Units: " in section
