"""What check says of a funnel before anything is solved."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from optimizer.checking import check
from optimizer.plan.plan import Plan

MakePlan = Callable[..., Plan]

MARKETS = "line,customer_type,price,margin_rate,organic\nlift,new,10,0.5,12\ndoor,new,10,0.5,\n"
ADS = {"marketing": "channel,max_spend\nads,100\n", "yields": "channel,line,opportunities\nads,door,1\n"}
STAGES = "line,stage,conversion,days\nlift,lead,0.5,10\n"


def found(plan: Plan) -> dict[str, str]:
    """Key of each finding about the funnel, or about limits, and its text."""
    findings = check(plan)
    return {one.key: one.text() for one in findings if one.key.startswith("funnel.") or "limit" in one.key}


def test_markets_without_demand_or_stages(make_plan: MakePlan) -> None:
    """A market that marketing feeds without a potential, and one that the stages leave out, are named."""
    texts = found(make_plan(markets=MARKETS, stages=STAGES, **ADS))
    assert set(texts) == {"funnel.check_no_demand", "funnel.check_no_stages"}
    assert all("door/new" in text and "lift" not in text for text in texts.values())


def test_opportunities_that_are_never_won(make_plan: MakePlan) -> None:
    """A conversion of 0 leaves nothing to sell."""
    stages = STAGES.replace("0.5", "0")
    assert "lift/new" in found(make_plan(markets=MARKETS, stages=stages))["funnel.check_never_won"]


@pytest.mark.parametrize(
    ("more", "endless"),
    [
        ({}, False),
        ({"marketing": "channel\nads\n"}, True),
        ({"marketing": "channel\nads\n", "budgets": [{"metric": "marketing_cost", "at_most": 50}]}, False),
    ],
)
def test_opportunities_are_a_limit_while_money_is(
    make_plan: MakePlan, more: dict[str, object], endless: bool
) -> None:
    """A line without any limit on its money would sell without end: an error, as for any market."""
    assert ("checking.market_without_limit" in found(make_plan(markets=MARKETS, **(ADS | more)))) is endless


def test_a_complete_funnel_is_no_finding(make_plan: MakePlan) -> None:
    """With demand and stages for every market nothing is left to say."""
    markets = (
        MARKETS.replace("organic\n", "organic,potential\n")
        .replace("12\n", "12,90\n")
        .replace("0.5,\n", "0.5,,90\n")
    )
    assert not found(make_plan(markets=markets, stages=STAGES.replace("lift,lead", "*,lead"), **ADS))
