"""Quotas as tables, letters and a check list: every figure in them is the quota's own."""

from __future__ import annotations

from collections.abc import Callable
from io import StringIO

import pandas as pd
import pytest

from optimizer.errors import InputError
from optimizer.plan.plan import Plan
from optimizer.quotas import assign
from optimizer.quotas.controls import ITEMS, controls
from optimizer.quotas.explanation import Question, explain
from optimizer.quotas.letters import letter_files
from optimizer.quotas.quota import Quota
from optimizer.quotas.tables import quota_frames
from optimizer.quotas.wording import Words, chain_sentences, chain_title, main_reason
from optimizer.result.solution import Solution
from optimizer.settings import SolveSettings
from optimizer.solving import solve

QUIET = SolveSettings(marginal_values=False, leverage=False)
BY = ["region", "team", "seller"]
MakePlan = Callable[..., Plan]


@pytest.fixture(scope="module")
def frames(pack: Solution, pack_quotas: tuple[Quota, ...]) -> dict[str, pd.DataFrame]:
    """The tables of the main pack."""
    return quota_frames(pack, pack_quotas)


def test_the_table_holds_every_node_and_span(
    frames: dict[str, pd.DataFrame], pack_quotas: tuple[Quota, ...]
) -> None:
    """One row a node and span; parents' rows are the sums of their children's."""
    table = frames["quotas"]
    assert len(table) == sum(quota.wide.size for quota in pack_quotas)
    revenue = table[(table["quota"] == "Revenue") & (table["span"] == "2027")]
    top, regions = revenue[revenue["level"] == ""], revenue[revenue["level"] == "region"]
    assert top["amount"].item() == regions["amount"].sum() == 120_000_000
    assert set(revenue["unit"]) == {"CNY"}
    assert revenue[revenue["level"] == "seller"]["over_assignment"].unique() == pytest.approx([0.1])


def test_the_chain_table_adds_up(frames: dict[str, pd.DataFrame]) -> None:
    """The steps of each node add up to the quota of its horizon."""
    numbers = frames["quotas"].groupby(["quota", "node"], sort=False).last()["amount"]
    sums = frames["quota_chain"].groupby(["quota", "node"], sort=False)["adds"].sum()
    assert (numbers - sums[numbers.index]).abs().max() < 1e-6


def test_fairness_names_figures_and_sentences(frames: dict[str, pd.DataFrame]) -> None:
    """Every figure has a sentence; nobody of the revenue quota is outside the band."""
    table = frames["quota_fairness"]
    revenue = table[table["quota"] == "Revenue"].set_index("figure")
    assert revenue.loc["gini", "value"] == pytest.approx(0.0, abs=1e-3)
    assert revenue.loc["outside", "value"] == 0
    assert (table["sentence"] != "").all()


@pytest.mark.parametrize("language", ["en", "ru", "zh"])
def test_the_check_list_is_computed(language: str, pack: Solution, pack_quotas: tuple[Quota, ...]) -> None:
    """All six items, met where the quota follows the plan; the stretch of the quota by potential is found."""
    revenue, *_, lines = (controls(pack.plan, quota, language) for quota in pack_quotas)
    assert tuple(item.item for item in revenue) == ITEMS
    assert all(item.met for item in revenue)
    assert {item.item: item.met for item in lines}["motivation"] is False
    assert all(item.sentence for item in (*revenue, *lines))


@pytest.mark.parametrize(
    ("guard", "locks", "met", "words"),
    [
        (None, None, True, "no guard against target pay is set"),
        ({"at_most": 8}, None, True, "the guard against target pay holds"),
        (
            {"at_most": 8},
            "seller,value,reason\nDan,3300,x\n",
            False,
            "break the guard against target pay for 1",
        ),
        ({"at_least": 20}, None, False, "the guard against target pay gave way"),
    ],
)
def test_the_pay_guard_is_measured(
    guard: dict[str, float] | None, locks: str | None, met: bool, words: str, company: MakePlan
) -> None:
    """Not set, kept, broken by a lock of 3,300 for a pay of 400, or given up; measured on the finished
    numbers."""
    plan = company(quotas=[{"by": BY, "target": 12_000, "against_target_pay": guard}], locks=locks)
    (quota,) = assign(solve(plan, QUIET))
    item = next(item for item in controls(plan, quota, "en") if item.item == "motivation")
    assert words in item.sentence
    assert item.met == (met and item.figure <= 0.25)


def test_letters_hold_the_numbers(pack: Solution, pack_quotas: tuple[Quota, ...]) -> None:
    """One table a leaf and one page a node above, each with the quota's own numbers."""
    quota = pack_quotas[0]
    files = letter_files(pack, [quota])
    tables = {name: text for name, text in files.items() if name.endswith(".csv")}
    pages = {name: text for name, text in files.items() if name.endswith(".txt")}
    assert len(tables) == quota.tree.num_leaves
    assert len(pages) == quota.tree.size - quota.tree.num_leaves
    for node, text in zip(range(quota.tree.size)[quota.tree.leaves], tables.values(), strict=True):
        letter = pd.read_csv(StringIO(text))
        assert letter["amount"].tolist() == quota.wide[node].tolist()
        steps = letter[[name for name in letter.columns if name.startswith("step_")]].sum(axis=1)
        assert (steps - letter["amount"]).abs().max() < 1e-6
    company = next(text for name, text in pages.items() if " 00000 " in name)
    assert "120,000,000" in company


def test_no_letter_takes_the_place_of_another(company: MakePlan) -> None:
    """Names that file systems cannot tell apart are numbered; reasons are words, which spreadsheets do not
    take for a formula."""
    quotas = [{"name": name, "by": BY, "target": 12_000} for name in ("A/B", "a-b", "New")]
    solution = solve(company(quotas=quotas), QUIET)
    found = assign(solution)
    files = letter_files(solution, found)
    assert len({name.casefold() for name in files}) == sum(quota.tree.size for quota in found)
    assert {name.split(" 0")[0] for name in files} == {"letters/A-B (1)", "letters/a-b (2)", "letters/New"}
    reasons = quota_frames(solution, found)["quota_letters"]["reason"]
    assert not reasons.str.startswith(("+", "-", "=")).any()


def test_letters_say_what_to_do_in_a_week(make_plan: MakePlan) -> None:
    """Ten deals a year need 40 leads and 20 quotes: so many a week, in the letter, on the manager's page, and in
    the answer to why; a seller for all regions has a letter with a name."""
    plan = make_plan(
        1,
        markets="line,price,margin_rate,organic,potential\nA,10,0.5,40,100\n",
        sellers="region,seller\n*,Ann\n",
        stages="line,stage,conversion,days,hours\nA,lead,0.5,0,1\nA,quote,0.5,0,1\n",
        quotas=[{"name": "Q", "by": ["region", "seller"], "round_to": 1}],
    )
    solution = solve(plan, QUIET)
    quotas = assign(solution)
    files = letter_files(solution, quotas)
    (letter,) = (pd.read_csv(StringIO(text)) for name, text in files.items() if name.endswith(".csv"))
    assert letter["week_lead"].tolist() == pytest.approx([40 * 7 / 31] * len(letter), rel=1e-4)
    assert letter["week_quote"].tolist() == pytest.approx([20 * 7 / 31] * len(letter), rel=1e-4)
    sentence = "To do in an average week of it: lead 9.0, quote 4.5."
    assert sentence in files["letters/Q 00001 all.txt"]
    assert sentence in explain(solution, Question({"seller": "Ann"}))
    assert sentence not in files["letters/Q 00000 Test.txt"]


@pytest.mark.parametrize("language", ["en", "ru", "zh"])
def test_sentences_of_every_rule(language: str, company: MakePlan, seller_table: Callable[..., str]) -> None:
    """Every kind of step is said in every language, with figures of the chain."""
    plan = company(
        language=language,
        quotas=[{
            "name": "Q", "by": BY, "target": 15_000, "round_to": 10, "over_assignment": {"seller": 0.1},
            "against_last_quota": {"at_most": 0.3}, "against_target_pay": {"at_most": 8},
            "stretch_at_most": 0.6, "fairness": {"basis": "capacity", "within": 0.4},
        }],
        sellers=seller_table(Ann={"quota_max": 5000}),
        locks="team,seller,value,reason\nW1,*,1500,agreed with Dan\n",
    )  # fmt: skip
    solution = solve(plan, QUIET)
    (quota,) = assign(solution)
    words = Words(quota, language, "CNY")
    last = len(quota.spans.all_labels) - 1
    for node in range(quota.tree.size):
        sentences = chain_sentences(words, node, last)
        assert sentences[-1].startswith("= ")
        assert main_reason(words, node)
    team = quota.tree.paths.index(("West", "W1"))
    assert "agreed with Dan" in chain_title(words, team, last)
    assert quota_frames(solution, [quota])


def test_overlay_sellers_stand_beside_the_sums(company: MakePlan) -> None:
    """An overlay seller with half the credit for the East carries half of the quotas there, in whole
    steps; the shop belongs to every region."""
    plan = company(
        quotas=[{"by": BY, "target": 12_000, "round_to": 10}],
        credits="overlay,seller.region,share\nMia,East,0.5\nNoa,*,0.1\n",
    )
    solution = solve(plan, QUIET)
    (quota,) = assign(solution)
    table = quota_frames(solution, [quota])["quota_credits"]
    year = table[table["span"] == "2027"].set_index("overlay")
    east = sum(quota.year[quota.tree.paths.index(path)] for path in (("East",), ("",)))
    assert year.loc["Mia", "amount"] == pytest.approx(0.5 * east, abs=10)
    assert year.loc["Noa", "amount"] == pytest.approx(1_200, abs=10)
    months = table[(table["overlay"] == "Mia") & (table["span_kind"] == "period")]["amount"]
    assert months.sum() == year.loc["Mia", "amount"]


def test_more_credit_than_sales_is_refused(company: MakePlan) -> None:
    """Two rows that credit the same sales with 140 %."""
    plan = company(
        quotas=[{"by": BY, "target": 12_000}],
        credits="overlay,seller,seller.region,share\nMia,Ann,*,0.7\nMia,*,East,0.7\n",
    )
    with pytest.raises(InputError) as caught:
        quota_frames(solve(plan, QUIET))
    assert caught.value.key == "quotas.credit_over" and "140%" in caught.value.text()


@pytest.mark.parametrize("target", [0, 12_345.67])
def test_targets_of_any_size_are_divided_and_told(target: float, company: MakePlan) -> None:
    """A target of nothing is 0 for everybody; one between two steps is the nearer step; last year's shares
    are the same for both."""
    solution = solve(company(quotas=[{"by": BY, "target": target, "round_to": 1_000}]), QUIET)
    (quota,) = assign(solution)
    assert quota.year[0] == round(target, -3)
    words = Words(quota, "en", "")
    ann = quota.tree.paths.index(("East", "E1", "Ann"))
    share = quota.bases.last_year[ann - quota.tree.leaves.start].sum() / 10_000
    assert f"last year's share, {100 * share:.4g}" in chain_sentences(words, ann, 16)[0]
    assert quota_frames(solution)["quotas"]["amount"].sum() % 1_000 == 0


def test_a_plan_without_quotas_has_no_tables(company: MakePlan) -> None:
    """Nothing is made where nothing was asked."""
    assert quota_frames(solve(company(), QUIET)) == {}
