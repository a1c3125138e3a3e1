"""One quota of a solution as a value: whole numbers on every node, with everything that led to them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from optimizer.plan.schema import QuotaSpec
from optimizer.quotas.bases import Bases
from optimizer.quotas.cascade import Stage
from optimizer.quotas.earned import Earned
from optimizer.quotas.hierarchy import Hierarchy
from optimizer.quotas.levels import Levels
from optimizer.quotas.limits import Limit, Lock
from optimizer.quotas.spans import Spans
from optimizer.quotas.target import CompanyTarget

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Quota:
    """One quota: N nodes, T shortest spans, K spans in all. Amounts are in the unit of the metric."""

    name: str
    spec: QuotaSpec
    company: str
    """Name of the company's node."""
    unit: str
    levels: Levels
    spans: Spans
    target: CompanyTarget
    factor: FloatArray
    """What each node's level carries for one unit of the company's target (N,)."""
    bases: Bases
    stages: tuple[Stage, ...]
    """The cascade, by shortest span (N, T) each; the last one is the quota before rounding."""
    steps: IntArray
    """The quota in steps of `round_to` (N, T)."""
    unassigned: FloatArray
    """What nobody below a node may carry, over the horizon (N,)."""
    excess: IntArray
    """By how many steps numbers of a node had to leave their floor or ceiling (N,)."""
    limits: tuple[Limit, ...]
    acting: tuple[str, ...]
    """The rule on whose bound each node lies (N,); blank where none acts."""
    gave_way: tuple[str, ...]
    locks: tuple[Lock, ...]
    vacant: NDArray[np.bool_]
    """Nodes of open seats (N,)."""
    ramping: NDArray[np.bool_]
    """Nodes of sellers who are not at full strength in the whole horizon (N,)."""
    earned: Earned
    """What facts have brought: part of the numbers where leaves are told, beside them where only nodes above
    are."""

    @cached_property
    def earned_wide(self) -> FloatArray:
        """What is earned inside the numbers by every span (N, K)."""
        return np.asarray(self.spans.wide(self.tree.sum_up(self.earned.leaf)))

    @property
    def tree(self) -> Hierarchy:
        """The organisation."""
        return self.levels.tree

    @cached_property
    def amounts(self) -> FloatArray:
        """The quota by shortest span (N, T)."""
        return np.asarray(self.steps * self.spec.round_to, dtype=np.float64)

    @cached_property
    def wide(self) -> FloatArray:
        """The quota by every span (N, K)."""
        return np.asarray(self.spans.wide(self.steps) * self.spec.round_to, dtype=np.float64)

    @cached_property
    def year(self) -> FloatArray:
        """The quota of the horizon (N,)."""
        return np.asarray(self.steps.sum(axis=1) * self.spec.round_to, dtype=np.float64)

    def stage(self, name: str) -> FloatArray | None:
        """One stage of the cascade (N, T), or None where this quota has no such stage."""
        return next((stage.values for stage in self.stages if stage.name == name), None)

    @cached_property
    def plan(self) -> FloatArray:
        """The plan of each node (N, T)."""
        return self.tree.sum_up(self.bases.plan)

    @cached_property
    def target_share(self) -> FloatArray:
        """The target in last year's shares, in the plan's where there is no last year (N, T)."""
        past = self.stage("last_year")
        if past is not None:
            return past
        total = self.plan[0].sum()
        return np.asarray(self.plan * (self.target.total / total if total > 0 else 0.0))

    @property
    def reserve(self) -> float:
        """What the plan holds above the target; 0 where it is short."""
        return max(float(self.plan[0].sum()) - self.target.total, 0.0)

    @cached_property
    def locked(self) -> dict[int, Lock]:
        """Node -> the number set by hand."""
        return {lock.node: lock for lock in self.locks}

    def title(self, node: int) -> str:
        """The node as people name it."""
        return self.tree.name(node, self.company)
