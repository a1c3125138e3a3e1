"""How to solve a plan: limits, method, and what to explain afterwards."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from solvers.options import Progress, SolveOptions


@dataclass(frozen=True)
class SolveSettings:
    """Settings of `solve`; a planner needs none of them.

    `time_limit` in seconds for all stages together; `gap` relative, for plans with whole
    numbers or curves, in place of the plan's `proof_gap`;
    `seat_groups=False` keeps every seller apart. `marginal_values` and `leverage` explain the plan and cost
    a few more solves.
    `mode` takes the place of the plan's own mode and objective: contribution, least-spend, largest:TARGET.
    `on_stage` is called with the name of each stage before it is solved; `interrupt` stops the solve soon
    after it is set, with the best plan so far.
    """

    time_limit: float | None = None
    gap: float | None = None
    threads: int = 1
    seed: int = 0
    method: Literal["auto", "simplex", "interior_point"] = "auto"
    seat_groups: bool = True
    marginal_values: bool = True
    leverage: bool = True
    mode: str | None = None
    interrupt: threading.Event | None = None
    on_stage: Callable[[str], None] | None = None
    progress: Callable[[Progress], None] | None = None
    log: Callable[[str], None] | None = None

    def solve_options(self, proof_gap: float | None = None) -> SolveOptions:
        """The same for the solver layer; the plan's `proof_gap` counts where no gap is set."""
        return SolveOptions(
            time_limit=self.time_limit,
            gap=proof_gap if self.gap is None else self.gap,
            threads=self.threads,
            seed=self.seed,
            method=self.method,
            interrupt=self.interrupt,
            progress=self.progress,
            log=self.log,
        )
