"""The plan file: read strictly, and every fault named with its line, entry and way out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from optimizer.errors import InputError
from optimizer.plan.load import load_plan, plan_from_data
from optimizer.plan.plan import Plan

HORIZON = "name: x\ncalendar: {start: 2027-01-01, periods: 1}\n"

Load = Callable[..., Plan]
Problem = Callable[..., str]


def test_a_small_plan_loads(load: Load) -> None:
    """A plan has its calendar, tables, the line of each entry and the digest of each file."""
    plan = load("targets:\n  - {metric: revenue, at_least: 9_000}\n")
    assert plan.calendar.size == 12
    assert set(plan.tables) == {"markets", "sellers"}
    assert plan.tables["markets"].labels == ("region", "line")
    assert plan.lines["targets", 0, "metric"] == 5
    assert sorted(plan.inputs) == ["markets.csv", "plan.yaml", "sellers.csv"]
    assert all(len(digest) == 64 for digest in plan.inputs.values())
    assert plan.rules[0].lower == 9000.0


def test_a_folder_stands_for_its_plan(load: Load) -> None:
    """`load_plan` of a folder reads the plan.yaml in it."""
    plan = load()
    assert load_plan(plan.folder).spec == plan.spec


def test_a_plan_from_data(load: Load) -> None:
    """The content of a plan file can be given as data, beside tables on disk."""
    folder = load().folder
    data = {
        "name": "x",
        "calendar": {"start": "2027-01-01", "periods": 1},
        "tables": {"markets": "markets.csv"},
    }
    assert len(plan_from_data(data, folder).tables["markets"]) == 4


def test_labels_stay_as_written(load: Load) -> None:
    """`1.50`, `00123`, `NO` and `12:30` in a scope are labels, not numbers, truths or times."""
    markets = "code,price\n1.50,1\n00123,1\nNO,1\n12:30,1\ntrue,1\n2027,1\n"
    rest = "".join(
        f"  - {{metric: units, where: {{code: {label}}}, at_most: 5}}\n"
        for label in ("1.50", "00123", "NO", "12:30", "true", "2027")
    )
    rules = load("limits:\n" + rest, markets=markets).rules
    labels = [rule.where["code"] for rule in rules]
    assert labels == [["1.50"], ["00123"], ["NO"], ["12:30"], ["true"], ["2027"]]


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ('"120 000 000"', 120e6),
        ('"120,000,000"', 120e6),
        ("120_000_000", 120e6),
        ("1.2亿", 120e6),
        ("20%", 0.2),
        ('"0,15"', 0.15),
        ("1e-4", 1e-4),
    ],
)
def test_numbers_as_people_type_them(load: Load, written: str, number: float) -> None:
    """Bounds of rules are read as people type numbers."""
    rule = load(f"limits:\n  - {{metric: units, at_most: {written}}}\n").rules[0]
    assert rule.upper == pytest.approx(number)


@pytest.mark.parametrize(
    ("rest", "expected"),
    [
        (
            "target: []\n",
            "plan.yaml, line 4: there is no entry “target”. Nearest: targets",
        ),
        (
            "targets:\n  - {metric: units, at_last: 5}\n",
            "plan.yaml, line 5: there is no entry “targets[1].at_last”. Nearest: at_least",
        ),
        (
            "targets:\n  - {metric: units, at_least: 12x}\n",
            "plan.yaml, line 5, value “12x”: “12x” is not a number.",
        ),
        (
            "targets:\n  - {metric: units, at_least: .nan}\n",
            "plan.yaml, line 5, value “.nan”: “.nan” is not a usable number",
        ),
        (
            "targets:\n  - at_least: 5\n",
            "plan.yaml, line 5: the entry “targets[1].metric” is missing.",
        ),
        (
            "targets:\n  - {metric: units, at_least: 5, priority: 0}\n",
            "line 5, value “0”: “targets[1].priority” must be 1 or more.",
        ),
        (
            "targets:\n  - {metric: units, at_least: 5, priority: first}\n",
            "“targets[1].priority” must be a whole number, such as 12.",
        ),
        (
            "targets:\n  - {metric: units, between: [5]}\n",
            "“targets[1].between” must have two numbers",
        ),
        (
            "targets:\n  - {metric: units, where: [North], at_least: 5}\n",
            "“targets[1].where” must be a set of entries",
        ),
        (
            "targets: 5\n",
            "plan.yaml, line 4, value “5”: “targets” must be a list",
        ),
        ("whole_units: perhaps\n", "“whole_units” must be true or false."),
        ("language: fr\n", "“language” must be one of: en, ru, zh."),
        ("growth_cap: -1\n", "line 4, value “-1.0”: “growth_cap” must be 0 or more."),
        ("balance:\n  - {across: seller, within: 1}\n", "“balance[1].within” must be less than 1."),
        ("stay_near:\n  - {by: []}\n", "“stay_near[1].by” must have at least one entry."),
        ("objective:\n  - {metric: units}\n", "needs exactly one of “maximize” and “minimize”"),
        (
            "targets:\n  - metric: units\n    metric: deals\n",
            "plan.yaml, line 6: the entry “metric” is written twice",
        ),
        ("targets: [\n", "plan.yaml"),
        (
            "targets:\n  - {metric: units, at_least: 120,000,000}\n",
            "so “120,000,000” would be read in pieces. Write 120_000_000",
        ),
    ],
)
def test_faults_of_the_plan_file(problem: Problem, rest: str, expected: str) -> None:
    """Each fault is one message with the line, the entry, the value and what to do."""
    assert expected in problem(rest)


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (
            "name: x\ncalendar: {start: 27-1, periods: 12}\ntables: {markets: markets.csv}\n",
            "plan.yaml, line 2, value “27-1”: “calendar.start” must be a date, such as 2027-01-01.",
        ),
        (
            "name: x\ncalendar: {start: 2027-01-31, periods: 12}\ntables: {markets: markets.csv}\n",
            "plan.yaml, line 2, value “2027-01-31”: a month cannot start on this day",
        ),
        (
            "name: x\ncalendar: {start: 2027-01-01, periods: 12, every: day}\ntables: {markets: m.csv}\n",
            "“calendar.every” must be one of: week, month, quarter.",
        ),
        (
            "name: x\ntables: {markets: markets.csv}\n",
            "plan.yaml, line 1: the entry “calendar” is missing.",
        ),
        (
            HORIZON + "tables: {sellers: sellers.csv}\n",
            "plan.yaml, line 3: a plan needs the table “markets”.",
        ),
        (
            HORIZON + "tables: {market: markets.csv}\n",
            "plan.yaml, line 3: there is no table “market”. Nearest: markets, marketing, market_size",
        ),
        (
            HORIZON + "tables:\n  markets: {file: markets.csv, sheets: A}\n",
            "plan.yaml, line 4: there is no entry “tables.markets.sheets”. Nearest: sheet",
        ),
        (
            HORIZON + "tables: {markets: market.csv}\n",
            "plan.yaml, line 3, value “market.csv”: there is no file “market.csv”. Did you mean “markets.csv”?",
        ),
        (
            HORIZON + "tables: {markets: ../markets.csv}\n",
            "plan.yaml, line 3, value “../markets.csv”: the file “../markets.csv” is outside the plan's folder",
        ),
        (
            HORIZON + "tables: {markets: {file: markets.csv, amounts_in: 0}}\n",
            "“tables.markets.amounts_in” must be more than 0.",
        ),
    ],
)
def test_faults_of_calendar_and_tables(problem: Problem, head: str, expected: str) -> None:
    """Faults of the calendar and of the list of tables name their line and entry."""
    assert expected in problem(head=head)


def test_a_missing_plan_is_named(tmp_path: Path) -> None:
    """A plan file that is not there is an input error, not a traceback."""
    with pytest.raises(InputError, match=r"plan\.yaml"):
        load_plan(tmp_path / "plan.yaml")
