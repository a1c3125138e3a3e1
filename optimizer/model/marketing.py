"""The columns of marketing: what is spent, used, brought in, and passed on as opportunities."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from optimizer.model.blocks import ActivityBlock
from optimizer.model.builder import Labels, ProgramBuilder
from optimizer.model.cube import Cube
from optimizer.model.tiers import tier_blocks
from optimizer.plan.brought import leads_of
from optimizer.plan.marketing import Marketing

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]


def marketing_blocks(builder: ProgramBuilder, cube: Cube) -> list[ActivityBlock]:
    """Blocks spend (input of each row of marketing), used and opened (binaries), tier and reached (prices by
    volume), response (leads), worked (opportunities of each yield); none without marketing."""
    marketing = cube.inputs.marketing
    if marketing is None:
        return []
    lower, upper = input_bounds(marketing, cube.num_periods)
    size = np.where(np.isfinite(upper), upper, np.nan)
    total = marketing.bounds.total_upper[:, None] / cube.num_periods
    typical = np.where(np.isnan(size), np.where(np.isfinite(total), total, 1.0), size)
    spend = _block(builder, cube, "spend", marketing, lower, upper, marketing.whole[:, None], typical)
    blocks = [spend]
    ones = np.ones_like(lower)
    for name, wanted in (("used", switched(marketing)), ("opened", opens(marketing))):
        if wanted.any():
            planned = np.arange(cube.num_periods) < cube.num_planned
            due = planned & ~settled(cube, marketing, name)
            most = np.where(wanted[:, None] & due, 1.0, 0.0)
            blocks.append(_block(builder, cube, name, marketing, 0.0 * ones, most, True, ones))
    blocks += tier_blocks(builder, cube, marketing)
    responds = np.array([response is not None for response in marketing.responses], dtype=np.bool_)
    reach = np.minimum(upper, marketing.bounds.total_upper[:, None])
    most = np.where(responds[:, None], curve_leads(marketing, reach), 0.0)
    least = np.where(responds[:, None], _least_response(marketing)[:, None], 0.0) * ones
    at_rest = leads_of(marketing, np.zeros_like(lower))
    resting = idle(marketing)
    least, most = (np.where(resting, at_rest, side) for side in (least, most))
    leads = _typical_leads(marketing, typical)
    blocks.append(_block(builder, cube, "response", marketing, least, most, False, leads, decision=False))
    return [*blocks, *_worked(builder, cube, marketing, leads)]


def input_bounds(marketing: Marketing, num_periods: int) -> tuple[FloatArray, FloatArray]:
    """Bounds of each input and period (C, T); those of the horizon too, where it has one period or even
    pacing."""
    bounds, active = marketing.bounds, marketing.active
    share = folds(marketing, num_periods)[:, None] / np.maximum(active.sum(axis=1, keepdims=True), 1)
    lower = np.maximum(bounds.lower, bounds.total_lower[:, None] * share)
    spread = np.full_like(lower, np.inf)
    np.multiply(bounds.total_upper[:, None], share, out=spread, where=share > 0)
    upper = np.minimum(bounds.upper, spread)
    return np.where(active, lower, 0.0), np.where(active, upper, 0.0)


def largest_inputs(cube: Cube, marketing: Marketing) -> FloatArray:
    """The most that each input can be (C, T): its bounds, and hard budgets of all marketing."""
    _, upper = input_bounds(marketing, cube.num_periods)
    budgets = [
        float(rule.upper)
        for rule in cube.inputs.plan.rules
        if rule.metric == "marketing_cost"
        and rule.must
        and not rule.where
        and not rule.as_share
        and rule.of is None
        and isinstance(rule.upper, int | float)
    ]
    most = np.minimum(upper, marketing.bounds.total_upper[:, None])
    if budgets:
        cost = np.maximum(_lowest_price(marketing), 1e-300)
        most = np.minimum(most, min(budgets) / cost[:, None])
    # What was spent is a fact, whatever the bounds of the rest are.
    return np.maximum(most, marketing.bounds.lower) if cube.inputs.past else most


def _lowest_price(marketing: Marketing) -> FloatArray:
    """Currency that an input costs at least (C,)."""
    lowest = marketing.unit_cost.copy()
    if marketing.tiers is not None:
        np.minimum.at(lowest, marketing.tiers.channel, marketing.tiers.price)
    return lowest


def folds(marketing: Marketing, num_periods: int) -> BoolArray:
    """Rows (C,) whose bounds over the horizon are bounds of each period."""
    return marketing.even | (num_periods == 1)


def idle(marketing: Marketing) -> BoolArray:
    """Rows and periods (C, T) whose response is that to nothing: not active, and nothing carries over."""
    return ~marketing.active & ~marketing.has_carryover[:, None]


def switched(marketing: Marketing) -> BoolArray:
    """Rows (C,) that are on or off in each period."""
    return (marketing.least_if_used > 0) | ((marketing.fixed_cost > 0) & ~marketing.fixed_once)


def opens(marketing: Marketing) -> BoolArray:
    """Rows (C,) with a fixed cost that is due once."""
    return (marketing.fixed_cost > 0) & marketing.fixed_once


def settled(cube: Cube, marketing: Marketing, name: str) -> BoolArray:
    """Rows and periods (C, T) whose fixed cost is paid already: what facts say was spent has it inside, and
    one that is due once (`name` opened) is not due again."""
    past = cube.inputs.past
    closed = np.broadcast_to(np.arange(cube.num_periods) < past, marketing.bounds.lower.shape)
    if name == "used":
        return np.asarray(closed)
    return np.asarray(closed | (marketing.bounds.lower[:, :past] > 0).any(axis=1, keepdims=True))


def _least_response(marketing: Marketing) -> FloatArray:
    """Lower bound of leads (C,): none for curves that start below 0 (a logarithm), else 0."""
    return np.array(
        [
            -np.inf if response is not None and _may_be_negative(response.curve.parts) else 0.0
            for response in marketing.responses
        ]
    )


def _may_be_negative(parts: tuple[object, ...]) -> bool:
    return any(getattr(part, "family", "") == "log" or getattr(part, "weight", 1.0) < 0 for part in parts)


def _typical_leads(marketing: Marketing, typical: FloatArray) -> FloatArray:
    """A plausible number of leads (C, T): the response to the typical input."""
    return np.asarray(np.abs(leads_of(marketing, typical)), dtype=np.float64)


def curve_leads(marketing: Marketing, upper: FloatArray) -> FloatArray:
    """What the largest stock that the bounds of inputs allow brings by a curve (C, T); inf without bounds,
    for lines, and for curves whose parts may fall."""
    stock = marketing.kernel.sum(axis=1, keepdims=True) * upper.max(axis=1, keepdims=True) + marketing.opening
    curved = [
        found is not None and found.slope is None and not _may_be_negative(found.curve.parts)
        for found in marketing.responses
    ]
    most: FloatArray = np.full(stock.shape, np.inf)
    known = np.isfinite(stock).all(axis=1) & np.array(curved, dtype=np.bool_)
    # A margin for rounding: the curve itself is the bound that counts.
    most[known] = 1.001 * leads_of(marketing, np.where(np.isfinite(stock), stock, 0.0))[known]
    return most


def most_leads(marketing: Marketing, inputs: FloatArray) -> FloatArray:
    """Leads of each row at most for the largest inputs (C, T), lines included; inf where nothing bounds
    them."""
    most = np.where(np.isfinite(inputs), curve_leads(marketing, inputs), np.inf)
    stock = (
        marketing.kernel.sum(axis=1, keepdims=True) * inputs.max(axis=1, keepdims=True) + marketing.opening
    )
    for row, found in enumerate(marketing.responses):
        if found is None:
            most[row] = 0.0
        elif found.slope is not None and np.isfinite(stock[row]).all():
            most[row] = 1.001 * leads_of(marketing, np.where(np.isfinite(stock), stock, 0.0))[row]
    return most


def _worked(
    builder: ProgramBuilder, cube: Cube, marketing: Marketing, leads: FloatArray
) -> list[ActivityBlock]:
    """Opportunities of each yields entry and period (E, T); negative ones take away."""
    yields = marketing.yields
    if not len(yields.pool):
        return []
    amount = yields.amount[yields.pool]
    lower = np.repeat(np.where(amount < 0, -np.inf, 0.0), cube.num_periods)
    most = np.repeat(np.where(amount < 0, 0.0, np.inf)[:, None], cube.num_periods, axis=1)
    if cube.inputs.funnel is not None:
        # What came in closed periods and is still open stands in the pipeline, where there is one.
        most[cube.inputs.funnel.told[yields.market], : cube.inputs.past] = 0.0
    upper = most.ravel()
    start = builder.add_columns(
        "worked", len(lower), by_period(yields.names, cube.calendar.period), lower=lower, upper=upper
    )
    typical = np.abs(amount)[:, None] * leads[yields.channel[yields.pool]]
    return [
        ActivityBlock("worked", start, yields.labels, len(amount), cube.num_periods, typical, decision=False)
    ]


def _block(
    builder: ProgramBuilder,
    cube: Cube,
    name: str,
    marketing: Marketing,
    lower: FloatArray,
    upper: FloatArray,
    integer: BoolArray | bool,
    typical: FloatArray,
    decision: bool = True,
) -> ActivityBlock:
    whole = np.broadcast_to(np.asarray(integer), lower.shape).ravel()
    labels = by_period(marketing.names, cube.calendar.period)
    start = builder.add_columns(
        name, lower.size, labels, lower=lower.ravel(), upper=upper.ravel(), integer=whole
    )
    return ActivityBlock(
        name, start, marketing.labels, len(marketing.names), cube.num_periods, typical, decision
    )


def by_period(names: tuple[str, ...], periods: tuple[str, ...], *more: str) -> Labels:
    """Labels (name, period, more), a row each, period by period."""
    return lambda: [(name, period, *more) for name in names for period in periods]
