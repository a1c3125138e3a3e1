"""Samples and distributions: the same seed the same bytes, margins and correlations as asked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from optimizer.errors import InputError
from optimizer.plan.source import Source
from scenarios.base import Base
from scenarios.risk.distributions import distribution_of
from scenarios.risk.riskfile import Risk
from scenarios.risk.sampling import correlated, uniforms

SOURCE = Source("risk.yaml")
U = np.linspace(0.01, 0.99, 33)


def of(value: Any, folder: Path = Path()) -> Any:
    """The distribution of a written value."""
    return distribution_of(value, SOURCE, ("uncertain", 0, "multiply"), folder)


@pytest.mark.parametrize("method", ["latin_hypercube", "sobol"])
def test_the_same_seed_gives_the_same_bytes(method: str) -> None:
    """Samples are equal byte for byte for one seed, and others for another."""
    one, other = (uniforms(seed, 64, 5, method) for seed in (3, 4))
    assert one.tobytes() == uniforms(3, 64, 5, method).tobytes()
    assert one.tobytes() != other.tobytes()


def test_a_latin_hypercube_has_one_point_in_each_slice() -> None:
    """Every margin is covered evenly, also after the columns were brought into a correlated order."""
    points = uniforms(1, 100, 3, "latin_hypercube")
    for found in (points, correlated(points, np.full((3, 3), 0.5) + 0.5 * np.eye(3))):
        slices = np.sort((found * 100).astype(int), axis=0)
        assert (slices == np.arange(100)[:, None]).all()


def test_ranks_correlate_as_asked() -> None:
    """Iman and Conover bring the rank correlation within 0.02 at 2,000 samples."""
    asked = np.array([[1.0, 0.8, 0.0], [0.8, 1.0, -0.3], [0.0, -0.3, 1.0]])
    found = stats.spearmanr(correlated(uniforms(1, 2000, 3, "latin_hypercube"), asked)).statistic
    assert np.abs(found - asked).max() < 0.02


def test_sobol_points_come_in_powers_of_two() -> None:
    """Another number of points is refused with the nearest powers."""
    with pytest.raises(InputError, match="64, 128"):
        uniforms(1, 100, 2, "sobol")


@pytest.mark.parametrize(
    ("written", "known"),
    [
        ({"distribution": "normal", "mean": 1, "deviation": 0.1}, stats.norm(1, 0.1)),
        ({"distribution": "uniform", "low": 2, "high": 5}, stats.uniform(2, 3)),
        ({"distribution": "triangular", "low": 0, "likely": 1, "high": 4}, stats.triang(0.25, 0, 4)),
        ({"low": 0, "likely": 1, "high": 4}, stats.beta(2, 4, 0, 4)),
        ({"distribution": "pert", "low": 0, "likely": 1, "high": 4}, stats.beta(2, 4, 0, 4)),
        ({"distribution": "beta", "alpha": 2, "beta": 3, "low": 1, "high": 5}, stats.beta(2, 3, 1, 4)),
        ({"distribution": "beta", "alpha": 2, "beta": 3}, stats.beta(2, 3)),
        (
            {"distribution": "lognormal", "mean": 1.0, "deviation": 0.2},
            stats.lognorm(np.sqrt(np.log(1.04)), 0, 1 / np.sqrt(1.04)),
        ),
    ],
)
def test_quantiles_are_those_of_the_distribution(written: dict[str, Any], known: Any) -> None:
    """Each distribution has the quantiles that SciPy gives for it."""
    assert of(written).quantile(U) == pytest.approx(known.ppf(U))


MEANS: list[tuple[dict[str, Any], float, float]] = [
    ({"distribution": "normal", "mean": 1, "deviation": 0.1}, 1.0, 0.1),
    ({"distribution": "lognormal", "mean": 1.0, "deviation": 0.2}, 1.0, 0.2),
    ({"distribution": "triangular", "low": 0, "likely": 1, "high": 4}, 5 / 3, np.sqrt(13 / 18)),
    ({"distribution": "pert", "low": 0, "likely": 1, "high": 4}, (0 + 4 * 1 + 4) / 6, np.sqrt(16 * 8 / (36 * 7))),
    ({"distribution": "uniform", "low": 2, "high": 5}, 3.5, 3 / np.sqrt(12)),
    ({"distribution": "beta", "alpha": 2, "beta": 3, "low": 1, "high": 5}, 1 + 4 * 0.4, 4 * 0.2),
    ({"distribution": "discrete", "values": {"0": 0.2, "1": 0.5, "2": 0.3}}, 1.1, 0.7),
    # Straight lines between 1, 2 and 6: (1 + 2) / 2 and (2 + 6) / 2 with one half each.
    ({"distribution": "empirical", "file": "seen.csv", "column": "rate"}, 2.75, np.sqrt(9.8333333 - 2.75**2)),
]  # fmt: skip


@pytest.mark.parametrize("method", ["latin_hypercube", "sobol"])
@pytest.mark.parametrize(("written", "mean", "deviation"), MEANS, ids=[m[0]["distribution"] for m in MEANS])
def test_samples_have_the_mean_and_deviation_of_their_distribution(
    tmp_path: Path, written: dict[str, Any], mean: float, deviation: float, method: str
) -> None:
    """Every distribution that a risk file can name, drawn 4,096 times, against its closed form."""
    (tmp_path / "seen.csv").write_text("rate\n6\n1\n2\n")
    drawn = of(written, tmp_path).quantile(uniforms(1, 4_096, 1, method)[:, 0])
    assert drawn.mean() == pytest.approx(mean, abs=2e-3 * deviation)
    assert drawn.std() == pytest.approx(deviation, rel=5e-3)


def test_discrete_and_empirical_values(tmp_path: Path) -> None:
    """Discrete values come with their probabilities; empirical ones from the column of a file."""
    found = of({"distribution": "discrete", "values": {"0": 0.2, "1": 0.5, "2": 0.3}})
    assert found.quantile(np.array([0.1, 0.2001, 0.69, 0.71, 0.99])).tolist() == [0, 1, 1, 2, 2]
    (tmp_path / "seen.csv").write_text("rate\n1\n2\n3\n")
    seen = of({"distribution": "empirical", "file": "seen.csv", "column": "rate"}, tmp_path)
    assert seen.quantile(np.array([0.0, 0.25, 1.0])).tolist() == [1.0, 1.5, 3.0]


@pytest.mark.parametrize(
    ("written", "word"),
    [
        (3, "low, likely and high"),
        ({"distribution": "gaussian", "mean": 1}, "no distribution"),
        ({"low": 1, "high": 2}, "likely"),
        ({"low": 3, "likely": 2, "high": 4}, "contradict"),
        ({"distribution": "normal", "mean": 1, "deviation": -1}, "contradict"),
        ({"distribution": "beta", "alpha": 0, "beta": 1}, "contradict"),
        ({"distribution": "discrete", "values": {"1": 0.5}}, "add up to 0.5"),
        ({"distribution": "discrete", "values": [1]}, "map"),
    ],
)
def test_what_is_no_distribution_is_refused(written: Any, word: str) -> None:
    """The message names what is wrong."""
    with pytest.raises(InputError, match=word):
        of(written)


def test_numbers_of_one_category_move_together(
    small: Callable[..., Base], risk_file: Callable[..., Risk]
) -> None:
    """By default numbers of one category have a medium correlation, others none; exceptions are by name."""
    uncertain = [
        {
            "table": "markets",
            "column": "potential",
            "each": "region",
            "multiply": {"low": 0.8, "likely": 1, "high": 1.1},
        },
        {"table": "markets", "column": "price", "multiply": {"low": 0.9, "likely": 1, "high": 1.1}},
    ]
    base = small()
    plain = risk_file(base, uncertain=uncertain)
    assert [one.name for one in plain.variables] == [
        "markets.potential East",
        "markets.potential West",
        "markets.price",
    ]
    assert plain.correlation.tolist() == [[1, 0.5, 0], [0.5, 1, 0], [0, 0, 1]]
    together = [{"names": ["markets.potential", "markets.price"], "strength": "strong"}]
    strong = risk_file(base, uncertain=uncertain, move_together=together)
    assert strong.correlation[2].tolist() == [0.8, 0.8, 1]
    given = {"names": ["markets.price", "markets.potential West"], "values": [[1, -0.4], [-0.4, 1]]}
    assert risk_file(base, uncertain=uncertain, correlation=given).correlation[1, 2] == -0.4


@pytest.mark.parametrize(
    ("spec", "word"),
    [
        ({"uncertain": "whatever"}, "from low/likely/high"),
        ({"uncertain": "from low/likely/high columns"}, "no table has a column"),
        ({"uncertain": [{"table": "market", "column": "price", "multiply": 1}]}, "market"),
        ({"uncertain": [{"table": "markets", "column": "price"}]}, "exactly one of"),
        ({"uncertain": [{"table": "markets", "shift": {"low": 0, "likely": 0, "high": 1}}]}, "profiles"),
        ({}, "nothing is uncertain"),
        ({"events": [{"name": "x", "probability": 0.1}]}, "exactly one thing"),
        ({"events": [{"name": "x", "each": "seller", "probability": 0.1}]}, "needs the table sellers"),
        ({"events": [{"name": "x", "probability": 0.1, "probability_year": 0.1, "changes": [{"currency": "X"}]}]}, "exactly one of"),
    ],
)  # fmt: skip
def test_what_a_risk_file_cannot_say(
    small: Callable[..., Base], risk_file: Callable[..., Risk], spec: dict[str, Any], word: str
) -> None:
    """Each error says what is wrong."""
    with pytest.raises(InputError, match=word):
        risk_file(small(), **spec)


def test_an_impossible_correlation_is_refused(
    small: Callable[..., Base], risk_file: Callable[..., Risk]
) -> None:
    """A matrix with a negative direction is no correlation."""
    uncertain = [
        {"table": "markets", "column": column, "multiply": {"low": 0.8, "likely": 1, "high": 1.1}}
        for column in ("potential", "price", "margin_rate")
    ]
    names = ["markets.potential", "markets.price", "markets.margin_rate"]
    values = [[1, 0.9, -0.9], [0.9, 1, 0.9], [-0.9, 0.9, 1]]
    with pytest.raises(InputError, match="negative direction"):
        risk_file(small(), uncertain=uncertain, correlation={"names": names, "values": values})
