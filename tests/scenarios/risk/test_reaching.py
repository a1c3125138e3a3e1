"""Decisions that reach a target with a probability: a news vendor by hand, impossible chances, few futures."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from optimizer.errors import InputError
from scenarios.base import Base
from scenarios.kept import Planned
from scenarios.risk.deciding import Deciding
from scenarios.risk.measured import decisions_frame, reach_frame
from scenarios.risk.reaching import Reached, Reaching
from scenarios.risk.riskfile import Risk
from scenarios.risk.sample import sample_of
from scenarios.risk.simulation import simulate

Small = Callable[..., Base]
Files = Callable[..., Risk]
Plans = Callable[[Base], Planned]

UNIFORM = {"distribution": "uniform", "low": 0.5, "high": 1.5}
FILES = {
    "resources": "resource,capacity,per,extra_price\nstands,0,period,3\n",
    "uses": "activity,resource,amount\nsell,stands,1\n",
}
FUTURES, POTENTIAL = 20, 400.0
TARGETS = [
    # Units at 10 each: 0.9 of the likely 400, which 60 % of the futures have.
    {"name": "Year", "metric": "revenue", "at_least": 3600},
    {"name": "Check", "metric": "average_check", "at_most": 100},
    {"name": "Stands", "metric": "extra_cost", "at_most": 2000},
]


@pytest.fixture(scope="module")
def vendor(small: Small) -> Base:
    """A stand costs 3 and brings 4: for the mean one rents the 25 % quantile, too little for the target."""
    return small(
        budgets=[{"name": "Cap", "metric": "extra_cost", "at_most": 5000}],
        rows=f"East,10,0.4,1000,{POTENTIAL:g}\n", files=FILES, targets=TARGETS,
        calendar={"start": "2027-01-01", "periods": 1, "every": "quarter"},
    )  # fmt: skip


def made(risk_file: Files, base: Base, **decide: Any) -> Risk:
    """A risk file of one uncertain market."""
    uncertain = [{"table": "markets", "column": "potential", "multiply": UNIFORM}]
    return risk_file(base, samples=60, uncertain=uncertain, decide={"futures": FUTURES, **decide})


def reached(risk: Risk, plan: Planned) -> Reached:
    """The decisions that a risk file asks for."""
    sample, spec = sample_of(risk, risk.spec.decide), risk.spec.decide
    return Reaching(Deciding(risk, plan, sample.draws), sample.draws, sample.shares).decide(spec.reach, 60.0)


def test_a_target_is_reached_with_the_probability_asked(
    vendor: Base, risk_file: Files, planned: Plans
) -> None:
    """As many stands as the target needs and no more; the chance holds in the sample and on fresh futures."""
    risk, plan = made(risk_file, vendor, reach={"Year": 0.6}), planned(vendor)
    found = reached(risk, plan)
    assert found.planned is not None
    assert found.planned.decisions["extra"][1].sum() == pytest.approx(360, rel=1e-4)
    demand = POTENTIAL * risk.variables[0].figure(risk.draws(FUTURES).u[:, 0])
    assert found.probability["Year"] == pytest.approx((demand >= 360).mean())
    assert found.objective == pytest.approx((4 * np.minimum(demand, 360) - 3 * 360).mean(), rel=2e-3)
    fresh = risk.draws(fresh=5)
    tried = simulate(risk, found.planned, fresh, "reacting")
    row = reach_frame(risk, found, fresh, tried, sample_of(risk, risk.spec.decide)).iloc[0]
    often = (POTENTIAL * risk.variables[0].figure(fresh.u[:, 0]) >= 360 * (1 - 1e-6)).mean()
    assert row["could"] == row["does"] == pytest.approx(often)
    assert row["could_low"] <= 0.6 <= row["could_high"]
    amounts = decisions_frame([("reach", found.planned)])
    assert amounts.loc[0, ["activity", "row"]].tolist() == ["extra", "stands"]


def test_the_most_that_is_possible_is_said(vendor: Base, risk_file: Files, planned: Plans) -> None:
    """A chance of 90 % is not to be had where only 60 % of the futures have the customers."""
    risk = made(risk_file, vendor, reach={"Year": 0.9})
    found = reached(risk, planned(vendor))
    assert found.planned is None
    assert found.most["Year"] == pytest.approx(0.6)
    frame = reach_frame(risk, found, risk.draws(fresh=5), None, sample_of(risk, risk.spec.decide))
    assert frame["possible"].tolist() == [False]


def test_two_chances_hold_at_once_or_not(vendor: Base, risk_file: Files, planned: Plans) -> None:
    """Spend under a ceiling and a target: each by itself always or mostly, both only where they agree."""
    plan = planned(vendor)
    both = reached(made(risk_file, vendor, reach={"Year": 0.5, "Stands": 1.0}), plan)
    assert both.planned is not None
    assert both.probability["Year"] >= 0.5
    assert both.probability["Stands"] == pytest.approx(1.0)
    ratio = reached(made(risk_file, vendor, reach={"Check": 1.0}), plan)
    assert ratio.probability["Check"] == pytest.approx(1.0)


def test_a_few_futures_stand_for_many(vendor: Base, risk_file: Files, planned: Plans) -> None:
    """Probabilities of the kept add up to 1, decisions are near those for all, and more than all is refused."""
    risk, plan = made(risk_file, vendor, reduce_to=8, reach={"Year": 0.5}), planned(vendor)
    sample = sample_of(risk, risk.spec.decide)
    assert (len(sample.draws), sample.drawn) == (8, FUTURES)
    assert sample.shares.sum() == pytest.approx(1.0)
    assert 0.0 < sample.distance < 0.3
    assert reached(risk, plan).probability["Year"] == pytest.approx(0.6, abs=0.11)
    with pytest.raises(InputError, match="more than there are"):
        sample_of(risk, risk.spec.decide.model_copy(update={"reduce_to": 99}))


def test_unknown_targets_are_named(vendor: Base, risk_file: Files, planned: Plans) -> None:
    """The nearest rule is in the message."""
    with pytest.raises(InputError, match="Nearest: Year"):
        reached(made(risk_file, vendor, reach={"Yaer": 0.5}), planned(vendor))
