"""What to prepare: the value of acting by hand, signs that tell, and actions that cannot be."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from optimizer.errors import InputError
from scenarios.base import Base
from scenarios.kept import Planned
from scenarios.risk.contingency import contingency
from scenarios.risk.riskfile import Risk

Small = Callable[..., Base]
Files = Callable[..., Risk]
Plans = Callable[[Base], Planned]

# One market of 120 units a year in four quarters; one seller can sell 25 a quarter at 10 with a margin of 4.
FILES = {
    "sellers": "seller,region,capacity,capacity_unit\nAnn,East,25,hours\n",
    "territories": "region,hours_per_unit\nEast,1\n",
    "initiatives": "initiative,cost,requires\nrescue,20,\nsequel,0,rescue\n",
    "effects": "initiative,changes,likely\nrescue,demand,10\n",
    "resources": "resource,capacity,per,extra_price\nstands,1000,period,1\nhalls,5,period,\n",
    "marketing": "channel,unit_cost\nads,2\n",
    "profiles": "profile,period_or_age,value\n" + "".join(f"season,{m},{1 / 12}\n" for m in range(1, 13)),
    "uses": "activity,resource,amount\nsell,stands,1\nsell,halls,0.01\n",
}
HALF = 40
UNIFORM = {"distribution": "uniform", "low": 0.5, "high": 1.5}
UNCERTAIN = [{"table": "markets", "column": "potential", "multiply": UNIFORM}]
EVENTS = [{"name": "leaves", "each": "seller", "probability": 0.1}]


@pytest.fixture(scope="module")
def rescue(small: Small) -> Base:
    """A plan whose initiative adds demand, which pays only where the market is weak."""
    return small(rows="East,10,0.4,1000,120\n", files=FILES)


def made(risk_file: Files, base: Base, **contingency_: Any) -> Risk:
    """A risk file of one uncertain market, seen after the first quarter."""
    given = {"visible_by": 1, "futures": HALF, **contingency_}
    return risk_file(base, uncertain=UNCERTAIN, contingency=given)


def test_acting_is_worth_what_can_be_worked_out(rescue: Base, risk_file: Files, planned: Plans) -> None:
    """40 units of demand a year in three quarters: 4 x what capacity leaves of it, less 20; revenue tells."""
    risk = made(risk_file, rescue, actions=[{"initiative": "rescue", "prepare": 1}])
    best, every = contingency(risk, planned(rescue))
    draws = risk.draws(HALF, fresh=2_000)
    quarter = 120 / 4 * risk.variables[0].figure(draws.u[:, 0])
    sold = [np.minimum(25, quarter + more) for more in (0.0, 10.0)]
    value = 3 * 4 * (sold[1] - sold[0]) - 20
    row = best.iloc[0]
    assert row["foresight"] == pytest.approx(np.maximum(value, 0).mean(), rel=1e-4)
    assert row["always"] == pytest.approx(value.mean(), rel=1e-4)
    # Revenue of the first quarter is the market itself where it is weak: nearly no miss and no false alarm.
    revenue = every.set_index("sign").loc["revenue"]
    assert revenue["side"] == "at_most"
    assert revenue["level"] == pytest.approx(10 * (25 - 20 / 12), rel=0.05)
    assert revenue["fresh_value"] == pytest.approx(row["foresight"], rel=0.05)
    assert revenue["fresh_misses"] + revenue["fresh_false_alarms"] <= 0.05
    assert row["worth"] == pytest.approx(row["fresh_value"] - 1)
    assert bool(row["worth_preparing"])


def test_initiatives_that_are_off_are_the_default(rescue: Base, risk_file: Files, planned: Plans) -> None:
    """What requires one that is off cannot start; a cost above the worth of its sign is not paid."""
    best, _ = contingency(made(risk_file, rescue), planned(rescue))
    assert best["action"].tolist() == ["rescue"]
    assert best.loc[0, "starts"] == "2027-Q2"
    dear = made(risk_file, rescue, actions=[{"initiative": "rescue", "prepare": 500}])
    assert not contingency(dear, planned(rescue))[0]["worth_preparing"].any()


def test_more_of_a_resource_and_a_reserve(rescue: Base, risk_file: Files, planned: Plans) -> None:
    """Stands that nobody needs cost their price in each later quarter, and so does spend that brings nothing."""
    actions = [{"resource": "stands", "amount": 5}, {"channel": "ads", "amount": 8, "name": "reserve"}]
    best, _ = contingency(made(risk_file, rescue, actions=actions), planned(rescue))
    always = best.set_index("action")["always"]
    assert always["stands"] == pytest.approx(-3 * 5 * 1)
    assert always["reserve"] == pytest.approx(-3 * 8)
    assert best["fresh_value"].tolist() == [0.0, 0.0]


def test_events_are_signs_only_once_they_have_happened(
    rescue: Base, risk_file: Files, planned: Plans
) -> None:
    """A seller who has left by then is a sign; one who may still leave is not."""
    risk = risk_file(
        rescue, uncertain=UNCERTAIN, events=EVENTS, contingency={"visible_by": 2, "futures": HALF}
    )
    _, every = contingency(risk, planned(rescue))
    assert set(every["sign_kind"]) == {"figure", "number", "event"}
    assert {"revenue", "deals"} <= set(every["sign"])


@pytest.mark.parametrize(
    ("spec", "word"),
    [
        ({"visible_by": 4}, "earlier period"),
        ({"actions": [{"initiative": "resque"}]}, "Nearest: rescue"),
        ({"actions": [{"initiative": "sequel"}]}, "may not start any more"),
        ({"actions": [{"initiative": "rescue", "amount": 3}]}, "exactly one of"),
        ({"actions": [{"resource": "stands"}]}, "exactly one of"),
        ({"actions": [{"resource": "halls", "amount": 1}]}, "no extra_price"),
    ],
)
def test_what_cannot_be_prepared_is_refused(
    rescue: Base, risk_file: Files, planned: Plans, spec: dict[str, Any], word: str
) -> None:
    """Each error says why."""
    with pytest.raises(InputError, match=word):
        contingency(made(risk_file, rescue, **spec), planned(rescue))
