"""Quotas: target, plan and quota side by side on every node of the organisation, exact, fair and explained.

docs/quotas.md says the mathematics. `assign` makes the quotas of a solution.
"""

from __future__ import annotations

from typing import Any

__all__ = ["assign"]


def __getattr__(name: str) -> Any:
    """Import the work when it is first asked for, so that importing the package stays fast."""
    if name == "assign":
        from optimizer.quotas.assignment import assign

        return assign
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
