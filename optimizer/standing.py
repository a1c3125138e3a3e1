"""The plan of an earlier run that stands: it is the answer where nothing proves better than it.

An optimum within a gap is one of many, and each of them may be found. Where nothing has changed a planner
expects the plan that everybody has. So a `stay_near` with `keep: if_as_good` looks at that plan as it is:

    planned sales (within 1e-5) and decisions fixed, everything else by the stages of the plan
    kept if value_i >= bound_i - gap max(|value_i|, least size)   for each stage i that is maximised
                                                                  (<=, + where it is minimised)

with bound_i what the search has proved; or it is behind what the search has found by no more than a lock
gives up. So the plan that stands is proved as well as any other answer. From the first stage on in which
it is better than what was found by more than the gap, later stages are not asked: nothing may be won
there at the cost of an earlier one. Stages that only choose among equals are not asked either.

With `keep: if_possible` the plan of the run is the answer wherever it is possible, and nothing is searched:
the stages are then about what follows from its sales and decisions alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from optimizer.errors import InputError, Place
from optimizer.model.compile import Model
from optimizer.model.following import settled
from optimizer.model.past_run import PastPlan, past_plan
from optimizer.model.scopes import SALES
from optimizer.plan.plan import Plan
from solvers.curves import CurveTerm
from solvers.options import SolveOptions
from solvers.program import LinearProgram
from solvers.result import Reason
from solvers.stage import Stage
from solvers.staged import StagedResult, StageOutcome
from solvers.staged_curves import solve_curve_stages

FloatArray = NDArray[np.float64]

STANDS = "modes.stands"
"""Note of an answer that is the plan of the other run, because no other is better."""
KEPT = "modes.kept_as_is"
"""Note of an answer that is the plan of the other run, because the plan file asks for it."""
USUAL_GAP = 1e-6
"""Gap where neither plan nor caller names one; amounts below it are none."""
ROUNDING = 1e-5
"""Room of sales, relative: rows of the run hold within 1e-6, and facts are rounded; nearness uses little."""


def standing(model: Model, stages: Sequence[Stage], options: SolveOptions) -> StagedResult | None:
    """The plan of the run that the plan file would rather keep, in the world of `model`; None where it asks
    for none or where that plan is not possible any more.

    Raises `InputError` where it names no run with a plan.
    """
    past = _asked(model.inputs.plan)
    if past is None:
        return None
    held = _held(model, past)
    if held is None:
        return None
    program, curves = held
    found = solve_curve_stages(program, curves, stages, replace(options, integer_prices=False))
    return found if found.termination.reason is Reason.OPTIMAL and found.x is not None else None


def standing_run(plan: Plan) -> str:
    """The run whose plan the plan file would rather keep; an empty string without one."""
    runs = (entry.to["run"] for entry in plan.spec.stay_near if entry.keep and isinstance(entry.to, dict))
    return next(runs, "")


def kept_anyway(plan: Plan) -> bool:
    """Whether the plan of that run is the answer wherever it is possible."""
    return next((entry.keep for entry in plan.spec.stay_near if entry.keep), None) == "if_possible"


def _asked(plan: Plan) -> PastPlan | None:
    for at, entry in enumerate(plan.spec.stay_near):
        if entry.keep is None:
            continue
        place = Place(plan.file, line=plan.lines.get(("stay_near", at)), value=entry.name)
        if not isinstance(entry.to, dict):
            raise InputError("modes.keep_needs_run", place)
        return past_plan(plan, entry.to["run"], place)
    return None


def _held(model: Model, past: PastPlan) -> tuple[LinearProgram, tuple[CurveTerm, ...]] | None:
    """The program with planned sales and decisions in all periods that are ahead, and the curves whose input
    is still free; None where the bounds of its columns leave no room for them.

    Sales, and what is bought because of them, are held within the rounding of a run.
    """
    cube, program = model.cube, model.program
    lower, upper = program.column_lower.copy(), program.column_upper.copy()
    ahead = slice(cube.inputs.past, cube.num_planned)
    for block in model.context.activities.blocks.values():
        if not block.decision or block.stands_for is not None:
            continue
        columns = block.columns[:, ahead].ravel()
        amounts = past.cells(cube) if block.name == SALES else past.amounts(cube, block)
        planned = amounts[:, ahead].ravel()
        planned = np.where(program.integer[columns], np.round(planned), planned)
        at = np.clip(planned, lower[columns], upper[columns])
        if (np.abs(at - planned) > ROUNDING * (1.0 + np.abs(planned))).any():
            return None
        room = ROUNDING * np.abs(at) * (block.name in (SALES, "extra"))
        lower[columns] = np.maximum(lower[columns], at - room)
        upper[columns] = np.minimum(upper[columns], at + room)
    return settled(program.replace(column_lower=lower, column_upper=upper), model.curves, cube.num_cells)


def where_as_good(kept: StagedResult, found: StagedResult, gap: float | None) -> StagedResult:
    """The plan that stands in place of what was found, with the bounds that were proved there; what was found
    where it is better by more than the gap, or where nothing was proved."""
    if found.x is None or kept.x is None:
        return found
    if not _as_good(kept, found, max(gap or 0.0, USUAL_GAP)):
        return found
    outcomes = tuple(_told(theirs, mine) for theirs, mine in zip(found.outcomes, kept.outcomes, strict=True))
    seconds = found.seconds + kept.seconds
    notes = (*found.notes, STANDS)
    return replace(
        found, outcomes=outcomes, x=kept.x, termination=kept.termination, seconds=seconds, notes=notes
    )


def _as_good(kept: StagedResult, found: StagedResult, gap: float) -> bool:
    proved = True
    for mine, theirs in zip(kept.outcomes, found.outcomes, strict=True):
        stage = mine.stage
        proved &= theirs.result is None or theirs.result.is_optimal
        if stage.chooses or stage.is_constant or mine.value is None or theirs.value is None:
            continue
        if not proved:
            return False
        bound = theirs.value
        if theirs.result is not None and theirs.result.bound is not None and stage.denominator is None:
            bound = theirs.result.bound
        sign = 1.0 if stage.maximize else -1.0
        size = max(abs(theirs.value), stage.scale if stage.least_size is None else stage.least_size)
        room = max(gap * size, stage.slack(theirs.value))
        behind = sign * (theirs.value - mine.value) > stage.slack(theirs.value)
        if behind and sign * (bound - mine.value) > room:
            return False
        if sign * (mine.value - theirs.value) > room:
            return True
    return True


def _told(found: StageOutcome, kept: StageOutcome) -> StageOutcome:
    """A stage of the search with the figure of the plan that stands. Prices are those of the search."""
    if kept.stage.chooses or found.result is None or kept.result is None:
        return replace(found, value=kept.value, result=kept.result, note=kept.note)
    values = kept.result.x
    told = replace(
        found.result, x=values, objective_value=kept.result.objective_value, residuals=kept.result.residuals
    )
    return replace(found, value=kept.value, result=told)
