"""What came in closed periods is of the sources that were planned, and organic only beyond them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from optimizer.plan.fact_sources import closed_for_good
from optimizer.plan.funnel import Funnel
from optimizer.plan.inputs import resolve
from optimizer.plan.plan import Plan

MakePlan = Callable[..., Plan]

PLAN = {
    "markets": "sku,price,organic\na,10,100\nb,10,100\n",
    "marketing": "channel,max_spend\nfair,100\n",
    "initiatives": "initiative,duration\nblog,1\n",
}


def funnel(make_plan: MakePlan, tables: dict[str, str], **entries: Any) -> Funnel:
    """The funnel of two months."""
    found = resolve(make_plan(periods=2, **entries, **PLAN, **tables)).funnel
    assert found is not None
    return found


def beyond_plan(make_plan: MakePlan, more: dict[str, float], **tables: str) -> list[float]:
    """Room for organic opportunities of January beyond those planned in each market, where so many more came,
    40 were spent on a fair, and an initiative started."""
    planned = funnel(make_plan, tables).organic
    came = zip(("a", "b"), planned[:, 0] + [more["a"], more["b"]], strict=True)
    rows = "".join(f"2027-01,{sku},*,*,{number},0,,\n" for sku, number in came)
    actuals = "period,sku,channel,initiative,opportunities,revenue,spend,starts\n" + rows
    actuals += "2027-01,*,fair,*,,,40,\n2027-01,*,*,blog,,,,1\n"
    found = funnel(make_plan, {**tables, "actuals": actuals}, calendar={"as_of": "2027-02-01"}).organic
    assert found[:, 1].tolist() == planned[:, 1].tolist()
    return [float(number) for number in found[:, 0] - planned[:, 0]]


@pytest.mark.parametrize(
    ("yields", "more", "room"),
    [
        # 0.25 x 40 = 10 of the fair, so that what came is what was planned, or 4 more.
        ("fair,a,0.25", (10, 0), (0, 0)),
        ("fair,a,0.25", (14, -1), (4, 0)),
        # The same 10 for both: any division of them was possible.
        ("fair,*,0.25", (10, 0), (0, 0)),
        ("fair,*,0.25", (3, 7), (0, 0)),
        # 5 + 15 came beyond what is organic, 10 more than the fair brought: a half of each.
        ("fair,*,0.25", (5, 15), (2.5, 7.5)),
        # What a campaign takes away was taken from what came.
        ("fair,a,-0.1", (-4, 0), (0, 0)),
        ("fair,a,-0.1", (-2, 0), (2, 0)),
    ],
)
def test_only_what_no_planned_source_brings_is_organic(
    make_plan: MakePlan, yields: str, more: tuple[float, float], room: tuple[float, float]
) -> None:
    """Leads of marketing explain what came before organic opportunities do, divided in any way."""
    table = f"channel,sku,opportunities\n{yields}\n"
    found = beyond_plan(make_plan, {"a": more[0], "b": more[1]}, yields=table)
    assert found == pytest.approx(room, abs=1e-9)


@pytest.mark.parametrize(
    ("effect", "brought"),
    [
        ("leads,fair,*,1.5,multiply", 5.0),
        ("leads,fair,*,8,", 2.0),
        ("organic,*,a,6,", 6.0),
        ("organic,*,*,6,", 3.0),
    ],
)
def test_what_started_explains_its_own(make_plan: MakePlan, effect: str, brought: float) -> None:
    """Effects on leads and on organic opportunities of an initiative that started bring theirs in the closed
    month, whole or shared by two equal markets."""
    tables = {
        "yields": "channel,sku,opportunities\nfair,a,0.25\n",
        "effects": f"initiative,changes,channel,sku,likely,kind\nblog,{effect}\n",
    }
    both = brought if effect == "organic,*,*,6," else 0.0
    assert beyond_plan(make_plan, {"a": 10 + brought, "b": both}, **tables) == pytest.approx([0, 0], abs=1e-9)
    found = beyond_plan(make_plan, {"a": 11 + brought, "b": both}, **tables)
    assert found == pytest.approx([1, 0], abs=1e-9)


def test_what_is_decided_and_takes_no_more_hours_is_closed_for_good() -> None:
    """Of three closed months, opportunities that are decided a month later are closed in the first two, and only in the
    first where they take hours for two months."""
    lag, hours = np.array([[0.5, 0.5]] * 2), np.array([[1, 1, 0, 0, 0], [1, 1, 1, 0, 0]], dtype=np.float64)
    assert closed_for_good(lag, hours, 3).tolist() == [[True, True, False], [True, False, False]]
