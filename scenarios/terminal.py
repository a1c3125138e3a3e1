"""What every command does with the terminal: language, errors, Ctrl-C, progress, width and colours."""

from __future__ import annotations

import os
import re
import shutil
import signal
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click

from optimizer import messages
from optimizer.errors import ApportionError

if TYPE_CHECKING:
    from solvers.options import Progress

PLAN = "plan.yaml"
PLAIN_WIDTH = 100
"""Columns of a page that goes to a file or a pipe."""
LANGUAGE = re.compile(r"(?:^|[{,])\s*language\s*:\s*[\"']?(en|ru|zh)\b", re.MULTILINE)


def language_of(path: Path) -> str:
    """The language that a plan or mapping file asks for, told at a glance; English if none."""
    file = path / PLAN if path.is_dir() else path
    try:
        text = file.read_bytes().decode("utf-8", errors="replace")
    except OSError:
        return "en"
    found = LANGUAGE.search(text)
    return found.group(1) if found else "en"


def common_language(paths: Iterable[Path]) -> str:
    """The language that all plans of these files and folders ask for; English where they differ."""
    known = [[path] if path.is_file() or (path / PLAN).is_file() else path.rglob(PLAN) for path in paths]
    found = {language_of(file) for files in known for file in files}
    return found.pop() if len(found) == 1 else "en"


@contextmanager
def spoken(language: str) -> Iterator[None]:
    """Say an error of the plan or the solver in one message on standard error, and end with its exit code."""
    try:
        yield
    except ApportionError as error:
        click.echo(error.text(language), err=True)
        sys.exit(error.exit_code)
    except Exception as error:
        from solvers.errors import SolverError

        if not isinstance(error, SolverError):
            raise
        click.echo(say("solver_failed", language, reason=error), err=True)
        sys.exit(6)


@contextmanager
def interruption(language: str) -> Iterator[threading.Event]:
    """An event that the first Ctrl-C sets; the second one ends the process at once, as the system does it."""
    event = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield event
        return

    def stop(_number: int, _frame: object) -> None:
        event.set()
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        click.echo("\n" + say("stopping", language), err=True)

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield event
    finally:
        signal.signal(signal.SIGINT, before)


class Ticker:
    """Progress on a terminal: a line for each phase and stage with the seconds so far."""

    def __init__(self, stream: TextIO, language: str, shown: bool) -> None:
        self._stream, self._language, self._shown = stream, language, shown
        self._started = time.monotonic()
        self._text = ""

    def __enter__(self) -> Ticker:
        return self

    def __exit__(self, *_error: object) -> None:
        if self._shown and self._text:
            self._stream.write("\n")

    def phase(self, name: str) -> None:
        """A phase outside the solve begins: read or write."""
        self._begin(say(f"phase_{name}", self._language))

    def stage(self, name: str) -> None:
        """A stage of the solve begins."""
        self._begin(say("phase_stage", self._language, stage=name))

    def solver(self, name: str) -> None:
        """A solver of a comparison begins."""
        self._begin(name)

    def scenarios(self, done: int, total: int, seconds: float) -> None:
        """So many scenarios of a sweep are done: how fast it goes, and how long it will take."""
        rate = done / max(seconds, 1e-9)
        left = duration((total - done) / rate)
        self._text = messages.text(
            "scenarios.progress", self._language, done=done, total=total, rate=f"{rate:.3g}", left=left
        )
        self._write(self._text)

    def futures(self, way: str, done: int, total: int) -> None:
        """So many futures of a risk analysis are done."""
        name = messages.text(f"risk.way_{way}", self._language)
        self._text = messages.text("risk.progress", self._language, way=name, done=done, total=total)
        self._write(self._text)

    def progress(self, news: Progress) -> None:
        """The solver reports: the seconds move on, and the proof where there is one."""
        known = "" if news.gap is None else "  " + say("phase_gap", self._language, gap=f"{news.gap:.2%}")
        self._write(self._text + known)

    def _begin(self, text: str) -> None:
        if self._shown and self._text:
            self._stream.write("\n")
        self._text = text
        self._write(text)

    def _write(self, text: str) -> None:
        if self._shown:
            self._stream.write(f"\r[{time.monotonic() - self._started:7.1f} s] {text}\x1b[K")
            self._stream.flush()


def duration(seconds: float) -> str:
    """Seconds as `0:42` or `1:02:05`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def paper_options() -> dict[str, Any]:
    """Width and colours that standard output can show: colours only on a terminal that wants them."""
    if not sys.stdout.isatty():
        return {"width": PLAIN_WIDTH, "colour": False}
    plain = "NO_COLOR" in os.environ or os.environ.get("TERM") == "dumb"
    return {"width": shutil.get_terminal_size().columns, "colour": not plain}


def screen_height() -> int | None:
    """Lines of the terminal above its prompt; None where standard output is none, and has no end."""
    return shutil.get_terminal_size().lines - 1 if sys.stdout.isatty() else None


def echo_json(data: object) -> None:
    """Print data for a program."""
    from optimizer.io.write import json_text

    click.echo(json_text(data))


def say(name: str, language: str, /, **fields: object) -> str:
    """A sentence of the area `cli`."""
    return messages.text(f"cli.{name}", language, **fields)
