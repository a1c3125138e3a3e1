"""The tail of linear losses by an interior point: a decision and a density near the best, without proof.

    minimise  costs @ x + total v + sum_s caps_s max(0, losses_s @ x + constants_s - v)

under rows and bounds. Its dual is a density: weights between 0 and caps that add up to total. The dense
losses enter normal equations over the decisions alone. Source: Mehrotra 1992 (predictor and corrector);
Rockafellar & Uryasev 2000.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import linalg, sparse

from solvers.program import FloatArray, LinearProgram

_STEPS = 60
_SMOOTH = 0.25
"""Width of the first, smooth tail, as a share of the deviation of losses."""
_INSIDE = 0.1
"""How far inside its bounds a decision starts, as a share of their distance or of a usual decision."""
_FAR = 1e-5
"""Futures that weigh less than this share of the heaviest have no part in the normal equations."""
_MANY = 6_000
"""Above so many futures normal equations are set up in single precision; their error costs steps only."""
_SHORTEN = 0.99
_STEADY = 1e-9
"""Added to the diagonal of the normal equations, relative."""

Short = tuple[FloatArray, float, FloatArray]
"""What stationarity in the decisions and in the quantile, and the rows, are short of."""


@dataclass(frozen=True)
class Point:
    """A point, or a direction. `above` and `below` are what a loss is above and below the quantile (S,)."""

    x: FloatArray
    quantile: FloatArray
    above: FloatArray
    below: FloatArray
    weights: FloatArray
    low: FloatArray
    high: FloatArray
    prices: FloatArray

    def moved(self, by: Point, primal: float, dual: float) -> Point:
        """The point after a step of these lengths."""
        return Point(
            self.x + primal * by.x,
            self.quantile + primal * by.quantile,
            self.above + primal * by.above,
            self.below + primal * by.below,
            self.weights + dual * by.weights,
            self.low + dual * by.low,
            self.high + dual * by.high,
            self.prices + dual * by.prices,
        )


@dataclass(frozen=True)
class Near:
    """A decision x (n,), a density (S,), reduced costs (n,) of the decisions, and prices of the rows (m,)."""

    x: FloatArray
    weights: FloatArray
    reduced: FloatArray
    row_prices: FloatArray
    point: Point


class TailInterior:
    """One program: `losses` (S, n), `constants` (S,), `caps` (S,) of the density, which adds up to `total`.

    Rows that are no equations get a slack, a column behind the n decisions.
    """

    def __init__(
        self,
        program: LinearProgram,
        losses: FloatArray,
        constants: FloatArray,
        caps: FloatArray,
        total: float,
    ) -> None:
        self._losses, self._constants, self._caps, self._total = losses, constants, caps, total
        equal = program.row_lower == program.row_upper
        loose = ~equal & (np.isfinite(program.row_lower) | np.isfinite(program.row_upper))
        slacks = int(loose.sum())
        own = sparse.csr_array(program.matrix).toarray()
        behind = np.vstack([np.zeros((int(equal.sum()), slacks)), -np.eye(slacks)])
        self._matrix = np.hstack([np.vstack([own[equal], own[loose]]), behind])
        self._right = np.append(program.row_lower[equal], np.zeros(slacks))
        self._lower = np.append(program.column_lower, program.row_lower[loose])
        self._upper = np.append(program.column_upper, program.row_upper[loose])
        self._costs = np.append(program.objective, np.zeros(slacks))
        self._n, self._slacks = program.num_columns, slacks
        self._order = np.concatenate([np.flatnonzero(equal), np.flatnonzero(loose)])
        self._count = program.num_rows
        self._is_low, self._is_high = np.isfinite(self._lower), np.isfinite(self._upper)

    def run(self, start: FloatArray | Point, gap: float) -> Near | None:
        """Steps until what is left between objective and bound is `gap` at most; None where numbers fail.

        `start` (n,) need not be feasible; a point is one of an earlier run of this program.
        """
        with np.errstate(all="ignore"):
            point = start if isinstance(start, Point) else self._start(start)
            for _ in range(_STEPS):
                short = self._short(point)
                if self._left(point, short) <= gap:
                    break
                try:
                    point = self._step(point, short)
                except (ValueError, np.linalg.LinAlgError):
                    return None
            return self._near(point)

    def _start(self, start: FloatArray) -> Point:
        """Inside all bounds, every pair with the same product."""
        n = self._n
        x = np.append(start, self._matrix[self._right.size - self._slacks :, :n] @ start)
        usual = np.append(np.full(n, np.abs(start).mean()), np.abs(x[n:])) + 1e-9
        inside = _INSIDE * np.minimum(usual, self._upper - self._lower)
        x = np.minimum(np.maximum(x, self._lower + inside), self._upper - inside)
        loss = self._losses @ x[:n] + self._constants
        pair = _SMOOTH * (float(loss.std()) + 1e-9) * float(self._caps.mean())
        wide = 10.0 * float(np.ptp(loss)) + 1.0
        least, most = float(loss.min()) - wide, float(loss.max()) + wide
        for _ in range(80):
            middle = 0.5 * (least + most)
            enough = self._smooth(loss - middle, pair).sum() > self._total
            least, most = (middle, most) if enough else (least, middle)
        weights = self._smooth(loss - middle, pair)
        below, above = self._rooms(x)
        low = np.where(self._is_low, pair / below, 0.0)
        high = np.where(self._is_high, pair / above, 0.0)
        sides = pair / (self._caps - weights), pair / weights
        return Point(x, np.array([middle]), *sides, weights, low, high, np.zeros(self._right.size))

    def _smooth(self, y: FloatArray, pair: float) -> FloatArray:
        """The weights w with pair / (caps - w) - pair / w = y (S,)."""
        caps = self._caps
        half = 2.0 * pair - y * caps
        root = np.sqrt(half * half + 4.0 * pair * y * caps)
        return np.where(half >= 0.0, 2.0 * pair * caps / (half + root), (root - half) / (2.0 * y))

    def _rooms(self, x: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Distances to the bounds, 1 where there is none."""
        return (
            np.where(self._is_low, x - self._lower, 1.0),
            np.where(self._is_high, self._upper - x, 1.0),
        )

    def _slope(self, weights: FloatArray) -> FloatArray:
        return np.append(weights @ self._losses, np.zeros(self._slacks))

    def _short(self, at: Point) -> Short:
        """What stationarity in x and in the quantile, and the rows, are short of."""
        slope = self._costs + self._slope(at.weights) - self._matrix.T @ at.prices - at.low + at.high
        return slope, self._total - float(at.weights.sum()), self._right - self._matrix @ at.x

    def _products(self, at: Point) -> float:
        """The sum of all pairs' products: the gap of a feasible point."""
        below, above = self._rooms(at.x)
        sides = at.weights @ at.below + (self._caps - at.weights) @ at.above
        return float(sides + at.low @ below + at.high @ above)

    def _left(self, at: Point, short: Short) -> float:
        slope, total, rows = short
        astray = np.abs(slope) @ np.abs(at.x) + abs(total * at.quantile[0]) + np.abs(rows) @ np.abs(at.prices)
        return self._products(at) + float(astray)

    def _step(self, at: Point, short: Short) -> Point:
        """A predictor, and a corrector towards the products that it promises."""
        equations = _Equations(self, at, short)
        ahead = equations.direction(0.0, None)
        reached = self._products(at.moved(ahead, *self._lengths(at, ahead)))
        now = self._products(at)
        pairs = 2 * self._caps.size + int(self._is_low.sum() + self._is_high.sum())
        target = max(0.0, reached / now) ** 3 * now / pairs
        move = equations.direction(target, ahead)
        primal, dual = (min(1.0, _SHORTEN * length) for length in self._lengths(at, move))
        return at.moved(move, primal, dual)

    def _lengths(self, at: Point, move: Point) -> tuple[float, float]:
        """How far primal and dual parts may go until something is 0 (over 1 where never before)."""
        below, above = self._rooms(at.x)
        down, up = np.where(self._is_low, move.x, 0.0), np.where(self._is_high, -move.x, 0.0)
        primal = [(at.above, move.above), (at.below, move.below), (below, down), (above, up)]
        dual = [(at.weights, move.weights), (self._caps - at.weights, -move.weights)]
        dual += [(at.low, move.low), (at.high, move.high)]
        return _furthest(primal), _furthest(dual)

    def _near(self, at: Point) -> Near | None:
        """The point with its rows put right to the last digit, and its weights a density."""
        room = np.minimum(*self._rooms(at.x))
        scaled = self._matrix * (room * room)
        rows = self._right - self._matrix @ at.x
        if rows.size:
            at_rows = np.linalg.lstsq(scaled @ self._matrix.T, rows, rcond=None)[0]
            x = at.x + scaled.T @ at_rows
        else:
            x = at.x
        sum_of, spare = float(at.weights.sum()), self._caps - at.weights
        if sum_of >= self._total:
            weights = at.weights * (self._total / sum_of)
        else:
            weights = at.weights + spare * ((self._total - sum_of) / float(spare.sum()))
        reduced = self._costs + self._slope(weights) - self._matrix.T @ at.prices
        whole = np.clip(x, self._lower, self._upper)
        finite = np.isfinite(whole).all() and np.isfinite(weights).all()
        prices = np.zeros(self._count)
        prices[self._order] = at.prices
        return Near(whole[: self._n], weights, reduced[: self._n], prices, at) if finite else None


def _furthest(pairs: list[tuple[FloatArray, FloatArray]]) -> float:
    """The largest step of at most 1 / shortening with value + step * change >= 0 for all."""
    least = 1.0 / _SHORTEN
    for value, change in pairs:
        falls = change < 0.0
        if falls.any():
            least = min(least, float((-value[falls] / change[falls]).min()))
    return least


class _Equations:
    """The Newton equations at a point, brought down to the decisions: one factor, several right sides."""

    def __init__(self, of: TailInterior, at: Point, short: Short) -> None:
        self._of, self._at, self._short = of, at, short
        self._spare = of._caps - at.weights
        self._rooms = of._rooms(at.x)
        self._theta = 1.0 / (at.above / self._spare + at.below / at.weights)
        self._sum = float(self._theta.sum())
        self._slope = of._slope(self._theta)[: of._n]
        diagonal = at.low / self._rooms[0] + at.high / self._rooms[1]
        gram = self._gram()
        steady = _STEADY * (gram.diagonal() + gram.diagonal().mean())
        gram[np.diag_indices_from(gram)] += diagonal[: of._n] + steady
        self._factor = linalg.cho_factor(gram, lower=True, overwrite_a=True, check_finite=False)
        self._slack = np.maximum(diagonal[of._n :], 1e-300)
        inside, _ = self._inverse(of._matrix.T, np.zeros(of._right.size))
        self._schur = of._matrix @ inside

    def _gram(self) -> FloatArray:
        """sum_s theta_s (losses_s - their mean)(losses_s - their mean)', the mean weighted with theta."""
        kept = np.flatnonzero(self._theta > _FAR * self._theta.max())
        losses = self._of._losses
        part = losses if kept.size == len(losses) else losses[kept]
        mean, root = self._slope / self._sum, np.sqrt(self._theta[kept])[:, None]
        if kept.size > _MANY:
            single = part.astype(np.float32)
            single -= mean.astype(np.float32)
            single *= root.astype(np.float32)
            return np.asarray(single.T @ single, dtype=np.float64)
        part = (part - mean) * root
        return np.asarray(part.T @ part, dtype=np.float64)

    def _inverse(self, right: FloatArray, last: FloatArray) -> tuple[FloatArray, FloatArray]:
        """x and quantile for right sides (N, k) and (k,)."""
        n = self._of._n
        own = right[:n] + np.multiply.outer(self._slope, last / self._sum)
        x = linalg.cho_solve(self._factor, own, check_finite=False)
        return np.vstack([x, right[n:] / self._slack[:, None]]), (last + self._slope @ x) / self._sum

    def direction(self, target: float, ahead: Point | None) -> Point:
        """Towards products of `target`, with the second-order part of a predictor taken off."""
        of, at, theta = self._of, self._at, self._theta
        below_due, above_due = target - at.weights * at.below, target - self._spare * at.above
        low_due, high_due = target - at.low * self._rooms[0], target - at.high * self._rooms[1]
        if ahead is not None:
            below_due = below_due - ahead.weights * ahead.below
            above_due = above_due + ahead.weights * ahead.above
            low_due, high_due = low_due - ahead.low * ahead.x, high_due + ahead.high * ahead.x
        pull = below_due / at.weights - above_due / self._spare
        slope, total, rows = self._short
        towards = np.where(of._is_low, low_due / self._rooms[0], 0.0)
        towards -= np.where(of._is_high, high_due / self._rooms[1], 0.0)
        right = -slope - of._slope(theta * pull) + towards
        last = np.array([-total + float(theta @ pull)])
        free, _ = self._inverse(right[:, None], last)
        prices = np.zeros(rows.size)
        if rows.size:
            prices[:] = np.linalg.solve(self._schur, rows - of._matrix @ free[:, 0])
        found, quantile = self._inverse((right + of._matrix.T @ prices)[:, None], last)
        x = found[:, 0]
        y = of._losses @ x[: of._n] - quantile[0]
        weights = theta * (y + pull)
        above = (above_due + at.above * weights) / self._spare
        low = np.where(of._is_low, (low_due - at.low * x) / self._rooms[0], 0.0)
        high = np.where(of._is_high, (high_due + at.high * x) / self._rooms[1], 0.0)
        return Point(x, quantile, above, above - y, weights, low, high, prices)
