"""Every family: closed forms, slopes, inflections, and what is refused."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solvers.curves import Curve, Part, curve, make_table, total
from solvers.curves.families import FAMILIES, family_of
from solvers.curves.shape import split
from solvers.errors import InvalidProgramError

EXAMPLES: dict[str, tuple[dict[str, float], Callable[[float], float]]] = {
    "hill": (
        {"bottom": 1.0, "top": 9.0, "half": 3.0, "slope": 2.5},
        lambda x: 1.0 + 8.0 * x**2.5 / (3.0**2.5 + x**2.5),
    ),
    "adbudg": (
        {"minimum": 2.0, "maximum": 7.0, "exponent": 1.8, "divisor": 4.0},
        lambda x: 2.0 + 5.0 * x**1.8 / (4.0 + x**1.8),
    ),
    "logistic": (
        {"top": 5.0, "rate": 0.7},
        lambda x: 5.0 * (1 - math.exp(-0.7 * x)) / (1 + math.exp(-0.7 * x)),
    ),
    "s_logistic": (
        {"top": 5.0, "rate": 1.3, "middle": 2.0},
        lambda x: 5.0 * (1 / (1 + math.exp(-1.3 * (x - 2.0))) - 1 / (1 + math.exp(1.3 * 2.0))),
    ),
    "log": ({"intercept": -2.0, "scale": 3.0}, lambda x: -2.0 + 3.0 * math.log(x)),
    "log1p": ({"scale": 3.0, "unit": 0.5}, lambda x: 3.0 * math.log(1 + x / 0.5)),
    "power": ({"scale": 2.0, "exponent": 0.6}, lambda x: 2.0 * x**0.6),
    "michaelis_menten": ({"top": 4.0, "half": 1.5}, lambda x: 4.0 * x / (1.5 + x)),
    "linear": ({"slope": 1.7}, lambda x: 1.7 * x),
}
POINTS = np.array([0.013, 0.4, 1.1, 2.0, 3.7, 9.0, 40.0])


def one(made: Curve, x: np.ndarray, slopes: bool = False) -> np.ndarray:
    """Values or slopes of one curve at many points."""
    table = make_table([made])
    owner = np.zeros(x.size, dtype=np.int64)
    return table.slope(owner, x) if slopes else table.value(owner, x)


def test_every_family_has_an_example() -> None:
    """A family without an example here is a family without a test."""
    assert set(EXAMPLES) == set(FAMILIES)


@pytest.mark.parametrize("name", EXAMPLES)
def test_values_are_the_closed_form(name: str) -> None:
    """The vectorised value is the formula of the documentation, written out again."""
    parameters, formula = EXAMPLES[name]
    expected = [formula(float(x)) for x in POINTS]
    np.testing.assert_allclose(one(curve(name, **parameters), POINTS), expected, rtol=1e-12)


@pytest.mark.parametrize("name", EXAMPLES)
def test_slopes_are_the_derivative(name: str) -> None:
    """The slope agrees with central differences."""
    made = curve(name, **EXAMPLES[name][0])
    step = 1e-6 * POINTS
    numeric = (one(made, POINTS + step) - one(made, POINTS - step)) / (2 * step)
    np.testing.assert_allclose(one(made, POINTS, slopes=True), numeric, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("name", [name for name in EXAMPLES if FAMILIES[name].sharpest is not None])
@settings(max_examples=25, deadline=None)
@given(hundredths=st.integers(0, 1200), width=st.floats(0.01, 12.0), times=st.floats(0.1, 5.0))
def test_no_slope_falls_faster_than_the_sharpest_bend(
    name: str, hundredths: int, width: float, times: float
) -> None:
    """Between two points slopes fall at most as fast as `sharpest` says, and somewhere nearly so."""
    made = curve(name, **EXAMPLES[name][0]).scaled(per=1.7, times=times)
    x = hundredths / 100 + np.linspace(0.0, width, 801)
    falls = -np.diff(one(made, x, slopes=True)) / np.diff(x)
    sharpest = make_table([made]).sharpest(np.zeros(1, dtype=np.int64), x[:1], x[-1:])[0]
    assert falls.max() <= sharpest * (1 + 1e-6) + 1e-9
    assert sharpest <= max(falls.max(), 0.0) * 1.02 + 1e-2 * times * width


def test_the_sharpest_bend_of_other_parts_is_not_known() -> None:
    """A family without the formula and a part turned over have none, a sum has at most that of its parts."""
    owner, ends = np.zeros(1, dtype=np.int64), (np.array([0.5]), np.array([2.0]))
    hill = curve("hill", **EXAMPLES["hill"][0])
    for unknown in (curve("power", scale=2.0, exponent=0.6), hill.scaled(times=-1.0)):
        assert np.isinf(make_table([unknown]).sharpest(owner, *ends)).all()
    summed = make_table([total(hill, curve("linear", slope=1.7))])
    assert summed.sharpest(owner, *ends) == pytest.approx(make_table([hill]).sharpest(owner, *ends))


@pytest.mark.parametrize("slope", [0.7, 1.0])
def test_concave_hills_bend_most_at_their_start(slope: float) -> None:
    """Minus the second derivative of a Hill curve that is not S-shaped falls; at 0 it may be infinite."""
    table = make_table([curve("hill", top=2.0, half=0.8, slope=slope)])
    owner = np.zeros(2, dtype=np.int64)
    start, later = table.sharpest(owner, np.array([0.0, 0.3]), np.array([1.0, 1.0]))
    assert start == pytest.approx(np.inf if slope < 1 else 2.0 * 2.0 / 0.8**2)
    assert 0.0 < later < start


@pytest.mark.parametrize("name", EXAMPLES)
def test_curves_turn_at_their_inflection(name: str) -> None:
    """Slopes grow below the inflection and fall above it."""
    made = curve(name, **EXAMPLES[name][0])
    parameters = {key: np.array([value]) for key, value in EXAMPLES[name][0].items()}
    turn = float(family_of(name).inflection(parameters)[0])
    above = one(made, np.linspace(max(turn, 0.01), turn + 20.0, 200), slopes=True)
    assert (np.diff(above) <= 1e-12).all()
    if turn > 0:
        below = one(made, np.linspace(1e-6, turn, 200), slopes=True)
        assert (np.diff(below) >= -1e-12).all()


def test_slopes_at_zero() -> None:
    """At zero a hill starts flat, with a finite slope or infinitely steep, as its exponent is above, at or below 1."""
    zero = np.zeros(1)
    found = [
        one(curve("hill", top=6.0, half=2.0, slope=slope), zero, slopes=True)[0] for slope in (2.0, 1.0, 0.5)
    ]
    assert found == [0.0, 3.0, np.inf]
    assert one(curve("hill", top=6.0, bottom=1.0, half=2.0, slope=0.5), zero)[0] == 1.0


def test_extreme_inputs_do_not_overflow() -> None:
    """Saturated curves are at their top, whatever the exponent."""
    far = np.array([1e12])
    assert one(curve("hill", top=3.0, half=1e-3, slope=40.0), far)[0] == pytest.approx(3.0)
    assert one(curve("logistic", top=3.0, rate=1e3), far)[0] == pytest.approx(3.0)
    assert one(curve("s_logistic", top=3.0, rate=1e3, middle=5.0), far, slopes=True)[0] == 0.0


def test_points_are_joined_by_straight_lines() -> None:
    """Between points the curve is linear, outside it is flat."""
    made = curve("points", x=(1.0, 2.0, 4.0), y=(0.0, 3.0, 4.0))
    np.testing.assert_allclose(one(made, np.array([0.0, 1.5, 2.0, 3.0, 9.0])), [0.0, 1.5, 3.0, 3.5, 4.0])
    np.testing.assert_allclose(
        one(made, np.array([0.0, 1.5, 2.0, 3.0, 9.0]), slopes=True), [0, 3, 0.5, 0.5, 0]
    )


def test_a_table_holds_curves_of_all_families_at_once() -> None:
    """One call evaluates many curves, each by its own family, parts and units."""
    curves = [curve(name, **EXAMPLES[name][0]) for name in EXAMPLES]
    curves.append(curve("points", x=(0.0, 1.0, 5.0), y=(0.0, 2.0, 3.0)))
    curves.append(total(curves[0], curves[2].scaled(times=-0.5)))
    table = make_table(curves)
    x = np.linspace(0.5, 4.0, len(curves))
    single = [one(made, x[[j]])[0] for j, made in enumerate(curves)]
    np.testing.assert_allclose(table.value(np.arange(len(curves)), x), single)
    assert single[-1] == pytest.approx(EXAMPLES["hill"][1](x[-1]) - 0.5 * EXAMPLES["logistic"][1](x[-1]))


def test_units_of_input_and_output() -> None:
    """per and times rescale a curve; equal periods that share a sum are both at once."""
    hill = curve("hill", top=2.0, half=3.0, slope=1.5)
    scaled = hill.scaled(per=52.0, times=52.0)
    assert one(scaled, np.array([156.0]))[0] == pytest.approx(52.0 * 1.0)
    np.testing.assert_allclose(
        one(scaled, np.array([104.0]), slopes=True), one(hill, np.array([2.0]), slopes=True)
    )


@pytest.mark.parametrize(
    ("family", "parameters", "words"),
    [
        ("hill", {"top": 1.0, "half": 0.0, "slope": 2.0}, "half > 0"),
        ("hill", {"top": 1.0, "half": 2.0, "steepness": 2.0}, "steepness"),
        ("hill", {"top": 1.0}, "half"),
        ("hill", {"top": 1.0, "bottom": 2.0, "half": 1.0}, "top >= bottom"),
        ("power", {"scale": 1.0, "exponent": 1.5}, "exponent <= 1"),
        ("power", {"scale": float("nan"), "exponent": 0.5}, "nan"),
        ("sigmoid", {}, "there is no curve family 'sigmoid'"),
        ("points", {"x": (0.0, 1.0), "y": (1.0, 0.0)}, "does not fall"),
        ("points", {"x": (0.0, 0.0), "y": (1.0, 2.0)}, "x that grows"),
        ("points", {"x": (0.0,), "y": (1.0,)}, "at least 2"),
        ("points", {"x": (0.0, 1.0)}, "parameters x, y"),
    ],
)
def test_unusable_curves_are_refused(family: str, parameters: dict[str, float], words: str) -> None:
    """The message names the family, what it needs and what was given."""
    with pytest.raises(InvalidProgramError, match=words.replace(">", r"\>")):
        curve(family, **parameters)


def test_a_curve_without_parts_and_sums_in_different_units_are_refused() -> None:
    """Neither has a meaning."""
    with pytest.raises(InvalidProgramError, match="at least one part"):
        Curve(())
    with pytest.raises(InvalidProgramError, match="same unit"):
        total(curve("linear", slope=1.0), curve("linear", slope=1.0).scaled(per=2.0))
    with pytest.raises(InvalidProgramError, match="weight"):
        Part("linear", {"slope": 1.0}, weight=float("inf"))


@settings(max_examples=60, deadline=None)
@given(
    weights=st.lists(st.floats(-2.0, 2.0), min_size=3, max_size=3),
    heights=st.lists(st.floats(0.0, 3.0), min_size=4, max_size=4),
    low=st.floats(0.0, 2.0),
    span=st.floats(0.1, 8.0),
)
def test_shapes_add_up_and_bend_as_they_say(
    weights: list[float], heights: list[float], low: float, span: float
) -> None:
    """The shapes into which a sum is split have the sum's values, and are concave or convex on their pieces."""
    made = Curve(
        (
            Part("hill", {"top": 2.0, "half": 2.0, "slope": 2.5}, weights[0]),
            Part("logistic", {"top": 1.0, "rate": 0.8}, weights[1]),
            Part("points", {"x": (0.0, 1.0, 2.5, 6.0), "y": tuple(np.cumsum(heights).tolist())}, weights[2]),
            Part("linear", {"slope": 0.3}),
        ),
        per=1.5,
        times=2.0,
    )
    shapes = split(made, low, low + span)
    x = np.linspace(low, low + span, 41)
    summed = sum(one(shape.curve, x) for shape in shapes)
    np.testing.assert_allclose(summed, one(made, x), atol=1e-9)
    for shape in shapes:
        for start, end, concave in zip(shape.edges[:-1], shape.edges[1:], shape.concave, strict=True):
            inside = one(shape.curve, np.linspace(start, end, 21))
            bend = inside[:-2] - 2 * inside[1:-1] + inside[2:]
            assert (bend <= 1e-9).all() if concave else (bend >= -1e-9).all()
