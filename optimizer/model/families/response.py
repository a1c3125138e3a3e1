"""Family response: what the stock of a row of marketing brings in leads.

    response[c,t] = slope stock[c,t]                                       linear
    response[c,t] <= sum_p weight[p] curve_p(stock[c,t])                   curves, solved to proof
    total[c] <= T sum_p weight[p] curve_p(input[c] / T), response[c,t] = total[c] / T    even, no carryover

A curve is an equation instead of a bound where more leads may hurt: where a yield of the row is negative.
Units: leads a period. Reference: Little 1970 (ADBUDG); Zoltners & Sinha 1980.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from optimizer.model.builder import fixed_labels
from optimizer.model.context import Context
from optimizer.model.marketing import by_period, idle, input_bounds
from optimizer.model.terms import Terms
from optimizer.plan.marketing import Marketing
from solvers.curves import Curve, CurveTerm

IntArray = NDArray[np.int64]


def response(context: Context) -> None:
    """Add the rows of linear responses, and a curve term for each period of every other one."""
    marketing = context.cube.inputs.marketing
    if marketing is None:
        return
    linear = [row for row, found in enumerate(marketing.responses) if found and found.slope is not None]
    curved = [row for row, found in enumerate(marketing.responses) if found and found.slope is None]
    if linear:
        _linear(context, marketing, np.array(linear))
    planned = context.cube.num_planned
    merged = marketing.even & ~marketing.has_carryover & marketing.active[:, :planned].all(axis=1)
    merged &= context.cube.inputs.past == 0
    hurt = set(marketing.yields.channel[marketing.yields.amount < 0].tolist())
    for row in curved:
        curve = _curve(marketing, row)
        leads, stock = context.activities.blocks["response"].columns[row], context.stock[row]
        if merged[row]:
            curve = curve.scaled(per=planned, times=planned)
            leads, stock = _merged(context, marketing, row)
        else:
            working = ~idle(marketing)[row]
            leads, stock = leads[working], stock[working]
        context.curves += [
            CurveTerm(int(taken), int(output), curve, "=" if row in hurt else "<=")
            for taken, output in zip(stock, leads, strict=True)
        ]


def _linear(context: Context, marketing: Marketing, rows: IntArray) -> None:
    found = [marketing.responses[row] for row in rows]
    slope = np.array([one.slope if one is not None and one.slope is not None else 0.0 for one in found])
    slope = slope * np.where(marketing.curve_of_spend[rows], marketing.unit_cost[rows], 1.0)
    leads = context.activities.blocks["response"].columns[rows]
    member = np.arange(leads.size)
    terms = Terms(
        np.tile(member, 2),
        np.concatenate([leads.ravel(), context.stock[rows].ravel()]),
        np.concatenate([np.ones(leads.size), -np.repeat(slope, leads.shape[1])]),
        np.zeros(leads.size),
    )
    labels = by_period(tuple(marketing.names[row] for row in rows), context.cube.calendar.period)
    context.builder.add_rows("response", terms, labels, lower=0.0, upper=0.0)


def _curve(marketing: Marketing, row: int) -> Curve:
    """The response of one row to its stock."""
    found = marketing.responses[row]
    assert found is not None
    if marketing.curve_of_spend[row]:
        return found.curve.scaled(per=1.0 / float(marketing.unit_cost[row]))
    return found.curve


def _merged(context: Context, marketing: Marketing, row: int) -> tuple[IntArray, IntArray]:
    """One output and one input column for all periods: the totals, of which each period has its share."""
    periods, name = context.cube.num_planned, marketing.names[row]
    shares = np.full(periods, -1.0 / periods)
    members, nothing = np.arange(periods), np.zeros(periods)
    found = []
    for kind, block in (("leads", "response"), ("input", "spend")):
        least = float(input_bounds(marketing, periods)[0][row].sum())
        lower = -np.inf if kind == "leads" else least
        total = context.builder.add_columns("response", 1, fixed_labels((name, f"total {kind}")), lower=lower)
        own_columns = context.activities.blocks[block].columns[row, :periods]
        own = Terms(members, own_columns, np.ones(periods), nothing)
        part = Terms(members, np.full(periods, total), shares, nothing)
        labels = by_period((name,), context.cube.calendar.period[:periods], f"share of {kind}")
        context.builder.add_rows("response", own + part, labels, lower=0.0, upper=0.0)
        found.append(np.array([total]))
    return found[0], found[1]
