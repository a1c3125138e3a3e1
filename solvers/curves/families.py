"""Families of response curves: value, slope and where convex turns into concave, over arrays of parameters.

Every function takes x >= 0 of shape (k,) and a mapping of parameter names to arrays of shape (k,): entry i of
the answer belongs to entry i of each array. Families with a convex start (S-shapes) are convex up to their
inflection and concave beyond it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from solvers.errors import InvalidProgramError
from solvers.program import BoolArray, FloatArray

Parameters = Mapping[str, FloatArray]
Formula = Callable[[FloatArray, Parameters], FloatArray]
Bend = Callable[[FloatArray, FloatArray, Parameters], FloatArray]
NEVER = np.inf
_NEARLY_ZERO = 1e-100
"""The square of anything smaller is lost."""


@dataclass(frozen=True)
class Family:
    """One formula. `value` and `slope` are vectorised; `inflection` (k,) is where the curve turns from convex
    to concave: 0 for a concave curve. `valid` (k,) says which parameter sets give an increasing curve.
    `smallest` is the least x at which the curve exists: 0, or just above 0 (`open_at_zero`). `sharpest`, that
    not all have, is the largest of 0 and minus the second derivative between two points (k,)."""

    name: str
    parameters: tuple[str, ...]
    value: Formula
    slope: Formula
    inflection: Callable[[Parameters], FloatArray]
    valid: Callable[[Parameters], BoolArray]
    needs: str
    open_at_zero: bool = False
    sharpest: Bend | None = None


def _log(x: FloatArray) -> FloatArray:
    with np.errstate(divide="ignore"):
        logarithm: FloatArray = np.log(x)
    return logarithm


def _concave(parameters: Parameters) -> FloatArray:
    return np.zeros_like(next(iter(parameters.values())))


def _share(x: FloatArray, half: FloatArray, steepness: FloatArray) -> FloatArray:
    # x^s / (half^s + x^s), without overflow.
    share: FloatArray = expit(steepness * (_log(x) - np.log(half)))
    return share


def _share_slope(x: FloatArray, half: FloatArray, steepness: FloatArray) -> FloatArray:
    # s/x share (1 - share); towards 0 it is 0 for s > 1, 1/half for s = 1 and infinite for s < 1.
    exponent = steepness * (_log(x) - np.log(half))
    at_zero = np.where(steepness > 1, 0.0, np.where(steepness == 1, 1.0 / half, np.inf))
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        slope = steepness / x * expit(exponent) * expit(-exponent)
    result: FloatArray = np.where(x > 0, slope, at_zero)
    return result


def _share_inflection(half: FloatArray, steepness: FloatArray) -> FloatArray:
    curved = np.maximum(steepness, 1.0)
    inflection: FloatArray = half * ((curved - 1.0) / (curved + 1.0)) ** (1.0 / curved)
    return inflection


def _share_bend(x: FloatArray, half: FloatArray, steepness: FloatArray) -> FloatArray:
    # Minus the second derivative: s/x^2 share (1 - share) (2 s share - s + 1).
    exponent = steepness * (_log(x) - np.log(half))
    share, rest = expit(exponent), expit(-exponent)
    at_zero = np.where(steepness > 1, 0.0, np.where(steepness == 1, 2.0 / half**2, np.inf))
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        bend = steepness / x**2 * share * rest * (2.0 * steepness * share - steepness + 1.0)
    result: FloatArray = np.where(x > _NEARLY_ZERO, bend, at_zero)
    return result


def _share_sharpest(
    lower: FloatArray, upper: FloatArray, half: FloatArray, steepness: FloatArray
) -> FloatArray:
    # Minus the second derivative falls, grows up to its peak and falls again, so that an interval without the
    # peak has its largest at an end. With z = (x/half)^s, the third derivative is 0 at the peak:
    # (s - 1)(s - 2) - 4 (s^2 - 1) z + (s + 1)(s + 2) z^2 = 0, the larger root.
    curved = np.maximum(steepness**2 - 1.0, 0.0)
    z = (2.0 * curved + steepness * np.sqrt(3.0 * curved)) / ((steepness + 1.0) * (steepness + 2.0))
    peak = np.clip(half * z ** (1.0 / steepness), lower, upper)
    bends = [_share_bend(x, half, steepness) for x in (lower, peak, upper)]
    sharpest: FloatArray = np.maximum(np.maximum(bends[0], bends[1]), np.maximum(bends[2], 0.0))
    return sharpest


HILL = Family(
    "hill",
    ("bottom", "top", "half", "slope"),
    lambda x, p: p["bottom"] + (p["top"] - p["bottom"]) * _share(x, p["half"], p["slope"]),
    lambda x, p: (p["top"] - p["bottom"]) * _share_slope(x, p["half"], p["slope"]),
    lambda p: _share_inflection(p["half"], p["slope"]),
    lambda p: (p["half"] > 0) & (p["slope"] > 0) & (p["top"] >= p["bottom"]),
    "half > 0, slope > 0 and top >= bottom",
    sharpest=lambda a, b, p: (p["top"] - p["bottom"]) * _share_sharpest(a, b, p["half"], p["slope"]),
)
"""bottom + (top - bottom) x^slope / (half^slope + x^slope)."""


def _adbudg_half(p: Parameters) -> FloatArray:
    half: FloatArray = p["divisor"] ** (1.0 / p["exponent"])
    return half


ADBUDG = Family(
    "adbudg",
    ("minimum", "maximum", "exponent", "divisor"),
    lambda x, p: p["minimum"] + (p["maximum"] - p["minimum"]) * _share(x, _adbudg_half(p), p["exponent"]),
    lambda x, p: (p["maximum"] - p["minimum"]) * _share_slope(x, _adbudg_half(p), p["exponent"]),
    lambda p: _share_inflection(_adbudg_half(p), p["exponent"]),
    lambda p: (p["divisor"] > 0) & (p["exponent"] > 0) & (p["maximum"] >= p["minimum"]),
    "divisor > 0, exponent > 0 and maximum >= minimum",
    sharpest=lambda a, b, p: (
        (p["maximum"] - p["minimum"]) * _share_sharpest(a, b, _adbudg_half(p), p["exponent"])
    ),
)
"""minimum + (maximum - minimum) x^exponent / (divisor + x^exponent) (Little 1970)."""

LOGISTIC = Family(
    "logistic",
    ("top", "rate"),
    lambda x, p: p["top"] * np.tanh(0.5 * p["rate"] * x),
    lambda x, p: 2.0 * p["top"] * p["rate"] * expit(p["rate"] * x) * expit(-p["rate"] * x),
    _concave,
    lambda p: (p["top"] >= 0) & (p["rate"] > 0),
    "top >= 0 and rate > 0",
)
"""top (1 - e^(-rate x)) / (1 + e^(-rate x)), concave."""


def _s_logistic_slope(x: FloatArray, p: Parameters) -> FloatArray:
    exponent = p["rate"] * (x - p["middle"])
    slope: FloatArray = p["top"] * p["rate"] * expit(exponent) * expit(-exponent)
    return slope


def _s_logistic_bend(x: FloatArray, p: Parameters) -> FloatArray:
    exponent = p["rate"] * (x - p["middle"])
    share, rest = expit(exponent), expit(-exponent)
    bend: FloatArray = p["top"] * p["rate"] ** 2 * share * rest * (share - rest)
    return bend


def _s_logistic_sharpest(lower: FloatArray, upper: FloatArray, p: Parameters) -> FloatArray:
    # The third derivative of 1/(1 + e^-z) is 0 at z = +-ln(2 + sqrt 3); the larger one is the peak.
    peak = np.clip(p["middle"] + np.log(2.0 + np.sqrt(3.0)) / p["rate"], lower, upper)
    bends = [_s_logistic_bend(x, p) for x in (lower, peak, upper)]
    sharpest: FloatArray = np.maximum(np.maximum(bends[0], bends[1]), np.maximum(bends[2], 0.0))
    return sharpest


S_LOGISTIC = Family(
    "s_logistic",
    ("top", "rate", "middle"),
    lambda x, p: p["top"] * (expit(p["rate"] * (x - p["middle"])) - expit(-p["rate"] * p["middle"])),
    _s_logistic_slope,
    lambda p: np.maximum(p["middle"], 0.0),
    lambda p: (p["top"] >= 0) & (p["rate"] > 0),
    "top >= 0 and rate > 0",
    sharpest=_s_logistic_sharpest,
)
"""top (1/(1 + e^(-rate (x - middle))) - 1/(1 + e^(rate middle))), 0 at 0."""

LOG = Family(
    "log",
    ("intercept", "scale"),
    lambda x, p: p["intercept"] + p["scale"] * _log(x),
    lambda x, p: p["scale"] / x,
    _concave,
    lambda p: p["scale"] >= 0,
    "scale >= 0",
    open_at_zero=True,
)
"""intercept + scale ln x, for x above 0 only."""

LOG1P = Family(
    "log1p",
    ("scale", "unit"),
    lambda x, p: p["scale"] * np.log1p(x / p["unit"]),
    lambda x, p: p["scale"] / (p["unit"] + x),
    _concave,
    lambda p: (p["scale"] >= 0) & (p["unit"] > 0),
    "scale >= 0 and unit > 0",
)
"""scale ln(1 + x/unit)."""


def _power_slope(x: FloatArray, p: Parameters) -> FloatArray:
    with np.errstate(divide="ignore"):
        slope: FloatArray = p["scale"] * p["exponent"] * x ** (p["exponent"] - 1.0)
    return slope


POWER = Family(
    "power",
    ("scale", "exponent"),
    lambda x, p: p["scale"] * x ** p["exponent"],
    _power_slope,
    _concave,
    lambda p: (p["scale"] >= 0) & (p["exponent"] > 0) & (p["exponent"] <= 1),
    "scale >= 0 and 0 < exponent <= 1",
)
"""scale x^exponent, concave for 0 < exponent <= 1."""

MICHAELIS_MENTEN = Family(
    "michaelis_menten",
    ("top", "half"),
    lambda x, p: p["top"] * x / (p["half"] + x),
    lambda x, p: p["top"] * p["half"] / (p["half"] + x) ** 2,
    _concave,
    lambda p: (p["top"] >= 0) & (p["half"] > 0),
    "top >= 0 and half > 0",
)
"""top x / (half + x)."""

LINEAR = Family(
    "linear",
    ("slope",),
    lambda x, p: p["slope"] * x,
    lambda x, p: p["slope"] + 0.0 * x,
    _concave,
    lambda p: p["slope"] >= 0,
    "slope >= 0",
    sharpest=lambda a, b, p: 0.0 * a,
)
"""slope x."""

SMOOTH = (HILL, LOGISTIC, S_LOGISTIC, LOG, LOG1P, POWER, ADBUDG, MICHAELIS_MENTEN, LINEAR)
FAMILIES: dict[str, Family] = {family.name: family for family in SMOOTH}
POINTS = "points"


def family_of(name: str) -> Family:
    """The smooth family of this name; raises `InvalidProgramError` for an unknown one."""
    if name not in FAMILIES:
        known = ", ".join((*FAMILIES, POINTS))
        raise InvalidProgramError(f"there is no curve family {name!r}; there are {known}")
    return FAMILIES[name]
