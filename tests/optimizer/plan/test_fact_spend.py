"""What was bought for money that facts say was spent: fixed costs first, then the lowest tier."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from optimizer.plan.inputs import resolve
from optimizer.plan.plan import Plan
from optimizer.solving import solve

MakePlan = Callable[..., Plan]


@pytest.mark.parametrize(
    ("fixed_per", "per", "inputs"),
    [
        ("period", "period", [12, 0, 12]),
        ("horizon", "horizon", [12, 0, 24]),
        ("horizon", "period", [12, 0, 16]),
    ],
)
def test_money_buys_inputs_at_the_prices_of_its_tiers(
    make_plan: MakePlan, fixed_per: str, per: str, inputs: list[float]
) -> None:
    """24 less a fixed cost of 4 buys ten at 1.8 and two at 1, each month or first of all; what it cost is
    what was spent."""
    plan = make_plan(
        periods=4,
        marketing=f"channel,unit_cost,max_insertions,fixed_cost,fixed_per\nad,1.8,99,4,{fixed_per}\n",
        tiers=f"channel,above_insertions,unit_cost,per\nad,10,1,{per}\n",
        curves="channel,family,slope\nad,linear,2\n",
        actuals="period,channel,spend\n2027-01,ad,24\n2027-02,ad,\n2027-03,ad,24\n",
        calendar={"as_of": "2027-04-01"},
        objective=[{"maximize": "leads"}],
    )
    facts = resolve(plan).facts
    assert facts is not None and facts.spend is not None
    assert facts.spend[0, :3].tolist() == pytest.approx(inputs)
    solution = solve(plan)
    cost = [solution.figure("marketing_cost", {"period": f"2027-0{month}"}) for month in (1, 2, 3)]
    assert cost == pytest.approx([24, 0, 24])
