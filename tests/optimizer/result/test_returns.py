"""What the next unit of money brings, against differences of the curves and of plans."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from optimizer.plan.plan import Plan
from optimizer.report.compose import page
from optimizer.result.drawn import curve_points, drawn_curves
from optimizer.result.returns import return_table, returns
from optimizer.result.solution import Solution
from optimizer.settings import SolveSettings
from optimizer.solving import solve

MakePlan = Callable[..., Plan]

QUICK = SolveSettings(marginal_values=False, leverage=False)
MARKETING = "channel,max_spend,base_spend,carryover_rate\nsearch,80,30,\nvideo,90,40,0.4\n"
CURVES = "channel,family,top,half,slope\nsearch,hill,90,30,1\nvideo,hill,150,60,1\n"


@pytest.fixture
def plan_with(make_plan: MakePlan) -> Callable[[float], Solution]:
    """Three months of two channels under a budget."""

    def run(budget: float, unit: float = 1.0) -> Solution:
        def scaled(text: str, columns: tuple[str, ...]) -> str:
            head, *rows = [line.split(",") for line in text.strip().split("\n")]
            for row in rows:
                for at, name in enumerate(head):
                    if name in columns and row[at]:
                        row[at] = repr(float(row[at]) * unit)
            return "\n".join(",".join(row) for row in [head, *rows]) + "\n"

        plan = make_plan(
            3,
            marketing=scaled(MARKETING, ("max_spend", "base_spend")),
            curves=scaled(CURVES, ("half",)),
            budgets=[{"name": "Budget", "metric": "marketing_cost", "at_most": budget * unit}],
        )
        return solve(plan, QUICK)

    return run


def test_the_next_unit_is_the_derivative(plan_with: Callable[..., Solution]) -> None:
    """A little more money in a month brings the marginal return times as much in the months that follow."""
    solution = plan_with(100.0)
    found = returns(solution)
    assert found is not None
    kernel = 0.4 ** np.arange(3)

    def leads(spend: np.ndarray) -> float:
        stock = np.array([sum(kernel[a] * spend[t - a] for a in range(t + 1)) for t in range(3)])
        return float((150 * stock / (60 + stock)).sum())

    spend = found.inputs[1]
    for period in range(3):
        step = 1e-4 * np.eye(3)[period]
        slope = (leads(spend + step) - leads(spend - step)) / 2e-4
        assert found.marginal[1, period] == pytest.approx(slope, rel=1e-4, abs=1e-6)


def test_the_budget_is_worth_the_next_unit(plan_with: Callable[..., Solution]) -> None:
    """Where both channels are inside their bounds they bring the same for the next unit, and that is what a
    larger budget brings."""
    less, more = plan_with(99.9), plan_with(100.1)
    worth = (more.figure("leads") - less.figure("leads")) / 0.2
    found = returns(plan_with(100.0))
    assert found is not None
    inside = (found.inputs > 1.0) & (found.inputs < 79.0)
    assert found.marginal[inside] == pytest.approx(np.full(inside.sum(), worth), rel=2e-2)


def test_saturation_and_average(plan_with: Callable[..., Solution]) -> None:
    """Saturation is the share of the top, the average is leads over money, both also in the table."""
    solution = plan_with(100.0)
    table = return_table(solution)
    tops = table["channel"].map({"search": 90.0, "video": 150.0})
    assert table["saturation"].to_numpy() == pytest.approx((table["leads"] / tops).to_numpy(), rel=1e-5)
    spent = table[table["marketing_cost"] > 1]
    assert (spent["average_return"] * spent["marketing_cost"]).to_numpy() == pytest.approx(
        spent["leads"].to_numpy()
    )
    assert table["period"].tolist()[:3] == ["2027-01", "2027-02", "2027-03"]
    assert "Next lead" in page(solution)


def test_curves_without_a_ceiling_have_no_saturation(make_plan: MakePlan) -> None:
    """Lines, powers and logarithms grow for ever."""
    plan = make_plan(
        marketing="channel,max_spend\na,5\nb,5\n",
        curves="channel,family,slope,scale,exponent\na,linear,2,,\nb,power,,3,0.5\n",
        budgets=[{"metric": "marketing_cost", "at_most": 8}],
    )
    table = return_table(solve(plan, QUICK))
    assert table["saturation"].isna().all()
    assert table["marginal_return"].tolist()[0] == pytest.approx(2.0)


def test_currency_in_millions_or_cents_gives_the_same_plan(plan_with: Callable[..., Solution]) -> None:
    """Money in units a million times larger or a hundred times smaller changes no decision."""
    base = plan_with(100.0)
    found = returns(base)
    assert found is not None
    for unit in (1e-6, 100.0):
        other = plan_with(100.0, unit)
        theirs = returns(other)
        assert theirs is not None
        assert other.figure("leads") == pytest.approx(base.figure("leads"), rel=2e-6)
        assert theirs.inputs.sum(axis=1) / unit == pytest.approx(found.inputs.sum(axis=1), rel=5e-3)
        assert other.stages[0].gap is not None and other.stages[0].gap <= 2e-6


def test_points_to_draw(plan_with: Callable[..., Solution]) -> None:
    """The curve goes through today's point; the plan's is the mean month."""
    solution = plan_with(100.0)
    search, video = drawn_curves(solution)
    assert search.now == pytest.approx((10.0, 90 * 10 / 40))
    marketing = solution.inputs.marketing
    assert marketing is not None and video.now is not None
    stock = 40 / 3 * float(marketing.kernel[1].sum())
    assert video.now == pytest.approx((40 / 3, 150 * stock / (60 + stock)))
    assert search.plan[0] + video.plan[0] == pytest.approx(100 / 3, rel=1e-5)
    points = curve_points([search, video])
    assert set(points["what"]) == {"curve", "now", "plan"}
    assert (
        points.groupby("channel")["leads"].apply(lambda leads: leads.iloc[:200].is_monotonic_increasing).all()
    )


def test_three_figures_say_what_is_spent_now(make_plan: MakePlan) -> None:
    """120 a year bring 90, doubled 130: 10 a month bring 7.5, and the curve goes through both."""
    plan = make_plan(
        12,
        marketing="channel,max_spend\nradio,400\n",
        curves="channel,spend_now,leads_now,leads_if_doubled\nradio,120,90,130\n",
        budgets=[{"metric": "marketing_cost", "at_most": 240}],
    )
    (radio,) = drawn_curves(solve(plan, QUICK))
    assert radio.now == pytest.approx((10.0, 7.5))
    assert radio.plan == pytest.approx((20.0, 130 / 12), rel=1e-5)
