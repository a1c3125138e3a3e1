"""The shipped packs: found, copied whole, and never over somebody's plan."""

from __future__ import annotations

from pathlib import Path

import pytest

from optimizer.checking import check
from optimizer.errors import InputError
from optimizer.plan.load import load_plan
from scenarios import examples as packs


def test_the_packs_are_found_by_name() -> None:
    """The packs of the README are there."""
    assert packs.names() == (
        "markets_only",
        "people_and_target",
        "premium_chain",
        "premium_monday",
        "premium_year",
        "regional_ru",
    )


def _bytes(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


@pytest.mark.parametrize("name", packs.names())
def test_a_pack_is_copied_byte_for_byte(name: str, tmp_path: Path) -> None:
    """Files in old encodings arrive as they are, and nothing else is left beside them."""
    plan_file = packs.copy(name, tmp_path / "plan")
    assert plan_file == tmp_path / "plan" / "plan.yaml"
    assert _bytes(plan_file.parent) == _bytes(packs.FOLDER / name)
    assert [path.name for path in tmp_path.iterdir()] == ["plan"]


def test_a_pack_is_copied_into_new_parent_folders(tmp_path: Path) -> None:
    """Folders on the way are made."""
    assert packs.copy("markets_only", tmp_path / "a" / "b").is_file()


def test_an_existing_folder_is_refused(tmp_path: Path) -> None:
    """A plan is never overwritten."""
    (tmp_path / "plan.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(InputError, match="exists already"):
        packs.copy("premium_year", tmp_path / "plan.txt")
    assert (tmp_path / "plan.txt").read_text(encoding="utf-8") == "mine"


def test_a_folder_below_a_file_is_refused(tmp_path: Path) -> None:
    """A file where a folder would have to be is named."""
    (tmp_path / "plans").write_text("mine", encoding="utf-8")
    with pytest.raises(InputError, match="plans” is a file"):
        packs.copy("markets_only", tmp_path / "plans" / "mine")


def test_an_unknown_pack_is_refused_with_the_nearest_name(tmp_path: Path) -> None:
    """A typo is answered with a name."""
    with pytest.raises(InputError, match="Did you mean “premium_year”"):
        packs.copy("premium-year", tmp_path / "plan")


@pytest.mark.parametrize("name", packs.names())
def test_a_pack_has_a_title(name: str) -> None:
    """The list of packs says what each shows."""
    assert len(packs.title(name)) > 10


@pytest.mark.parametrize("name", packs.names())
def test_check_finds_no_fault_in_a_pack(name: str) -> None:
    """Every pack can be checked, with facts or without, and can be solved as it stands.

    A target of which facts are a part once ended `check` with a traceback.
    """
    findings = check(load_plan(packs.FOLDER / name / "plan.yaml"))
    assert [finding for finding in findings if finding.level == "error"] == []
