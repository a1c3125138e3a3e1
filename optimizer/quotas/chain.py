"""Why this number: the steps from last year's share to the quota, which add up to it to the last unit.

Every step is the difference of two stages of the cascade, each a full division of the target, counted in
thousandths of the rounding step: as whole numbers they add up exactly.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from optimizer.quotas.hierarchy import Hierarchy
from optimizer.quotas.quota import Quota

IntArray = NDArray[np.int64]

PARTS = 1000
"""Parts of a rounding step that a chain counts in."""
Whose = Literal["", "own", "above", "below", "others"]


@dataclass(frozen=True)
class ChainStep:
    """One step of a chain: what it adds and where it leads, in the unit of the quota.

    `whose` says for a rule that bounds quotas whose bound acts: the node's own, one above or below it, or
    that of others, whose rest is moved here.
    """

    name: str
    adds: float
    after: float
    whose: Whose = ""


def chain(quota: Quota, node: int, span: int) -> tuple[ChainStep, ...]:
    """The steps of one number: node and position among all spans. Steps that add nothing anywhere are left
    out; the last step ends at the quota."""
    names, parts = chain_parts(quota, [node])
    size = quota.spec.round_to / PARTS
    found, before = [], 0
    for name, after in zip(names, parts[0, span].tolist(), strict=True):
        if after != before or name in ("last_year", "plan"):
            whose = _whose(quota, node, name)
            found.append(ChainStep(name, (after - before) * size, after * size, whose))
        before = after
    return tuple(found)


def chain_parts(quota: Quota, nodes: Sequence[int]) -> tuple[tuple[str, ...], IntArray]:
    """The stages of some nodes as whole thousandths of a step: names (S,) and values (n, K, S).

    The last stage is the quota itself, so each difference of neighbours is one step of the chain.
    """
    at = np.asarray(nodes, dtype=np.int64)
    stages = [quota.spans.wide(stage.values[at]) for stage in quota.stages]
    size = quota.spec.round_to / PARTS
    real = [np.rint(values / size).astype(np.int64) for values in stages]
    whole = quota.spans.wide(quota.steps[at]) * PARTS
    names = tuple(_shown_name(quota, stage.name) for stage in quota.stages)
    return (*names, "rounding"), np.stack([*real, whole], axis=-1)


def _shown_name(quota: Quota, stage: str) -> str:
    """Below the plan the even division is no stretch: the rest of the plan is reserve."""
    return "reserve" if stage == "stretch" and quota.reserve > 0 else stage


def _whose(quota: Quota, node: int, name: str) -> Whose:
    rules = {limit.rule for limit in quota.limits}
    if name not in rules:
        return ""
    if quota.acting[node] == name:
        return "own"
    tree = quota.tree
    above = int(tree.parent[node])
    while above > 0:
        if quota.acting[above] == name:
            return "above"
        above = int(tree.parent[above])
    return "below" if _acts_below(tree, quota.acting, node, name) else "others"


def _acts_below(tree: Hierarchy, acting: Sequence[str], node: int, name: str) -> bool:
    inside = np.array([node])
    for level in range(int(tree.level[node]) + 1, tree.depth + 1):
        nodes = np.arange(tree.starts[level], tree.starts[level + 1])
        inside = nodes[np.isin(tree.parent[nodes], inside)]
        if any(acting[at] == name for at in inside.tolist()):
            return True
    return False
