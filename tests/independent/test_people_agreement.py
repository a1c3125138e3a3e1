"""Random small plans with initiatives, effects, open seats and roles: the package finds the contribution that
trying every choice of starts finds."""

from __future__ import annotations

import ast
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from slow_people import SlowPeople

from optimizer import SolveSettings, load_plan, solve
from optimizer.result.solution import Status

HERE = Path(__file__).parent
LOCK = 1e-5
"""Relative; the tie-break may give up 1e-7 of what the plan could reach, which is more than what it earns."""
Tables = dict[str, list[dict[str, object]]]
# PuLP 3.3 announces the calls of its version 4, which the project does not allow yet.
pytestmark = pytest.mark.filterwarnings("ignore:.*PuLP 4:DeprecationWarning")


def one(draw: Any, *values: object) -> Any:
    """One of the values; the first is the simplest."""
    return draw(st.sampled_from(values))


@st.composite
def plans(draw: Any) -> tuple[int, Tables]:
    """Months and tables of a plan; every figure is given, so that both sides fill no blank."""
    periods = one(draw, 2, 3)
    tables: Tables = {
        "profiles": [dict(profile="season", period_or_age=m + 1, value=1 / 12) for m in range(12)]
    }
    tables["profiles"] += [dict(profile="slow", period_or_age=a, value=v) for a, v in ((0, 0.5), (1, 1))]
    levels = one(draw, False, True)
    lines = ["A", "B", "C"] if levels else ["A", "B"]
    potential = [one(draw, 30, 90) * periods for _ in lines]
    if levels:
        potential[2] = potential[0]
    tables["markets"] = [
        dict(line=line, price=one(draw, 10, 20), unit_cost=one(draw, 2, 6), potential=most)
        | dict(shared_demand="S" if levels and line != "B" else "")
        for line, most in zip(lines, potential, strict=True)
    ]
    tables["territories"] = [dict(seller="*", line="*", hours_per_unit=one(draw, 1, 2))]
    tables["sellers"] = [
        dict(seller=f"s{k}", status="", capacity=one(draw, 20, 50), ramp="none", cost=9)
        | {"from": "", "hiring_cost": "", "tenure": "", "commission_rate": one(draw, 0, 0.1)}
        for k in range(one(draw, 1, 2))
    ]
    if one(draw, False, True):
        seat = dict(seller="seat", status="open", capacity=one(draw, 30, 60), ramp=one(draw, "none", "slow"))
        seat |= dict(cost=one(draw, 50, 200)) | {"from": one(draw, "", "2027-02-01")}
        tables["sellers"].append(seat | dict(hiring_cost=one(draw, 0, 240), tenure=12, commission_rate=0))
    if one(draw, False, True):
        _role(draw, tables)
    _initiatives(draw, tables, levels)
    return periods, tables


def _role(draw: Any, tables: Tables) -> None:
    row = dict(seller="rep", status="", capacity=20, ramp="none", cost="")
    tables["sellers"].append(row | {"from": "", "hiring_cost": "", "tenure": "", "commission_rate": 0})
    role = dict(
        role="rep", headcount=one(draw, 0, 2), attrition=one(draw, 0, 0.9), ramp=one(draw, "none", "slow")
    )
    role |= dict(lead_time=one(draw, 0, 1), hire_max=one(draw, 0, 3), cost=one(draw, 20, 90))
    tables["roles"] = [role | dict(training_capacity=one(draw, "", 1))]


def _initiatives(draw: Any, tables: Tables, levels: bool) -> None:
    names = ["i", "j"]
    rows = [
        dict(initiative=name, group="g", cost=one(draw, 0, 40, 200), running_cost=one(draw, 0, 10))
        | dict(benefit=one(draw, 0, 30), duration=one(draw, "", 1), gap=one(draw, "", 0, 1))
        | dict(requires="", requires_after="", excludes="")
        for name in names
    ]
    tie = one(draw, "", "requires", "excludes")
    if tie:
        rows[1][tie] = "i"
        rows[1]["requires_after"] = one(draw, 0, 1) if tie == "requires" else ""
    tables["initiatives"] = rows
    effects = []
    for _ in range(one(draw, 1, 2, 3)):
        change = one(draw, "demand", "hours", "price", "unit_cost", "capacity", "value", "unlock")
        kind = "" if change in ("value", "unlock") else one(draw, "multiply", "add")
        amounts = {"demand": (6, 15), "hours": (-0.3, 0.5), "price": (2, -3), "unit_cost": (-1, 1)}
        amounts |= {"capacity": (10, -5), "value": (25, 60), "unlock": ("",)}
        likely = one(draw, *((0.8, 1.3) if kind == "multiply" else amounts[change]))
        line = "B" if change == "unlock" else one(draw, "*", "B", "A") if change != "capacity" else "*"
        if levels and change == "demand" and line == "A":
            line = "*"
        seller = one(draw, "*", "s0") if change == "capacity" else "*"
        effect = dict(initiative=one(draw, *names), changes=change, kind=kind, likely=likely, line=line)
        effects.append(effect | dict(seller=seller, after=one(draw, 0, 1), lasts=one(draw, "", 1)))
    if levels:
        effect = dict(initiative="j", changes="unlock", kind="", likely="", line="C", seller="*")
        effects.append(effect | dict(after=0, lasts=""))
    tables["effects"] = effects


def write(folder: Path, periods: int, tables: Tables) -> None:
    """The plan as a folder."""
    names = {name: f"{name}.csv" for name in tables}
    plan = {"name": "Random", "calendar": {"start": "2027-01-01", "periods": periods}, "tables": names}
    plan["objective"] = [{"maximize": "contribution"}]
    (folder / "plan.yaml").write_text(yaml.safe_dump(plan), encoding="utf-8")
    for name, rows in tables.items():
        lines = [",".join(rows[0]), *(",".join(str(value) for value in row.values()) for row in rows)]
        (folder / f"{name}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


def agree(periods: int, tables: Tables) -> None:
    """Both sides find the same contribution."""
    with tempfile.TemporaryDirectory() as name:
        write(Path(name), periods, tables)
        expected = SlowPeople(Path(name)).best()
        chosen = SolveSettings(marginal_values=False, leverage=False, gap=0.0)
        solution = solve(load_plan(Path(name) / "plan.yaml"), chosen)
    assert solution.status is Status.OPTIMAL
    assert solution.stages[0].value == pytest.approx(expected, rel=LOCK, abs=LOCK)


random = settings(
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)


@settings(random, max_examples=12)
@given(plan=plans())
def test_every_choice_of_starts(plan: tuple[int, Tables]) -> None:
    """A dozen plans in the fast suite."""
    agree(*plan)


@pytest.mark.slow
@settings(random, max_examples=120, derandomize=False)
@given(plan=plans())
def test_many_plans(plan: tuple[int, Tables]) -> None:
    """Ten times as many, other ones each time."""
    agree(*plan)


def test_the_formulation_imports_nothing_of_the_package() -> None:
    """The standard library, PyYAML and PuLP only."""
    tree = ast.parse((HERE / "slow_people.py").read_text(encoding="utf-8"))
    imported = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    imported += [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    assert {module.split(".")[0] for module in imported} <= {"yaml", "pulp", *sys.stdlib_module_names}
