"""What has been earned: facts by leaf and span of a quota, and what only nodes above the leaves know.

What a leaf has earned is part of its number, and its floor: a quota carries it. What is known by region only
is earned by the region and by nobody in it: it stands beside the numbers of the region, and the target that
is divided is less by it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from optimizer.model.facts import fact_amounts
from optimizer.plan.actuals import Facts
from optimizer.plan.fact_labels import UNKNOWN
from optimizer.plan.schema import QuotaSpec
from optimizer.quotas.levels import Levels
from optimizer.quotas.limits import Limit
from optimizer.quotas.spans import Spans
from optimizer.result.solution import Solution

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Earned:
    """Facts in the unit of the quota: of each leaf by shortest span (L, T), and of nodes whose leaves are not
    told, by node over the horizon, ancestors included (N,)."""

    leaf: FloatArray
    pooled: FloatArray

    def floor(self, levels: Levels, step: float) -> Limit:
        """No quota is below what has been earned: bounds of leaves, in whole steps."""
        lower = np.zeros(levels.tree.size)
        earned = self.leaf.sum(axis=1)
        lower[levels.tree.leaves] = np.floor(np.maximum(earned, 0.0) / step) * step
        return Limit("earned", lower, np.full(levels.tree.size, np.inf))


def earned_facts(solution: Solution, spec: QuotaSpec, levels: Levels, spans: Spans, code: IntArray) -> Earned:
    """What facts say of a quota; nothing without facts. `code` is the shortest span of each period."""
    tree = levels.tree
    found = Earned(np.zeros((tree.num_leaves, spans.size)), np.zeros(tree.size))
    facts = solution.inputs.facts
    amounts = None if facts is None else fact_amounts(solution.metrics.activities, spec.metric)
    if facts is None or amounts is None:
        return found
    time, own = solution.metrics.scopes.period_mask(spec.where), solution.inputs.selling.sellers.labels
    count = spans.size // len(levels.members)
    position = {path: node for node, path in enumerate(tree.paths)}
    for pool in np.flatnonzero(_in_scope(facts, spec) & amounts.any(axis=1)).tolist():
        by_span = np.bincount(code[time], amounts[pool][time], minlength=count)
        node, member = _node(facts, pool, levels, position, own), _member(facts, pool, spec, levels)
        leaf = node - tree.leaves.start
        if leaf >= 0 and member is not None:
            found.leaf[leaf, member * count : (member + 1) * count] += by_span
            continue
        while node >= 0:
            found.pooled[node] += by_span.sum()
            node = int(tree.parent[node])
    return found


def _in_scope(facts: Facts, spec: QuotaSpec) -> BoolArray:
    """Pools that the scope of a quota holds (R,); a pool that does not know one of its columns is outside."""
    inside = np.ones(facts.size, dtype=np.bool_)
    for column, labels in spec.where.items():
        if column not in ("period", "quarter", "year"):
            known = facts.labels.get(column, [UNKNOWN] * facts.size)
            inside &= np.array([label in labels for label in known], dtype=np.bool_)
    return inside


def _node(
    facts: Facts, pool: int, levels: Levels, position: dict[tuple[str, ...], int], own: Collection[str]
) -> int:
    """The lowest node whose labels a pool tells; `own` are the columns of sellers, whose labels a bare name
    means where markets have it as well."""
    tree = levels.tree
    seller = _label(facts, pool, "seller.seller")
    if levels.seller_level is not None and seller != UNKNOWN:
        nodes = tree.nodes(levels.seller_level)
        found = [node for node in range(nodes.start, nodes.stop) if tree.paths[node][-1] == seller]
        if len(found) == 1 and levels.seller_level == tree.depth:
            return found[0]
    path: tuple[str, ...] = ()
    lowest = 0
    for name in tree.by:
        label = _label(facts, pool, *([f"seller.{name}"] if name in own else [f"market.{name}", name]))
        path = (*path, label)
        if label == UNKNOWN or path not in position:
            break
        lowest = position[path]
    return lowest


def _label(facts: Facts, pool: int, *columns: str) -> str:
    """The label of a pool in the first of some columns that it knows."""
    known = (facts.labels[column][pool] for column in columns if column in facts.labels)
    return next((label for label in known if label != UNKNOWN), UNKNOWN)


def _member(facts: Facts, pool: int, spec: QuotaSpec, levels: Levels) -> int | None:
    """The member of the columns that a quota is split across; None where the pool does not tell it."""
    if not spec.across:
        return 0
    labels = [_label(facts, pool, column, f"market.{column}") for column in spec.across]
    joined = " / ".join(labels)
    return levels.members.index(joined) if joined in levels.members else None
