"""The tidy table of everything that was estimated: value, evidence, interval, method, and measured or assumed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

Origin = Literal["measured", "pooled", "assumed"]

COLUMNS = ("table", "column", "keys", "value", "unit", "n", "low", "high", "method", "pooled_with", "own_weight", "thin",
           "origin")  # fmt: skip


@dataclass
class EstimateLog:
    """Collects estimates; a group whose own data carry less than half of the value counts as pooled."""

    thin: int
    """An estimate from fewer deals than this is thin."""
    frames: list[pd.DataFrame] = field(default_factory=list)

    def add(
        self, table: str, column: str, keys: Sequence[str], value: ArrayLike, unit: str, *, method: str,
        n: ArrayLike = 0, low: ArrayLike = np.nan, high: ArrayLike = np.nan, pooled_with: Sequence[str] | str = "",
        own_weight: ArrayLike = 1.0, origin: Origin = "measured",
    ) -> None:  # fmt: skip
        """Add the estimates of one column; arrays have the length of `keys`, single numbers hold for all of them."""
        size = len(keys)
        weight = np.broadcast_to(np.asarray(own_weight, dtype=np.float64), size)
        count = np.broadcast_to(np.asarray(n, dtype=np.float64), size)
        parents = [pooled_with] * size if isinstance(pooled_with, str) else list(pooled_with)
        measured = np.where(weight >= 0.5, "measured", "pooled")
        frame = {
            "table": table,
            "column": column,
            "keys": list(keys),
            "value": np.broadcast_to(np.asarray(value, dtype=np.float64), size),
            "unit": unit,
            "n": count.astype(np.int64),
            "low": np.broadcast_to(np.asarray(low, dtype=np.float64), size),
            "high": np.broadcast_to(np.asarray(high, dtype=np.float64), size),
            "method": method,
            "pooled_with": parents,
            "own_weight": weight,
            "thin": count < self.thin if origin == "measured" else np.zeros(size, dtype=np.bool_),
            "origin": measured if origin == "measured" else origin,
        }
        self.frames.append(pd.DataFrame(frame, columns=list(COLUMNS)))

    def frame(self) -> pd.DataFrame:
        """All estimates, in the order in which they were added."""
        return pd.concat(self.frames, ignore_index=True)
