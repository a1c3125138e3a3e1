"""Questions about a run: nodes, targets, everything; in every language, and as a table."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from optimizer import messages
from optimizer.errors import InputError
from optimizer.plan.plan import Plan
from optimizer.quotas.bottom_up import reconcile
from optimizer.quotas.explanation import Question, explain, explain_table
from optimizer.quotas.quota import Quota
from optimizer.quotas.tables import quota_frames
from optimizer.report import numbers
from optimizer.result.solution import Solution
from optimizer.settings import SolveSettings
from optimizer.solving import solve

QUIET = SolveSettings(leverage=False)
MakePlan = Callable[..., Plan]
BY = ["region", "team", "seller"]


@pytest.fixture
def short(company: MakePlan) -> Solution:
    """A small company that misses its target."""
    return solve(
        company(
            targets=[{"name": "Year", "metric": "revenue", "at_least": 13_000}],
            limits=[{"name": "Line A", "metric": "revenue", "where": {"line": "A"}, "at_most": 8_000}],
            quotas=[{"name": "Q", "by": BY, "round_to": 10}],
            commitments="seller,team,commitment,weight,reason\nAnn,*,4200,,\nBob,*,2500,,hopeful\n*,W1,1300,2,\n",
        ),
        QUIET,
    )


@pytest.mark.parametrize("language", ["en", "ru", "zh"])
def test_everything_is_explained(language: str, short: Solution) -> None:
    """Targets, quotas, check list and commitments stand on one page."""
    text = explain(short, Question({}), language, QUIET)
    assert "Year" in text and "Q · Firm" in text.replace("”·", " ·").replace("» ·", " ·")
    assert "Bob" in text


def test_a_node_is_found_by_its_label(short: Solution) -> None:
    """One seller, one span; the steps of the table add up to the quota."""
    text = explain(short, Question({"seller": "Ann"}, span="2027-Q1"))
    assert text.startswith("Q · East / E1 / Ann · 2027-Q1")
    table = explain_table(short, Question({"seller": "Ann"}, span="2027-Q1"))
    assert table["adds"].sum() == table["after"].iloc[-1]
    assert table["step"].iloc[-1] == "rounding"


def test_a_target_is_explained_with_its_levers(short: Solution) -> None:
    """What binds, what one more brings, and what would close the gap."""
    text = explain(short, Question({}, rule="Year"))
    assert "Solved again with these changes, the target is met." in text
    table = explain_table(short, Question({}, rule="Year"))
    assert set(table["part"]) == {"rule", "binding", "lever"}
    missing = 13_000 - short.figure("revenue")
    hours = table[(table["part"] == "lever") & (table["family"] == "hours")]
    assert hours["value"].sum() == pytest.approx(missing, rel=1e-3)


def test_unknown_nodes_and_spans_are_refused(short: Solution) -> None:
    """Both name what is nearest."""
    for question, key in (
        (Question({"seller": "Anne"}), "quotas.node_unknown"),
        (Question({"seller": "Ann"}, span="2027-Q5"), "quotas.span_unknown"),
        (Question({"seler": "Ann"}), "quotas.node_level"),
        (Question({}, rule="Year", span="2027-Q1"), "quotas.span_alone"),
    ):
        for answer in (explain, explain_table):
            with pytest.raises(InputError) as caught:
                answer(short, question)
            assert caught.value.key == key
            assert any(name in caught.value.text() for name in ("Ann", "2027-Q1", "nearest: seller"))


@pytest.mark.parametrize("language", ["en", "ru", "zh"])
def test_balance_rules_answer_for_themselves(language: str, company: MakePlan) -> None:
    """Who lies at the edge of the band, what the rule costs by a second solve, and its members as rows."""
    markets = (
        "region,price,margin_rate,last_year_revenue,potential\nEast,1,0.5,6000,4500\nWest,1,0.5,4000,9000\n"
    )
    rule = {"name": "Even", "across": "seller", "basis": "capacity", "within": 0.1}
    sellers = (
        "seller,region,capacity,capacity_unit\nAnn,East,4000,revenue\nBob,East,3000,revenue\n"
        "Dan,West,2000,revenue\n"
    )
    territories = "region,seller\nEast,Ann\nEast,Bob\nWest,Dan\n"
    entries = {"markets": markets, "sellers": sellers, "territories": territories}
    free = solve(company(**entries), QUIET).figure("contribution")
    solution = solve(company(balance=[rule], **entries), QUIET)
    lost = free - solution.figure("contribution")
    assert lost > 100
    text = " ".join(explain(solution, Question({}, rule="Even"), language, QUIET).split())
    assert "Dan" in text and numbers.amount(lost, language) in text
    table = explain_table(solution, Question({}, rule="Even"))
    assert table["binds"].all() and set(table["member"]) == {"Ann", "Bob", "Dan"}


def test_every_rule_is_on_the_page_of_everything(company: MakePlan) -> None:
    """Targets and limits at their bound with what one more brings, those with room by their names."""
    shop = {"metric": "revenue", "where": {"sales_channel": "online"}}
    plan = company(
        targets=[{"name": "Year", "metric": "revenue", "at_least": 9_000}],
        limits=[
            {"name": "Shop", **shop, "share_at_most": 0.05},
            {"name": "Wide", "metric": "revenue", "each": "line", "at_most": 80_000},
            {"name": "Loose", **shop, "between": [10, 5_000]},
        ],
        balance=[{"name": "Load", "across": "seller", "basis": "capacity", "within": 0.9}],
        quotas=[{"name": "Q", "by": BY, "round_to": 10}],
    )
    text = " ".join(explain(solve(plan, QUIET), Question({}), settings=QUIET).split())
    assert "Year: met" in text and "≥ 9,000" in text
    assert "Shop: met, 5 % of ≤ 5 % - one percentage point more would change contribution by +" in text
    assert "Kept with room to spare: Wide (2), Loose." in text
    assert "Load: 5 members" in text and "Load: without it the plan would earn" in text
    ends = explain(solve(plan, QUIET), Question({}, rule="Loose"), settings=QUIET)
    assert "of 10 … 5,000" in ends and "room to spare" in ends


def test_commitments_meet_the_target_at_the_least_distance(short: Solution) -> None:
    """The sum of the agreed amounts is the target; nobody gives up while others add; weights count double."""
    from optimizer.quotas import assign

    (quota,) = assign(short)
    found = reconcile(short, quota, ["Q"])
    assert found is not None
    assert found.agreed[0] == 13_000
    assert found.missing == pytest.approx(0.0, abs=1e-6)
    assert [quota.title(node) for node in found.node] == ["West / W1", "East / E1 / Ann", "East / E1 / Bob"]
    assert found.reason[2] == "hopeful"
    # Cem and the shop have not committed to anything, so that they take what is left at no distance.
    assert np.abs(found.change).max() <= 10
    text = " ".join(explain(short, Question({})).split())
    rest = [(quota.title(node), found.agreed[node]) for node in found.others(quota.tree)]
    assert [name for name, _ in rest] == ["Shop", "East / E2 / Cem"]
    shown = ", ".join(f"{name} {amount:,.0f}" for name, amount in rest)
    assert f"who has not committed takes what is left: {shown}" in text
    table = quota_frames(short, [quota])["quota_commitments"]
    assert table["node"].tolist() == ["West / W1", "East / E1 / Ann", "East / E1 / Bob", *dict(rest)]
    assert table["agreed"].sum() == 13_000
    assert (table["agreed"] - table["committed"])[:3].tolist() == table["change"][:3].tolist()
    assert table["weight"][:3].tolist() == [2, 1, 1] and table["reason"].iloc[2] == "hopeful"


def test_commitments_short_of_the_target_stretch_alike(company: MakePlan) -> None:
    """When all have committed to too little, everybody adds the same share; a heavy weight adds least."""
    sellers = ["Ann", "Bob", "Cem", "Dan", "Eva", "Shop"]
    rows = "".join(f"{name},1000,{5 if name == 'Dan' else 1}\n" for name in sellers)
    plan = company(
        quotas=[{"name": "Q", "by": BY, "target": 9_000, "round_to": 10}],
        commitments=f"seller,commitment,weight\n{rows}",
    )
    from optimizer.quotas import assign

    solution = solve(plan, QUIET)
    (quota,) = assign(solution)
    found = reconcile(solution, quota, ["Q"])
    assert found is not None
    change = {quota.tree.paths[node][-1]: value for node, value in zip(found.node, found.change, strict=True)}
    assert change["Dan"] == 0
    assert [change[name] for name in sellers if name != "Dan"] == pytest.approx([600] * 5, abs=10)


def test_two_commitments_of_one_node_are_refused(company: MakePlan) -> None:
    """One of them has to go."""
    plan = company(
        quotas=[{"name": "Q", "by": BY, "target": 9_000}],
        commitments="seller,team,commitment\nAnn,*,1\nAnn,E1,2\n",
    )
    with pytest.raises(InputError) as caught:
        explain(solve(plan, QUIET), Question({}))
    assert caught.value.key == "quotas.commitment_twice"


def test_the_main_pack_is_explained(pack: Solution, pack_quotas: tuple[Quota, ...]) -> None:
    """Every quota answers for one seller; quotas without sellers of that name are passed over."""
    text = explain(pack, Question({"seller": "Li Wei"}))
    assert all(quota.name in text for quota in pack_quotas)


@pytest.mark.parametrize("language", ["en", "ru", "zh"])
def test_a_plan_that_asks_for_nothing_says_so(language: str, company: MakePlan) -> None:
    """Without rules and quotas there is one sentence, and a node is refused with the way out."""
    solution = solve(company(), QUIET)
    text = explain(solution, Question({}), language, QUIET)
    assert text.strip() == messages.text("quotas.nothing_asked", language)
    for answer in (explain, explain_table):
        with pytest.raises(InputError) as caught:
            answer(solution, Question({"seller": "Ann"}))
        assert caught.value.key == "quotas.none_given" and "quotas:" in caught.value.text(language)


def test_levers_close_a_target_behind_a_more_urgent_share(company: MakePlan) -> None:
    """A share of a more urgent priority may give up a millionth between stages, which once left the target
    short by a hair and was told as other rules standing against it."""
    share = {"metric": "revenue", "where": {"sales_channel": "online"}, "share_at_least": 0.2}
    plan = company(
        targets=[
            {"name": "Year", "metric": "revenue", "at_least": 14_000, "priority": 2},
            {"name": "Shop", **share, "priority": 1},
        ]
    )
    text = " ".join(explain(solve(plan, QUIET), Question({}, rule="Year"), settings=QUIET).split())
    assert "Shop is used up (20 %): one more percentage point adds -375" in text
    assert "Solved again with these changes, the target is met." in text
