"""From a plan to a solution: fill blanks, compile, solve the stages, verify, split, explain."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import numpy as np

from optimizer.errors import InputError
from optimizer.model.compile import Model, compile_plan
from optimizer.model.cube import make_cube
from optimizer.model.metrics import RATIOS
from optimizer.model.objective import RATIO_LOCK, PlanStage
from optimizer.model.seats import group_sellers
from optimizer.plan.inputs import Inputs, resolve
from optimizer.plan.modes import in_mode, read_mode
from optimizer.plan.plan import Plan
from optimizer.result.contradiction import explain_contradiction
from optimizer.result.evaluate import rule_outcomes, seller_context
from optimizer.result.leverage import leverages
from optimizer.result.marginal import marginal_values, sells_whole_units
from optimizer.result.solution import Solution, StageOutcome, Status
from optimizer.result.split import opening_worked, plan_of_sellers, sales_after
from optimizer.settings import SolveSettings
from optimizer.standing import KEPT, STANDS, kept_anyway, standing, standing_run, where_as_good
from solvers.errors import ZeroDenominatorError
from solvers.result import Reason, Residuals, Termination
from solvers.staged import Stage, StagedResult
from solvers.staged_curves import solve_curve_stages
from solvers.verify import primal_residuals

_NO_PLAN = (Reason.INFEASIBLE, Reason.INFEASIBLE_OR_UNBOUNDED)
_STOPPED = (Reason.LIMIT, Reason.INTERRUPTED)
RANGING_COLUMNS = 20_000
"""Ranges are computed up to this many columns; beyond, they cost more than the solve."""


class Phases:
    """Seconds by phase."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        """Add the time spent inside to `name`."""
        started = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - started


def solve(plan: Plan, settings: SolveSettings | None = None) -> Solution:
    """Solve a plan; the answer says whether there is a plan, what is proved, and why.

    Contradictory rules are not an error: the solution then has status `no_plan` and a contradiction. Raises
    `InputError` where tables and rules do not fit each other, and where nothing limits the objective.
    """
    settings = settings or SolveSettings()
    phase = Phases()
    if settings.mode is not None:
        plan = in_mode(plan, read_mode(settings.mode))
    with phase("compile"):
        inputs = resolve(plan)
        model = compile_plan(inputs, settings.seat_groups)
    with phase("solve"):
        staged = solve_model(model, settings)
    if staged.termination.reason is Reason.UNBOUNDED:
        raise without_limit(inputs)
    solution = solution_of(model, staged)
    with phase("explain"):
        solution = _explained(solution, staged, settings)
    return replace(solution, seconds=phase.seconds)


def without_limit(inputs: Inputs) -> InputError:
    """What to say when money grows without limit: the markets that nothing bounds, by name."""
    from optimizer.checking import check_inputs

    for finding in check_inputs(inputs):
        if finding.level == "error":
            return InputError(finding.key, finding.place, **finding.fields)
    return InputError("model.unbounded")


def solve_model(
    model: Model, settings: SolveSettings, stages: tuple[PlanStage, ...] | None = None
) -> StagedResult:
    """Solve the stages of a compiled plan (all of them unless given).

    Raises `InputError` where a stage is a ratio whose denominator may be 0.
    """
    ranging = (
        model.program.num_columns <= RANGING_COLUMNS and settings.marginal_values and not model.program.is_mip
    )
    wanted = [solver_stage(model, stage, ranging) for stage in stages or model.stages]
    announce = settings.on_stage

    def announced(stage: Stage) -> None:
        if announce is not None:
            announce(stage.name)

    # Prices with starts and hires as planned are worth something; with all sales fixed they are not.
    prices = settings.marginal_values and not model.curves and not sells_whole_units(model)
    options = replace(settings.solve_options(model.inputs.plan.spec.proof_gap), integer_prices=prices)
    try:
        kept = None if stages else standing(model, wanted, options)
        if kept is not None and kept_anyway(model.inputs.plan):
            return replace(kept, notes=(*kept.notes, KEPT))
        if kept is not None and (model.curves or model.program.is_mip):
            options = replace(options, start_values=kept.x)
        found = solve_curve_stages(model.program, model.curves, wanted, options, announce=announced)
        return found if kept is None else where_as_good(kept, found, options.gap)
    except ZeroDenominatorError as error:
        raise without_denominator(model, error) from error


def without_denominator(model: Model, error: ZeroDenominatorError) -> InputError:
    """What to say of a ratio that the plan may make a ratio of nothing."""
    stage = next(stage for stage in model.stages if stage.name == error.stage)
    # A share of a metric is divided by the metric itself in a larger scope.
    _, denominator, _ = RATIOS.get(stage.metric, ("", stage.metric, ""))
    names = {"metric": stage.metric, "denominator": denominator}
    return InputError("modes.ratio_may_be_of_nothing", stage.place, **names)


def solver_stage(model: Model, stage: PlanStage, ranging: bool = False) -> Stage:
    """One stage as a vector over the columns of the program."""
    below, columns = stage.denominator, model.program.num_columns
    return Stage(
        name=stage.name,
        objective=stage.terms.dense(columns),
        maximize=stage.maximize,
        scale=stage.scale,
        offset=float(stage.terms.constant[0]),
        tolerance=0.0 if below is None else RATIO_LOCK,
        keep_duals=stage.is_money,
        ranging=ranging and stage.is_money,
        # A shortfall is counted in whole targets, and proved in shares of them.
        least_size=1.0 if stage.kind == "shortfall" else None,
        chooses=stage.kind in ("nearness", "tie_break"),
        denominator=None if below is None else below.dense(columns),
        denominator_offset=0.0 if below is None else float(below.constant[0]),
    )


def solution_of(model: Model, staged: StagedResult) -> Solution:
    """The plan of single sellers from the plan of seat groups, measured and judged."""
    inputs = model.inputs
    sellers = make_cube(
        inputs, group_sellers(inputs, (), [[] for _ in inputs.selling.sellers.names], apart=True)
    )
    stages = tuple(
        StageOutcome(stage, outcome.value, outcome.result, outcome.note)
        for stage, outcome in zip(model.stages, staged.outcomes, strict=True)
    )
    end = staged.termination
    solution = Solution(
        plan=inputs.plan,
        inputs=inputs,
        model=model,
        status=_status(staged),
        reason=_reason(end),
        stages=stages,
        residuals=None,
        sellers=sellers,
        notes=tuple([*model.context.notes, *_stands(inputs.plan, staged)]),
        keeps=standing_run(inputs.plan) if KEPT in staged.notes else "",
    )
    if staged.x is None:
        return solution
    activities = seller_context(sellers).activities
    found = plan_of_sellers(model.context.activities, activities, staged.x)
    residuals = _residuals(model, staged)
    last = activities.num_columns if activities.extra_start is None else activities.extra_start
    bought = activities.blocks["extra"].values(found) if "extra" in activities.blocks else None
    return replace(
        solution,
        sales=activities.blocks["sales"].values(found),
        sales_after=sales_after(model.context.activities, activities, staged.x),
        opening=opening_worked(model.context.activities, staged.x),
        extra=np.zeros((len(activities.resources), sellers.num_periods)) if bought is None else bought,
        others=found[sellers.num_cells : last],
        residuals=residuals,
        outcomes=rule_outcomes(sellers, found),
    )


def _stands(plan: Plan, staged: StagedResult) -> list[tuple[str, dict[str, object]]]:
    return [(note, {"run": standing_run(plan)}) for note in (STANDS, KEPT) if note in staged.notes]


def _residuals(model: Model, staged: StagedResult) -> Residuals | None:
    """Our own check of the finished plan: that of the stage that found it, whose program has every row."""
    for outcome in reversed(staged.outcomes):
        found = outcome.result
        if found is not None and found.x is staged.x and found.residuals is not None:
            return found.residuals
    return None if staged.x is None else primal_residuals(model.program, staged.x)


def _status(staged: StagedResult) -> Status:
    reason = staged.termination.reason
    if staged.x is not None:
        return Status.OPTIMAL if reason is Reason.OPTIMAL else Status.FEASIBLE
    if reason in _NO_PLAN:
        return Status.NO_PLAN
    return Status.LIMIT if reason in _STOPPED else Status.FAILED


def _reason(end: Termination) -> str:
    return str(end.reason) if end.limit is None else f"{end.reason}: {end.limit}"


def _explained(solution: Solution, staged: StagedResult, settings: SolveSettings) -> Solution:
    """Add what binds and what it is worth, what assumptions move, or why there is no plan."""
    if solution.status is Status.NO_PLAN:
        return replace(solution, contradiction=explain_contradiction(solution.model, settings))
    if not solution.has_plan:
        return solution
    if settings.marginal_values:
        values, note = marginal_values(solution.model, staged, settings)
        solution = replace(solution, marginal_values=values, marginal_note=note)
    if settings.leverage and solution.status is Status.OPTIMAL:
        solution = replace(solution, leverages=leverages(solution, settings, _money_figures))
    return solution


def _money_figures(inputs: Inputs, settings: SolveSettings) -> tuple[float, float | None] | None:
    """Revenue and contribution of a plan solved down to its money stage; None when there is none."""
    model = compile_plan(inputs, settings.seat_groups)
    last = max(
        (index for index, stage in enumerate(model.stages) if stage.is_money or stage.kind == "total"),
        default=0,
    )
    staged = solve_model(
        model, replace(settings, marginal_values=False, on_stage=None), model.stages[: last + 1]
    )
    if staged.x is None or staged.termination.reason is not Reason.OPTIMAL:
        return None
    metrics = model.context.metrics
    revenue = float(metrics.total("revenue").values(staged.x)[0])
    if not model.cube.markets.knows_margin:
        return revenue, None
    return revenue, float(metrics.total("contribution").values(staged.x)[0])


__all__ = ["Inputs", "SolveSettings", "solution_of", "solve", "solve_model"]
