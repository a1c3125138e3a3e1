"""A solution as a page that a person reads, in the plan's language."""

from __future__ import annotations

from typing import Any

__all__ = ["page"]


def __getattr__(name: str) -> Any:
    """Import the page when it is first asked for, so that importing the package stays fast."""
    if name == "page":
        from optimizer.report.compose import page

        return page
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
