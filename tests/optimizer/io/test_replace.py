"""A killed, failed or interrupted writer leaves the old result or the whole new one."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from optimizer.errors import InputError
from optimizer.io import replace
from optimizer.io.replace import make_folder, recover, replace_file, replace_folder

MARKER = "summary.json"


def write(target: Path, text: str) -> None:
    """Write a small result folder of two files."""
    with replace_folder(target, MARKER) as folder:
        (folder / MARKER).write_text(text, encoding="utf-8")
        (folder / "tables").mkdir()
        (folder / "tables" / "sales.csv").write_text(text, encoding="utf-8")


def content(target: Path) -> set[str]:
    """The different texts in a result folder: one, when it is whole."""
    assert (target / "tables" / "sales.csv").is_file()
    return {path.read_text(encoding="utf-8") for path in target.rglob("*") if path.is_file()}


@pytest.mark.parametrize("make", [make_folder, lambda path: write(path, "new")])
def test_a_result_below_a_file_is_refused(
    make: Callable[[Path], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message names the path as the user knows it, and the file that is in the way."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs").write_text("a file", encoding="utf-8")
    with pytest.raises(InputError, match=r"^runs/x/y: .* because “runs” is a file"):
        make(tmp_path / "runs" / "x" / "y")


def test_a_folder_is_made_and_replaced(tmp_path: Path) -> None:
    """The first result makes the folder and its parents, the next replaces it, and nothing else is left."""
    target = tmp_path / "runs" / "premium [1]"
    write(target, "old")
    assert content(target) == {"old"}
    write(target, "new")
    assert content(target) == {"new"}
    assert [path.name for path in target.parent.iterdir()] == [target.name]


def test_a_system_without_exchange_renames_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where folders cannot be exchanged in one step, the result is the same."""
    monkeypatch.setattr(replace, "_exchange", lambda first, second: False)
    write(tmp_path / "run", "old")
    write(tmp_path / "run", "new")
    assert content(tmp_path / "run") == {"new"}
    assert len(list(tmp_path.iterdir())) == 1


def test_a_block_that_fails_leaves_the_old_folder(tmp_path: Path) -> None:
    """An exception in the block keeps the old result and leaves nothing behind."""
    write(tmp_path / "run", "old")
    with pytest.raises(KeyboardInterrupt), replace_folder(tmp_path / "run", MARKER) as folder:
        (folder / MARKER).write_text("new", encoding="utf-8")
        raise KeyboardInterrupt
    assert content(tmp_path / "run") == {"old"} and len(list(tmp_path.iterdir())) == 1


def test_a_full_disk_is_named(tmp_path: Path) -> None:
    """A full disk is an error in words, and the old result stays."""
    write(tmp_path / "run", "old")
    with pytest.raises(InputError, match="disk is full"), replace_folder(tmp_path / "run", MARKER):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert content(tmp_path / "run") == {"old"}


@pytest.mark.parametrize("number", [errno.ENOENT, errno.ENAMETOOLONG, errno.EACCES, errno.ENOSPC])
def test_a_place_where_nothing_can_be_made_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """Whatever the system says when the folder is made (/proc says that it is not there), it is said in words."""

    def refuse(*_arguments: object, **_options: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(Path, "mkdir", refuse)
    with (
        pytest.raises(InputError, match=r"run: .*(cannot be written here|disk is full)"),
        replace_folder(tmp_path / "run", MARKER),
    ):
        pytest.fail("there is no folder to write into")


def test_somebody_elses_folder_is_not_replaced(tmp_path: Path) -> None:
    """A folder without the marker stays as it is; an empty one may be used."""
    (tmp_path / "documents").mkdir()
    (tmp_path / "documents" / "thesis.txt").write_text("years of work", encoding="utf-8")
    with pytest.raises(InputError, match=r"no summary\.json, so it is not an earlier result"):
        write(tmp_path / "documents", "new")
    assert (tmp_path / "documents" / "thesis.txt").read_text(encoding="utf-8") == "years of work"
    (tmp_path / "empty").mkdir()
    write(tmp_path / "empty", "new")
    assert content(tmp_path / "empty") == {"new"}


def test_a_file_in_the_way_is_not_replaced(tmp_path: Path) -> None:
    """A result folder does not take the place of a file, nor a file that of a folder, nor a file hold one."""
    (tmp_path / "run").write_text("text", encoding="utf-8")
    with pytest.raises(InputError, match="a file of this name is there"):
        write(tmp_path / "run", "new")
    with pytest.raises(InputError, match="cannot be written here"):
        write(tmp_path / "run" / "below", "new")
    with pytest.raises(InputError, match="would replace a folder"), replace_file(tmp_path):
        pass


def test_a_folder_without_its_marker_is_a_mistake_of_the_program(tmp_path: Path) -> None:
    """A folder that could never be replaced again is not made."""
    with (
        pytest.raises(ValueError, match=r"no file 'summary\.json'"),
        replace_folder(tmp_path / "run", MARKER),
    ):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_link_to_a_folder_stays_a_link(tmp_path: Path) -> None:
    """The folder behind the link is replaced."""
    write(tmp_path / "run", "old")
    (tmp_path / "latest").symlink_to(tmp_path / "run")
    write(tmp_path / "latest", "new")
    assert (tmp_path / "latest").is_symlink() and content(tmp_path / "run") == {"new"}


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    """A file has the old text until the block has ended well."""
    target = tmp_path / "model.mps"
    with replace_file(target) as path:
        path.write_text("old", encoding="utf-8")
    with pytest.raises(RuntimeError), replace_file(target) as path:
        path.write_text("half", encoding="utf-8")
        raise RuntimeError
    assert target.read_text(encoding="utf-8") == "old" and path.name == "model.mps"
    assert [entry.name for entry in tmp_path.iterdir()] == ["model.mps"]


def test_the_folder_of_a_living_writer_is_left_alone(tmp_path: Path) -> None:
    """Another writer of the same target does not remove what is being written; the last one wins."""
    with replace_folder(tmp_path / "run", MARKER) as folder:
        (folder / MARKER).write_text("first", encoding="utf-8")
        (folder / "tables").mkdir()
        write(tmp_path / "run", "second")
        recover(tmp_path / "run")
        (folder / "tables" / "sales.csv").write_text("first", encoding="utf-8")
    assert content(tmp_path / "run") == {"first"}


CHILD = """
import os, signal, sys
from pathlib import Path
from optimizer.io import replace

step, when, target = sys.argv[1], sys.argv[2], Path(sys.argv[3])

def die(*arguments):
    os.kill(os.getpid(), signal.SIGKILL)

original = getattr(replace, step, None)
def killed(*arguments):
    if when == "after":
        original(*arguments)
    die()

if when == "twice":
    replace._exchange = lambda first, second: False
    replace.Path.rename = (lambda rename: lambda self, to: (rename(self, to), die()))(replace.Path.rename)
elif step != "body":
    setattr(replace, step, killed)
with replace.replace_folder(target, "summary.json") as folder:
    (folder / "summary.json").write_text("new", encoding="utf-8")
    if step == "body":
        die()
    (folder / "tables").mkdir()
    (folder / "tables" / "sales.csv").write_text("new", encoding="utf-8")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL, which Windows has not")
@pytest.mark.parametrize(
    ("step", "when", "expected"),
    [
        ("_new_folder", "after", "old"),
        ("body", "", "old"),
        ("_sync_tree", "before", "old"),
        ("_sync_tree", "after", "old"),
        ("_exchange", "before", "old"),
        ("_exchange", "after", "new"),
        ("_put", "after", "new"),
        ("_put", "twice", "old"),
    ],
)
def test_a_kill_leaves_the_old_folder_or_the_whole_new_one(
    root: Path, tmp_path: Path, step: str, when: str, expected: str
) -> None:
    """Killed at any step, the target is whole; the next writer removes what was left behind."""
    target = tmp_path / "run"
    write(target, "old")
    child = subprocess.run([sys.executable, "-c", CHILD, step, when, str(target)], cwd=root, check=False)
    assert child.returncode == -signal.SIGKILL
    assert len(list(tmp_path.iterdir())) == 2
    if when == "twice":  # Between two renames the old folder has another name, until somebody looks.
        assert not target.exists()
        recover(target)
    assert content(target) == {expected}
    write(target, "next")
    assert content(target) == {"next"}
    assert [path.name for path in tmp_path.iterdir()] == ["run"]
