"""From opportunities to deals: how many a market gets, how many are won, and how long it takes."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from optimizer.plan.assumptions import AssumptionLog
from optimizer.plan.customers import Customers, resolve_customers
from optimizer.plan.lags import arrivals
from optimizer.plan.marketing import Marketing
from optimizer.plan.markets import Markets
from optimizer.plan.matching import prefixed
from optimizer.plan.phasing import kernel_weights, season_shares
from optimizer.plan.pipeline import opening_deals
from optimizer.plan.plan import Plan
from optimizer.plan.rates import behind
from optimizer.plan.scopes import market_dimensions
from optimizer.plan.stages import Stages

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Flow:
    """What becomes of N kinds of opportunities after they enter."""

    conversion: FloatArray
    """Deals an opportunity (N,)."""
    lag: FloatArray
    """Share of them that is decided l periods after they enter (N, L), summing to 1."""
    days: FloatArray
    """Days from the entry to the decision (N,)."""

    def of_rows(self, rows: IntArray) -> Flow:
        """The same of some kinds."""
        return Flow(self.conversion[rows], self.lag[rows], self.days[rows])


@dataclass(frozen=True, eq=False)
class Funnel:
    """Opportunities of M markets over T periods."""

    stages: Stages
    led: BoolArray
    """Whether a market sells no more than its opportunities allow (M,)."""
    organic: FloatArray
    """Opportunities that come without marketing (M, T)."""
    usual: FloatArray
    """The same as planned, whatever came in closed periods: what the season brings another year (M, T)."""
    opening: FloatArray
    """Deals that what is open at the start is expected to bring (M, T)."""
    backlog: FloatArray
    """Units that were won before and wait for delivery, by the first period that can sell them (M, T)."""
    covered: BoolArray
    """Whether the pipeline tells deals of a market that were open before (M,)."""
    told: BoolArray
    """Whether the pipeline says what is open in a market at `as_of` (M,)."""
    kept: FloatArray
    """Share of what is won and not delivered that a market keeps for the next period (M,)."""
    of_market: Flow
    """What becomes of the organic opportunities of each market."""
    of_yield: Flow
    """What becomes of the opportunities of each entry of yields."""
    customers: Customers

    @property
    def longest(self) -> int:
        """Periods between the entry and the last decision of any opportunity that this plan brings."""
        organic = self.of_market.lag[self.organic.any(axis=1)]
        decided = np.vstack([organic, self.of_yield.lag])
        return int(np.flatnonzero(decided.any(axis=0)).max(initial=0))


def resolve_funnel(
    plan: Plan, markets: Markets, marketing: Marketing | None, stages: Stages, log: AssumptionLog
) -> Funnel | None:
    """Arrays of the funnel; None where no market is led by opportunities and none has stages.

    Raises `InputError` where tables contradict each other.
    """
    if not len(markets.names):
        return None
    yields = None if marketing is None else marketing.yields
    organic = _organic(plan, markets)
    customers = resolve_customers(plan, markets, log)
    led = (organic > 0).any(axis=1) | _named(plan, "organic")
    if yields is not None:
        led[yields.market] = True
    led[customers.entry_market] = True
    ages = _ages(plan, stages, marketing)
    of_market = _of_market(stages, ages)
    found = opening_deals(plan, markets, stages, organic, of_market.lag, plan.calendar.size, log)
    led |= found.covered | found.waiting.any(axis=1)
    if not led.any():
        return None
    bare = (organic > 0).any(axis=1) & ~stages.covered
    log.note(
        "organic_are_deals", "markets", "organic", int(bare.sum()), 1.0, "deals/opportunity", scalable=False
    )
    kept = np.nan_to_num(plan.tables["markets"].numbers("waiting_kept"))
    of_yield, usual = _of_yield(plan, stages, marketing, of_market, ages, log), organic.copy()
    # What came in closed periods and is still open stands in the pipeline.
    organic[np.ix_(found.told, np.arange(plan.calendar.size) < plan.calendar.past)] = 0.0
    return Funnel(
        stages,
        led,
        organic,
        usual,
        found.deals,
        found.waiting,
        found.covered,
        found.told,
        kept,
        of_market,
        of_yield,
        customers,
    )


def funnel_run_on(plan: Plan, funnel: Funnel, markets: Markets, source: IntArray, more: int) -> Funnel:
    """The funnel with so many periods more: organic opportunities of the same season, and what closes then
    of the open deals."""
    found = opening_deals(
        plan,
        markets,
        funnel.stages,
        funnel.usual,
        funnel.of_market.lag,
        plan.calendar.size + more,
        AssumptionLog(),
    )
    measured = behind(plan, "leads", prefixed(market_dimensions(plan.tables["markets"]), "market"), source)
    season = np.where(source < plan.calendar.past, funnel.usual[:, source], funnel.organic[:, source])
    return replace(
        funnel,
        organic=np.hstack([funnel.organic, season * measured]),
        opening=found.deals,
        backlog=found.waiting,
        customers=funnel.customers.run_on(source),
    )


def _named(plan: Plan, column: str) -> BoolArray:
    """Markets whose row gives a column, be it 0 (M,)."""
    table = plan.tables["markets"]
    if column in table.by_period:
        return np.asarray((~np.isnan(table.by_period[column])).any(axis=1), dtype=np.bool_)
    return np.asarray(~np.isnan(table.numbers(column)), dtype=np.bool_)


def _organic(plan: Plan, markets: Markets) -> FloatArray:
    """Organic opportunities (M, T): by period as given, else spread by organic_profile, else like the
    potential."""
    table, calendar = plan.tables["markets"], plan.calendar
    if "organic" in table.by_period:
        return np.nan_to_num(table.by_period["organic"])
    spread = markets.spread.copy()
    for name in sorted({name for name in table.choices("organic_profile") if name}):
        shares = season_shares(plan.tables["profiles"], name, calendar)
        spread[[found == name for found in table.choices("organic_profile")]] = shares / shares.sum()
    return np.nan_to_num(table.numbers("organic"))[:, None] * spread


def _ages(plan: Plan, stages: Stages, marketing: Marketing | None) -> int:
    """Number of ages, from 0 on, that the longest lag of the plan needs."""
    longest = int(np.ceil(stages.cycle_days.max(initial=0.0) / stages.period_days)) + 1
    if marketing is not None:
        for name in {name for name in plan.tables["marketing"].choices("lag") if name}:
            longest = max(longest, len(kernel_weights(plan.tables["profiles"], name)))
    return longest


def _of_market(stages: Stages, ages: int) -> Flow:
    """By stages; a market without them turns an opportunity into a deal at once."""
    return Flow(stages.won, arrivals(stages.cycle_days / stages.period_days, ages), stages.cycle_days)


def _of_yield(
    plan: Plan, stages: Stages, marketing: Marketing | None, of_market: Flow, ages: int, log: AssumptionLog
) -> Flow:
    """The row's own conversion and the channel's own lag, else those of the market's stages."""
    if marketing is None or not len(marketing.yields.pool):
        return Flow(np.zeros(0), np.zeros((0, ages)), np.zeros(0))
    yields = marketing.yields
    given = plan.tables["yields"].numbers("conversion")[yields.row]
    bare = np.isnan(given) & ~stages.covered[yields.market]
    log.note(
        "yield_all_won",
        "yields",
        "conversion",
        len(np.unique(yields.row[bare])),
        1.0,
        "deals/opportunity",
        scalable=False,
    )
    conversion = np.where(np.isnan(given), of_market.conversion[yields.market], given)
    lag, days = of_market.lag[yields.market].copy(), of_market.days[yields.market].copy()
    channel = yields.channel[yields.pool]
    for row, name in enumerate(plan.tables["marketing"].choices("lag")):
        if name:
            weights = kernel_weights(plan.tables["profiles"], name)
            own = channel == row
            lag[own] = np.pad(weights, (0, ages - len(weights)))
            days[own] = float(weights @ np.arange(len(weights))) * stages.period_days
    return Flow(conversion, lag, days)
