"""The columns of roles: hires, people by tenure, those let go, and heads beside what attrition leaves."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from optimizer.model.blocks import ActivityBlock
from optimizer.model.builder import ProgramBuilder
from optimizer.model.cube import Cube
from optimizer.model.marketing import by_period
from optimizer.plan.roles import Roles

FloatArray = NDArray[np.float64]


def staff_blocks(builder: ProgramBuilder, cube: Cube) -> list[ActivityBlock]:
    """Blocks role_hire (whole, R), role_heads (R), heads_added (heads less those that attrition leaves of the
    opening ones, R), staff (heads by role and class, R * A) and role_leave (likewise); none without roles."""
    roles = cube.inputs.roles
    if roles is None:
        return []
    rows, classes = roles.opening.shape
    periods, shown = cube.num_periods, cube.calendar.period
    ahead = (np.arange(periods) >= cube.inputs.past)[None, :]
    most = np.where(roles.may_hire & ahead, roles.hire_max[:, None], 0.0)
    names = by_period(roles.names, shown)
    by_class = {
        name: [text for text in texts for _ in range(classes)] for name, texts in roles.labels.items()
    }
    by_class["age"] = [str(age) for _ in range(rows) for age in range(classes)]
    aged = by_period(tuple(f"{name} {age}" for name in roles.names for age in range(classes)), shown)
    free = np.repeat(np.where(roles.leave_max > 0, np.inf, 0.0), classes * periods)
    size = rows * periods
    hire = builder.add_columns("role_hire", size, names, upper=most.ravel(), integer=True)
    least = np.repeat(roles.least, periods)
    heads = builder.add_columns("role_heads", size, names, lower=least, upper=np.repeat(roles.most, periods))
    added = builder.add_columns("heads_added", size, names, lower=-np.inf)
    staff = builder.add_columns("staff", size * classes, aged)
    leave = builder.add_columns("role_leave", size * classes, aged, upper=free)
    typical = np.repeat(np.maximum(roles.opening.sum(axis=1), 1.0)[:, None], periods, axis=1)
    spread = np.repeat(typical / classes, classes, axis=0)
    labels = roles.labels
    return [
        ActivityBlock("role_hire", hire, labels, rows, periods, np.ones((rows, periods)), decision=True),
        ActivityBlock("role_heads", heads, labels, rows, periods, typical, decision=False),
        ActivityBlock("heads_added", added, labels, rows, periods, typical, decision=False),
        ActivityBlock("staff", staff, by_class, rows * classes, periods, spread, decision=False),
        ActivityBlock("role_leave", leave, by_class, rows * classes, periods, 0.0 * spread, decision=True),
    ]


def opening_heads(roles: Roles, periods: int) -> FloatArray:
    """Heads that attrition alone leaves of those at the start (R, T)."""
    return np.asarray(
        roles.opening.sum(axis=1)[:, None] * roles.stay[:, None] ** np.arange(periods)[None, :],
        dtype=np.float64,
    )


def most_heads(roles: Roles) -> FloatArray:
    """Heads of each role at most (R,); inf without a limit."""
    there = roles.opening.sum(axis=1) + roles.joining.sum(axis=1)
    return np.asarray(np.minimum(roles.most, there + roles.hire_max), dtype=np.float64)
