"""Published cases with curves: the published value, and never a plan that the publishers' solvers call optimal by mistake."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import sparse

from solvers.curves import Curve, CurveProgram, CurveTerm, Part, curve, solve_curves
from solvers.program import LinearProgram
from solvers.result import Reason

Allocate = Callable[..., CurveProgram]


@pytest.fixture(scope="module")
def case(shared: Path) -> Callable[[str], dict[str, Any]]:
    """A function that reads a published case by the beginning of its file name."""

    def read(number: str) -> dict[str, Any]:
        (path,) = (shared / "cases" / "curves").glob(f"{number}_*.json")
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return found

    return read


def weekly_hill(channel: dict[str, Any], weeks: int) -> Curve:
    """Equal weeks that share a year's spend."""
    hill = curve(
        "hill",
        top=channel["top"],
        bottom=channel["bottom"],
        half=channel["saturation"],
        slope=channel["slope"],
    )
    return hill.scaled(per=weeks, times=weeks)


@pytest.mark.parametrize("number", ["01", "03"])
def test_even_weeks_with_hill_curves(
    case: Callable[[str], dict[str, Any]], allocate: Allocate, number: str
) -> None:
    """The published split of a million over channels, with and without bounds."""
    data = case(number)
    channels = data["channels"]
    program = allocate(
        [weekly_hill(channel, data["weeks"]) for channel in channels],
        [channel["upper"] for channel in channels],
        data["budget"],
        lower=[channel["lower"] for channel in channels],
        exactly=True,
    )
    result = solve_curves(program)
    published = data["verified"]
    assert result.gap is not None and result.gap <= 1e-6
    assert result.value == pytest.approx(published["objective"], rel=1e-6)
    np.testing.assert_allclose(result.values[: len(channels)], published["x"], atol=1e-3 * data["budget"])


def test_bounded_channels_without_their_bounds(
    case: Callable[[str], dict[str, Any]], allocate: Allocate
) -> None:
    """Without bounds everything goes to one channel."""
    data = case("03")
    program = allocate(
        [weekly_hill(channel, data["weeks"]) for channel in data["channels"]],
        [1e6] * 5,
        data["budget"],
        exactly=True,
    )
    published = data["variant_without_bounds"]["verified"]
    result = solve_curves(program)
    assert result.value == pytest.approx(published["objective"], rel=1e-6)
    np.testing.assert_allclose(result.values[:5], published["x"], atol=1.0)


def kernel_curves(data: dict[str, Any], channel: int) -> Curve:
    """The response of one channel to an even spend a period: periods of a normalised finite kernel, averaged over draws.

    The stock in period t is the share of the kernel that has been filled by then (and is not yet emptied) times spend.
    """
    weights = data["alpha"][channel] ** np.arange(data["l_max"])
    weights = weights / weights.sum()
    spends = np.concatenate([np.ones(data["num_periods"]), np.zeros(data["l_max"])])
    shares, counts = np.unique(np.round(np.convolve(spends, weights)[: spends.size], 12), return_counts=True)
    draws = len(data["lam"])
    parts = [
        Part(
            "logistic",
            {"top": data["beta"][draw][channel], "rate": data["lam"][draw][channel] * float(share)},
            weight=float(count) / draws,
        )
        for share, count in zip(shares, counts, strict=True)
        for draw in range(draws)
        if share > 0
    ]
    return Curve(tuple(parts))


def test_mean_of_logistic_draws(case: Callable[[str], dict[str, Any]], allocate: Allocate) -> None:
    """Two channels, four draws, carryover beyond the last spend: value and split as published."""
    data = case("04")
    made = [kernel_curves(data, channel) for channel in range(2)]
    for instance in data["instances"][:3]:
        budget = instance.get("budget", data["budget"])
        program = allocate(made, [bound[1] for bound in instance["bounds"]], budget, exactly=True)
        result = solve_curves(program)
        expected = instance.get("verified", instance["reported"])
        assert result.value == pytest.approx(expected["objective"], rel=1e-6, abs=1e-8)
        if "x" in expected:
            np.testing.assert_allclose(result.values[:2], expected["x"], atol=2e-2)
    contradiction = allocate(made, [50.0, 50.0], 100.0, lower=[0.0, 60.0], exactly=True)
    assert solve_curves(contradiction).termination.reason is Reason.INFEASIBLE


def test_least_spend_for_a_target(case: Callable[[str], dict[str, Any]]) -> None:
    """The smallest spend a period whose response reaches the target."""
    data = case("05")
    made = [kernel_curves(data, channel) for channel in range(2)]
    for instance in data["instances"]:
        program = LinearProgram(
            objective=np.array([1.0, 1.0, 0.0, 0.0]),
            matrix=sparse.csc_array(np.array([[0.0, 0.0, 1.0, 1.0]])),
            row_lower=np.array([instance["target_response"]]),
            row_upper=np.array([np.inf]),
            column_lower=np.zeros(4),
            column_upper=np.array([instance["total_budget"]] * 2 + [np.inf] * 2),
            integer=np.zeros(4, dtype=bool),
        )
        result = solve_curves(CurveProgram(program, [CurveTerm(0, 2, made[0]), CurveTerm(1, 3, made[1])]))
        assert result.gap is not None and result.gap <= 1e-6
        assert result.value == pytest.approx(instance["verified"]["spend"], rel=2e-6)
        np.testing.assert_allclose(result.values[:2], instance["verified"]["x"], atol=1e-4)


def test_logarithms_with_an_intercept(case: Callable[[str], dict[str, Any]], allocate: Allocate) -> None:
    """Three curves intercept + scale ln x: spend in proportion to the scales."""
    data = case("07")
    made = [curve("log", intercept=channel["alpha"], scale=channel["beta"]) for channel in data["channels"]]
    program = allocate(made, [data["budget"]] * 3, data["budget"], lower=[1.0] * 3)
    result = solve_curves(program)
    assert result.gap is not None and result.gap <= 1e-6
    assert result.value == pytest.approx(data["verified"]["objective"], rel=1e-6)
    np.testing.assert_allclose(result.values[:3], data["verified"]["x"], rtol=1e-2)
