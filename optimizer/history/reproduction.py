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
    """History beside what the estimates give for the same deals: a row a member of each column, `difference` a share.

    Revenue by market column: sum of closed deals * win rate * units a deal * price. By seller: the same times
    the win factor. By month: a year's (or all) revenue times the season. Won deals by month: opportunities
    still open at each age times the chance to win at that age.
    """
    closed = deals.outcome("won", "lost")
    expected = rates.win_rate * rates.units_per_deal * np.nan_to_num(rates.price)
    market = deals.frame["market"].to_numpy()
    fitted = np.where(closed, expected[market], 0.0)
    sold = np.where(deals.outcome("won"), deals.frame["amount"].to_numpy(), 0.0)
    parts = [_compare("revenue", "all", ["all"], [sold.sum()], [fitted.sum()])]
    parts.append(_compare("won_deals", "all", ["all"], [deals.outcome("won").sum()], [rates.win_rate[market[closed]].sum()]))
    for column in deals.spec.by:
        parts.append(_by_label(deals.frame[column], sold, fitted, column))
    parts.append(_by_seller(deals, people, sold, fitted))
    parts.append(_by_month(deals, season, sold))
    if deals.has_openings and deals.outcome("won").any():
        parts.append(_wins_by_month(deals))
    return pd.concat(parts, ignore_index=True)


def _compare(measure: str, by: str, members: list[str], history: ArrayLike, fitted: ArrayLike) -> pd.DataFrame:
    past, found = np.asarray(history, dtype=np.float64), np.asarray(fitted, dtype=np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        difference = np.where(past != 0, found / past - 1.0, np.nan)
    values = (measure, by, members, past, found, difference)
    return pd.DataFrame(dict(zip(COLUMNS, values, strict=True)))


def _by_label(labels: pd.Series, sold: FloatArray, fitted: FloatArray, name: str) -> pd.DataFrame:
    sums = pd.DataFrame({"label": labels, "sold": sold, "fitted": fitted}).groupby("label", sort=True).sum()
    return _compare("revenue", name, list(sums.index), sums["sold"], sums["fitted"])


def _by_seller(deals: Deals, people: Team, sold: FloatArray, fitted: FloatArray) -> pd.DataFrame:
    names = list(people.frame["seller"])
    seller = seller_numbers(deals, names)
    known = seller >= 0
    past, found = (np.bincount(seller[known], weights=values[known], minlength=len(names)) for values in (sold, fitted))
    return _compare("revenue", "seller", names, past, found * people.win_factor)


def _by_month(deals: Deals, season: Season, sold: FloatArray) -> pd.DataFrame:
    """Whole years before the end, each with its own total; all months together when there is less than a year."""
    count = deals.num_months // 12 * 12 or deals.num_months
    length = min(count, 12)
    numbers = np.arange(deals.last_month - count + 1, deals.last_month + 1)
    won = deals.outcome("won")
    position = deals.frame["closed_month"].to_numpy()[won] - numbers[0]
    inside = position >= 0
    past = np.bincount(position[inside], weights=sold[won][inside], minlength=count)
    shares = season.of(numbers).reshape(-1, length)
    totals = past.reshape(-1, length).sum(axis=1, keepdims=True)
    fitted = totals * shares / shares.sum(axis=1, keepdims=True)
    return _compare("revenue", "month", [months.label(int(month)) for month in numbers], past, fitted.ravel())


def _wins_by_month(deals: Deals) -> pd.DataFrame:
    """Expected wins of each month from the opportunities that were then open, by their age."""
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
        wins += np.bincount(opened[won] + age - deals.first_month, minlength=deals.num_months)[: deals.num_months]
    members = [months.label(deals.first_month + month) for month in range(deals.num_months)]
    return _compare("won_deals", "month", members, wins, expected)
