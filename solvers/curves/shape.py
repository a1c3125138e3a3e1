"""Where a curve bends which way on an interval, and how a sum is split into curves that bend simply."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from solvers.curves.definition import Curve, Part
from solvers.curves.families import POINTS, family_of


@dataclass(frozen=True)
class Shape:
    """A curve on [edges[0], edges[-1]], concave or convex on each piece between two edges."""

    curve: Curve
    edges: tuple[float, ...]
    concave: tuple[bool, ...]

    def turned_over(self) -> Shape:
        """The shape of minus the curve."""
        curve = self.curve.scaled(times=-1.0)
        if any(part.family == POINTS for part in curve.parts):
            (turned,) = split(curve, self.edges[0], self.edges[-1])
            return turned
        return Shape(curve, self.edges, tuple(not bend for bend in self.concave))


def split(curve: Curve, lower: float, upper: float) -> list[Shape]:
    """Curves with few bends whose sum is `curve` on [lower, upper].

    Parts that are concave throughout are added up to one, so are those that are convex throughout; every part
    that bends both ways stays alone, because the bends of a sum of such parts have no closed form.
    """
    linear: list[Part] = []
    concave: list[Part] = []
    convex: list[Part] = []
    mixed: list[Shape] = []
    for part in curve.parts:
        edges, bends = _bends(part, lower / curve.per, upper / curve.per, part.weight * curve.times < 0)
        if part.family == "linear":
            linear.append(part)
        elif part.family == POINTS:
            mixed.append(
                Shape(replace(curve, parts=(part,)), _in_units(edges, lower, upper, curve.per), bends)
            )
        elif bends == (True,):
            concave.append(part)
        elif bends == (False,):
            convex.append(part)
        else:
            mixed.append(
                Shape(replace(curve, parts=(part,)), _in_units(edges, lower, upper, curve.per), bends)
            )
    shapes = list(mixed)
    for parts, bend in ((concave, True), (convex, False)):
        if parts:
            shapes.append(Shape(replace(curve, parts=tuple(parts)), (lower, upper), (bend,)))
    if not shapes:
        return [Shape(curve, (lower, upper), (True,))]
    # A straight line bends nothing, so it joins any of them.
    shapes[0] = replace(shapes[0], curve=replace(shapes[0].curve, parts=(*shapes[0].curve.parts, *linear)))
    return shapes


def _in_units(edges: tuple[float, ...], lower: float, upper: float, per: float) -> tuple[float, ...]:
    return (lower, *(edge * per for edge in edges[1:-1]), upper)


def _bends(
    part: Part, lower: float, upper: float, negative: bool
) -> tuple[tuple[float, ...], tuple[bool, ...]]:
    if part.family == POINTS:
        return _bends_of_points(part, lower, upper, negative)
    parameters = {name: np.array([value], dtype=float) for name, value in part.parameters.items()}
    turn = float(family_of(part.family).inflection(parameters)[0])
    if turn <= lower:
        return (lower, upper), (not negative,)
    if turn >= upper:
        return (lower, upper), (negative,)
    return (lower, turn, upper), (negative, not negative)


def _bends_of_points(
    part: Part, lower: float, upper: float, negative: bool
) -> tuple[tuple[float, ...], tuple[bool, ...]]:
    if lower == upper:
        return (lower, upper), (True,)
    # Between the kinks at which the slope grows, straight lines between points are concave.
    x, y = (np.asarray(part.parameters[name], dtype=float) for name in ("x", "y"))
    kinks = np.concatenate([[lower], x[(x > lower) & (x < upper)], [upper]])
    rates = np.diff(np.interp(kinks, x, -y if negative else y)) / np.diff(kinks)
    grows = np.flatnonzero(np.diff(rates) > 0) + 1
    return (lower, *kinks[grows].tolist(), upper), (True,) * (grows.size + 1)
