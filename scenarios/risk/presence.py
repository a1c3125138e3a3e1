"""Who is there in a future: what is left of each group of equal sellers when some of them leave."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from optimizer.plan.runout import same_season, sellers_run_on
from scenarios.risk.events import absence
from scenarios.risk.futures import present
from scenarios.risk.worlds import Worlds

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


def absent_share(worlds: Worlds, outcomes: IntArray) -> FloatArray:
    """Share of each seat group's capacity that is gone in each period, run-out included (G, T)."""
    inputs, cube = worlds.inputs, worlds.model.cube
    sellers, size = inputs.selling.sellers, inputs.plan.calendar.size
    happened = {int(at): int(outcomes[at]) for at in np.flatnonzero(outcomes)}
    gone = absence(worlds.risk.events, happened, sellers.names, size)
    if not gone.any():
        return np.zeros((int(cube.groups.group.max()) + 1, cube.num_periods))
    left = present(sellers, 1.0 - gone)
    if cube.num_periods > size:
        source = same_season(inputs.plan, cube.num_periods - size)
        sellers, left = sellers_run_on(sellers, source), sellers_run_on(left, source)
    count = int(cube.groups.group.max()) + 1
    whole, rest = np.zeros((count, cube.num_periods)), np.zeros((count, cube.num_periods))
    np.add.at(whole, cube.groups.group, sellers.capacity)
    np.add.at(rest, cube.groups.group, left.capacity)
    endless = np.isinf(whole)
    whole, rest = np.where(endless, 1.0, whole), np.where(endless, 1.0, rest)
    return np.divide(whole - rest, whole, out=np.zeros_like(whole), where=whole > 0)
