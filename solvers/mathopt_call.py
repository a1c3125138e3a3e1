"""One call of MathOpt: our log and event go in, its errors come out as ours."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from solvers.errors import InvalidOptionError, NativeSolverError
from solvers.options import SolveOptions

_REJECTED = ("param", "scip error code -12", "scip error code -13", "scip error code -14")
LogCallback = Callable[[Sequence[str]], None]


def run_native(call: Callable[[LogCallback | None, Any], Any], options: SolveOptions) -> Any:
    """Run `call(log, interrupter)` with our log and event; an exception of the caller's own log function is
    raised after the solve. Raises `InvalidOptionError` and `NativeSolverError`."""
    from ortools.util.python.pybind_solve_interrupter import PySolveInterrupter

    # SCIP complains on stderr about an interrupter, so there is one only where it is wanted.
    interrupter = PySolveInterrupter() if options.interrupt is not None else None
    caught: list[BaseException] = []
    log_line = options.log

    def log(lines: Sequence[str]) -> None:
        try:
            for line in lines:
                if log_line and not caught:
                    log_line(line)
        except BaseException as error:  # Raised below, because it must not travel through the library.
            caught.append(error)

    with _native_errors(), _watching(options.interrupt, interrupter):
        message = call(log if log_line else None, interrupter)
    if caught:
        raise caught[0]
    return message


@contextlib.contextmanager
def _watching(event: threading.Event | None, interrupter: Any) -> Iterator[None]:
    """Pass the event on to the solver while it runs."""
    done = threading.Event()

    def watch(event: threading.Event) -> None:
        while not done.is_set():
            if event.wait(0.02):
                interrupter.interrupt()
                return

    if event is not None:
        threading.Thread(target=watch, args=(event,), daemon=True).start()
    try:
        yield
    finally:
        done.set()


@contextlib.contextmanager
def _native_errors() -> Iterator[None]:
    """MathOpt's errors as ours. Its own Python wrapper may fail on them with an AttributeError."""
    from pybind11_abseil.status import StatusNotOk

    try:
        yield
    except StatusNotOk as error:
        text = str(error)
        if any(word in text.lower() for word in _REJECTED):
            raise InvalidOptionError(f"MathOpt rejects an option: {text}") from error
        raise NativeSolverError(f"MathOpt failed: {text}") from error
