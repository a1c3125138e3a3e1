"""Samples: uniform numbers that cover the unit cube evenly, with the rank correlation that is asked."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from optimizer.errors import InputError, Place

FloatArray = NDArray[np.float64]


def uniforms(seed: int, samples: int, columns: int, method: str, place: Place | None = None) -> FloatArray:
    """Uniform numbers in (0, 1), shape (samples, columns); the same seed gives the same bytes.

    Latin hypercube (McKay, Beckman & Conover 1979) or scrambled Sobol points. Raises `InputError` where the
    number of Sobol points is no power of two.
    """
    from scipy.stats import qmc

    if columns == 0:
        return np.zeros((samples, 0))
    generator = np.random.Generator(np.random.PCG64(seed))
    if method == "sobol":
        power = samples.bit_length() - 1
        if samples != 1 << power:
            near = f"{1 << power}, {1 << (power + 1)}"
            raise InputError("risk.sobol_power", place, count=samples, nearest=near)
        points = qmc.Sobol(columns, rng=generator).random_base2(power)
    else:
        points = qmc.LatinHypercube(columns, rng=generator).random(samples)
    # The ends have no finite quantile of a normal number.
    return np.clip(np.asarray(points, dtype=np.float64), 1e-12, 1.0 - 1e-12)


def correlated(points: FloatArray, correlation: FloatArray) -> FloatArray:
    """The points (N, d), each column in an order in which the ranks correlate as asked (d, d).

    Scores of each column are turned by P Q^-1, with P the Cholesky factor of the asked correlation and Q that
    of the scores; each column takes the ranks of its turned scores, so that its values stay as they are.
    Source: Iman & Conover 1982.
    """
    from scipy.special import ndtri

    count, columns = points.shape
    if columns < 2 or np.array_equal(correlation, np.eye(columns)) or count <= columns + 1:
        return points
    ranks = points.argsort(axis=0, kind="stable").argsort(axis=0, kind="stable")
    scores = ndtri((ranks + 1.0) / (count + 1.0))
    found = np.linalg.cholesky(np.corrcoef(scores, rowvar=False))
    wanted = np.linalg.cholesky(_pearson_of_ranks(correlation))
    turned = scores @ np.linalg.inv(found).T @ wanted.T
    order = turned.argsort(axis=0, kind="stable").argsort(axis=0, kind="stable")
    return np.take_along_axis(np.sort(points, axis=0), order, axis=0)


def _pearson_of_ranks(correlation: FloatArray) -> FloatArray:
    """Correlation of normal scores whose ranks correlate as asked: 2 sin(pi r / 6), made positive."""
    wanted = 2.0 * np.sin(np.pi * correlation / 6.0)
    np.fill_diagonal(wanted, 1.0)
    values, vectors = np.linalg.eigh(wanted)
    if values.min() > 1e-8:
        return np.asarray(wanted, dtype=np.float64)
    mended = (vectors * np.maximum(values, 1e-8)) @ vectors.T
    scale = np.sqrt(np.diag(mended))
    return np.asarray(mended / np.outer(scale, scale), dtype=np.float64)


def check_correlation(matrix: FloatArray, place: Place) -> None:
    """Raise `InputError` unless the matrix can be a correlation: symmetric, ones on the diagonal, no negative
    direction."""
    symmetric = matrix.ndim == 2 and matrix.shape[0] == matrix.shape[1] and np.allclose(matrix, matrix.T)
    if not symmetric or not np.allclose(np.diag(matrix), 1.0) or np.abs(matrix).max() > 1.0:
        raise InputError("risk.matrix_form", place)
    if float(np.linalg.eigvalsh(matrix).min()) < -1e-9:
        raise InputError("risk.matrix_impossible", place)
