"""One interface to run tasks: in this process, in processes of this machine, on a Dask or a Ray cluster.

Every engine is a `concurrent.futures`-like `submit`. What all tasks share (the pack) is sent once. A worker
that dies is replaced; a task that was alone with a worker when it died is at fault.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import importlib
import multiprocessing
import os
import pickle
import signal
import tempfile
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any, Protocol

from optimizer.errors import InputError

WORKERS = "APPORTION_WORKERS"
"""Environment variable: number of workers of the process engine."""


class WorkerLostError(Exception):
    """A worker died while it had the task, which is not done; `certain` that this very task was at fault."""

    def __init__(self, reason: str, certain: bool = False) -> None:
        super().__init__(reason)
        self.certain = certain


class Runner(Protocol):
    """A worker of one pack, built once where it runs."""

    def run(self, task: Any, /) -> Any:
        """What one task gives."""


class Pack(Protocol):
    """What many tasks share, sent once: plain values that travel."""

    @property
    def key(self) -> str:
        """Two packs of one key are the same."""

    def worker(self) -> Runner:
        """Build what runs the tasks."""


class Engine(Protocol):
    """Runs tasks that share one pack at a time."""

    workers: int
    """Tasks that run at the same time."""

    def share(self, pack: Pack) -> None:
        """Make a pack the one that the next tasks use."""

    def submit(self, task: Any) -> Future[Any]:
        """Start a task; its future raises `WorkerLostError` when the worker died."""

    def alone(self, task: Any) -> Future[Any]:
        """Start a task on a worker that no other task uses, so that a death is its own fault."""

    def close(self) -> None:
        """Stop the workers; tasks that have not started are dropped."""


@contextlib.contextmanager
def engine_of(text: str) -> Iterator[Engine]:
    """The engine that `serial`, `process`, `process:2`, `dask://host:port` or `ray://host:port` names.

    Raises `InputError` for an unknown name and for an engine whose extra is not installed.
    """
    name, _, rest = text.partition(":")
    makers: dict[str, Callable[[], Engine]] = {
        "serial": SerialEngine,
        "process": lambda: ProcessEngine(_count(rest, text)),
        "dask": lambda: DaskEngine(rest.removeprefix("//")),
        "ray": lambda: RayEngine(text),
    }
    if name not in makers or (name == "serial" and rest):
        raise InputError("scenarios.engine_unknown", name=text)
    engine = makers[name]()
    try:
        yield engine
    finally:
        engine.close()


def _count(text: str, whole: str) -> int:
    text = text or os.environ.get(WORKERS, "")
    if not text:
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if not text.isdigit() or int(text) < 1:
        raise InputError("scenarios.engine_unknown", name=whole)
    return int(text)


class SerialEngine:
    """One task after the other in one thread of this process."""

    def __init__(self) -> None:
        self.workers = 1
        self._pool = ThreadPoolExecutor(1)
        self._pack: Pack | None = None

    def share(self, pack: Pack) -> None:
        """See `Engine`."""
        self._pack = pack

    def submit(self, task: Any) -> Future[Any]:
        """See `Engine`."""
        if self._pack is None:
            raise ValueError("share a pack first")
        return self._pool.submit(run_task, self._pack, task)

    alone = submit

    def close(self) -> None:
        """See `Engine`."""
        self._pool.shutdown(cancel_futures=True)


class ProcessEngine:
    """Processes of this machine, started anew when one of them dies."""

    def __init__(self, workers: int) -> None:
        self.workers = workers
        self._folder = Path(tempfile.mkdtemp(prefix="apportion-"))
        self._path: Path | None = None
        self._pool: Executor = _pool(workers)
        self._single: Executor | None = None
        # The processes start and import while the base is solved.
        for _ in range(workers):
            self._pool.submit(_get_ready)

    def share(self, pack: Pack) -> None:
        """See `Engine`; the pack goes through a file, so that each process reads it once."""
        self._path = self._folder / f"{pack.key}.pack"
        self._path.write_bytes(pickle.dumps(pack))

    def submit(self, task: Any) -> Future[Any]:
        """See `Engine`."""
        future, self._pool = _submitted(self._pool, self.workers, self._path, task)
        return future

    def alone(self, task: Any) -> Future[Any]:
        """See `Engine`."""
        if self._single is None:
            self._single = _pool(1)
        future, self._single = _submitted(self._single, 1, self._path, task)
        return future

    def close(self) -> None:
        """See `Engine`."""
        for pool in (self._pool, self._single):
            if pool is not None:
                pool.shutdown(wait=True, cancel_futures=True)
        for path in self._folder.glob("*.pack"):
            path.unlink()
        self._folder.rmdir()


def _pool(workers: int) -> ProcessPoolExecutor:
    # A forked copy of a process with solver threads may hang, so processes start afresh.
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(workers, mp_context=context, initializer=_leave_interrupts)


def _get_ready() -> None:
    """Import what the workers of most packs use, which takes seconds, before the first task comes."""
    importlib.import_module("scenarios.worker")
    importlib.import_module("solvers.highs")


def _leave_interrupts() -> None:
    """Let Ctrl-C reach the process that hands out the tasks only."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _submitted(pool: Executor, workers: int, path: Path | None, task: Any) -> tuple[Future[Any], Executor]:
    """The future of a task, and the pool that took it: a new one where the old one is broken."""
    if path is None:
        raise ValueError("share a pack first")
    try:
        future = pool.submit(_run_from_file, str(path), task)
    except BrokenProcessPool:
        pool.shutdown(wait=False, cancel_futures=True)
        pool = _pool(workers)
        future = pool.submit(_run_from_file, str(path), task)
    return _translated(future, BrokenProcessPool), pool


def _translated(future: Future[Any], lost: type[BaseException], certain: bool = False) -> Future[Any]:
    """A future whose `lost` is `WorkerLostError`."""
    answer: Future[Any] = Future()
    answer.set_running_or_notify_cancel()

    def finish(done: Future[Any]) -> None:
        error = concurrent.futures.CancelledError() if done.cancelled() else done.exception()
        if isinstance(error, (lost, concurrent.futures.CancelledError)):
            answer.set_exception(WorkerLostError(str(error), certain))
        elif error is not None:
            answer.set_exception(error)
        else:
            answer.set_result(done.result())

    future.add_done_callback(finish)
    return answer


_STATE = threading.local()


def run_task(pack: Pack, task: Any) -> Any:
    """Run one task in this thread, building the worker of its pack on first use."""
    worker: Runner | None = getattr(_STATE, "worker", None)
    if worker is None or _STATE.key != pack.key:
        _STATE.worker = worker = pack.worker()
        _STATE.key = pack.key
    return worker.run(task)


_PACKS: dict[str, Pack] = {}


def _run_from_file(path: str, task: Any) -> Any:
    """Run a task in a process of its own; the pack is read when it is not the one at hand."""
    if path not in _PACKS:
        _PACKS.clear()
        _PACKS[path] = pickle.loads(Path(path).read_bytes())
    return run_task(_PACKS[path], task)


class DaskEngine:
    """A Dask cluster; its scheduler gives the tasks of a dead worker to another one."""

    def __init__(self, address: str) -> None:
        try:
            import distributed
        except ImportError as error:
            raise InputError("scenarios.engine_missing", name="dask", extra="dask") from error
        self._client = distributed.Client(f"tcp://{address}" if "://" not in address else address)
        self._lost: type[BaseException] = distributed.scheduler.KilledWorker
        self.workers = max(1, sum(self._client.nthreads().values()))
        self._executor = self._client.get_executor(pure=False)
        self._pack: Any = None

    def share(self, pack: Pack) -> None:
        """See `Engine`."""
        self._pack = self._client.scatter(pack, broadcast=True, hash=False)

    def submit(self, task: Any) -> Future[Any]:
        """See `Engine`."""
        # The scheduler has given it to several workers by the time it says that they were killed.
        return _translated(self._executor.submit(run_task, self._pack, task), self._lost, certain=True)

    alone = submit

    def close(self) -> None:
        """See `Engine`; the cluster stays."""
        self._executor.shutdown(wait=False)
        self._client.close()


class RayEngine:
    """A Ray cluster; a task of a dead worker is not done again by itself, so that its fault can be told."""

    def __init__(self, address: str) -> None:
        try:
            import ray
        except ImportError as error:
            raise InputError("scenarios.engine_missing", name="ray", extra="ray") from error
        host = address.removeprefix("ray://")
        ray.init(address=address if host not in ("", "local", "auto") else (host if host == "auto" else None),
                 ignore_reinit_error=True, log_to_driver=False, include_dashboard=False)  # fmt: skip
        self._ray = ray
        self._lost: type[BaseException] = ray.exceptions.WorkerCrashedError
        self.workers = max(1, int(ray.cluster_resources().get("CPU", 1)))
        self._remote = ray.remote(max_retries=0)(run_task)
        self._pack: Any = None

    def share(self, pack: Pack) -> None:
        """See `Engine`."""
        self._pack = self._ray.put(pack)

    def submit(self, task: Any) -> Future[Any]:
        """See `Engine`."""
        return _translated(self._remote.remote(self._pack, task).future(), self._lost)

    alone = submit

    def close(self) -> None:
        """See `Engine`."""
        self._ray.shutdown()
