"""The stages table as arrays: how a deal goes from its first contact to the signature."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from optimizer.plan.assumptions import AssumptionLog
from optimizer.plan.lags import days_a_period, work
from optimizer.plan.markets import Markets
from optimizer.plan.matching import prefixed, winning_rows
from optimizer.plan.plan import Plan
from optimizer.plan.territories import market_columns

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Stages:
    """K stages of deals in M markets, in the order of the table; a market without a row has none."""

    names: tuple[str, ...]
    present: BoolArray
    """Whether a market's deals go through a stage (M, K)."""
    conversion: FloatArray
    """Share of the deals in a stage that reaches the next (M, K); 1 where the market has no such stage."""
    days: FloatArray
    """Days in a stage (M, K)."""
    hours: FloatArray
    """Hours of a deal in a stage (M, K), also of a deal that is lost in it."""
    period_days: float
    """Days of an average period."""

    @property
    def covered(self) -> BoolArray:
        """Markets with stages (M,)."""
        return np.asarray(self.present.any(axis=1), dtype=np.bool_)

    @property
    def won(self) -> FloatArray:
        """Deals an opportunity: the product of the conversions (M,)."""
        return np.asarray(self.conversion.prod(axis=1), dtype=np.float64)

    @property
    def reached(self) -> FloatArray:
        """Share of the opportunities that reaches each stage (M, K)."""
        before = np.hstack([np.ones((len(self.conversion), 1)), self.conversion[:, :-1]])
        return np.asarray(before[:, : self.conversion.shape[1]].cumprod(axis=1), dtype=np.float64)

    @property
    def cycle_days(self) -> FloatArray:
        """Days from the first stage to the signature (M,)."""
        return np.asarray(self.days.sum(axis=1), dtype=np.float64)

    @property
    def hours_an_opportunity(self) -> FloatArray:
        """Hours that one opportunity takes in all, won or lost (M,)."""
        return np.asarray((self.hours * self.reached).sum(axis=1), dtype=np.float64)

    def hours_after(self, ages: int) -> FloatArray:
        """Hours that one opportunity takes l periods after it enters (M, ages)."""
        end = np.cumsum(self.days, axis=1) / self.period_days
        start = end - self.days / self.period_days
        return self._spread(start, end, ages)

    def hours_before(self, ages: int) -> FloatArray:
        """Hours a won deal l periods before its signature (M, ages), those of the deals that are lost beside
        it included; 0 where nothing is ever won."""
        end = np.cumsum(self.days, axis=1) / self.period_days
        total = end[:, -1:] if end.shape[1] else end
        spent = self._spread(total - end, total - end + self.days / self.period_days, ages)
        return np.asarray(spent / np.where(self.won > 0, self.won, np.inf)[:, None], dtype=np.float64)

    def _spread(self, start: FloatArray, end: FloatArray, ages: int) -> FloatArray:
        spent = self.hours * self.reached
        shares = work(start.ravel(), end.ravel(), ages).reshape(*start.shape, ages)
        return np.asarray(np.einsum("mk,mkl->ml", spent, shares), dtype=np.float64)


def resolve_stages(plan: Plan, markets: Markets, log: AssumptionLog) -> Stages:
    """Arrays of stages; the row with more keys filled wins for each market and stage.

    A blank conversion loses nobody, blank days and hours are 0. Raises `InputError` for rows that tie.
    """
    table, count = plan.tables.get("stages"), len(markets.names)
    length = days_a_period(plan.calendar)
    if table is None:
        nothing = np.zeros((count, 0))
        return Stages((), nothing.astype(np.bool_), nothing, nothing, nothing, length)
    names = tuple(dict.fromkeys(table.text("stage")))
    sides = prefixed(market_columns(markets), "market"), {"stage": list(names)}
    keyed = table.replace(labels=(*table.labels, "stage"))
    row = winning_rows(keyed, *sides)
    present = row >= 0
    blank = present & np.isnan(table.numbers("conversion"))[row]
    log.note("stage_loses_nobody", "stages", "conversion", int(blank.any(axis=0).sum()), 1.0, scalable=False)

    def taken(column: str, otherwise: float) -> FloatArray:
        return np.where(present, np.nan_to_num(table.numbers(column)[row], nan=otherwise), otherwise)

    return Stages(names, present, taken("conversion", 1.0), taken("days", 0.0), taken("hours", 0.0), length)
