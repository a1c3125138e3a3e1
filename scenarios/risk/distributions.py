"""Distributions of uncertain numbers, each by its quantile: one uniform number gives one value."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from optimizer.errors import InputError, Place
from optimizer.io.paths import resolve_inside
from optimizer.plan.names import nearest
from optimizer.plan.source import KeyPath, Source
from scenarios.rows import number_at

FloatArray = NDArray[np.float64]

TRIPLE = ("low", "likely", "high")
PARAMETERS: dict[str, tuple[str, ...]] = {
    "normal": ("mean", "deviation"),
    "lognormal": ("mean", "deviation"),
    "triangular": TRIPLE,
    "pert": TRIPLE,
    "uniform": ("low", "high"),
    "beta": ("alpha", "beta", "low", "high"),
    "discrete": ("values",),
    "empirical": ("file", "column"),
}
"""Distribution -> what it needs. Mean and deviation of lognormal are those of the number itself."""
_PERT_WEIGHT = 4.0


@dataclass(frozen=True)
class Distribution:
    """`quantile` maps uniforms (N,) to values (N,), or (N, rows) for a triple a row; `likely` as planned."""

    name: str
    quantile: Callable[[FloatArray], FloatArray]
    likely: float


def distribution_of(value: Any, source: Source, path: KeyPath, folder: Path) -> Distribution:
    """The distribution that a risk file writes: `{low, likely, high}` (PERT) or `{distribution: name, ...}`.

    Raises `InputError` with the place for unknown names, missing or contradictory parameters.
    """
    place = source.place(path, value)
    if not isinstance(value, Mapping):
        raise InputError("risk.distribution_form", place)
    name = str(value.get("distribution", "pert"))
    if name not in PARAMETERS:
        near = nearest(name, PARAMETERS, 1)
        raise InputError("risk.distribution_unknown", place, name=name, nearest=near)
    given, wanted = set(value) - {"distribution"}, set(PARAMETERS[name])
    if name == "beta":
        wanted = {"alpha", "beta"} | (given & {"low", "high"})
    if given != wanted:
        missing = ", ".join(sorted(wanted ^ given))
        raise InputError(
            "risk.distribution_parameters", place, name=name, found=missing, known=", ".join(wanted)
        )
    if name == "discrete":
        return _discrete(value["values"], source, (*path, "values"))
    if name == "empirical":
        return _empirical(str(value["file"]), str(value["column"]), folder, place)
    numbers = {key: number_at(value[key], source.place((*path, key), value[key])) for key in given}
    return _parametric(name, numbers, place)


def _parametric(name: str, at: Mapping[str, float], place: Place) -> Distribution:
    from scipy import stats

    if name in ("normal", "lognormal"):
        mean, deviation = at["mean"], at["deviation"]
        if deviation < 0.0 or (name == "lognormal" and mean <= 0.0):
            raise InputError("risk.distribution_order", place, name=name)
        if name == "normal":
            return Distribution(name, lambda u: mean + deviation * _normal(u), mean)
        spread = float(np.sqrt(np.log1p((deviation / mean) ** 2)))
        centre = float(np.log(mean) - spread**2 / 2.0)
        return Distribution(name, lambda u: np.exp(centre + spread * _normal(u)), mean)
    low, high = at.get("low", 0.0), at.get("high", 1.0)
    likely = at.get("likely", (low + high) / 2.0)
    if not low <= likely <= high or (name == "beta" and min(at["alpha"], at["beta"]) <= 0.0):
        raise InputError("risk.distribution_order", place, name=name)
    if name == "uniform":
        return Distribution(name, lambda u: low + (high - low) * u, likely)
    if name == "beta":
        shape = stats.beta(at["alpha"], at["beta"])
        return Distribution(
            name,
            lambda u: low + (high - low) * np.asarray(shape.ppf(u)),
            low + (high - low) * float(shape.mean()),
        )
    triple = pert if name == "pert" else triangular
    ends = tuple(np.array(value) for value in (low, likely, high))
    return Distribution(name, lambda u: triple(u, *ends), likely)


def _normal(u: FloatArray) -> FloatArray:
    from scipy.special import ndtri

    return np.asarray(ndtri(u), dtype=np.float64)


def pert(u: FloatArray, low: FloatArray, likely: FloatArray, high: FloatArray) -> FloatArray:
    """Quantiles of PERT, a beta with mean (low + 4 likely + high) / 6 (Malcolm et al. 1959)."""
    from scipy.special import betaincinv

    width = high - low
    share = np.divide(likely - low, width, out=np.full(np.shape(width), 0.5), where=width > 0)
    first, second = 1.0 + _PERT_WEIGHT * share, 1.0 + _PERT_WEIGHT * (1.0 - share)
    return np.asarray(low + width * betaincinv(first, second, u), dtype=np.float64)


def triangular(u: FloatArray, low: FloatArray, likely: FloatArray, high: FloatArray) -> FloatArray:
    """Quantiles of the triangle between low and high with its top at likely."""
    width = high - low
    share = np.divide(likely - low, width, out=np.full(np.shape(width), 0.5), where=width > 0)
    left = low + np.sqrt(u * width * (likely - low))
    right = high - np.sqrt((1.0 - u) * width * (high - likely))
    return np.asarray(np.where(u <= share, left, right), dtype=np.float64)


def _discrete(values: Any, source: Source, path: KeyPath) -> Distribution:
    """Value -> probability; the probabilities add up to 1."""
    place = source.place(path)
    if not isinstance(values, Mapping) or not values:
        raise InputError("risk.discrete_form", place)
    amounts = np.array([number_at(value, source.place((*path, value), value)) for value in values])
    shares = np.array(
        [number_at(share, source.place((*path, value), share)) for value, share in values.items()]
    )
    if (shares < 0).any() or abs(float(shares.sum()) - 1.0) > 1e-9:
        raise InputError("risk.discrete_sum", place, total=f"{float(shares.sum()):g}")
    order = np.argsort(amounts)
    edges, sorted_amounts = np.cumsum(shares[order]), amounts[order]
    top = len(amounts) - 1

    def quantile(u: FloatArray) -> FloatArray:
        return sorted_amounts[np.minimum(np.searchsorted(edges - 1e-12, u, side="right"), top)]

    return Distribution("discrete", quantile, float(amounts[int(shares.argmax())]))


def _empirical(file: str, column: str, folder: Path, place: Place) -> Distribution:
    """The values of a column of a CSV, each as likely as its neighbours, with straight lines between them."""
    from optimizer.io.cells import read_cells

    cells = read_cells(resolve_inside(folder, file, place), shown=file)
    if column not in cells.header:
        raise InputError("plan.unknown_column", place, table=file, nearest=nearest(column, cells.header))
    numbers, unreadable = cells.numbers(column)
    if unreadable:
        raise cells.number_error(column, unreadable[0])
    known = np.sort(numbers[~np.isnan(numbers)])
    if known.size < 2:
        raise InputError("risk.empirical_short", place, count=known.size)
    return Distribution("empirical", lambda u: np.quantile(known, u), float(np.median(known)))
