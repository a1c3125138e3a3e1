"""Which column of a planner's file is which column of ours."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from optimizer.errors import InputError, Place
from optimizer.io.cells import Cells
from optimizer.plan.calendar import Calendar
from optimizer.plan.columns import TABLES, Column, TableColumns
from optimizer.plan.names import folded, nearest, slip_of
from optimizer.plan.schema import TableSpec
from optimizer.plan.totals import is_total

_RANGE_ENDS = ("_low", "_high")
_TIME = ("period", "quarter", "year", "month", "week", "date")


@dataclass
class Headers:
    """The columns of one file: our name -> the planner's header."""

    known: dict[str, str] = field(default_factory=dict)
    """Columns that the table declares."""
    ranges: dict[str, tuple[str, Column]] = field(default_factory=dict)
    """`potential_low` and the like -> header, and the column whose range it is."""
    labels: dict[str, str] = field(default_factory=dict)
    """Dimensions and keys that the planner added, in file order."""
    months: list[str] = field(default_factory=list)
    """Headers that name a month, quarter or week, where months stand across."""
    shown: dict[str, str] = field(default_factory=dict)
    """Our name -> how the planner calls it, for messages."""


def match_headers(name: str, spec: TableSpec, cells: Cells, calendar: Calendar) -> Headers:
    """Tell every column of a file what it is.

    Names are compared without case, spaces and underscores. Raises `InputError` for a renamed column that
    does not exist, two columns of one name, and a column that the table does not have; a further column of
    markets or sellers is a dimension unless it looks like a slip of a known one.
    """
    matcher = _Matcher(TABLES[name], spec, cells, calendar)
    for header in cells.header:
        matcher.place(header)
    for column in TABLES[name].columns:
        if column.required and column.name not in matcher.headers.known:
            raise InputError("plan.column_missing", matcher.file_place(), column=column.name)
    return matcher.headers


class _Matcher:
    def __init__(self, table: TableColumns, spec: TableSpec, cells: Cells, calendar: Calendar) -> None:
        self.table = table
        self.spec = spec
        self.cells = cells
        self.calendar = calendar
        self.headers = Headers()
        self.renamed = self._renamed()

    def file_place(self, column: str | None = None) -> Place:
        """The file, at its header row."""
        row = None if column is None else self.spec.header_row
        return Place(file=self.cells.file, sheet=self.cells.sheet, row=row, column=column)

    def _renamed(self) -> dict[str, str]:
        """Header -> our name, from the `columns` of the plan file."""
        by_folded = {folded(header): header for header in self.cells.header}
        renamed = {}
        for theirs, ours in self.spec.columns.items():
            if folded(theirs) not in by_folded:
                near = nearest(theirs, self.cells.header)
                raise InputError("plan.renamed_missing", self.file_place(), name=theirs, nearest=near)
            renamed[by_folded[folded(theirs)]] = ours
        return renamed

    def place(self, header: str) -> None:
        """Tell one column what it is."""
        ours = self.renamed.get(header, header)
        if header not in self.renamed and self.calendar.grain_of(header) is not None:
            self._add_month(header)
            return
        column = self._known(ours)
        if column is not None:
            self._add(column.name, header)
            self.headers.known[column.name] = header
            return
        ranged = self._range_of(ours)
        if ranged is not None:
            self._add(ranged[0], header)
            self.headers.ranges[ranged[0]] = (header, ranged[1])
            return
        if is_total(ours):
            if self.spec.total_rows == "drop":
                return
            raise InputError("plan.total_column", self.file_place(header))
        self._add_label(ours, header)

    def _add(self, name: str, header: str) -> None:
        if name in self.headers.shown:
            first = self.headers.shown[name]
            raise InputError("plan.column_twice", self.file_place(header), column=name, first=first)
        self.headers.shown[name] = header

    def _add_month(self, header: str) -> None:
        if self.spec.months_across is None:
            raise InputError("plan.months_unasked", self.file_place(header), table=self.table.name)
        self.headers.months.append(header)

    def _known(self, name: str) -> Column | None:
        target = folded(name)
        for column in self.table.columns:
            if target in {folded(known) for known in (column.name, *column.aliases)}:
                return column
        return None

    def _range_of(self, name: str) -> tuple[str, Column] | None:
        """`potential_low` -> its name and the column `potential`."""
        for end in _RANGE_ENDS:
            if folded(name).endswith(folded(end)):
                column = self._known(folded(name).removesuffix(folded(end)))
                if column is not None and column.kind in ("number", "money"):
                    return column.name + end, column
        return None

    def _add_label(self, ours: str, header: str) -> None:
        """A column that the table does not declare: a dimension, a key, or an error."""
        place = self.file_place(header)
        declared = [column.name for column in self.table.columns]
        if self.table.extra == "none":
            near = nearest(ours, declared)
            raise InputError("plan.unknown_column", place, table=self.table.name, nearest=near)
        if folded(ours) in _TIME:
            raise InputError("plan.time_column", place, column=ours)
        if self.table.extra == "dimensions":
            meant = self._slip(ours, header)
            if meant is not None:
                raise InputError("plan.column_slip", place, column=ours, nearest=meant)
            if "." in ours:
                raise InputError("plan.column_dot", place, column=ours)
        self._add(ours, header)
        self.headers.labels[ours] = header

    def _slip(self, ours: str, header: str) -> str | None:
        """The declared column that a dimension's name probably means.

        Either it is a slip of the hand away, or it is made of words of the declared name (`margin` of
        `margin_rate`) and the column holds numbers, as a dimension rarely does.
        """
        names = [name for column in self.table.columns for name in (column.name, *column.aliases)]
        meant = slip_of(ours, names)
        if meant is not None:
            return meant
        words = _words(ours)
        related = [name for name in names if words < _words(name) or _words(name) < words]
        return nearest(ours, related, 1) if related and self._holds_numbers(header) else None

    def _holds_numbers(self, header: str) -> bool:
        numbers, unreadable = self.cells.numbers(header)
        return not unreadable and not bool(np.isnan(numbers).all())


def _words(name: str) -> frozenset[str]:
    return frozenset(name.casefold().replace("_", " ").split())
