"""Every metric and ratio can be a figure of the report, a target, a must, a rule a member, and a stage."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from optimizer.errors import InputError
from optimizer.model.metrics import (
    ACTIVITY_METRICS,
    OTHER_METRICS,
    RATIOS,
    SALES_METRICS,
    SEAT_METRICS,
)
from optimizer.plan.load import plan_from_data
from optimizer.report.compose import worst_gap
from optimizer.result.evaluate import figures
from optimizer.result.kpis import kpis
from optimizer.result.solution import Solution, Status
from optimizer.settings import SolveSettings
from optimizer.solving import solve

METRICS = [*SALES_METRICS, *SEAT_METRICS, *ACTIVITY_METRICS, *OTHER_METRICS, *RATIOS, "cars"]
QUICK = SolveSettings(marginal_values=False, leverage=False)
TABLES = {
    "markets": (
        "region,customer_type,price,margin_rate,units_per_deal,potential,last_year_revenue,size_revenue\n"
        "North,new,10,0.2,2,100,800,9000\nSouth,existing,20,0.5,4,100,1500,8000\n"
    ),
    "sellers": (
        "seller,team,capacity,capacity_unit,commission_rate,cost\n"
        "Anna,x,40,deals,0.1,500\nBen,y,20,deals,,300\n"
    ),
    "resources": "resource,capacity,extra_price\ncars,90,3\n",
    "uses": "activity,region,resource,amount\nsell,North,cars,0.5\n",
    "marketing": "channel,unit_cost,max_spend\nradio,10,100\n",
    "curves": "channel,family,slope\nradio,linear,5\n",
    "yields": "channel,customer_type,opportunities\nradio,new,2\n",
    "stages": "stage,conversion,days\noffer,0.5,20\n",
    "customers": "customer_type,customers,retention,orders,revenue_per_order\nexisting,40,0.8,2,20\n",
    "initiatives": "initiative,cost,running_cost,benefit\ncall centre,20,5,10\n",
}
FLOORS = [
    {"name": "floor", "metric": "revenue", "at_least": 500},
    {"name": "brought", "metric": "won", "at_least": 1},
    {"name": "ceiling", "metric": "extra_cost", "at_most": 1000},
]


def figure(solution: Solution, metric: str) -> float:
    """The metric of the whole plan; 0 for a ratio of nothing."""
    return float(np.nan_to_num(solution.figure(metric)))


@pytest.fixture(scope="module")
def solved(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Solution]:
    """Solves the plan with more entries."""
    folder = tmp_path_factory.mktemp("plan")
    for name, content in TABLES.items():
        (folder / f"{name}.csv").write_text(content, encoding="utf-8")
    data = {
        "name": "Test",
        "calendar": {"start": "2027-01-01", "periods": 2},
        # Contribution after the horizon counts in its stage and not in its figure.
        "run_out": 0,
        "tables": {name: f"{name}.csv" for name in TABLES},
    }

    def run(**entries: object) -> Solution:
        solution = solve(plan_from_data({**data, "limits": FLOORS, **entries}, folder), QUICK)
        assert solution.status is Status.OPTIMAL
        return solution

    return run


@pytest.fixture(scope="module")
def usual(solved: Callable[..., Solution]) -> Solution:
    """The plan by its default objective."""
    return solved()


def test_a_figure_of_the_report(usual: Solution) -> None:
    """The table of figures has a line of the company for each."""
    table = kpis(usual)
    lines = table[(table["scope"] == "company") & (table["period"] == "all")]
    assert lines["metric"].tolist() == METRICS


COLUMNS = (
    "region", "customer_type", "seller", "team", "channel", "initiative", "resource", "quarter", "period",
)  # fmt: skip
REFUSED = ("model.metric_not_by_column", "model.seat_metric_by_market", "model.market_figure_by_seller")
NOT_ADDED = {("contribution", column) for column in COLUMNS[:7]} | {
    ("headcount", "period"),
    ("customers", "period"),
}
"""Company costs lie in no region; heads are a mean and customers those of the end."""


@pytest.mark.parametrize("metric", METRICS)
def test_members_of_every_column(usual: Solution, metric: str) -> None:
    """By each column the figures add up to that of the company, or one sentence says that they are not known."""
    known = 0
    for column in COLUMNS:
        try:
            found = figures(usual, metric, [column])
        except InputError as error:
            assert error.key in REFUSED
            continue
        known += 1
        if metric not in RATIOS and (metric, column) not in NOT_ADDED:
            total = sum(value for _, value in found)
            assert total == pytest.approx(usual.figure(metric), rel=1e-6, abs=1e-6)
    assert known >= 3


@pytest.mark.parametrize("metric", METRICS)
def test_a_target_a_must_and_a_rule_a_member(
    solved: Callable[..., Solution], usual: Solution, metric: str
) -> None:
    """A hard bound that holds is met, one a quarter is about the same figure, and a target out of reach is
    short in the metric's unit."""
    base = figure(usual, metric)
    room, far = 1e-3 * abs(base) + 1e-3, 10 * abs(base) + 10
    hard = {"name": "hard", "metric": metric, "at_least": base - room, "at_most": base + room}
    each = {"name": "each", "metric": metric, "each": "quarter", "at_most": base + room}
    target = {"name": "soft", "metric": metric, "at_least": far}
    found = {
        outcome.rule: outcome for outcome in solved(targets=[target], limits=[*FLOORS, hard, each]).outcomes
    }
    if found["soft"].status == "no_denominator":
        assert metric in RATIOS
        return
    assert found["hard"].status == found["each"].status == "met"
    assert found["each"].member == ("2027-Q1",)
    assert found["each"].value == pytest.approx(found["hard"].value)
    assert found["soft"].status == "short"
    assert found["soft"].shortfall == pytest.approx(far - found["soft"].value)


def check_stage(solution: Solution, usual: Solution, metric: str, sign: float) -> None:
    """The stage is proved, and the plan of the default objective is not better."""
    value, other = solution.stages[0].value, figure(usual, metric)
    gap = worst_gap(solution)
    assert value is not None and gap is not None and gap <= 1e-5
    if metric == "contribution":
        # Its stage counts the run-out periods as well, which no figure sees.
        return
    assert value == pytest.approx(figure(solution, metric), rel=1e-5, abs=1e-5)
    assert sign * value >= sign * other - 1e-5 * (1 + abs(other))


@pytest.mark.parametrize("metric", METRICS)
def test_a_stage_to_be_maximised(solved: Callable[..., Solution], usual: Solution, metric: str) -> None:
    """As a stage it is proved, and the plan of the default objective has no more."""
    check_stage(solved(objective=[{"maximize": metric}]), usual, metric, 1.0)


@pytest.mark.slow
@pytest.mark.parametrize("metric", METRICS)
def test_a_stage_to_be_minimised(solved: Callable[..., Solution], usual: Solution, metric: str) -> None:
    """As a stage it is proved, and the plan of the default objective has no less."""
    check_stage(solved(objective=[{"minimize": metric}]), usual, metric, -1.0)
