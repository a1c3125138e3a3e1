"""How much a scope can reach at most: what markets allow, what sellers can do, what hard limits leave."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from optimizer.checks.finding import Checked, Finding, Level, listed
from optimizer.model.bounds import least_effort, most_capacity, most_demand
from optimizer.model.coefficients import UPLIFTED
from optimizer.model.context import Context
from optimizer.model.families.rules import RuleRows
from optimizer.model.metrics import RATIOS, SALES_METRICS
from optimizer.model.seating import may_be_there
from optimizer.model.terms import Terms, sum_by

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

_TOLERANCE = 1e-6
_PARTS_AT_MOST = 500
"""Parts into which another rule may cut a target before the comparison costs more than it tells."""


@dataclass(frozen=True)
class Ceiling:
    """Upper bounds of one expression: what markets allow whoever sells, and what sellers can do in them."""

    markets: float
    lowest: float


def ceiling(context: Context, terms: Terms, member: int) -> Ceiling:
    """Bounds of sum value * sales for one member, in its unit, constants left out; inf without a limit.

    markets: sum_{m,t} value * potential, each size pool at most its share;
    lowest: the smaller of the same with min(value * potential, what the sellers of m can do) in each cell,
    and of sum_{s,t} min(value / effort * capacity, value * potential of the seller's markets).
    Values must not be negative.
    """
    cube = context.cube
    own = (terms.member == member) & (terms.column < cube.num_cells)
    value, (pair, period) = terms.value[own], np.divmod(terms.column[own], cube.num_periods)
    if not len(value):
        return Ceiling(0.0, 0.0)
    market, seat = cube.pair_market[pair], cube.pair_seat[pair]
    effort = least_effort(cube, context.activities.uplifts)
    by_demand = value * most_demand(cube)[market, period]
    by_effort = _per_effort(value, effort[pair, period], most_capacity(cube)[seat, period])
    by_effort = np.where(may_be_there(cube)[seat, period], by_effort, 0.0)
    market_cells, seat_cells = market * cube.num_periods + period, seat * cube.num_periods + period
    by_market = [
        _with_pools(context, codes // cube.num_periods, cells, market, value)
        for codes, cells in (
            _largest_and_sum(market_cells, by_demand, np.full(len(value), np.inf)),
            _largest_and_sum(market_cells, by_demand, by_effort),
        )
    ]
    by_seat = float(_largest_and_sum(seat_cells, by_effort, by_demand)[1].sum())
    return Ceiling(by_market[0], min(by_market[1], by_seat))


def _per_effort(value: FloatArray, effort: FloatArray, capacity: FloatArray) -> FloatArray:
    """What a seller's whole capacity brings in a cell; inf where sales take no capacity."""
    known = np.isfinite(capacity) & (effort > 0)
    return np.asarray(
        np.divide(
            value * np.where(known, capacity, 0.0), effort, out=np.full(len(value), np.inf), where=known
        )
    )


def _largest_and_sum(code: IntArray, largest: FloatArray, summed: FloatArray) -> tuple[IntArray, FloatArray]:
    """Distinct codes, and for each the smaller of max(largest) and sum(summed)."""
    codes, position = np.unique(code, return_inverse=True)
    top = np.zeros(len(codes))
    np.maximum.at(top, position, largest)
    return codes, np.minimum(top, np.bincount(position, weights=summed))


def _with_pools(
    context: Context,
    cell_market: IntArray,
    cells: FloatArray,
    market: IntArray,
    value: FloatArray,
) -> float:
    """The sum over markets, where markets of one size pool together reach no more than its share."""
    by_market = np.bincount(cell_market, weights=cells, minlength=len(context.cube.markets.names))
    total, rest = 0.0, np.ones(len(by_market), dtype=np.bool_)
    price = context.cube.markets.price.min(axis=1)
    for pool in context.cube.inputs.sizes:
        inside = np.isin(market, pool.markets)
        if np.isnan(pool.max_share) or not inside.any():
            continue
        in_units = np.isnan(pool.revenue)
        size = pool.max_share * (pool.units if in_units else pool.revenue)
        worth = float((value[inside] / (1.0 if in_units else price[market[inside]])).max())
        rest[pool.markets] = False
        total += min(float(by_market[pool.markets].sum()), size * worth)
    return total + float(by_market[rest].sum())


def check_targets(checked: Checked) -> Iterable[Finding]:
    """Lower bounds on sales that lie above what their scope can reach, with the place of the gap.

    Ratios to a figure that is known (growth, market share) are bounds on sales too.
    """
    for rows in checked.rows:
        caps = [cap for cap in checked.rows if cap.rule.must and cap is not rows and _comparable(cap, rows)]
        if _sold(rows) not in SALES_METRICS or rows.rule.as_share or (rows.lower_terms.value < 0).any():
            continue
        if _sold(rows) in UPLIFTED and checked.context.activities.uplifts is not None:
            # Effects may raise what a unit brings: the ceiling of units says nothing.
            continue
        terms = _of_sales(checked.context, rows.lower_terms)
        if terms is None:
            continue
        for member in np.flatnonzero(np.isfinite(rows.lower)):
            asked = _Asked(checked.context, rows, int(member), terms)
            found = ceiling(checked.context, terms, int(member))
            if asked.wanted > _more(found.lowest):
                yield _finding(asked, found)
                continue
            most, names = _under_limits(checked.context, _only(terms, int(member)), caps)
            if asked.wanted > _more(most):
                yield _above_limits(asked, most, names)


@dataclass(frozen=True)
class _Asked:
    """What one member of a rule asks of sales, beside what is known."""

    context: Context
    rows: RuleRows
    member: int
    terms: Terms
    """The rule's expressions over sales."""

    @property
    def wanted(self) -> float:
        """What sales have to bring."""
        return float(self.rows.lower[self.member] - self.terms.constant[self.member])

    @property
    def done(self) -> float:
        """What facts have brought."""
        return float(self.terms.constant[self.member] - self.rows.lower_terms.constant[self.member])


def _of_sales(context: Context, terms: Terms) -> Terms | None:
    """The expressions over sales cells, with facts, which are fixed, in the constants; None where other
    activities are part of them."""
    facts, fixed = context.activities.blocks.get("facts"), np.zeros(len(terms.column), dtype=np.bool_)
    if facts is not None:
        fixed = (terms.column >= facts.start) & (terms.column < facts.stop)
    sold = terms.column < context.cube.num_cells
    if not (sold | fixed).all():
        return None
    constant = terms.constant + sum_by(terms.member[fixed], terms.value[fixed], terms.size)
    return Terms(terms.member[sold], terms.column[sold], terms.value[sold], constant)


def _more(bound: float) -> float:
    """A bound and what rounding may add to it."""
    return bound * (1.0 + _TOLERANCE) + _TOLERANCE


def _comparable(cap: RuleRows, rows: RuleRows) -> bool:
    """Whether the upper bounds of one rule limit the same sum that the lower bounds of another ask for."""
    is_sum = cap.rule.metric not in RATIOS and not cap.rule.as_share
    return is_sum and cap.rule.metric == _sold(rows) and bool(np.isfinite(cap.upper).any())


def _under_limits(context: Context, terms: Terms, caps: Sequence[RuleRows]) -> tuple[float, list[str]]:
    """What an expression can reach under hard caps on parts of it, and the names of these caps.

    Parts that do not overlap add up: sum_k min(cap_k, what part k can reach) + what the rest can reach. Small
    parts first and large parts first give two such bounds, of which the smaller one holds.
    """
    known = [(cap, _of_sales(context, cap.upper_terms)) for cap in caps]
    parts = [
        (
            float(cap.upper[part] - sold.constant[part]),
            cap.rule.name,
            _inside(context, sold, int(part))[terms.column],
        )
        for cap, sold in known
        if sold is not None
        for part in np.flatnonzero(np.isfinite(cap.upper))
    ]
    parts = [part for part in parts if part[2].any()]
    if not parts or len(parts) > _PARTS_AT_MOST:
        return np.inf, []
    ordered = sorted(parts, key=lambda part: int(part[2].sum()))
    return min(
        (_disjoint(context, terms, order) for order in (ordered, ordered[::-1])), key=lambda found: found[0]
    )


def _inside(context: Context, sold: Terms, member: int) -> BoolArray:
    inside = np.zeros(context.cube.num_cells, dtype=np.bool_)
    inside[sold.column[sold.member == member]] = True
    return inside


def _disjoint(
    context: Context, terms: Terms, parts: Sequence[tuple[float, str, BoolArray]]
) -> tuple[float, list[str]]:
    """The bound from the parts that do not overlap an earlier one."""
    left = np.ones(len(terms.column), dtype=np.bool_)
    total, names = 0.0, []
    for upper, name, inside in parts:
        if (inside & ~left).any():
            continue
        left &= ~inside
        reach = ceiling(context, _part(terms, inside), 0).lowest
        total += min(upper, reach)
        if upper < reach:
            names.append(name)
    return total + ceiling(context, _part(terms, left), 0).lowest, list(dict.fromkeys(names))


def _part(terms: Terms, inside: BoolArray) -> Terms:
    return Terms(terms.member[inside], terms.column[inside], terms.value[inside], terms.constant)


def _only(terms: Terms, member: int) -> Terms:
    """The expression of one member without its constant."""
    own = terms.member == member
    return Terms(np.zeros(int(own.sum()), dtype=np.int64), terms.column[own], terms.value[own], np.zeros(1))


def _above_limits(asked: _Asked, most: float, names: list[str]) -> Finding:
    fields = {**_fields(asked, most), "caps": listed(names)}
    level: Level = "error" if asked.rows.rule.must else "warning"
    return Finding(level, "checking.target_above_limits", fields, asked.rows.rule.place)


def _fields(asked: _Asked, most: float) -> dict[str, object]:
    label = "/".join(asked.rows.members.labels[asked.member])
    return {
        "rule": asked.rows.rule.name,
        "member": f" ({label})" if label else "",
        "metric": _sold(asked.rows),
        "target": asked.wanted + asked.done,
        "ceiling": most + asked.done,
        "missing": asked.wanted - most,
    }


def _sold(rows: RuleRows) -> str:
    """The metric itself, or the numerator of a ratio."""
    metric = rows.rule.metric
    return RATIOS[metric][0] if metric in RATIOS else metric


def _finding(asked: _Asked, found: Ceiling) -> Finding:
    rule = asked.rows.rule
    level: Level = "error" if rule.must else "warning"
    fields = _fields(asked, found.lowest)
    if not ((asked.terms.member == asked.member) & (asked.terms.value != 0)).any():
        return Finding(level, "checking.scope_without_cells", fields, rule.place)
    side = "markets" if asked.wanted > _more(found.markets) else "sellers"
    gap = _largest_gap(asked)
    if gap is None:
        return Finding(level, f"checking.target_above_{side}", fields, rule.place)
    return Finding(
        level, f"checking.target_above_{side}_in", {**fields, "gap": gap[0], "gap_size": gap[1]}, rule.place
    )


def _largest_gap(asked: _Asked) -> tuple[str, float] | None:
    """The label of the first market dimension that is furthest below its last-year share, and how far."""
    context, wanted, cube = asked.context, asked.wanted, asked.context.cube
    terms = _only(asked.terms, asked.member)
    market = cube.pair_market[terms.column // cube.num_periods]
    period = terms.column % cube.num_periods
    in_scope = np.unique(market)
    dimension = next(
        (name for name, labels in cube.markets.labels.items() if len({labels[row] for row in in_scope}) > 1),
        None,
    )
    if dimension is None:
        return None
    labels = np.array(cube.markets.labels[dimension], dtype=object)
    last_year = np.nan_to_num(cube.markets.last_year_revenue)[np.ix_(in_scope, np.unique(period))].sum(axis=1)
    if last_year.sum() <= 0:
        return None
    gaps = {}
    for label in dict.fromkeys(labels[in_scope]):
        part = labels[market] == label
        inside = Terms(terms.member[part], terms.column[part], terms.value[part], terms.constant)
        share = float(last_year[labels[in_scope] == label].sum() / last_year.sum())
        gaps[str(label)] = share * wanted - ceiling(context, inside, 0).lowest
    largest = max(gaps, key=lambda label: gaps[label])
    return (largest, gaps[largest]) if gaps[largest] > 0 else None
