"""A run of CBC's process: its lines as they come, and an end when it is asked for."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import TextIO

_SECONDS_TO_STOP = 3.0


def run_process(
    command: Sequence[str], take: Callable[[str], None], interrupt: threading.Event | None
) -> list[str]:
    """Run a command to its end or to the interruption; every line goes to `take`, and all are given back."""
    lines: list[str] = []
    source, sink = _line_channel()
    with open(source, encoding="utf-8", errors="replace") as log:
        try:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=sink, stderr=subprocess.STDOUT
            )
        finally:
            os.close(sink)
        with process, _stopping(process, interrupt):
            for line in _lines(log):
                lines.append(line.rstrip())
                take(lines[-1])
    return lines


def _line_channel() -> tuple[int, int]:
    """File descriptors to read from and to write to.

    Into a pipe CBC writes 4,096 bytes at a time, which on a hard program are half a minute of its log; into a
    terminal it writes line by line.
    """
    try:
        return os.openpty()
    except (AttributeError, OSError):
        return os.pipe()


def _lines(log: TextIO) -> Iterator[str]:
    try:
        yield from log
    except OSError as error:
        # Where a pipe just ends, a terminal whose writer is gone says so on Linux.
        if error.errno != errno.EIO:
            raise


@contextlib.contextmanager
def _stopping(process: subprocess.Popen[bytes], interrupt: threading.Event | None) -> Iterator[None]:
    """Ask CBC to stop when the event is set (it then keeps its incumbent), and end it on the way out."""
    done = threading.Event()

    def watch(event: threading.Event) -> None:
        while not done.wait(0.02):
            if event.is_set():
                if sys.platform != "win32":
                    process.send_signal(signal.SIGINT)
                    done.wait(_SECONDS_TO_STOP)
                process.kill()
                return

    if interrupt is not None:
        threading.Thread(target=watch, args=(interrupt,), daemon=True).start()
    try:
        yield
        process.wait()
    finally:
        done.set()
        process.kill()
