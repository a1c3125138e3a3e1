"""One future applied to a plan: its tables changed, read and compiled like any plan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from optimizer.model.compile import Model, compile_plan
from optimizer.plan.inputs import Inputs, resolve
from optimizer.plan.rowchecks import check_values
from optimizer.plan.sellers import Sellers
from optimizer.plan.tables import Table
from optimizer.plan.uses import resolve_resources
from scenarios.changes import apply_scenario
from scenarios.files import Change, Layer, Scenario
from scenarios.kept import Planned
from scenarios.risk.events import Event, absence
from scenarios.risk.riskfile import Draws, Risk
from scenarios.risk.uncertain import Variable
from scenarios.schema import TableChange

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Future:
    """One future: uniform of each variable, NaN where it is as planned, and the outcome of each event.

    `amounts` says of some variables directly by how much they move.
    """

    u: FloatArray
    outcomes: Mapping[int, int]
    amounts: Mapping[int, FloatArray] = field(default_factory=dict)

    @classmethod
    def of(cls, draws: Draws, row: int) -> Future:
        """One row of the samples."""
        happened = np.flatnonzero(draws.outcomes[row])
        return cls(draws.u[row], {int(at): int(draws.outcomes[row, at]) for at in happened})

    @classmethod
    def with_one(
        cls,
        risk: Risk,
        amounts: Mapping[int, FloatArray] | None = None,
        happened: Mapping[int, int] | None = None,
    ) -> Future:
        """The plan's own world but for some variables and events."""
        return cls(np.full(len(risk.variables), np.nan), happened or {}, amounts or {})

    def moves(self, risk: Risk) -> list[tuple[Variable, FloatArray]]:
        """The variables that are not as planned, and by how much each moves."""
        found = []
        for number, (variable, u) in enumerate(zip(risk.variables, self.u.tolist(), strict=True)):
            if number in self.amounts:
                found.append((variable, self.amounts[number]))
            elif not np.isnan(u):
                found.append((variable, variable.amounts(u)))
        return found


class Futures:
    """Builds the plan, the inputs and the model of any future of a risk file."""

    def __init__(self, risk: Risk) -> None:
        self.risk = risk

    def inputs(self, future: Future) -> Inputs:
        """The plan in this future with every blank filled; raises `InputError` where a number cannot be."""
        risk, base = self.risk, self.risk.base
        changes = self._changes(future)
        tables = dict(base.content.tables)
        for variable, amounts in future.moves(risk):
            if variable.action != "shift":
                tables[variable.table] = moved(tables[variable.table], variable, amounts)
        for name, table in tables.items():
            if table is not base.content.tables[name]:
                check_values(table)
        if changes:
            content = base.content.replace(tables=tables)
            scenario = Scenario(
                "risk", risk.source.file, layers=(Layer(risk.source.file, changes, risk.source),)
            )
            plan = apply_scenario(replace(base, content=content), scenario).plan
        else:
            settled = {name: tables.get(name, table) for name, table in base.plan.tables.items()}
            if tables.get("profiles") is base.content.tables.get("profiles"):
                # Profiles of the plan are those of its file with their kinds settled.
                settled |= {"profiles": base.plan.tables["profiles"]} if "profiles" in settled else {}
            plan = replace(base.plan, tables=settled)
        return self._without_leavers(resolve(plan), future)

    def model(self, future: Future) -> Model:
        """The plan in this future, compiled."""
        return compile_plan(self.inputs(future))

    def planned(self, plan: Planned, future: Future) -> Planned:
        """What is carried out of a kept plan: starts that slip come later, also after their latest."""
        decisions = dict(plan.decisions)
        for number, outcome in future.outcomes.items():
            event = self.risk.events[number]
            if event.block != "start" or event.block not in decisions:
                continue
            names, amounts = decisions[event.block]
            decisions[event.block] = (names, _later(names, amounts, event, event.delays[outcome - 1]))
        slipped = any(decisions[name] is not plan.decisions[name] for name in decisions)
        forced = frozenset({"start"}) if slipped else frozenset()
        return replace(plan, decisions=decisions, forced=forced)

    def _changes(self, future: Future) -> tuple[Change, ...]:
        """Changes that go through scenario files: profiles that shift, and events that change tables."""
        found: list[Change] = []
        for variable, amounts in future.moves(self.risk):
            if variable.action == "shift":
                steps = round(float(amounts[0]))
                found += _shifts(variable, self.risk.base.content.tables["profiles"], steps) if steps else []
        for number in future.outcomes:
            event = self.risk.events[number]
            found += event.changes
        return tuple(replace(change, position=at) for at, change in enumerate(found))

    def _without_leavers(self, inputs: Inputs, future: Future) -> Inputs:
        sellers = inputs.selling.sellers
        gone = absence(self.risk.events, future.outcomes, sellers.names, sellers.presence.shape[1])
        if not gone.any():
            return inputs
        return with_presence(inputs, 1.0 - gone)


def with_presence(inputs: Inputs, there: FloatArray) -> Inputs:
    """The inputs with sellers there only in a share of each period (S, T): capacity, heads and presence."""
    sellers = inputs.selling.sellers
    selling = replace(inputs.selling, sellers=present(sellers, there))
    resources = resolve_resources(inputs.plan, inputs.markets, selling)
    return replace(inputs, selling=selling, resources=resources)


def present(sellers: Sellers, there: FloatArray) -> Sellers:
    """Sellers there only in a share of each period (S, T)."""
    capacity = np.where(there > 0, sellers.capacity, 0.0) * np.where(there > 0, there, 1.0)
    return replace(
        sellers, capacity=capacity, headcount=sellers.headcount * there, presence=sellers.presence * there
    )


def moved(table: Table, variable: Variable, amounts: FloatArray) -> Table:
    """The table with the rows of one column multiplied, added to, or set, by row or one number for all."""
    rows, column = variable.rows, variable.column

    def changed(values: FloatArray) -> FloatArray:
        values, by = values.copy(), amounts
        if values.ndim == 2 and len(by) > 1:
            by = by[:, None]
        if variable.action == "multiply":
            values[rows] = values[rows] * by
        elif variable.action == "add":
            values[rows] = values[rows] + by
        else:
            values[rows] = by
        return values

    if column in table.by_period:
        return table.replace(by_period={**table.by_period, column: changed(table.by_period[column])})
    return table.replace(frame=table.frame.assign(**{column: changed(table.numbers(column))}))


def _shifts(variable: Variable, profiles: Table, steps: int) -> list[Change]:
    names = dict.fromkeys(np.array(profiles.text("profile"), dtype=object)[variable.rows].tolist())
    return [Change(0, TableChange(table="profiles", where={"profile": name}, shift=steps)) for name in names]


def _later(names: tuple[str, ...], amounts: FloatArray, event: Event, periods: int) -> FloatArray:
    """The rows of the target `periods` later; what falls behind the end is lost."""
    moved_amounts = amounts.copy()
    for row, name in enumerate(names):
        if event.target in name.split(" / "):
            kept = amounts[row, : max(0, amounts.shape[1] - periods)]
            moved_amounts[row] = np.concatenate([np.zeros(amounts.shape[1] - len(kept)), kept])
    return moved_amounts
