"""Bottom-up: what sellers and regions commit to, reconciled with the target at the least weighted
distance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from optimizer.errors import InputError, SolverFailedError
from optimizer.quotas.hierarchy import Hierarchy
from optimizer.quotas.levels import NodeFinder, rows_of
from optimizer.quotas.limits import combined
from optimizer.quotas.quota import Quota
from optimizer.quotas.rounding import round_top_down
from optimizer.quotas.spans import make_spans
from optimizer.quotas.wording import Words, listed
from optimizer.result.solution import Solution
from solvers.program import LinearProgram
from solvers.staged import Stage, solve_stages

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Reconciled:
    """Commitments over the horizon against the target, over-assignment apart; arrays by commitment (C,).

    `agreed` is by node (N,): whole steps whose sums are exact. `missing` is what no bound lets anybody take.
    """

    node: IntArray
    committed: FloatArray
    weight: FloatArray
    reason: tuple[str, ...]
    agreed: FloatArray
    missing: float

    def others(self, tree: Hierarchy) -> list[int]:
        """The leaves that stand neither at nor below a commitment: they take what is left."""
        covered = np.zeros(tree.size, dtype=np.bool_)
        covered[self.node] = True
        return [int(leaves[-1]) for leaves in tree.ancestors.T if not covered[leaves].any()]

    @property
    def change(self) -> FloatArray:
        """What each has to add to its commitment (C,)."""
        return np.asarray(self.agreed[self.node] - self.committed)


def reconcile(solution: Solution, quota: Quota, names: list[str]) -> Reconciled | None:
    """The commitments of one quota brought to the target; None where there are none.

    A linear program in four stages: least missing amount; least sum of weight * |agreed - committed|;
    smallest largest share that anybody has to add or give up; and, where that leaves a choice, nearness to
    the plan's shares. Bounds of quotas hold. Raises `InputError` for rows that name no single node or one
    twice, and `SolverFailedError`.
    """
    table, rows = rows_of(solution.plan, "commitments", quota.name, names)
    if table is None or not rows:
        return None
    finder = NodeFinder(quota.tree, table)
    nodes = [finder.node(row) for row in rows]
    seen: set[int] = set()
    for at, one in enumerate(nodes):
        if one in seen:
            raise InputError("quotas.commitment_twice", table.place(rows[at]))
        seen.add(one)
    order = np.argsort(nodes, kind="stable")
    committed = table.numbers("commitment")[rows][order]
    weight = np.nan_to_num(table.numbers("weight")[rows][order], nan=1.0)
    reasons = table.text("reason") if table.has("reason") else [""] * len(table)
    node = np.array(nodes, dtype=np.int64)[order]
    shares, missing = _solve(quota, node, committed, weight)
    agreed = _whole(quota, shares)
    return Reconciled(node, committed, weight, tuple(reasons[rows[at]] for at in order), agreed, missing)


def _solve(
    quota: Quota, node: IntArray, committed: FloatArray, weight: FloatArray
) -> tuple[FloatArray, float]:
    """What each leaf agrees to (L,), and what is missing."""
    scale = max(quota.target.total, 1.0)
    program, starts = _program(quota, node, committed, scale)
    result = solve_stages(program, _stages(starts, program.num_columns, weight))
    if result.x is None:
        raise SolverFailedError("quotas.reconcile_failed", reason=str(result.termination.reason))
    return np.asarray(result.x[: quota.tree.num_leaves] * scale), float(result.x[starts[4]] * scale)


def _program(
    quota: Quota, node: IntArray, committed: FloatArray, scale: float
) -> tuple[LinearProgram, IntArray]:
    """The rows of the reconciliation in multiples of `scale`, and where each kind of column starts.

    Columns: agreed by leaf (L), more and less by commitment (C each), the largest share (1), missing (1),
    distance from the plan's shares up and down (L each).
    """
    tree = quota.tree
    leaves, count = tree.num_leaves, len(node)
    below, total = _below(tree), quota.target.total
    plan = quota.bases.plan.sum(axis=1)
    even = plan * (total / plan.sum()) if plan.sum() > 0 else np.full(leaves, total / leaves)
    lower, upper = (bound / quota.factor for bound in combined(list(quota.limits), tree))
    bounded = np.flatnonzero(((lower > 0) | (upper < np.inf)) & (np.arange(tree.size) > 0))
    own = np.maximum(committed, quota.spec.round_to)[:, None]
    eye, by_leaf = sparse.eye_array(count), sparse.eye_array(leaves)
    blocks: list[list[Any]] = [
        [below[node], -eye, eye, None, None, None, None],
        [None, eye, eye, -own, None, None, None],
        [np.ones((1, leaves)), None, None, None, np.ones((1, 1)), None, None],
        [by_leaf, None, None, None, None, -by_leaf, by_leaf],
        [below[bounded], None, None, None, None, None, None],
    ]
    widths = (leaves, count, count, 1, 1, leaves, leaves)
    rows = [_row(block, widths) for block in (blocks if len(bounded) else blocks[:-1])]
    least, most = np.full(count, -np.inf), np.zeros(count)
    size = sum(widths)
    program = LinearProgram(
        objective=np.zeros(size),
        matrix=sparse.csc_array(sparse.vstack(rows)),
        row_lower=np.concatenate([committed, least, [total], even, lower[bounded]]) / scale,
        row_upper=np.concatenate([committed, most, [total], even, upper[bounded]]) / scale,
        column_lower=np.zeros(size),
        column_upper=np.full(size, np.inf),
        integer=np.zeros(size, dtype=np.bool_),
    )
    return program, np.cumsum([0, *widths])


def _stages(starts: IntArray, size: int, weight: FloatArray) -> list[Stage]:
    """Missing first, then the weighted distance, then the largest share, then nearness to the plan."""
    objectives = np.zeros((4, size))
    objectives[0, starts[4]] = 1.0
    objectives[1, starts[1] : starts[2]] = objectives[1, starts[2] : starts[3]] = weight
    objectives[2, starts[3]] = 1.0
    objectives[3, starts[5] :] = 1.0
    names = ("missing", "distance", "largest share", "plan")
    return [Stage(name, row, scale=1e-3) for name, row in zip(names, objectives, strict=True)]


def _row(blocks: list[Any], widths: tuple[int, ...]) -> sparse.csr_array:
    """One row of blocks; None is a block of zeros."""
    height = next(block.shape[0] for block in blocks if block is not None)
    parts = [
        sparse.csr_array((height, width)) if block is None else sparse.csr_array(block)
        for block, width in zip(blocks, widths, strict=True)
    ]
    return sparse.csr_array(sparse.hstack(parts))


def _below(tree: Hierarchy) -> sparse.csr_array:
    """Which leaves stand below each node (N, L)."""
    rows = tree.ancestors.ravel()
    columns = np.tile(np.arange(tree.num_leaves), tree.depth + 1)
    return sparse.csr_array((np.ones(len(rows)), (rows, columns)), shape=(tree.size, tree.num_leaves))


def _whole(quota: Quota, shares: FloatArray) -> FloatArray:
    """The agreed amounts by node in whole steps whose sums are exact (N,)."""
    tree, step = quota.tree, quota.spec.round_to
    real = tree.sum_up(shares[:, None]) / step
    spans = make_spans("horizon", [quota.spans.all_labels[-1]])
    free, none = np.full(tree.size, np.inf), np.zeros(tree.size)
    rounded = round_top_down(tree, spans, real, np.ones(tree.depth), none, free, none)
    return np.asarray(rounded.steps[:, 0] * step, dtype=np.float64)


def commitment_rows(solution: Solution, quota: Quota, names: list[str]) -> list[dict[str, Any]]:
    """What each commitment becomes, then the leaves that have none, as rows; nothing without commitments.

    Keys: quota, level, node, committed, weight, agreed, change (agreed - committed), share (of the
    commitment), plan, unit, reason.
    """
    found = reconcile(solution, quota, names)
    if found is None:
        return []
    others = found.others(quota.tree)
    count = len(others)
    nodes = [*found.node.tolist(), *others]
    committed = np.concatenate([found.committed, np.full(count, np.nan)])
    weight = np.concatenate([found.weight, np.full(count, np.nan)])
    agreed = found.agreed[nodes]
    share = np.divide(
        agreed - committed, committed, out=np.full(len(nodes), np.nan), where=np.nan_to_num(committed) > 0
    )
    unit = quota.unit.replace("currency", solution.plan.spec.currency or "currency")
    return [
        {
            "quota": quota.name,
            "level": quota.tree.level_name(node),
            "node": quota.title(node),
            "committed": committed[at],
            "weight": weight[at],
            "agreed": agreed[at],
            "change": agreed[at] - committed[at],
            "share": share[at],
            "plan": float(quota.plan[node].sum()),
            "unit": unit,
            "reason": found.reason[at] if at < len(found.reason) else "",
        }
        for at, node in enumerate(nodes)
    ]


def reconciliation_sentences(solution: Solution, quota: Quota, names: list[str], words: Words) -> list[str]:
    """Who has to add how much to a commitment, largest share first, and what is missing."""
    found = reconcile(solution, quota, names)
    if found is None:
        return []
    total = float(found.committed.sum())
    sentences = [
        words.text("commitments_sum", amount=words.amount(total), target=words.amount(quota.target.total))
    ]
    share = np.divide(
        found.change, found.committed, out=np.full(len(found.node), np.inf), where=found.committed > 0
    )
    for at in np.argsort(-share, kind="stable").tolist():
        change = float(found.change[at])
        sentences.append(
            words.text(
                "commitment_line",
                node=quota.title(int(found.node[at])),
                committed=words.amount(float(found.committed[at])),
                agreed=words.amount(float(found.agreed[found.node[at]])),
                change=("+" if change > 0 else "") + words.amount(change),
                share=words.percent(float(share[at])),
            )
        )
    others = found.others(quota.tree)
    if others:
        shares = [f"{quota.title(node)} {words.amount(float(found.agreed[node]))}" for node in others]
        sentences.append(words.text("commitments_others", nodes=listed(shares, words.language)))
    if found.missing > quota.spec.round_to / 2:
        sentences.append(words.text("commitments_missing", amount=words.amount(found.missing)))
    return sentences
