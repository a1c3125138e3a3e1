"""Rules of the plan file as the model takes them, and the contradictions that are refused."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from optimizer.plan.plan import Plan

Load = Callable[..., Plan]
Problem = Callable[..., str]


def test_targets_are_soft_and_limits_hard(load: Load) -> None:
    """Targets get priority 1 unless they say otherwise, budgets and limits must hold; `must` changes it."""
    plan = load(
        "targets:\n"
        "  - {metric: revenue, growth: 0.20}\n"
        "  - {metric: units, at_least: 5, priority: 3}\n"
        "  - {metric: deals, at_least: 5, penalty: 100}\n"
        "  - {metric: units, at_least: 1, must: true}\n"
        "budgets:\n  - {metric: units, at_most: 9}\n"
        "limits:\n  - {metric: deals, at_most: 9, must: false}\n"
    )
    found = [(rule.kind, rule.must, rule.priority, rule.penalty) for rule in plan.rules]
    assert found == [
        ("target", False, 1, None),
        ("target", False, 3, None),
        ("target", False, None, 100.0),
        ("target", True, None, None),
        ("budget", True, None, None),
        ("limit", False, 1, None),
    ]
    growth = plan.rules[0]
    assert (growth.as_growth, growth.lower, growth.upper) == (True, 0.2, None)


def test_bounds_of_every_form(load: Load) -> None:
    """Each form of a bound becomes a lower and an upper number."""
    plan = load(
        "limits:\n"
        "  - {metric: units, at_least: 1, at_most: 2}\n"
        "  - {metric: units, equals: 3}\n"
        "  - {metric: units, between: [4, 5], of: potential}\n"
        "  - {metric: revenue, where: {line: premium}, share_at_least: 20%, share_at_most: 0.5}\n"
        "  - {metric: revenue, each: region, share_at_most: 0.7, of: {line: premium}}\n"
    )
    assert [(rule.lower, rule.upper) for rule in plan.rules] == [
        (1.0, 2.0),
        (3.0, 3.0),
        (4.0, 5.0),
        (pytest.approx(0.2), 0.5),
        (None, 0.7),
    ]
    assert plan.rules[2].of == "potential"
    assert plan.rules[3].as_share and plan.rules[3].of is None
    assert plan.rules[4].of == {"line": ["premium"]}


def test_names_come_from_the_content(load: Load) -> None:
    """A rule without a name is named by what it says, and repeated ones are counted."""
    plan = load(
        "targets:\n"
        "  - {metric: revenue, where: {line: premium}, each: quarter, at_least: 48_000_000}\n"
        "  - {metric: units, at_least: 5}\n"
        "  - {metric: units, at_least: 5, must: true}\n"
        "balance:\n  - {across: seller}\n"
        "stay_near:\n  - {by: [region, line], within: 0.1}\n"
    )
    assert [rule.name for rule in plan.rules] == [
        "revenue line=premium each quarter at_least 48000000",
        "units at_least 5",
        "units at_least 5 (2)",
    ]
    assert plan.spec.targets[0].name == plan.rules[0].name
    assert plan.spec.balance[0].name == "revenue across seller by capacity"
    assert plan.spec.stay_near[0].name == "revenue near last_year by region line"


def test_scopes_are_written_out(load: Load) -> None:
    """Ranges of time become labels, lists stay, `*` leaves a column open, and prefixes name the side."""
    plan = load(
        "limits:\n"
        "  - {metric: units, at_most: 5,\n"
        "     where: {period: {from: 2027-11}, region: [North, South], line: '*'}}\n"
        "  - {metric: units, at_most: 5,\n"
        "     where: {quarter: {from: 2027-Q1, to: 2027-Q2}, market.region: North}}\n"
        "  - {metric: units, where: {period: [2027-Q1, май 2027], seller.team: Beta}, at_most: 5}\n"
    )
    assert [rule.where for rule in plan.rules] == [
        {"period": ["2027-11", "2027-12"], "region": ["North", "South"]},
        {"quarter": ["2027-Q1", "2027-Q2"], "market.region": ["North"]},
        {"period": ["2027-01", "2027-02", "2027-03", "2027-05"], "seller.team": ["Beta"]},
    ]


def test_values_by_member(load: Load) -> None:
    """A map gives each member its bound; members that it does not name have none."""
    plan = load("targets:\n  - {metric: units, each: quarter, at_least: {2027-Q1: 10, Q2 2027: '2 000'}}\n")
    rule = plan.rules[0]
    assert rule.lower == {("2027-Q1",): 10.0, ("2027-Q2",): 2000.0}
    assert rule.bounds_of(("2027-Q2",)) == (2000.0, None)
    assert rule.bounds_of(("2027-Q4",)) == (None, None)


def test_values_from_a_table(load: Load) -> None:
    """A table gives bounds by several columns; a blank bound is no bound."""
    plan = load(
        "limits:\n  - {metric: units, each: [region, line], at_most: {file: caps.csv, column: cap}}\n",
        caps="line;Region;cap\npremium;North;1 000,5\npremium;South;\nstandard;South;7\n",
    )
    assert plan.rules[0].upper == {("North", "premium"): 1000.5, ("South", "standard"): 7.0}
    assert "caps.csv" in plan.inputs


def test_rules_from_a_table(load: Load) -> None:
    """A table of rules has the columns of a rule, and any other column is a key of its scope."""
    plan = load(
        "targets: asked.csv\n",
        asked="name,metric,at_least,each,region,must,priority\n"
        "Year,revenue,5000,,*,,\n"
        "North,units,20%,line,North,,2\n"
        "Floor,units,1,,South,yes,\n",
    )
    assert [
        (rule.name, rule.lower, rule.each, rule.where, rule.must, rule.priority) for rule in plan.rules
    ] == [
        ("Year", 5000.0, (), {}, False, 1),
        ("North", 0.2, ("line",), {"region": ["North"]}, False, 2),
        ("Floor", 1.0, (), {"region": ["South"]}, True, None),
    ]
    assert plan.rules[1].place.text() == "asked.csv, row 3"


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("{metric: units}", "has no bound. Add one of: at_least, at_most"),
        ("{metric: units, at_least: 5, growth: 0.1}", "has two forms of a bound, at_least and growth"),
        ("{metric: units, equals: 5, at_most: 6}", "has two forms of a bound, at_most and equals"),
        ("{metric: units, at_least: 5, at_most: 4}", "contradicts itself: at least 5 and at most 4"),
        ("{metric: units, between: [5, 4]}", "contradicts itself: at least 5 and at most 4"),
        (
            "{metric: units, each: region, at_least: {North: 5}, at_most: 4}",
            "at least 5 and at most 4 (member: North)",
        ),
        ("{metric: units, at_least: 5, priority: 1, penalty: 3}", "has a priority and a penalty"),
        ("{metric: units, at_least: 5, priority: 2, must: true}", "must hold, so “priority” says nothing"),
        ("{metric: units, at_least: 5, penalty: 2, must: true}", "must hold, so “penalty” says nothing"),
        (
            "{metric: units, where: {line: premium}, share_at_least: -0.2}",
            "asks for a share that is not between 0 and 1",
        ),
        ("{metric: units, where: {line: premium}, share_at_least: 38}", "write 38%"),
        ("{metric: units, share_at_least: 0.2}", "asks for a share of itself"),
        ("{metric: units, growth: -1.5}", "growth below -100 %"),
        ("{metric: units, at_most: 2, of: {line: premium}}", "“of” in the rule"),
        (
            "{metric: units, at_most: 2, of: last_yaer}",
            "value “last_yaer”: there is no number column “last_yaer” in the markets or the sellers. "
            "Nearest: last_year",
        ),
        ("{metric: units, at_least: {North: 5}}", "but no “each” that says whose"),
        ("{metric: units, each: [region, line], at_least: {North: 5}}", "needs a table: at_least: {file:"),
        (
            "{metric: units, each: region, at_least: {Noth: 5}}",
            "value “Noth”: no row has this label in region",
        ),
        ("{metric: units, each: quarter, at_least: {2027: 5}}", "is not one member of “quarter”"),
        ("{metric: units, each: period, at_least: {2027-Q1: 5}}", "is not one member of “period”"),
        (
            "{metric: units, each: quarter, at_least: {2027-Q1: 5, Q1 2027: 6}}",
            "there is a second value for the member “2027-Q1”",
        ),
        (
            "{metric: units, each: regoin, at_least: 5}",
            "value “regoin”: no column “regoin” in the markets, the sellers or the calendar. Nearest: region",
        ),
        ("{metric: units, each: [region, region], at_least: 5}", "“region” stands twice in “each”"),
        (
            "{metric: units, where: {lin: premium}, at_least: 5}",
            "no column “lin” in the markets, the sellers or the calendar. Nearest: line",
        ),
        (
            "{metric: units, where: {line: premum}, at_least: 5}",
            "plan.yaml, line 5, value “premum”: no row has this label in line. Correct it, or use * for all. "
            "Nearest: premium",
        ),
        ("{metric: units, where: {line: []}, at_least: 5}", "“line” needs a label or a list of labels"),
        ("{metric: units, where: {line: {from: a}}, at_least: 5}", "{from, to} is possible for period"),
        ("{metric: units, where: {period: {from: 2026-12}}, at_least: 5}", "(2027-01 to 2027-12)"),
        (
            "{metric: units, where: {period: {from: 2027-05, to: 2027-03}}, at_least: 5}",
            "comes before its start",
        ),
    ],
)
def test_rules_that_are_refused(problem: Problem, rule: str, expected: str) -> None:
    """A rule that contradicts itself or names what is not there is refused with the way out."""
    text = problem(f"targets:\n  - {rule}\n")
    assert text.startswith("plan.yaml, line 5")
    assert expected in text


def test_a_budget_with_a_priority_is_refused(problem: Problem) -> None:
    """A budget must hold, so a priority needs `must: false` beside it."""
    text = problem("budgets:\n  - {metric: units, at_most: 5, priority: 1}\n")
    assert "Remove “priority”, or add must: false." in text


def test_names_are_unique(problem: Problem) -> None:
    """Two rules of one name are refused with the place of the first, whatever lists they stand in."""
    text = problem(
        "targets:\n  - {name: A, metric: units, at_least: 5}\nbalance:\n  - {name: A, across: seller}\n"
    )
    assert "line 7, value “A”: the name “A” is taken by another rule (plan.yaml, line 5)" in text


def test_balance_names_a_column_that_exists(problem: Problem) -> None:
    """The columns of balance, stay_near and objective are checked like those of rules."""
    assert "no column “saler”" in problem("balance:\n  - {across: saler}\n")
    assert "no column “regin”" in problem("stay_near:\n  - {by: regin}\n")
    rest = "objective:\n  - {maximize: smallest, metric: units, across: linne}\n"
    assert "no column “linne”" in problem(rest)
    rest = "balance:\n  - {across: seller, where: {line: prem}}\n"
    assert "no row has this label in line" in problem(rest)


@pytest.mark.parametrize(
    ("rest", "table", "expected"),
    [
        ("targets: asked.csv\n", "name,at_least\nA,5\n", "asked.csv: the column “metric” is missing"),
        (
            "targets: asked.csv\n",
            "metric,at_least,region\nunits,5,\n",
            "asked.csv, row 2, column region: “region” is blank.",
        ),
        (
            "targets: asked.csv\n",
            "metric,at_least\nunits,5\nunits,many\n",
            "asked.csv, row 3, column at_least, value “many”: “many” is not a number",
        ),
        (
            "targets: asked.csv\n",
            "metric,at_least,region\nunits,5,Nroth\n",
            "asked.csv, row 2, column region, value “Nroth”: no row has this label in region",
        ),
        (
            "targets: {file: asked.csv, total_rows: drop}\n",
            "metric,at_least\nunits,5\n",
            "there is no entry “targets.total_rows”",
        ),
        (
            "limits:\n  - {metric: units, each: region, at_most: {file: asked.csv}}\n",
            "region,value\nNorth,x\n",
            "asked.csv, row 2, column value, value “x”: “x” is not a number",
        ),
        (
            "limits:\n  - {metric: units, each: region, at_most: {file: asked.csv}}\n",
            "region,values\nNorth,1\n",
            "asked.csv: the column “value” is missing",
        ),
        (
            "limits:\n  - {metric: units, each: region, at_most: {file: asked.csv}}\n",
            "region,value,line\nNorth,1,premium\n",
            "asked.csv, column line: unknown column in the table asked.csv",
        ),
        (
            "limits:\n  - {metric: units, each: region, at_most: {file: asked.csv}}\n",
            "region,value\nNorth,1\nNorth,2\n",
            "asked.csv, row 3, column value: there is a second value for the member “North”",
        ),
    ],
)
def test_faults_of_tables_of_rules(problem: Problem, rest: str, table: str, expected: str) -> None:
    """A table of rules or bounds names the row and column of its fault."""
    assert expected in problem(rest, asked=table)
