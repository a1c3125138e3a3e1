"""What rules say of single sellers, which keeps unequal sellers out of one seat group."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from optimizer.model.past_run import run_totals
from optimizer.model.seats import carried
from optimizer.plan.inputs import Inputs
from optimizer.plan.plan import Plan
from optimizer.plan.rules import Rule
from optimizer.plan.schema import StayNearSpec


def _bare(column: str) -> str:
    return column.removeprefix("seller.")


def rule_columns(plan: Plan) -> set[str]:
    """Every column that a rule, balance, stay_near, objective or use names; group members agree on them."""
    spec = plan.spec
    named: set[str] = set()
    for rule in plan.rules:
        named |= {*rule.where, *rule.each, *_whole(rule)}
    for balance in spec.balance:
        named |= {*balance.where, balance.across}
    for near in spec.stay_near:
        named |= set(near.by)
    for frozen in spec.freeze:
        named |= set(frozen.where)
    for stage in spec.objective or []:
        named |= {*stage.where, stage.across or ""}
    if "roles" in plan.tables:
        # Attrition and spans are about the people of a role together.
        named.add("role")
    return {_bare(column) for column in named} - {"seller", ""}


def told_by_seller(inputs: Inputs) -> bool:
    """Whether facts of single sellers count in a rule or balance by seller: no group has facts of its own, so
    that all sellers stand apart. Distances are about what is ahead."""
    facts, plan = inputs.facts, inputs.plan
    if facts is None or not any(facts.labels.get("seller", ())):
        return False
    named = [column for rule in plan.rules for column in (*rule.where, *rule.each, *_whole(rule))]
    named += [column for balance in plan.spec.balance for column in (*balance.where, balance.across)]
    named += [column for stage in plan.spec.objective or [] for column in (*stage.where, stage.across or "")]
    return any(_bare(column) == "seller" for column in named)


def personal_terms(inputs: Inputs) -> list[list[object]]:
    """One list a seller: whatever rules say of that seller alone. Sellers with equal lists may share a group.

    A rule `each: seller` with one absolute bound is the same for sellers of equal capacity; a seller whom a
    bound names stays alone, and so does everybody when each may have a share of what all sell. A share of
    one's own sales, or a balance on capacity, is the same for everybody, because a group is split in
    proportion.
    """
    plan, sellers = inputs.plan, inputs.selling.sellers
    names = sellers.names
    terms: list[list[object]] = [[] for _ in names]
    totals = [float(np.round(np.nan_to_num(row, posinf=-1.0).sum(), 9)) for row in sellers.capacity]
    for where in _scopes_of(plan):
        for name, labels in where.items():
            if _bare(name) == "seller":
                chosen = {labels} if isinstance(labels, str) else set(labels)
                for seller, label in enumerate(names):
                    terms[seller].append(label in chosen)
    for rule in plan.rules:
        if any(_bare(column) == "seller" for column in rule.each):
            alone = _is_share_of_all(rule)
            for seller, label in enumerate(names):
                named = alone or _is_named(rule, label)
                terms[seller].append((None if rule.as_share else totals[seller], label if named else ""))
    for basis in _seller_bases(plan):
        values = _basis_values(inputs, basis)
        for seller in range(len(names)):
            terms[seller].append((totals[seller], values[seller]))
    for near in plan.spec.stay_near:
        if any(_bare(column) == "seller" for column in near.by):
            for seller, profile in enumerate(_near_to(inputs, near)):
                terms[seller].append(profile)
    if any("sales" in frozen.what for frozen in plan.spec.freeze):
        # What another run gives to each seller need not be in proportion to capacity.
        for seller, label in enumerate(names):
            terms[seller].append(label)
    return terms


def _near_to(inputs: Inputs, near: StayNearSpec) -> list[object]:
    """What a distance by seller is measured from, one entry a seller: the run's figures a unit of capacity,
    so that equal ones are in proportion to what each carries of a group; the name where single members
    count."""
    sellers = inputs.selling.sellers
    if not isinstance(near.to, dict) or near.changes_at_most is not None:
        return list(sellers.names)
    periods, past = inputs.plan.calendar.period, inputs.past
    ahead = periods[past:] if 0 < past < len(periods) else periods
    totals = run_totals(inputs.plan, near.to["run"], near.metric, near.by, ahead, {})
    level = near.by.index(next(column for column in near.by if _bare(column) == "seller"))
    found: dict[str, list[str]] = {name: [] for name in sellers.names}
    weight = dict(zip(sellers.names, carried(sellers.capacity).tolist(), strict=True))
    for key, total in totals[totals != 0].items():
        label = key if isinstance(key, tuple) else (key,)
        name = str(label[level])
        if weight.get(name):
            rest = (*label[:level], *label[level + 1 :])
            found[name].append(f"{rest} {total / weight[name]:.9e}")
    return [name if not weight[name] else repr(sorted(found[name])) for name in sellers.names]


def _scopes_of(plan: Plan) -> Iterable[Mapping[str, Any]]:
    for rule in plan.rules:
        yield rule.where
        yield _whole(rule)
    for balance in plan.spec.balance:
        yield balance.where
    for frozen in plan.spec.freeze:
        yield frozen.where
    for stage in plan.spec.objective or []:
        yield stage.where


def _whole(rule: Rule) -> Mapping[str, Any]:
    return rule.of if isinstance(rule.of, Mapping) else {}


def _is_share_of_all(rule: Rule) -> bool:
    """Whether each seller's share is of what several sellers sell: `each: seller` without another whole."""
    return rule.as_share and not rule.where and rule.of is None and _bare(rule.each[-1]) == "seller"


def _is_named(rule: Rule, seller: str) -> bool:
    """Whether a bound by member names this seller."""
    position = next(index for index, column in enumerate(rule.each) if _bare(column) == "seller")
    return any(
        key[position] == seller
        for bound in (rule.lower, rule.upper)
        if isinstance(bound, Mapping)
        for key in bound
    )


def _seller_bases(plan: Plan) -> list[str]:
    """Bases other than capacity of balances, objectives and multiplied bounds across single sellers."""
    pairs = [(column, rule.of) for rule in plan.rules if isinstance(rule.of, str) for column in rule.each]
    pairs += [(balance.across, balance.basis) for balance in plan.spec.balance]
    pairs += [(stage.across or "", stage.basis or "") for stage in plan.spec.objective or []]
    return [basis for across, basis in pairs if _bare(across) == "seller" and basis not in ("", "capacity")]


def _basis_values(inputs: Inputs, basis: str) -> list[object]:
    frame = inputs.plan.tables["sellers"].frame
    return [str(value) for value in frame[basis]] if basis in frame.columns else [""] * len(frame)
