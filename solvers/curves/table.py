"""Many curves evaluated at once: parts grouped by family into arrays of parameters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from solvers.curves.definition import Curve, Part
from solvers.curves.families import FAMILIES, POINTS, Family
from solvers.program import BoolArray, FloatArray, IntArray


@dataclass(frozen=True)
class _Group:
    """All parts of one family: entry i is a part of curve `owner[i]`."""

    family: Family
    slot: IntArray  # (parts,) slot of every part of the table in this family, -1 elsewhere
    parameters: dict[str, FloatArray]

    def chosen(self, slots: IntArray) -> dict[str, FloatArray]:
        """The parameters of some parts."""
        return {name: values[slots] for name, values in self.parameters.items()}

    def evaluate(self, slots: IntArray, x: FloatArray, slopes: bool, left: BoolArray) -> FloatArray:
        chosen = self.chosen(slots)
        return self.family.slope(x, chosen) if slopes else self.family.value(x, chosen)


@dataclass(frozen=True)
class _PointsGroup:
    """All parts given by points, padded to one length with the last point repeated."""

    slot: IntArray
    x: FloatArray
    y: FloatArray

    def evaluate(self, slots: IntArray, x: FloatArray, slopes: bool, left: BoolArray) -> FloatArray:
        grid, heights = self.x[slots], self.y[slots]
        rows = np.arange(slots.size)
        place = ((grid < x[:, None]) | ((grid == x[:, None]) & ~left[:, None])).sum(axis=1) - 1
        start = np.clip(place, 0, grid.shape[1] - 1)
        end = np.minimum(start + 1, grid.shape[1] - 1)
        width = grid[rows, end] - grid[rows, start]
        rise = heights[rows, end] - heights[rows, start]
        inside = (place >= 0) & (width > 0)
        rate = np.where(inside, rise / np.where(width > 0, width, 1.0), 0.0)
        if slopes:
            return rate
        value: FloatArray = heights[rows, start] + rate * np.where(inside, x - grid[rows, start], 0.0)
        return value

    def kinks(self, slots: IntArray, x: FloatArray) -> tuple[FloatArray, FloatArray]:
        """The last point at or before each x and the first behind it (k,)."""
        grid = self.x[slots]
        before = grid <= x[:, None]
        return (
            np.where(before, grid, -np.inf).max(axis=1, initial=-np.inf),
            np.where(before, np.inf, grid).min(axis=1, initial=np.inf),
        )


@dataclass(frozen=True)
class CurveTable:
    """Curves 0..n-1 as arrays. `value` and `slope` take owners (k,) and points (k,); the parts of curve j lie
    at `first[j] : first[j + 1]`. `per` (n,) and `times` (n,) are the units of input and output."""

    first: IntArray
    weight: FloatArray
    per: FloatArray
    times: FloatArray
    groups: tuple[_Group | _PointsGroup, ...]

    @property
    def size(self) -> int:
        """Number of curves."""
        return int(self.per.size)

    def value(self, owner: IntArray, x: FloatArray) -> FloatArray:
        """Curve `owner[i]` at `x[i]`, shape (k,)."""
        return self.times[owner] * self._sum(owner, x / self.per[owner], False)

    def slope(self, owner: IntArray, x: FloatArray, left: BoolArray | None = None) -> FloatArray:
        """Derivative of curve `owner[i]` at `x[i]`; at a kink of points that of the right side, or of the
        left one where `left[i]`."""
        return self.times[owner] / self.per[owner] * self._sum(owner, x / self.per[owner], True, left)

    def sharpest(self, owner: IntArray, lower: FloatArray, upper: FloatArray) -> FloatArray:
        """No less than 0 and than minus the second derivative of curve `owner[i]` between `lower[i]` and
        `upper[i]`, shape (k,); infinite where a family or a part turned over does not tell."""
        entry, part = self._entries(owner)
        per, times = self.per[owner][entry], self.times[owner][entry]
        factor = self.weight[part] * times / per**2
        a, b = lower[entry] / per, upper[entry] / per
        found = np.where(factor == 0.0, 0.0, np.inf)
        for group in self.groups:
            mine = np.flatnonzero((group.slot[part] >= 0) & (factor > 0.0))
            if isinstance(group, _Group) and group.family.sharpest is not None and mine.size:
                chosen = group.chosen(group.slot[part[mine]])
                found[mine] = factor[mine] * group.family.sharpest(a[mine], b[mine], chosen)
        return np.bincount(entry, found, owner.size).astype(np.float64)

    def kinks(self, owner: IntArray, x: FloatArray) -> tuple[FloatArray, FloatArray]:
        """The last kink at or before `x[i]` on curve `owner[i]` and the first behind it (k,); infinite where
        there is none."""
        before, behind = np.full(owner.size, -np.inf), np.full(owner.size, np.inf)
        entry, part = self._entries(owner)
        per = self.per[owner][entry]
        for group in self.groups:
            if isinstance(group, _PointsGroup):
                mine = np.flatnonzero(group.slot[part] >= 0)
                left, right = group.kinks(group.slot[part[mine]], (x[entry] / per)[mine])
                np.maximum.at(before, entry[mine], left * per[mine])
                np.minimum.at(behind, entry[mine], right * per[mine])
        return before, behind

    def reach(self, lower: FloatArray, upper: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Figures (n,) that every curve lies between on [lower, upper] (n,): each part is monotone."""
        owner = np.repeat(np.arange(self.size), np.diff(self.first))
        part = np.arange(owner.size)
        factor = self.times[owner]
        ends = np.array(
            [factor * self._parts(part, (end / self.per)[owner], False) for end in (lower, upper)]
        )
        return (
            np.bincount(owner, ends.min(axis=0), self.size).astype(np.float64),
            np.bincount(owner, ends.max(axis=0), self.size).astype(np.float64),
        )

    def scaled(self, input_unit: FloatArray, output_unit: FloatArray) -> CurveTable:
        """The same curves with x counted in `input_unit` (n,) and values in `output_unit` (n,)."""
        return replace(self, per=self.per / input_unit, times=self.times / output_unit)

    def _entries(self, owner: IntArray) -> tuple[IntArray, IntArray]:
        # The parts of all the curves asked for: which place of `owner` each belongs to, and which part it is.
        counts = np.diff(self.first)[owner]
        entry = np.repeat(np.arange(owner.size), counts)
        return entry, self.first[owner][entry] + np.arange(entry.size) - (np.cumsum(counts) - counts)[entry]

    def _sum(self, owner: IntArray, x: FloatArray, slopes: bool, left: BoolArray | None = None) -> FloatArray:
        counts = np.diff(self.first)[owner]
        if (counts == 1).all():
            return self._parts(self.first[owner], x, slopes, left)
        entry, part = self._entries(owner)
        side = None if left is None else left[entry]
        total: FloatArray = np.bincount(entry, self._parts(part, x[entry], slopes, side), owner.size).astype(
            np.float64
        )
        return total

    def _parts(
        self, part: IntArray, x: FloatArray, slopes: bool, left: BoolArray | None = None
    ) -> FloatArray:
        answer = np.zeros(part.size)
        side = np.zeros(part.size, dtype=bool) if left is None else left
        for group in self.groups:
            slots = group.slot[part]
            mine = np.flatnonzero(slots >= 0)
            if mine.size:
                answer[mine] = group.evaluate(slots[mine], x[mine], slopes, side[mine])
        weighted: FloatArray = self.weight[part] * answer
        return weighted


def make_table(curves: Sequence[Curve]) -> CurveTable:
    """The arrays of a sequence of curves."""
    parts = [part for one in curves for part in one.parts]
    counts = np.array([len(one.parts) for one in curves], dtype=np.int64)
    names = np.array([part.family for part in parts])
    groups: list[_Group | _PointsGroup] = []
    for name in dict.fromkeys(names.tolist()):
        mine = [part for part in parts if part.family == name]
        slot = np.full(len(parts), -1, dtype=np.int64)
        slot[names == name] = np.arange(len(mine))
        groups.append(_points_group(slot, mine) if name == POINTS else _smooth_group(slot, name, mine))
    return CurveTable(
        first=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        weight=np.array([part.weight for part in parts], dtype=float),
        per=np.array([one.per for one in curves], dtype=float),
        times=np.array([one.times for one in curves], dtype=float),
        groups=tuple(groups),
    )


def _smooth_group(slot: IntArray, name: str, parts: Sequence[Part]) -> _Group:
    family = FAMILIES[name]
    parameters = {
        key: np.array([part.parameters[key] for part in parts], dtype=float) for key in family.parameters
    }
    return _Group(family, slot, parameters)


def _points_group(slot: IntArray, parts: Sequence[Part]) -> _PointsGroup:
    longest = max(np.size(part.parameters["x"]) for part in parts)

    def padded(key: str) -> FloatArray:
        return np.array(
            [
                np.pad(
                    np.asarray(part.parameters[key], dtype=float),
                    (0, longest - np.size(part.parameters[key])),
                    "edge",
                )
                for part in parts
            ]
        )

    return _PointsGroup(slot, padded("x"), padded("y"))
