"""Random small plans with everything: the package and a formulation that tries every choice of starts agree by stage."""

from __future__ import annotations

import ast
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from slow_whole import SlowWhole
from strategies_whole import CHANGES, WholePlan, as_text, whole_plan

from optimizer import SolveSettings, load_plan, solve
from optimizer.model.compile import FAMILIES
from optimizer.result.solution import Solution, Status

HERE = Path(__file__).parent
FEW = (3, 29, 33, 120)
MORE = (2, 10, 26, 31, 54)
TOLERANCE = 2e-5
"""Relative; a lock leaves 1e-7 of what a stage could reach, and plans with curves are proved to 1e-6."""

# PuLP 3.3 announces the calls of its version 4, which the project does not allow yet.
pytestmark = pytest.mark.filterwarnings("ignore:.*PuLP 4:DeprecationWarning")


@dataclass(frozen=True)
class Seen:
    """What a seed has shown."""

    families: frozenset[str]
    """Families with rows, or curves, in its program."""
    effects: frozenset[str]
    """Kinds of effects that work in its optimum."""


def compared(seed: int) -> Seen:
    """Solve the plan of a seed twice and compare status and stages."""
    plan = whole_plan(seed)
    with plan.folder() as folder:
        chosen = SolveSettings(marginal_values=False, leverage=False, gap=1e-6)
        solution = solve(load_plan(folder / "plan.yaml"), chosen)
        slow = SlowWhole(folder)
        expected = slow.solve()
        families = frozenset(block.name for block in solution.model.program.row_blocks if block.size)
    assert (solution.status is Status.OPTIMAL) == (expected.status == "optimal"), as_text(plan)
    if expected.status != "optimal":
        assert solution.status is Status.NO_PLAN
        return Seen(families, frozenset())
    _agree(solution, plan, expected.stages)
    return Seen(families, slow.effects_at_work())


def _agree(solution: Solution, plan: WholePlan, expected: tuple[tuple[str, float], ...]) -> None:
    found = [(one.stage.name, one.value) for one in solution.stages if one.stage.name != "tie-break"]
    assert [name for name, _ in found] == [name for name, _ in expected], as_text(plan)
    for (name, value), (_, other) in zip(found, expected, strict=True):
        assert value == pytest.approx(other, rel=TOLERANCE, abs=TOLERANCE), f"{name}\n{as_text(plan)}"


@pytest.mark.parametrize("seed", FEW)
def test_plans_with_everything(seed: int) -> None:
    """A few seeds in the fast suite."""
    compared(seed)


@pytest.mark.slow
def test_the_plans_have_shown_everything() -> None:
    """More seeds agree as well; together they have rows of every family, and each kind of effect works in an optimum."""
    shown = [compared(seed) for seed in (*FEW, *MORE)]
    assert set(FAMILIES) - set().union(*(one.families for one in shown)) == set()
    assert set(CHANGES) - set().union(*(one.effects for one in shown)) == set()


def test_the_formulation_imports_nothing_of_the_package() -> None:
    """The standard library, PyYAML, PuLP and each other."""
    own = [path.stem for path in HERE.glob("slow_*.py")]
    for name in own:
        tree = ast.parse((HERE / f"{name}.py").read_text(encoding="utf-8"))
        imported = [
            alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names
        ]
        imported += [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
        assert {module.split(".")[0] for module in imported} <= {
            "yaml",
            "pulp",
            *own,
            *sys.stdlib_module_names,
        }
