"""One worker: the base built once, each scenario solved from it. Only arrays and plain values come and go."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import pandas as pd

from optimizer.errors import ApportionError
from optimizer.model.compile import Model, compile_plan
from optimizer.plan.inputs import resolve
from optimizer.result.contradiction import explain_contradiction
from optimizer.result.solution import Solution, Status
from optimizer.settings import SolveSettings
from optimizer.solving import solution_of, solve_model, solver_stage, without_denominator, without_limit
from scenarios.applied import changes_frame
from scenarios.base import Base
from scenarios.changes import ChangedPlan, apply_scenario
from scenarios.files import Scenario
from scenarios.kept import KeptPlan, Planned
from scenarios.record import INPUT_ERROR, Record, failed, record_of
from solvers.errors import SolverError, ZeroDenominatorError
from solvers.result import Reason
from solvers.staged import Stage, StagedResult
from solvers.staged_curves import solve_curve_stages
from solvers.warm import StageStart, WarmStages, stage_starts

WARM = "warm"


@dataclass(frozen=True)
class SweepSettings:
    """How each scenario is solved: `time_limit` in seconds a scenario, `gap` relative for whole numbers.

    `kept` also tries the base plan in each scenario; `warm=False` starts every solve cold.
    """

    time_limit: float | None = None
    gap: float | None = None
    threads: int = 1
    seed: int = 0
    kept: bool = True
    warm: bool = True

    def solve_settings(self) -> SolveSettings:
        """The settings of one solve."""
        return SolveSettings(
            time_limit=self.time_limit,
            gap=self.gap,
            threads=self.threads,
            seed=self.seed,
            marginal_values=False,
            leverage=False,
        )


@dataclass(frozen=True)
class Pack:
    """What a worker needs, sent once: the plan, where solves start, and the plan that is kept."""

    key: str
    base: Base
    settings: SweepSettings
    starts: tuple[StageStart, ...] = ()
    planned: Planned | None = None
    kept_starts: dict[str, tuple[StageStart, ...]] | None = None

    def worker(self) -> Worker:
        """See `scenarios.engine.Pack`."""
        return Worker(self)


@dataclass(frozen=True)
class Task:
    """One scenario to solve, and the digest of everything that its answer depends on."""

    scenario: Scenario
    digest: str


@dataclass(frozen=True)
class Done:
    """What one task gave."""

    record: Record
    changes: pd.DataFrame = field(default_factory=pd.DataFrame)
    """Every changed cell, old -> new."""


class Worker:
    """A built base, ready for scenarios; every one starts from the base, so their order changes nothing."""

    def __init__(self, pack: Pack) -> None:
        self._pack = pack
        settings = pack.settings.solve_settings()
        self._options = settings.solve_options(pack.base.plan.spec.proof_gap)
        model = compile_plan(resolve(pack.base.plan))
        starts = pack.starts if pack.settings.warm else ()
        self._warm = WarmStages(model.program, _stages(model), starts, self._options)
        self._kept: KeptPlan | None = None
        if pack.planned is not None:
            self._kept = KeptPlan(pack.planned, model, pack.kept_starts, self._options)

    def run(self, task: Task) -> Done:
        """Change, compile, solve, verify, measure; what cannot be is a record with its reason."""
        return self.measured(task, lambda: apply_scenario(self._pack.base, task.scenario))

    def measured(self, task: Task, change: Callable[[], ChangedPlan]) -> Done:
        """The same for a plan that `change` gives."""
        started = time.perf_counter()
        scenario, language = task.scenario, self._pack.base.plan.spec.language
        try:
            changed = change()
            inputs = resolve(changed.plan)
            model = compile_plan(inputs)
            staged = self._solved(model)
            if staged.termination.reason is Reason.UNBOUNDED:
                raise without_limit(inputs)
        except ApportionError as error:
            return Done(failed(scenario, task.digest, INPUT_ERROR, error.text(language)))
        except SolverError as error:
            return Done(failed(scenario, task.digest, Status.FAILED, str(error)))
        solution = solution_of(model, staged)
        more: dict[str, Any] = {"files": dict(changed.files), "start": _start(staged)}
        if solution.status is Status.NO_PLAN:
            more["reason"] = self._conflict(model)
        if solution.has_plan and self._kept is not None:
            found = self._kept.outcomes(model, solution.sellers)
            more["kept"] = {name: asdict(one) for name, one in found.items()}
        record = record_of(scenario, task.digest, solution, changed.applied, **more)
        return Done(replace(record, seconds=time.perf_counter() - started), changes_frame(changed.applied))

    def _solved(self, model: Model) -> StagedResult:
        if not self._pack.settings.warm:
            return solve_model(model, self._pack.settings.solve_settings())
        try:
            return self._warm.solve(model.program, _stages(model), self._options, model.curves)
        except ZeroDenominatorError as error:
            raise without_denominator(model, error) from error

    def _conflict(self, model: Model) -> str:
        """The rules that cannot all hold, by name."""
        found = explain_contradiction(model, self._pack.settings.solve_settings())
        named = found.conflicting or found.least_change
        return "; ".join(dict.fromkeys(one.name for one in named)) or "infeasible"


def _stages(model: Model) -> list[Stage]:
    return [solver_stage(model, stage) for stage in model.stages]


def _start(staged: StagedResult) -> str:
    notes = [note for note in staged.notes if "cold" in note]
    for outcome in staged.outcomes:
        if outcome.result is not None:
            notes += [f"{outcome.stage.name}: {note}" for note in outcome.result.notes if "cold" in note]
    return "; ".join(notes) or WARM


def solve_base(base: Base, settings: SweepSettings, key: str) -> tuple[Pack, Solution]:
    """Solve the unchanged plan cold and pack what workers start from; raises like `solve`."""
    options = replace(settings.solve_settings().solve_options(base.plan.spec.proof_gap), basis=True)
    model = compile_plan(resolve(base.plan))
    staged = solve_curve_stages(model.program, model.curves, _stages(model), options)
    solution = solution_of(model, staged)
    pack = Pack(key, base, settings, stage_starts(staged))
    if settings.kept and solution.has_plan:
        planned = Planned.of(solution)
        kept = KeptPlan(planned, model, options=options)
        starts = {name: tuple(found) for name, found in kept.starts.items()}
        pack = replace(pack, planned=planned, kept_starts=starts)
    return pack, solution
