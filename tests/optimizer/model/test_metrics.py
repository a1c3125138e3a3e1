"""Every metric against its formula in docs/metrics.md, computed cell by cell."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from optimizer.errors import InputError
from optimizer.model.compile import Model, compile_plan
from optimizer.model.metrics import (
    ACTIVITY_METRICS,
    OTHER_METRICS,
    RATIOS,
    SALES_METRICS,
    SEAT_METRICS,
    sum_members,
)
from optimizer.plan.inputs import resolve
from optimizer.plan.plan import Plan

MakePlan = Callable[..., Plan]

MARKETS = (
    "region,customer_type,price,margin_rate,units_per_deal,potential,last_year_revenue,size_revenue\n"
    "North,new,10,0.2,2,100,2610,9000\n"
    "South,existing,20,0.5,4,100,5220,\n"
)
SELLERS = (
    "seller,team,capacity,capacity_unit,commission_rate,cost,to\n"
    "Anna,x,40,deals,0.1,500,\nBen,y,20,deals,,300,2027-01-31\nShop,z,,,,,\n"
)


@pytest.fixture
def model(make_plan: MakePlan) -> Model:
    """Two markets, three sellers, two months, every seller apart."""
    plan = make_plan(
        2,
        markets=MARKETS,
        sellers=SELLERS,
        sellers_options={},
        resources="resource,capacity,extra_price\ncars,9,3\n",
        uses="activity,region,resource,amount\nsell,North,cars,0.5\nseller,*,cars,1\n",
    )
    return compile_plan(resolve(plan), seat_groups=False)


def value(model: Model, metric: str, x: np.ndarray, **where: object) -> float:
    """A metric at x in a scope."""
    return float(model.context.metrics.total(metric, where).values(x)[0])


def cells(model: Model) -> tuple[np.ndarray, list[tuple[str, str, int, float]]]:
    """A vector of values, and its cells as (seller, region, period, units)."""
    x = np.arange(1.0, model.program.num_columns + 1)
    cube = model.cube
    regions = cube.markets.labels["region"]
    found = [
        (cube.seat_names[seat], regions[market], period, float(x[pair * cube.num_periods + period]))
        for pair, (seat, market) in enumerate(zip(cube.pair_seat, cube.pair_market, strict=True))
        for period in range(cube.num_periods)
    ]
    return x, found


PRICE = {"North": 10.0, "South": 20.0}
MARGIN = {"North": 2.0, "South": 10.0}
PER_DEAL = {"North": 2.0, "South": 4.0}
COMMISSION = {"Anna": 0.1, "Ben": 0.0, "Shop": 0.0}


@pytest.mark.parametrize(
    ("metric", "of_cell"),
    [
        ("units", lambda seller, region, units: units),
        ("deals", lambda seller, region, units: units / PER_DEAL[region]),
        ("revenue", lambda seller, region, units: units * PRICE[region]),
        ("margin", lambda seller, region, units: units * MARGIN[region]),
        ("commission", lambda seller, region, units: units * PRICE[region] * COMMISSION[seller]),
        ("new_customers", lambda seller, region, units: units / PER_DEAL[region] * (region == "North")),
        ("hours", lambda seller, region, units: 0.0),
    ],
)
def test_sums_of_sales(model: Model, metric: str, of_cell: Callable[[str, str, float], float]) -> None:
    """A sum over cells, in the whole plan, in a region, by a seller and in a month."""
    x, found = cells(model)
    for where in ({}, {"region": "South"}, {"seller": "Anna"}, {"period": "2027-02"}):
        expected = sum(
            of_cell(seller, region, units)
            for seller, region, period, units in found
            if where.get("region", region) == region
            and where.get("seller", seller) == seller
            and where.get("period", f"2027-0{period + 1}") == f"2027-0{period + 1}"
        )
        assert value(model, metric, x, **where) == pytest.approx(expected)


def test_contribution_counts_extra_resources_once(model: Model) -> None:
    """margin - commission - extra cost; extras belong to no market, so regions are without them."""
    x, _ = cells(model)
    bought = x[model.cube.num_cells : model.cube.num_cells + model.cube.num_periods]
    assert model.context.activities.extra_start == model.cube.num_cells
    extra = float(bought.sum()) * 3
    assert value(model, "extra_cost", x) == pytest.approx(extra)
    assert value(model, "contribution", x) == pytest.approx(
        value(model, "margin", x) - value(model, "commission", x) - extra
    )
    parts = [value(model, "contribution", x, region=region) for region in PRICE]
    assert sum(parts) == pytest.approx(value(model, "contribution", x) + extra)


def test_a_resource_is_a_metric(model: Model) -> None:
    """What sales use and what people use by being there: Anna and Shop both months, Ben one."""
    x, found = cells(model)
    sold = sum(units for _, region, _, units in found if region == "North") * 0.5
    assert value(model, "cars", x) == pytest.approx(sold + 5)
    assert value(model, "cars", x, region="North") == pytest.approx(sold)


def test_load_is_counted_in_average_seller_periods(model: Model) -> None:
    """Deals over the mean capacity of those who count in deals; without a limit there is no load."""
    x, found = cells(model)
    people = model.inputs.selling.sellers
    mean = people.capacity[:2].sum() / people.presence[:2].sum()
    deals = sum(units / PER_DEAL[region] for seller, region, _, units in found if seller != "Shop")
    assert value(model, "load", x) == pytest.approx(deals / mean)
    assert value(model, "capacity", x) == pytest.approx(people.presence[:2].sum())


def test_figures_of_sellers(model: Model) -> None:
    """Heads are a mean over months, cost a sum; by team each counts in its own."""
    x, _ = cells(model)
    assert value(model, "headcount", x) == pytest.approx(2.5)
    assert value(model, "headcount", x, period="2027-01") == pytest.approx(3)
    assert value(model, "seller_cost", x) == pytest.approx(2 * 500 + 300)
    assert value(model, "seller_cost", x, team="y") == pytest.approx(300)
    with pytest.raises(InputError, match="belongs to sellers"):
        model.context.metrics.terms("headcount", sum_members(model.context.scopes, ["region"], {}), {})


def test_cost_of_a_group_is_the_sum_of_its_members(make_plan: MakePlan) -> None:
    """Equal sellers with unequal pay are one seat, and their pay is added."""
    plan = make_plan(2, markets="region,potential\nNorth,10\n", sellers="seller,cost\nAnna,100\nBen,300\n")
    model = compile_plan(resolve(plan))
    assert len(model.cube.seat_names) == 1
    assert value(model, "seller_cost", np.zeros(model.program.num_columns)) == pytest.approx(800)


def test_figures_of_markets(model: Model) -> None:
    """Last year and sizes by month; not by seller."""
    x, _ = cells(model)
    markets = model.inputs.markets
    assert value(model, "last_year", x) == pytest.approx(markets.last_year_revenue.sum())
    assert value(model, "market_size", x) == pytest.approx(9000)
    assert value(model, "market_size", x, period="2027-01") == pytest.approx(9000 * markets.spread[0, 0])
    with pytest.raises(InputError, match="figure of markets"):
        value(model, "last_year", x, team="x")


def test_market_share_counts_sales_where_the_size_is_known(model: Model) -> None:
    """Revenue of markets without a size is not in the numerator."""
    members = sum_members(model.context.scopes, [], {})
    top, bottom, shift = model.context.metrics.ratio("market_share", members, {})
    x, found = cells(model)
    north = sum(units * 10 for _, region, _, units in found if region == "North")
    assert (top.values(x)[0], bottom.values(x)[0], shift) == (pytest.approx(north), pytest.approx(9000), 0.0)


def test_a_pool_that_is_partly_in_a_member_is_refused(make_plan: MakePlan) -> None:
    """The size of a part of a pool is not known."""
    plan = make_plan(
        markets="region,line,potential\nNorth,a,5\nNorth,b,5\n",
        market_size="region,size_revenue\nNorth,100\n",
    )
    model = compile_plan(resolve(plan))
    with pytest.raises(InputError, match="part of “North”"):
        value(model, "market_size", np.zeros(model.program.num_columns), line="a")


def test_unlike_units_are_not_added(make_plan: MakePlan) -> None:
    """Kilograms and pieces add up within their own kind only."""
    plan = make_plan(markets="region,unit,potential\nNorth,kg,5\nSouth,piece,5\n")
    model = compile_plan(resolve(plan))
    x = np.ones(model.program.num_columns)
    assert value(model, "units", x, region="North") == pytest.approx(1)
    with pytest.raises(InputError, match="kg, piece"):
        value(model, "units", x)


def test_a_margin_that_nobody_knows_is_asked_for(make_plan: MakePlan) -> None:
    """No margin at all is an error of the metric, not a zero."""
    model = compile_plan(resolve(make_plan(markets="region,potential\nNorth,5\n")))
    with pytest.raises(InputError, match="margin_rate or unit_cost"):
        value(model, "margin", np.ones(model.program.num_columns))


def test_unknown_metrics_and_ratios_as_sums(model: Model) -> None:
    """The nearest name is offered, and a ratio has no sum."""
    x, _ = cells(model)
    with pytest.raises(InputError, match="Nearest: revenue"):
        value(model, "revenu", x)
    with pytest.raises(InputError, match="do not add up"):
        value(model, "average_check", x)


def test_last_year_that_is_unknown_is_asked_for(make_plan: MakePlan) -> None:
    """Growth on nothing known is no number; the row is named."""
    plan = make_plan(12, markets="region,potential,last_year_revenue\nNorth,5,100\nSouth,5,\n")
    model = compile_plan(resolve(plan))
    with pytest.raises(InputError, match=r"markets\.csv, row 3, column last_year_revenue"):
        value(model, "last_year", np.zeros(model.program.num_columns))


def test_every_metric_is_documented(root: Path) -> None:
    """docs/metrics.md has every metric and ratio."""
    page = (root / "docs" / "metrics.md").read_text(encoding="utf-8")
    names = [*SALES_METRICS, *SEAT_METRICS, *ACTIVITY_METRICS, *OTHER_METRICS, *RATIOS]
    assert not [name for name in names if f"`{name}`" not in page]
