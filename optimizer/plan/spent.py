"""Marketing with what has been spent: closed periods are fixed, bounds of the horizon are about the rest."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from optimizer.plan.marketing import Bounds, Marketing

FloatArray = NDArray[np.float64]


def with_spent(marketing: Marketing, spend: FloatArray, past: int) -> Marketing:
    """The same marketing whose input in the first `past` periods is `spend` (C, T).

    Totals that facts have gone beyond leave nothing for the rest; a row with even pacing shares what is left
    of its totals evenly over its open periods. What was spent has filled the lowest tiers of the horizon.
    """
    bounds, spent = marketing.bounds, spend[:, :past].sum(axis=1)
    lower, upper = bounds.lower.copy(), bounds.upper.copy()
    active = marketing.active.copy()
    rest = np.maximum(active[:, past:].sum(axis=1), 1)[:, None]
    even = marketing.even[:, None]
    floor = np.maximum(bounds.total_lower - spent, 0.0)[:, None] / rest
    cap = np.maximum(bounds.total_upper - spent, 0.0)[:, None] / rest
    lower[:, past:] = np.where(even, np.maximum(lower[:, past:], floor), lower[:, past:])
    upper[:, past:] = np.where(even, np.minimum(upper[:, past:], cap), upper[:, past:])
    lower[:, past:] = np.minimum(lower[:, past:], upper[:, past:])
    lower[:, :past] = upper[:, :past] = spend[:, :past]
    active[:, :past] = spend[:, :past] > 0
    total_lower = np.where(marketing.even, 0.0, bounds.total_lower)
    total_upper = np.where(marketing.even, np.inf, np.maximum(bounds.total_upper, spent))
    found = Bounds(lower, upper, np.asarray(total_lower), np.asarray(total_upper))
    tiers = None if marketing.tiers is None else marketing.tiers.after(spent)
    return replace(marketing, bounds=found, active=active, tiers=tiers)
