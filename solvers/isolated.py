"""The child's side of `isolation`: `python -m solvers.isolated FOLDER` solves what the folder holds."""

from __future__ import annotations

import importlib
import json
import os
import sys
import threading
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from solvers.errors import (
    InvalidOptionError,
    SolverError,
    UnavailableSolverError,
    UnknownSolverError,
    UnsupportedRequestError,
)
from solvers.options import Progress, SolveOptions
from solvers.registry import Capabilities, get, register
from solvers.result import Reason, SolveResult, Termination
from solvers.transport import read_request, write_result

_REFUSALS = (InvalidOptionError, UnavailableSolverError, UnknownSolverError, UnsupportedRequestError)
_SECONDS_BETWEEN_LOOKS = 0.05
_LOOKS_BETWEEN_REPORTS = 5


def main(folder: Path) -> None:
    """Solve the request in the folder and write the result there."""
    program, options, words = read_request(folder)
    events, interrupt = _Events(folder), threading.Event()
    threading.Thread(target=_watch, args=(folder, interrupt, events, os.getppid()), daemon=True).start()
    ended = "answered"
    try:
        solver = _load(words["solver"])
        from solvers.solving import solve

        options = _live(options, words, events, interrupt, get(solver).capabilities)
        events.write("started", time.time())
        result = solve(program, options, solver)
    except _REFUSALS as error:
        ended, result = "refused", _failure(words["solver"], error)
    except Exception as error:  # The process is the fence: any exception is its result and its end.
        ended, result = "raised", _failure(words["solver"], error)
    write_result(folder, result, ended=ended, memory=peak_memory())


def peak_memory() -> int | None:
    """Peak resident memory in bytes of this process or of one that it started, whichever is larger."""
    try:
        import resource
    except ImportError:
        return None
    unit = 1 if sys.platform == "darwin" else 1024
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    status = Path("/proc/self/status")
    if status.exists():
        # Linux lets a new process inherit its parent's peak in getrusage, but not in this file.
        line = next((line for line in status.read_text().splitlines() if line.startswith("VmHWM:")), None)
        own = int(line.split()[1]) * 1024 if line else own
    return max(own, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * unit)


class _Events:
    """Lines of JSON that the parent reads while we run."""

    def __init__(self, folder: Path) -> None:
        self._file = (folder / "events.jsonl").open("a", encoding="utf-8")
        self._lock = threading.Lock()

    def write(self, name: str, value: Any) -> None:
        """Write one event."""
        with self._lock:
            self._file.write(json.dumps({name: value}) + "\n")
            self._file.flush()


def _live(
    options: SolveOptions, words: Any, events: _Events, interrupt: threading.Event, can: Capabilities
) -> SolveOptions:
    """The options with callbacks that write events, where the parent listens and the solver speaks."""

    def log(line: str) -> None:
        events.write("log", line)

    def progress(figures: Progress) -> None:
        events.write("progress", asdict(figures))

    return replace(
        options,
        log=log if words["log"] and can.log_lines else None,
        progress=progress if words["progress"] and can.progress else None,
        interrupt=interrupt if words["interrupt"] and can.interruption else None,
    )


def _watch(folder: Path, interrupt: threading.Event, events: _Events, parent: int) -> None:
    """Pass an interruption on, report memory, and end when the parent is gone."""
    look = 0
    while True:
        if look % _LOOKS_BETWEEN_REPORTS == 0:
            events.write("memory", peak_memory())
        if (folder / "interrupt").exists():
            interrupt.set()
        if sys.platform != "win32" and os.getppid() != parent:
            os._exit(1)
        look += 1
        time.sleep(_SECONDS_BETWEEN_LOOKS)


def _load(solver: str) -> str:
    """The registry's name of the solver; `module:ADAPTER` is imported and registered first."""
    module, colon, attribute = solver.partition(":")
    if not colon:
        return solver
    adapter = getattr(importlib.import_module(module), attribute)
    register(adapter)
    name: str = adapter.name
    return name


def _failure(solver: str, error: Exception) -> SolveResult:
    kind = "" if isinstance(error, SolverError) else f"{type(error).__name__}: "
    return SolveResult(solver, Termination(Reason.ERROR, detail=f"{kind}{error}"))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
