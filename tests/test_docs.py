"""What README.md and docs/ promise: marked blocks run, links lead somewhere, every pack is listed."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from optimizer import Solution, page
from scenarios import examples as packs
from scenarios.leaguepage import sweep_page
from scenarios.sweep import sweep

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "scenarios").rglob("*.md")])
BLOCK = re.compile(r"<!-- run( slow)? -->\n```(bash|python)\n(.*?)```", re.DOTALL)
EXCERPT = re.compile(r"<!-- page: (\w+) -->\n```text\n(.*?)```", re.DOTALL)
SWEEP = re.compile(r"<!-- sweep: (\w+) -->\n```text\n(.*?)```", re.DOTALL)
LINK = re.compile(r"\]\((?!https?:|#|mailto:)([^)#\s]+)")
BLOCKS = [
    pytest.param(
        language,
        code,
        id=f"{page.relative_to(ROOT)}-{number}",
        marks=[pytest.mark.slow] if slow else [],
    )
    for page in PAGES
    for number, (slow, language, code) in enumerate(BLOCK.findall(page.read_text(encoding="utf-8")), start=1)
]


@pytest.mark.parametrize(("language", "code"), BLOCKS)
def test_a_marked_block_runs(language: str, code: str, tmp_path: Path) -> None:
    """A block under `<!-- run -->` or `<!-- run slow -->` ends without an error or a warning, beside a copy of the packs."""
    shutil.copytree(packs.FOLDER, tmp_path / "scenarios" / "examples")
    (tmp_path / "scenarios" / "examples" / "__init__.py").unlink()
    script = tmp_path / f"block.{language}"
    script.write_text(code, encoding="utf-8")
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    command = (
        [sys.executable, "-W", "error", str(script)]
        if language == "python"
        else ["bash", "-euo", "pipefail", str(script)]
    )
    done = subprocess.run(
        command,
        cwd=tmp_path,
        env={**os.environ, "PATH": path, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_excerpts_of_pages_are_what_the_command_prints(solved: Callable[[str], Solution]) -> None:
    """Every line under `<!-- page: PACK -->` in the README stands in the page of that pack."""
    found = EXCERPT.findall((ROOT / "README.md").read_text(encoding="utf-8"))
    assert found
    for pack, excerpt in found:
        printed = page(solved(pack)).split("\n")
        missing = [line for line in excerpt.splitlines() if line and line not in printed]
        assert not missing


@pytest.mark.slow
def test_the_league_table_of_the_readme_is_what_a_sweep_prints(tmp_path: Path) -> None:
    """Every line under `<!-- sweep: PACK -->` in the README stands in the page of a sweep of its scenarios."""
    found = SWEEP.findall((ROOT / "README.md").read_text(encoding="utf-8"))
    assert found
    for pack, excerpt in found:
        plan = packs.copy(pack, tmp_path / pack)
        done = sweep(plan, [plan.parent / "scenarios"], tmp_path / "runs" / pack)
        printed = sweep_page(done, "en").split("\n")
        assert not [line for line in excerpt.splitlines() if line and line not in printed]


@pytest.mark.parametrize("document", PAGES, ids=lambda document: str(document.relative_to(ROOT)))
def test_links_between_pages_lead_somewhere(document: Path) -> None:
    """A relative link names a file or a folder of the repository."""
    missing = [
        link
        for link in LINK.findall(document.read_text(encoding="utf-8"))
        if not (document.parent / link).exists()
    ]
    assert not missing


def test_the_readme_lists_every_pack() -> None:
    """A pack that ships is in the table of README.md."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [name for name in packs.names() if f"scenarios/examples/{name}/README.md" not in readme] == []


def test_decisions_are_listed() -> None:
    """Each record is in the list of decisions."""
    folder = ROOT / "docs" / "decisions"
    listed = (folder / "README.md").read_text(encoding="utf-8")
    assert [path.name for path in sorted(folder.glob("0*.md")) if path.name not in listed] == []
