"""What `check` finds in quotas without a solver."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from optimizer.checking import check
from optimizer.errors import InputError
from optimizer.plan.load import load_plan
from optimizer.plan.plan import Plan
from optimizer.quotas.precheck import refuse_quotas
from scenarios.examples import FOLDER

MakePlan = Callable[..., Plan]
BY = ["region", "team", "seller"]

WRONG: dict[str, dict[str, Any]] = {
    "metric": {"quotas": [{"by": BY, "metric": "market_share"}]},
    "over_level": {"quotas": [{"by": BY, "over_assignment": {"tema": 0.1}}]},
    "target_unknown": {"quotas": [{"by": BY, "target": "Yaer"}]},
    "name_twice": {"quotas": [{"by": BY}, {"by": ["seller"]}]},
    "row_no_node": {"quotas": [{"by": BY}], "commitments": "seller,team,commitment\nAnn,W1,4000\n"},
    "row_quota": {"quotas": [{"by": BY}], "credits": "quota,overlay,share\nX,Mia,0.5\n"},
    "floors_too_high": {
        "quotas": [{"by": BY, "target": 12_000, "over_assignment": {"seller": 0.1}}],
        "locks": "seller,value,reason\nAnn,9000,x\nBob,9000,y\n",
    },
    "lock_step": {"quotas": [{"by": BY, "round_to": 10}], "locks": "seller,value,reason\nAnn,4001,x\n"},
}


@pytest.mark.parametrize("key", WRONG)
def test_errors_are_found_before_solving(key: str, company: MakePlan) -> None:
    """The same sentence as after solving, as a finding and as a refusal."""
    plan = company(**WRONG[key])
    found = [finding for finding in check(plan) if finding.level == "error"]
    assert [finding.key for finding in found] == [f"quotas.{key}"]
    assert found[0].text("zh")
    with pytest.raises(InputError) as caught:
        refuse_quotas(plan)
    assert caught.value.key == f"quotas.{key}"


def test_floors_are_compared_with_a_target_of_the_plan(
    company: MakePlan, seller_table: Callable[..., str]
) -> None:
    """quota_min of sellers against the amount of a target, and against a lock above them without any."""
    floors = seller_table(Ann={"quota_min": 7000}, Bob={"quota_min": 6000})
    year = {"name": "Year", "metric": "revenue", "at_least": 12_000}
    wrong = company(quotas=[{"by": BY}], targets=[year], sellers=floors)
    locked = company(quotas=[{"by": BY}], sellers=floors, locks="team,value,reason\nE1,9000,x\n")
    for plan, carries in ((wrong, "12,000"), (locked, "9,000")):
        with pytest.raises(InputError) as caught:
            refuse_quotas(plan)
        assert caught.value.key == "quotas.floors_too_high"
        assert "13,000" in caught.value.text() and carries in caught.value.text()
    refuse_quotas(company(quotas=[{"by": BY}], targets=[year | {"at_least": 13_000}], sellers=floors))


def test_much_over_assignment_is_warned_of(company: MakePlan) -> None:
    """Above 25 % it is said, and the plan can still be solved."""
    plan = company(quotas=[{"name": "Q", "by": BY, "over_assignment": {"seller": 0.3}}])
    found = [finding for finding in check(plan) if finding.key.startswith("quotas.")]
    assert [finding.level for finding in found] == ["warning"]
    assert "30%" in found[0].text()
    refuse_quotas(plan)


def test_the_main_pack_has_nothing_to_say() -> None:
    """Its quotas are usable as they stand."""
    plan = load_plan(FOLDER / "premium_year")
    assert plan.spec.quotas
    assert not [finding for finding in check(plan) if finding.key.startswith("quotas.")]
