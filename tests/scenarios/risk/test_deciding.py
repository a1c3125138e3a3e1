"""Decisions under uncertainty: a news vendor as a plan, order of the worths, the frontier."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy.stats import norm

from scenarios.base import Base, load_base
from scenarios.kept import Planned
from scenarios.risk.deciding import Deciding
from scenarios.risk.riskfile import Risk
from scenarios.risk.simulation import simulate

NORMAL = {"distribution": "normal", "mean": 1.0, "deviation": 0.2}
COST, MARGIN, POTENTIAL = 1.0, 4.0, 400.0


@pytest.fixture(scope="module")
def vendor(small: Callable[..., Base]) -> Base:
    """Every unit sold needs a stand, which is rented now at 1 and brings a margin of 4: order the 75 % quantile."""
    base = small(
        rows=f"East,10,0.4,1000,{POTENTIAL:g}\n",
        calendar={"start": "2027-01-01", "periods": 1, "every": "quarter"},
    )
    (base.folder / "resources.csv").write_text(
        f"resource,capacity,per,extra_price\nstands,0,period,{COST:g}\n"
    )
    (base.folder / "uses.csv").write_text("activity,resource,amount\nsell,stands,1\n")
    plan = (
        (base.folder / "plan.yaml")
        .read_text()
        .replace("markets: markets.csv", "markets: markets.csv\n  resources: resources.csv\n  uses: uses.csv")
    )
    (base.folder / "plan.yaml").write_text(plan)
    return load_base(base.folder)


@pytest.fixture(scope="module")
def deciding(
    vendor: Base, risk_file: Callable[..., Risk], planned: Callable[[Base], Planned]
) -> tuple[Deciding, Risk]:
    """The news vendor with a normal demand."""
    uncertain = [{"table": "markets", "column": "potential", "multiply": NORMAL}]
    risk = risk_file(vendor, samples=60, uncertain=uncertain)
    return Deciding(risk, planned(vendor), risk.draws()), risk


def test_the_news_vendor_orders_the_quantile(deciding: tuple[Deciding, Risk]) -> None:
    """The best mean rents (margin - cost) / margin of the demand's distribution, and is proved."""
    found, risk = deciding
    demand = POTENTIAL * norm.ppf(risk.draws().u[:, 0], 1, 0.2)
    # The tables hold the yearly potential; a quarter's is what the plan reads.
    scale = float(found.model.cube.markets.potential[0, 0]) / POTENTIAL
    problem = found.problem(risk.draws())
    choice = found.decide(problem)
    rented = choice.planned.decisions["extra"][1].sum()
    wanted = np.quantile(demand * scale, (MARGIN - COST) / MARGIN)
    assert rented == pytest.approx(wanted, rel=0.02)
    profit = np.mean(MARGIN * np.minimum(rented, demand * scale)) - COST * rented
    assert choice.result.objective == pytest.approx(profit, rel=1e-4)
    assert choice.result.gap <= 0.002
    simulated = simulate(risk, choice.planned, risk.draws(), "reacting")
    assert simulated.column("money").mean() == pytest.approx(profit, rel=1e-4)


def test_knowing_is_worth_more_than_planning(deciding: tuple[Deciding, Risk]) -> None:
    """WS >= RP >= EEV, and planning for the mean demand is worse than for all of them."""
    found, risk = deciding
    worth = found.worth(found.problem(risk.draws(12)))
    assert worth.knowing >= worth.together >= worth.mean_decision
    assert worth.of_knowing > 0


def test_the_frontier_gives_up_mean_for_the_worst_part(deciding: tuple[Deciding, Risk]) -> None:
    """Along the frontier the mean falls and the average of the worst 10 % rises."""
    found, risk = deciding
    choices = found.frontier(found.problem(risk.draws()), (0.0, 0.5, 1.0))
    rented = [choice.planned.decisions["extra"][1].sum() for choice in choices]
    means = [choice.result.values.mean() for choice in choices]
    worst = [np.sort(choice.result.values)[:6].mean() for choice in choices]
    assert rented[0] > rented[1] > rented[2]
    assert means[0] > means[2]
    assert worst[2] > worst[0]
