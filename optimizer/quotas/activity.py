"""What a seller's plan asks for in a week, stage by stage, beside the quota: leads, meetings, quotes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from optimizer import messages
from optimizer.quotas.quota import Quota
from optimizer.report import numbers
from optimizer.result.funnel import DAYS_A_WEEK, NOISE, activities, has_stages
from optimizer.result.solution import Solution

FloatArray = NDArray[np.float64]
BETWEEN = " · "
"""Stands between a member and the time in the label of a span."""


@dataclass(frozen=True)
class Weeks:
    """Deals that enter each stage a week, by node of a quota."""

    solution: Solution
    quota: Quota

    @property
    def stages(self) -> tuple[str, ...]:
        """Names of the stages; none where nothing that is sold goes through stages."""
        funnel = self.solution.inputs.funnel
        return funnel.stages.names if funnel is not None and has_stages(self.solution) else ()

    @cached_property
    def by_span(self) -> FloatArray:
        """Deals a week in the open periods of each span, by node, stage and span (N, K, number of spans); 0
        for nodes that are no seller."""
        cube, tree = self.solution.sellers, self.quota.tree
        pairs = activities(self.solution)
        sellers = np.zeros((len(cube.seat_names), *pairs.shape[1:]))
        np.add.at(sellers, cube.pair_seat, pairs)
        inside = np.stack([self._periods(label) for label in self.quota.spans.all_labels], axis=1)
        days = cube.calendar.days @ inside
        week = np.divide(DAYS_A_WEEK, days, out=np.zeros(len(days)), where=days > 0)
        each = sellers @ inside.astype(np.float64) * week
        found = np.zeros((tree.size, *each.shape[1:]))
        seller = self.quota.levels.node_seller
        found[seller >= 0] = each[seller[seller >= 0]]
        return np.where(found > NOISE, found, 0.0)

    def _periods(self, label: str) -> NDArray[np.bool_]:
        """Open periods of a span (T,): of the whole horizon where its label is none of the calendar's."""
        calendar, ahead = self.solution.sellers.calendar, self._ahead()
        time = label.rpartition(BETWEEN)[2]
        for labels in (calendar.period, calendar.quarter, calendar.year):
            if time in labels:
                return np.array([one == time for one in labels], dtype=np.bool_) & ahead
        return ahead

    def _ahead(self) -> NDArray[np.bool_]:
        return np.arange(self.solution.sellers.num_periods) >= self.solution.inputs.past

    def sentence(self, node: int, span: int, language: str) -> str:
        """What a node does in an average week of a span; blank where it is no seller with stages."""
        if not self.stages or not self.by_span[node, :, span].any():
            return ""
        found = zip(self.stages, self.by_span[node, :, span].tolist(), strict=True)
        shown = [(name, numbers.number(value, language, 1 if value >= 1 else 2)) for name, value in found]
        listed = ", ".join(f"{name} {value}" for name, value in shown)
        return messages.text("quotas.week", language, activities=listed)
