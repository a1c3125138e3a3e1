"""Many tasks through an engine: each one comes back, done or failed, whatever happens to workers."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait

from optimizer import messages
from scenarios.engine import Engine, WorkerLostError
from scenarios.record import FAILED, failed
from scenarios.worker import Done, Task

AHEAD = 2
"""Tasks handed over for each worker, so that none waits for the next one."""


def run_all(
    engine: Engine,
    tasks: Iterable[Task],
    language: str = "en",
    interrupt: threading.Event | None = None,
) -> Iterator[tuple[Task, Done]]:
    """Every task with what it gave, as they finish; when `interrupt` is set, those that have started.

    When a worker dies, all tasks that may have been at it are done again, each alone with a worker; one that
    kills that worker too has killed two and is a failed record. So is one that raises.
    """
    source, running, suspects = iter(tasks), dict[Future[Done], Task](), list[Task]()
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
                yield task, _outcome(task, future, language)
        if suspects and not running:
            for task in suspects:
                future = engine.alone(task)
                wait([future])
                yield task, _outcome(task, future, language)
            suspects.clear()


def _fill(engine: Engine, source: Iterator[Task], running: dict[Future[Done], Task]) -> None:
    while len(running) < AHEAD * engine.workers:
        task = next(source, None)
        if task is None:
            return
        running[engine.submit(task)] = task


def _outcome(task: Task, future: Future[Done], language: str) -> Done:
    error = future.exception()
    if error is None:
        return future.result()
    if isinstance(error, WorkerLostError):
        reason = messages.text("scenarios.killed_workers", language)
    else:
        reason = f"{type(error).__name__}: {error}"
    return Done(failed(task.scenario, task.digest, FAILED, reason))
