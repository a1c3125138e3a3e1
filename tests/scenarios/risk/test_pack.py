"""The risk files of the main pack give what the README shows."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import pytest

from scenarios.risk.analysis import analyse, load
from scenarios.risk.decided import decided
from scenarios.risk.options import asked_for
from scenarios.risk.page import risk_page

EXCERPT = re.compile(r"<!-- risk: (\w+) (\w+) decide=(\d+) -->\n```text\n(.*?)```", re.DOTALL)
KEPT = re.compile(r"<!-- risk run: (\w+) -->\n```text\n(.*?)```", re.DOTALL)


@pytest.mark.slow
def test_the_readme_shows_what_the_risk_files_give(root: Path, examples: Path) -> None:
    """Every line of an excerpt stands in the page of its risk file."""
    found = EXCERPT.findall((root / "README.md").read_text(encoding="utf-8"))
    assert found
    for pack, file, futures, excerpt in found:
        base, risk = load(examples / pack, examples / pack / "risk" / f"{file}.yaml")
        analysis = decided(analyse(base, asked_for(risk, int(futures))))
        printed = risk_page(analysis, "en").split("\n")
        assert [line for line in excerpt.splitlines() if line and line not in printed] == []


def test_the_readme_shows_the_run_of_the_expert_file_that_is_kept(root: Path, examples: Path) -> None:
    """Every line of the excerpt stands in the page of the run, which was made from the files that ship."""
    found = KEPT.findall((root / "README.md").read_text(encoding="utf-8"))
    assert [name for name, _ in found] == ["premium_chain_expert"]
    folder = root / "benchmarks" / "runs" / "premium_chain_expert"
    printed = (folder / "page.txt").read_text(encoding="utf-8").split("\n")
    assert [line for line in found[0][1].splitlines() if line and line not in printed] == []
    run = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    path = examples / "premium_chain" / "risk" / "expert.yaml"
    base, risk = load(examples / "premium_chain", path)
    assert run["risk_digest"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert (run["plan_digest"], run["samples_digest"]) == (base.digest, risk.draws().digest)


@pytest.mark.parametrize("file", ["year", "year_in_detail"])
def test_risk_files_of_the_main_pack_are_read(examples: Path, file: str) -> None:
    """Both files fit the pack; five lines are enough."""
    path = examples / "premium_year" / "risk" / f"{file}.yaml"
    _, risk = load(examples / "premium_year", path)
    assert len(risk.draws()) == 500
    if file == "year":
        assert len(path.read_text(encoding="utf-8").splitlines()) == 5
        assert [one.name for one in risk.variables] == ["market_size.size_revenue", "sellers.productivity"]


def test_risk_files_of_the_whole_chain_are_read(examples: Path) -> None:
    """Five lines are enough; the expert file has the seven things that may happen, correlated."""
    folder = examples / "premium_chain"
    _, short = load(folder, folder / "risk" / "year.yaml")
    assert [one.name for one in short.variables] == ["markets.potential"]
    _, expert = load(folder, folder / "risk" / "expert.yaml")
    things = ("market size", "conversion", "churn", "cycle length", "click price")
    names = [one.name for one in expert.variables]
    assert all(any(name.startswith(thing) for name in names) for thing in things)
    assert {event.kind for event in expert.events} == {"leaves", "slips"}
    at = names.index("conversion")
    assert expert.correlation[at, names.index("cycle length")] == -0.4
    assert expert.correlation[at, names.index("market size high_end")] == 0.5
