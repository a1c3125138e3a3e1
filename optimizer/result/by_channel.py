"""A metric of marketing by row of marketing and period, whatever the activities it is a sum over."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from optimizer.model.blocks import Activities, ActivityBlock
from optimizer.model.coefficients import channels_of_effects
from optimizer.result.solution import Solution

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


def by_channel(solution: Solution, metric: str) -> FloatArray:
    """A metric of marketing at a plan (C, T); facts that are known for less than a row of marketing are left
    out. Raises `ValueError` without a plan."""
    activities, x = solution.activities, solution.x
    own = activities.blocks["spend"]
    total = np.zeros((own.num_rows, own.num_periods))
    for name, coefficient in solution.metrics.parts(metric).items():
        block = activities.blocks[name]
        row = _channel_of_rows(activities, block, own)
        np.add.at(total, row[row >= 0], (coefficient * block.values(x))[row >= 0])
    return total


def _channel_of_rows(activities: Activities, block: ActivityBlock, own: ActivityBlock) -> IntArray:
    """The row of marketing that each row of a block is about (rows,); -1 for none."""
    marketing = activities.cube.inputs.marketing
    assert marketing is not None
    if block.name == "tier" and marketing.tiers is not None:
        return marketing.tiers.channel
    if block.name in ("gain_response", "leads_added"):
        return channels_of_effects(activities, block.name)
    if block.name not in activities.facts:
        return np.arange(own.num_rows)
    if not set(own.labels) <= set(block.labels):
        return np.full(block.num_rows, -1)
    known = {labels: row for row, labels in enumerate(zip(*own.labels.values(), strict=True))}
    told = zip(*(block.labels[column] for column in own.labels), strict=True)
    return np.array([known.get(labels, -1) for labels in told], dtype=np.int64)
