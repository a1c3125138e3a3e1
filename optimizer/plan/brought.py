"""What inputs of marketing bring: the stock that they leave in each period, and its leads."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from optimizer.plan.marketing import Marketing
from solvers.curves import make_table

FloatArray = NDArray[np.float64]


def stock_of(marketing: Marketing, inputs: FloatArray) -> FloatArray:
    """What works in each period (C, T): the inputs by age, and what the time before left."""
    stock, periods = marketing.opening.copy(), inputs.shape[1]
    for age in range(min(marketing.kernel.shape[1], periods)):
        stock[:, age:] += marketing.kernel[:, age : age + 1] * inputs[:, : periods - age]
    return stock


def leads_of(marketing: Marketing, stock: FloatArray) -> FloatArray:
    """The response of each row to a stock (C, T); 0 where a row has none."""
    leads = np.zeros_like(stock)
    for row, found in enumerate(marketing.responses):
        if found is not None:
            taken = stock[row] * (marketing.unit_cost[row] if marketing.curve_of_spend[row] else 1.0)
            leads[row] = make_table([found.curve]).value(np.zeros(taken.size, dtype=np.int64), taken)
    # A logarithm of nothing has no leads.
    return np.where(np.isfinite(leads), leads, 0.0)
