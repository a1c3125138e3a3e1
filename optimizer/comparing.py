"""One plan through several solvers: the same program, solved and judged side by side."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from optimizer.errors import InputError
from optimizer.model.compile import Model, compile_plan
from optimizer.plan.inputs import resolve
from optimizer.plan.names import nearest
from optimizer.plan.plan import Plan
from optimizer.settings import SolveSettings
from optimizer.solving import solve_model
from solvers.compare import Comparison, compare
from solvers.program import LinearProgram
from solvers.registry import available, get, names
from solvers.result import SolveResult


@dataclass(frozen=True)
class PlanComparison:
    """What the solvers said of one stage of a plan: `program` is what they solved, relaxed or not."""

    plan: Plan
    stage: str
    relaxed: bool
    program: LinearProgram
    comparison: Comparison


def compare_solvers(
    plan: Plan,
    solvers: Sequence[str] = (),
    settings: SolveSettings | None = None,
    relax: bool = False,
    stage: str | None = None,
    on_start: Callable[[str], None] | None = None,
    on_answer: Callable[[str, SolveResult], None] | None = None,
) -> PlanComparison:
    """Solve one stage of a plan by each solver in a process of its own, with the stages before it kept.

    `solvers` are names; without any, every solver here that can take the program. `stage` is the money
    stage unless given. `relax` drops whole numbers and takes response curves by their concave envelopes, so
    that solvers of linear programs can join. The time limit is for each solver. Raises `InputError` like
    `stage_program`, and for an unknown stage or solver.
    """
    for unknown in sorted(set(solvers) - set(names())):
        near, known = nearest(unknown, names(), 1), ", ".join(names())
        raise InputError("solverlist.unknown_solver", name=unknown, nearest=near, known=known)
    settings = settings or SolveSettings()
    model = compile_plan(resolve(plan), settings.seat_groups)
    name = stage_name(model, stage)
    program = stage_program(model, name, relax, settings)
    weights = np.zeros(program.num_columns)
    weights[: model.cube.num_cells] = model.context.metrics.coefficient("revenue").ravel()
    chosen = tuple(solvers) or capable(program)
    options = replace(settings.solve_options(plan.spec.proof_gap), method="auto", progress=None)
    found = compare(program, chosen, options, weights, on_start=on_start, on_answer=on_answer)
    return PlanComparison(plan, name, relax and (model.program.is_mip or bool(model.curves)), program, found)


def stage_program(model: Model, name: str, relax: bool, settings: SolveSettings) -> LinearProgram:
    """The program of one stage, the stages before it locked; `relax` as in `compare_solvers`.

    Raises `InputError` where the stages before it have no solution, and for response curves without `relax`.
    """
    if model.curves and not relax:
        raise InputError("model.curves_need_relax", curves=len(model.curves))
    if relax:
        model = replace(model, program=model.program.replace(integer=np.zeros_like(model.program.integer)))
    position = next(index for index, stage in enumerate(model.stages) if stage.name == name)
    quiet = replace(settings, marginal_values=False, progress=None)
    staged = solve_model(model, quiet, model.stages[: position + 1])
    if not staged.has_solution:
        raise InputError("model.stage_without_plan", stage=name, reason=str(staged.termination.reason))
    program = staged.program(name)
    if not model.curves:
        return program
    from solvers.curves import CurveProgram, envelope_program

    return envelope_program(CurveProgram(program, model.curves))


def capable(program: LinearProgram) -> tuple[str, ...]:
    """The solvers here that can take a program."""

    def takes(name: str) -> bool:
        able = get(name).capabilities
        return able.mip if program.is_mip else able.lp and able.continuous

    return tuple(name for name in available() if takes(name))


def stage_name(model: Model, asked: str | None) -> str:
    """The stage that was asked for, or the money stage; raises `InputError` for an unknown one."""
    known = [stage.name for stage in model.stages]
    if asked is None:
        return next((stage.name for stage in model.stages if stage.is_money), known[0])
    if asked not in known:
        raise InputError(
            "model.stage_unknown", stage=asked, nearest=nearest(asked, known), known=", ".join(known)
        )
    return asked
