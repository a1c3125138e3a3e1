"""Response curves inside linear and mixed-integer programs, solved to a proved gap.

Everything is imported on first use, so that importing the package costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from solvers.curves.definition import Curve, Part, curve, total
    from solvers.curves.envelope import envelope_program
    from solvers.curves.program import CurveProgram, CurveTerm, local_program
    from solvers.curves.result import CurveResult, Moment
    from solvers.curves.solving import solve_curves
    from solvers.curves.table import CurveTable, make_table

_HOMES = {
    "Curve": "definition",
    "CurveProgram": "program",
    "CurveResult": "result",
    "CurveTable": "table",
    "CurveTerm": "program",
    "Moment": "result",
    "Part": "definition",
    "curve": "definition",
    "envelope_program": "envelope",
    "local_program": "program",
    "make_table": "table",
    "solve_curves": "solving",
    "total": "definition",
}

__all__ = [
    "Curve",
    "CurveProgram",
    "CurveResult",
    "CurveTable",
    "CurveTerm",
    "Moment",
    "Part",
    "curve",
    "envelope_program",
    "local_program",
    "make_table",
    "solve_curves",
    "total",
]


def __getattr__(name: str) -> Any:
    """Import a public name on first use."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"solvers.curves.{_HOMES[name]}"), name)
