"""Prices by volume agree with trying every number of insertions, each paid for one after the other."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from optimizer.plan.load import plan_from_data
from optimizer.solving import solve

MOST = 6
PRICES = st.sampled_from((1, 2, 3, 5))


@st.composite
def tiered(draw: st.DrawFn) -> dict[str, Any]:
    """Two rows of marketing over two months, one with two tiers, and a budget a month."""
    beginnings = draw(st.lists(st.integers(1, 5), min_size=2, max_size=2, unique=True))
    tiers = [(above, draw(PRICES)) for above in sorted(beginnings)]
    return {
        "first": draw(PRICES),
        "tiers": tiers,
        "per": draw(st.sampled_from(("period", "horizon"))),
        "slope": draw(st.sampled_from((2, 3))),
        "budget": draw(st.integers(2, 30)),
        "month": draw(st.sampled_from((8, 15, 60))),
    }


def month_costs(case: dict[str, Any], bought: tuple[int, ...]) -> list[float]:
    """What the insertions of each month cost: every single one at the price of the place that it has."""
    costs, count = [], 0
    for number in bought:
        count = count if case["per"] == "horizon" else 0
        cost = 0.0
        for _ in range(number):
            price = case["first"]
            for above, tier_price in case["tiers"]:
                price = tier_price if count >= above else price
            cost += float(price)
            count += 1
        costs.append(cost)
    return costs


def best_leads(case: dict[str, Any]) -> float:
    """The most leads of all affordable numbers of insertions; what is left buys a lead for 1 elsewhere."""
    best = 0.0
    for bought in itertools.product(range(MOST + 1), repeat=2):
        costs = month_costs(case, bought)
        rooms = [float(case["month"]) - cost for cost in costs]
        left = float(case["budget"]) - sum(costs)
        if left >= 0 and min(rooms) >= 0:
            best = max(best, int(case["slope"]) * sum(bought) + min(left, sum(rooms)))
    return best


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(case=tiered())
def test_tiers_agree_with_trying_everything(tmp_path: Path, case: dict[str, Any]) -> None:
    """The same leads, and a cost of each month that is the one paid insertion by insertion."""
    rows = "".join(f"shop,{above},{price},{case['per']}\n" for above, price in case["tiers"])
    texts = {
        "marketing": f"channel,unit_cost,max_insertions,whole_units\nshop,{case['first']},{2 * MOST},yes\nrest,,,no\n",
        "tiers": "channel,above_insertions,unit_cost,per\n" + rows,
        "curves": f"channel,family,slope\nshop,linear,{case['slope']}\nrest,linear,1\n",
    }
    for name, text in texts.items():
        (tmp_path / f"{name}.csv").write_text(text, encoding="utf-8")
    limits = [
        {"metric": "marketing_cost", "each": "period", "at_most": case["month"]},
        {"metric": "insertions", "each": "period", "at_most": MOST},
    ]
    spec = {
        "name": "Tiers",
        "calendar": {"start": "2027-01-01", "periods": 2, "every": "month"},
        "tables": {name: f"{name}.csv" for name in texts},
        "budgets": [{"metric": "marketing_cost", "at_most": case["budget"]}],
        "limits": limits,
        "objective": [{"maximize": "leads"}],
    }
    solution = solve(plan_from_data(spec, tmp_path))
    assert solution.figure("leads") == pytest.approx(best_leads(case), rel=1e-5, abs=1e-5)
    bought = solution.activities.blocks["spend"].values(solution.x)[0]
    shop = [
        solution.figure("marketing_cost", {"channel": "shop", "period": one})
        for one in ("2027-01", "2027-02")
    ]
    paid = month_costs(case, (round(bought[0]), round(bought[1])))
    assert shop == pytest.approx(paid, rel=1e-5, abs=1e-5)
