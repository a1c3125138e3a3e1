"""Activity targets, customers and what marketing brings, as tables and as lines of the page."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from optimizer.plan.plan import Plan
from optimizer.report.compose import page
from optimizer.result.solution import Solution
from optimizer.result.tables import tables
from optimizer.settings import SolveSettings
from optimizer.solving import solve

MakePlan = Callable[..., Plan]

FLAT = "profile,period_or_age,value\n" + "".join(f"season,{month},{1 / 12:.12f}\n" for month in range(1, 13))


@pytest.fixture
def solution(make_plan: MakePlan) -> Solution:
    """Twelve months: 100 leads a month come by themselves, four in ten get a quote, half of the quotes sign a
    month later."""
    plan = make_plan(
        12,
        markets=(
            "line,customer_type,price,margin_rate,organic,potential\n"
            "lift,new,20,0.5,1200,2400\nservice,existing,5,0.4,,9000\n"
        ),
        stages="line,stage,conversion,days\nlift,lead,0.4,0\nlift,quote,0.5,30.4375\n",
        customers="line,customers,retention,orders\nservice,500,0.9,2\n",
        marketing="channel,max_spend\nads,120\n",
        yields="channel,line,opportunities\nads,lift,1\n",
        profiles=FLAT,
        language="en",
    )
    return solve(plan, SolveSettings(leverage=False, marginal_values=False))


def test_tables_of_the_funnel(solution: Solution) -> None:
    """Each stage needs what the next ones lose, a month ahead; customers flow; marketing is told by channel."""
    found = tables(solution)
    targets = found["activity_targets"]
    assert list(targets.columns) == ["seller", "stage", "period", "quarter", "year", "deals", "deals_a_week"]
    by_stage = targets.groupby("stage")["deals"].sum()
    assert by_stage["lead"] * 0.4 == pytest.approx(by_stage["quote"])
    sold = solution.sales_after[0].sum() + solution.sales[0].sum()
    january = found["sales"].query("line == 'lift' and period == '2027-01'")["deals"].sum()
    assert by_stage["quote"] * 0.5 == pytest.approx(sold - january, rel=1e-4)
    first = targets.iloc[0]
    assert first["deals_a_week"] == pytest.approx(first["deals"] * 7 / 31)
    customers = found["customers"]
    assert customers["customers_before"].iloc[0] == 500
    change = customers["joined"] - customers["left"]
    assert (customers["customers"] - customers["customers_before"]).tolist() == pytest.approx(change.tolist())
    assert customers["customers"].iloc[-1] == pytest.approx(solution.figure("customers"))
    marketing = found["marketing"]
    assert marketing["won"].sum() == pytest.approx(0.2 * marketing["opportunities"].sum())
    assert marketing["opportunities"].sum() == pytest.approx(marketing["leads"].sum())


def test_page_of_the_funnel(solution: Solution) -> None:
    """The page says what a seller has to do in a week, how customers move, and what is behind the horizon."""
    for language, words in {
        "en": (
            "What sellers have to do",
            "A seller and week",
            "At the start",
            "from 2028-01 to 2028-01",
            "Deals won",
        ),
        "ru": ("Что делать продавцам", "На начало", "2028-01"),
        "zh": ("销售人员要做的事", "期初", "2028-01"),
    }.items():
        text = page(solution, language=language)
        for word in words:
            assert word in text


def test_kpis_know_the_funnel(solution: Solution) -> None:
    """Every metric is a report line, by quarter and by label where it has one."""
    kpis = tables(solution)["kpis"].set_index(["metric", "scope", "member", "period"])["value"]
    assert kpis["conversion", "company", "", "all"] == pytest.approx(0.2)
    assert kpis["retention", "line", "service", "2027-Q2"] == pytest.approx(0.9)
    assert kpis["cac", "channel", "ads", "all"] == pytest.approx(5.0)
    assert kpis["customers", "company", "", "2027-Q4"] == pytest.approx(
        kpis["customers", "company", "", "all"]
    )
