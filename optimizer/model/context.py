"""What every constraint family receives."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from optimizer.model.blocks import Activities
from optimizer.model.builder import ProgramBuilder
from optimizer.model.cube import Cube
from optimizer.model.metrics import Metrics
from optimizer.model.scopes import Scopes
from optimizer.model.terms import Terms, sum_by

if TYPE_CHECKING:
    from optimizer.model.families.rules import RuleRows
    from solvers.curves import CurveTerm

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class SoftRule:
    """The slack of one soft rule: columns in multiples of `scale` (K,), in the rule's metric."""

    name: str
    priority: int | None
    penalty: float | None
    weight: FloatArray
    columns: IntArray
    scale: FloatArray


@dataclass(frozen=True)
class SpreadStage:
    """A balance rule without a band: its widest and narrowest ratio, whose distance is a stage."""

    name: str
    highest: int
    lowest: int


@dataclass(frozen=True)
class DistanceStage:
    """A distance that a stage makes smallest."""

    name: str
    priority: int
    distance: Terms


@dataclass(frozen=True)
class RulePlace:
    """Rows of one rule: row first + i bounds member members[i], divided by scale[i]."""

    first: int
    members: IntArray
    scale: FloatArray


@dataclass
class Context:
    """The program under construction and the expressions over it."""

    builder: ProgramBuilder
    cube: Cube
    activities: Activities
    metrics: Metrics
    scopes: Scopes
    soft: list[SoftRule] = field(default_factory=list)
    spreads: list[SpreadStage] = field(default_factory=list)
    distances: list[DistanceStage] = field(default_factory=list)
    rule_rows: dict[str, RuleRows] = field(default_factory=dict)
    rule_places: dict[str, list[RulePlace]] = field(default_factory=dict)
    stock: IntArray = field(default_factory=lambda: np.zeros((0, 0), dtype=np.int64))
    """Columns of what the response of each row of marketing depends on (C, T)."""
    curves: list[CurveTerm] = field(default_factory=list)
    """Columns that curves tie."""
    notes: list[tuple[str, dict[str, object]]] = field(default_factory=list)
    """Sentences for the report: message key and fields."""

    @property
    def cell_columns(self) -> IntArray:
        """Columns of the sales cells (P, T)."""
        return np.arange(self.cube.num_cells).reshape(self.cube.num_pairs, self.cube.num_periods)

    def magnitude(self, terms: Terms) -> FloatArray:
        """What each expression could plausibly reach (K,): the scale of rows whose own bound is 0."""
        known = terms.column < self.activities.num_columns
        size = np.abs(terms.value[known]) * self._typical[terms.column[known]]
        return np.abs(terms.constant) + sum_by(terms.member[known], size, terms.size)

    @cached_property
    def _typical(self) -> FloatArray:
        return self.activities.typical

    def place_rule(self, name: str, first: int, members: IntArray, scale: FloatArray) -> None:
        """Remember which rows bound which members of a rule."""
        self.rule_places.setdefault(name, []).append(RulePlace(first, members, scale))
