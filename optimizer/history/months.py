"""Months as whole numbers (year * 12 + month - 1), so that history is counted and shifted by arithmetic."""

from __future__ import annotations

import datetime

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]

UNKNOWN = -1
"""The month of a blank date."""

_EPOCH = 1970 * 12


def month_numbers(days: NDArray[np.datetime64]) -> IntArray:
    """Month number of each day (rows,); `UNKNOWN` for NaT."""
    months = days.astype("datetime64[M]").astype(np.int64) + _EPOCH
    return np.where(np.isnat(days), UNKNOWN, months)


def month_of_date(day: datetime.date) -> int:
    """Month number of a day."""
    return day.year * 12 + day.month - 1


def first_day(month: int) -> datetime.date:
    """First day of a month."""
    return datetime.date(month // 12, month % 12 + 1, 1)


def label(month: int) -> str:
    """`2017-03`."""
    return f"{month // 12:04d}-{month % 12 + 1:02d}"


def working_day_shares(start: int) -> FloatArray:
    """Working days (Monday to Friday) of the year from `start` as shares by month of the year: (12,)."""
    edges = (np.arange(start, start + 13) - _EPOCH).astype("datetime64[M]").astype("datetime64[D]")
    days = np.busday_count(edges[:-1], edges[1:]).astype(np.float64)
    shares = np.empty(12)
    shares[np.arange(start, start + 12) % 12] = days / days.sum()
    return shares
