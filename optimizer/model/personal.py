"""What rules say of single sellers, which keeps unequal sellers out of one seat group."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from optimizer.plan.inputs import Inputs
from optimizer.plan.plan import Plan
from optimizer.plan.rules import Rule


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
    for stage in spec.objective or []:
        named |= {*stage.where, stage.across or ""}
    return {_bare(column) for column in named} - {"seller", ""}


def personal_terms(inputs: Inputs) -> list[list[object]]:
    """One list a seller: whatever rules say of that seller alone. Sellers with equal lists may share a group.

    A rule `each: seller` with an absolute bound is the same for sellers of equal capacity and equal bound; one with
    a share, or a balance on capacity, is the same for everybody, because a group is split in proportion.
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
        if any(_bare(column) == "seller" for column in rule.each) and not rule.as_share:
            for seller, label in enumerate(names):
                terms[seller].append((totals[seller], _bounds_of(rule, label)))
    for basis in _seller_bases(plan):
        values = _basis_values(inputs, basis)
        for seller in range(len(names)):
            terms[seller].append((totals[seller], values[seller]))
    if any(_bare(column) == "seller" for near in plan.spec.stay_near for column in near.by):
        for seller, label in enumerate(names):
            terms[seller].append(label)
    return terms


def _scopes_of(plan: Plan) -> Iterable[Mapping[str, object]]:
    for rule in plan.rules:
        yield rule.where
        yield _whole(rule)
    for balance in plan.spec.balance:
        yield balance.where
    for stage in plan.spec.objective or []:
        yield stage.where


def _whole(rule: Rule) -> Mapping[str, object]:
    return rule.of if isinstance(rule.of, Mapping) else {}


def _bounds_of(rule: Rule, seller: str) -> tuple[object, ...]:
    """The bounds that name this seller, in a form that compares."""
    position = next(index for index, column in enumerate(rule.each) if _bare(column) == "seller")
    found: list[object] = []
    for bound in (rule.lower, rule.upper):
        if isinstance(bound, Mapping):
            found.append(tuple(sorted(
                (*key[:position], *key[position + 1 :], value) for key, value in bound.items() if key[position] == seller
            )))
    return tuple(found)


def _seller_bases(plan: Plan) -> list[str]:
    """Bases other than capacity of balances and objectives across single sellers."""
    pairs = [(balance.across, balance.basis) for balance in plan.spec.balance]
    pairs += [(stage.across or "", stage.basis or "") for stage in plan.spec.objective or []]
    return [basis for across, basis in pairs if _bare(across) == "seller" and basis not in ("", "capacity")]


def _basis_values(inputs: Inputs, basis: str) -> list[object]:
    frame = inputs.plan.tables["sellers"].frame
    return [str(value) for value in frame[basis]] if basis in frame.columns else [""] * len(frame)
