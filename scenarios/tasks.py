"""Many tasks through an engine: each one comes back, done or failed, whatever happens to workers."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from typing import Any, TypeVar

from optimizer import messages
from scenarios.engine import Engine, WorkerLostError
from scenarios.record import FAILED, failed
from scenarios.worker import Done, Task

Item = TypeVar("Item")

AHEAD = 2
"""Tasks handed over for each worker, so that none waits for the next one."""


def run_each(
    engine: Engine, tasks: Iterable[Item], interrupt: threading.Event | None = None
) -> Iterator[tuple[Item, Future[Any]]]:
    """Every task with its finished future, as they finish; when `interrupt` is set, those that have started.

    When a worker dies, all tasks that may have been at it are done again, each alone with a worker; one that
    kills that worker too has killed two, and its future raises `WorkerLostError`.
    """
    source, running, suspects = iter(tasks), dict[Future[Any], Item](), list[Item]()
    while True:
        if not suspects and not (interrupt is not None and interrupt.is_set()):
            _fill(engine, source, running)
        if not running and not suspects:
            return
        done, _ = wait(running, return_when=FIRST_COMPLETED)
        for future in done:
            task = running.pop(future)
            error = future.exception()
            if isinstance(error, WorkerLostError) and not error.certain:
                suspects.append(task)
            else:
                yield task, future
        if suspects and not running:
            for task in suspects:
                future = engine.alone(task)
                wait([future])
                yield task, future
            suspects.clear()


def run_all(
    engine: Engine,
    tasks: Iterable[Task],
    language: str = "en",
    interrupt: threading.Event | None = None,
) -> Iterator[tuple[Task, Done]]:
    """Every scenario with what it gave: a task that killed two workers, or raises, is a failed record."""
    for task, future in run_each(engine, tasks, interrupt):
        yield task, _outcome(task, future, language)


def _fill(engine: Engine, source: Iterator[Item], running: dict[Future[Any], Item]) -> None:
    for task in itertools.islice(source, max(0, AHEAD * engine.workers - len(running))):
        running[engine.submit(task)] = task


def _outcome(task: Task, future: Future[Any], language: str) -> Done:
    error = future.exception()
    if error is None:
        found: Done = future.result()
        return found
    if isinstance(error, WorkerLostError):
        reason = messages.text("scenarios.killed_workers", language)
    else:
        reason = f"{type(error).__name__}: {error}"
    return Done(failed(task.scenario, task.digest, FAILED, reason))
