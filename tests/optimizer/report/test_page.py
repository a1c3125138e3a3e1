"""The page that a manager reads."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from optimizer import Plan, Solution, SolveSettings, Status, load_plan, messages, page, solve
from optimizer.report.layout import text_width
from optimizer.result.solution import Contradiction, Repair
from solvers.result import Reason, Termination

PACKS = ("markets_only", "people_and_target", "premium_year", "regional_ru")
Solved = Callable[[str], Solution]
MakePlan = Callable[..., Plan]

MARKETS = "region,price,margin_rate,potential,last_year_units\nNorth,10,0.4,100,80\nSouth,20,0.3,50,40\n"


@pytest.mark.parametrize("pack", PACKS)
def test_status_and_proof_come_first(solved: Solved, pack: str) -> None:
    """The second line says that there is a plan and what is proved."""
    lines = page(solved(pack)).split("\n")
    language = solved(pack).plan.spec.language
    assert lines[0].startswith(solved(pack).plan.spec.name)
    assert lines[1] == messages.text(
        "report.status_best",
        language,
        gap={"en": "0.0001 %", "ru": "0,0001\u00a0%", "zh": "0.0001%"}[language],
    )


@pytest.mark.parametrize("language", messages.LANGUAGES)
@pytest.mark.parametrize("width", [76, 80, 120])
def test_no_line_is_wider_than_the_page(solved: Solved, language: str, width: int) -> None:
    """Sentences are wrapped and labels cut."""
    for pack in PACKS:
        for line in page(solved(pack), width, language=language).split("\n"):
            assert text_width(line) <= width, line


def test_colours_only_where_asked(solved: Solved) -> None:
    """A page for a file has no escape codes."""
    assert "\x1b" not in page(solved("premium_year"))
    assert "\x1b[1m" in page(solved("premium_year"), colour=True)


def test_chinese_figures_and_sentences_have_no_blanks_between(make_plan: MakePlan) -> None:
    """The unit follows the figure, and a sentence the one before, without a blank."""
    target = {"name": "全年", "metric": "revenue", "at_least": 250_000}
    markets = MARKETS.replace("10,0.4,100", "1000,0.4,100")
    text = page(solve(make_plan(markets=markets, currency="元", language="zh", targets=[target])))
    assert "单位万元" in text
    assert " 元" not in text.partition("\n")[2] and "。 " not in text


def test_growth_is_shown_as_percent_and_as_amount(solved: Solved) -> None:
    """The plan says growth 0.20; the page says +20 % and 120 M."""
    assert "+20 % = 120 M" in page(solved("premium_year"))
    assert re.search(r"\+20\s% = 235,4\smлн".replace("m", "м"), page(solved("regional_ru")))


def test_the_languages_say_the_same_figures(solved: Solved) -> None:
    """The same plan has as many lines of targets in each language, and none of the keys of another."""
    pages = {
        language: page(solved("premium_year"), 120, language=language) for language in messages.LANGUAGES
    }
    for language, text in pages.items():
        assert messages.text("report.binding", language) in text
        assert text.count("2027-Q1") >= 3
    assert "Targets" not in pages["ru"] and "目标" in pages["zh"] and "Цели" in pages["ru"]


def test_a_short_target_has_a_sentence_with_its_bottleneck(make_plan: MakePlan) -> None:
    """Demand of 2,000 against a target of 2,500: 500 short, because everything is sold."""
    plan = make_plan(
        markets=MARKETS, currency="EUR", targets=[{"name": "Year", "metric": "revenue", "at_least": 2500}]
    )
    text = " ".join(page(solve(plan)).split())
    assert "Year ends 500 EUR (20 %) short: 2,000 instead of 2,500." in text
    assert "The bottleneck is demand: 100 % of it in this scope is sold." in text


def test_a_short_target_blames_time_where_sellers_are_full(make_plan: MakePlan) -> None:
    """One seller who can sell for 1,000: the target falls short by what she cannot do."""
    plan = make_plan(
        markets=MARKETS,
        sellers="seller,capacity,capacity_unit\nAnna,1000,revenue\n",
        targets=[{"name": "Year", "metric": "revenue", "at_least": 1500}],
    )
    text = " ".join(page(solve(plan)).split())
    assert (
        "The bottleneck is time: its sellers are 100 % busy, while 50 % of the demand in its scope is sold."
        in text
    )


def test_one_more_unit_has_a_price_a_unit_and_a_range(make_plan: MakePlan) -> None:
    """One more unit of demand in the North brings 4, one in the South 6."""
    text = page(solve(make_plan(markets=MARKETS, currency="EUR")))
    assert re.search(r"demand in South\s+unit\s+6\s", text)
    assert re.search(r"demand in North\s+unit\s+4\s", text)
    assert "brings (EUR)" in text


def test_a_commission_budget_shows_its_use_and_binds(make_plan: MakePlan) -> None:
    """A budget of 100 that limits the plan is 100 % used and stands among what binds."""
    plan = make_plan(
        markets=MARKETS,
        sellers="seller,commission_rate\nAnna,0.1\n",
        budgets=[{"name": "Commission", "metric": "commission", "at_most": 100}],
    )
    text = page(solve(plan))
    assert "Commission: 100 of 100 used (100 %)." in text
    assert "At their bound: Commission." in text


def test_sums_on_the_page_are_exact(solved: Solved) -> None:
    """Every row of the region table adds up to its total, and every column to the last row."""
    lines = page(solved("premium_year")).split("\n")
    start = next(at for at, line in enumerate(lines) if line.startswith("Revenue by region"))
    rows = [re.findall(r"\d+\.\d\d(?!\d| %)", line) for line in lines[start + 2 : start + 7]]
    figures = [[round(float(text) * 100) for text in row] for row in rows]
    assert all(sum(row[:4]) == row[4] for row in figures)
    assert all(sum(column[:-1]) == column[-1] for column in zip(*figures, strict=True))


def test_equal_sellers_have_equal_figures_on_the_page(solved: Solved) -> None:
    """Rounding for the sake of a sum never makes a difference between six equal people."""
    lines = page(solved("people_and_target")).split("\n")
    names = ("Anna Berg", "Ben Carter", "Chloe Dubois", "David Evans", "Emma Fischer", "Farid Haddad")
    figures = {tuple(line.split()[2:]) for line in lines if line.strip().startswith(names)}
    assert len(figures) == 1


def test_assumptions_are_listed_with_what_they_move(solved: Solved) -> None:
    """A default that was used is a sentence on the page, in the plan's language."""
    text = " ".join(page(solved("people_and_target")).split())
    assert "Markets without a potential (1) can sell at most 1.5 times last year" in text
    assert "10 % off moves" in text


def test_a_plan_that_was_not_proved_says_so(solved: Solved) -> None:
    """Stopped by the clock: the page says why, and which stage is open."""
    done = solved("markets_only")
    first = replace(
        done.stages[0], result=replace(done.stages[0].result, termination=Termination(Reason.LIMIT))
    )
    stopped = replace(done, status=Status.FEASIBLE, reason="limit: time", stages=(first, *done.stages[1:]))
    text = page(stopped, language="en")
    assert "Plan found, but not proved to be the best one: the time limit came first." in text
    assert "Stage 1 of" in text


def test_no_plan_in_time(solved: Solved) -> None:
    """Without a plan the page says what came first and what to do."""
    none = replace(
        solved("markets_only"), status=Status.LIMIT, reason="interrupted", sales=None, residuals=None
    )
    assert "No plan yet: the solve was stopped by hand before a plan was found." in page(none, language="en")


def test_a_contradiction_is_said_in_business_units(root: Path) -> None:
    """The target of 200 above 170: lower it by 30, or raise Cara's most by 30; three rules conflict."""
    solution = solve(load_plan(root / "tests" / "golden" / "infeasible_target"))
    text = page(solution)
    assert "No plan exists: the rules that must hold cannot all hold." in text
    assert text.count("Total: lower by 30 units, from 200 to 170 units") == 2
    assert "Cara's most: raise by 30 units, from 60 to 90 units" in text
    conflict = text.partition("These cannot all hold")[2]
    assert all(name in conflict for name in ("Total", "Cara's most", "North"))
    assert "Anna's most" not in conflict


@pytest.mark.parametrize("language", messages.LANGUAGES)
def test_a_contradiction_in_every_language(solved: Solved, language: str) -> None:
    """Shares are changed by percentage points, facts are named, and an unproved set says so."""
    found = Contradiction(
        least_change=(
            Repair("rules", "Share", "share", 0.5, -0.1),
            Repair("hours", "Anna", "hours", 100.0, 20.0),
        ),
        single_repairs=(Repair("rules", "Share", "share", 0.5, None),),
        conflicting=(Repair("demand", "North", "units", None, None),),
        conflicting_is_minimal=False,
    )
    none = replace(
        solved("markets_only"), status=Status.NO_PLAN, reason="infeasible", sales=None, contradiction=found
    )
    text = page(none, language=language)
    for key in ("status_no_plan", "least_change", "none_alone", "conflicting_unproved"):
        start = messages.text(f"report.{key}", language)[:20]
        assert start in text
    assert messages.text("report.family_hours", language, name="Anna") in text


def test_the_page_of_a_run_names_its_files(solved: Solved) -> None:
    """With a folder the page ends with what to open next."""
    text = page(solved("premium_year"), folder="my_run")
    assert "Everything is in my_run:" in text
    for name in (
        "run.xlsx",
        "tables/sales.csv",
        "tables/shortfalls.csv",
        "tables/assumptions.csv",
        "inputs/plan.yaml",
    ):
        assert name in text


def test_printing_a_solution_prints_its_page(solved: Solved) -> None:
    """`print(solve(plan))` is the report."""
    assert str(solved("markets_only")) == page(solved("markets_only"))


def test_marginal_values_can_be_left_out(make_plan: MakePlan) -> None:
    """Settings without explanations still give a page."""
    solution = solve(make_plan(markets=MARKETS), SolveSettings(marginal_values=False, leverage=False))
    assert "What binds" not in page(solution)
