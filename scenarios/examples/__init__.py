"""The shipped plan packs: a folder each, with a plan file, its tables and a page that says what it shows."""

from __future__ import annotations

import difflib
import os
import shutil
import tempfile
from pathlib import Path

from optimizer.errors import InputError
from optimizer.io.replace import make_folder

FOLDER = Path(__file__).resolve().parent
PLAN_FILE = "plan.yaml"


def names() -> tuple[str, ...]:
    """Names of the packs, in alphabetical order."""
    return tuple(sorted(path.parent.name for path in FOLDER.glob(f"*/{PLAN_FILE}")))


def title(name: str) -> str:
    """The heading of the pack's own page; raises `InputError` with the nearest name for an unknown pack."""
    first_line = (_folder(name) / "README.md").read_text(encoding="utf-8").partition("\n")[0]
    return first_line.lstrip("# ").strip()


def copy(name: str, target: str | os.PathLike[str]) -> Path:
    """Copy the pack `name` into the new folder `target` and return the path of its plan file.

    The folder appears whole or not at all. Raises `InputError` for an unknown pack (with the nearest name)
    and for a target that exists already, so that nobody's plan is overwritten.
    """
    source = _folder(name)
    place = Path(target)
    if place.exists() or place.is_symlink():
        raise InputError("examples.target_exists", target=str(place))
    make_folder(place.absolute().parent)
    scratch = Path(tempfile.mkdtemp(prefix=f".{place.name}-", dir=place.absolute().parent))
    try:
        shutil.copytree(source, scratch / "pack", ignore=shutil.ignore_patterns("__pycache__"))
        (scratch / "pack").rename(place)
    finally:
        shutil.rmtree(scratch)
    return place / PLAN_FILE


def _folder(name: str) -> Path:
    if name not in names():
        near = difflib.get_close_matches(name, names(), n=1, cutoff=0.4)
        key = "examples.unknown_pack_near" if near else "examples.unknown_pack"
        raise InputError(key, name=name, near=near[0] if near else "", known=", ".join(names()))
    return FOLDER / name
