"""The finest rows on which plan and fact can be compared: pools of facts, and pairs that no pool covers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from optimizer.model.cube import Cube
from optimizer.plan.actuals import Facts
from optimizer.plan.fact_labels import UNKNOWN

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Grain:
    """G = R + P rows (pools, then pairs) over the P0 closed periods; each pair lies in one row a period."""

    facts: Facts
    cube: Cube
    row_of_pair: IntArray
    """Row of each pair in each closed period (P, P0): its pool, or R + pair where no pool tells of it."""
    before: Facts | None
    """The facts that the plan itself was made from; None where it was all ahead."""

    @property
    def size(self) -> int:
        """G."""
        return self.facts.size + self.cube.num_pairs

    @property
    def closed(self) -> int:
        """P0."""
        return self.facts.past

    def summed(self, values: FloatArray) -> FloatArray:
        """Figures of pairs (P, T) by row and closed period (G, P0)."""
        found = np.zeros((self.size, self.closed))
        period = np.broadcast_to(np.arange(self.closed), self.row_of_pair.shape)
        np.add.at(found, (self.row_of_pair, period), values[:, : self.closed])
        return found

    def planned(self, values: FloatArray, metric: str) -> FloatArray:
        """A planned figure by row and closed period (G, P0): of pairs (P, T), and of pools that were facts
        already when the plan was made, under the same keys."""
        found = self.summed(values)
        if self.before is not None:
            position = {name: row for row, name in enumerate(self.facts.names)}
            for pool, name in enumerate(self.before.names):
                if name in position:
                    found[position[name]] += self.before.values[metric][pool, : self.closed]
        return found

    def of_facts(self, values: FloatArray) -> FloatArray:
        """Figures of pools (R, T) by row and closed period (G, P0)."""
        found = np.zeros((self.size, self.closed))
        found[: self.facts.size] = values[:, : self.closed]
        return found

    def labels(self, column: str) -> list[str]:
        """The label of each row in a column of markets or sellers (G,); blank where a pool knows none."""
        prefix, _, name = column.rpartition(".")
        own, market = self.cube.inputs.selling.sellers.labels, self.cube.markets.labels
        if prefix == "seller" or (not prefix and name in own and name not in market):
            seller = self.cube.groups.first[self.cube.pair_seat]
            of_pairs = [own[name][at] for at in seller.tolist()]
        else:
            of_pairs = [market[name][at] for at in self.cube.pair_market.tolist()]
        return [*self.facts.labels.get(column, [UNKNOWN] * self.facts.size), *of_pairs]


def make_grain(cube: Cube, facts: Facts, before: Facts | None = None) -> Grain:
    """The rows of a cube of single sellers and its facts; `before` are those that the plan was made from."""
    told = np.zeros((facts.size, facts.past), dtype=np.bool_)
    for name in ("units", "revenue", "deals"):
        told |= ~np.isnan(facts.told[name][:, : facts.past])
    rows = np.broadcast_to((facts.size + np.arange(cube.num_pairs))[:, None], (cube.num_pairs, facts.past))
    rows = rows.copy()
    pool, pair = facts.pairs
    at, period = np.nonzero(told[pool])
    rows[pair[at], period] = pool[at]
    return Grain(facts, cube, rows, before)
