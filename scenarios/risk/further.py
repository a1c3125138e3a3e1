"""Figures that are measured in every future beside the plan's own: what can be seen early."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from optimizer.errors import InputError
from optimizer.model.compile import Model
from optimizer.model.terms import Terms
from optimizer.plan.scopes import market_dimensions

EARLY = "early"
"""Kind of the figures that can be seen early."""
MOST_LABELS = 8
"""Columns with more labels are not looked at one by one."""


@dataclass(frozen=True)
class Further:
    """Nothing unless asked: figures to date after `until` periods of these metrics, whole and by column."""

    until: int = 0
    metrics: tuple[str, ...] = ()
    columns: tuple[str, ...] | None = None
    """Columns by which figures to date are split; None for every column of markets with few labels."""


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


def _columns(model: Model) -> Sequence[str]:
    """Columns of markets with few labels, and the channels of marketing."""
    dimensions = market_dimensions(model.inputs.plan.tables["markets"])
    return [*(name for name, labels in dimensions.items() if 1 < len(set(labels)) <= MOST_LABELS), "channel"]
