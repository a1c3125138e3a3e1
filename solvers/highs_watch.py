"""What HiGHS says while it runs, and how it is told to stop."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from solvers.options import Progress, SolveOptions

_PROGRESS_SECONDS = 0.1
_INTERRUPTS = ("kCallbackSimplexInterrupt", "kCallbackIpmInterrupt", "kCallbackMipInterrupt")


class Watch:
    """HiGHS's callback: hands log lines and progress out, and an interruption in.

    An exception of the caller's own callback stops the solver and is raised after it, because it must not
    travel through the library.
    """

    def __init__(self, options: SolveOptions, names: Mapping[str, Any]) -> None:
        """`names` are HiGHS's kinds of callback, which arrive as bare numbers."""
        self._options = options
        self._names = {int(kind): name for name, kind in names.items()}
        self._last = -_PROGRESS_SECONDS
        self._caught: BaseException | None = None

    def __call__(self, kind: Any, message: str, out: Any, into: Any, _data: Any) -> None:
        """Called by HiGHS; `out` is what it knows and `into` what it obeys."""
        try:
            name = self._names[int(kind)]
            if name == "kCallbackLogging":
                if self._options.log:
                    for line in message.rstrip("\n").split("\n"):
                        self._options.log(line)
            else:
                self._report(name, out)
        except BaseException as error:  # raised again by raise_caught
            self._caught = error
        stop = self._caught or (self._options.interrupt and self._options.interrupt.is_set())
        if stop and into is not None:
            into.user_interrupt = True

    def _report(self, kind: str, out: Any) -> None:
        improving = kind == "kCallbackMipImprovingSolution"
        due = improving or out.running_time - self._last >= _PROGRESS_SECONDS
        if self._options.progress is None or not due:
            return
        self._last = out.running_time
        if "Mip" in kind:
            figures = (out.mip_primal_bound, out.mip_dual_bound, out.mip_gap)
            known = (figure if np.isfinite(figure) else None for figure in figures)
            self._options.progress(Progress(out.running_time, *known))
        else:
            self._options.progress(Progress(out.running_time))

    def kinds(self) -> tuple[str, ...]:
        """Names of HiGHS's callbacks that the options need."""
        options = self._options
        return (
            *(("kCallbackLogging",) if options.log else ()),
            *(_INTERRUPTS if options.progress or options.interrupt else ()),
            *(("kCallbackMipImprovingSolution",) if options.progress else ()),
        )

    def raise_caught(self) -> None:
        """Raise what the caller's callback raised while HiGHS ran."""
        if self._caught is not None:
            raise self._caught
