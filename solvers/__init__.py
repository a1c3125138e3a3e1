"""Linear and mixed-integer programs as arrays, solved by any solver and verified by ourselves.

Everything is imported on first use, so that importing the package costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from solvers.files import read_mps, write_lp, write_mps
    from solvers.options import Progress, SolveOptions
    from solvers.program import Block, LinearProgram
    from solvers.result import Basis, Limit, Ranges, Reason, Residuals, SolveResult, Termination
    from solvers.session import Session
    from solvers.solving import solve
    from solvers.staged import Stage, StagedResult, solve_stages

_HOMES = {
    "Basis": "result",
    "Block": "program",
    "Limit": "result",
    "LinearProgram": "program",
    "Progress": "options",
    "Ranges": "result",
    "Reason": "result",
    "Residuals": "result",
    "Session": "session",
    "SolveOptions": "options",
    "SolveResult": "result",
    "Stage": "staged",
    "StagedResult": "staged",
    "Termination": "result",
    "read_mps": "files",
    "solve": "solving",
    "solve_stages": "staged",
    "write_lp": "files",
    "write_mps": "files",
}

__all__ = [
    "Basis",
    "Block",
    "Limit",
    "LinearProgram",
    "Progress",
    "Ranges",
    "Reason",
    "Residuals",
    "Session",
    "SolveOptions",
    "SolveResult",
    "Stage",
    "StagedResult",
    "Termination",
    "read_mps",
    "solve",
    "solve_stages",
    "write_lp",
    "write_mps",
]


def __getattr__(name: str) -> Any:
    """Import a public name on first use."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"solvers.{_HOMES[name]}"), name)
