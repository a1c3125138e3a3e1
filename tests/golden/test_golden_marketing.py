"""Published media plans and response curves, written as plans, come out as published."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from optimizer.plan.load import load_plan
from optimizer.result.solution import Solution, Status
from optimizer.solving import solve

HERE = Path(__file__).parent
TOLERANCE = 1e-6
TEXTBOOK: dict[str, tuple[str, float, dict[str, float]]] = {
    "win_big_media": (
        "leads",
        67240.30172414,
        {"tv": 1.96875, "newspaper": 5.0, "radio30": 6.20689655, "radio60": 0.0},
    ),
    "win_big_media_integer": (
        "leads",
        66900.0,
        {"tv": 2.0, "newspaper": 5.0, "radio30": 6.0, "radio60": 0.0},
    ),
    "super_grain_admix": ("leads", 17000.0, {"tv": 0.0, "magazine": 20.0, "sunday": 10.0}),
    "dorian_auto": ("marketing_cost", 320.0, {"comedy": 3.6, "football": 1.4}),
    "biggs_marketing": ("leads", 185000.0, {"tv": 1.81818182, "radio": 10.0, "newspaper": 3.18181818}),
    "profit_gambit": ("marketing_cost", 10.0, {"tv": 4.0, "print": 3.0}),
    "burnit_goal": ("penalties", 250.0, {"football": 6.0, "soap": 0.0}),
}
"""Case -> first stage, its published optimum, and the insertions of each channel."""
CURVES: dict[str, tuple[str, float, dict[str, float]]] = {
    "curves_even_free": ("leads", 15049569.779279012, {"TV": 0.0, "Search": 0.0, "Social": 1e6}),
    "curves_even_bounded": (
        "leads",
        627788.3603587487,
        {"TV": 1e5, "Search": 4.2e5, "Social": 3e5, "Display": 3e4, "Email": 1.5e5},
    ),
    "curves_mean_of_draws": (
        "leads", 48.93166440131665, {"channel_1": 30 * 54.78332346, "channel_2": 30 * 45.21667654}
    ),
    "curves_least_spend": (
        "marketing_cost", 30 * 1.6814350905089863, {"channel_1": 0.0, "channel_2": 30 * 1.6814350905}
    ),
    "curves_logarithms": (
        "leads", 224540.15004866276,
        {"Google Ads": 34438.5134253, "Facebook Ads": 32386.22878254, "Twitter Ads": 33175.25779216},
    ),
}  # fmt: skip
"""Case -> first stage, its verified optimum on the true curves, and what each channel gets."""

UNBOUNDED = {
    "marketing.csv": (
        (HERE / "curves_even_bounded" / "marketing.csv").read_text(encoding="utf-8"),
        "channel,min_spend,max_spend,pacing\n"
        + "".join(f"{name},0,1000000,even\n" for name in ("TV", "Search", "Social", "Display", "Email")),
    )
}
FLOOR = "limits: [{name: Floor, metric: marketing_cost, where: {channel: channel_1}, at_least: 1800}]"


def first_stage(solution: Solution) -> tuple[str, float]:
    """Name and figure of the stage that the case is about."""
    outcome = solution.stages[0]
    assert outcome.value is not None
    return outcome.stage.name, outcome.value


def by_channel(solution: Solution, metric: str, wanted: Mapping[str, float]) -> dict[str, float]:
    """A metric of marketing by channel."""
    return {channel: solution.figure(metric, {"channel": channel}) for channel in wanted}


@pytest.mark.parametrize("case", TEXTBOOK)
def test_textbook_cases(case: str) -> None:
    """Optimum and decisions are the published ones."""
    name, objective, insertions = TEXTBOOK[case]
    solution = solve(load_plan(HERE / case))
    assert solution.status is Status.OPTIMAL
    assert first_stage(solution) == (name, pytest.approx(objective, rel=2 * TOLERANCE))
    assert by_channel(solution, "insertions", insertions) == pytest.approx(insertions, rel=1e-4, abs=1e-4)


@pytest.mark.parametrize("case", CURVES)
def test_curve_cases(case: str) -> None:
    """The optimum on the true curves is the verified one, and it is proved."""
    name, objective, spend = CURVES[case]
    solution = solve(load_plan(HERE / case))
    assert solution.status is Status.OPTIMAL
    assert first_stage(solution) == (name, pytest.approx(objective, rel=2 * TOLERANCE))
    assert solution.stages[0].gap is not None and solution.stages[0].gap <= 2 * TOLERANCE
    total = sum(spend.values())
    assert by_channel(solution, "marketing_cost", spend) == pytest.approx(spend, abs=5e-3 * total)


def test_california_manufacturing() -> None:
    """Both factories are built, and no warehouse: a net present value of 14 with 9 of 10 of capital."""
    solution = solve(load_plan(HERE / "california_mfg"))
    assert solution.status is Status.OPTIMAL
    assert solution.figure("contribution") == pytest.approx(14.0)
    assert solution.figure("capital") == pytest.approx(9.0)
    started = {
        name: solution.figure("starts", {"initiative": name}) for name in solution.inputs.initiatives.names
    }
    assert [name for name, starts in started.items() if starts > 0.5] == [
        "factory in Los Angeles",
        "factory in San Francisco",
    ]


def test_prices_of_targets() -> None:
    """One more million viewers costs 5 among women and 7.5 among men (Winston's duals)."""
    solution = solve(load_plan(HERE / "dorian_auto"))
    prices = {value.name: value.value for value in solution.marginal_values}
    assert prices == pytest.approx({("Seen", "hiw"): 5.0, ("Seen", "him"): 7.5})


def test_shortfalls_cost_their_penalty() -> None:
    """The budget reaches the men and the low incomes; five million women are missing."""
    solution = solve(load_plan(HERE / "burnit_goal"))
    short = {outcome.rule: outcome.shortfall for outcome in solution.outcomes if outcome.kind == "target"}
    assert short == pytest.approx(
        {"High-income men": 0.0, "Low-income people": 0.0, "High-income women": 5.0}, abs=1e-4
    )


def test_textbook_cases_agree_with_the_published_files(shared: Path) -> None:
    """Each optimum is that of the published file."""
    for case, (_, objective, _) in TEXTBOOK.items():
        published = json.loads((shared / f"cases/textbook/{case}.json").read_text())
        assert published["verified"]["objective"] == pytest.approx(objective, rel=TOLERANCE)


@pytest.mark.parametrize(
    ("case", "place", "changes", "weeks"),
    [
        ("curves_even_free", "01/verified/objective", {}, 1.0),
        ("curves_even_bounded", "03/verified/objective", {}, 1.0),
        ("curves_even_bounded", "03/variant_without_bounds/verified/objective", UNBOUNDED, 1.0),
        ("curves_mean_of_draws", "04/instances/0/verified/objective", {}, 1.0),
        ("curves_mean_of_draws", "04/instances/1/verified/objective", {"marketing.csv": (",3000,", ",1500,")}, 1.0),
        ("curves_mean_of_draws", "", {"plan.yaml": ("equals: 3000", "equals: 0")}, 1.0),
        ("curves_least_spend", "05/instances/0/verified/spend", {}, 30.0),
        ("curves_least_spend", "05/instances/1/verified/spend", {"plan.yaml": ("at_least: 5,", "at_least: 10,")}, 30.0),
        ("curves_logarithms", "07/verified/objective", {}, 1.0),
    ],
)  # fmt: skip
def test_curve_cases_agree_with_the_published_files(
    shared: Path,
    tmp_path: Path,
    case: str,
    place: str,
    changes: dict[str, tuple[str, str]],
    weeks: float,
) -> None:
    """Every instance of the published files comes out as there; spending is told by the week, and is that of 30 weeks."""
    found = 0.0
    if place:
        number, *keys = place.split("/")
        (path,) = (shared / "cases" / "curves").glob(f"{number}_*.json")
        found = json.loads(path.read_text(encoding="utf-8"))
        for key in keys:
            found = found[int(key)] if isinstance(found, list) else found[key]
    _, value = first_stage(solve(load_plan(changed(case, changes, tmp_path))))
    assert value == pytest.approx(found * weeks, rel=2 * TOLERANCE, abs=1e-8)


def test_a_floor_above_its_cap_has_no_plan(tmp_path: Path) -> None:
    """The last instance of the fourth file: 60 a week of a channel that may have 50."""
    changes = {
        "marketing.csv": (",3000,", ",1500,"),
        "plan.yaml": ("objective:", FLOOR + "\nobjective:"),
    }
    solution = solve(load_plan(changed("curves_mean_of_draws", changes, tmp_path)))
    assert solution.status is Status.NO_PLAN


def changed(case: str, changes: Mapping[str, tuple[str, str]], folder: Path) -> Path:
    """A copy of a pack in which a text of some files is another one."""
    for path in (HERE / case).iterdir():
        text = path.read_text(encoding="utf-8")
        before, after = changes.get(path.name, ("", ""))
        assert before in text
        (folder / path.name).write_text(text.replace(before, after) if before else text, encoding="utf-8")
    return folder
