"""The bound of one target as a figure to be made largest (smallest, for an upper bound).

    one member:       level = f(x) / c, less 1 for growth; N(x) / D(x) for a ratio or share
    several members:  level c_k <= f_k(x)  (>= for an upper bound)

c_k is what a bound of 1 means for member k: 1, last year's figure for growth, the sum of the column for
`of`; the asked bound itself where it differs by member, so that the level is a multiple of what was asked.
Units: those of the bound.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from optimizer.errors import InputError
from optimizer.model.builder import fixed_labels
from optimizer.model.context import Context
from optimizer.model.families.rules import RuleRows, rule_rows
from optimizer.model.terms import Terms, spread_members
from optimizer.plan.rules import Rule

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Level:
    """The figure that is looked for: `terms`, over `denominator` where it is a ratio. `size` is what it could
    plausibly reach."""

    terms: Terms
    maximize: bool
    unit: str
    size: float
    denominator: Terms | None = None


def sought_level(context: Context, rows: RuleRows) -> Level:
    """The level of a rule whose bound is sought; columns and rows that it needs are added to the builder.

    Raises `InputError` for a ratio or share of several members, and where last year's figure is 0.
    """
    rule = rows.rule
    maximize = rule.lower is not None
    unit = "share" if rule.as_share or rule.as_growth else context.metrics.unit(rule.metric)
    if rows.denominator is not None:
        return _ratio(context, rows, maximize, unit)
    asked = rule.lower if maximize else rule.upper
    by_member = isinstance(asked, Mapping)
    one = rows if by_member else rule_rows(context, _with_bound(rows, 0.0 if rule.as_growth else 1.0))
    basis = one.lower if maximize else one.upper
    bounded = np.flatnonzero(np.isfinite(basis))
    terms, basis = spread_members(rows.numerator, bounded), basis[bounded]
    if not (basis > 0).all():
        raise InputError("modes.largest_of_nothing", rule.place, name=rule.name)
    size = float((context.magnitude(terms) / basis).max())
    if isinstance(rule.of, str) or by_member:
        unit = "ratio"
    shift = Terms.constants(np.array([-1.0 if rule.as_growth and not by_member else 0.0]))
    if len(bounded) == 1:
        return Level(terms.scaled(1.0 / basis) + shift, maximize, unit, size)
    return Level(_smallest(context, rows, terms.scaled(1.0 / basis), bounded) + shift, maximize, unit, size)


def _with_bound(rows: RuleRows, bound: float) -> Rule:
    if rows.rule.lower is not None:
        return replace(rows.rule, lower=bound)
    return replace(rows.rule, upper=bound)


def _smallest(context: Context, rows: RuleRows, figures: Terms, bounded: NDArray[np.int64]) -> Terms:
    """A column that no member's figure is below (above, for an upper bound)."""
    name = rows.rule.name
    level = context.builder.add_columns("largest", 1, fixed_labels((name,)), lower=-np.inf)
    count = figures.size
    own = Terms(np.arange(count), np.full(count, level), np.full(count, -1.0), np.zeros(count))
    labels = [(name, *rows.members.labels[member], "largest") for member in bounded]
    lower, upper = (0.0, np.inf) if rows.rule.lower is not None else (-np.inf, 0.0)
    context.builder.add_rows("rules", figures + own, fixed_labels(*labels), lower=lower, upper=upper)
    return Terms(np.zeros(1, dtype=np.int64), np.array([level]), np.ones(1), np.zeros(1))


def _ratio(context: Context, rows: RuleRows, maximize: bool, unit: str) -> Level:
    rule = rows.rule
    if rows.members.size > 1:
        raise InputError("modes.largest_ratio_members", rule.place, name=rule.name)
    assert rows.denominator is not None
    below = rows.denominator
    above = rows.numerator + below.scaled(-rows.shift)
    if below.value.any():
        return Level(above, maximize, unit, 1.0, below)
    if not below.constant[0] > 0:
        raise InputError("modes.largest_of_nothing", rule.place, name=rule.name)
    terms = above.scaled(1.0 / below.constant)
    return Level(terms, maximize, unit, float(context.magnitude(terms)[0]))
