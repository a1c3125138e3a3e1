"""A plan of an earlier run, kept as it is in the plan of today: what it brings, and which rules it misses."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from optimizer.errors import InputError, Place
from optimizer.model.compile import Model, compile_plan
from optimizer.model.objective import PlanStage
from optimizer.model.past_run import read_past_plan
from optimizer.plan.inputs import resolve
from optimizer.plan.plan import Plan
from optimizer.result.solution import Solution
from optimizer.settings import SolveSettings
from optimizer.solving import Phases, solution_of, solver_stage
from scenarios.kept import WAYS, KeptPlan, Planned
from scenarios.store import MARKER


def keep(plan: Plan, run: Path, settings: SolveSettings) -> Solution:
    """The plan of a run folder in the world of `plan`.

    Its decisions are fixed, its sales an upper bound, money is the objective, and the rules are measured and
    not enforced. Quotas stay those of the run.

    Raises `InputError` where the folder holds no plan that fits.
    """
    place = Place(file=run.name)
    if not (run / MARKER).is_file():
        raise InputError("modes.keep_no_run", place)
    past = read_past_plan(run, plan, place)
    plan = plan.replace(spec=plan.spec.model_copy(update={"quotas": [], "mode": None, "objective": None}))
    phase = Phases()
    with phase("compile"):
        model = compile_plan(resolve(plan), settings.seat_groups)
        options = settings.solve_options(plan.spec.proof_gap)
        kept = KeptPlan(Planned(**vars(past)), model, {name: () for name in WAYS}, options)
    stages = _stages(model)
    with phase("solve"):
        staged = kept.staged(model, "kept", [solver_stage(model, stage) for stage in stages[1:]])
    solution = solution_of(replace(model, program=staged.base, curves=(), stages=stages), staged)
    fields: dict[str, object] = {"run": run.name, "metric": stages[0].name}
    notes = (("modes.kept", fields), *solution.notes)
    return replace(solution, notes=notes, seconds=phase.seconds)


def _stages(model: Model) -> tuple[PlanStage, ...]:
    """Money, then leads: what the spend brings is shown though nothing may pay for it."""
    metrics = model.context.metrics
    money = "contribution" if model.cube.markets.knows_margin else "revenue"
    stages = [PlanStage(money, "money", metrics.total(money), True, 1.0, "currency", is_money=True)]
    if "response" in model.context.activities.blocks:
        stages.append(PlanStage("leads", "metric", metrics.total("leads"), True, 1.0, "leads"))
    return tuple(stages)
