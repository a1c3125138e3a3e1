"""The old and the new plan side by side: revenue by level, starts of initiatives, quotas."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from optimizer.plan.moves import Handover, handovers
from optimizer.quotas.assignment import assign
from optimizer.quotas.moves import Handed, QuotaMove, quota_moves
from optimizer.quotas.quota import Quota
from optimizer.result.kpis import COMPANY
from optimizer.result.solution import Solution
from optimizer.tracking.view import View, fact_view, planned_view

FloatArray = NDArray[np.float64]

LEVEL_COLUMNS = ("scope", "member", "fact", "old_rest", "new_rest", "old_total", "new_total", "change")
START_COLUMNS = ("initiative", "owner", "old_start", "new_start", "periods_earlier", "state")
MOVE_PARTS = ("moved", "earned", "rest", "stretch", "over_assignment", "rules", "rounding")
MOVE_COLUMNS = ("quota", "level", "node", "old", "new", "change", "carried", *MOVE_PARTS, "reason")


def levels_frame(old: Solution, new: Solution, scopes: Sequence[str]) -> pd.DataFrame:
    """Revenue of every member under the last and the new plan.

    Columns: scope, member; fact (to as_of, as far as it is told on this level); old_rest and new_rest (open
    periods); old_total, new_total (horizon) and change (new less old rest).
    """
    past = new.inputs.past
    views = planned_view(old), planned_view(new), fact_view(new.inputs)
    rows = []
    for scope in ("", *scopes):
        before, after, facts = (_by_member(view, scope) for view in views)
        for member in dict.fromkeys([*before, *after]):
            nothing = np.zeros(new.plan.calendar.size)
            one, other = before.get(member, nothing), after.get(member, nothing)
            fact = float(facts.get(member, nothing)[:past].sum())
            rests = float(one[past:].sum()), float(other[past:].sum())
            rows.append(
                (
                    scope or COMPANY,
                    member,
                    fact,
                    *rests,
                    float(one.sum()),
                    fact + rests[1],
                    rests[1] - rests[0],
                )
            )
    frame = pd.DataFrame(rows, columns=list(LEVEL_COLUMNS))
    return frame.astype({"scope": "str", "member": "str"})


def _by_member(view: View, scope: str) -> Mapping[str, FloatArray]:
    return view.by_period("revenue", scope) or {}


def starts_frame(old: Solution, new: Solution) -> pd.DataFrame:
    """Every initiative: its start in the last and in the new plan.

    Columns: initiative, owner, old_start, new_start (blank: not started), periods_earlier (positive: brought
    forward), state (started, kept, forward, back, added, dropped).
    """
    before, after = _starts(old), _starts(new)
    labels = new.activities.blocks["start"].labels if "start" in new.activities.blocks else {}
    owners = labels.get("owner", [""] * len(after))
    past, names = new.inputs.past, new.plan.calendar.period
    rows = []
    for (name, now), owner in zip(after.items(), owners, strict=True):
        was = before.get(name)
        state = _state(was, now, past)
        earlier = None if was is None or now is None else was - now
        shown = ["" if at is None else names[at] for at in (was, now)]
        rows.append((name, owner, *shown, earlier, state))
    frame = pd.DataFrame(rows, columns=list(START_COLUMNS))
    texts = dict.fromkeys(("initiative", "owner", "old_start", "new_start", "state"), "str")
    return frame.astype({**texts, "periods_earlier": "float64"})


def _starts(solution: Solution) -> dict[str, int | None]:
    """Initiative -> period of its start; None where it is not started."""
    if "start" not in solution.activities.blocks:
        return {}
    block = solution.activities.blocks["start"]
    begun = block.values(solution.x) > 0.5
    return {
        name: int(begun[row].argmax()) if begun[row].any() else None
        for row, name in enumerate(block.labels["initiative"])
    }


def _state(was: int | None, now: int | None, past: int) -> str:
    if now is None:
        return "kept" if was is None else "dropped"
    if now < past:
        return "started"
    if was is None:
        return "added"
    return "kept" if was == now else "forward" if now < was else "back"


def moves_of(old: Solution, new: Solution) -> list[QuotaMove]:
    """Every quota of two plans; nothing where one of them has none."""
    if not old.plan.spec.quotas or not new.plan.spec.quotas:
        return []

    def handed(quota: Quota) -> list[Handed]:
        return [Handed(move.giver, move.taker, _handed(old, quota, move, new.inputs.past)) for move in found]

    def closed(quota: Quota) -> FloatArray:
        return _closed(old, quota, new.inputs.past)

    found = new_handovers(old, new)
    return quota_moves(assign(old), assign(new), new.plan.spec.language, closed, handed)


def _closed(old: Solution, quota: Quota, past: int) -> FloatArray:
    """What the old plan has of a quota before `past`, with what it had earned already, by node (N,)."""
    levels, tree = quota.levels, quota.tree
    inside = old.metrics.scopes.period_mask(quota.spec.where)[:past]
    planned = old.metrics.by_cell(quota.spec.metric, old.x)[levels.pairs][:, :past]
    own = np.zeros(tree.num_leaves)
    np.add.at(own, levels.leaf, planned[:, inside].sum(axis=1))
    return tree.sum_up(own) + quota.earned_wide[:, -1]


def new_handovers(old: Solution, new: Solution) -> list[Handover]:
    """Moves of accounts and territories that the new plan has and the old one had not."""
    names = new.inputs.selling.sellers.names

    def keys(solution: Solution) -> dict[tuple[object, ...], Handover]:
        moves = handovers(solution.plan, solution.inputs.selling.sellers.names, solution.inputs.markets)
        return {(one.giver, one.taker, one.first, tuple(one.markets.tolist())): one for one in moves}

    if names != old.inputs.selling.sellers.names:
        return []
    before = keys(old)
    return [one for key, one in keys(new).items() if key not in before]


def _handed(old: Solution, quota: Quota, move: Handover, past: int) -> float:
    """What the old plan has of a move from its day on, within a quota's scope and open periods."""
    cube = old.sellers
    seller = cube.groups.first[cube.pair_seat]
    own = (seller == move.giver) & np.isin(cube.pair_market, move.markets)
    inside = np.zeros(cube.num_pairs, dtype=np.bool_)
    inside[quota.levels.pairs] = True
    planned = old.metrics.by_cell(quota.spec.metric, old.x)
    return float(planned[own & inside][:, max(move.first, past) :].sum())


def moves_frame(moves: Sequence[QuotaMove]) -> pd.DataFrame:
    """One row a node and quota.

    Columns: quota, level, node; old and new (number of the horizon; new with what is earned beside it) and
    change; carried (earned so far); the parts of the change, which add up to it: moved (what accounts and
    sellers who change hands carry with them), earned (facts less the old
    plan of closed spans), rest (what the open spans can bring), stretch, over_assignment, rules, rounding;
    reason (sentence).
    """
    rows = [
        (one.quota, one.level, one.node, one.old, one.new, one.change, one.earned,
         *(one.parts[name] for name in MOVE_PARTS), one.reason)
        for one in moves
    ]  # fmt: skip
    texts = dict.fromkeys(("quota", "level", "node", "reason"), "str")
    return pd.DataFrame(rows, columns=list(MOVE_COLUMNS)).astype(texts)
