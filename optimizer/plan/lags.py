"""From days to periods: when what enters a stage comes out of it, and when its work is done.

What enters during a period enters at any of its moments alike. With a position s in periods after the entry,
the share that lies l periods later is the hat h(s - l), h(z) = max(0, 1 - |z|), whose mean lag is s itself.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from optimizer.plan.calendar import Calendar

FloatArray = NDArray[np.float64]

DAYS_A_YEAR = 365.25
_POINT = 1e-9
"""A span of so few periods is a moment."""


def days_a_period(calendar: Calendar) -> float:
    """Length of an average period in days."""
    return 7.0 if calendar.every == "week" else DAYS_A_YEAR / calendar.periods_a_year


def arrivals(after: FloatArray, ages: int) -> FloatArray:
    """Share that arrives l periods later, for moments `after` (N,) in periods after the entry: (N, ages).

    What arrives later than the last age is left out.
    """
    distance = np.abs(after[:, None] - np.arange(ages)[None, :])
    return np.asarray(np.maximum(0.0, 1.0 - distance), dtype=np.float64)


def work(first: FloatArray, last: FloatArray, ages: int) -> FloatArray:
    """Share of work done l periods later, for work spread evenly from `first` to `last` (N,) in periods after
    the entry: (N, ages)."""
    age = np.arange(ages)[None, :]
    width = last - first
    spread = _hat_below(last[:, None] - age) - _hat_below(first[:, None] - age)
    even = spread / np.where(width > _POINT, width, 1.0)[:, None]
    shares = np.where((width > _POINT)[:, None], even, arrivals(first, ages))
    return np.asarray(shares, dtype=np.float64)


def closings(first: FloatArray, last: FloatArray, ages: int) -> FloatArray:
    """Share that falls into each period from now on, for moments anywhere between `first` and `last` (N,) in
    periods from now: (N, ages)."""
    age = np.arange(ages)[None, :]
    width = (last - first)[:, None]
    overlap = np.minimum(last[:, None], age + 1.0) - np.maximum(first[:, None], age)
    moment = (np.floor(first)[:, None] == age).astype(np.float64)
    even = np.maximum(overlap, 0.0) / np.where(width > _POINT, width, 1.0)
    return np.asarray(np.where(width > _POINT, even, moment), dtype=np.float64)


def _hat_below(z: FloatArray) -> FloatArray:
    """Area of the hat below z."""
    low, high = np.clip(z + 1.0, 0.0, 1.0), np.clip(1.0 - z, 0.0, 1.0)
    return np.asarray(np.where(z <= 0.0, low**2 / 2.0, 1.0 - high**2 / 2.0), dtype=np.float64)
