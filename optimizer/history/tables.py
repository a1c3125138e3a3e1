"""The estimates as plan tables and a plan file."""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from optimizer.history import months
from optimizer.history.deals import Deals
from optimizer.history.people import Team, territories
from optimizer.history.quality import Quality
from optimizer.history.rates import MarketRates
from optimizer.history.timing import Season
from optimizer.history.volume import MarketVolume

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class PlanTables:
    """The tables of the fitted plan by name, and its plan file as text."""

    tables: dict[str, pd.DataFrame]
    plan: str


@dataclass(frozen=True)
class Fitted:
    """Everything that was estimated, for the tables of a plan."""

    deals: Deals
    rates: MarketRates
    volume: MarketVolume
    season: Season
    lags: dict[str, FloatArray]
    people: Team


def plan_tables(fitted: Fitted, name: str, quality: Quality) -> PlanTables:
    """Only columns that plan tables have; every other estimate is in `estimates.csv`.

    Without sellers in the recent months there are no `sellers` and `territories`: no limit of this kind.
    """
    deals, people = fitted.deals, fitted.people
    markets, kept = _markets(deals, fitted.rates, fitted.volume, quality)
    tables = {"markets": markets}
    if people.active.any():
        found = territories(deals, people, quality)
        tables["sellers"] = _sellers(people, quality)
        tables["territories"] = _allowed(found, deals.markets.loc[kept], deals.spec.by)
    tables["profiles"] = _profiles(fitted.season, fitted.lags)
    return PlanTables(tables, _plan_file(deals, name, list(tables)))


def _markets(
    deals: Deals, rates: MarketRates, volume: MarketVolume, quality: Quality
) -> tuple[pd.DataFrame, NDArray[np.bool_]]:
    """Markets with a price and something to sell; the others are left out and reported."""
    silent = ~(volume.potential > 0)
    priced = rates.price > 0
    for market in np.flatnonzero(silent | ~priced):
        check = "market_silent" if silent[market] else "market_without_price"
        label = deals.group_label(len(deals.spec.by), int(market))
        quality.note(
            check,
            "dropped",
            int(deals.count(deals.outcome("won", "lost", "open"))[market]),
            table="markets",
            value=label,
        )
    kept = priced & ~silent
    columns = {
        "last_year_revenue": _rounded(np.maximum(volume.last_year_revenue, 0.0)),
        "price": _rounded(rates.price),
        "units_per_deal": _rounded(rates.units_per_deal),
        "potential": _rounded(volume.potential),
    }
    return deals.markets.assign(**columns).loc[kept].reset_index(drop=True), kept


def _sellers(people: Team, quality: Quality) -> pd.DataFrame:
    """Present sellers; one who has won nothing lately can sell nothing in the plan, which is reported."""
    frame = people.frame.loc[people.active].reset_index(drop=True)
    for seller in frame.loc[~(frame["productivity"] > 0), "seller"]:
        quality.note("seller_without_wins", "note", table="sellers", column="productivity", value=seller)
    return frame.assign(productivity=_rounded(frame["productivity"].to_numpy()))


def _allowed(found: pd.DataFrame, markets: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """Territories of the markets that are in the plan."""
    market_columns = [column if column in found.columns else f"market.{column}" for column in by]
    kept = markets[by].set_axis(market_columns, axis="columns")
    return found.merge(kept, on=market_columns, how="inner", sort=False)


def _profiles(season: Season, lags: dict[str, FloatArray]) -> pd.DataFrame:
    rows = [("season", str(month + 1), round(float(share), 10)) for month, share in enumerate(season.shares)]
    rows += [
        (name, str(age), round(float(share), 10))
        for name, lag in lags.items()
        for age, share in enumerate(lag)
    ]
    return pd.DataFrame(rows, columns=["profile", "period_or_age", "value"])


def _plan_file(deals: Deals, name: str, tables: list[str]) -> str:
    plan = deals.spec.plan
    lines = [
        f"name: {_quoted(name)}",
        *([f"currency: {_quoted(plan.currency)}"] if plan.currency else []),
        f"language: {plan.language}",
        f"calendar: {{start: {months.first_day(deals.start_month)}, periods: {plan.periods}, every: month}}",
        "tables:",
        *(f"  {table}: {{file: {table}.csv}}" for table in tables),
        "targets:",
        f"  - {{name: {_quoted(name)}, metric: revenue, growth: {plan.growth:g}, priority: 1}}",
    ]
    return "\n".join(lines) + "\n"


def _rounded(values: FloatArray) -> FloatArray:
    """Ten significant digits: what a file shows without noise, and what changes no plan."""
    with np.errstate(divide="ignore"):
        digits = 9 - np.floor(np.log10(np.abs(values)))
    scale = 10.0 ** np.where(np.isfinite(digits), digits, 0.0)
    return np.asarray(np.round(values * scale) / scale, dtype=np.float64)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
