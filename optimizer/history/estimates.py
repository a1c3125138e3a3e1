"""The tidy table of all estimates: value, evidence, interval, method, and whether measured or assumed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from optimizer.history.pooling import Pooled

Origin = Literal["measured", "pooled", "assumed"]

COLUMNS = (
    "table", "column", "keys", "value", "unit", "n", "low", "high", "method", "pooled_with", "own_weight",
    "thin", "origin",
)  # fmt: skip

UNITS = {
    "win_rate": "share of closed deals",
    "price": "currency/unit",
    "price_median": "currency/unit",
    "list_price": "currency/unit",
    "units_won": "units in all history",
    "units_per_deal": "units/deal",
    "last_year_revenue": "currency a year",
    "organic": "opportunities a month",
    "potential": "units over the horizon",
    "productivity": "currency a year",
    "pace": "currency a year",
    "win_factor": "factor",
    "hours": "hours",
    "season": "share of a year",
    "lag": "share of won deals",
    "cycle": "months",
    "conversion": "won/opened",
}
"""Unit of every column that is estimated."""


@dataclass
class EstimateLog:
    """Collects estimates; a group whose own data carry less than half of the value counts as pooled."""

    thin: int
    """An estimate from fewer deals than this is thin."""
    frames: list[pd.DataFrame] = field(default_factory=list)

    def add(
        self,
        name: str,
        keys: Sequence[str],
        value: ArrayLike,
        method: str,
        *,
        n: ArrayLike = 0,
        low: ArrayLike = np.nan,
        high: ArrayLike = np.nan,
        parents: Sequence[str] | str = "",
        own_weight: ArrayLike = 1.0,
        origin: Origin = "measured",
    ) -> None:
        """Add the estimates of `table.column`; arrays are as long as `keys`, single numbers hold for all."""
        table, _, column = name.partition(".")
        size = len(keys)
        weight = np.broadcast_to(np.asarray(own_weight, dtype=np.float64), size)
        count = np.broadcast_to(np.asarray(n, dtype=np.float64), size)
        measured = origin == "measured"
        values = (
            table,
            column,
            list(keys),
            np.broadcast_to(np.asarray(value, dtype=np.float64), size),
            UNITS[column],
            count.astype(np.int64),
            np.broadcast_to(np.asarray(low, dtype=np.float64), size),
            np.broadcast_to(np.asarray(high, dtype=np.float64), size),
            method,
            [parents] * size if isinstance(parents, str) else list(parents),
            weight,
            count < self.thin if measured else np.zeros(size, dtype=np.bool_),
            np.where(weight >= 0.5, "measured", "pooled") if measured else origin,
        )
        self.frames.append(pd.DataFrame(dict(zip(COLUMNS, values, strict=True))))

    def add_pooled(
        self,
        name: str,
        keys: Sequence[str],
        pooled: Pooled,
        method: str,
        *,
        n: ArrayLike,
        parents: Sequence[str],
        scale: ArrayLike = 1.0,
    ) -> None:
        """Add pooled estimates with their intervals, all multiplied by `scale`; `parents` names who lent."""
        factor = np.asarray(scale, dtype=np.float64)
        low, high = np.maximum(pooled.low, 0.0) * factor, pooled.high * factor
        self.add(
            name, keys, pooled.value * factor, method, n=n, low=low, high=high, parents=parents,
            own_weight=pooled.own_weight,
        )  # fmt: skip

    def assume(self, name: str, keys: Sequence[str], value: ArrayLike, method: str, n: ArrayLike = 0) -> None:
        """Add what the history does not tell."""
        self.add(name, keys, value, method, n=n, origin="assumed")

    def frame(self) -> pd.DataFrame:
        """All estimates, in the order in which they were added."""
        return pd.concat(self.frames, ignore_index=True)
