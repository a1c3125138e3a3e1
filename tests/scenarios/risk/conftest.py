"""Small plans and risk files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from optimizer.result.solution import Solution
from optimizer.settings import SolveSettings
from optimizer.solving import solve
from scenarios.base import Base, load_base
from scenarios.kept import Planned
from scenarios.risk.riskfile import Risk, risk_of
from scenarios.risk.schema import RiskSpec

MARKETS = "region,price,margin_rate,last_year_revenue,potential{more}\n{rows}"


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Base]:
    """A function that writes and loads a plan of two markets, with sellers and further tables where asked."""

    def make(
        sellers: bool = False,
        more: str = "",
        rows: str | None = None,
        files: dict[str, str] | None = None,
        **plan: Any,
    ) -> Base:
        folder: Path = tmp_path_factory.mktemp("small")
        text = rows or "East,10,0.4,1000,120\nWest,20,0.3,2000,130\n"
        (folder / "markets.csv").write_text(MARKETS.format(more=more, rows=text), encoding="utf-8")
        spec: dict[str, Any] = {
            "name": "Small",
            "calendar": {"start": "2027-01-01", "periods": 4, "every": "quarter"},
            "tables": {"markets": "markets.csv"},
            **plan,
        }
        if sellers:
            (folder / "sellers.csv").write_text(
                "seller,region,capacity,capacity_unit\nAnn,East,40,hours\nBob,East,40,hours\nCem,West,60,hours\n"
            )
            (folder / "territories.csv").write_text("region,hours_per_unit\nEast,1\nWest,2\n")
            spec["tables"] |= {"sellers": "sellers.csv", "territories": "territories.csv"}
        for name, table in (files or {}).items():
            (folder / f"{name}.csv").write_text(table, encoding="utf-8")
            spec["tables"] |= {name: f"{name}.csv"}
        (folder / "plan.yaml").write_text(yaml.safe_dump(spec), encoding="utf-8")
        return load_base(folder)

    return make


@pytest.fixture(scope="session")
def risk_file() -> Callable[..., Risk]:
    """A function that makes a risk file of a plan."""

    def make(base: Base, **spec: Any) -> Risk:
        given = {"name": "test", "seed": 7, "samples": 200, **spec}
        return risk_of(RiskSpec.model_validate(given), base)

    return make


@pytest.fixture(scope="session")
def planned() -> Callable[[Base], Planned]:
    """A function that solves a plan and gives what is kept of it."""

    def make(base: Base) -> Planned:
        found: Solution = solve(base.plan, SolveSettings(marginal_values=False, leverage=False))
        return Planned.of(found)

    return make
