"""Quotas decided now: by hand for two sellers, equal sellers equal, and nothing without sellers."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from optimizer.settings import SolveSettings
from optimizer.solving import solve
from scenarios.base import Base
from scenarios.kept import Planned
from scenarios.risk.quotas import decided_quotas
from scenarios.risk.riskfile import Risk
from scenarios.risk.sample import sample_of

Small = Callable[..., Base]
Files = Callable[..., Risk]

FILES = {
    "sellers": "seller,region\nAnn,East\nBob,East\nCem,West\n",
    "territories": "region\nEast\nWest\n",
}
UNIFORM = {"distribution": "uniform", "low": 0.5, "high": 1.5}
UNCERTAIN = [{"table": "markets", "column": "potential", "where": {"region": "East"}, "multiply": UNIFORM}]
QUOTAS = [{"name": "Revenue", "metric": "revenue", "by": ["seller"], "per": "year", "target": 3000}]


def test_who_is_sure_carries_more(small: Small, risk_file: Files) -> None:
    """East carries what it has in every future, as near to its share as that is, equal for its two sellers."""
    base = small(files=FILES, quotas=QUOTAS)
    solution = solve(base.plan, SolveSettings(marginal_values=False, leverage=False))
    risk = risk_file(base, samples=40, uncertain=UNCERTAIN, decide={"futures": 40})
    sample, fresh = sample_of(risk, risk.spec.decide), risk.draws(60, fresh=5)
    found = decided_quotas(risk, solution, Planned.of(solution), sample, fresh).set_index("seller")
    assert found["assigned"].sum() == found["decided"].sum() == pytest.approx(3000)
    east = 1200 * risk.variables[0].figure(sample.draws.u[:, 0]).min()
    assert found.loc["Ann", "decided"] == pytest.approx(east / 2, rel=1e-4)
    assert found.loc["Cem", "decided"] == pytest.approx(3000 - east, rel=1e-4)
    assert found.loc["Ann"].drop("unit").equals(found.loc["Bob"].drop("unit"))
    assert (found["reached_decided"] >= 0.95).all()
    assert found["missed_assigned"].sum() > 10.0 > found["missed_decided"].sum()


def test_without_sellers_there_is_nothing_to_divide(small: Small, risk_file: Files) -> None:
    """Quotas by region only, or none, give no rows."""
    base = small(quotas=[{"metric": "revenue", "by": ["region"]}])
    solution = solve(base.plan, SolveSettings(marginal_values=False, leverage=False))
    risk = risk_file(base, uncertain=UNCERTAIN, decide={"futures": 10})
    sample = sample_of(risk, risk.spec.decide)
    assert decided_quotas(risk, solution, Planned.of(solution), sample, risk.draws(10, fresh=5)).empty
