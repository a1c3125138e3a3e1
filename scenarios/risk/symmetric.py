"""Uncertain numbers that are bounded, symmetric about the plan's own, and independent of each other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from optimizer.errors import InputError
from optimizer.plan.names import nearest
from scenarios.risk.riskfile import Risk
from scenarios.risk.schema import RobustSpec
from scenarios.risk.uncertain import Variable

FloatArray = NDArray[np.float64]

TRIED = np.array([0.0, 0.03, 0.11, 0.25, 0.4])
"""Uniform numbers at which a distribution is compared with its mirror image."""
SAME = 1e-6


@dataclass(frozen=True)
class Symmetric:
    """One number: amounts at both ends of its range, and z in [-1, 1] of a uniform number."""

    name: str
    place: int
    low: FloatArray
    high: FloatArray
    variable: Variable

    def z(self, u: FloatArray) -> FloatArray:
        """Where between its ends the number lies (N,), from -1 to 1."""
        at = int(np.argmax(self.high - self.low))
        middle, half = (self.high[at] + self.low[at]) / 2.0, (self.high[at] - self.low[at]) / 2.0
        values = np.array([self.variable.amounts(float(one))[at] for one in u])
        return np.asarray((values - middle) / half, dtype=np.float64)


def symmetric_numbers(risk: Risk, spec: RobustSpec) -> list[Symmetric]:
    """The numbers of a risk file against which is protected, all of them unless named.

    Raises `InputError` for a number without ends, one that is not symmetric about the plan's own, and two
    that move together.
    """
    names = [variable.name for variable in risk.variables]
    for at, name in enumerate(spec.numbers):
        if not any(known.startswith(name) for known in names):
            place = risk.source.place(("robust", "numbers", at), name)
            raise InputError("risk.name_unknown", place, name=name, nearest=nearest(name, names))
    places = [
        at
        for at, name in enumerate(names)
        if not spec.numbers or any(name.startswith(one) for one in spec.numbers)
    ]
    if not places:
        raise InputError("robust.nothing", risk.source.place(("robust",)))
    found = [_symmetric(risk, at) for at in places]
    together = np.abs(risk.correlation[np.ix_(places, places)] - np.eye(len(places))) > 0.0
    if together.any():
        one, other = np.argwhere(together)[0].tolist()
        raise InputError(
            "robust.together", risk.source.place(("robust",)),
            one=found[one].name, other=found[other].name,
        )  # fmt: skip
    return found


def _symmetric(risk: Risk, place: int) -> Symmetric:
    variable = risk.variables[place]
    name, where = variable.name, risk.source.place(("robust",))
    low, high = variable.amounts(0.0), variable.amounts(1.0)
    if variable.action == "shift" or not (np.isfinite(low).all() and np.isfinite(high).all()):
        raise InputError("robust.no_ends", where, name=name)
    middle = (low + high) / 2.0
    width = np.maximum(high - low, 1e-300)
    mirrored = [variable.amounts(float(u)) + variable.amounts(float(1.0 - u)) for u in TRIED]
    same = all((np.abs(one / 2.0 - middle) <= SAME * width).all() for one in mirrored)
    if not same or (np.abs(middle - _own(risk, variable)) > SAME * width).any():
        raise InputError("robust.not_symmetric", where, name=name)
    return Symmetric(name, place, low, high, variable)


def _own(risk: Risk, variable: Variable) -> FloatArray:
    """The amount at which a number is the plan's own."""
    if variable.action == "set":
        values = risk.base.content.tables[variable.table].numbers(variable.column)
        return np.asarray(values[variable.rows], dtype=np.float64)
    return np.array([1.0 if variable.action == "multiply" else 0.0])
