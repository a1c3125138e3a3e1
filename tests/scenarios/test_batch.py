"""Batches: many plans, three faults, and only what changed is done again."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner

from cli import main
from optimizer.errors import InputError
from scenarios.batch import Batch, batch, find_plans
from scenarios.terminal import common_language
from scenarios.worker import SweepSettings

Write = Callable[..., Path]
SPLIT = 36
"""Markets of a plan whose revenue and margin must split exactly: whole numbers that no solver finds soon."""


@pytest.fixture
def plans(small: Path, write: Write, tmp_path: Path) -> Path:
    """A folder of three copies of the small plan with three scenarios each."""
    write("dry", "changes: [{table: markets, column: potential, multiply: 0.7}]")
    write("hours", "grid: {by: [0.9, 1.1]}\nchanges: [{table: sellers, column: capacity, multiply: $by}]")
    for name in ("east", "north", "west"):
        shutil.copytree(small, tmp_path / "plans" / name)
    return tmp_path / "plans"


def rows(found: Batch, table: str = "league") -> pd.DataFrame:
    """All rows of a table of the batch's data set."""
    return pd.read_parquet(found.folder / "data" / table)


def test_plans_are_found(small: Path, plans: Path) -> None:
    """A plan file, a plan's folder, and a folder of folders name plans, each once."""
    assert list(find_plans([plans])) == ["east", "north", "west"]
    assert list(find_plans([plans / "west", plans / "east" / "plan.yaml", plans / "west"])) == [
        "west",
        "east",
    ]
    assert list(find_plans([plans / "east", small])) == ["east", "plan"]
    with pytest.raises(InputError, match="there is no plan here"):
        find_plans([plans / "west" / "scenarios"])


def test_a_batch_is_one_data_set(plans: Path, tmp_path: Path) -> None:
    """Every plan's base and scenarios are rows of one Parquet data set a table, named by plan."""
    found = batch([plans], ["scenarios"], tmp_path / "out", SweepSettings(kept=False))
    assert found.exit_code == 0 and found.statuses == {"optimal": 9}
    league = rows(found)
    assert len(league) == 12 and set(league["plan"]) == {"east", "north", "west"}
    assert set(rows(found, "targets")["rule"]) >= {"Year", "Lines"}
    manifest = json.loads((tmp_path / "out" / "batch.json").read_text())
    assert manifest["plans"][0]["inputs"]["markets.csv"] and manifest["versions"]["solver"]


@pytest.mark.slow
def test_only_what_changed_is_done_again(plans: Path, tmp_path: Path) -> None:
    """A changed table redoes its plan, a changed scenario itself, a plan that is gone leaves the data."""
    out, settings = tmp_path / "out", SweepSettings(kept=False)
    batch([plans], ["scenarios"], out, settings)
    assert batch([plans], ["scenarios"], out, settings).reused == 9
    markets = plans / "east" / "markets.csv"
    markets.write_text(markets.read_text().replace("3000,60", "3000,50"))
    dry = plans / "north" / "scenarios" / "dry.yaml"
    dry.write_text(dry.read_text().replace("0.7", "0.6"))
    again = batch([plans], ["scenarios"], out, settings)
    assert [run.sweep.reused for run in again.runs if run.sweep] == [0, 2, 3]
    shutil.rmtree(plans / "west")
    assert set(rows(batch([plans], ["scenarios"], out, settings))["plan"]) == {"east", "north"}


def test_a_plan_that_cannot_be_read_is_a_row(plans: Path, tmp_path: Path) -> None:
    """One broken plan stops no other; the command says why, for a person and for a program."""
    (plans / "north" / "plan.yaml").write_text("name: x\n")
    asked = ["batch", str(plans), "-o", str(tmp_path / "out"), "--no-kept"]
    assert common_language([plans]) == "en"
    shown = CliRunner().invoke(main, asked)
    assert shown.exit_code == 3
    assert "3 plans, 7 rows" in shown.output
    assert "north: cannot be used: plan.yaml" in shown.output
    data = json.loads(CliRunner().invoke(main, [*asked, "--json"]).stdout)
    assert (data["reused"], data["exit_code"], len(data["failures"])) == (6, 3, 1)


def test_plans_of_one_language_have_a_page_in_it(tmp_path: Path) -> None:
    """The page and its failures are in the language that all plans share."""
    for name in ("ural", "sibir"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "plan.yaml").write_text("name: x\nlanguage: ru\n", encoding="utf-8")
    shown = CliRunner().invoke(main, ["batch", str(tmp_path), "-o", str(tmp_path / "out")])
    assert "Планов: 2" in shown.output and "нет записи «calendar»" in shown.output
    (tmp_path / "ural" / "plan.yaml").write_text("name: x\nlanguage: zh\n", encoding="utf-8")
    assert common_language([tmp_path]) == "en"


def _make_hard(folder: Path) -> None:
    """A scenario of whole units that must split revenue and margin exactly (market split, Cornuéjols & Dawande
    1999): far beyond what a second allows."""
    draw = random.Random(5)
    prices = [draw.randrange(50, 150) for _ in range(SPLIT)]
    margins = [draw.randrange(10, 60) for _ in range(SPLIT)]
    lines = ["region,line,item,customer_type,price,margin_rate,last_year_revenue,potential"]
    for at, (price, margin) in enumerate(zip(prices, margins, strict=True)):
        place = f"{('North', 'South')[at % 2]},{('premium', 'standard')[at % 3 == 0]}"
        lines.append(f"{place},I{at},new,{price},0.{margin},1000,1")
    (folder / "hard.csv").write_text("\n".join(lines) + "\n")
    margin = round(sum(price * rate / 100 for price, rate in zip(prices, margins, strict=True)) / 2, 2)
    (folder / "scenarios" / "s03.yaml").write_text(
        "name: s03\nchanges:\n"
        "  - {whole_units: true, calendar: {periods: 1}, targets: {set: []}, budgets: {set: []}}\n"
        f"  - {{limits: {{set: [{{metric: revenue, equals: {sum(prices) // 2}}}, {{metric: margin, equals: {margin}}},"
        f" {{metric: revenue, where: {{line: premium}}, equals: {sum(prices[1::2]) // 2}}}]}}}}\n"
        "  - {table: markets, replace: hard.csv}\n"
        "  - {table: profiles, where: {profile: flat}, remove: true}\n"
        "  - {table: sellers, column: capacity, multiply: 50}\n"
    )


@pytest.mark.slow
def test_fifty_plans_by_twenty_scenarios(small: Path, write: Write, tmp_path: Path) -> None:
    """Of 1,000 pairs three go wrong, each with its reason; run again, only what changed is done."""
    for number in range(20):
        write(
            f"s{number:02d}",
            f"changes: [{{table: markets, column: potential, multiply: {0.8 + number / 50}}}]",
        )
    for number in range(50):
        folder = tmp_path / "plans" / f"p{number:02d}"
        shutil.copytree(small, folder)
        sellers = folder / "sellers.csv"
        sellers.write_text(sellers.read_text().replace("South,30", f"South,{30 + number / 10}"))
    broken = tmp_path / "plans" / "p07" / "scenarios" / "s01.yaml"
    broken.write_text(broken.read_text().replace("potential", "potentail"))
    contradiction = tmp_path / "plans" / "p11" / "scenarios" / "s02.yaml"
    contradiction.write_text(
        "name: s02\nchanges: [{limits: {add: [{name: Much, metric: revenue, at_least: 1e9}]}}]\n"
    )
    _make_hard(tmp_path / "plans" / "p13")
    settings = SweepSettings(time_limit=2.0, kept=False)
    found = batch([tmp_path / "plans"], ["scenarios"], tmp_path / "out", settings, "process:2")
    assert found.statuses == {"optimal": 997, "input_error": 1, "no_plan": 1, "limit": 1}
    assert found.exit_code == 5
    failures = {(plan, scenario): (status, reason) for plan, scenario, status, reason in found.failures()}
    assert failures["p07", "s01"][0] == "input_error" and "potentail" in failures["p07", "s01"][1]
    assert failures["p11", "s02"][0] == "no_plan" and "Much" in failures["p11", "s02"][1]
    assert failures["p13", "s03"] == ("limit", "limit: time")
    league = rows(found)
    assert len(league) == 1050 and (league["status"] == "optimal").sum() == 1047
    broken.write_text(broken.read_text().replace("potentail", "potential"))
    again = batch([tmp_path / "plans"], ["scenarios"], tmp_path / "out", settings, "process:2")
    assert again.reused == 999
    assert again.statuses == {"optimal": 998, "no_plan": 1, "limit": 1}
