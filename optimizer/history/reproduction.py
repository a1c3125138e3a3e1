"""Whether the estimates give back the history that they come from, by column, seller and month."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from optimizer.history import months
from optimizer.history.deals import Deals
from optimizer.history.people import Team, seller_numbers
from optimizer.history.rates import MarketRates
from optimizer.history.timing import Season, exposure, incidence

FloatArray = NDArray[np.float64]

COLUMNS = ("measure", "by", "member", "history", "fitted", "difference")


def reproduction(deals: Deals, rates: MarketRates, season: Season, people: Team) -> pd.DataFrame:
    """History beside what the estimates give for the same deals: a row a member, `difference` a share.

    Revenue by market column: sum of closed deals * win rate * units a deal * price. By seller: the pace over
    the recent months; and at market rates times the win factor, which differs where a seller's deals are
    larger than those of others. By month: the revenue of the year (or of all months) times the season;
    `month_of_year` adds the years up. Won deals by month: opportunities still open at each age times the
    chance to win at that age, times the season.
    """
    closed = deals.outcome("won", "lost")
    expected = rates.win_rate * rates.units_per_deal * np.nan_to_num(rates.price)
    market = deals.frame["market"].to_numpy()
    fitted = np.where(closed, expected[market], 0.0)
    sold = np.where(deals.outcome("won"), deals.frame["amount"].to_numpy(), 0.0)
    parts = [_compare("revenue", "all", ["all"], [sold.sum()], [fitted.sum()])]
    parts.append(
        _compare(
            "won_deals", "all", ["all"], [deals.outcome("won").sum()], [rates.win_rate[market[closed]].sum()]
        )
    )
    for column in deals.spec.by:
        parts.append(_by_label(deals.frame[column], sold, fitted, column))
    parts += _by_seller(deals, season, people, sold, fitted)
    parts += _by_month(deals, season, sold)
    if deals.has_openings:
        parts.append(_wins_by_month(deals, season))
    return pd.concat(parts, ignore_index=True)


def _compare(
    measure: str, by: str, members: list[str], history: ArrayLike, fitted: ArrayLike
) -> pd.DataFrame:
    past, found = np.asarray(history, dtype=np.float64), np.asarray(fitted, dtype=np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        difference = np.where(past != 0, found / past - 1.0, np.nan)
    values = (measure, by, members, past, found, difference)
    return pd.DataFrame(dict(zip(COLUMNS, values, strict=True)))


def _by_label(labels: pd.Series, sold: FloatArray, fitted: FloatArray, name: str) -> pd.DataFrame:
    sums = pd.DataFrame({"label": labels, "sold": sold, "fitted": fitted}).groupby("label", sort=True).sum()
    return _compare("revenue", name, list(sums.index), sums["sold"], sums["fitted"])


def _by_seller(
    deals: Deals, season: Season, people: Team, sold: FloatArray, fitted: FloatArray
) -> list[pd.DataFrame]:
    names = list(people.frame["seller"])
    seller = seller_numbers(deals, names)
    known, recent = seller >= 0, (seller >= 0) & deals.recent()

    def sums(values: FloatArray, mask: NDArray[np.bool_]) -> FloatArray:
        return np.bincount(seller[mask], weights=values[mask], minlength=len(names)).astype(np.float64)

    share = season.of(np.arange(deals.recent_month, deals.last_month + 1)).sum()
    at_market_rates = sums(fitted, known) * people.win_factor
    return [
        _compare("recent_revenue", "seller", names, sums(sold, recent), people.pace * share),
        _compare("revenue_at_market_rates", "seller", names, sums(sold, known), at_market_rates),
    ]


def _by_month(deals: Deals, season: Season, sold: FloatArray) -> list[pd.DataFrame]:
    """Whole years before the end, each with its own total; all months when there is less than a year."""
    count = deals.num_months // 12 * 12 or deals.num_months
    length = min(count, 12)
    numbers = np.arange(deals.last_month - count + 1, deals.last_month + 1)
    won = deals.outcome("won")
    position = deals.frame["closed_month"].to_numpy()[won] - numbers[0]
    inside = position >= 0
    past = np.bincount(position[inside], weights=sold[won][inside], minlength=count)
    shares = season.of(numbers).reshape(-1, length)
    totals = past.reshape(-1, length).sum(axis=1, keepdims=True)
    fitted = (totals * shares / shares.sum(axis=1, keepdims=True)).ravel()
    by_month = _compare("revenue", "month", [months.label(int(month)) for month in numbers], past, fitted)
    years = [np.bincount(numbers % 12, weights=values, minlength=12) for values in (past, fitted)]
    seen = np.flatnonzero(np.bincount(numbers % 12, minlength=12))
    members = [str(month + 1) for month in seen]
    return [by_month, _compare("revenue", "month_of_year", members, years[0][seen], years[1][seen])]


def _wins_by_month(deals: Deals, season: Season) -> pd.DataFrame:
    """Expected wins of each month from the opportunities then open, by their age, and from the season."""
    watched = exposure(deals)
    if not watched.won.any():
        return _compare("won_deals", "month", [], [], [])
    found = incidence(watched)
    opened = deals.frame["opened_month"].to_numpy()[watched.deal]
    expected = np.zeros(deals.num_months)
    wins = np.zeros(deals.num_months)
    for age, hazard in enumerate(found.hazard):
        open_now = (watched.entry <= age) & (watched.last >= age)
        month = opened[open_now] + age - deals.first_month
        expected += hazard * np.bincount(month, minlength=deals.num_months)[: deals.num_months]
        won = watched.won & (watched.last == age)
        wins += np.bincount(opened[won] + age - deals.first_month, minlength=deals.num_months)[
            : deals.num_months
        ]
    numbers = np.arange(deals.first_month, deals.last_month + 1)
    seasonal = expected * season.of(numbers)
    expected = seasonal * expected.sum() / seasonal.sum()
    members = [months.label(int(month)) for month in numbers]
    return _compare("won_deals", "month", members, wins, expected)
