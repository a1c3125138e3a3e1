"""Simulation: learned against compiled futures, leavers, and any number of workers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from scenarios.base import Base
from scenarios.engine import engine_of
from scenarios.kept import Planned
from scenarios.risk.riskfile import Risk
from scenarios.risk.simulation import simulate
from scenarios.risk.statistics import drivers

Small = Callable[..., Base]
Files = Callable[..., Risk]
Plans = Callable[[Base], Planned]

TRIPLE = {"low": 0.8, "likely": 1.0, "high": 1.2}


UNCERTAIN: list[dict[str, Any]] = [
    {"table": "markets", "column": "potential", "each": "region", "multiply": TRIPLE},
    {"table": "markets", "column": "price", "multiply": TRIPLE},
    {"table": "territories", "column": "hours_per_unit", "where": {"region": "West"}, "multiply": TRIPLE},
    {"table": "markets", "column": "margin_rate", "where": {"region": "East"}, "add": {"low": -0.1, "likely": 0, "high": 0.05}},
]  # fmt: skip
EVENTS: list[dict[str, Any]] = [
    {"name": "leaves", "each": "seller", "probability": 0.5, "refill_months": 3},
    {"name": "rival", "probability": 0.3, "changes": [{"table": "markets", "column": "potential", "multiply": 0.9}]},
]  # fmt: skip


@pytest.mark.parametrize("way", ["kept", "reacting"])
def test_learned_numbers_are_those_of_compiled_futures(
    small: Small, risk_file: Files, planned: Plans, way: str
) -> None:
    """Numbers, amounts, quotients, events and leavers: every future as if it had been compiled."""
    base = small(sellers=True, targets=[{"name": "Year", "metric": "revenue", "growth": 0.1}])
    risk = risk_file(base, samples=40, uncertain=UNCERTAIN, events=EVENTS)
    plan, draws = planned(base), risk.draws()
    assert (draws.outcomes > 0).any()
    learned, compiled = (simulate(risk, plan, draws, way, learn=learn) for learn in (True, False))
    assert learned.method == "learned"
    for name in ("money", "revenue", "units", "Year"):
        assert learned.column(name) == pytest.approx(compiled.column(name), rel=1e-6)


def test_columns_of_low_and_high_move_each_row(small: Small, risk_file: Files, planned: Plans) -> None:
    """`from low/likely/high columns` sets every row at the same quantile of its own triple."""
    rows = "East,10,0.4,1000,120,90,130\nWest,20,0.3,2000,130,100,200\n"
    base = small(more=",potential_low,potential_high", rows=rows)
    risk = risk_file(base, samples=60, uncertain="from low/likely/high columns")
    plan, draws = planned(base), risk.draws()
    learned, compiled = (simulate(risk, plan, draws, "reacting", learn=learn) for learn in (True, False))
    assert learned.method == "learned"
    assert learned.column("revenue") == pytest.approx(compiled.column("revenue"), rel=1e-9)
    values = risk.variables[0].amounts(0.5)
    assert (values > [90, 100]).all()
    assert (values < [130, 200]).all()


def test_what_cannot_be_learned_is_compiled(small: Small, risk_file: Files, planned: Plans) -> None:
    """A price moves hours that are derived from productivity in a way of its own; nothing is guessed."""
    base = small(
        sellers=True, tables={
            "markets": "markets.csv", "sellers": "sellers.csv", "territories": "territories.csv",
        },
    )  # fmt: skip
    text = "seller,region,productivity\nAnn,*,3000\nBob,*,3000\n"
    (base.folder / "sellers.csv").write_text(text)
    from scenarios.base import load_base

    base = load_base(base.folder)
    uncertain = [
        {"table": "markets", "column": "price", "each": "region", "multiply": TRIPLE},
        {"table": "territories", "column": "hours_per_unit", "each": "region", "multiply": TRIPLE},
    ]
    risk = risk_file(base, samples=12, uncertain=uncertain)
    found = simulate(risk, planned(base), risk.draws(), "kept")
    assert found.method.startswith("compiled")
    assert not found.failed.any()


def test_drivers_name_what_moves_a_figure(small: Small, risk_file: Files, planned: Plans) -> None:
    """The larger market explains more; an event that does nothing explains nothing."""
    base = small()
    uncertain = [{"table": "markets", "column": "potential", "each": "region", "multiply": TRIPLE}]
    events = [{"name": "nothing", "probability": 0.5, "changes": [{"currency": "EUR"}]}]
    risk = risk_file(base, samples=300, uncertain=uncertain, correlation="none", events=events)
    found = simulate(risk, planned(base), risk.draws(), "reacting")
    listed = drivers(found, risk, risk.draws(), "revenue")
    assert [one.name for one in listed] == ["markets.potential West", "markets.potential East", "nothing"]
    assert listed[0].correlation > 0.8
    assert sum(one.share for one in listed) == pytest.approx(1.0)


@pytest.mark.slow
def test_workers_change_no_figure(small: Small, risk_file: Files, planned: Plans) -> None:
    """The same figures here and in two processes, to 1e-9."""
    base = small(sellers=True)
    risk = risk_file(base, samples=600, uncertain=UNCERTAIN, events=EVENTS)
    plan = planned(base)
    found = []
    for name in ("serial", "process:2"):
        with engine_of(name) as engine:
            found.append(simulate(risk, plan, risk.draws(), "kept", engine))
    one, two = found
    assert one.values == pytest.approx(two.values, rel=1e-9, nan_ok=True)
    assert np.array_equal(one.reached, two.reached)
