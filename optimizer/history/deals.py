"""The cleaned history: one row a deal, and the markets that the deals make."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from optimizer.history.mapping import MappingSpec

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]


@dataclass(frozen=True)
class Deals:
    """N deals and M markets.

    `frame` has, next to the label columns (str, "" = blank): `row`, `opened_month` and `closed_month` (month
    numbers, -1 = unknown), `outcome` (won, lost, open), `amount` (currency, NaN unless won), `quantity`
    (units of a won deal, NaN elsewhere), `list_price` (currency a unit, NaN = unknown), `market` (0..M-1).
    """

    spec: MappingSpec
    frame: pd.DataFrame
    markets: pd.DataFrame
    """The labels of each market (M, by), sorted."""
    first_month: int
    """First month in which a deal was closed."""
    last_month: int
    """Last month before the horizon that the history covers."""
    start_month: int
    """First month of the horizon."""

    @property
    def num_markets(self) -> int:
        """M."""
        return len(self.markets)

    @property
    def num_months(self) -> int:
        """Months in which closings were recorded."""
        return self.last_month - self.first_month + 1

    @property
    def recent_month(self) -> int:
        """First of the recent months, from which levels are taken."""
        return max(self.first_month, self.last_month - self.spec.method.recent_months + 1)

    @property
    def has_outcomes(self) -> bool:
        """Whether lost deals are known, so that a win rate can be measured."""
        return bool((self.frame["outcome"] == "lost").any())

    @property
    def has_openings(self) -> bool:
        """Whether any deal has an opening date, so that cycle and organic volume can be measured."""
        return bool((self.frame["opened_month"] >= 0).any())

    def outcome(self, *names: str) -> BoolArray:
        """Deals with one of these outcomes (N,)."""
        return np.asarray(self.frame["outcome"].isin(names), dtype=np.bool_)

    def recent(self, column: str = "closed_month") -> BoolArray:
        """Deals whose month in `column` is one of the recent months (N,)."""
        months = self.frame[column].to_numpy()
        return np.asarray((months >= self.recent_month) & (months <= self.last_month), dtype=np.bool_)

    def count(self, mask: BoolArray, weights: str | None = None) -> FloatArray:
        """Deals of each market where `mask` holds, or the sum of a column over them: (M,)."""
        chosen = self.frame.loc[mask]
        values = None if weights is None else chosen[weights].to_numpy(dtype=np.float64)
        market = chosen["market"].to_numpy()
        return np.bincount(market, weights=values, minlength=self.num_markets).astype(np.float64)

    def levels(self) -> list[IntArray]:
        """Group of each market when only the first k columns of `by` count, k = 0..K: K + 1 arrays (M,).

        Level 0 is the whole company, level K the market itself; a group lies inside one of the level before.
        """
        by = self.spec.by
        levels = [np.zeros(self.num_markets, dtype=np.int64)]
        for depth in range(1, len(by) + 1):
            levels.append(self.markets.groupby(by[:depth], sort=True).ngroup().to_numpy(dtype=np.int64))
        return levels

    def market_keys(self) -> list[str]:
        """The label of every market, as `estimates.csv` writes it (M,)."""
        return [self.group_label(len(self.spec.by), market) for market in range(self.num_markets)]

    def group_label(self, depth: int, market: int) -> str:
        """`series=GTX; product=GTX Pro`: the group of a market at a level; `all` at level 0."""
        columns = self.spec.by[:depth]
        return key_text(columns, [self.markets[name].iat[market] for name in columns])


def key_text(columns: list[str], labels: list[str]) -> str:
    """`product=GTX Pro; region=West`; `all` without columns."""
    return "; ".join(f"{name}={label}" for name, label in zip(columns, labels, strict=True)) or "all"


def make_markets(frame: pd.DataFrame, by: list[str]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The deals with their market number, and the distinct markets in sorted order."""
    numbered = frame.assign(market=frame.groupby(by, sort=True).ngroup().to_numpy(dtype=np.int64))
    markets = numbered.drop_duplicates("market").sort_values("market")[by].reset_index(drop=True)
    return numbered, markets
