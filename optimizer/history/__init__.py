"""From history to a plan: a CRM or order export becomes plan tables, with a report on their quality."""

from __future__ import annotations

from typing import Any

__all__ = ["FitReport", "fit", "fit_history"]


def __getattr__(name: str) -> Any:
    """Import the pipeline when it is first asked for, so that importing the package stays fast."""
    if name in ("fit", "fit_history"):
        from optimizer.history import pipeline

        return getattr(pipeline, name)
    if name == "FitReport":
        from optimizer.history.report import FitReport

        return FitReport
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
