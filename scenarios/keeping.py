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
from optimizer.solving import Phases, solution_of
from scenarios.kept import WAYS, KeptPlan, Planned, stages_of_ways
from scenarios.store import MARKER


def keep(plan: Plan, run: Path, settings: SolveSettings) -> Solution:
    """The plan of a run folder in the world of `plan`.

    Its decisions are fixed and its sales an upper bound; targets come by priority, then money, and must-rules
    that the decisions break give way as little as they must. Quotas stay those of the run.

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
        model = replace(model, stages=tuple(_stages(model)))
        options = settings.solve_options(plan.spec.proof_gap)
        kept = KeptPlan(Planned(**vars(past)), model, {name: () for name in WAYS}, options)
    with phase("solve"):
        staged, _ = kept.staged(model, "kept")
    solution = solution_of(replace(model, program=staged.base, curves=()), staged)
    fields: dict[str, object] = {"run": run.name}
    notes = (("modes.kept", fields), *solution.notes)
    return replace(solution, notes=notes, keeps=run.name, seconds=phase.seconds)


def _stages(model: Model) -> list[PlanStage]:
    """Those of a plan that is kept, with leads before the tie-break: what the spend brings is shown though
    nothing may pay for it."""
    *stages, last = stages_of_ways(model)
    if "response" in model.context.activities.blocks and all(stage.name != "leads" for stage in stages):
        leads = model.context.metrics.total("leads")
        stages.append(PlanStage("leads", "metric", leads, True, 1.0, "leads"))
    return [*stages, last]
