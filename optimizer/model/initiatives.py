"""The columns of initiatives: starts and active periods."""

from __future__ import annotations

import numpy as np

from optimizer.model.blocks import ActivityBlock
from optimizer.model.builder import ProgramBuilder
from optimizer.model.cube import Cube
from optimizer.model.marketing import by_period


def initiative_blocks(builder: ProgramBuilder, cube: Cube) -> list[ActivityBlock]:
    """Blocks start (binary) and active (0..1) of each initiative and period; none without initiatives."""
    found = cube.inputs.initiatives
    if found is None:
        return []
    labels = by_period(found.names, cube.calendar.period)
    may_start, begun = found.may_start.astype(np.float64), np.zeros(found.may_start.shape)
    facts = cube.inputs.facts
    if facts is not None and facts.starts is not None:
        begun[:, : facts.past] = may_start[:, : facts.past] = facts.starts[:, : facts.past]
    count, rows, periods = may_start.size, len(found.names), cube.num_periods
    start = builder.add_columns(
        "start", count, labels, lower=begun.ravel(), upper=may_start.ravel(), integer=True
    )
    active = builder.add_columns("active", count, labels, upper=1.0)
    one = np.ones((rows, periods))
    return [
        ActivityBlock("start", start, found.labels, rows, periods, one, decision=True),
        ActivityBlock("active", active, found.labels, rows, periods, one, decision=False),
    ]
