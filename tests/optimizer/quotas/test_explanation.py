"""Questions about a run: nodes, targets, everything; in every language, and as a table."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from optimizer.errors import InputError
from optimizer.plan.plan import Plan
from optimizer.quotas.bottom_up import reconcile
from optimizer.quotas.explanation import Question, explain, explain_table
from optimizer.quotas.quota import Quota
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
    ):
        for answer in (explain, explain_table):
            with pytest.raises(InputError) as caught:
                answer(short, question)
            assert caught.value.key == key
            assert "Ann" in caught.value.text() or "2027-Q1" in caught.value.text()


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
