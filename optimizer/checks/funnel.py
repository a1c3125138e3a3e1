"""Led markets whose deals take no time, that no demand bounds, or whose opportunities are never won."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from optimizer.checks.finding import Checked, Finding, listed
from optimizer.plan.funnel import Funnel

BoolArray = NDArray[np.bool_]


def check_funnel(checked: Checked) -> Iterator[Finding]:
    """What a plan with opportunities leaves open, seen before solving."""
    funnel = checked.inputs.funnel
    if funnel is None:
        return
    yield from _without_demand(checked, funnel)
    yield from _without_stages(checked, funnel)
    yield from _never_won(checked, funnel)


def fed_without_limit(checked: Checked) -> BoolArray:
    """Markets whose opportunities grow with money for ever (M,): by a line whose input nothing limits."""
    marketing = checked.inputs.marketing
    found = np.zeros(len(checked.inputs.markets.names), dtype=np.bool_)
    budgets = any(rule.must and rule.metric == "marketing_cost" for rule in checked.inputs.plan.rules)
    if marketing is None or budgets:
        return found
    bounds = marketing.bounds
    endless = np.isinf(bounds.upper).any(axis=1) & np.isinf(bounds.total_upper)
    lines = np.array(
        [response is not None and response.slope is not None for response in marketing.responses]
    )
    pool = marketing.yields.pool
    fed = (endless & lines)[marketing.yields.channel[pool]] & (marketing.yields.amount[pool] > 0)
    found[marketing.yields.market[fed]] = True
    return found


def _without_demand(checked: Checked, funnel: Funnel) -> Iterator[Finding]:
    """Markets that yields bring opportunities to and no demand limits: all that money buys is sold."""
    inputs, marketing = checked.inputs, checked.inputs.marketing
    if marketing is None:
        return
    pooled = [pool.markets for pool in inputs.sizes if not np.isnan(pool.max_share)]
    brought = np.zeros(len(inputs.markets.names), dtype=np.bool_)
    brought[marketing.yields.market[marketing.yields.amount[marketing.yields.pool] > 0]] = True
    brought[np.concatenate(pooled) if pooled else np.zeros(0, dtype=np.int64)] = False
    found = np.flatnonzero(brought & np.isinf(inputs.markets.potential).any(axis=1))
    if len(found):
        place = inputs.plan.tables["markets"].place(int(found[0]), "potential")
        names = listed([inputs.markets.names[row] for row in found])
        yield Finding("warning", "funnel.check_no_demand", {"markets": names, "count": len(found)}, place)


def _without_stages(checked: Checked, funnel: Funnel) -> Iterator[Finding]:
    """Led markets that the table of stages leaves out, though it is there."""
    inputs = checked.inputs
    table = inputs.plan.tables.get("stages")
    fed = np.asarray((funnel.organic > 0).any(axis=1), dtype=np.bool_)
    if inputs.marketing is not None:
        fed[inputs.marketing.yields.market] = True
    found = np.flatnonzero(funnel.led & fed & ~funnel.stages.covered)
    if table is not None and len(found):
        names = listed([inputs.markets.names[row] for row in found])
        yield Finding(
            "warning", "funnel.check_no_stages", {"markets": names, "count": len(found)}, table.place(0)
        )


def _never_won(checked: Checked, funnel: Funnel) -> Iterator[Finding]:
    """Led markets in which no opportunity is ever won, and nobody orders again."""
    inputs = checked.inputs
    wins = np.zeros(len(funnel.led), dtype=np.bool_)
    wins[funnel.customers.entry_market] = True
    wins |= (funnel.opening > 0).any(axis=1)
    wins |= (funnel.organic > 0).any(axis=1) & (funnel.of_market.conversion > 0)
    if inputs.marketing is not None:
        yields = inputs.marketing.yields
        wins[yields.market[(yields.amount[yields.pool] > 0) & (funnel.of_yield.conversion > 0)]] = True
    found = np.flatnonzero(funnel.led & ~wins)
    if len(found):
        place = inputs.plan.tables["markets"].place(int(found[0]))
        names = listed([inputs.markets.names[row] for row in found])
        yield Finding("warning", "funnel.check_never_won", {"markets": names, "count": len(found)}, place)
