"""The exceptions of the solver layer, one sentence each."""

from __future__ import annotations


class SolverError(Exception):
    """Something in the solver layer cannot be done."""


class InvalidProgramError(SolverError, ValueError):
    """The arrays do not describe a linear program."""


class UnknownSolverError(SolverError, LookupError):
    """No solver has this name."""


class UnavailableSolverError(SolverError):
    """The solver is known but cannot be used on this machine."""


class UnsupportedRequestError(SolverError):
    """The solver cannot honour the request; the message names those that can."""


class InvalidOptionError(SolverError, ValueError):
    """An option has an unusable value, or the solver rejected it."""


class NativeSolverError(SolverError, RuntimeError):
    """The solver's own library failed."""


class NoSolutionError(SolverError):
    """The result holds no solution, so it has no values and no objective."""


class ZeroDenominatorError(SolverError, ZeroDivisionError):
    """The objective is a ratio whose denominator may be 0; `least` is the smallest that it can be."""

    def __init__(self, stage: str, least: float) -> None:
        super().__init__(f"the denominator of {stage} may be as small as {least:g}")
        self.stage, self.least = stage, least
