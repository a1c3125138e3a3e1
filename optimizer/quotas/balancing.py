"""Sums moved to where they must be: small shifts of totals, and rows held within bounds while columns keep
theirs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from optimizer.quotas.spans import Longer, Spans, sum_spans
from optimizer.quotas.steps import ceiling, floor

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

_ROUNDS = 500
_CLOSE = 1e-10


def shifted_sums(sums: FloatArray, totals: FloatArray, spans: Spans) -> FloatArray:
    """Sums by shortest span (P, T) moved so that each row has its total (P,).

    Where the total is within a step, no sum over any span leaves its floor and ceiling: the move goes to
    the longer spans first and in each to the shorter ones, in proportion to the room that they have. A
    larger move is in proportion to the sums.
    """
    now = sums.sum(axis=1)
    move = totals - now
    far = (totals > ceiling(now)) | (totals < floor(now))
    rate = np.divide(totals, now, out=np.ones_like(now), where=now > 0)
    moved = np.where(far[:, None], sums * rate[:, None], sums)
    near = ~far & (np.abs(move) > _CLOSE)
    if not near.any():
        return moved
    part = sums[near]
    up = move[near] > 0
    code = np.zeros(spans.size, dtype=np.int64)
    amount = np.abs(move[near])[:, None]
    for longer in [part for part in spans.longer[-2::-1] if part.nested]:
        inside = np.zeros(len(longer.labels), dtype=np.int64)
        inside[longer.code] = code
        amount = _by_room(sum_spans(part, longer), up, amount, inside)
        code = longer.code
    amount = _by_room(part, up, amount, code)
    moved[near] = part + np.where(up[:, None], amount, -amount)
    return moved


def _by_room(sums: FloatArray, up: NDArray[np.bool_], amount: FloatArray, inside: IntArray) -> FloatArray:
    """Amounts of the longer spans (P, J) split over shorter ones (P, K) by their room up or down."""
    room = np.where(up[:, None], ceiling(sums) - sums, sums - floor(sums))
    total = sum_spans(room, Longer("", ("",) * amount.shape[1], inside))
    share = np.divide(amount, total, out=np.zeros_like(total), where=total > 0)
    return np.asarray(room * share[:, inside])


def balanced_rows(
    figures: FloatArray, group: IntArray, sums: FloatArray, lower: FloatArray, upper: FloatArray
) -> FloatArray:
    """Figures (n, T) >= 0 with row totals in `lower`..`upper` (n,) and, in each group, column sums `sums`
    (P, T).

    Rows and columns are scaled in turn (iterative proportional fitting; Deming & Stephan 1940) where a row
    is outside; the other groups stay as they are. Where zeros do not allow both, columns keep their sums
    and rows come near.
    """
    rows = figures.sum(axis=1)
    outside = (rows < lower - _CLOSE) | (rows > upper + _CLOSE)
    if not outside.any():
        return figures
    wanted = np.isin(group, np.unique(group[outside]))
    found = figures.copy()
    found[wanted] = _fitted(figures[wanted], group[wanted], sums, lower[wanted], upper[wanted])
    return found


def _fitted(
    figures: FloatArray, group: IntArray, sums: FloatArray, lower: FloatArray, upper: FloatArray
) -> FloatArray:
    groups, at = np.unique(group, return_inverse=True)
    asked = sums[groups]
    for _ in range(_ROUNDS):
        rows = figures.sum(axis=1)
        aim = np.clip(rows, lower, upper)
        figures = figures * np.divide(aim, rows, out=np.ones_like(rows), where=rows > 0)[:, None]
        now = np.zeros_like(asked)
        np.add.at(now, at, figures)
        figures = figures * np.divide(asked, now, out=np.ones_like(now), where=now > 0)[at]
        rows = figures.sum(axis=1)
        if max((lower - rows).max(), (rows - upper).max()) < _CLOSE:
            break
    return figures
