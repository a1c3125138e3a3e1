"""Input files: found inside the plan's folder or refused, named when missing, and their digest."""

from __future__ import annotations

import difflib
import errno
import hashlib
from pathlib import Path

from optimizer.errors import InputError, Phrase, Place


def resolve_inside(folder: Path, name: str, place: Place | None = None) -> Path:
    """The file `name` inside `folder`, links followed.

    A plan may come from somebody else, so raises `InputError` for an absolute path, for `..` that leaves
    the folder and for a link that points outside it; `place` says where the name is written.
    """
    plain = name.strip().replace("\\", "/")
    if not plain or "\0" in plain:
        raise InputError("io.file_name", place, name=name.replace("\0", "?"))
    root = folder.resolve()
    target = (root / plain).resolve()
    if Path(plain).is_absolute() or ":" in plain[:2] or not target.is_relative_to(root):
        raise InputError("io.file_outside", place, name=name)
    return target


def read_bytes(path: Path, shown: str, place: Place | None = None) -> bytes:
    """The bytes of a file; raises `InputError` that names the nearest file when it is missing."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise missing_file(path, shown, place) from None
    except IsADirectoryError:
        raise InputError("io.file_is_folder", place, name=shown) from None
    except OSError as error:
        raise InputError("io.file_unreadable", place, name=shown, reason=why(error)) from error


def why(error: OSError) -> str | Phrase:
    """What the system says of a file, in the reader's language where it is one of the usual things."""
    known = {
        errno.EACCES: "denied",
        errno.EPERM: "denied",
        errno.EROFS: "read_only",
        errno.ENAMETOOLONG: "long",
    }
    name = known.get(error.errno or 0)
    return Phrase(f"io.system_{name}") if name else error.strerror or str(error)


def missing_file(path: Path, shown: str, place: Place | None = None) -> InputError:
    """The error for a file that is not there, with the nearest name that is."""
    try:
        names = [entry.name for entry in path.parent.iterdir() if not entry.name.startswith(".")]
    except OSError:
        return InputError("io.file_missing", place, name=shown)
    folded = {name.casefold(): name for name in sorted(names, reverse=True)}
    near = difflib.get_close_matches(path.name.casefold(), folded, n=1, cutoff=0.5)
    if not near:
        return InputError("io.file_missing", place, name=shown)
    found = str(Path(shown).with_name(folded[near[0]])) if Path(shown).name else folded[near[0]]
    return InputError("io.file_missing_near", place, name=shown, near=found)


def file_digest(path: Path) -> str:
    """SHA-256 of the bytes of a file, 64 hexadecimal digits; raises `InputError` when it is missing."""
    return hashlib.sha256(read_bytes(path, path.name)).hexdigest()
