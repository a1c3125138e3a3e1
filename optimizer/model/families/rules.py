"""Family rules: targets, budgets and limits as bounds on metrics and ratios.

    lower <= metric(where, member) <= upper                                   sums
    numerator - bound * denominator >= 0 (or <= 0)                            ratios
    metric(where, member) - share * metric(of, member) >= 0 (or <= 0)         shares
    a soft rule adds + short - over, measured in multiples of its own bound

Every row is divided by its bound, so that slacks and tolerances mean the same for heads and for millions.
Units: the metric's. Reference: goal programming (Charnes & Cooper 1961).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from optimizer.errors import InputError
from optimizer.model.basis import rule_basis
from optimizer.model.builder import Labels
from optimizer.model.context import Context, SoftRule
from optimizer.model.metrics import RATIOS
from optimizer.model.scopes import Members
from optimizer.model.terms import Terms, spread_members
from optimizer.plan.rules import Rule

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class RuleRows:
    """One rule as expressions and bounds: K members. `bounded` is what the bounds act on (numerator - r *
    denominator for ratios and shares, then a bound is 0); `asked_lower` and `asked_upper` are in the
    reader's unit."""

    rule: Rule
    members: Members
    lower_terms: Terms
    upper_terms: Terms
    lower: FloatArray
    upper: FloatArray
    asked_lower: FloatArray
    asked_upper: FloatArray
    scale: FloatArray
    """What a slack of 1 means, in the unit of the bounded expression (K,)."""
    numerator: Terms
    """The metric itself, or the numerator of its ratio or share."""
    denominator: Terms | None = None
    """What a ratio or share divides by."""
    shift: float = 0.0
    """What is subtracted from the ratio (1 for growth)."""
    sellers: FloatArray | float = 1.0
    """Sellers that each member stands for: its shortfall counts so many times (K,)."""

    def values(self, x: FloatArray) -> FloatArray:
        """The metric of each member at a solution, in the reader's unit (K,); NaN for a ratio of nothing."""
        top = self.numerator.values(x)
        if self.denominator is None:
            return top
        bottom = self.denominator.values(x)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(np.abs(bottom) > 1e-9, top / bottom - self.shift, np.nan)


def rules(context: Context) -> None:
    """Add the rows of every rule of the plan, with slack columns where it is soft; a rule whose largest bound
    is looked for is an objective (`optimizer/model/largest.py`)."""
    for rule in context.cube.inputs.plan.rules:
        rows = rule_rows(context, rule)
        context.rule_rows[rule.name] = rows
        if not rule.sought:
            _add(context, rows)


def rule_rows(context: Context, rule: Rule) -> RuleRows:
    """The expressions and bounds of a rule; raises `InputError` when it does not fit the plan."""
    members = context.metrics.members(rule.metric, rule.each, rule.where)
    lower, upper = (_by_member(rule, members, bound) for bound in (rule.lower, rule.upper))
    if rule.metric in RATIOS:
        return _ratio_rows(context, rule, members, lower, upper)
    terms = context.metrics.terms(rule.metric, members, rule.where)
    if rule.as_share:
        return _share_rows(context, rule, members, terms, lower, upper)
    asked = lower, upper
    seats = _sellers_in(context, rule, members)
    if rule.as_growth or isinstance(rule.of, str):
        base = (
            rule_basis(context, rule.of if isinstance(rule.of, str) else "last_year", rule.metric, members)
            / seats
        )
        step = 1.0 if rule.as_growth else 0.0
        asked = (lower + step) * base, (upper + step) * base
    bounds = asked[0] * seats, asked[1] * seats
    scale = _scale(np.fmax(np.abs(bounds[0]), np.abs(bounds[1])), context.magnitude(terms))
    return RuleRows(rule, members, terms, terms, *_infinite(*bounds), *asked, scale, terms, sellers=seats)


def _ratio_rows(
    context: Context, rule: Rule, members: Members, lower: FloatArray, upper: FloatArray
) -> RuleRows:
    top, bottom, shift = context.metrics.ratio(rule.metric, members, rule.where)
    sides = _sides(
        lambda bound: (top + bottom.scaled(-np.nan_to_num(bound + shift))).cancelled(), lower, upper
    )
    size = np.fmax(np.abs(lower + shift), np.abs(upper + shift)) * context.magnitude(bottom)
    zeros = [np.where(np.isnan(bound), np.nan, 0.0) for bound in (lower, upper)]
    return RuleRows(
        rule,
        members,
        sides[0],
        sides[1],
        *_infinite(*zeros),
        lower,
        upper,
        _scale(size, context.magnitude(top)),
        top,
        bottom,
        shift,
        _sellers_in(context, rule, members),
    )


def _share_rows(
    context: Context,
    rule: Rule,
    members: Members,
    terms: Terms,
    lower: FloatArray,
    upper: FloatArray,
) -> RuleRows:
    whole = _whole_of_share(context, rule, members)
    sides = _sides(lambda bound: (terms + whole.scaled(-np.nan_to_num(bound))).cancelled(), lower, upper)
    size = np.fmax(lower, upper) * context.magnitude(whole)
    zeros = [np.where(np.isnan(bound), np.nan, 0.0) for bound in (lower, upper)]
    return RuleRows(
        rule,
        members,
        sides[0],
        sides[1],
        *_infinite(*zeros),
        lower,
        upper,
        _scale(size, context.magnitude(whole)),
        terms,
        whole,
        0.0,
        _sellers_in(context, rule, members),
    )


def _sides(make: Callable[[FloatArray], Terms], lower: FloatArray, upper: FloatArray) -> tuple[Terms, Terms]:
    """The expression that each side bounds; a side without a bound shares the other's to save memory."""
    low = None if np.isnan(lower).all() else make(lower)
    high = None if np.isnan(upper).all() else make(upper)
    return low or high or make(lower), high or low or make(upper)


def _whole_of_share(context: Context, rule: Rule, members: Members) -> Terms:
    """What a share is a share of: scope `of`, else `where` without its last key, else `each` without its
    last column."""
    each = list(rule.each)
    if isinstance(rule.of, Mapping):
        scope = dict(rule.of)
    elif rule.where:
        scope = dict(list(rule.where.items())[:-1])
    else:
        scope, each = {}, each[:-1]
    whole = context.scopes.members(each, scope, context.metrics.blocks(rule.metric))
    terms = context.metrics.terms(rule.metric, whole, scope)
    position = {label: index for index, label in enumerate(whole.labels)}
    source = np.array([position[label[: len(each)]] for label in members.labels])
    return spread_members(terms, source)


def _by_member(
    rule: Rule, members: Members, bound: float | Mapping[tuple[str, ...], float] | None
) -> FloatArray:
    """The bound of each member (K,); NaN where the rule has none."""
    if bound is None:
        return np.full(members.size, np.nan)
    if not isinstance(bound, Mapping):
        return np.full(members.size, float(bound))
    unknown = [key for key in bound if key not in members.labels]
    if unknown:
        raise InputError(
            "model.rule_member_unknown",
            rule.place,
            rule=rule.name,
            member="/".join(unknown[0]),
            known=", ".join("/".join(label) for label in members.labels[:20]),
        )
    return np.array([bound.get(label, np.nan) for label in members.labels], dtype=np.float64)


def _sellers_in(context: Context, rule: Rule, members: Members) -> FloatArray:
    """Sellers that one member stands for (K,): more than one only where seat groups stand for single
    sellers."""
    if not any(context.scopes.sides(column) == ("seller", "seller") for column in rule.each):
        return np.ones(members.size)
    size = dict(zip(context.cube.seat_names, context.cube.groups.size, strict=True))
    position = next(
        i for i, column in enumerate(rule.each) if context.scopes.sides(column) == ("seller", "seller")
    )
    return np.array([size[label[position]] for label in members.labels], dtype=np.float64)


def _infinite(lower: FloatArray, upper: FloatArray) -> tuple[FloatArray, FloatArray]:
    return np.nan_to_num(lower, nan=-np.inf, posinf=np.inf, neginf=-np.inf), np.nan_to_num(
        upper, nan=np.inf, posinf=np.inf, neginf=-np.inf
    )


def _scale(size: FloatArray, magnitude: FloatArray) -> FloatArray:
    """A positive scale a member: the bound, else what the expression can reach, else 1."""
    scale = np.where(np.nan_to_num(size) > 0, size, magnitude)
    return np.where(np.isfinite(scale) & (scale > 0), scale, 1.0)


def _add(context: Context, rows: RuleRows) -> None:
    """Rows for both sides at once where they share an expression; else one block a side, named by it where
    there are two."""
    sides = [
        (rows.lower_terms, rows.lower, np.full_like(rows.upper, np.inf), "at least"),
        (rows.upper_terms, np.full_like(rows.lower, -np.inf), rows.upper, "at most"),
    ]
    if rows.lower_terms is rows.upper_terms:
        sides = [(rows.lower_terms, rows.lower, rows.upper, "")]
    has_two = len(sides) == 2 and np.isfinite(rows.lower).any() and np.isfinite(rows.upper).any()
    for terms, lower, upper, side in sides:
        bounded = np.flatnonzero(np.isfinite(lower) | np.isfinite(upper))
        if len(bounded):
            part = spread_members(terms, bounded)
            name = (side,) if has_two else ()
            _add_side(context, rows, part, (lower[bounded], upper[bounded]), bounded, name)


def _add_side(
    context: Context,
    rows: RuleRows,
    terms: Terms,
    bounds: tuple[FloatArray, FloatArray],
    bounded: NDArray[np.int64],
    side_name: tuple[str, ...],
) -> None:
    rule, scale = rows.rule, rows.scale[bounded]
    lower, upper = bounds
    scaled = terms.scaled(1.0 / scale)

    def labels() -> list[tuple[str, ...]]:
        return [(rule.name, *rows.members.labels[member], *side_name) for member in bounded]

    if not rule.must:
        for side, sign in ((lower, 1.0), (upper, -1.0)):
            missing = np.flatnonzero(np.isfinite(side))
            name = "short" if sign > 0 else "over"
            start = context.builder.add_columns(name, len(missing), _picked(labels, missing))
            columns = start + np.arange(len(missing))
            scaled = scaled + Terms(missing, columns, np.full(len(missing), sign), np.zeros(terms.size))
            weight = rule.weight * np.broadcast_to(rows.sellers, rows.scale.shape)[bounded][missing]
            context.soft.append(
                SoftRule(rule.name, rule.priority, rule.penalty, weight, columns, scale[missing])
            )
    first = context.builder.add_rows("rules", scaled, labels, lower=lower / scale, upper=upper / scale)
    context.place_rule(rule.name, first, bounded, scale)


def _picked(labels: Labels, rows: NDArray[np.int64]) -> Labels:
    return lambda: [labels()[row] for row in rows]
