"""A plan kept, reacting and planned again: comparable figures, and rules that give way where they must."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scenarios.base import load_base
from scenarios.files import find_files, load_scenarios
from scenarios.leaguepage import sweep_page
from scenarios.record import Record
from scenarios.sweep import sweep
from scenarios.worker import SweepSettings, Task, Worker, solve_base

Write = Callable[..., Path]
GOLDEN = Path(__file__).parents[1] / "golden"
MORE = """\
limits:
  - {name: Agents, metric: revenue, where: {seller: Cai}, share_at_most: 0.4}
  - {name: South, metric: revenue, where: {market.region: South}, at_least: 1_000}
balance:
  - {name: Load, metric: revenue, across: seller, basis: capacity, within: 0.3}
"""
LEVERS = """\
changes:
  - {{table: markets, column: potential, multiply: {potential}}}
  - {{table: sellers, column: capacity, multiply: {capacity}}}
  - {{table: markets, column: price, multiply: {price}}}
  - {{rule: Year, at_least: {target}}}
  - {{rule: South, at_least: {floor}}}
"""


def tried(folder: Path, *files: Path, seed: int = 0) -> list[Record]:
    """The scenarios in the folder's plan, with the plan kept and reacting."""
    base = load_base(folder)
    pack, _ = solve_base(base, SweepSettings(seed=seed), "key")
    found = load_scenarios(base.folder, find_files(base.folder, files))
    worker = Worker(pack)
    return [worker.run(Task(one, "")).record for one in found]


@pytest.mark.parametrize(
    "case",
    [
        "lagged_funnel",
        "customers_renew",
        "training_and_service",
        "fixed_costs",
        "volume_prices",
        "open_seat",
        "near_last_year",
    ],
)
def test_in_its_own_world_a_plan_is_itself(case: str, tmp_path: Path) -> None:
    """Kept and reacting bring what the plan brings: with run-out periods, curves, starts and whole numbers."""
    folder = Path(shutil.copytree(GOLDEN / case, tmp_path / case))
    (folder / "same.yaml").write_text("name: same\nchanges: []\n")
    (record,) = tried(folder, folder / "same.yaml")
    assert record.worth is not None
    for way in record.kept.values():
        assert way["worth"] == pytest.approx(record.worth, rel=1e-5, abs=1e-6)
        assert way["gave_way"] == 0
        assert way["rules_missed"] == sum(row["status"] in ("short", "over") for row in record.targets)


def test_what_comes_after_the_plan_counts(tmp_path: Path) -> None:
    """The measure has what run-out periods bring, which contribution of the plan's own months has not."""
    folder = Path(shutil.copytree(GOLDEN / "lagged_funnel", tmp_path / "plan"))
    (folder / "same.yaml").write_text("name: same\nchanges: []\n")
    (record,) = tried(folder, folder / "same.yaml")
    kept = record.kept["kept"]
    assert record.worth == record.objective == pytest.approx(kept["worth"])
    assert kept["money"] == pytest.approx(record.kpis["contribution"], rel=1e-6)
    assert kept["worth"] > kept["money"] + 1


@pytest.fixture
def strict(small: Path) -> Path:
    """The small plan with a limit on shares, a must of a region and a balance of load."""
    plan = small / "plan.yaml"
    text = plan.read_text()
    plan.write_text(text[: text.index("limits:")] + MORE)
    return small


FACTOR = st.floats(0.6, 1.5)


def test_who_is_freer_does_better(strict: Path, write: Write) -> None:
    """In the order of the stages kept <= reacting <= re-planned, whatever changes; in money where the targets
    come out alike, and nothing that reacting can keep is broken by it."""
    worker = Worker(solve_base(load_base(strict), SweepSettings(), "key")[0])

    @settings(max_examples=8, deadline=None)
    @given(FACTOR, FACTOR, FACTOR, st.integers(5_000, 16_000), st.integers(500, 7_000))
    def holds(potential: float, capacity: float, price: float, target: int, floor: int) -> None:
        text = LEVERS.format(potential=potential, capacity=capacity, price=price, target=target, floor=floor)
        path = write("lever", text)
        (scenario,) = load_scenarios(strict, find_files(strict, [path]))
        record = worker.run(Task(scenario, "")).record
        if not record.has_plan:  # there is nothing to compare with
            assert not record.kept
            return
        kept, reacting = (place_of(**record.kept[way]) for way in ("kept", "reacting"))
        assert no_worse(reacting, kept)
        assert record.worth is not None
        assert no_worse(place_of(record.worth, record.shortfalls), reacting)

    holds()


def place_of(worth: float, shortfalls: Sequence[float], gave_way: float = 0.0, **_: Any) -> tuple[float, ...]:
    """What a way is judged by, first things first; less is better."""
    return (gave_way, *shortfalls, -worth)


def no_worse(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    """Whether the first of the figures that differ by more than rounding is the smaller one."""
    for mine, theirs in zip(one, other, strict=True):
        if abs(mine - theirs) > 2e-6 * max(1.0, abs(theirs)):
            return mine < theirs
    return True


def test_rules_that_decisions_break_give_way_and_are_said(strict: Path, write: Write, tmp_path: Path) -> None:
    """Where the planned sales cannot reach a must, it gives way by what is missing, and the page names the
    scenario; free sellers reach it."""
    path = write("floor", "changes: [{rule: South, at_least: 6_500}]")
    found = sweep(strict, [path], tmp_path / "out")
    (record,) = found.records()
    kept, reacting = record.kept["kept"], record.kept["reacting"]
    assert record.has_plan and reacting["gave_way"] == 0
    base = {row["rule"]: row["value"] for row in found.base.targets}
    assert kept["gave_way"] == pytest.approx(1 - base["South"] / 6_500, abs=1e-3)
    assert kept["rules_missed"] > reacting["rules_missed"]
    page = sweep_page(found, "en")
    assert "decisions of the base plan break, with kept or reacting, in: floor" in page


def test_which_rules_are_missed_does_not_depend_on_the_solver(strict: Path, write: Write) -> None:
    """Where one shortfall could fall on any of several equal targets, the tie-break says on which."""
    plan = strict / "plan.yaml"
    text = plan.read_text().replace(
        "budgets:",
        "  - {name: Each, metric: revenue, each: seller, at_least: 4_000, priority: 2}\nbudgets:",
    )
    plan.write_text(text)
    path = write("dry", "changes: [{table: markets, column: potential, multiply: 0.7}]")
    ways = [tried(strict, path, seed=seed)[0].kept["reacting"] for seed in (0, 1)]
    assert ways[0]["rules_missed"] > 0
    assert [way["rules_missed"] for way in ways] == [ways[0]["rules_missed"]] * 2
