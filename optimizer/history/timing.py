"""When deals close: the cycle as a lag profile, and the season of the year."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from optimizer.history import months
from optimizer.history.deals import Deals
from optimizer.history.estimates import EstimateLog, Origin
from optimizer.history.quality import Quality

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

_DEALS_FOR_OWN_LAG = 100
_MONTHS_OF_QUARTER = 3
_SHORTEST_FOR_QUARTERS = 6


@dataclass(frozen=True)
class Incidence:
    """How opportunities end, by months since they were opened: arrays (ages,)."""

    won: FloatArray
    """Probability that an opportunity is won at this age."""
    hazard: FloatArray
    """Probability of being won at this age for those still open at it."""
    at_risk: FloatArray
    """Opportunities seen at this age, still open at its start."""

    @property
    def conversion(self) -> float:
        """Probability that an opportunity is ever won."""
        return float(self.won.sum())

    @property
    def lag(self) -> FloatArray:
        """Distribution of the months from opening to winning; sums to 1."""
        return np.asarray(self.won / self.won.sum(), dtype=np.float64)


@dataclass(frozen=True)
class Exposure:
    """The ages (months since opening) between which each opportunity was watched: arrays (opportunities,)."""

    deal: IntArray
    """Row of the deal."""
    entry: IntArray
    """Age at which it was first watched."""
    last: IntArray
    """Age at which it ended or was last seen open."""
    won: NDArray[np.bool_]
    """Whether it ended by being won."""
    lost: NDArray[np.bool_]
    """Whether it ended by being lost."""

    def take(self, mask: NDArray[np.bool_]) -> Exposure:
        """Some of the opportunities."""
        return Exposure(self.deal[mask], self.entry[mask], self.last[mask], self.won[mask], self.lost[mask])


def exposure(deals: Deals) -> Exposure:
    """Opportunities with an opening date, watched from the first month with a closing to the last month."""
    opened, closed = (deals.frame[name].to_numpy() for name in ("opened_month", "closed_month"))
    outcome = deals.frame["outcome"].to_numpy()
    end = np.where(closed >= 0, closed, deals.last_month)
    entry, last = np.maximum(deals.first_month - opened, 0), end - opened
    use = (opened >= 0) & (last >= entry) & ((closed >= 0) | (outcome == "open"))
    rows = np.flatnonzero(use)
    return Exposure(rows, entry[rows], last[rows], outcome[rows] == "won", outcome[rows] == "lost")


def incidence(watched: Exposure) -> Incidence:
    """Cumulative incidence of winning; losing competes, open deals are censored, entry may be late.

    won[a] = S[a-1] * wins[a] / at_risk[a],   S[a] = prod_{b <= a} (1 - (wins[b] + losses[b]) / at_risk[b]).
    An opportunity is at risk at the ages between entry and last. Counting only closed deals would make the
    cycle too short, for the slow deals of the last months are still open. Method: Aalen & Johansen 1978, in
    discrete time, with delayed entry as in Andersen et al. 1993.
    """
    ages = int(watched.last[watched.won].max()) + 1
    size = max(ages, int(watched.last.max()) + 1) + 1
    change = (
        np.bincount(watched.entry, minlength=size) - np.bincount(watched.last + 1, minlength=size + 1)[:size]
    )
    at_risk = np.maximum(np.cumsum(change)[:ages].astype(np.float64), 1.0)
    wins = np.bincount(watched.last[watched.won], minlength=size)[:ages]
    ends = wins + np.bincount(watched.last[watched.lost], minlength=size)[:ages]
    hazard = wins / at_risk
    still_open = np.concatenate(([1.0], np.cumprod(1.0 - ends / at_risk)[:-1]))
    return Incidence(still_open * hazard, hazard, at_risk)


def lag_profiles(deals: Deals, log: EstimateLog, quality: Quality) -> dict[str, FloatArray]:
    """The cycle of the company (`lag`) and of each member of the first `by` column (`lag GTX`), by month.

    A member with fewer than 100 won deals takes the company's. Without opening dates there is no profile.
    """
    watched = exposure(deals)
    if not watched.won.any():
        quality.note("no_openings", "assumed", table="profiles", column="lag")
        log.assume("profiles.lag", ["lag; age=0"], 1.0, "no_opening_dates_in_history")
        return {}
    company = incidence(watched)
    profiles = {"lag": company.lag}
    _log_lag(log, "lag", company, int(watched.won.sum()), "")
    labels = deals.frame[deals.spec.by[0]].to_numpy()[watched.deal]
    for label in sorted(set(labels)):
        own = watched.take(labels == label)
        count = int(own.won.sum())
        enough = count >= _DEALS_FOR_OWN_LAG
        found = incidence(own) if enough else company
        profiles[f"lag {label}"] = found.lag
        _log_lag(log, f"lag {label}", found, count, "" if enough else "all")
    return profiles


def _log_lag(log: EstimateLog, name: str, found: Incidence, count: int, parent: str) -> None:
    weight = 0.0 if parent else 1.0
    mean = float(found.lag @ np.arange(len(found.lag)))
    ages = [f"{name}; age={age}" for age in range(len(found.lag))]
    for column, keys, value, method in (
        ("lag", ages, found.lag, "cumulative_incidence"),
        ("cycle", [name], mean, "mean_of_lag"),
        ("conversion", [name], found.conversion, "cumulative_incidence"),
    ):
        log.add(f"profiles.{column}", keys, value, method, n=count, parents=parent, own_weight=weight)


@dataclass(frozen=True)
class Season:
    """Shares of a year's revenue by month of the year, (12,), summing to 1, and how they were found."""

    shares: FloatArray
    method: str

    def of(self, month_numbers: IntArray) -> FloatArray:
        """Share of a year that falls on each of these months."""
        return self.shares[month_numbers % 12]


def season(deals: Deals, log: EstimateLog, quality: Quality) -> Season:
    """Season of won revenue: by month of the year from 12 months on, of the quarter from 6, or working days.

    index[p] = 1 + w[p] (mean[p] - 1), w = t / (t + error[p]): positions that differ by chance alone are drawn
    to 1. error[p] is the sampling variance of a sum of random deals (sum of squared amounts), raised by one
    factor for all positions where years or quarters differ by more; t is the variance of the indices beyond
    it, as in `pool_means`.
    """
    revenue, squares = _monthly(deals)
    count, first = deals.num_months, deals.first_month
    origin: Origin = "measured"
    if count >= 12:
        found = Season(_year_season(revenue, squares, first), "month_of_year")
        check = "season_by_month" if count >= 24 else "season_one_year"
    elif count >= _SHORTEST_FOR_QUARTERS:
        found, check = (
            Season(_quarter_season(revenue, squares, first), "month_of_quarter"),
            "season_by_quarter",
        )
    else:
        found = Season(months.working_day_shares(deals.start_month), "working_days")
        check, origin = "season_working_days", "assumed"
    quality.note(
        check, "note" if origin == "measured" else "assumed", count, table="profiles", column="season"
    )
    keys = [f"season; month={month}" for month in range(1, 13)]
    evidence = _deals_by_month(deals, found.method)
    log.add("profiles.season", keys, found.shares, found.method, n=evidence, origin=origin)
    return found


def _monthly(deals: Deals) -> tuple[FloatArray, FloatArray]:
    """Won revenue, and the sum of squared amounts, of each month of the history: (months,) each."""
    won = deals.frame.loc[deals.outcome("won")]
    position = (won["closed_month"] - deals.first_month).to_numpy()
    amount = won["amount"].to_numpy()
    revenue = np.bincount(position, weights=amount, minlength=deals.num_months)
    squares = np.bincount(position, weights=amount**2, minlength=deals.num_months)
    return revenue.astype(np.float64), squares.astype(np.float64)


def _deals_by_month(deals: Deals, method: str) -> IntArray:
    """Won deals behind each month of the year (12,): of the month, of its place in the quarter, or all."""
    cycle = {"month_of_year": 12, "month_of_quarter": _MONTHS_OF_QUARTER}.get(method, 1)
    closed = deals.frame.loc[deals.outcome("won"), "closed_month"].to_numpy()
    return np.bincount(closed % cycle, minlength=cycle)[np.arange(12) % cycle]


def _year_season(revenue: FloatArray, squares: FloatArray, first: int) -> FloatArray:
    years = len(revenue) // 12
    kept = slice(len(revenue) - 12 * years, None)
    totals = revenue[kept].reshape(years, 12)
    scale = totals.mean(axis=1, keepdims=True)
    index = _shrunk(totals / scale, squares[kept].reshape(years, 12) / scale**2)
    shares = np.empty(12)
    shares[(first + len(revenue) - 12 * years + np.arange(12)) % 12] = index / 12.0
    return shares


def _quarter_season(revenue: FloatArray, squares: FloatArray, first: int) -> FloatArray:
    position = (first + np.arange(len(revenue))) % _MONTHS_OF_QUARTER
    repeats = np.bincount(position, minlength=_MONTHS_OF_QUARTER)
    mean = np.bincount(position, weights=revenue) / repeats
    scale = float(mean.mean())
    rows = int(repeats.min())
    index = np.empty((rows, _MONTHS_OF_QUARTER))
    errors = np.empty_like(index)
    for place in range(_MONTHS_OF_QUARTER):
        own = np.flatnonzero(position == place)
        index[:, place] = _spread_to(revenue[own], rows) / scale
        errors[:, place] = squares[own].mean() / scale**2
    shrunk = _shrunk(index, errors)
    return np.asarray(shrunk[np.arange(12) % _MONTHS_OF_QUARTER] / 12.0, dtype=np.float64)


def _spread_to(values: FloatArray, rows: int) -> FloatArray:
    """`rows` numbers with the mean of all `values`, whose spread is that of the last ones."""
    last = values[-rows:]
    return np.asarray(last - last.mean() + values.mean(), dtype=np.float64)


def _shrunk(index: FloatArray, errors: FloatArray) -> FloatArray:
    """Indices (positions,) with mean 1 from (repeats, positions), drawn to 1 as far as chance goes."""
    repeats = index.shape[0]
    error = errors.mean(axis=0)
    if repeats > 1:
        error = error * max(1.0, float(index.var(axis=0, ddof=1).mean() / error.mean()))
    error = error / repeats
    deviation = index.mean(axis=0) - 1.0
    between = max(0.0, float(np.mean(deviation**2) - np.mean(error)))
    weight = between / (between + error) if between > 0 else np.zeros_like(error)
    shrunk = np.maximum(1.0 + weight * deviation, 0.0)
    return np.asarray(shrunk / shrunk.mean(), dtype=np.float64)
