"""Random small plans: the package and an independent formulation agree by the value of every stage."""

from __future__ import annotations

import ast
import sys
from dataclasses import replace
from functools import partial
from itertools import takewhile
from pathlib import Path

import pytest
from brute import MOST, Enumeration
from hypothesis import HealthCheck, Phase, assume, given, settings
from slow_funnel import SlowFunnel
from slow_model import Answer, SlowModel
from strategies import RandomPlan, plans
from strategies_funnel import funnel_plans

from optimizer import InputError, SolveSettings, load_plan, solve
from optimizer.result.solution import Status

HERE = Path(__file__).parent
FIRST = 2e-6
LATER = 1e-4
"""Relative; what a lock leaves to an earlier stage (1e-7 of its reach) moves the later ones by a multiple of it: a
single week of a small yearly capacity moved nearness by 2.3e-5."""
NOTHING = 1e-5

# PuLP 3.3 announces the calls of its version 4, which the project does not allow yet.
pytestmark = pytest.mark.filterwarnings("ignore:.*PuLP 4:DeprecationWarning")

exact = partial(
    settings,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)


def compiled(folder: Path, apart: bool = False) -> Answer:
    """The package's answer in the words of the independent one."""
    chosen = SolveSettings(marginal_values=False, leverage=False, gap=0.0, seat_groups=not apart)
    try:
        solution = solve(load_plan(folder / "plan.yaml"), chosen)
    except InputError as error:
        if error.key in ("model.unbounded", "checking.market_without_limit"):
            return Answer("unbounded")
        raise
    if solution.status is Status.NO_PLAN:
        return Answer("no_plan")
    assert solution.status is Status.OPTIMAL, solution.reason
    stages = [(outcome.stage.name, outcome.value) for outcome in solution.stages]
    return Answer("optimal", tuple(stage for stage in stages if stage[0] != "tie-break"))


def agree(found: Answer, expected: Answer) -> None:
    """Statuses and stage values are the same; a stage that only one side has is one that costs nothing."""
    assert found.status == expected.status
    ours, theirs = list(found.stages), list(expected.stages)
    reaches = dict(zip((name for name, _ in theirs), expected.reaches, strict=True))
    for name in [name for name, _ in ours]:
        if name not in reaches:
            ours = [stage for stage in ours if stage[0] != name or abs(stage[1]) > NOTHING]
    names = {name for name, _ in ours}
    theirs = [stage for stage in theirs if stage[0] in names or abs(stage[1]) > NOTHING]
    message = (found.stages, expected.stages)
    assert [name for name, _ in ours] == [name for name, _ in theirs], message
    for place, ((name, value), (_, other)) in enumerate(zip(ours, theirs, strict=True)):
        tolerance = FIRST if place == 0 else LATER
        assert value == pytest.approx(other, rel=tolerance, abs=tolerance * max(1.0, reaches[name])), message


def compare(plan: RandomPlan, before: str = "") -> None:
    """Solve a plan twice, by the package and by the independent formulation, and compare the stages, or those
    before the named one."""
    with plan.folder() as folder:
        found = compiled(folder)
        stages = tuple(takewhile(lambda stage: stage[0] != before, found.stages))
        agree(replace(found, stages=stages), SlowModel(folder).solve(before))


@pytest.mark.slow
@exact(max_examples=50)
@given(plan=plans(max_rules=2))
def test_default_objective(plan: RandomPlan) -> None:
    """Tables of every kind with few rules: targets, contribution or total, nearness."""
    compare(plan)


@pytest.mark.slow
@exact(max_examples=50)
@given(plan=plans(max_rules=5))
def test_rules(plan: RandomPlan) -> None:
    """Every metric and form of a rule, hard and soft, with priorities, weights and penalties."""
    compare(plan)


@pytest.mark.slow
@exact(max_examples=50)
@given(plan=plans(max_rules=2, extras=True))
def test_balance_distance_and_asked_objectives(plan: RandomPlan) -> None:
    """Balances, distances from last year and objectives that the plan asks for."""
    compare(plan)


@pytest.mark.slow
@exact(max_examples=40)
@given(plan=plans(max_rules=3, extras=True, whole=True))
def test_whole_units(plan: RandomPlan) -> None:
    """The same in whole units, by branch and bound on both sides.

    Up to nearness: the plain branch and bound of the slow side does not prove sums of many distances."""
    compare(plan, before="nearness")


@pytest.mark.slow
@exact(max_examples=40)
@given(plan=plans(max_rules=2, whole=True, tiny=True))
def test_whole_units_by_enumeration(plan: RandomPlan) -> None:
    """Tiny plans in whole units against every possible division of units."""
    with plan.folder() as folder:
        tried = Enumeration(folder)
        assume(tried.count <= MOST)
        found = compiled(folder)
    assert found.status == ("optimal" if len(tried.units) else "no_plan")
    if len(tried.units):
        stages = tuple(stage for stage in found.stages if stage[0] != "nearness")
        agree(replace(found, stages=stages), Answer("optimal", *tried.stages()))


@pytest.mark.slow
@exact(max_examples=30)
@given(plan=plans(max_rules=3, extras=True))
def test_seat_groups_change_no_stage(plan: RandomPlan) -> None:
    """Sellers compiled in groups and everybody apart give the same stage values."""
    with plan.folder() as folder:
        together = compiled(folder)
        apart = compiled(folder, apart=True)
        agree(together, replace(apart, reaches=tuple(1.0 for _ in apart.stages)))


@pytest.mark.slow
@exact(max_examples=40)
@given(plan=funnel_plans())
def test_funnel(plan: RandomPlan) -> None:
    """Marketing for markets, stages, open deals, customers, hours on leads and run-out periods."""
    with plan.folder() as folder:
        agree(compiled(folder), SlowFunnel(folder).solve())


def test_the_formulation_imports_nothing_of_the_package() -> None:
    """Reader and formulation import the standard library, NumPy, PyYAML, PuLP and each other."""
    own = ("slow_data", "slow_metrics", "slow_model", "slow_funnel_data", "slow_funnel", "brute")
    allowed = {"yaml", "pulp", "numpy", *own, *sys.stdlib_module_names}
    for name in own:
        tree = ast.parse((HERE / f"{name}.py").read_text(encoding="utf-8"))
        imported = [
            alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names
        ]
        imported += [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
        assert {module.split(".")[0] for module in imported} <= allowed


@pytest.mark.slow
def test_main_pack(examples: Path) -> None:
    """The shipped main pack, 4,872 cells, comes out the same when it is written cell by cell."""
    folder = examples / "premium_year"
    agree(compiled(folder), SlowModel(folder).solve())
