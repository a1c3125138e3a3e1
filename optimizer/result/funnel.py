"""What the funnel asks of people and brings: activity targets a seller and week, and customers by group."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from optimizer.model.families.customers import kept_more
from optimizer.plan.lags import arrivals
from optimizer.plan.stages import Stages
from optimizer.result.solution import Solution

FloatArray = NDArray[np.float64]

TIME = ("period", "quarter", "year")
DAYS_A_WEEK = 7.0
NOISE = 1e-9
"""Activities a period below this are rounding of the solver."""


def has_stages(solution: Solution) -> bool:
    """Whether anything that is sold goes through stages."""
    funnel = solution.inputs.funnel
    return funnel is not None and bool((funnel.stages.covered & funnel.led).any())


def activities(solution: Solution) -> FloatArray:
    """Deals that enter each stage by pair and period (P, K, T), so many as the planned sales need.

    A sale in t needs 1 / (product of the conversions from the stage on) deals in a stage, the days from
    there to the signature before t; sales behind the horizon need them too. Raises `ValueError` without a
    plan.
    """
    funnel, cube = solution.inputs.funnel, solution.sellers
    if solution.sales is None or funnel is None:
        raise ValueError("the solution holds no plan with stages")
    after = np.zeros((cube.num_pairs, 0)) if solution.sales_after is None else solution.sales_after
    sold = np.hstack([solution.sales, after])
    rate = 1.0 / cube.by_market(cube.markets.units_per_deal) / cube.win_factor[:, None]
    deals = sold * np.hstack([rate, np.repeat(rate[:, -1:], after.shape[1], axis=1)])
    deals[~funnel.led[cube.pair_market]] = 0.0
    return np.stack(
        [
            _entering(funnel.stages, stage, deals, cube.pair_market)[:, : cube.num_periods]
            for stage in range(len(funnel.stages.names))
        ],
        axis=1,
    )


def _entering(stages: Stages, stage: int, deals: FloatArray, market: NDArray[np.int64]) -> FloatArray:
    """Deals that enter one stage in each period, for the deals won in them (P, T)."""
    periods = deals.shape[1]
    ahead = stages.days[:, stage:].sum(axis=1) / stages.period_days
    needed = stages.conversion[:, stage:].prod(axis=1)
    share = arrivals(ahead, periods)[market]
    each = np.where(stages.present[:, stage] & (needed > 0), 1.0 / np.where(needed > 0, needed, 1.0), 0.0)
    found = np.zeros_like(deals)
    for lag in np.flatnonzero(share.any(axis=0)).tolist():
        found[:, : periods - lag] += share[:, lag, None] * deals[:, lag:]
    return found * each[market][:, None]


def activity_targets(solution: Solution) -> pd.DataFrame:
    """What each seller has to do so that the plan comes about.

    Columns: seller; stage; period, quarter, year; deals (that enter the stage in the period) and
    deals_a_week. Raises `ValueError` without a plan.
    """
    funnel, cube = solution.inputs.funnel, solution.sellers
    assert funnel is not None
    by_pair = activities(solution)
    total = np.zeros((len(cube.seat_names), *by_pair.shape[1:]))
    np.add.at(total, cube.pair_seat, by_pair)
    seat, stage, period = np.nonzero(total > NOISE)
    names = np.array(cube.inputs.selling.sellers.names, dtype=object)[cube.groups.first]
    columns: dict[str, Any] = {
        "seller": names[seat],
        "stage": np.array(funnel.stages.names, dtype=object)[stage],
    }
    for name in TIME:
        columns[name] = np.array(getattr(cube.calendar, name), dtype=object)[period]
    texts = list(columns)
    columns["deals"] = total[seat, stage, period]
    columns["deals_a_week"] = columns["deals"] * DAYS_A_WEEK / cube.calendar.days[period]
    return pd.DataFrame(columns).astype(dict.fromkeys(texts, "str"))


def _held(solution: Solution) -> FloatArray:
    """Customers whom initiatives keep in each period (G, T); 0 without effects on retention."""
    cube, effects = solution.sellers, solution.inputs.effects
    total: FloatArray = np.zeros((1, cube.num_periods))
    for effect in effects.of("retention") if effects is not None else ():
        assert effects is not None
        working = solution.activities.blocks["working"].values(solution.x)[effects.window[effect]]
        total = total + kept_more(cube, effects, effect) * working
    return total


def customers(solution: Solution) -> pd.DataFrame:
    """Customers of each row of `customers` and period.

    Columns: group (the row's keys); the market columns that its markets share; period, quarter, year;
    customers_before, joined (deals with new customers), left (without those whom initiatives keep), customers
    (at the end) and orders. Raises `ValueError` without a plan.
    """
    funnel, cube = solution.inputs.funnel, solution.sellers
    assert funnel is not None
    found, blocks = funnel.customers, solution.activities.blocks
    end = blocks["customers"].values(solution.x)
    before = np.hstack([found.opening[:, None], end[:, :-1]])
    orders = np.zeros_like(end)
    np.add.at(orders, found.entry_group, blocks["repeat"].values(solution.x))
    left = before * (1.0 - found.kept)[:, None] - _held(solution)
    group, period = np.divmod(np.arange(end.size), end.shape[1])
    columns: dict[str, Any] = {"group": np.array(found.names, dtype=object)[group]}
    for name, labels in found.labels.items():
        columns[name] = np.array(labels, dtype=object)[group]
    for name in TIME:
        columns[name] = np.array(getattr(cube.calendar, name), dtype=object)[period]
    texts = list(columns)
    for name, values in (
        ("customers_before", before),
        ("joined", end - before + left),
        ("left", left),
        ("customers", end),
        ("orders", orders),
    ):
        columns[name] = values.ravel()
    return pd.DataFrame(columns).astype(dict.fromkeys(texts, "str"))
