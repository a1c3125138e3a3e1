"""What was bought for the money that facts say was spent: fixed costs first, then inputs at their prices.

    input[c,t] = units that (spent[c,t] - fixed[c,t]) buys, the lowest tier first

fixed[c,t] is fixed_cost in each period in which something was spent, or in the first one where it is due
once, never more than was spent. Tiers of the horizon are filled by everything that was spent before.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from optimizer.plan.marketing import Marketing

FloatArray = NDArray[np.float64]


def bought_for(marketing: Marketing, spent: FloatArray) -> FloatArray:
    """Input of each row of marketing for what was spent on it (C, T)."""
    paid = spent > 0
    first = paid & (paid.cumsum(axis=1) == 1)
    due = np.where(np.where(marketing.fixed_once[:, None], first, paid), marketing.fixed_cost[:, None], 0.0)
    left = spent - np.minimum(due, spent)
    inputs = left / marketing.unit_cost[:, None]
    tiers = marketing.tiers
    if tiers is None:
        return np.asarray(inputs, dtype=np.float64)
    for row in np.unique(tiers.channel).tolist():
        own = np.flatnonzero(tiers.channel == row)
        above, price = tiers.above[own], tiers.price[own]
        # Money that fills everything below each tier.
        below = np.append(0.0, np.cumsum(tiers.width[own[:-1]] * price[:-1]))
        whole = bool(tiers.per_horizon[own[0]])
        money = left[row].cumsum() if whole else left[row]
        at = np.searchsorted(below, money, side="right") - 1
        inside = np.divide(money - below[at], price[at], out=np.zeros_like(money), where=price[at] > 0)
        units = above[at] + inside
        inputs[row] = np.diff(units, prepend=0.0) if whole else np.where(money > 0, units, 0.0)
    return np.asarray(inputs, dtype=np.float64)
