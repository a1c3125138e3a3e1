"""Run folders: whole or not at all, and repeatable from their own inputs."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from optimizer.errors import InputError
from optimizer.plan.load import load_plan
from scenarios import examples as packs
from scenarios.running import Run, run_plan
from scenarios.store import Inputs, refuse_foreign

PACKS = ("markets_only", "people_and_target", "regional_ru")
KILLER = """
import os, signal, sys
from pathlib import Path
import scenarios.store as store
from scenarios.running import run_plan

def killed(frames, path):
    path.write_bytes(b"half a workbook")
    os.kill(os.getpid(), signal.SIGKILL)

store.write_workbook = killed
run_plan(Path(sys.argv[1]), Path(sys.argv[2]))
"""


def copied(pack: str, folder: Path) -> Path:
    """The plan file of a copy of a pack."""
    return packs.copy(pack, folder)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """A run of the smallest pack in the folder `run`."""
    return run_plan(copied("markets_only", tmp_path / "plan"), tmp_path / "run")


def test_a_run_folder_is_complete(run: Run, tmp_path: Path) -> None:
    """Summary, page, log, workbook, each table twice, and the inputs."""
    folder = tmp_path / "run"
    names = {
        "sales",
        "decisions",
        "targets",
        "limits",
        "kpis",
        "shortfalls",
        "marginal_values",
        "assumptions",
    }
    assert {path.name for path in folder.iterdir()} == {
        "summary.json", "page.txt", "log.txt", "run.xlsx", "tables", "inputs"
    }  # fmt: skip
    assert {path.name for path in (folder / "tables").iterdir()} == {
        f"{name}.{kind}" for name in names for kind in ("csv", "parquet")
    }
    with pd.ExcelFile(folder / "run.xlsx") as book:
        assert set(book.sheet_names) == names
    assert (folder / "page.txt").read_text(encoding="utf-8").startswith("2027年区域销售计划")
    assert (folder / "log.txt").read_text(encoding="utf-8").count("\n") > 3


def test_the_summary_says_what_a_program_needs(run: Run, tmp_path: Path) -> None:
    """Status, stages with bounds, residuals, seconds by phase, versions, hashes, options."""
    summary = json.loads((tmp_path / "run" / "summary.json").read_text(encoding="utf-8"))
    assert summary == json.loads(json.dumps(summary))
    assert (summary["status"], summary["exit_code"], summary["has_plan"]) == ("optimal", 0, True)
    assert summary["gap"] <= 1e-6 and summary["residuals"]["worst"] <= 1e-6
    assert {"read", "compile", "solve", "explain"} <= set(summary["seconds"])
    assert {"python", "apportion", "numpy"} <= set(summary["versions"])
    assert any(name.startswith("solver ") for name in summary["versions"])
    money = next(stage for stage in summary["objective"] if stage["kind"] == "money")
    assert money["bound"] == pytest.approx(money["value"], rel=1e-5)
    assert summary["options"]["seed"] == 0
    assert summary["figures"]["revenue"] == pytest.approx(run.solution.figure("revenue"))
    for name, digest in summary["inputs"].items():
        kept = tmp_path / "run" / "inputs" / name
        assert hashlib.sha256(kept.read_bytes()).hexdigest() == digest


@pytest.mark.parametrize("pack", PACKS)
def test_a_run_is_repeated_from_its_folder(pack: str, tmp_path: Path) -> None:
    """Solving the kept inputs gives the same tables, byte for byte, also when the plan has moved away."""
    plan = copied(pack, tmp_path / "plan")
    run_plan(plan, tmp_path / "run")
    for path in sorted(plan.parent.rglob("*"), reverse=True):
        path.unlink()
    run_plan(tmp_path / "run" / "inputs" / "plan.yaml", tmp_path / "again")
    first = {path.name: path.read_bytes() for path in (tmp_path / "run" / "tables").glob("*.csv")}
    again = {path.name: path.read_bytes() for path in (tmp_path / "again" / "tables").glob("*.csv")}
    assert first == again and first


def test_a_plan_file_of_another_name_is_kept_as_plan_yaml(tmp_path: Path) -> None:
    """`next_year.yaml` and a table in a subfolder: `inputs/plan.yaml` works all the same."""
    plan = copied("markets_only", tmp_path / "plan")
    (plan.parent / "data").mkdir()
    (plan.parent / "markets.csv").rename(plan.parent / "data" / "markets.csv")
    text = plan.read_text(encoding="utf-8").replace("file: markets.csv", "file: data/markets.csv")
    plan.unlink()
    other = plan.with_name("next_year.yaml")
    other.write_text(text, encoding="utf-8")
    first = run_plan(other, tmp_path / "run")
    again = run_plan(tmp_path / "run" / "inputs", None)
    assert again.solution.figure("revenue") == pytest.approx(first.solution.figure("revenue"))


def test_a_run_may_replace_the_run_that_it_reads(tmp_path: Path) -> None:
    """Solving OUT/inputs/plan.yaml into OUT leaves a whole run there."""
    run_plan(copied("markets_only", tmp_path / "plan"), tmp_path / "run")
    run_plan(tmp_path / "run" / "inputs" / "plan.yaml", tmp_path / "run")
    assert (tmp_path / "run" / "inputs" / "markets.csv").is_file()


def test_a_table_too_large_for_a_spreadsheet_is_left_out_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The summary names what is in tables/ only."""
    monkeypatch.setattr("scenarios.store.SHEET_CELLS", 500)
    run = run_plan(copied("markets_only", tmp_path / "plan"), tmp_path / "run")
    assert run.summary["workbook_leaves_out"] == ["kpis"]
    with pd.ExcelFile(tmp_path / "run" / "run.xlsx") as book:
        assert "kpis" not in book.sheet_names and "sales" in book.sheet_names
    assert (tmp_path / "run" / "tables" / "kpis.csv").is_file()


def test_a_folder_that_is_no_run_is_refused_before_solving(tmp_path: Path) -> None:
    """Somebody's own folder is not replaced, and nobody waits for a solve to hear it."""
    own = tmp_path / "own"
    own.mkdir()
    (own / "letter.txt").write_text("keep me", encoding="utf-8")
    with pytest.raises(InputError, match=r"own: the folder has files in it and no summary\.json"):
        run_plan(tmp_path / "there is no plan.yaml", own)
    assert (own / "letter.txt").read_text(encoding="utf-8") == "keep me"
    with pytest.raises(InputError, match="a file of this name is there"):
        refuse_foreign(own / "letter.txt")


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs a signal that cannot be caught")
def test_a_killed_run_leaves_the_old_folder(tmp_path: Path, root: Path) -> None:
    """Killed while it writes: the earlier run is whole, and the next run cleans up and replaces it."""
    plan = copied("markets_only", tmp_path / "plan")
    run_plan(plan, tmp_path / "run")
    before = {path: path.read_bytes() for path in (tmp_path / "run").rglob("*") if path.is_file()}
    done = subprocess.run(
        [sys.executable, "-c", KILLER, str(plan), str(tmp_path / "run")],
        env={**os.environ, "PYTHONPATH": str(root)},
        check=False,
    )
    assert done.returncode == -signal.SIGKILL
    assert {path: path.read_bytes() for path in (tmp_path / "run").rglob("*") if path.is_file()} == before
    run_plan(plan, tmp_path / "run")
    assert {path.name for path in tmp_path.iterdir()} == {"plan", "run"}


def test_a_file_that_changes_while_it_is_read_is_told(tmp_path: Path) -> None:
    """The kept inputs are those that were solved, or the run ends."""
    plan = load_plan(copied("markets_only", tmp_path / "plan"))
    with (tmp_path / "plan" / "markets.csv").open("a", encoding="utf-8") as file:
        file.write("\n")
    with pytest.raises(InputError, match=r"markets\.csv: the file was changed while it was being read"):
        Inputs.of(plan)


def test_a_contradiction_is_kept_as_a_run(root: Path, tmp_path: Path) -> None:
    """Without a plan the folder has the repairs, in tables and in the summary, and exit code 4."""
    run = run_plan(root / "tests" / "golden" / "infeasible_target" / "plan.yaml", tmp_path / "run")
    assert run.summary["exit_code"] == 4 and not run.summary["has_plan"]
    assert [change["name"] for change in run.summary["contradiction"]["least_change"]] == ["Total"]
    repairs = pd.read_csv(tmp_path / "run" / "tables" / "repairs.csv")
    assert set(repairs["part"]) == {"least_change", "alone", "conflicting"}
