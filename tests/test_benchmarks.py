"""Tests that the benchmark measures what it says; nothing here is timed."""

from __future__ import annotations

import json
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from benchmarks import plan_models, report
from benchmarks.generator import BENCHMARK_FAMILIES, LADDER, write_plan
from optimizer.model.compile import compile_plan
from optimizer.plan.inputs import resolve
from optimizer.plan.load import load_plan


def test_the_generator_repeats_itself(tmp_path: Path) -> None:
    """The same seed gives the same tables; the smallest step has about 3,000 columns and a funnel."""
    first, second = (write_plan(LADDER[0], tmp_path / name) for name in ("first", "second"))
    for file in sorted(first.parent.iterdir()):
        assert file.read_bytes() == (second.parent / file.name).read_bytes()
    program = compile_plan(resolve(load_plan(first)), families=BENCHMARK_FAMILIES).program
    assert 2_500 <= program.num_columns <= 3_500
    assert {"demand", "hours", "rules", "opportunity"} <= {block.name for block in program.row_blocks}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], str]:
    """The figures and the text of one pair at 3k."""
    file = tmp_path_factory.mktemp("bench") / "figures.json"
    text = StringIO()
    with redirect_stdout(text), redirect_stderr(StringIO()):
        plan_models.main(["--sizes", "3k", "--runs", "1", "--json", str(file)])
    return json.loads(file.read_text(encoding="utf-8")), text.getvalue()


@pytest.mark.slow
def test_a_run_measures_every_phase(run: tuple[dict[str, Any], str]) -> None:
    """Every phase of ours and of plain highspy has seconds and memory, and both methods are tried."""
    result, text = run
    (step,) = result["steps"]
    (ours,), (direct,) = step["ours"], step["direct"]
    for kind in ("seconds", "processor"):
        assert set(ours[kind]) == set(report.PHASES)
        assert set(direct[kind]) == {"hand over", "solve"}
    assert set(ours["memory"]) == {"start", *report.PHASES}
    assert ours["reason"] == direct["reason"] == "optimal"
    assert step["other"]["method"] != step["method"] == ours["method"]
    assert "3k" in text
    assert "judged at 250k, which was not measured" in text


@pytest.mark.slow
def test_all_build_the_same_model(run: tuple[dict[str, Any], str]) -> None:
    """Plain highspy, PuLP and, where it is installed, linopy reach our objective."""
    (step,) = run[0]["steps"]
    assert {"linopy", "pulp"} == set(step["peers"])
    assert "objective" in step["peers"]["pulp"]
    assert report.objective_distance(step) <= report.SAME_OBJECTIVE


def _step(compile_seconds: float, memory: float, other: dict[str, Any]) -> dict[str, Any]:
    seconds = {
        "read": 9.0,
        "compile": compile_seconds,
        "hand over": 0.1,
        "solve": 10.0,
        "verify": 0.1,
        "write": 9.0,
    }
    ours = {
        "seconds": seconds,
        "memory": dict.fromkeys(report.PHASES, memory),
        "objective": 5.0,
        "reason": "optimal",
    }
    direct = {"seconds": {"hand over": 0.0, "solve": 10.0}, "memory": {"solve": 100.0}, "objective": 5.0}
    return {
        "model": {"name": report.JUDGED_AT},
        "ours": [ours],
        "direct": [direct],
        "other": other,
        "peers": {},
    }


def test_requirements_are_judged_on_the_figures() -> None:
    """Seconds, memory, compiling and method are ratios; reading and writing take no part."""
    stopped = {"stopped": True, "seconds": 30.0, "runs": []}
    good = report.requirements([_step(0.2, 140.0, stopped)])
    assert [item["figure"] for item in good] == pytest.approx([1.04, 1.4, 0.02, 1.0, 0.0])
    assert all(item["met"] for item in good)
    faster = {"stopped": False, "seconds": 5.0, "runs": []}
    bad = report.requirements([_step(2.0, 160.0, faster)])
    assert [item["met"] for item in bad] == [False, False, False, False, True]


def test_sizes_and_runs_that_do_not_exist_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """The message names what there is."""
    for arguments, words in ((["--sizes", "4k"], "3k, 25k, 250k, 750k"), (["--runs", "0"], "at least 1")):
        with pytest.raises(SystemExit):
            plan_models.main(arguments)
        assert words in capsys.readouterr().err
