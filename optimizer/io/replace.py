"""Results replaced whole: a kill at any moment leaves the old folder or file, or the whole new one.

Everything is written beside the target, forced to the disk, and then exchanged with the target in one step of
the operating system (Linux `renameat2`, macOS `renamex_np`). Where there is no such step, the old folder is
renamed away first; if the process is killed between the two renames, the next use of the target, or
`recover`, puts the old folder back. A writer holds a lock on its folder, so that what killed writers left
behind can be told from what a running one is writing.
"""

from __future__ import annotations

import ctypes
import errno
import os
import secrets
import shutil
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from optimizer.errors import InputError, Place
from optimizer.io.paths import why

if sys.platform != "win32":
    import fcntl

_WRITING = "writing"
_OLD = "old"
_NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_NO_EXCHANGE = (errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.EPERM)


@contextmanager
def replace_folder(target: Path, marker: str) -> Iterator[Path]:
    """Give an empty folder to write into, and put it in the place of `target` when the block ends well.

    `marker` is the name of a file that every folder of this kind has (`summary.json`); the block writes it.
    Raises `InputError` when `target` is a file, or a folder with something in it but no `marker`: it is then
    somebody's own and is not replaced. When the block raises, or the disk is full, the old folder stays.
    """
    target = _resolved(target)
    with _writer(target) as folder:
        refuse_foreign(target, marker)
        yield folder
        if not (folder / marker).is_file():
            raise ValueError(f"the new folder has no file {marker!r}, so it could never be replaced again")
        _sync_tree(folder)
        refuse_foreign(target, marker)
        _put(folder, target)


@contextmanager
def replace_file(target: Path) -> Iterator[Path]:
    """Give a path to write to, and put that file in the place of `target` when the block ends well.

    Raises `InputError` when `target` is a folder. When the block raises, or the disk is full, the old file
    stays.
    """
    target = _resolved(target)
    if target.is_dir():
        raise InputError("io.out_is_folder", Place(file=_shown(target)))
    with _writer(target) as folder:
        path = folder / target.name
        yield path
        _sync(path)
        os.replace(path, target)
        _sync(target.parent)


def recover(target: Path) -> None:
    """Put back an old folder that a killed writer had renamed away, and remove what killed writers left."""
    target = _resolved(target)
    if not target.parent.is_dir():
        return
    for path in sorted(target.parent.glob(_pattern(target, _OLD))):
        if not target.exists():
            path.rename(target)
    for kind in (_OLD, _WRITING):
        for path in target.parent.glob(_pattern(target, kind)):
            _remove_abandoned(path)


def make_folder(folder: Path) -> None:
    """Make a folder for results and those above it; raises `InputError` where that cannot be done."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(folder, error, (folder, *folder.parents)) from error


def refuse_foreign(target: Path, marker: str) -> None:
    """Raise `InputError` where the result would replace a file, or a folder that is no such result."""
    if not target.exists():
        return
    if not target.is_dir():
        raise InputError("io.out_is_file", Place(file=_shown(target)))
    if any(target.iterdir()) and not (target / marker).is_file():
        raise InputError("io.out_foreign", Place(file=_shown(target)), marker=marker)


def _shown(target: Path) -> str:
    """The path as a person knows it: from the working folder if it lies below, else whole."""
    here = Path.cwd().resolve()
    return str(target.relative_to(here)) if target.is_relative_to(here) else str(target)


def _resolved(target: Path) -> Path:
    """The target with links followed, so that its neighbours are on the same disk."""
    return target.resolve()


def _pattern(target: Path, kind: str) -> str:
    name = "".join(f"[{sign}]" if sign in "*?[" else sign for sign in target.name)
    return f".{name}.{kind}-????????"


def _neighbour(target: Path, kind: str) -> Path:
    return target.with_name(f".{target.name}.{kind}-{secrets.token_hex(4)}")


@contextmanager
def _writer(target: Path) -> Iterator[Path]:
    """A locked new folder beside the target; it is gone afterwards, whatever happens."""
    folder: Path | None = None
    lock: int | None = None
    try:
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            recover(target)
            folder, lock = _new_folder(target)
        except OSError as error:
            raise _unwritable(target, error, target.parents) from error
        yield folder
    except OSError as error:
        known = (*_NO_SPACE, errno.EROFS, errno.ENOTDIR, errno.EEXIST)
        if isinstance(error, PermissionError) or error.errno in known:
            raise _unwritable(target, error, target.parents) from error
        raise
    finally:
        if lock is not None:
            os.close(lock)
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)


def _unwritable(target: Path, error: OSError, folders: Iterable[Path]) -> InputError:
    """Why a result cannot be written; `folders` are those that it needs."""
    place = Place(file=_shown(target))
    if error.errno in _NO_SPACE:
        return InputError("io.disk_full", place)
    below = next((path for path in folders if path.is_file()), None)
    if below is not None:
        return InputError("io.out_below_file", place, name=_shown(below))
    return InputError("io.out_unwritable", place, reason=why(error))


def _new_folder(target: Path) -> tuple[Path, int | None]:
    """A new folder beside the target, and a descriptor whose lock says that its writer lives.

    The system drops the lock when the process ends. Another writer may take the folder for a leftover in the
    moment before it is locked, so a folder that is gone by then is made again.
    """
    while True:
        folder = _neighbour(target, _WRITING)
        folder.mkdir()
        if sys.platform == "win32":
            return folder, None
        descriptor = os.open(folder, os.O_RDONLY)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        if folder.exists():
            return folder, descriptor
        os.close(descriptor)


def _remove_abandoned(folder: Path) -> None:
    """Remove a folder that no living writer holds; on Windows, which has no such lock, it stays."""
    if sys.platform == "win32":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return
    else:
        shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(descriptor)


def _put(folder: Path, target: Path) -> None:
    """Put the new folder in the target's place."""
    if not target.exists():
        folder.rename(target)
    elif not _exchange(folder, target):
        _rename_twice(folder, target)
    _sync(target.parent)


def _exchange(first: Path, second: Path) -> bool:
    """Exchange two folders in one step; False where the system or the disk cannot."""
    if sys.platform == "win32":
        return False
    library = ctypes.CDLL(None, use_errno=True)
    paths = os.fsencode(first), os.fsencode(second)
    if sys.platform == "darwin":
        function = getattr(library, "renamex_np", None)
        arguments: tuple[object, ...] = (*paths, ctypes.c_uint(2))
    else:
        here = ctypes.c_int(-100)  # AT_FDCWD: the paths are absolute
        function = getattr(library, "renameat2", None)
        arguments = (here, paths[0], here, paths[1], ctypes.c_uint(2))
    if function is None:
        return False
    if function(*arguments) == 0:
        return True
    code = ctypes.get_errno()
    if code in _NO_EXCHANGE:
        return False
    raise OSError(code, os.strerror(code), str(second))


def _rename_twice(folder: Path, target: Path) -> None:
    old = _neighbour(target, _OLD)
    target.rename(old)
    try:
        folder.rename(target)
    except OSError:
        old.rename(target)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _sync_tree(folder: Path) -> None:
    """Force every file and folder to the disk."""
    for place, _, files in os.walk(folder):
        for name in files:
            _sync(Path(place) / name)
        _sync(Path(place))


def _sync(path: Path) -> None:
    if os.name != "posix" and path.is_dir():
        return  # Windows opens no folders.
    descriptor = os.open(path, os.O_RDONLY if os.name == "posix" else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
