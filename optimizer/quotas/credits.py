"""Overlay sellers: who shares the credit for what others sell carries a quota made of theirs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from optimizer.errors import InputError
from optimizer.plan.matching import matching_rows, prefixed
from optimizer.plan.scopes import market_dimensions, seller_dimensions
from optimizer.quotas.levels import rows_of
from optimizer.quotas.quota import Quota
from optimizer.quotas.steps import Window, nearest_table
from optimizer.result.solution import Solution

FloatArray = NDArray[np.float64]

_ROUNDING = 1e-9


@dataclass(frozen=True, eq=False)
class Overlay:
    """One overlay seller's plan and quota by shortest span (T,), and the share of it in the company's
    target. What it carries stands beside the organisation's sums, not in them."""

    name: str
    plan: FloatArray
    amounts: FloatArray
    share: float


def overlays(solution: Solution, quota: Quota, names: list[str]) -> tuple[Overlay, ...]:
    """The overlay sellers of one quota, sorted by name.

    quota[o,t] = sum over leaves of share * quota[leaf,t] * (plan in the credit's scope / plan of the leaf),
    in whole steps whose sums are exact. Rows of one overlay seller add up. Raises `InputError` for labels and
    quotas that do not exist, and for more credit than there are sales.
    """
    table, rows = rows_of(solution.plan, "credits", quota.name, names)
    if table is None or not rows:
        return ()
    credit, planned = _credited(solution, quota, names)
    owners = sorted({table.text("overlay")[row] for row in rows})
    plan = np.zeros((len(owners), quota.spans.size))
    quotas = np.zeros_like(plan)
    carried = quota.amounts[quota.tree.leaves] / quota.factor[quota.tree.leaves, None]
    total = np.zeros_like(carried)
    np.add.at(total, quota.levels.leaf, planned)
    of_leaf = np.divide(
        planned, total[quota.levels.leaf], out=np.zeros_like(planned), where=total[quota.levels.leaf] > 0
    )
    for at, owner in enumerate(owners):
        share = credit[owner][:, None]
        plan[at] = (share * planned).sum(axis=0)
        quotas[at] = (share * of_leaf * carried[quota.levels.leaf]).sum(axis=0)
    free = Window(np.zeros(len(owners)), np.full(len(owners), np.inf))
    alone = np.arange(len(owners))
    steps, _ = nearest_table(quotas / quota.spec.round_to, alone, quota.spans, free, np.zeros(quotas.shape))
    amounts = steps * quota.spec.round_to
    target = max(quota.target.total, 1e-300)
    return tuple(
        Overlay(owner, plan[at], amounts[at], float(amounts[at].sum() / target))
        for at, owner in enumerate(owners)
    )


def _credited(solution: Solution, quota: Quota, names: list[str]) -> tuple[dict[str, FloatArray], FloatArray]:
    """Share of each of the quota's pairs that each overlay seller is credited with (Q,), and the pairs'
    plan (Q, T)."""
    table, rows = rows_of(solution.plan, "credits", quota.name, names)
    cube, tables = solution.sellers, solution.plan.tables
    pairs = quota.levels.pairs
    seller, market = cube.groups.first[cube.pair_seat[pairs]], cube.pair_market[pairs]
    sides = [prefixed(market_dimensions(tables["markets"]), "market")]
    members = [market]
    if "sellers" in tables:
        sides.append(prefixed(seller_dimensions(tables["sellers"]), "seller"))
        members.append(seller)
    found: dict[str, FloatArray] = {}
    if table is not None:
        matches = matching_rows(table, *sides)
        sizes = [len(next(iter(side.values()))) for side in sides]
        key = np.ravel_multi_index(tuple(members), tuple(sizes))
        for row in rows:
            mine = matches[0] == row
            cells = np.ravel_multi_index(tuple(part[mine] for part in matches[1:]), tuple(sizes))
            share = float(table.numbers("share")[row]) * np.isin(key, cells)
            owner = table.text("overlay")[row]
            found[owner] = found.get(owner, np.zeros(len(pairs))) + share
            if (found[owner] > 1.0 + _ROUNDING).any():
                most = f"{found[owner].max():.0%}"
                raise InputError("quotas.credit_over", table.place(row, "share"), overlay=owner, share=most)
    return found, _planned(solution, quota)


def _planned(solution: Solution, quota: Quota) -> FloatArray:
    """The plan of each of the quota's pairs by shortest span (Q, T), in the scope of its periods."""
    from optimizer.quotas.spans import plan_spans
    from optimizer.result.evaluate import seller_context

    pairs = quota.levels.pairs
    values = solution.metrics.by_cell(quota.spec.metric, solution.x)[pairs]
    inside = seller_context(solution.sellers).scopes.period_mask(quota.spec.where)
    _, code = plan_spans(solution.plan.calendar, quota.spec.per)
    found = np.zeros((len(pairs), quota.spans.size))
    cell = quota.levels.member[:, None] * (quota.spans.size // len(quota.levels.members)) + code[None, :]
    np.add.at(found, (np.arange(len(pairs))[:, None], cell), np.where(inside, values, 0.0))
    return found
