"""Sales planning as optimisation: load a plan, check it, solve it, read the answer.

    from optimizer import load_plan, solve
    solution = solve(load_plan("plan.yaml"))
    print(page(solution))

Everything is imported when it is first asked for, so that importing the package costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from optimizer.checking import check
    from optimizer.errors import ApportionError, InputError
    from optimizer.history import fit, fit_history
    from optimizer.plan.load import load_plan, plan_from_data
    from optimizer.plan.plan import Plan
    from optimizer.report import page
    from optimizer.result.solution import Solution, Status
    from optimizer.result.tables import tables
    from optimizer.settings import SolveSettings
    from optimizer.solving import solve

__all__ = [
    "ApportionError",
    "InputError",
    "Plan",
    "Solution",
    "SolveSettings",
    "Status",
    "check",
    "fit",
    "fit_history",
    "load_plan",
    "page",
    "plan_from_data",
    "solve",
    "tables",
]

_HOMES = {
    "ApportionError": ".errors",
    "InputError": ".errors",
    "Plan": ".plan.plan",
    "Solution": ".result.solution",
    "SolveSettings": ".settings",
    "Status": ".result.solution",
    "check": ".checking",
    "fit": ".history.pipeline",
    "fit_history": ".history.pipeline",
    "load_plan": ".plan.load",
    "page": ".report.compose",
    "plan_from_data": ".plan.load",
    "solve": ".solving",
    "tables": ".result.tables",
}


def __getattr__(name: str) -> Any:
    """Import a name of the public interface from the module where it lives (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name], __name__), name)


def __dir__() -> list[str]:
    return __all__
