"""Changes of a plan: each form, its old -> new, its faults, and the laws that hold for all of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from optimizer.errors import InputError
from optimizer.plan.inputs import resolve
from optimizer.plan.source import Source
from scenarios.base import load_base
from scenarios.changes import ChangedPlan, apply_scenario
from scenarios.files import Change, Layer, Scenario, find_files, load_scenarios
from scenarios.schema import TableChange

Write = Callable[..., Path]
Apply = Callable[..., ChangedPlan]


@pytest.fixture
def apply(small: Path, write: Write) -> Apply:
    """`apply("- {table: ...}")`: the small plan under the changes; further arguments are CSV files."""

    def changed(changes: str, **files: str) -> ChangedPlan:
        path = write("x", f"changes:\n{changes}\n" if changes else "", **files)
        (scenario,) = load_scenarios(small, find_files(small, [path]))
        return apply_scenario(load_base(small), scenario)

    return changed


def column(changed: ChangedPlan, table: str, name: str) -> list[Any]:
    """A column of the changed plan."""
    return changed.plan.tables[table].frame[name].tolist()


def lines(changed: ChangedPlan) -> list[str]:
    """Every changed cell as it is listed."""
    return [line for one in changed.applied for line in one.lines(99)]


def test_an_open_seat_has_the_capacity_of_a_full_seller_in_every_period(apply: Apply) -> None:
    """A change of two quarters multiplies what the seat has when it is filled, and leaves the other quarters."""
    sellers = "seller,team,region,capacity,status\nAnn,Alpha,North,20,\nNew,Beta,South,30,open\n"
    changes = "  - {table: sellers, where: {seller: New}, column: capacity, from: 2027-Q2, to: 2027-Q3, multiply: 0.5}"
    changed = apply(changes, sellers=sellers)
    assert changed.plan.tables["sellers"].by_period["capacity"][1].tolist() == [30, 15, 15, 30]
    seats = resolve(changed.plan).selling.sellers.open_seats
    assert seats is not None
    assert seats.full[0].tolist() == [30, 15, 15, 30]


def test_no_changes_are_the_base(small: Path, apply: Apply) -> None:
    """A scenario of no changes is the base plan, byte for byte."""
    base, changed = load_base(small), apply("")
    assert changed.applied == ()
    for name, table in base.plan.tables.items():
        other = changed.plan.tables[name]
        assert table.frame.to_csv().encode() == other.frame.to_csv().encode()
        assert table.frame.dtypes.equals(other.frame.dtypes)
    assert changed.plan.spec == base.plan.spec
    assert changed.plan.rules == base.plan.rules


def test_numbers_are_multiplied_added_and_set(apply: Apply) -> None:
    """The rows of a filter change, the others stay; each cell is listed old -> new with its labels."""
    changed = apply(
        "  - {table: markets, where: {region: North}, column: potential, multiply: 0.5}\n"
        "  - {table: markets, where: {line: [premium]}, column: price, add: 10}\n"
        "  - {table: sellers, where: {capacity: {at_least: 25}}, column: capacity, set: 1_000}\n"
    )
    assert column(changed, "markets", "potential") == [30, 45, 40, 120]
    assert column(changed, "markets", "price") == [110, 40, 110, 40]
    assert column(changed, "sellers", "capacity") == [20, 20, 1000, 1000]
    assert lines(changed)[:2] == [
        "markets.potential, North / premium / new: 60 -> 30",
        "markets.potential, North / standard / new: 90 -> 45",
    ]
    assert changed.applied[0].place == "scenarios/x.yaml, line 3"


def test_dates_labels_and_blanks_are_set(apply: Apply) -> None:
    """A month as an end is its last day, null is a blank, and a column that the file lacks comes into being."""
    changed = apply(
        "  - {table: sellers, where: {seller: Ann}, column: to, set: 2027-06}\n"
        "  - {table: markets, where: {region: South}, column: season, set: null}\n"
        "  - {table: sellers, where: {seller: [Ben, Cai]}, column: quota_min, set: 5}\n"
    )
    assert str(changed.plan.tables["sellers"].frame["to"][0].date()) == "2027-06-30"
    assert column(changed, "markets", "season") == ["", "", "", ""]
    assert column(changed, "sellers", "quota_min")[1:3] == [5, 5]
    assert lines(changed) == [
        "sellers.to, Ann: - -> 2027-06-30",
        "markets.season, South / premium / new: flat -> -",
        "markets.season, South / standard / existing: flat -> -",
        "sellers.quota_min, Ben: - -> 5",
        "sellers.quota_min, Cai: - -> 5",
    ]


def test_an_amount_between_periods_becomes_one_value_a_period(small: Path, apply: Apply) -> None:
    """The amount is spread as the plan spreads it, then changed in the periods meant only."""
    before = resolve(load_base(small).plan).markets.potential
    changed = apply(
        "  - {table: markets, where: {line: premium}, column: potential, from: 2027-Q2, to: 2027-Q3, multiply: 0.5}"
    )
    after = resolve(changed.plan).markets.potential
    factor = np.ones((4, 4))
    factor[np.ix_([0, 2], [1, 2])] = 0.5
    assert after == pytest.approx(before * factor)
    assert lines(changed)[2:] == [
        "markets.potential, South / premium / new 2027-Q2: 12 -> 6",
        "markets.potential, South / premium / new 2027-Q3: 12 -> 6",
    ]


def test_a_rate_between_periods(apply: Apply) -> None:
    """A rate holds in every period until it changes."""
    changed = apply("  - {table: markets, where: {region: North}, column: price, from: 2027-Q4, add: 1}")
    assert resolve(changed.plan).markets.price[0].tolist() == [100, 100, 100, 101]


def test_capacity_between_periods(small: Path, apply: Apply) -> None:
    """A seller's hours of single periods change."""
    changed = apply(
        "  - {table: sellers, where: {seller: Cai}, column: capacity, from: 2027-Q2, to: 2027-Q2, set: 7}"
    )
    assert resolve(changed.plan).selling.sellers.capacity[2].tolist() == [30, 7, 30, 30]
    untouched = resolve(load_base(small).plan).selling.sellers.capacity
    assert resolve(changed.plan).selling.sellers.capacity[[0, 1, 3]] == pytest.approx(untouched[[0, 1, 3]])


def test_rows_leave_and_come(apply: Apply) -> None:
    """Removed rows are gone, new ones are read like those of the file."""
    changed = apply(
        "  - {table: sellers, where: {seller: Ben}, remove: true}\n"
        "  - {table: sellers, add_rows: [{seller: Eve, team: Beta, region: South, capacity: 15, from: 2027-04}]}\n"
    )
    table = changed.plan.tables["sellers"]
    assert table.text("seller") == ["Ann", "Cai", "Dan", "Eve"]
    assert table.numbers("capacity").tolist() == [20, 30, 25, 15]
    assert np.isnan(table.numbers("commission_rate")[3])
    assert str(table.frame["from"][3].date()) == "2027-04-01"
    assert lines(changed) == ["sellers.*, Ben: present -> removed", "sellers.*, Eve: - -> added"]
    assert resolve(changed.plan).selling.sellers.names[-1] == "Eve"


def test_rows_from_a_file(apply: Apply) -> None:
    """New rows may stand in a file of the plan's folder, whose digest is kept."""
    changed = apply(
        "  - {table: sellers, add_rows: more.csv}", more="seller,team,region,capacity\nEve,Beta,South,15\n"
    )
    assert changed.plan.tables["sellers"].text("seller")[-1] == "Eve"
    assert list(changed.files) == ["more.csv"]
    assert "more.csv" in changed.plan.inputs


def test_a_column_from_a_file(apply: Apply) -> None:
    """Values come by key; rows that the file does not name stay."""
    changed = apply(
        "  - {table: markets, column: price, replace: prices.csv}",
        prices="region,line,price\nNorth,premium,120\nSouth,standard,45\n",
    )
    assert column(changed, "markets", "price") == [120, 40, 100, 45]
    assert lines(changed) == [
        "markets.price, North / premium / new: 100 -> 120",
        "markets.price, South / standard / existing: 40 -> 45",
    ]


def test_a_table_from_a_file(apply: Apply) -> None:
    """The whole table is replaced and every cell that differs is listed, and every row that left or came."""
    changed = apply(
        "  - {table: sellers, replace: next.csv}",
        next="seller,team,region,capacity,commission_rate\nAnn,Alpha,North,25,0.02\nEve,Beta,South,9,0.02\n",
    )
    assert changed.plan.tables["sellers"].text("seller") == ["Ann", "Eve"]
    assert lines(changed)[0] == "sellers.capacity, Ann: 20 -> 25"
    assert lines(changed)[-1] == "sellers.*, Eve: - -> added"


def test_profiles_come_later(apply: Apply) -> None:
    """A season turns round the year; a ramp keeps its first value longer."""
    changed = apply(
        "  - {table: sellers, where: {seller: Ann}, column: ramp, set: slow}\n"
        "  - {table: profiles, where: {profile: flat}, shift: 1}\n"
        "  - {table: profiles, where: {profile: slow}, shift: 3}\n"
    )
    table = changed.plan.tables["profiles"]
    assert table.numbers("value")[:4] == pytest.approx([0.2, 0.2, 0.3, 0.3])
    assert table.text("period_or_age")[4:] == ["0", "5"]


def test_rules_change_by_name(apply: Apply) -> None:
    """A rule is found by its name, or by the one made of its content; a map is changed member by member."""
    changed = apply(
        "  - {rule: Year, at_least: {multiply: 1.1}, priority: 2}\n"
        "  - {rule: Lines, at_least: {premium: {add: 500}}}\n"
        "  - {rule: units line=standard at_most 200, at_most: 150}\n"
        "  - {rule: Commission, remove: true}\n"
    )
    rules = {rule.name: rule for rule in changed.plan.rules}
    assert rules["Year"].lower == pytest.approx(12_100) and rules["Year"].priority == 2
    assert rules["Lines"].lower == {("premium",): 6500, ("standard",): 4000}
    assert "Commission" not in rules
    assert lines(changed) == [
        "targets: Year: at_least: 11000 -> 12100",
        "targets: Year: priority: 1 -> 2",
        "targets: Lines: at_least: premium: 6000 -> 6500",
        "limits: units line=standard at_most 200: at_most: 200 -> 150",
        "budgets: Commission: present -> removed",
    ]


def test_quotas_change_by_name(small: Path, apply: Apply) -> None:
    """A quota is found by its name, which a rule may have too."""
    plan = small / "plan.yaml"
    plan.write_text(
        plan.read_text() + "quotas:\n  - {name: Year, by: [team], over_assignment: {team: 0.05}}\n"
    )
    changed = apply("  - {quota: Year, over_assignment: {team: {add: 0.03}}, round_to: 10}")
    assert changed.plan.spec.quotas[0].over_assignment == {"team": pytest.approx(0.08)}
    assert lines(changed) == [
        "quotas: Year: over_assignment: team: 0.05 -> 0.08",
        "quotas: Year: round_to: - -> 10",
    ]


def test_keys_of_the_plan_file_change(apply: Apply) -> None:
    """Numbers are changed, lists are added to, and the calendar is taken over with tables read anew."""
    changed = apply(
        "  - {growth_cap: {set: 0.2}, whole_units: true}\n"
        "  - {limits: {add: [{name: Cap, metric: revenue, at_most: 9_000}]}}\n"
        "  - {calendar: {periods: 3}}\n"
        "  - {table: profiles, where: {profile: flat, period_or_age: 2027-Q4}, remove: true}\n"
        "  - {table: profiles, where: {profile: flat, period_or_age: 2027-Q1}, column: value, set: 0.4}\n"
    )
    assert changed.plan.spec.growth_cap == 0.2
    assert changed.plan.spec.whole_units is True
    assert changed.plan.rules[-1].name == "Cap"
    assert changed.plan.calendar.size == 3


FAULTS = [
    (
        "  - {table: market, column: price, set: 1}",
        "line 3, value “market”: there is no table “market”. Nearest: mark",
    ),
    (
        "  - {table: markets, column: prise, set: 1}",
        "value “prise”: unknown column in the table markets. Nearest: price",
    ),
    ("  - {table: markets, set: 1}", "line 3: the change does not say which column"),
    ("  - {table: markets, where: {regon: North}, column: price, set: 1}", "Nearest: region"),
    (
        "  - {table: markets, where: {region: Nort}, column: price, set: 1}",
        "no row has this label in region. Nearest: No",
    ),
    (
        "  - {table: markets, where: {region: North, customer_type: existing}, column: price, set: 1}",
        "no row of the table markets matches the filter (region: North, customer_type: existing)",
    ),
    ("  - {table: markets, where: {price: {at_least: 500}}, column: price, set: 1}", "matches the filter"),
    (
        "  - {table: markets, where: {price: {from: 5}}, column: price, set: 1}",
        "a range is not possible for “price”",
    ),
    ("  - {table: markets, where: {line: []}, column: price, set: 1}", "“line” needs a label"),
    (
        "  - {table: markets, column: max_share, multiply: 2}",
        "the cell is blank (markets.csv, row 2, column max_share)",
    ),
    ("  - {table: markets, column: season, multiply: 2}", "“season” holds profile, so it can only be set"),
    (
        "  - {table: markets, column: price, from: 2028-01, set: 1}",
        "line 3, value “2028-01”: “2028-01” is no period",
    ),
    (
        "  - {table: markets, column: price, from: 2027-Q3, to: 2027-Q2, set: 1}",
        "is empty: its end comes before",
    ),
    (
        "  - {table: territories, column: hours_per_unit, from: 2027-Q2, multiply: 2}",
        "“hours_per_unit” of the table territories is one number for all periods",
    ),
    (
        "  - {table: markets, column: margin_rate, add: 2}",
        "with this change the plan is refused: markets.csv, row 2",
    ),
    ("  - {table: markets, column: price, set: -1}", "value “-1”: “price” must be 0 or more"),
    ("  - {table: markets, column: customer_type, set: nw}", "“customer_type” must be one of: new, existing"),
    ("  - {table: markets, column: season, set: tall}", "line 3: with this change the plan is refused"),
    ("  - {table: sellers, column: seller, set: Ann}", "the keys “Ann” (seller) stand in row 2 already"),
    (
        "  - {table: territories, where: {team: Beta}, column: team, set: Gamma}",
        "no row has this label in team",
    ),
    ("  - {table: sellers, remove: false}", "rows are taken out with “remove: true”"),
    ("  - {table: sellers, remove: true}", "with this change the plan is refused: sellers.csv: the table"),
    (
        "  - {table: sellers, add_rows: [{seller: Ann, team: A, region: North}]}",
        "the keys “Ann” (seller) stand in row 2",
    ),
    ("  - {table: sellers, add_rows: [{seller: Eve}]}", "the new rows have no “team”"),
    (
        "  - {table: sellers, add_rows: [{seller: Eve, team: A, region: B, capacity: -5}]}",
        "“capacity” must be 0 or more",
    ),
    (
        "  - {table: sellers, replace: ../sellers.csv}",
        "line 3, value “../sellers.csv”: the file “../sellers.csv” is out",
    ),
    ("  - {table: sellers, replace: /etc/hosts}", "is outside the plan's folder"),
    ("  - {table: sellers, replace: selers.csv}", "Did you mean “sellers.csv”?"),
    ("  - {table: markets, shift: 1}", "only profiles can be shifted, not the table markets"),
    ("  - {table: profiles, where: {profile: slow}, shift: -3}", "its age 0 would fall before the start"),
    ("  - {table: profiles, where: {period_or_age: 2}, shift: 1}", "a profile is shifted as a whole"),
    (
        "  - {rule: Yaer, at_least: 5}",
        "line 3, value “Yaer”: the plan has no rule of this name. Nearest: Year",
    ),
    ("  - {quota: Yaer, round_to: 5}", "line 3, value “Yaer”: the plan has no quota of this name"),
    ("  - {rule: Year, quota: Year, round_to: 5}", "line 3: one change names a rule and a quota"),
    ("  - {rule: Year, at_lest: 5}", "with this change the plan is refused: plan.yaml, line"),
    ("  - {rule: Year, growth: {add: 1}}", "“targets: Year: growth” has no value in the plan"),
    ("  - {rule: Year, metric: {add: 1}}", "“revenue” is not a number"),
    ("  - {rule: Year, remove: true, at_least: 5}", "“remove: true” of “targets: Year” stands alone"),
    ("  - {growth_cap: -1}", "with this change the plan is refused"),
    ("  - {name: {add: [1]}}", "“name” is no list"),
    ("  - {calendar: {start: 2027-01-31}}", "with this change the plan is refused"),
    ("  - {calendar: {as_off: 2027-05-01}}", "there is no entry “calendar.as_off”"),
]


@pytest.mark.parametrize(("changes", "expected"), FAULTS)
def test_every_fault_has_its_place(apply: Apply, changes: str, expected: str) -> None:
    """A change that cannot be says in which line, why, and what is near."""
    with pytest.raises(InputError) as caught:
        apply(changes)
    assert expected in caught.value.text("en")
    assert caught.value.text("en").startswith("scenarios/x.yaml, line") or "row" in caught.value.text("en")
    assert caught.value.text("ru") and caught.value.text("zh")


CONFLICTS = [
    "  - {table: markets, column: price, multiply: 2}\n  - {table: markets, where: {line: premium}, column: price, add: 1}",
    "  - {table: markets, column: price, from: 2027-Q2, add: 1}\n  - {table: markets, column: price, to: 2027-Q2, add: 1}",
    "  - {table: sellers, where: {seller: Ann}, remove: true}\n  - {table: sellers, where: {team: Alpha}, remove: true}",
    "  - {table: sellers, column: capacity, set: 1}\n  - {table: sellers, where: {seller: Ann}, remove: true}",
    "  - {table: sellers, where: {seller: Ann}, remove: true}\n  - {table: sellers, column: capacity, set: 1}",
    "  - {table: sellers, replace: sellers.csv}\n  - {table: sellers, column: capacity, set: 1}",
    "  - {rule: Year, at_least: 5}\n  - {rule: Year, at_least: {multiply: 2}}",
    "  - {rule: Year, at_least: 5}\n  - {rule: Year, remove: true}",
    "  - {growth_cap: 0.1}\n  - {growth_cap: 0.2}",
]


@pytest.mark.parametrize("changes", CONFLICTS)
def test_two_changes_of_one_cell_are_refused(apply: Apply, changes: str) -> None:
    """Which one comes first is not guessed; both lines are named."""
    with pytest.raises(InputError, match=r"x\.yaml, line 4.*: this changes what another change .*line 3\)"):
        apply(changes)


def test_changes_of_different_cells_do_not_conflict(apply: Apply) -> None:
    """Other rows, other columns and other periods of one table may change in one scenario."""
    changed = apply(
        "  - {table: markets, where: {line: premium}, column: price, multiply: 2}\n"
        "  - {table: markets, where: {line: standard}, column: price, multiply: 3}\n"
        "  - {table: markets, column: potential, from: 2027-Q1, to: 2027-Q2, multiply: 2}\n"
        "  - {table: markets, column: potential, from: 2027-Q3, multiply: 3}\n"
    )
    assert column(changed, "markets", "price") == [200, 120, 200, 120]


def test_ordered_changes_of_one_cell(apply: Apply) -> None:
    """With `order` the same cell may change twice, in that order and not in that of the file."""
    changed = apply(
        "  - {table: markets, column: price, add: 10, order: 2}\n"
        "  - {table: markets, column: price, multiply: 2, order: 1}\n"
    )
    assert column(changed, "markets", "price") == [210, 90, 210, 90]


OPERATIONS = st.lists(
    st.tuples(st.sampled_from(["multiply", "add", "set"]), st.integers(1, 9)), min_size=1, max_size=6
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(operations=OPERATIONS, random=st.randoms(use_true_random=False))
def test_the_order_stated_is_the_order_applied(
    small: Path, operations: list[tuple[str, int]], random: Any
) -> None:
    """Whatever the places in the file, changes of one cell act in their `order`; and so do layers."""
    base = load_base(small)
    expected = np.array([100.0, 40.0, 100.0, 40.0])
    for action, by in operations:
        expected = {"multiply": expected * by, "add": expected + by, "set": np.full(4, float(by))}[action]
    ordered = [_change(at, action, by, order=at + 1) for at, (action, by) in enumerate(operations)]
    written = random.sample(ordered, len(ordered))
    layer = Layer("x", tuple(sorted(written, key=lambda change: change.order or 0)), Source("x"), "x")
    one_file = apply_scenario(base, Scenario("one", "x", layers=(layer,)))
    assert column(one_file, "markets", "price") == pytest.approx(expected)
    many = tuple(
        Layer(str(at), (dataclasses.replace(change, order=None),), Source("x"), str(at))
        for at, change in enumerate(ordered)
    )
    assert column(
        apply_scenario(base, Scenario("many", "x", layers=many)), "markets", "price"
    ) == pytest.approx(expected)


def _change(position: int, action: str, by: int, order: int) -> Change:
    entry = {"table": "markets", "column": "price", action: by, "order": order}
    return Change(position, table=TableChange.model_validate(entry), order=order)
