"""A scenario applied to a plan: the changed plan, checked like one that was read, and every old -> new."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from optimizer.errors import InputError, Place
from optimizer.io.paths import file_digest, missing_file, resolve_inside
from optimizer.plan.calendar import Calendar
from optimizer.plan.inputs import Inputs, resolve
from optimizer.plan.load import Content, plan_of, read_tables, validated
from optimizer.plan.names import nearest
from optimizer.plan.plan import Plan
from optimizer.plan.rowchecks import check_rows, check_values
from optimizer.plan.schema import PlanSpec
from optimizer.plan.tables import Table
from scenarios.applied import Applied
from scenarios.base import Base
from scenarios.claims import ALL_CELLS, Claims
from scenarios.files import Change, Layer, Scenario
from scenarios.periods import phased_column
from scenarios.plankeys import PlanKeys
from scenarios.rowchange import add_rows, remove_rows, replace_column, replace_table, shift_profile
from scenarios.schema import TableChange
from scenarios.tablechange import Changed, Context, change_cells

IntArray = NDArray[np.int64]
T = TypeVar("T")


@dataclass(frozen=True)
class ChangedPlan:
    """A scenario's plan, what was changed, and the files beyond the plan's own that were read."""

    plan: Plan
    applied: tuple[Applied, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    """File -> SHA-256."""


def apply_scenario(base: Base, scenario: Scenario) -> ChangedPlan:
    """The plan under a scenario; a scenario of no changes gives the base plan itself.

    Changes of the plan file come before those of tables; layer by layer, in the order stated. Raises
    `InputError` with the place of the change for everything that cannot be, and what the plan's own checks
    refuse.
    """
    if scenario.error is not None:
        raise scenario.error
    if not any(layer.changes for layer in scenario.layers):
        return ChangedPlan(base.plan)
    return _Application(base, scenario).result()


class _Application:
    """One scenario on its way into a plan."""

    def __init__(self, base: Base, scenario: Scenario) -> None:
        self.base, self.scenario = base, scenario
        self.content = base.content
        self.spec: PlanSpec = base.plan.spec
        self.calendar = base.plan.calendar
        self.tables: dict[str, Table] = dict(base.content.tables)
        self.ids = {name: np.arange(len(table)) for name, table in self.tables.items()}
        self.next_id = {name: len(table) for name, table in self.tables.items()}
        self.files: dict[str, str] = {}
        self.found: dict[tuple[int, int], list[Applied]] = {}
        self.touched: dict[str, list[tuple[Place, Applied]]] = {}
        self._inputs: Inputs | None = None

    def result(self) -> ChangedPlan:
        """Everything applied and checked."""
        claims = self._plan_keys()
        for at, layer in enumerate(self.scenario.layers):
            for change in layer.changes:
                if change.table is not None:
                    self.found[at, change.position] = self._table(layer, change, change.table, claims[at])
        for name, table in self.tables.items():
            if table is not self.content.tables.get(name):
                self._explain(partial(_check, table))
        content = self.content.replace(tables=self.tables, inputs={**self.content.inputs, **self.files})
        plan = self._explain(lambda: plan_of(content))
        applied = [
            one for at, layer in enumerate(self.scenario.layers)
            for change in layer.changes for one in self.found.get((at, change.position), ())
        ]  # fmt: skip
        return ChangedPlan(plan, tuple(applied), self.files)

    def _plan_keys(self) -> list[Claims]:
        """Changes of the plan file, all layers; tables are read again where calendar or `tables` changed."""
        keys, claims = PlanKeys(self.content.data, self.spec), []
        for at, layer in enumerate(self.scenario.layers):
            claims.append(Claims(layer, self.calendar.size))
            for change in layer.changes:
                if change.table is not None:
                    continue
                found = keys.apply(change, layer.source)
                claims[at].keys(change, [one.path for one in found])
                place = layer.source.place(change.path)
                self.found[at, change.position] = [
                    Applied(place.text(), "", one.name, [""], [""], [one.old], [one.new]) for one in found
                ]
                self.touched.setdefault("", []).append((place, self.found[at, change.position][0]))
        if self.touched:
            self._take_over(keys.finished())
        return claims

    def _take_over(self, data: dict[str, object]) -> None:
        source, before = self.content.source, self.spec
        self.spec = self._explain(lambda: validated(data, source))
        self.content = Content(data, self.base.folder, source, self.content.tables, self.content.inputs)
        if self.spec.calendar == before.calendar and self.spec.tables == before.tables:
            return
        self.calendar = self._explain(lambda: Calendar(self.spec.calendar))
        self.tables = self._explain(lambda: read_tables(self.spec, self.base.folder, source))
        self.content = self.content.replace(tables=dict(self.tables))
        self.ids = {name: np.arange(len(table)) for name, table in self.tables.items()}
        self.next_id = {name: len(table) for name, table in self.tables.items()}
        for table in self.spec.tables.values():
            self._remember(table.file)

    def _remember(self, file: str) -> None:
        if file not in self.base.content.inputs:
            self.files[file] = file_digest(resolve_inside(self.base.folder, file))

    def _table(self, layer: Layer, change: Change, wanted: TableChange, claims: Claims) -> list[Applied]:
        """One change of a table, its cells claimed."""
        name = wanted.table
        if name not in self.tables:
            place = layer.source.place((*change.path, "table"), name)
            raise InputError("plan.unknown_table", place, name=name, nearest=nearest(name, self.tables))
        context = Context(layer.source, change.path, self.calendar, self._phased)
        table, ids = self.tables[name], self.ids[name]
        claims.refuse_gone(change, wanted, table.name, context)
        changed = self._changed(table, wanted, context)
        for column, rows, periods in changed.claims:
            claims.cells(change, name, column, ids[rows], periods)
        gone = np.setdiff1d(np.arange(len(table)), changed.kept)
        if wanted.remove and len(gone):
            claims.gone.append((table.some_rows(gone), ids[gone]))
        fresh = self.next_id[name] + np.arange(len(changed.table) - len(changed.kept))
        self.next_id[name] += len(fresh)
        if len(fresh):
            claims.cells(change, name, ALL_CELLS, fresh, fresh[:0])
        self.ids[name] = np.concatenate([ids[changed.kept], fresh])
        self.tables[name] = changed.table
        self._inputs = None
        place = context.place()
        self.touched.setdefault(name, []).extend((place, one) for one in changed.applied)
        for file in (wanted.replace, wanted.add_rows):
            if isinstance(file, str):
                self._remember(file)
        return list(changed.applied)

    def _changed(self, table: Table, wanted: TableChange, context: Context) -> Changed:
        folder, specs = self.base.folder, {str(name): one for name, one in self.spec.tables.items()}
        spec = specs[table.name]
        for key, file in (("replace", wanted.replace), ("add_rows", wanted.add_rows)):
            if isinstance(file, str):
                place = context.place(key, value=file)
                path = resolve_inside(folder, file, place)
                if not path.is_file():
                    raise missing_file(path, file, place)
        given = wanted.model_fields_set
        if "remove" in given:
            return remove_rows(table, wanted, context)
        if "add_rows" in given:
            return add_rows(table, wanted, context, folder, spec)
        if "shift" in given:
            return shift_profile(table, wanted, context, self.tables)
        if "replace" in given and not wanted.column:
            return replace_table(table, wanted, context, folder, spec)
        if "replace" in given:
            return replace_column(table, wanted, context, folder)
        return change_cells(table, wanted, context)

    def _phased(self, table: str, column: str) -> NDArray[np.float64]:
        """A column by period as the plan reads it now."""
        if self._inputs is None:
            content = self.content.replace(tables=self.tables)
            self._inputs = self._explain(lambda: resolve(plan_of(content)))
        return phased_column(self._inputs, table, column)

    def _explain(self, check: Callable[[], T]) -> T:
        """What the plan's own checks refuse, said with the change that brought it."""
        try:
            return check()
        except InputError as error:
            place = self._cause(error.place)
            raise InputError("scenarios.plan_refused", place, reason=error) from error

    def _cause(self, place: Place) -> Place:
        """The change of the table that an error is about, the last one; else the scenario file."""
        for name, table in self.tables.items():
            if table.file == place.file and self.touched.get(name):
                return self.touched[name][-1][0]
        if self.touched.get(""):
            return self.touched[""][-1][0]
        every = [entry for entries in self.touched.values() for entry in entries]
        return every[-1][0] if every else Place(file=self.scenario.file)


def _check(table: Table) -> None:
    check_values(table)
    check_rows(table)
