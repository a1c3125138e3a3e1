"""Sweeps: one row a scenario whatever happens, the same tables on every engine, nothing done twice."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner

from cli import main
from optimizer.errors import InputError, LimitReachedError
from optimizer.plan.load import load_plan
from optimizer.settings import SolveSettings
from optimizer.solving import solve
from scenarios.leaguepage import sweep_page
from scenarios.sweep import Sweep, sweep

Write = Callable[..., Path]
TABLES = ("league", "targets", "parts", "changes")


@pytest.fixture
def scenarios(small: Path, write: Write) -> Path:
    """A folder of six scenarios: three levers, one of another shape, one broken, one without a plan."""
    for name, factor in (("dry", 0.7), ("wet", 1.2), ("same", 1.0)):
        write(name, f"changes: [{{table: markets, column: potential, multiply: {factor}}}]")
    write("leaver", "changes: [{table: sellers, where: {seller: Dan}, remove: true}]")
    write("broken", "changes: [{table: markets, column: prise, multiply: 2}]")
    path = write("greedy", "changes: [{limits: {add: [{name: Much, metric: revenue, at_least: 1e9}]}}]")
    return path.parent


def league(found: Sweep | Path) -> pd.DataFrame:
    """The league table by scenario."""
    folder = found.folder if isinstance(found, Sweep) else found
    return pd.read_parquet(folder / "league.parquet").set_index("scenario")


def assert_same(first: Path, second: Path) -> None:
    """Two sweeps gave the same tables to 1e-9, in the same order and with the same words."""
    for name in TABLES:
        frames = [pd.read_parquet(folder / f"{name}.parquet") for folder in (first, second)]
        pd.testing.assert_frame_equal(*frames, rtol=1e-9, atol=1e-9)


def test_every_scenario_is_a_row(small: Path, scenarios: Path, tmp_path: Path) -> None:
    """Plans, a broken change and rules that contradict stand in one table, with reasons and an exit code."""
    found = sweep(small, [scenarios], tmp_path / "out")
    rows = league(found)
    assert list(rows.index) == ["base", "broken", "dry", "greedy", "leaver", "same", "wet"]
    assert rows["status"].to_dict() == {
        "base": "optimal", "broken": "input_error", "dry": "optimal", "greedy": "no_plan",
        "leaver": "optimal", "same": "optimal", "wet": "optimal",
    }  # fmt: skip
    assert "0/0" not in sweep_page(found, "en")
    assert "broken.yaml, line 2, value “prise”: unknown column" in rows["reason"]["broken"]
    assert "Much" in rows["reason"]["greedy"]
    assert found.exit_code == 4
    assert [record.name for record in found.failures] == ["broken", "greedy"]
    assert (found.folder / "league.csv").read_text(encoding="utf-8-sig").count("\n") == 8


def test_each_scenario_is_what_solve_finds(small: Path, scenarios: Path, tmp_path: Path) -> None:
    """The figures of a scenario are those of the changed plan solved by itself; those of no change the base's."""
    rows = league(sweep(small, [scenarios], tmp_path / "out"))
    text = (small / "markets.csv").read_text()
    for old, new in ((",60,", ",42,"), (",90,", ",63,"), (",40,flat", ",28,flat"), (",120,", ",84,")):
        text = text.replace(old, new)
    (small / "markets.csv").write_text(text)
    alone = solve(load_plan(small), SolveSettings(marginal_values=False, leverage=False))
    assert rows["revenue"]["dry"] == pytest.approx(alone.figure("revenue"), rel=1e-6)
    assert rows["objective"]["dry"] == pytest.approx(alone.figure("contribution"), rel=1e-6)
    assert rows["objective_change"]["same"] == pytest.approx(0, abs=1e-6)
    assert rows["start"]["dry"] == "warm" and "cold" in rows["start"]["leaver"]


def test_kept_reacting_and_planned_again(small: Path, scenarios: Path, tmp_path: Path) -> None:
    """Keeping the plan brings no more than reacting; in its own world the plan brings what it brought."""
    rows = league(sweep(small, [scenarios], tmp_path / "out"))
    with_plan = rows.loc[["dry", "leaver", "same", "wet"]]
    assert (with_plan["kept"] <= with_plan["reacting"] + 1e-6).all()
    assert with_plan["kept"]["same"] == pytest.approx(rows["money"]["base"], rel=1e-6)
    assert with_plan["kept"]["wet"] == pytest.approx(rows["money"]["base"], rel=1e-6)
    assert with_plan["value_of_reacting"].to_numpy() == pytest.approx(
        (with_plan["reacting"] - with_plan["kept"]).to_numpy()
    )


def test_resume_redoes_only_what_changed(small: Path, scenarios: Path, tmp_path: Path, write: Write) -> None:
    """Unchanged scenarios are read from the disk; a changed one is solved again; without resume all are."""
    out = tmp_path / "out"
    first = sweep(small, [scenarios], out)
    again = sweep(small, [scenarios], out, resume=True)
    assert (first.reused, again.reused) == (0, 6)
    write("dry", "changes: [{table: markets, column: potential, multiply: 0.6}]")
    changed = sweep(small, [scenarios], out, resume=True)
    assert changed.reused == 5
    fresh = sweep(small, [scenarios], tmp_path / "fresh")
    assert_same(changed.folder, fresh.folder)


def test_an_interruption_keeps_what_is_done(small: Path, scenarios: Path, tmp_path: Path) -> None:
    """Stopped after the first scenario, the sweep says how far it came, and goes on from there."""
    out, stop = tmp_path / "out", threading.Event()
    with pytest.raises(LimitReachedError, match=r"stopped after [12] of 6 scenarios"):
        sweep(small, [scenarios], out, progress=lambda done, total, seconds: stop.set(), interrupt=stop)
    resumed = sweep(small, [scenarios], out, resume=True)
    assert 1 <= resumed.reused <= 2
    assert_same(resumed.folder, sweep(small, [scenarios], tmp_path / "fresh").folder)


def test_a_damaged_record_is_made_again(small: Path, scenarios: Path, tmp_path: Path) -> None:
    """A file that a full disk cut short is no answer."""
    out = tmp_path / "out"
    sweep(small, [scenarios], out)
    next((out / "records").glob("wet-*.json")).write_text('{"name": "wet"')
    assert sweep(small, [scenarios], out, resume=True).reused == 5


def test_a_folder_of_something_else_is_refused(small: Path, scenarios: Path, tmp_path: Path) -> None:
    """A sweep never writes over files that are not its own."""
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match="sweep"):
        sweep(small, [scenarios], tmp_path / "out")


def test_the_command(small: Path, scenarios: Path, tmp_path: Path) -> None:
    """The page has league table, changes and failures; --json is for programs; both end with the exit code."""
    asked = ["sweep", str(small), str(scenarios), "-o", str(tmp_path / "out")]
    shown = CliRunner().invoke(main, asked)
    assert shown.exit_code == 4
    assert "6 scenarios beside the base plan" in shown.output
    assert "markets.potential, North / premium / new: 60 -> 42" in shown.output
    assert "2 scenarios without a plan" in shown.output
    again = CliRunner().invoke(main, [*asked, "--resume", "--json"])
    data = json.loads(again.stdout)
    assert (data["reused"], data["exit_code"], data["statuses"]["optimal"]) == (6, 4, 4)
    league = pd.read_parquet(tmp_path / "out" / "league.parquet")[["scenario", "status", "file", "digest"]]
    assert data["scenarios"] == league.iloc[1:].to_dict("records")
    assert CliRunner().invoke(main, [*asked, "--engine", "abacus"]).exit_code == 3


@pytest.mark.slow
def test_processes_give_the_same_tables(small: Path, scenarios: Path, tmp_path: Path) -> None:
    """Two processes and one thread agree in every table, although one worker is killed in the middle."""
    one = sweep(small, [scenarios], tmp_path / "serial")
    killed: list[int] = []

    def kill_a_worker(done: int, total: int, seconds: float) -> None:
        if not killed:
            killed.append(multiprocessing.active_children()[0].pid or 0)
            os.kill(killed[0], signal.SIGKILL)

    two = sweep(small, [scenarios], tmp_path / "process", engine="process:2", progress=kill_a_worker)
    assert killed
    assert_same(one.folder, two.folder)


@pytest.mark.slow
def test_a_killed_sweep_goes_on(small: Path, scenarios: Path, tmp_path: Path, write: Write) -> None:
    """A run killed by signal 9 in the middle and resumed gives what an uninterrupted one gives."""
    grid = "grid: {by: [" + ", ".join(f"{1 + at / 1000:.3f}" for at in range(200)) + "]}\n"
    write("many", f"{grid}changes: [{{table: markets, column: potential, multiply: $by}}]")
    out = tmp_path / "out"
    command = [sys.executable, "-m", "cli", "sweep", str(small), str(scenarios), "-o", str(out)]
    running = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while len(list(out.glob("records/*.json"))) < 20:
        assert running.poll() is None
        time.sleep(0.02)
    running.send_signal(signal.SIGKILL)
    running.wait()
    done = len(list((out / "records").glob("*.json"))) - 1
    resumed = sweep(small, [scenarios], out, resume=True)
    assert 18 <= resumed.reused <= done < 206
    assert_same(resumed.folder, sweep(small, [scenarios], tmp_path / "fresh").folder)
