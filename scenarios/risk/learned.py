"""How every number of a compiled plan depends on what is uncertain, learned from a few compiled futures.

Compiling a future takes tens of milliseconds; with what is learned here it takes a fraction of one. A number
v that is moved by t (a factor less 1, an amount, 1 for an event) is taken to be

    v = base + slope m,    m = t  or  m = 1 / (1 + t) - 1

and one that several move base times the product of their (1 + slope m / base), or base plus the sum of their
slope m, whichever the compiled futures show. Nothing is believed unseen: two compiled futures a variable, and
some in which everything moves, must come out equal to 1e-9; what does not is compiled in full.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from scenarios.risk.arrays import World

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

TOLERANCE = 1e-9
ROUNDING = 1e-12
"""Relative change below which a number has not moved."""
NODES = 7
"""Compiled futures through which a smooth curve is laid."""
_RATIO = 1e-6
"""Relative difference of two ratios of changes up to which they are one: changes are differences of numbers
that are nearly equal, so that digits are lost. What it lets through is tried in joint futures."""


@dataclass(frozen=True)
class Probe:
    """One compiled future in which only one variable moves: its movements t (slots,) and all numbers."""

    movement: FloatArray
    flat: FloatArray


@dataclass
class Influence:
    """Which numbers one variable moves: `place` in the flat vector, by `slope` times the movement of `slot`,
    or where `divides` is set of its reciprocal."""

    place: IntArray
    slot: IntArray
    slope: FloatArray
    divides: BoolArray
    product: BoolArray = field(default_factory=lambda: np.zeros(0, dtype=np.bool_))
    multiplies: bool = False
    """Whether it multiplies what all others make of a number, such as the share of a group that is there."""

    def changes(self, movement: FloatArray) -> FloatArray:
        """How far each number moves: slope m."""
        return self.slope * self.moves(movement)

    def moves(self, movement: FloatArray) -> FloatArray:
        """m of each number."""
        t = movement[self.slot]
        if not self.divides.any():
            return t
        return np.where(self.divides, 1.0 / (1.0 + np.where(self.divides, t, 0.0)) - 1.0, t)


@dataclass
class SmoothInfluence(Influence):
    """Numbers that one variable moves along a smooth curve, known at Chebyshev nodes (nodes, numbers)."""

    nodes: FloatArray = field(default_factory=lambda: np.zeros(0))
    known: FloatArray = field(default_factory=lambda: np.zeros((0, 0)))
    """How far each number has moved at each node."""

    def changes(self, movement: FloatArray) -> FloatArray:
        """The polynomial through the nodes (Berrut & Trefethen 2004)."""
        return _between_nodes(self.nodes, float(movement[0])) @ self.known


def nodes_between(low: float, high: float) -> FloatArray:
    """Chebyshev nodes of the second kind between two movements."""
    places = np.cos(np.pi * np.arange(NODES) / (NODES - 1))
    return (low + high) / 2.0 + (high - low) / 2.0 * places


def _between_nodes(nodes: FloatArray, at: float) -> FloatArray:
    """Weights of the values at the nodes: the barycentric formula."""
    distance = at - nodes
    if (distance == 0.0).any():
        return np.asarray(distance == 0.0, dtype=np.float64)
    weights = np.where(np.arange(len(nodes)) % 2 == 0, 1.0, -1.0)
    weights[[0, -1]] *= 0.5
    parts = weights / distance
    return np.asarray(parts / parts.sum(), dtype=np.float64)


def smooth_influence(
    base: FloatArray,
    places: IntArray,
    nodes: FloatArray,
    flats: Sequence[FloatArray],
    check: tuple[float, FloatArray],
) -> tuple[SmoothInfluence, IntArray]:
    """The curve through compiled futures at the nodes, and the places where it misses another future."""
    with np.errstate(invalid="ignore"):
        known = np.stack(flats) - base[places]
        found = base[places] + _between_nodes(nodes, check[0]) @ known
    right = _equal(found, check[1]) & np.isfinite(known).all(axis=0)
    count = int(right.sum())
    nothing = np.zeros(count, dtype=np.int64)
    influence = SmoothInfluence(
        places[right], nothing, np.ones(count), np.zeros(count, dtype=np.bool_),
        nodes=nodes, known=known[:, right],
    )  # fmt: skip
    return influence, places[~right]


def summed_influence(
    base: FloatArray, places: IntArray, slopes: FloatArray, probes: Sequence[Probe]
) -> tuple[Influence, IntArray]:
    """Numbers moved by the sum of slope (slots, places) times movement, and those that probes contradict."""
    right = np.isfinite(slopes).all(axis=0)
    for probe in probes:
        with np.errstate(invalid="ignore"):
            right &= _equal(base[places] + probe.movement @ slopes, probe.flat[places])
    slot, at = np.nonzero(slopes[:, right])
    kept = places[right]
    found = Influence(kept[at], slot, slopes[:, right][slot, at], np.zeros(len(slot), dtype=np.bool_))
    return found, places[~right]


class NotLearnedError(Exception):
    """Some numbers depend on the uncertain ones in another way; the reason names the variable."""


def influence_of(base: FloatArray, probes: Sequence[Probe]) -> tuple[Influence, IntArray]:
    """What a variable moves, from one or two probes, and the places that move in another way.

    With one slot the movement is known; with several each number belongs to the slot whose movements stand
    in the same ratio as its own changes in the two probes.
    """
    changed = np.flatnonzero(np.logical_or.reduce([_moved(base, probe.flat) for probe in probes]))
    old = base[changed]
    values = [probe.flat[changed] for probe in probes]
    with np.errstate(invalid="ignore"):
        changes = [value - old for value in values]
    one = probes[0].movement
    if len(probes) == 1:
        slot, divides = np.zeros(len(changed), dtype=np.int64), np.zeros(len(changed), dtype=np.bool_)
    else:
        other = probes[1].movement
        slot = _slots(changes[0], changes[1], one, other)
        turned = _slots(changes[0], changes[1], 1.0 / (1.0 + one) - 1.0, 1.0 / (1.0 + other) - 1.0)
        divides = (slot < 0) & (turned >= 0)
        slot = np.where(divides, turned, slot)
    known = (slot >= 0) & np.logical_and.reduce([np.isfinite(change) for change in changes])
    movement = one[slot]
    movement = np.where(divides, 1.0 / (1.0 + np.where(divides, movement, 0.0)) - 1.0, movement)
    with np.errstate(divide="ignore", invalid="ignore"):
        slope = changes[0] / movement
    found = Influence(changed[known], slot[known], slope[known], divides[known])
    return found, changed[~known]


def _moved(base: FloatArray, flat: FloatArray) -> BoolArray:
    with np.errstate(invalid="ignore"):
        close = np.abs(flat - base) <= ROUNDING * np.abs(base)
    same = (flat == base) | (np.isnan(flat) & np.isnan(base))
    return np.asarray(~(same | close), dtype=np.bool_)


def _slots(first: FloatArray, second: FloatArray, one: FloatArray, other: FloatArray) -> IntArray:
    """The slot whose two movements stand in the ratio of the two changes; -1 where none does."""
    with np.errstate(divide="ignore", invalid="ignore"):
        wanted, known = first / second, one / other
        order = np.argsort(known)
        place = np.clip(np.searchsorted(known[order], wanted), 1, max(1, len(known) - 1))
        candidates = np.stack([order[place - 1], order[np.minimum(place, len(known) - 1)]])
        distance = np.abs(known[candidates] / wanted - 1.0)
        nearest = np.where(np.isnan(distance), np.inf, distance).argmin(axis=0)
        best = candidates[nearest, np.arange(len(wanted))]
        close = np.abs(known[best] / wanted - 1.0) < _RATIO
    return np.where(close, best, -1)


class Learned:
    """The numbers of any future as base numbers moved by every variable."""

    def __init__(self, base: World, influences: Sequence[Influence]) -> None:
        self.base, self._flat = base, base.flat()
        self._influences = list(influences)
        self._settle(np.zeros(self._flat.size, dtype=np.bool_))

    def _settle(self, product: BoolArray) -> None:
        for one in self._influences:
            one.product = (product[one.place] | one.multiplies) & (self._flat[one.place] != 0.0)

    def numbers(self, movements: Sequence[FloatArray]) -> FloatArray:
        """The flat vector of a future; a movement (slots,) for each variable."""
        flat, base = self._flat.copy(), self._flat
        active = [
            (one, one.changes(movement))
            for one, movement in zip(self._influences, movements, strict=True)
            if movement.any()
        ]
        for one, moved in active:
            # A variable may move a place through several of its slots, so plain indexing would lose some.
            np.add.at(flat, one.place[~one.product], moved[~one.product])
        for one, moved in active:
            place = one.place[one.product]
            np.multiply.at(flat, place, 1.0 + moved[one.product] / base[place])
        return flat

    def world(self, movements: Sequence[FloatArray]) -> World:
        """A future."""
        return self.base.with_numbers(self.numbers(movements))

    def choose(self, movements: Sequence[Sequence[FloatArray]], flats: Sequence[FloatArray]) -> IntArray:
        """Decide for each number that several variables move whether their moves multiply or add up.

        Gives the places where neither comes out equal to the compiled futures.
        """
        sums = [self.numbers(one) for one in movements]
        self._settle(np.ones(self._flat.size, dtype=np.bool_))
        products = [self.numbers(one) for one in movements]
        right = [
            np.logical_and.reduce([_equal(found, flat) for found, flat in zip(kind, flats, strict=True)])
            for kind in (products, sums)
        ]
        self._settle(right[0])
        return np.flatnonzero(~(right[0] | right[1]))


def _equal(found: FloatArray, flat: FloatArray) -> BoolArray:
    with np.errstate(invalid="ignore"):
        close = np.abs(found - flat) <= TOLERANCE * np.maximum(1.0, np.abs(flat))
    return np.asarray(close | (found == flat) | (np.isnan(found) & np.isnan(flat)), dtype=np.bool_)
