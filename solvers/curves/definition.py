"""One response curve: a weighted sum of parts, each of one family, with its own units of input and output."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from solvers.curves.families import POINTS, family_of
from solvers.errors import InvalidProgramError

Number = float | Sequence[float]
DEFAULTS: dict[str, dict[str, float]] = {
    "hill": {"bottom": 0.0, "slope": 1.0},
    "adbudg": {"minimum": 0.0},
    "log1p": {"unit": 1.0},
    "log": {"intercept": 0.0},
}


@dataclass(frozen=True)
class Part:
    """`weight` times one family with its parameters; `points` has the sequences `x` and `y`."""

    family: str
    parameters: Mapping[str, Number]
    weight: float = 1.0

    def __post_init__(self) -> None:
        """Validate once; raises `InvalidProgramError` that names family and parameter."""
        if not np.isfinite(self.weight):
            raise InvalidProgramError(f"the weight of a {self.family} curve is {self.weight!r}")
        if self.family == POINTS:
            _check_points(self.parameters)
        else:
            self._check_smooth()

    def _check_smooth(self) -> None:
        family = family_of(self.family)
        given = {**DEFAULTS.get(self.family, {}), **self.parameters}
        wrong = set(given) ^ set(family.parameters)
        if wrong:
            raise InvalidProgramError(
                f"a {self.family} curve has the parameters {', '.join(family.parameters)}; "
                f"missing or unknown: {', '.join(sorted(wrong))}"
            )
        arrays = {name: np.array([value], dtype=float) for name, value in given.items()}
        finite = all(np.isfinite(array).all() for array in arrays.values())
        if not finite or not bool(family.valid(arrays)[0]):
            figures = ", ".join(f"{name} = {value!r}" for name, value in given.items())
            raise InvalidProgramError(f"a {self.family} curve needs {family.needs}; here {figures}")
        object.__setattr__(self, "parameters", given)


@dataclass(frozen=True)
class Curve:
    """times * sum of parts at x / per.

    `per` states the unit of x (1000: the parts count in thousands), `times` that of the answer. A number of
    equal periods that share x evenly is `per = times = periods`.
    """

    parts: tuple[Part, ...]
    per: float = 1.0
    times: float = 1.0
    open_at_zero: bool = field(init=False, default=False)

    def __post_init__(self) -> None:
        """Raises `InvalidProgramError` without parts or with unusable units."""
        if not self.parts:
            raise InvalidProgramError("a curve needs at least one part")
        if not (np.isfinite(self.per) and self.per > 0 and np.isfinite(self.times)):
            raise InvalidProgramError(f"a curve counts per {self.per!r} and times {self.times!r}")
        smooth = [family_of(part.family) for part in self.parts if part.family != POINTS]
        object.__setattr__(self, "open_at_zero", any(family.open_at_zero for family in smooth))

    def scaled(self, per: float = 1.0, times: float = 1.0) -> Curve:
        """The curve times * f(x / per)."""
        return replace(self, per=self.per * per, times=self.times * times)


def curve(family: str, *, weight: float = 1.0, **parameters: Number) -> Curve:
    """A curve of one part: `curve("hill", top=500, half=30, slope=2)`. Raises `InvalidProgramError`."""
    return Curve((Part(family, parameters, weight),))


def total(*curves: Curve) -> Curve:
    """The sum of curves as one curve; raises `InvalidProgramError` where their units of input differ."""
    if len({one.per for one in curves}) > 1:
        raise InvalidProgramError("curves can be added only where they count x in the same unit")
    parts = [replace(part, weight=part.weight * one.times) for one in curves for part in one.parts]
    return Curve(tuple(parts), per=curves[0].per if curves else 1.0)


def _check_points(parameters: Mapping[str, Number]) -> None:
    if set(parameters) != {"x", "y"}:
        raise InvalidProgramError(
            f"a points curve has the parameters x, y; here {', '.join(sorted(parameters))}"
        )
    x, y = (np.asarray(parameters[name], dtype=float) for name in ("x", "y"))
    if x.ndim != 1 or x.shape != y.shape or x.size < 2:
        raise InvalidProgramError("a points curve needs x and y of one length of at least 2")
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise InvalidProgramError("a points curve holds a number that is not finite")
    if (np.diff(x) <= 0).any() or (np.diff(y) < 0).any():
        raise InvalidProgramError("a points curve needs x that grows and y that does not fall")
