"""What is measured in every future: the company's figures and the members of every rule, as sparse rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from optimizer.errors import InputError
from optimizer.model.compile import Model
from optimizer.model.metrics import RATIOS
from optimizer.model.terms import Terms
from scenarios.kept import money_metric
from scenarios.risk.further import NOTHING, Further, further_rows

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

MONEY = "money"
SMALLEST = 1e-9


@dataclass(frozen=True)
class Label:
    """Whose figure a row is: a figure of the company (`rule` empty) or a member of a rule."""

    metric: str
    unit: str
    rule: str = ""
    kind: str = ""
    member: str = ""
    priority: int | None = None

    @property
    def name(self) -> str:
        """`Year`, `Market share: West`, or the metric."""
        if not self.rule:
            return self.metric
        return f"{self.rule}: {self.member}" if self.member else self.rule


@dataclass(frozen=True)
class Measures:
    """K figures: (top @ x + top_constant) / (bottom @ x + bottom_constant) - shift, or the numerator alone.

    `at_least` and `at_most` (K,) are the bounds of rules in the figure's own unit, NaN where there is none.
    Shapes: top and bottom (K, n) over the columns of the model; the first figure is money.
    """

    labels: tuple[Label, ...]
    top: sparse.csr_array
    top_constant: FloatArray
    bottom: sparse.csr_array
    bottom_constant: FloatArray
    shift: FloatArray
    at_least: FloatArray
    at_most: FloatArray

    def values(self, x: FloatArray) -> FloatArray:
        """Every figure of a plan x (n,); NaN for a ratio of nothing."""
        above = self.top @ x + self.top_constant
        below = self.bottom @ x + self.bottom_constant
        with np.errstate(divide="ignore", invalid="ignore"):
            found = np.where(np.abs(below) > SMALLEST, above / below - self.shift, np.nan)
        return np.asarray(found, dtype=np.float64)

    def reached(self, values: FloatArray) -> BoolArray:
        """Whether each bound holds (..., K), within a millionth of it; a ratio of nothing holds."""
        slack = [1e-6 * np.maximum(np.abs(bound), SMALLEST) for bound in (self.at_least, self.at_most)]
        with np.errstate(invalid="ignore"):
            short = values < self.at_least - slack[0]
            over = values > self.at_most + slack[1]
        return np.asarray(~(short | over), dtype=np.bool_)

    def taken(self, rows: Sequence[int]) -> Measures:
        """Some of the figures."""
        keep = np.asarray(rows, dtype=np.int64)
        return Measures(
            tuple(self.labels[row] for row in rows),
            self.top[keep], self.top_constant[keep], self.bottom[keep], self.bottom_constant[keep],
            self.shift[keep], self.at_least[keep], self.at_most[keep],
        )  # fmt: skip


def measures_of(model: Model, further: Further = NOTHING) -> Measures:
    """Money, every figure of the company that the plan knows, every rule, and what is asked for beside them,
    over the model's columns."""
    rows = _Rows(model.program.num_columns)
    metrics = model.context.metrics
    money = money_metric(model)
    rows.add([Label(MONEY, "currency")], metrics.total(money))
    for metric in metrics.known():
        try:
            if metric in RATIOS:
                members = metrics.members(metric, [], {})
                top, bottom, shift = metrics.ratio(metric, members, {})
                rows.add([Label(metric, metrics.unit(metric))], top, bottom, shift)
            else:
                rows.add([Label(metric, metrics.unit(metric))], metrics.total(metric))
        except InputError:
            # The plan does not know this figure: a margin without costs, units of different kinds.
            continue
    for found in model.context.rule_rows.values():
        rule, context = found.rule, model.context
        unit = "share" if rule.as_share else context.metrics.unit(rule.metric)
        labels = [
            Label(rule.metric, unit, rule.name, rule.kind, " / ".join(member), rule.priority)
            for member in found.members.labels
        ]
        each = 1.0 / np.broadcast_to(np.asarray(found.sellers, dtype=np.float64), (len(labels),))
        numerator = found.numerator if found.denominator is not None else found.numerator.scaled(each)
        rows.add(labels, numerator, found.denominator, found.shift, found.asked_lower, found.asked_upper)
    for part in further_rows(model, further):
        labels = [
            Label(part.metric, part.unit, part.rule, part.kind, " / ".join(member)) for member in part.members
        ]
        rows.add(labels, part.terms)
    return rows.built()


class _Rows:
    """Collects rows."""

    def __init__(self, columns: int) -> None:
        self._columns = columns
        self._labels: list[Label] = []
        self._tops: list[Terms] = []
        self._bottoms: list[Terms] = []
        self._shift: list[FloatArray] = []
        self._bounds: list[tuple[FloatArray, FloatArray]] = []

    def add(
        self,
        labels: Sequence[Label],
        top: Terms,
        bottom: Terms | None = None,
        shift: float = 0.0,
        at_least: FloatArray | None = None,
        at_most: FloatArray | None = None,
    ) -> None:
        """K figures with one expression each."""
        count = len(labels)
        nothing = np.full(count, np.nan)
        self._labels += labels
        self._tops.append(top)
        self._bottoms.append(Terms.constants(np.ones(count)) if bottom is None else bottom)
        self._shift.append(np.full(count, shift))
        self._bounds.append(
            (nothing if at_least is None else at_least, nothing if at_most is None else at_most)
        )

    def built(self) -> Measures:
        """All rows as sparse matrices."""
        top, bottom = (_matrix(parts, self._columns) for parts in (self._tops, self._bottoms))
        constants = [
            np.concatenate([part.constant for part in parts]) for parts in (self._tops, self._bottoms)
        ]
        lower, upper = (np.concatenate([bounds[side] for bounds in self._bounds]) for side in (0, 1))
        return Measures(
            tuple(self._labels),
            top,
            constants[0],
            bottom,
            constants[1],
            np.concatenate(self._shift),
            lower,
            upper,
        )


def _matrix(parts: Sequence[Terms], columns: int) -> sparse.csr_array:
    first, rows = 0, []
    for part in parts:
        rows.append(part.member + first)
        first += part.size
    column = np.concatenate([part.column for part in parts])
    value = np.concatenate([part.value for part in parts])
    matrix = sparse.coo_array((value, (np.concatenate(rows), column)), shape=(first, columns)).tocsr()
    matrix.sum_duplicates()
    return matrix
