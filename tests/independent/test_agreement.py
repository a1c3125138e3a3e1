"""Random small plans: the package and an independent formulation agree by the value of every stage."""

from __future__ import annotations

import ast
from functools import partial
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from slow_model import Answer, SlowModel
from strategies import RandomPlan, plans

from optimizer import InputError, SolveSettings, load_plan, solve
from optimizer.result.solution import Status

HERE = Path(__file__).parent
QUICK = SolveSettings(marginal_values=False, leverage=False, gap=0.0)
RELATIVE = 1e-5
ABSOLUTE = 2e-6
NOTHING = 1e-5

exact = partial(
    settings,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)


def compiled(folder: Path, apart: bool = False) -> Answer:
    """The package's answer in the words of the independent one."""
    chosen = SolveSettings(marginal_values=False, leverage=False, gap=0.0, seat_groups=not apart)
    try:
        solution = solve(load_plan(folder / "plan.yaml"), chosen)
    except InputError as error:
        if error.key in ("model.unbounded", "checking.unlimited"):
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
    for (name, value), (_, other) in zip(ours, theirs, strict=True):
        assert value == pytest.approx(other, rel=RELATIVE, abs=ABSOLUTE * max(1.0, reaches[name])), message


@exact(max_examples=80)
@given(plan=plans())
def test_plans(plan: RandomPlan) -> None:
    """Plans with the default objective."""
    with plan.folder() as folder:
        agree(compiled(folder), SlowModel(folder).solve())
