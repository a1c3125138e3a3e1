"""Why nothing is feasible: the least repair, repairs by one group alone, and a minimal conflict.

Elastic programming and the filters of Chinneck, Feasibility and Infeasibility in Optimization (2008), on
named groups of rows and bounds; what is in no group is never given up. Works for LP and MIP alike.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from solvers.elastic import BoundGroup, ElasticProgram, Group, GroupChange, RowGroup
from solvers.options import SolveOptions
from solvers.program import FloatArray, LinearProgram
from solvers.result import Reason, SolveResult, Termination
from solvers.session import Session

__all__ = [
    "BoundGroup", "Conflict", "Group", "GroupChange", "Repair", "RowGroup", "SingleRepairs", "least_repair",
    "minimal_conflict", "single_repairs",
]  # fmt: skip

NEGLIGIBLE = 1e-6
"""A relative violation up to this counts as none: it is what verification allows."""

_NO_PLAN = (Reason.INFEASIBLE, Reason.INFEASIBLE_OR_UNBOUNDED)


@dataclass(frozen=True)
class Repair:
    """The change of least total relative violation; `total` is that sum, 0 when the program is feasible.

    `changes` has the groups that change, `x` (n,) the plan after the repair. Both are empty when the rest
    contradicts itself (`termination` INFEASIBLE) or the time ran out before any repair was found.
    """

    termination: Termination
    total: float | None
    changes: tuple[GroupChange, ...]
    x: FloatArray | None

    @property
    def is_proved_least(self) -> bool:
        """Whether no smaller repair exists."""
        return self.termination.reason is Reason.OPTIMAL


@dataclass(frozen=True)
class SingleRepairs:
    """For each group the least change of it alone that makes the program feasible, or None where none does;
    `unfinished` names the groups for which the time did not suffice."""

    repairs: Mapping[str, GroupChange | None]
    unfinished: tuple[str, ...]


@dataclass(frozen=True)
class Conflict:
    """Groups that cannot hold together with the rest. `is_proved` says that they conflict, `is_minimal` that
    none can be left out. Empty with `is_proved` means that the rest alone is infeasible; empty without, that
    there is no conflict or that none was found in time (`is_feasible` tells which)."""

    groups: tuple[str, ...]
    is_proved: bool
    is_minimal: bool
    is_feasible: bool
    seconds: float


def least_repair(
    program: LinearProgram,
    groups: Sequence[Group],
    options: SolveOptions | None = None,
    solver: str = "highs",
) -> Repair:
    """Minimise the sum over all groups' rows of violation / scale, everything else being kept.

    Raises like `solve`, and `InvalidProgramError` for groups that overlap or have no positive scale.
    """
    elastic = ElasticProgram(program, groups)
    result = Session(elastic.program, _plain(options), solver).solve()
    if result.x is None:
        return Repair(_meant(result.termination), None, (), None)
    changes = tuple(change for change in elastic.changes(result.x) if change.relative > NEGLIGIBLE)
    total = sum(change.relative for change in changes)
    return Repair(result.termination, total, changes, result.x[: elastic.num_columns])


def single_repairs(
    program: LinearProgram,
    groups: Sequence[Group],
    options: SolveOptions | None = None,
    solver: str = "highs",
    candidates: Collection[str] | None = None,
) -> SingleRepairs:
    """For each group alone the least change that makes the program feasible.

    `options.time_limit` is for all groups together. `candidates` are the groups worth trying: a repair by one
    group alone is part of every conflict, so the groups of one minimal conflict are enough, and the others
    get None without a solve. Raises like `least_repair`.
    """
    search = _Search(program, groups, options, solver)
    names = [group.name for group in groups]
    repairs: dict[str, GroupChange | None] = {}
    unfinished: list[str] = []
    for name in names:
        if candidates is not None and name not in candidates:
            repairs[name] = None
            continue
        result = search.solve(hard=set(names) - {name})
        if result is not None and result.is_optimal:
            repairs[name] = next(
                change for change in search.elastic.changes(result.values) if change.name == name
            )
        elif result is not None and result.termination.reason in _NO_PLAN:
            repairs[name] = None
        else:
            unfinished.append(name)
    return SingleRepairs(repairs, tuple(unfinished))


def minimal_conflict(
    program: LinearProgram,
    groups: Sequence[Group],
    options: SolveOptions | None = None,
    solver: str = "highs",
) -> Conflict:
    """A minimal set of groups that cannot hold together with the rest.

    First the elastic filter: groups that a least repair changes are made hard until nothing is feasible. Then
    the deletion filter (each of them is given up in turn and stays out when the others still conflict).
    `options.time_limit` is for the whole search; when it ends, `is_minimal` or `is_proved` is False. Raises
    like `least_repair`.
    """
    search = _Search(program, groups, options, solver)
    hard: list[str] = []
    while True:
        result = search.solve(hard=hard)
        if result is None or (result.x is None and result.termination.reason not in _NO_PLAN):
            return search.conflict((), proved=False, minimal=False)
        if result.x is None:
            return _deleted(search, hard)
        violated = [
            change.name for change in search.elastic.changes(result.x) if change.relative > NEGLIGIBLE
        ]
        if not violated:
            return search.conflict((), proved=False, minimal=False, feasible=True)
        hard += [name for name in violated if name not in hard]


def _deleted(search: _Search, suspects: Sequence[str]) -> Conflict:
    # A group whose removal leaves the others in conflict is not needed; one that frees them is.
    kept, sure = list(suspects), True
    for name in list(suspects):
        rest = [other for other in kept if other != name]
        result = search.solve(hard=rest, costs=False)
        if result is not None and result.termination.reason in _NO_PLAN:
            kept = rest
        elif result is None or result.x is None:
            sure = False
    return search.conflict(tuple(kept), proved=True, minimal=sure)


class _Search:
    """One elastic model that is solved again and again with other groups hard."""

    def __init__(
        self, program: LinearProgram, groups: Sequence[Group], options: SolveOptions | None, solver: str
    ) -> None:
        self._started = time.perf_counter()
        self._options = _plain(options)
        self.elastic = ElasticProgram(program, groups)
        self._session = Session(self.elastic.program, self._options, solver)

    def solve(self, hard: Collection[str], costs: bool = True) -> SolveResult | None:
        """The result with `hard` groups hard and the others given up, at a price if `costs`; None when the
        time is up or the user interrupts."""
        limit = self._options.time_limit
        left = None if limit is None else limit - (time.perf_counter() - self._started)
        interrupt = self._options.interrupt
        if (left is not None and left <= 0) or (interrupt is not None and interrupt.is_set()):
            return None
        base = self.elastic.program
        self._session.reset_to_base()
        self._session.patch(
            column_upper=self.elastic.upper_bounds(hard),
            objective=None if costs else np.zeros_like(base.objective),
        )
        return self._session.solve(replace(self._options, time_limit=left))

    def conflict(
        self, groups: tuple[str, ...], proved: bool, minimal: bool, feasible: bool = False
    ) -> Conflict:
        """The answer with the seconds so far."""
        return Conflict(groups, proved, minimal, feasible, time.perf_counter() - self._started)


def _plain(options: SolveOptions | None) -> SolveOptions:
    # Prices and starting points of the original program mean nothing here.
    return replace(
        options or SolveOptions(), ranging=False, integer_prices=False, start_basis=None, start_values=None
    )


def _meant(termination: Termination) -> Termination:
    # The sum of violations cannot be unbounded, so what is "infeasible or unbounded" is infeasible.
    if termination.reason in _NO_PLAN:
        return replace(termination, reason=Reason.INFEASIBLE)
    return termination
