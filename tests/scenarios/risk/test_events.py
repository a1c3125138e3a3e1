"""Events of one future, worked out by hand: a seat that is filled again, a campaign and an initiative that slip."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest

from scenarios.base import Base
from scenarios.kept import Planned
from scenarios.risk.riskfile import Draws, Risk
from scenarios.risk.simulation import simulate

Small = Callable[..., Base]
Files = Callable[..., Risk]
Plans = Callable[[Base], Planned]

# One market of 120 units a year at 10, 10 a month; one seller can sell 13 a month.
SEASON = "profile,period_or_age,value\n" + "".join(f"season,{month},{1 / 12}\n" for month in range(1, 13))
MONTHS = {"start": "2027-01-01", "periods": 12, "every": "month"}
PRICE, WANTED, CAPACITY = 10.0, 10.0, 13.0
PEOPLE = {
    "sellers": f"seller,region,capacity,capacity_unit\nAnn,East,{CAPACITY:g},hours\n",
    "territories": "region,hours_per_unit\nEast,1\n",
    "profiles": SEASON,
}


def revenue_if(
    risk: Risk, planned: Planned, outcomes: list[int], way: str, learn: bool = True
) -> list[float]:
    """Revenue where the one event of a risk file has each of these outcomes."""
    draws = Draws(np.full((len(outcomes), 1), 0.5), np.array(outcomes)[:, None])
    found = simulate(risk, planned, draws, way, learn=learn)
    assert not found.failed.any()
    return [float(value) for value in found.column("revenue")]


@pytest.fixture(scope="module")
def people(small: Small) -> Base:
    """One seller with a little time to spare."""
    return small(rows="East,10,0.4,1000,120\n", files=PEOPLE, calendar=MONTHS)


@pytest.fixture(scope="module")
def event_file(risk_file: Files) -> Callable[[Base, Mapping[str, Any]], Risk]:
    """A function that makes a risk file of one event; the one uncertain number never moves."""

    def make(base: Base, event: Mapping[str, Any]) -> Risk:
        still = {"table": "markets", "column": "price", "multiply": {"low": 1, "likely": 1, "high": 1}}
        return risk_file(base, uncertain=[still], events=[event])

    return make


@pytest.mark.parametrize("learn", [True, False])
@pytest.mark.parametrize(("refill", "months"), [(3, 3), (None, 8)])
def test_a_seat_is_empty_until_it_is_filled_again(
    people: Base, event_file: Any, planned: Plans, refill: int | None, months: int, learn: bool
) -> None:
    """Who leaves in May takes the sales of three months, or without a refill of the rest of the year."""
    event = {"name": "leaves", "each": "seller", "probability": 0.5}
    risk = event_file(people, event if refill is None else {**event, "refill_months": refill})
    stays, leaves_in_may, leaves_in_december = revenue_if(risk, planned(people), [0, 5, 12], "kept", learn)
    assert stays == pytest.approx(12 * WANTED * PRICE)
    assert stays - leaves_in_may == pytest.approx(months * WANTED * PRICE)
    assert stays - leaves_in_december == pytest.approx(WANTED * PRICE)


@pytest.mark.parametrize("learn", [True, False])
def test_an_initiative_that_slips_works_later(
    small: Small, event_file: Any, planned: Plans, learn: bool
) -> None:
    """Two more units a month from the start on: each month of delay takes one month of them, and a start that
    falls behind the end takes all."""
    files = {
        **PEOPLE,
        "initiatives": "initiative,cost,latest_start\nfair,1,2027-01-31\n",
        "effects": "initiative,changes,likely\nfair,demand,2\n",
    }
    base = small(rows="East,10,0.4,1000,120\n", files=files, calendar=MONTHS)
    event = {
        "name": "slips",
        "initiative": "fair",
        "probability": 0.5,
        "delay_periods": {1: 0.5, 4: 0.25, 12: 0.25},
    }
    found = revenue_if(event_file(base, event), planned(base), [0, 1, 2, 3], "reacting", learn)
    assert found[0] == pytest.approx(12 * (WANTED + 2) * PRICE)
    assert [found[0] - one for one in found[1:]] == pytest.approx([2 * late * PRICE for late in (1, 4, 12)])


@pytest.mark.parametrize("learn", [True, False])
def test_what_a_campaign_brings_comes_later(
    small: Small, event_file: Any, planned: Plans, learn: bool
) -> None:
    """Everything is sold through leads that are bought in the month: a delay takes those of the last months."""
    files = {
        "marketing": "channel,unit_cost,max_spend\nads,1,120\n",
        "yields": "channel,region,opportunities,conversion\nads,East,1,1\n",
        "curves": "channel,family,slope\nads,linear,1\n",
        "profiles": SEASON,
    }
    base = small(rows="East,10,0.4,1000,120\n", files=files, calendar=MONTHS)
    event = {"name": "slips", "channel": "ads", "probability": 0.5, "delay_periods": {1: 0.5, 3: 0.5}}
    found = revenue_if(event_file(base, event), planned(base), [0, 1, 2], "kept", learn)
    assert found[0] == pytest.approx(12 * WANTED * PRICE)
    assert [found[0] - one for one in found[1:]] == pytest.approx([WANTED * PRICE, 3 * WANTED * PRICE])
