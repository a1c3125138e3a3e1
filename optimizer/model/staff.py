"""The columns of roles: hires, people by tenure, those let go, and heads beside what attrition leaves."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from optimizer.model.blocks import ActivityBlock
from optimizer.model.builder import ProgramBuilder
from optimizer.model.cube import Cube
from optimizer.model.marketing import by_period
from optimizer.plan.fact_staff import heads_of
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
    most = np.where(ahead, np.where(roles.may_hire, roles.hire_max[:, None], 0.0), roles.hired)
    names = by_period(roles.names, shown)
    by_class = {
        name: [text for text in texts for _ in range(classes)] for name, texts in roles.labels.items()
    }
    by_class["age"] = [str(age) for _ in range(rows) for age in range(classes)]
    aged = by_period(tuple(f"{name} {age}" for name in roles.names for age in range(classes)), shown)
    may_leave = np.where(ahead, np.where(roles.leave_max > 0, np.inf, 0.0)[:, None], roles.gone)
    free = np.repeat(may_leave, classes, axis=0).ravel()
    size = rows * periods
    told = roles.hired.ravel()
    hire = builder.add_columns("role_hire", size, names, lower=told, upper=most.ravel(), integer=True)
    least, largest = (bound.ravel() for bound in bounds_of_heads(roles, cube.inputs.past))
    heads = builder.add_columns("role_heads", size, names, lower=least, upper=largest)
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


def told_heads(roles: Roles) -> FloatArray:
    """Heads by class of those whom the start and facts know, when nothing else is decided (R, A, T)."""
    return heads_of(roles, roles.hired, roles.gone)


def bounds_of_heads(roles: Roles, past: int) -> tuple[FloatArray, FloatArray]:
    """Heads of each role at least and at most (R, T). Nothing is asked of `past` periods; in those behind
    them bounds give way to what they have left: nobody comes before the lead time, nobody is sent away."""
    periods = np.arange(roles.hired.shape[1])
    least = np.repeat(roles.least[:, None], len(periods), axis=1)
    most = np.repeat(roles.most[:, None], len(periods), axis=1)
    if not past:
        return least, most
    left = told_heads(roles).sum(axis=1)
    early = periods[None, :] < past + roles.lead[:, None]
    least, most = np.where(early, np.minimum(least, left), least), np.maximum(most, left)
    closed = periods[None, :] < past
    return np.where(closed, 0.0, least), np.where(closed, np.inf, most)


def opening_heads(roles: Roles, periods: int) -> FloatArray:
    """Heads that attrition alone leaves of those at the start (R, T)."""
    return np.asarray(
        roles.opening.sum(axis=1)[:, None] * roles.stay[:, None] ** np.arange(periods)[None, :],
        dtype=np.float64,
    )


def most_heads(roles: Roles) -> FloatArray:
    """Heads of each role at most (R,); inf without a limit."""
    told = roles.hired.sum(axis=1)
    there = roles.opening.sum(axis=1) + roles.joining.sum(axis=1)
    limit = np.maximum(roles.most, told_heads(roles).sum(axis=1).max(axis=1)) if told.any() else roles.most
    return np.asarray(np.minimum(limit, there + np.maximum(roles.hire_max, told)), dtype=np.float64)
