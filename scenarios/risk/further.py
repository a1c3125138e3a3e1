"""Figures that are measured in every future beside the plan's own: what can be seen early."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from optimizer.errors import InputError
from optimizer.model.compile import Model
from optimizer.model.terms import Terms, spread_members
from optimizer.plan.scopes import market_dimensions

QUOTA = "quota"
"""Kind of the figures of single sellers that quotas are about."""
EARLY = "early"
"""Kind of the figures that can be seen early."""
MOST_LABELS = 8
"""Columns with more labels are not looked at one by one."""


@dataclass(frozen=True)
class Further:
    """Nothing unless asked: figures to date after `until` periods of these metrics, whole and by column; what
    each seller brings of each quota."""

    until: int = 0
    metrics: tuple[str, ...] = ()
    columns: tuple[str, ...] | None = None
    """Columns by which figures to date are split; None for every column of markets with few labels."""
    quotas: bool = False


NOTHING = Further()


@dataclass(frozen=True)
class FurtherRows:
    """K figures of one metric: an expression a member."""

    metric: str
    unit: str
    rule: str
    kind: str
    members: tuple[tuple[str, ...], ...]
    terms: Terms


def further_rows(model: Model, further: Further) -> Iterator[FurtherRows]:
    """What is asked for and this plan has; a metric that it does not know, or not by a column, is
    left out."""
    if further.quotas:
        yield from _quota_rows(model)
    if not further.until:
        return
    when = {"period": list(model.cube.calendar.period[: further.until])}
    columns = _columns(model) if further.columns is None else further.columns
    for metric in further.metrics:
        for each in ([], *([column] for column in columns)):
            try:
                members = model.context.metrics.members(metric, each, when)
                terms = model.context.metrics.terms(metric, members, when)
            except InputError:
                # A plan without marketing has no leads, and leads of a channel belong to no region.
                continue
            unit = model.context.metrics.unit(metric)
            yield FurtherRows(metric, unit, metric, EARLY, members.labels, terms)


def _quota_rows(model: Model) -> Iterator[FurtherRows]:
    """What each seller brings of the metric of each quota: the share of the seat group, by the seller's name,
    so that the rows are the same however sellers are grouped."""
    cube, metrics = model.cube, model.context.metrics
    sellers = model.inputs.selling.sellers.names
    for number, spec in enumerate(model.inputs.plan.spec.quotas):
        members = metrics.members(spec.metric, ["seller"], spec.where)
        terms = metrics.terms(spec.metric, members, spec.where)
        place = {label[0]: at for at, label in enumerate(members.labels)}
        source = np.array([place.get(cube.seat_names[group], -1) for group in cube.groups.group])
        there = np.flatnonzero(source >= 0)
        part = spread_members(terms, source[there])
        rows = Terms(there[part.member], part.column, part.value, np.zeros(len(sellers)))
        rows = rows.scaled(cube.groups.share)
        labels = tuple((name,) for name in sellers)
        yield FurtherRows(spec.metric, metrics.unit(spec.metric), str(number), QUOTA, labels, rows)


def _columns(model: Model) -> Sequence[str]:
    """Columns of markets with few labels, and the channels of marketing."""
    dimensions = market_dimensions(model.inputs.plan.tables["markets"])
    return [*(name for name, labels in dimensions.items() if 1 < len(set(labels)) <= MOST_LABELS), "channel"]
