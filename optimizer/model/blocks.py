"""Activities as blocks of columns: rows of a table times periods, all of one shape."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from optimizer.model.cube import Cube
from optimizer.model.terms import Terms

if TYPE_CHECKING:
    from optimizer.model.gains import Gains
    from optimizer.model.seat_gains import SeatGains
    from optimizer.model.uplifts import Uplifts

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


class BlockRows(Protocol):
    """Rows that carry labels, times periods."""

    @property
    def labels(self) -> Mapping[str, Sequence[str]]:
        """Labels of the rows by column."""

    @property
    def num_rows(self) -> int:
        """Number of rows."""

    @property
    def pair(self) -> IntArray | None:
        """Pair that each row belongs to; None where rows carry labels of their own."""


@dataclass(frozen=True, eq=False)
class ActivityBlock:
    """Columns start + row * T + t of one kind of activity; `labels` are those of its rows, by column."""

    name: str
    start: int
    labels: Mapping[str, Sequence[str]]
    num_rows: int
    num_periods: int
    typical: FloatArray
    """A plausible size of each column (rows, T), in the block's own unit; 0 where nothing is known."""
    decision: bool
    """Whether somebody decides the amounts (spend, starts, hires), which a plan that is kept in another world
    keeps; the amounts of all other blocks but sales follow from the world (leads, stock, customers)."""
    pair: IntArray | None = None
    """Pair that each row belongs to (rows,); such a row lies in the scopes in which its pair lies."""
    stands_for: IntArray | None = None
    """Columns of other blocks that the rows stand for under labels of their own (rows, T)."""
    markets: IntArray | None = None
    """The market of each row; None where rows are not about one market each."""

    @property
    def size(self) -> int:
        """Number of columns that the block adds."""
        return 0 if self.stands_for is not None else self.num_rows * self.num_periods

    @property
    def stop(self) -> int:
        """The first column behind the block."""
        return self.start + self.size

    @property
    def columns(self) -> IntArray:
        """Position of each column in the program (rows, T)."""
        if self.stands_for is not None:
            return self.stands_for
        return np.arange(self.start, self.stop).reshape(self.num_rows, self.num_periods)

    @property
    def row_names(self) -> tuple[str, ...]:
        """The labels of each row (rows,) as one text, the same in every run."""
        columns = [[str(label) for label in labels] for labels in self.labels.values()]
        return tuple(" / ".join(parts) for parts in zip(*columns, strict=True))

    def values(self, x: FloatArray) -> FloatArray:
        """The block's part of a solution x (n,): (rows, T)."""
        return x[self.columns]


@dataclass(frozen=True, eq=False)
class Flow:
    """An expression for each row and period: member row * T + t of `terms`. Rows carry labels as in a
    block."""

    labels: Mapping[str, Sequence[str]]
    num_rows: int
    num_periods: int
    terms: Terms
    pair: IntArray | None = None


Parts = Mapping[str, FloatArray]
"""Block -> what a unit of each of its columns adds to a metric, (rows, T) or broadcast to it."""


@dataclass(frozen=True)
class Activities:
    """Where the activities of a model stand among its columns, and what they use.

    `blocks` are in the order of the columns, sales (P * T) first. `uses` is resource -> amount a unit sold
    (P, T), `fixed_uses` what sellers take by being there (R, T). `extra_price` (R,) is that of resources
    bought beyond their capacity; inf where none can be bought.
    """

    cube: Cube
    blocks: Mapping[str, ActivityBlock]
    resources: tuple[str, ...]
    uses: Mapping[int, FloatArray]
    fixed_uses: FloatArray
    extra_price: FloatArray
    other_uses: Mapping[str, Mapping[int, FloatArray]]
    """Block -> resource -> amount a unit of each of its rows (rows,)."""
    facts: Mapping[str, IntArray]
    """Block of facts -> the pools that its rows are; empty where everything is still ahead."""
    uplifts: Uplifts | None = None
    """What effects change of a unit sold; None where none does."""
    flows: Mapping[str, Flow] = field(default_factory=dict)
    """Sums of activities that metrics speak of: what matures, what is won."""
    gains: Mapping[str, Gains] = field(default_factory=dict)
    """Block -> what effects change of its amounts."""
    seat_gains: SeatGains | None = None
    """What effects change of the capacity of open seats; None where none does."""

    @property
    def extra_start(self) -> int | None:
        """The first column of extra resources (R, T); None where nothing can be bought."""
        return self.blocks["extra"].start if "extra" in self.blocks else None

    @property
    def num_columns(self) -> int:
        """Columns of all activities; those of families come behind them."""
        return max(block.stop for block in self.blocks.values())

    @property
    def typical(self) -> FloatArray:
        """A plausible size of each activity (num_columns,)."""
        own = [block for block in self.blocks.values() if block.stands_for is None]
        return np.concatenate([block.typical.ravel() for block in own])
