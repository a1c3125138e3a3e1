"""Simulated probabilities and tails against closed forms, and the worths on random plans."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from scenarios.base import Base
from scenarios.kept import Planned
from scenarios.risk.deciding import Deciding
from scenarios.risk.riskfile import Risk
from scenarios.risk.simulation import simulate
from scenarios.risk.statistics import summary_frame, targets_frame

Small = Callable[..., Base]
Files = Callable[..., Risk]
Plans = Callable[[Base], Planned]

FULL = 120 * 10 + 130 * 20
"""Revenue of the small plan when all of its potential is sold."""
SHARE, WORST = 0.95, 0.10
SPREAD = 0.1
NORMAL = {"distribution": "normal", "mean": 1.0, "deviation": SPREAD}
COLUMNS = ["mean_low", "mean_high", "worst_mean_low", "worst_mean_high"]
DISCRETE = {"distribution": "discrete", "values": {0.8: 0.05, 0.9: 0.25, 1.0: 0.5, 1.2: 0.2}}


def _normal_tail() -> float:
    return 1.0 - SPREAD * float(norm.pdf(norm.ppf(WORST))) / WORST


CASES: list[tuple[str, str, dict[str, Any], float, float, float]] = [
    # Reacting to a normal demand: everything that is wanted is sold.
    ("normal", "reacting", NORMAL, float(norm.sf((SHARE - 1.0) / SPREAD)), 1.0, _normal_tail()),
    # The worst 10 % are all of the lowest value and as much again of the next: the atom is split.
    ("discrete", "reacting", DISCRETE, 0.7, 0.05 * 0.8 + 0.25 * 0.9 + 0.5 + 0.2 * 1.2, (0.8 + 0.9) / 2),
    # A news vendor who has ordered the mean sells the smaller of order and demand: E = 1 - spread * phi(0).
    (
        "news vendor", "kept", NORMAL, float(norm.sf((SHARE - 1.0) / SPREAD)), 1.0 - SPREAD * float(norm.pdf(0)),
        _normal_tail(),
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "way", "factor", "chance", "mean", "tail"), CASES, ids=[c[0] for c in CASES]
)
def test_simulations_agree_with_closed_forms(
    small: Small, risk_file: Files, planned: Plans,
    name: str, way: str, factor: dict[str, Any], chance: float, mean: float, tail: float,
) -> None:  # fmt: skip
    """Probability, mean and mean of the worst part each lie in the interval that the tables show."""
    base = small(targets=[{"name": "Year", "metric": "revenue", "at_least": SHARE * FULL}])
    uncertain = [{"table": "markets", "column": "potential", "multiply": factor}]
    risk = risk_file(base, samples=600, uncertain=uncertain)
    found = simulate(risk, planned(base), risk.draws(), way)
    assert found.method == "learned"
    row = targets_frame(found).iloc[0]
    assert row["probability_low"] <= chance <= row["probability_high"]
    figures = summary_frame(found, WORST).set_index("figure").loc["revenue", COLUMNS] / FULL
    assert figures["mean_low"] <= mean <= figures["mean_high"]
    assert figures["worst_mean_low"] - 1e-9 <= tail <= figures["worst_mean_high"] + 1e-9
    # The intervals say something.
    assert figures["worst_mean_high"] - figures["worst_mean_low"] < 0.05


@pytest.fixture(scope="module")
def stands(small: Small) -> Callable[..., Base]:
    """A function that makes a plan of two markets in which every unit sold needs a stand, rented now."""

    def make(prices: tuple[int, int], potentials: tuple[int, int], rent: float, free: int) -> Base:
        rows = f"East,{prices[0]},0.4,1000,{potentials[0]}\nWest,{prices[1]},0.3,2000,{potentials[1]}\n"
        tables = {
            "resources": f"resource,capacity,per,extra_price\nstands,{free},period,{rent:g}\n",
            "uses": "activity,resource,amount\nsell,stands,1\n",
        }
        calendar = {"start": "2027-01-01", "periods": 2, "every": "quarter"}
        return small(rows=rows, calendar=calendar, files=tables)

    return make


@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    prices=st.tuples(st.integers(5, 30), st.integers(5, 30)),
    potentials=st.tuples(st.integers(20, 200), st.integers(20, 200)),
    rent=st.floats(0.2, 4.0),
    free=st.integers(0, 60),
    low=st.floats(0.3, 0.9),
    seed=st.integers(0, 99),
)
@pytest.mark.slow
def test_knowing_is_worth_at_least_planning_on_random_plans(
    stands: Callable[..., Base], risk_file: Files, planned: Plans,
    prices: tuple[int, int], potentials: tuple[int, int], rent: float, free: int, low: float, seed: int,
) -> None:  # fmt: skip
    """WS >= RP >= EEV for any plan that maximises, within the gap to which each is proved."""
    base = stands(prices, potentials, rent, free)
    factor = {"low": low, "likely": 1.0, "high": 1.6}
    uncertain = [
        {"table": "markets", "column": "potential", "each": "region", "multiply": factor},
        {"table": "markets", "column": "price", "multiply": {"low": 0.8, "likely": 1.0, "high": 1.1}},
    ]
    risk = risk_file(base, seed=seed, samples=10, uncertain=uncertain)
    deciding = Deciding(risk, planned(base), risk.draws())
    worth = deciding.worth(deciding.problem(risk.draws()))
    room = 2 * 0.002 * max(1.0, abs(worth.together))
    assert worth.mean_decision is not None
    assert worth.knowing >= worth.together - room
    assert worth.together >= worth.mean_decision - room
    assert np.isfinite(worth.of_planning)
