"""Which cells a rule speaks of, and which member each belongs to."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from optimizer.errors import InputError
from optimizer.model.compile import compile_plan
from optimizer.model.scopes import Scopes
from optimizer.plan.inputs import resolve
from optimizer.plan.plan import Plan

MakePlan = Callable[..., Plan]

MARKETS = "region,line,potential\nNorth,a,10\nNorth,b,10\nSouth,a,10\n"
SELLERS = "seller,region,team\nAnna,North,x\nBen,South,y\nCara,*,y\n"


@pytest.fixture
def scopes(make_plan: MakePlan) -> Scopes:
    """Scopes over single sellers, of whom Cara sells everywhere, in two months."""
    plan = make_plan(2, markets=MARKETS, sellers=SELLERS)
    return compile_plan(resolve(plan), seat_groups=False).context.scopes


def test_members_of_nothing_are_one(scopes: Scopes) -> None:
    """Without `each` there is one member that holds every cell."""
    members = scopes.members([], {})
    assert members.labels == ((),)
    assert set(members.pair_code.tolist()) == {0}


def test_members_of_market_and_time(scopes: Scopes) -> None:
    """The product of market labels and periods, in the order of the columns."""
    members = scopes.members(["period", "region"], {})
    assert members.labels == (
        ("2027-01", "North"),
        ("2027-02", "North"),
        ("2027-01", "South"),
        ("2027-02", "South"),
    )
    assert members.num_period_members == 2
    assert members.pair_code.tolist() == [0, 0, 1, 0, 0, 1]


def test_where_leaves_cells_out(scopes: Scopes) -> None:
    """Pairs and periods outside the scope have no member."""
    members = scopes.members(["region"], {"line": "b", "period": ["2027-02"]})
    assert members.labels == (("North",),)
    assert members.pair_code.tolist() == [-1, 0, -1, -1, 0, -1]
    assert members.period_code.tolist() == [-1, 0]


def test_members_of_sellers_and_markets_together(scopes: Scopes) -> None:
    """Only combinations that occur on a pair are members."""
    members = scopes.members(["team", "line"], {})
    assert members.labels == (("x", "a"), ("x", "b"), ("y", "a"), ("y", "b"))
    assert members.market_code is None


def test_a_shared_name_may_be_bare_while_it_agrees(scopes: Scopes) -> None:
    """A seller who sells everywhere agrees with every market."""
    assert scopes.sides("region") == ("market", "region")
    assert scopes.sides("seller.region") == ("seller", "region")
    assert scopes.sides("team") == ("seller", "team")
    assert scopes.sides("quarter") == ("period", "quarter")


def test_a_shared_name_that_disagrees_needs_a_prefix(make_plan: MakePlan) -> None:
    """The message names a pair on which the two differ."""
    plan = make_plan(
        markets="region,potential\nNorth,10\n",
        sellers="seller,region\nAnna,Head office\n",
        territories="seller,market.region\nAnna,North\n",
    )
    found = compile_plan(resolve(plan)).context.scopes
    assert found.sides("market.region") == ("market", "region")
    with pytest.raises(InputError, match=r"Anna has “Head office” and sells in North.*market\.region"):
        found.sides("region")


@pytest.mark.parametrize("column", ["regoin", "market.team", "seller.line"])
def test_unknown_columns_are_named_with_the_nearest(scopes: Scopes, column: str) -> None:
    """A column that the side does not have is an error."""
    with pytest.raises(InputError, match="no column"):
        scopes.sides(column)


def test_unknown_labels_are_named_with_the_nearest(scopes: Scopes) -> None:
    """A label that no row has is an error."""
    with pytest.raises(InputError, match=r"“Nort”.*Nearest: North"):
        scopes.members([], {"region": "Nort"})


def test_figures_of_markets_do_not_fit_some_sellers(scopes: Scopes) -> None:
    """A scope of sellers leaves out sales of markets that are in it."""
    pair_market = scopes.cube.pair_market
    assert scopes.members([], {"team": "x"}).limits_sellers(pair_market)
    assert not scopes.members(["region"], {"line": "a"}).limits_sellers(pair_market)
    assert scopes.members(["team"], {}).limits_sellers(pair_market)
