"""What money brings at the plan: average and marginal return of each row of marketing, and how far its
curve is used up.

    average[c,t]    = leads[c,t] / cost[c,t]
    marginal[c,t]   = sum_a weight[c,a] f'(stock[c,t+a]) / price[c,t]       leads for the next money in t
    saturation[c,t] = f(stock[c,t]) / f(infinity)                           where f has a ceiling

price is that of the tier which the next input falls into. The leads of a unit of money count in every period
in which its carryover still works, run-out periods included. Units: leads a unit of currency; shares.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from optimizer.plan.brought import stock_of
from optimizer.plan.curves import Response
from optimizer.plan.marketing import Marketing
from optimizer.result.by_channel import by_channel
from optimizer.result.solution import Solution
from solvers.curves import Curve, make_table

FloatArray = NDArray[np.float64]

TIME = ("period", "quarter", "year")
_BOUNDED = frozenset({"hill", "logistic", "s_logistic", "adbudg", "michaelis_menten", "points"})
_FAR = 1e30


@dataclass(frozen=True)
class Returns:
    """Figures (C, T) of rows of marketing at a plan; NaN where a row has no response."""

    inputs: FloatArray
    """Insertions, or currency."""
    stock: FloatArray
    cost: FloatArray
    """Currency, fixed costs included."""
    leads: FloatArray
    marginal: FloatArray
    """Leads for the next unit of currency."""
    saturation: FloatArray
    """Share of what the curve brings at most; NaN where it has no ceiling."""


def returns(solution: Solution) -> Returns | None:
    """The returns at a finished plan; None without marketing. Raises `ValueError` without a plan."""
    marketing, blocks = solution.inputs.marketing, solution.activities.blocks
    if marketing is None or "spend" not in blocks:
        return None
    x = solution.x
    inputs, leads, cost = (
        blocks["spend"].values(x),
        blocks["response"].values(x),
        by_channel(solution, "marketing_cost"),
    )
    stock = stock_of(marketing, inputs)
    slope, saturation = np.full_like(stock, np.nan), np.full_like(stock, np.nan)
    for row, found in enumerate(marketing.responses):
        if found is not None:
            curve, periods = of_input(marketing, row, found), np.zeros(stock.shape[1], dtype=np.int64)
            slope[row] = make_table([curve]).slope(periods, stock[row])
            saturation[row] = make_table([curve]).value(periods, stock[row]) / ceiling(curve)
    slope = np.where(np.isfinite(slope), slope, np.nan)
    marginal = np.zeros_like(slope)
    for age in range(min(marketing.kernel.shape[1], slope.shape[1])):
        marginal[:, : slope.shape[1] - age] += marketing.kernel[:, age : age + 1] * slope[:, age:]
    price = next_price(marketing, inputs, solution.inputs.past)
    marginal /= np.where(price > 0, price, np.nan)
    return Returns(inputs, stock, cost, leads, np.where(marketing.active, marginal, np.nan), saturation)


def next_price(marketing: Marketing, inputs: FloatArray, past: int) -> FloatArray:
    """Currency that the next input costs (C, T); the first `past` periods are facts and have filled tiers."""
    if marketing.tiers is None:
        return np.repeat(marketing.unit_cost[:, None], inputs.shape[1], axis=1)
    ahead = np.where(np.arange(inputs.shape[1]) >= past, inputs, 0.0)
    return marketing.tiers.next_price(marketing.unit_cost, ahead)


def of_input(marketing: Marketing, row: int, found: Response) -> Curve:
    """The curve of a row over its stock in units of its input: of money also where insertions are planned."""
    if marketing.curve_of_spend[row]:
        return found.curve.scaled(per=1.0 / float(marketing.unit_cost[row]))
    return found.curve


def ceiling(curve: Curve) -> float:
    """What a curve brings at most; NaN where it grows for ever or may fall."""
    if any(part.family not in _BOUNDED or part.weight < 0 for part in curve.parts):
        return np.nan
    most = float(make_table([curve]).value(np.zeros(1, dtype=np.int64), np.array([_FAR * curve.per]))[0])
    return most if most > 0 else np.nan


def return_table(solution: Solution) -> pd.DataFrame:
    """Returns of each row of marketing by period of the plan; leads after it count in marginal_return.

    Columns: channel and the other columns of the marketing table; period, quarter, year; input (insertions,
    or currency), stock, marketing_cost, leads, average_return and marginal_return (leads a unit of currency;
    blank where nothing is spent or nothing can be), saturation (share; blank without a ceiling). Raises
    `ValueError` without a plan.
    """
    found = returns(solution)
    assert found is not None
    block, calendar = solution.activities.blocks["spend"], solution.sellers.calendar
    rows, periods = found.inputs.shape[0], solution.sellers.num_planned
    row, period = np.repeat(np.arange(rows), periods), np.tile(np.arange(periods), rows)
    columns = {name: np.array(labels, dtype=object)[row] for name, labels in block.labels.items()}
    columns |= {name: np.array(getattr(calendar, name), dtype=object)[period] for name in TIME}
    texts = list(columns)
    figures = {
        "input": found.inputs,
        "stock": found.stock,
        "marketing_cost": found.cost,
        "leads": found.leads,
        "average_return": ratio(found.leads, found.cost),
        "marginal_return": found.marginal,
        "saturation": found.saturation,
    }
    columns |= {name: values[:, :periods].ravel() for name, values in figures.items()}
    return pd.DataFrame(columns).astype(dict.fromkeys(texts, "str"))


def ratio(above: FloatArray, below: FloatArray) -> FloatArray:
    """above / below; NaN where below is 0."""
    return np.divide(above, below, out=np.full_like(above, np.nan), where=below > 0)
