"""Why a quota moved between two plans: what was earned, what the rest can bring, and each step behind it.

    change = new number + earned beside it - old number
           = moved (what accounts and sellers who change hands carry with them)
             + earned (facts less the old plan of closed periods) + rest (new less old plan of open periods)
             + the difference of every later step of the two chains

Counted in thousandths of the rounding step, so that the parts add up to the change exactly.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from optimizer import messages
from optimizer.quotas.chain import PARTS, chain_parts
from optimizer.quotas.quota import Quota
from optimizer.report import numbers

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

LATER = ("stretch", "over_assignment", "rules", "rounding")
"""Parts of a move behind the plan; all rules that bound quotas are one part."""
_RULES = "rules"
_FIRST = ("last_year", "plan")
_OWN = {"stretch": "stretch", "reserve": "stretch", "basis": "stretch", "over_assignment": "over_assignment"}
_OWN["rounding"] = "rounding"


@dataclass(frozen=True)
class QuotaMove:
    """One node of one quota: old and new number of the horizon, and the parts of the change, which add up to
    it."""

    quota: str
    level: str
    node: str
    old: float
    new: float
    earned: float
    parts: Mapping[str, float]
    reason: str

    @property
    def change(self) -> float:
        """New less old."""
        return self.new - self.old

    @property
    def untold(self) -> float:
        """The part of the change that only moves what is sold to date beside the node above, because facts do
        not tell it of this one."""
        return 0.0 if self.earned else self.parts["earned"]


@dataclass(frozen=True)
class Handed:
    """What one seller hands to another: old plan of the open periods, in the metric of one quota."""

    giver: int
    taker: int
    amount: float


def quota_moves(
    old: Sequence[Quota],
    new: Sequence[Quota],
    language: str,
    closed: Callable[[Quota], FloatArray],
    handed: Callable[[Quota], Sequence[Handed]] = lambda quota: (),
) -> list[QuotaMove]:
    """Every node of the new quotas against the old ones of the same names.

    `closed` says what an old quota's plan has in periods that are facts now, by node (N,), `handed` what
    accounts that moved carry in it.
    """
    found: list[QuotaMove] = []
    by_name = {quota.name: quota for quota in old}
    for quota in new:
        before = by_name.get(quota.name)
        if before is not None and before.spec.round_to == quota.spec.round_to:
            found += _moves(before, quota, closed(before), language, handed(before))
    return found


def _moves(
    before: Quota, after: Quota, closed: FloatArray, language: str, handed: Sequence[Handed]
) -> list[QuotaMove]:
    changed, size = changed_sellers(before, after), after.spec.round_to / PARTS
    position = {path: node for node, path in enumerate(before.tree.paths)}
    position |= {after.tree.paths[node]: last for node, last in changed.same.items()}
    handed_over = _carried(after, handed, size)
    old_steps, new_steps = _steps(before), _steps(after)
    rows = []
    for node, path in enumerate(after.tree.paths):
        last = position.get(path)
        # Sellers who changed their node stand where they are now, in the old numbers as well.
        through = changed.through.get(node, ())
        lasts = [*through, *([] if last is None else [(1, last)])]
        old = {name: _signed(values, lasts) for name, values in old_steps.items()}
        new = {name: int(values[node]) for name, values in new_steps.items()}
        earned = float(after.earned_wide[node, -1])
        sold = earned - sum(sign * float(closed[at]) for sign, at in lasts)
        beside = round(float(after.earned.pooled[node]) / size)
        came = sum(_signed(values, through) for values in old_steps.values())
        parts = {"moved": came + int(handed_over[node]), "earned": round(sold / size) + beside}
        parts["rest"] = new["plan"] - old["plan"] + beside - parts["earned"] - int(handed_over[node])
        parts |= {name: new.get(name, 0) - old.get(name, 0) for name in LATER}
        amounts = {name: value * size for name, value in parts.items()}
        carried = earned + float(after.earned.pooled[node])
        was = 0.0 if last is None else float(before.year[last])
        rows.append(
            QuotaMove(
                after.name, after.tree.level_name(node), after.title(node), was,
                was + sum(amounts.values()), carried, amounts, _reason(amounts, bool(carried), language),
            )
        )  # fmt: skip
    return rows


def _signed(values: IntArray, nodes: Sequence[tuple[int, int]]) -> int:
    """The sum of some nodes' figures with their signs."""
    return sum(sign * int(values[node]) for sign, node in nodes)


@dataclass(frozen=True)
class Changed:
    """Sellers who lie under another node than before."""

    same: Mapping[int, int]
    """New node of such a seller -> the old one."""
    through: Mapping[int, Sequence[tuple[int, int]]]
    """New node above sellers -> (+1 or -1, old node of a seller who came or left)."""


def changed_sellers(before: Quota, after: Quota) -> Changed:
    """Sellers who are in both quotas under different nodes, told by names that occur once."""
    level, old_level = after.levels.seller_level, before.levels.seller_level
    if level is None or old_level is None:
        return Changed({}, {})
    old, new = _by_seller(before, old_level), _by_seller(after, level)
    place = {path: node for node, path in enumerate(after.tree.paths)}
    same: dict[int, int] = {}
    through: dict[int, list[tuple[int, int]]] = {}
    for name, node in new.items():
        last = old.get(name)
        if last is None or before.tree.paths[last] == after.tree.paths[node]:
            continue
        same[node] = last
        for sign, path in ((1, after.tree.paths[node]), (-1, before.tree.paths[last])):
            for length in range(len(path)):
                above = place.get(path[:length])
                if above is not None:
                    through.setdefault(above, []).append((sign, last))
    return Changed(same, through)


def _by_seller(quota: Quota, level: int) -> dict[str, int]:
    """Seller -> node, for names that occur once at the level of sellers."""
    nodes = quota.tree.nodes(level)
    names = [quota.tree.paths[node][-1] for node in range(nodes.start, nodes.stop)]
    return {name: nodes.start + at for at, name in enumerate(names) if names.count(name) == 1}


def _carried(quota: Quota, handed: Sequence[Handed], size: float) -> IntArray:
    """What each node takes over less what it gives away (N,), in thousandths; sellers and what is above."""
    found = np.zeros(quota.tree.size, dtype=np.int64)
    level = quota.levels.seller_level
    if level is None or not handed:
        return found
    nodes = quota.tree.nodes(level)
    for one in handed:
        amount = round(one.amount / size)
        for seller, sign in ((one.giver, -1), (one.taker, 1)):
            own = np.flatnonzero(quota.levels.node_seller[nodes] == seller)
            node = nodes.start + int(own[0]) if len(own) == 1 else -1
            while node >= 0:
                found[node] += sign * amount
                node = int(quota.tree.parent[node])
    return found


def _steps(quota: Quota) -> dict[str, IntArray]:
    """What each step of the chains adds over the horizon, by node (N,), in thousandths; `plan` is where the
    plan leads, rules are one step."""
    names, parts = chain_parts(quota, list(range(quota.tree.size)))
    values = parts[:, -1, :]
    adds = np.diff(values, axis=-1, prepend=0)
    found: dict[str, IntArray] = {"plan": values[:, names.index("plan")]}
    for at, name in enumerate(names):
        if name not in _FIRST:
            key = _OWN.get(name, _RULES)
            found[key] = found.get(key, np.zeros(quota.tree.size, dtype=np.int64)) + adds[:, at]
    return found


def _reason(parts: Mapping[str, float], is_told: bool, language: str) -> str:
    """The parts that moved a quota, the largest first; those below a tenth of the largest are left out.

    Where facts tell nothing of the node, its sales to date stand beside the node above; that is no change of
    what it has to do, and is told last.
    """
    beside = "" if is_told else "earned"
    largest = max(abs(amount) for name, amount in parts.items() if name != beside)
    shown = [name for name, amount in parts.items() if amount and abs(amount) >= 0.1 * largest]
    shown.sort(key=lambda name: (name == beside, -abs(parts[name])))
    texts = []
    for name in shown:
        word = "untold" if name == "earned" and not is_told else name
        amount = numbers.signed(numbers.amount(parts[name], language), parts[name])
        texts.append(messages.text(f"moves.{word}", language, amount=amount))
    return ("；" if language == "zh" else "; ").join(texts) or messages.text("moves.unmoved", language)
