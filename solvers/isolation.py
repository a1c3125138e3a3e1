"""A solve in a process of its own: a crash, a hang or a clash of native libraries ends that one only."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from solvers.options import Progress, SolveOptions
from solvers.program import LinearProgram
from solvers.result import Reason, SolveResult, Termination
from solvers.transport import is_complete, read_result, write_request

GRACE_SECONDS = 5.0
_SECONDS_TO_START = 120.0
_SECONDS_BETWEEN_LOOKS = 0.02


class Ending(StrEnum):
    """How the process ended."""

    ANSWERED = "answered"
    REFUSED = "refused"
    RAISED = "raised"
    CRASHED = "crashed"
    KILLED = "killed"


@dataclass(frozen=True)
class IsolatedResult:
    """The result, how the process `ended`, and the peak resident memory in bytes of the process or of a
    solver that it started, whichever is larger (None where the system does not tell)."""

    result: SolveResult
    ended: Ending
    peak_memory: int | None


def solve_isolated(
    program: LinearProgram,
    options: SolveOptions | None = None,
    solver: str = "highs",
    grace_seconds: float = GRACE_SECONDS,
) -> IsolatedResult:
    """Solve in a fresh process, killed when it overruns the time limit by more than its grace.

    `solver` is a name of the registry, or `module:ADAPTER` for an adapter from elsewhere. Log and progress
    come as in this process, where the solver has them; one that does not hear an interruption is killed. A
    refusal, an exception, a crash or a hang is a result with Reason.ERROR and the cause in its detail. The
    time limit counts from when the child begins to solve. Raises `InvalidOptionError` for `raw` options that
    cannot be sent.
    """
    options = options or SolveOptions()
    with tempfile.TemporaryDirectory(prefix="solve-") as name:
        folder = Path(name)
        live = {"log": options.log is not None, "progress": options.progress is not None}
        interruptible = options.interrupt is not None
        write_request(folder, program, options, solver=solver, interrupt=interruptible, **live)
        with _child(folder) as child:
            watch = _Watch(folder, options, grace_seconds)
            while child.poll() is None and not watch.is_overdue() and not is_complete(folder):
                watch.look()
                time.sleep(_SECONDS_BETWEEN_LOOKS)
            overdue = child.poll() is None
        watch.look()
        return _collect(folder, solver, child.returncode, watch, overdue)


@contextlib.contextmanager
def _child(folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process that solves what is in the folder; it and its own children end with the block."""
    path = os.pathsep.join(entry or os.getcwd() for entry in sys.path)
    with (folder / "errors.txt").open("wb") as errors:
        child = subprocess.Popen(
            [sys.executable, "-m", "solvers.isolated", str(folder)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            env={**os.environ, "PYTHONPATH": path},
            start_new_session=sys.platform != "win32",
        )
        try:
            yield child
        finally:
            _end(child)


def _end(child: subprocess.Popen[bytes]) -> None:
    """Kill the child with all that it started, and wait for it."""
    if sys.platform == "win32":
        child.kill()
    else:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
    child.wait()


class _Watch:
    """What the parent knows while the child runs: it reads the child's events and passes interruption on."""

    def __init__(self, folder: Path, options: SolveOptions, grace_seconds: float) -> None:
        self._folder = folder
        self._options = options
        self._grace_seconds = grace_seconds
        self._deadline: float | None = time.monotonic() + _SECONDS_TO_START
        self._place = 0
        self._interrupted = False
        self.peak_memory: int | None = None

    @property
    def interrupted(self) -> bool:
        """Whether the caller asked to stop."""
        return self._interrupted

    def is_overdue(self) -> bool:
        """Whether time limit and grace are over."""
        return self._deadline is not None and time.monotonic() > self._deadline

    def look(self) -> None:
        """Read new events and pass an interruption on."""
        event = self._options.interrupt
        if event is not None and event.is_set() and not self._interrupted:
            self._interrupted = True
            (self._folder / "interrupt").touch()
            self._deadline = time.monotonic() + self._grace_seconds
        path = self._folder / "events.jsonl"
        if not path.exists():
            return
        with path.open("rb") as events:
            events.seek(self._place)
            for line in events:
                if not line.endswith(b"\n"):
                    break
                self._place += len(line)
                self._hear(json.loads(line))

    def _hear(self, event: dict[str, Any]) -> None:
        if "memory" in event:
            self.peak_memory = event["memory"]
        if "started" in event and not self._interrupted:
            limit = self._options.time_limit
            self._deadline = None if limit is None else time.monotonic() + limit + self._grace_seconds
        if "log" in event and self._options.log:
            self._options.log(event["log"])
        if "progress" in event and self._options.progress:
            self._options.progress(Progress(**event["progress"]))


def _collect(folder: Path, solver: str, code: int, watch: _Watch, overdue: bool) -> IsolatedResult:
    answer = read_result(folder)
    if answer is not None:
        result, words = answer
        return IsolatedResult(result, Ending(words["ended"]), words["memory"] or watch.peak_memory)
    if overdue and watch.interrupted:
        termination = Termination(Reason.INTERRUPTED, detail="killed, because it did not stop when asked to")
        ending = Ending.KILLED
    elif overdue:
        termination = Termination(Reason.ERROR, detail="killed, because it overran its time limit and grace")
        ending = Ending.KILLED
    else:
        last = (folder / "errors.txt").read_text(encoding="utf-8", errors="replace").strip().splitlines()
        said = f": {last[-1]}" if last else ""
        termination = Termination(Reason.ERROR, detail=f"the process ended by {_cause(code)}{said}")
        ending = Ending.CRASHED
    return IsolatedResult(SolveResult(solver, termination), ending, watch.peak_memory)


def _cause(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"signal {signal.Signals(-code).name}"
    except ValueError:
        return f"signal {-code}"
