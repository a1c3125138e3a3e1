"""What the plan lets into each stage, so that counts of facts by stage have something to be compared with.

    entering[m,k,t] = reached[m,k] sum_l arrive[m,k,l] opportunities[m,t-l]

with the share that reaches stage k and the days before it; opportunities of periods before the plan are
those of the same season of it, as the plan itself takes them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from optimizer.plan.lags import arrivals
from optimizer.result.solution import Solution

FloatArray = NDArray[np.float64]


def opportunities_by_market(solution: Solution) -> FloatArray:
    """Planned opportunities of each market and period (M, T), organic and of marketing; zeros without a
    funnel."""
    funnel, marketing, blocks = solution.inputs.funnel, solution.inputs.marketing, solution.activities.blocks
    found = np.zeros((len(solution.inputs.markets.names), solution.sellers.num_periods))
    if funnel is None:
        return found
    if "organic" in blocks:
        rows = blocks["organic"].markets
        assert rows is not None
        found[rows] += blocks["organic"].values(solution.x)
    if "worked" in blocks and marketing is not None:
        np.add.at(found, marketing.yields.market, blocks["worked"].values(solution.x))
    return found


def entering_stages(solution: Solution) -> FloatArray:
    """Opportunities that the plan lets into each stage (M, K, T); raises `ValueError` without stages."""
    funnel = solution.inputs.funnel
    if funnel is None or not funnel.stages.names:
        raise ValueError("the plan has no stages")
    stages, came = funnel.stages, opportunities_by_market(solution)
    periods, year = came.shape[1], solution.plan.calendar.periods_a_year
    count = len(stages.names)
    before = np.cumsum(np.hstack([np.zeros((len(came), 1)), stages.days]), axis=1)[:, :count]
    ages = int(np.ceil(before.max(initial=0.0) / stages.period_days)) + 2
    # The period so many before the first is like the same one a year later, else like the first.
    source = [year - back if 0 <= year - back < periods else 0 for back in range(ages, 0, -1)]
    long = np.hstack([funnel.organic[:, source], came])
    found = np.zeros((len(came), count, periods))
    for stage in range(count):
        share = arrivals(before[:, stage] / stages.period_days, ages)
        for lag in range(ages):
            found[:, stage] += share[:, lag, None] * long[:, ages - lag : ages - lag + periods]
    return np.asarray(found * stages.reached[:, :, None] * stages.present[:, :, None], dtype=np.float64)
