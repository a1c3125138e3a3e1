"""The organisation as arrays: company, levels below it, leaves; every leaf has the same depth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

MISSING = ""
"""Label of a node that stands for a level which the organisation leaves out at this place."""


@dataclass(frozen=True, eq=False)
class Hierarchy:
    """N nodes: node 0 is the company, the nodes of a level follow each other, the last level are the L
    leaves.

    Nodes are sorted by their labels, so they do not depend on the order of rows. Where a level is missing (an
    agent without a team) a node with a blank label takes its place, shared by all that miss it under one
    parent.
    """

    by: tuple[str, ...]
    """Names of the levels below the company, from the top."""
    paths: tuple[tuple[str, ...], ...]
    """Labels of each node from the top; () for the company."""
    parent: IntArray
    """Parent of each node (N,); -1 for the company."""
    starts: IntArray
    """First node of each level, company first, and N at the end (D + 2,)."""

    @property
    def size(self) -> int:
        """N."""
        return len(self.paths)

    @property
    def depth(self) -> int:
        """Number of levels below the company."""
        return len(self.by)

    @property
    def num_leaves(self) -> int:
        """L."""
        return int(self.starts[-1] - self.starts[-2])

    @cached_property
    def level(self) -> IntArray:
        """Level of each node (N,): 0 for the company."""
        return np.repeat(np.arange(self.depth + 1), np.diff(self.starts))

    def nodes(self, level: int) -> slice:
        """The nodes of a level."""
        return slice(int(self.starts[level]), int(self.starts[level + 1]))

    @property
    def leaves(self) -> slice:
        """The nodes of the last level."""
        return self.nodes(self.depth)

    def sum_up(self, leaf_values: FloatArray) -> FloatArray:
        """Values of leaves (L, ...) summed over each node (N, ...)."""
        values = np.zeros((self.size, *leaf_values.shape[1:]))
        values[self.leaves] = leaf_values
        for level in range(self.depth, 0, -1):
            nodes = self.nodes(level)
            np.add.at(values, self.parent[nodes], values[nodes])
        return values

    @cached_property
    def ancestors(self) -> IntArray:
        """Node of each leaf on each level, company first (D + 1, L)."""
        found = np.zeros((self.depth + 1, self.num_leaves), dtype=np.int64)
        found[self.depth] = np.arange(self.starts[-2], self.starts[-1])
        for level in range(self.depth, 0, -1):
            found[level - 1] = self.parent[found[level]]
        return found

    def name(self, node: int, company: str) -> str:
        """The node's labels joined by " / ", missing levels left out; a dash stands for a node that is
        itself a missing level, the company's name for the company."""
        path = self.paths[node]
        shown = [label for label in path if label != MISSING]
        return " / ".join([*shown, "–"] if path and path[-1] == MISSING else shown) or company

    def level_name(self, node: int) -> str:
        """The column of the node's level; blank for the company."""
        return "" if node == 0 else self.by[int(self.level[node]) - 1]


def build_hierarchy(by: Sequence[str], columns: Sequence[Sequence[str]]) -> tuple[Hierarchy, IntArray]:
    """The organisation of R rows, whose labels stand in `columns` (one a level), and the leaf of each row
    (R,).

    `*` and blank labels are missing levels. Raises `ValueError` without rows or levels.
    """
    if not by or not columns or not len(columns[0]):
        raise ValueError("a hierarchy needs at least one level and one row")
    paths: list[tuple[str, ...]] = [()]
    parents = [np.array([-1], dtype=np.int64)]
    starts = [0, 1]
    node = np.zeros(len(columns[0]), dtype=np.int64)
    for column in columns:
        labels, code = np.unique(
            [MISSING if label == "*" else label for label in column], return_inverse=True
        )
        keys, node_of = np.unique(node * len(labels) + code, return_inverse=True)
        above, label = np.divmod(keys, len(labels))
        paths += [
            (*paths[up], str(labels[at])) for up, at in zip(above.tolist(), label.tolist(), strict=True)
        ]
        parents.append(above)
        node = starts[-1] + node_of.astype(np.int64)
        starts.append(starts[-1] + len(keys))
    found = Hierarchy(tuple(by), tuple(paths), np.concatenate(parents), np.array(starts, dtype=np.int64))
    return found, node - starts[-2]
