"""The time of a quota: its shortest spans and the longer ones that they add up to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from optimizer.plan.calendar import Calendar

IntArray = NDArray[np.int64]
Numbers = TypeVar("Numbers", NDArray[np.float64], NDArray[np.int64])


@dataclass(frozen=True, eq=False)
class Longer:
    """One kind of longer span: its labels, and which of them each shortest span belongs to (T,)."""

    kind: str
    labels: tuple[str, ...]
    code: IntArray
    nested: bool = True
    """Whether every span of a shorter nested kind lies in one of these; sums across markets do not nest."""


@dataclass(frozen=True, eq=False)
class Spans:
    """T shortest spans, and longer ones: quarters, years, and the whole horizon as the last.

    Where a quota is split across markets too, a shortest span is one member in one period, and the longer
    ones are the member's quarters and years, and the periods, quarters and years of all members together.
    """

    kind: str
    labels: tuple[str, ...]
    longer: tuple[Longer, ...]

    @property
    def size(self) -> int:
        """T."""
        return len(self.labels)

    @cached_property
    def all_kinds(self) -> tuple[str, ...]:
        """Kind of every column of `wide` (K,)."""
        long = [part.kind for part in self.longer for _ in part.labels]
        return (*[self.kind] * self.size, *long)

    @cached_property
    def all_labels(self) -> tuple[str, ...]:
        """Label of every column of `wide` (K,)."""
        return (*self.labels, *(label for part in self.longer for label in part.labels))

    def wide(self, values: Numbers) -> Numbers:
        """Values by shortest span (..., T) with their sums over the longer ones behind them (..., K)."""
        parts: list[Any] = [values, *(sum_spans(values, part) for part in self.longer)]
        return cast(Numbers, np.concatenate(parts, axis=-1))


def sum_spans(values: Numbers, part: Longer) -> Numbers:
    """Values by shortest span (..., T) summed over each longer span (..., number of them); keeps the type."""
    indicator = np.zeros((values.shape[-1], len(part.labels)), dtype=values.dtype)
    indicator[np.arange(values.shape[-1]), part.code] = 1
    return values @ indicator


def plan_spans(calendar: Calendar, per: str) -> tuple[Spans, IntArray]:
    """The spans of a quota given `per` period, quarter or year, and the shortest span of each period."""
    columns = {"period": calendar.period, "quarter": calendar.quarter, "year": calendar.year}
    kinds = list(columns)[list(columns).index(per) :]
    labels, code = _codes(columns[kinds[0]])
    first = np.unique(code, return_index=True)[1]
    longer = []
    for kind in kinds[1:]:
        found, of_period = _codes(columns[kind])
        longer.append(Longer(kind, found, of_period[first]))
    return make_spans(kinds[0], labels, longer), code


def crossed_spans(spans: Spans, column: str, members: Sequence[str]) -> Spans:
    """Spans of every member: the shortest are member by member, `member * T + span`."""
    size, count = spans.size, len(members)
    member, span = np.divmod(np.arange(size * count), size)

    def of_members(kind: str, labels: Sequence[str], code: IntArray) -> Longer:
        shown = tuple(f"{name} · {label}" for name in members for label in labels)
        return Longer(f"{column} {kind}", shown, member * len(labels) + code[span])

    longer = [of_members(part.kind, part.labels, part.code) for part in spans.longer]
    longer.append(Longer(spans.kind, spans.labels, span, nested=False))
    longer += [Longer(part.kind, part.labels, part.code[span], nested=False) for part in spans.longer[:-1]]
    end = spans.longer[-1] if spans.longer else Longer(spans.kind, spans.labels, np.zeros(1, dtype=np.int64))
    if not spans.longer:
        longer.pop()
    longer.append(Longer(end.kind, end.labels, np.zeros(size * count, dtype=np.int64)))
    shown = tuple(f"{name} · {label}" for name in members for label in spans.labels)
    return Spans(f"{column} {spans.kind}", shown, tuple(longer))


def make_spans(kind: str, labels: Sequence[str], longer: Sequence[Longer] = ()) -> Spans:
    """Spans with the whole horizon added as the last one, unless a single one is there already."""
    # A plan of quarters has the same labels for period and quarter.
    kept = [part for part in longer if tuple(part.labels) != tuple(labels)]
    if len(labels) > 1 and not (kept and len(kept[-1].labels) == 1):
        ends = kept[-1].labels if kept else tuple(labels)
        whole = Longer("horizon", (f"{ends[0]}..{ends[-1]}",), np.zeros(len(labels), dtype=np.int64))
        kept.append(whole)
    return Spans(kind, tuple(labels), tuple(kept))


def _codes(labels: Sequence[str]) -> tuple[tuple[str, ...], IntArray]:
    known = {label: code for code, label in enumerate(dict.fromkeys(labels))}
    return tuple(known), np.array([known[label] for label in labels], dtype=np.int64)
