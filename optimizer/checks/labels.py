"""Labels that are probably meant to be one, that no market has, and numbers that are taken for labels."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from optimizer.checks.finding import Checked, Finding
from optimizer.io.numbers import NumberFormatError, parse_number
from optimizer.plan.names import nearest
from optimizer.plan.scopes import market_dimensions, seller_dimensions
from optimizer.plan.tables import ALL, Table

_LOOK_ALIKE = str.maketrans("aceopxykmtbhё", "асеорхукмтвне")
"""Latin letters, small or capital, and the Cyrillic ones that look like them."""
_SHOWN = 5
"""Findings of one kind; what is beyond looks the same."""


def check_labels(checked: Checked) -> Iterator[Finding]:
    """Labels of one column that differ only in ways that nobody sees, and columns that hold numbers."""
    tables = checked.inputs.plan.tables
    seen: dict[str, dict[str, str]] = {}
    dimensions = [(tables["markets"], market_dimensions(tables["markets"]))]
    if "sellers" in tables:
        dimensions.append((tables["sellers"], seller_dimensions(tables["sellers"])))
        yield from _unknown_to_markets(checked, *dimensions[1], dimensions[0][1])
    for table, columns in dimensions:
        for column, labels in columns.items():
            yield from _alike(table, column, labels, seen.setdefault(column, {}))
            if column in table.labels and _only_numbers(labels):
                place = table.place(0, column, labels[0])
                yield Finding("warning", "labels.only_numbers", {"column": column}, place)


def _alike(table: Table, column: str, labels: Sequence[str], seen: dict[str, str]) -> Iterator[Finding]:
    """Labels that are the same without case, blanks, width and look-alike letters; `seen` gathers them."""
    found = 0
    for label in dict.fromkeys(labels):
        first = seen.setdefault(_bare(label), label)
        if first != label and found < _SHOWN:
            found += 1
            fields = {"column": column, "first": first, "second": label}
            yield Finding("warning", "labels.alike", fields, table.place(labels.index(label), column, label))


def _bare(label: str) -> str:
    plain = unicodedata.normalize("NFKC", label).casefold()
    return "".join(plain.split()).translate(_LOOK_ALIKE)


def _only_numbers(labels: Sequence[str]) -> bool:
    """Whether every label is a number and some are amounts or shares, not codes: `33,3`, `1 200`, `31%`."""
    different = set(labels) - {""}
    try:
        for label in different:
            parse_number(label)
    except NumberFormatError:
        return False
    return any(not label.strip().isdecimal() for label in different)


def _unknown_to_markets(
    checked: Checked, table: Table, columns: Mapping[str, Sequence[str]], markets: Mapping[str, Sequence[str]]
) -> Iterator[Finding]:
    """Sellers without a market whose label in a column of both tables no market has."""
    pairs = checked.inputs.selling.pairs
    idle = np.setdiff1d(np.arange(len(table)), pairs.seller)
    told: set[tuple[str, str]] = set()
    for column in columns.keys() & markets.keys():
        known, alike = set(markets[column]), {_bare(label) for label in markets[column]}
        for row in idle:
            label = columns[column][row]
            if label == ALL or _bare(label) in {"", *alike} or (column, label) in told or len(told) == _SHOWN:
                continue
            told.add((column, label))
            fields = {"column": column, "nearest": nearest(label, known)}
            yield Finding(
                "warning", "labels.unknown_to_markets", fields, table.place(int(row), column, label)
            )
