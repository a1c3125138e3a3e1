"""Seconds and memory of one process, by phase."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_MIB = 1024.0 * 1024.0


def peak_memory() -> float:
    """The most memory that this process has held so far, in MiB.

    Linux tells it of this program alone; `getrusage` may still count the parent that started it.
    """
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text(encoding="ascii", errors="replace").splitlines():
            if line.startswith("VmHWM:"):
                return float(line.split()[1]) / 1024.0
    largest = float(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    return largest / _MIB if sys.platform == "darwin" else largest / 1024.0


class Clock:
    """Seconds and processor seconds by phase, and the most memory held until its end, in MiB.

    `before` is the memory at its beginning. Processor seconds leave out the time that other programs took.
    """

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.processor: dict[str, float] = {}
        self.memory: dict[str, float] = {"start": peak_memory()}
        self.before: dict[str, float] = {}

    @contextmanager
    def __call__(self, phase: str) -> Iterator[None]:
        """Add what happens inside to a phase."""
        self.before.setdefault(phase, peak_memory())
        started, worked = time.perf_counter(), time.process_time()
        try:
            yield
        finally:
            self.seconds[phase] = self.seconds.get(phase, 0.0) + time.perf_counter() - started
            self.processor[phase] = self.processor.get(phase, 0.0) + time.process_time() - worked
            self.memory[phase] = peak_memory()

    def take_out(self, phase: str, *parts: str) -> None:
        """Take parts that were measured inside a phase out of it."""
        for figures in (self.seconds, self.processor):
            figures[phase] -= sum(figures[part] for part in parts)

    def figures(self) -> dict[str, dict[str, float]]:
        """Everything measured, for the report."""
        return {"seconds": self.seconds, "processor": self.processor, "memory": self.memory}

    def watch(self, phase: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, whose calls are added to a phase."""

        def timed(*arguments: Any, **named: Any) -> Any:
            with self(phase):
                return function(*arguments, **named)

        return timed
