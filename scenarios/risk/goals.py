"""A rule of the plan as a goal of one world: an expression that is at least 0 where the rule holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from optimizer.errors import InputError
from optimizer.plan.names import nearest
from scenarios.risk.arrays import World
from scenarios.risk.measures import Label

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class GoalRow:
    """coefficients @ x + constant >= 0 where the rule holds, in units of its bound (n,)."""

    coefficients: FloatArray
    constant: float


def goal_row(world: World, place: int) -> GoalRow:
    """Figure `place` of a world against its bound.

        (top - (bound + shift) bottom) / size >= 0          at least; the other way round for at most

    `size` is the bound of a sum and 1 for a ratio.
    """
    measures = world.measures
    least, most = float(measures.at_least[place]), float(measures.at_most[place])
    bound, sign = (least, 1.0) if not np.isnan(least) else (most, -1.0)
    top, bottom = (
        np.asarray(part[[place]].todense(), dtype=np.float64).ravel()
        for part in (measures.top, measures.bottom)
    )
    is_ratio = bool(measures.bottom[[place]].nnz)
    asked = bound + float(measures.shift[place])
    constant = float(measures.top_constant[place]) - asked * float(measures.bottom_constant[place])
    size = 1.0 if is_ratio else max(abs(bound), 1.0)
    return GoalRow(sign * (top - asked * bottom) / size, sign * constant / size)


def place_of(labels: Sequence[Label], name: str) -> int:
    """The figure of a rule or member; raises `InputError` with the nearest name."""
    names = [label.name for label in labels if label.rule]
    if name not in names:
        raise InputError("risk.target_unknown", name=name, nearest=nearest(name, names))
    return next(at for at, label in enumerate(labels) if label.rule and label.name == name)


def sparse_rows(rows: Sequence[tuple[FloatArray, int]], width: int) -> sparse.csr_array:
    """Rows of (values, first column) side by side in one matrix of `width` columns."""
    parts = [(np.flatnonzero(values), values, first) for values, first in rows]
    columns = np.concatenate([at + first for at, _, first in parts])
    data = np.concatenate([values[at] for at, values, _ in parts])
    place = np.repeat(np.arange(len(parts)), [len(at) for at, _, _ in parts])
    return sparse.csr_array((data, (place, columns)), shape=(len(parts), width))
