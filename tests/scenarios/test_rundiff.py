"""Two runs compared: every difference of the inputs, what each explains, and what is left."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from cli import main
from optimizer.errors import InputError
from optimizer.plan.load import load_plan
from optimizer.settings import SolveSettings
from optimizer.solving import solve
from scenarios.rundiff import diff_runs, explained_frame
from scenarios.running import run_plan

Edit = Callable[..., Path]
PLAIN = SolveSettings(marginal_values=False, leverage=False)


@pytest.fixture
def edited(small: Path, tmp_path: Path) -> Edit:
    """`edited("b", markets={"60": "50"})`: a copy of the small plan with texts of its files replaced."""

    def copy(name: str, **files: dict[str, str]) -> Path:
        folder = tmp_path / name
        shutil.copytree(small, folder)
        for file, texts in files.items():
            path = folder / ("plan.yaml" if file == "plan" else f"{file}.csv")
            text = path.read_text()
            for old, new in texts.items():
                assert old in text
                text = text.replace(old, new)
            path.write_text(text)
        return folder

    return copy


def money(folder: Path) -> float:
    """Contribution of a plan solved by itself."""
    return solve(load_plan(folder), PLAIN).figure("contribution")


def test_each_change_is_measured_alone_and_together(small: Path, edited: Edit) -> None:
    """One change alone moves the plan as a plan with this change only does; the remainder closes the sum."""
    demand = {"new,100,0.5,3000,60": "new,100,0.5,3000,40"}
    hours = {"Cai,Beta,South,30": "Cai,Beta,South,20"}
    both = edited("both", markets=demand, sellers=hours)
    found = diff_runs(small, both)
    alone = {one.name: one.alone["contribution"] for one in found.explained}
    before = money(small)
    assert alone["markets.potential"] == pytest.approx(money(edited("x", markets=demand)) - before, abs=1e-3)
    assert alone["sellers.capacity"] == pytest.approx(money(edited("y", sellers=hours)) - before, abs=1e-3)
    assert found.together("contribution") == pytest.approx(money(both) - before, abs=1e-3)
    table = explained_frame(found).set_index("change")["contribution"]
    assert table["together"] == pytest.approx(sum(alone.values()) + table["remainder"])


def test_rules_rows_and_columns_are_told_apart(small: Path, edited: Edit) -> None:
    """Rules by name, new rules, rows that left and came, and new columns are changes of their own."""
    other = edited(
        "other",
        plan={"at_least: 11_000": "at_least: 10_000", "at_most: 200}": "at_most: 200}\n  - {name: Cap, metric: units, at_most: 900}"},
        sellers={"Dan,Beta,South,25,0.01,\n": "Eve,Beta,South,25,0.02,\n"},
        markets={"potential,season\n": "potential,season,max_share\n", "60,\n": "60,,1\n", "90,\n": "90,,1\n", "40,flat": "40,flat,1", "120,flat": "120,flat,1"},
    )  # fmt: skip
    found = diff_runs(small, other)
    lines = {one.name: [line for part in one.changes for line in part.lines()] for one in found.explained}
    assert lines["targets: Year"] == ["targets: Year: at_least: 11_000 -> 10_000"]
    assert lines["limits: Cap"] == ["limits: Cap: - -> added"]
    assert lines["sellers.*"] == ["sellers.*, Dan: present -> removed", "sellers.*, Eve: - -> added"]
    assert len(lines["markets.max_share"]) == 4
    assert not [one.name for one in found.explained if one.reason]


def test_a_change_that_cannot_be_alone_says_so(small: Path, edited: Edit) -> None:
    """A team renamed in two tables cannot be renamed in one; the remainder is then not known."""
    other = edited("other", sellers={"Beta": "Gamma"}, territories={"Beta": "Gamma"})
    found = diff_runs(small, other)
    assert all("no row has this label in team" in one.reason for one in found.explained)
    assert found.together("revenue") == pytest.approx(0, abs=1e-6)
    assert found.remainder("revenue") is None


def test_the_same_run_has_no_differences(small: Path) -> None:
    """A run beside itself differs in nothing."""
    found = diff_runs(small, small)
    assert found.explained == ()
    assert found.together("revenue") == pytest.approx(0, abs=1e-6)


@pytest.mark.slow
def test_the_command_compares_run_folders(small: Path, edited: Edit, tmp_path: Path) -> None:
    """Two folders that `solve -o` made are compared in words, tables and JSON; -o keeps the tables."""
    other = edited("other", sellers={"Ann,Alpha,North,20": "Ann,Alpha,North,10"})
    runs = [tmp_path / "run1", tmp_path / "run2"]
    for plan, run in zip((small, other), runs, strict=True):
        run_plan(plan / "plan.yaml", run, PLAIN)
    shown = CliRunner().invoke(main, ["diff", *map(str, runs), "-o", str(tmp_path / "out")])
    assert shown.exit_code == 0
    assert "sellers.capacity, Ann: 20 -> 10" in shown.output
    assert "remainder" in shown.output
    assert (tmp_path / "out" / "explained.csv").is_file()
    data = json.loads(CliRunner().invoke(main, ["diff", *map(str, runs), "--json"]).stdout)
    assert [row["change"] for row in data["explained"]] == ["sellers.capacity", "together", "remainder"]


def test_a_run_without_a_plan_is_said(small: Path, edited: Edit) -> None:
    """When one of the two has no plan, the page gives the reason, and nothing is explained by it."""
    other = edited("other", plan={"metric: commission, at_most: 300": "metric: revenue, at_least: 1e9"})
    found = diff_runs(small, other)
    assert not found.second.has_plan and "Commission" in found.second.reason
    with pytest.raises(InputError, match="neither a run nor a plan"):
        diff_runs(small, small / "nothing")
