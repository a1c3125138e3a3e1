"""Tornado and break-even: every bar re-solves to its figure, every answer holds just on its own side."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from optimizer.errors import InputError
from optimizer.model.compile import Model, compile_plan
from optimizer.plan.inputs import resolve
from scenarios.base import Base
from scenarios.kept import Planned
from scenarios.risk.breakeven import budget_for, holds_until
from scenarios.risk.futures import Future, Futures
from scenarios.risk.riskfile import Risk
from scenarios.risk.tornado import money_in, tornado
from scenarios.risk.worlds import Worlds
from solvers.solving import solve

Small = Callable[..., Base]
Files = Callable[..., Risk]
Plans = Callable[[Base], Planned]
UNCERTAIN = [
    {
        "table": "markets",
        "column": "potential",
        "each": "region",
        "multiply": {"low": 0.8, "likely": 1.0, "high": 1.2},
    },
    {"table": "markets", "column": "price", "multiply": {"low": 0.9, "likely": 1.0, "high": 1.1}},
]
EVENTS = [{"name": "leaves", "each": "seller", "probability": 0.2}]


def test_bars_resolve_to_their_figures(small: Small, risk_file: Files, planned: Plans) -> None:
    """Each bar is the money of a plan in which only this moves; of leavers the costliest is shown."""
    base = small(sellers=True)
    risk, plan = risk_file(base, uncertain=UNCERTAIN, events=EVENTS), planned(base)
    frame = tornado(risk, plan).set_index("name")
    assert len(frame) == 4
    assert (frame["kept_high"] <= frame["reacting_high"] + 1e-6).all()
    for name in ("markets.potential West", "markets.price"):
        at = [variable.name for variable in risk.variables].index(name)
        future = Future.with_one(risk, {at: risk.variables[at].amounts(0.9)})
        for way in ("kept", "reacting"):
            assert frame.loc[name, f"{way}_high"] == pytest.approx(money_in(Worlds(risk, plan, way), future))


def test_a_value_holds_just_on_its_own_side(small: Small, risk_file: Files, planned: Plans) -> None:
    """Down to a factor the target can be reached, and a hair below it can not."""
    base = small(targets=[{"name": "Year", "metric": "revenue", "at_least": 3600}])
    risk, plan = risk_file(base, uncertain=UNCERTAIN), planned(base)
    answer = holds_until(risk, plan, "markets.price", "Year")
    assert answer.value is not None
    assert answer.found.beyond is not None
    for amount, reached in ((answer.value, True), (answer.found.beyond, False)):
        model = Futures(risk).model(Future.with_one(risk, {2: np.array([amount])}))
        most = solve(model.program.replace(objective=revenue_of(model), maximize=True)).objective
        assert (most >= 3600 * (1 - 1e-6)) is reached
    with pytest.raises(InputError, match="Nearest"):
        holds_until(risk, plan, "price", "Year")


def test_the_budget_that_just_reaches_a_target(small: Small) -> None:
    """One linear program: the least; a hair less misses the target, a hair more reaches it."""
    targets = [{"name": "Year", "metric": "revenue", "at_least": 3000}]
    limits = [{"name": "Cap", "metric": "units", "at_most": 100}]
    model = compile_plan(resolve(small(targets=targets, limits=limits).plan))
    answer = budget_for(model, "Cap", "Year")
    assert answer.found.exact
    # The dearest units come first: 130 at 20, then 40 at 10.
    assert answer.value == pytest.approx(130 + 40)
    for cap, reached in ((answer.value * 0.999, False), (answer.value * 1.001, True)):
        tried = compile_plan(resolve(small(targets=targets, limits=[limits[0] | {"at_most": cap}]).plan))
        most = solve(tried.program.replace(objective=revenue_of(tried), maximize=True)).objective
        assert (most >= 3000 * (1 - 1e-9)) is reached
    with pytest.raises(InputError, match="no rule"):
        budget_for(model, "Budget", "Year")
    with pytest.raises(InputError, match="no single upper bound"):
        budget_for(model, "Year", "Year")


def test_the_budget_of_a_plan_with_curves(small: Small, risk_file: Files, planned: Plans) -> None:
    """Ten times the root of what is spent: 25 for 50 leads, found by bisection, and so the price of a click."""
    curves = {
        "marketing": "channel,unit_cost\nads,1\n",
        "curves": "channel,family,scale,exponent\nads,power,10,0.5\n",
    }
    base = small(
        files=curves, targets=[{"name": "Leads", "metric": "leads", "at_least": 50}],
        budgets=[{"name": "Money", "metric": "marketing_cost", "at_most": 9}],
        calendar={"start": "2027-01-01", "periods": 1, "every": "quarter"},
    )  # fmt: skip
    model = compile_plan(resolve(base.plan))
    answer = budget_for(model, "Money", "Leads")
    assert not answer.found.exact
    assert answer.found.beyond < answer.value
    assert answer.value == pytest.approx(25, rel=2e-3)
    low = {"distribution": "uniform", "low": 0.01, "high": 1.2}
    risk = risk_file(base, uncertain=[{"table": "marketing", "column": "unit_cost", "multiply": low}])
    until = holds_until(risk, planned(base), "marketing.unit_cost", "Leads")
    # 9 buys 25 insertions at 0.36 each.
    assert until.value == pytest.approx(0.36, rel=2e-3)


def revenue_of(model: Model) -> np.ndarray:
    """Revenue over the columns of a plan."""
    return model.context.metrics.total("revenue").dense(model.program.num_columns)
