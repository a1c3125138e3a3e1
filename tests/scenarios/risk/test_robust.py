"""Robust plans: budget 0 and the worst case, violations on compiled fresh futures, and what cannot be protected."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from optimizer.errors import InputError
from optimizer.model.compile import compile_plan
from optimizer.result.solution import Solution
from optimizer.settings import SolveSettings
from optimizer.solving import solve, solve_model
from scenarios.base import Base
from scenarios.kept import money_stage
from scenarios.risk.futures import Future, Futures
from scenarios.risk.riskfile import Risk
from scenarios.risk.robust import robust

Small = Callable[..., Base]
Files = Callable[..., Risk]

MARKETS = 6
ROWS = "".join(f"R{at},{10 + at},0.4,1000,{40 + 5 * at}\n" for at in range(MARKETS))
FILES = {
    "sellers": "seller,team,capacity,capacity_unit\nAnn,one,180,hours\n",
    "territories": "region,hours_per_unit\n" + "".join(f"R{at},{1 + 0.2 * at}\n" for at in range(MARKETS)),
}
UNIFORM = {"distribution": "uniform", "low": 0.8, "high": 1.2}
HOURS = {"table": "territories", "column": "hours_per_unit", "each": "region", "multiply": UNIFORM}
NORMAL = {"distribution": "normal", "mean": 1, "deviation": 0.1}
POTENTIAL = {
    "table": "markets", "column": "potential", "where": {"region": "R0"},
    "multiply": {"low": 0.9, "likely": 1, "high": 1.1},
}  # fmt: skip
PRICES = [
    {"table": "markets", "column": "price", "name": name, "where": {"region": name}, "multiply": UNIFORM}
    for name in ("R4", "R5")
]


@pytest.fixture(scope="module")
def plain(small: Small) -> tuple[Base, Solution]:
    """One seller who is short of hours in six markets, and the plan."""
    base = small(
        rows=ROWS, files=FILES, calendar={"start": "2027-01-01", "periods": 1, "every": "quarter"},
        targets=[{"name": "Year", "metric": "revenue", "at_least": 1500}],
    )  # fmt: skip
    return base, solve(base.plan, SolveSettings(marginal_values=False, leverage=False))


def made(risk_file: Files, base: Base, **robust_: Any) -> Risk:
    """Six independent hours a unit, one potential, and two prices, which move the target's row from below."""
    uncertain = [HOURS, POTENTIAL, *PRICES]
    return risk_file(base, uncertain=uncertain, correlation="none", robust=robust_)


def test_no_budget_is_the_plain_plan(plain: tuple[Base, Solution], risk_file: Files) -> None:
    """Every stage comes out as in the plan itself."""
    base, solution = plain
    found = robust(made(risk_file, base, budget=0), solution)
    assert found.money == pytest.approx(found.plain)
    values = [[stage.value for stage in one.stages] for one in (found.solution, solution)]
    assert values[0] == pytest.approx(values[1], abs=1e-6)


def test_the_full_budget_is_the_worst_case(plain: tuple[Base, Solution], risk_file: Files) -> None:
    """Every number at its bad end, compiled and solved like any plan, brings the same money."""
    base, solution = plain
    risk = made(risk_file, base, budget=99)
    found = robust(risk, solution)
    ends = {
        at: one.amounts(1.0 if one.column == "hours_per_unit" else 0.0)
        for at, one in enumerate(risk.variables)
        # Money is counted at likely prices: only rows are protected.
        if one.column != "price"
    }
    worst = Futures(risk).model(Future.with_one(risk, ends))
    staged = solve_model(worst, SolveSettings(marginal_values=False))
    assert found.money == pytest.approx(money_stage(worst).value(staged.x))
    assert found.money < found.plain
    assert (found.rows["broken"] == 0.0).all()


@pytest.mark.parametrize("budget", [1.0, 2.5])
def test_rows_break_at_most_as_often_as_bounded(
    plain: tuple[Base, Solution], risk_file: Files, budget: float
) -> None:
    """Of the protected rows each stays under the published bound; the plan as it is breaks half of the time."""
    base, solution = plain
    found = robust(made(risk_file, base, budget=budget), solution)
    assert (found.rows["broken"] <= found.rows["bound"]).all()
    hours = found.rows[found.rows["row"].str.startswith("hours")].iloc[0]
    assert hours["numbers"] == MARKETS
    assert 0.0 < hours["bound"] < 1.0
    assert hours["broken_plain"] > 0.4
    assert found.money < found.plain


def test_violations_are_those_of_compiled_futures(plain: tuple[Base, Solution], risk_file: Files) -> None:
    """Hours are counted as by hand in fresh futures, and by hand as in futures that are compiled in full."""
    base, solution = plain
    risk = made(risk_file, base, budget=1, futures=100)
    found = robust(risk, solution)
    draws, sold = risk.draws(100, fresh=3_000), found.solution.sales.ravel()
    each = np.column_stack([one.figure(draws.u[:, at]) for at, one in enumerate(risk.variables[:MARKETS])])
    used = (each * (1 + 0.2 * np.arange(MARKETS))) @ sold
    listed = found.rows.set_index("row")["broken"]
    hours = listed[listed.index.str.startswith("hours")].iloc[0]
    assert hours == pytest.approx((used > 180 * (1 + 1e-6)).mean())
    assert hours > 0.0
    for row in (0, 50):
        model = compile_plan(Futures(risk).inputs(Future.of(draws, row)))
        block = next(one for one in model.program.row_blocks if one.name == "hours")
        of_sales = model.program.matrix.tocsr()[[block.start]][:, : sold.size] @ sold
        share = of_sales[0] / model.program.row_upper[block.start]
        assert share == pytest.approx(used[row] / 180)


@pytest.mark.parametrize(
    ("more", "word"),
    [
        ({"correlation": "low"}, "move together"),
        ({"uncertain": [HOURS | {"multiply": {"low": 0.8, "likely": 1, "high": 1.1}}]}, "not symmetric"),
        ({"uncertain": [HOURS | {"multiply": {**UNIFORM, "low": 1.0}}]}, "not symmetric"),
        ({"uncertain": [HOURS | {"multiply": NORMAL}]}, "no least"),
        ({"robust": {"rows": ["hour"]}}, "Nearest: hours"),
        ({"robust": {"numbers": ["market"]}, "uncertain": [HOURS]}, "Nearest"),
        ({"robust": {"rows": ["Year"]}, "uncertain": [POTENTIAL]}, "no uncertain number moves"),
    ],
)
def test_what_cannot_be_protected_is_refused(
    plain: tuple[Base, Solution], risk_file: Files, more: dict[str, Any], word: str
) -> None:
    """Each error says why and the way out."""
    base, solution = plain
    given = {"uncertain": [HOURS, POTENTIAL], "correlation": "none", "robust": {"budget": 1}, **more}
    with pytest.raises(InputError, match=word):
        robust(risk_file(base, **given), solution)


def test_numbers_that_multiply_each_other_are_named(plain: tuple[Base, Solution], risk_file: Files) -> None:
    """A price of all and a price of one multiply in the target's row."""
    base, solution = plain
    price = {"table": "markets", "column": "price", "multiply": UNIFORM}
    one = {**price, "name": "one", "where": {"region": "R1"}}
    risk = risk_file(base, uncertain=[price, one], correlation="none", robust={"budget": 1})
    with pytest.raises(InputError, match="multiply each other"):
        robust(risk, solution)
