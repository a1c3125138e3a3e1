"""Facts as activities: columns that are fixed at 1, whose amounts are what has happened.

    metric(member) = sum of its activities from as_of on + sum over its pools r of amount[r,t] facts[r,t]

Rows of a block are pools that know the same columns, so that a scope which names another column leaves the
block out: what is known by region only counts for regions and the company, and for nothing below.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from optimizer.model.blocks import Activities, ActivityBlock, Parts
from optimizer.model.builder import ProgramBuilder
from optimizer.model.cube import Cube
from optimizer.model.marketing import by_period
from optimizer.plan.fact_labels import patterns

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

FACTS = "facts"
REPLACED = {"leads": ("leads",), "opportunities": ("opportunities",)}
"""Metric -> the measures that, where they are told, take the place of what the model makes of closed periods;
sales, spend and starts of closed periods are fixed in the model itself."""
DERIVED = ("hours",)
"""Metrics that facts always tell, derived where they are not written."""


def fact_blocks(builder: ProgramBuilder, cube: Cube) -> tuple[list[ActivityBlock], dict[str, IntArray]]:
    """A block for each set of columns that pools know, and the pools that its rows are; none without
    facts."""
    facts = cube.inputs.facts
    if facts is None:
        return [], {}
    blocks, pools = [], {}
    for number, (columns, rows) in enumerate(patterns(facts.labels, facts.size)):
        name = FACTS if not number else f"{FACTS} {number + 1}"
        names = tuple(facts.names[row] for row in rows)
        size = len(rows) * cube.num_periods
        start = builder.add_columns(FACTS, size, by_period(names, cube.calendar.period), lower=1.0, upper=1.0)
        labels = {column: [facts.labels[column][row] for row in rows] for column in columns}
        ones = np.ones((len(rows), cube.num_periods))
        blocks.append(ActivityBlock(name, start, labels, len(rows), cube.num_periods, ones, decision=False))
        pools[name] = rows
    return blocks, pools


def with_facts(activities: Activities, metric: str, parts: Parts) -> dict[str, FloatArray]:
    """What each block adds to a metric, facts included; metrics that are told count from `as_of` on only
    where the model has them as well."""
    facts = activities.cube.inputs.facts
    found = dict(parts)
    if facts is None:
        return found
    amounts = fact_amounts(activities, metric)
    if amounts is None:
        return found
    told = facts.measured & set(REPLACED.get(metric, ()))
    if told or metric in DERIVED:
        ahead = np.arange(activities.cube.num_periods) >= facts.past
        found = {block: values * ahead[None, :] for block, values in found.items()}
    for block, rows in activities.facts.items():
        if amounts[rows].any():
            found[block] = amounts[rows]
    return found


def fact_amounts(activities: Activities, metric: str) -> FloatArray | None:
    """What each pool adds to a metric (R, T); None where facts say nothing of it."""
    facts = activities.cube.inputs.facts
    if facts is None:
        return None
    if metric in activities.resources:
        return facts.uses.get(activities.resources.index(metric))
    if metric == "contribution" and "contribution" in facts.values:
        return facts.values["contribution"] - facts.values["marketing_cost"]
    return facts.values.get(metric)
