"""Small plans, written as files and read as a planner's are."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from optimizer.plan.load import plan_from_data
from optimizer.plan.plan import Plan

MakePlan = Callable[..., Plan]


@pytest.fixture
def make_plan(tmp_path: Path) -> MakePlan:
    """`make_plan(markets="region\\nNorth\\n", targets=[...])`: a plan of January 2027 by default.

    Keyword arguments that are text and name a table are its CSV; all others are entries of the plan file.
    """
    tables = ("markets", "sellers", "territories", "market_size", "resources", "uses", "profiles")
    tables += ("marketing", "curves", "yields", "initiatives", "actuals", "effects")
    tables += ("stages", "pipeline", "customers", "roles", "tiers", "rates", "planned")

    def make(periods: int = 1, every: str = "month", start: str = "2027-01-01", **entries: Any) -> Plan:
        named: dict[str, Any] = {}
        for name in tables:
            content = entries.pop(name, None)
            if content is not None:
                (tmp_path / f"{name}.csv").write_text(content, encoding="utf-8")
                named[name] = {"file": f"{name}.csv", **entries.pop(f"{name}_options", {})}
        calendar = {"start": start, "periods": periods, "every": every, **entries.pop("calendar", {})}
        return plan_from_data({"name": "Test", "calendar": calendar, "tables": named, **entries}, tmp_path)

    return make
