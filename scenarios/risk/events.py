"""Events: what may happen, with which probability, and what it does when it does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from optimizer.errors import InputError
from optimizer.plan.names import nearest
from optimizer.plan.plan import Plan
from optimizer.plan.source import KeyPath, Source
from optimizer.plan.tables import Table
from scenarios.files import Change, change_of
from scenarios.risk.schema import EventSpec, RiskSpec
from scenarios.rows import matching

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

MONTHS_A_YEAR = 12.0


@dataclass(frozen=True)
class Event:
    """One thing that may happen; outcome 0 is that it does not.

    `kind`: `leaves` (outcome k: seller `target` is gone from period k - 1 on, for `absent` periods), `slips`
    (outcome k: the starts of an initiative, or the spend of a channel, come `delays[k - 1]` periods later),
    `changes` (outcome 1: the changes hold).
    """

    name: str
    kind: str
    probability: tuple[float, ...]
    """Of outcome 1, 2, ...; the rest is outcome 0."""
    target: str = ""
    block: str = ""
    """The activity that slips: start or spend."""
    delays: tuple[int, ...] = ()
    absent: int = 0
    """Periods without the seller; 0 until the end."""
    changes: tuple[Change, ...] = field(default=())

    def outcome(self, u: FloatArray) -> IntArray:
        """Which outcome each uniform number means (N,)."""
        edges = np.cumsum(self.probability)
        place = np.searchsorted(edges, u, side="right")
        return np.where(place < len(edges), place + 1, 0).astype(np.int64)


def events_of(spec: RiskSpec, plan: Plan, source: Source) -> tuple[Event, ...]:
    """Every event of a risk file, those of each seller apart; raises `InputError` with the place."""
    found: list[Event] = []
    for at, entry in enumerate(spec.events):
        path: KeyPath = ("events", at)
        kinds = [entry.each is not None, bool(entry.initiative), bool(entry.channel), bool(entry.changes)]
        if sum(kinds) != 1:
            raise InputError("risk.event_one_kind", source.place(path), name=entry.name)
        if entry.each is not None:
            found += _leavers(entry, plan, source, path)
        elif entry.changes:
            share = _probability(entry, plan, source, path)
            changes = [
                change_of(place, one, source, (*path, "changes", place))
                for place, one in enumerate(entry.changes)
            ]
            found.append(Event(entry.name, "changes", (share,), changes=tuple(changes)))
        else:
            found.append(_slip(entry, plan, source, path))
    return tuple(found)


def _probability(entry: EventSpec, plan: Plan, source: Source, path: KeyPath) -> float:
    """Of happening within the horizon: 1 - (1 - a year's) ^ years."""
    if (entry.probability is None) == (entry.probability_year is None):
        raise InputError("risk.event_probability", source.place(path), name=entry.name)
    if entry.probability is not None:
        return float(entry.probability)
    years = plan.calendar.size / plan.calendar.periods_a_year
    return float(1.0 - (1.0 - (entry.probability_year or 0.0)) ** years)


def _leavers(entry: EventSpec, plan: Plan, source: Source, path: KeyPath) -> list[Event]:
    """An event for each seller that the filter means: he leaves in any period, each as likely as the next."""
    table = plan.tables.get("sellers")
    if table is None:
        raise InputError("risk.event_no_table", source.place(path), name=entry.name, table="sellers")
    share = _probability(entry, plan, source, path)
    rows = np.flatnonzero(matching(table, entry.where, source, (*path, "where")))
    names = table.text("seller")
    periods, a_year = plan.calendar.size, plan.calendar.periods_a_year
    absent = 0
    if entry.refill_months is not None:
        absent = max(1, round(entry.refill_months * a_year / MONTHS_A_YEAR))
    each = (share / periods,) * periods
    return [
        Event(f"{entry.name}: {names[row]}", "leaves", each, names[row], absent=absent)
        for row in rows.tolist()
    ]


def _slip(entry: EventSpec, plan: Plan, source: Source, path: KeyPath) -> Event:
    name, column = ("initiatives", "initiative") if entry.initiative else ("marketing", "channel")
    target = str(entry.initiative or entry.channel)
    table = plan.tables.get(name)
    if table is None:
        raise InputError("risk.event_no_table", source.place(path), name=entry.name, table=name)
    _known(table, column, target, source, path)
    if not entry.delay_periods or min(entry.delay_periods) < 1:
        raise InputError("risk.event_delay", source.place(path), name=entry.name)
    shares = np.array([float(share) for share in entry.delay_periods.values()])
    if (shares < 0).any() or abs(float(shares.sum()) - 1.0) > 1e-9:
        raise InputError(
            "risk.discrete_sum", source.place((*path, "delay_periods")), total=f"{shares.sum():g}"
        )
    happens = _probability(entry, plan, source, path)
    probability = tuple((happens * shares).tolist())
    block = "start" if entry.initiative else "spend"
    return Event(entry.name, "slips", probability, target, block, tuple(entry.delay_periods))


def _known(table: Table, column: str, target: str, source: Source, path: KeyPath) -> None:
    labels = table.text(column)
    if target not in labels:
        place = source.place((*path, "initiative" if column == "initiative" else "channel"), target)
        raise InputError("scenarios.label_unknown", place, column=column, nearest=nearest(target, labels))


def absence(
    events: Sequence[Event], outcomes: Mapping[int, int], names: Sequence[str], periods: int
) -> FloatArray:
    """Whether each seller is gone in each period (S, T): 1 gone, 0 there; `outcomes` event -> outcome."""
    gone = np.zeros((len(names), periods))
    place = {name: at for at, name in enumerate(names)}
    for number, outcome in outcomes.items():
        event = events[number]
        if event.kind == "leaves" and outcome:
            first = outcome - 1
            last = periods if not event.absent else min(periods, first + event.absent)
            gone[place[event.target], first:last] = 1.0
    return gone
