"""Customers and open deals at `as_of`, from the plan that was promised and what facts tell.

    customers[g] = planned customers at the end of the closed periods          times told over planned
    reached[g]   = those whom effects are about, without any effect            times the same
    open deals   = those of the start, timed and won from the day on which they were open
    waiting[m]   = waiting_kept[m] waiting[m,P-1]                              won and not delivered
    opening[m,t] as planned, in markets without open deals of their own whose plan has given some up

so that a plan that comes true is the same plan again. Units: customers, currency.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from optimizer.model.windows import opening_path
from optimizer.plan.actuals import Facts
from optimizer.plan.scopes import market_dimensions
from optimizer.plan.tables import Table
from optimizer.result.solution import Solution
from optimizer.tracking.retention import told_bases

if TYPE_CHECKING:
    import pandas as pd

FloatArray = NDArray[np.float64]
OF_DEALS = ("amount", "close", "open_on", "won")
"""Columns of a row of the pipeline that stands for deals of a market, behind those of the market."""
_NOTHING = 1e-9
_GIVEN_UP = 1e-6
"""Share of what is open in a market that a plan has to leave out to have given something up."""


def customers_today(solution: Solution, facts: Facts) -> tuple[FloatArray, FloatArray] | None:
    """Customers of each row of the table at `as_of`, and those of them whom effects reach (G,): as facts tell
    them, else as planned; None without the table.

    What facts tell of several rows at once is shared among them as planned.
    """
    block, past = solution.activities.blocks.get("customers"), facts.past
    if block is None or not past:
        return None
    found = np.asarray(block.values(solution.x)[:, past - 1], dtype=np.float64)
    path = opening_path(solution.sellers)
    # The path of the whole horizon ends before its last period, so that one period is added.
    funnel = solution.inputs.funnel
    assert funnel is not None
    reached = path[:, past - 1] * (funnel.customers.kept if past > solution.inputs.past else 1.0)
    for base in told_bases(solution, facts):
        if not np.isnan(base.told[-1]) and base.planned[-1] > 0:
            found[base.groups] *= base.told[-1] / base.planned[-1]
            reached[base.groups] *= base.told[-1] / base.planned[-1]
    return found, reached


def opened_on(table: Table, day: np.datetime64) -> Table:
    """The table of open deals with the day on which each was open, where it does not say one."""
    import pandas as pd

    frame = table.frame
    given = frame["open_on"] if "open_on" in frame else pd.Series(pd.NaT, index=frame.index)
    return table.replace(frame=frame.assign(open_on=given.astype("datetime64[s]").fillna(pd.Timestamp(day))))


def pipeline_today(table: Table | None, solution: Solution, past: int) -> Table | None:
    """The table of open deals as `as_of` has it, as far as the plan knows: its own rows, which say on which
    day they were open, what is won and waits, and what is still worked of deals that no row tells; None
    where nothing is open."""
    import pandas as pd

    rows = [] if table is None else [table.frame[~table.yes("won")].assign(won=False)]
    waiting, opening = _waiting(solution, past), _opening(solution, past)
    rows += [one for one in (waiting, opening) if len(one)]
    if not sum(map(len, rows)):
        return None
    found = pd.concat(rows, ignore_index=True)
    known = [*(() if table is None else table.labels), *waiting.columns.drop(list(OF_DEALS))]
    labels = tuple(name for name in dict.fromkeys(known) if name in found)
    for name in labels:
        found[name] = found[name].fillna("*").astype("str")
    for name in ("stage", "deal"):
        if name in found:
            found[name] = found[name].fillna("").astype("str")
    found["won"] = found["won"].astype(np.bool_)
    return Table("pipeline", found, file="pipeline", rows=np.arange(len(found)) + 2, labels=labels)


def _waiting(solution: Solution, past: int) -> pd.DataFrame:
    """What is won and not delivered at the end of the closed periods, a row a market; columns of markets,
    amount, close, open_on, won."""
    calendar = solution.plan.calendar
    block, funnel = solution.activities.blocks.get("waiting"), solution.inputs.funnel
    if block is None or funnel is None or not 0 < past < calendar.size:
        return _deals(solution, [])
    assert block.markets is not None
    left = block.values(solution.x)[:, past - 1] * funnel.kept[block.markets]
    amount = left * solution.inputs.markets.price[block.markets, past]
    day = calendar.starts[past]
    return _deals(
        solution,
        [(int(block.markets[at]), amount[at], day, day, True) for at in np.flatnonzero(amount > _NOTHING)],
    )


def _opening(solution: Solution, past: int) -> pd.DataFrame:
    """Deals of before the plan as it still works on them, by closing period, in markets whose deals no row
    of the pipeline tells and of which the plan has given some up; columns as above.

    The plan of the rest knows nothing of hours that went before, and would take them up again.
    """
    funnel, worked = solution.model.cube.inputs.funnel, solution.opening
    if worked is None or funnel is None or not 0 < past < solution.plan.calendar.size:
        return _deals(solution, [])
    markets, rows = solution.model.cube.markets, []
    most, lost = (deals.sum(axis=1) for deals in (funnel.opening, (funnel.opening - worked)[:, past:]))
    amounts = worked * markets.price * markets.units_per_deal
    days, start = _days(solution, past, worked.shape[1] - past), solution.plan.calendar.starts[0]
    for market in np.flatnonzero(~funnel.covered & (lost > _GIVEN_UP * most)).tolist():
        # The first row stands also where nothing is left, so that the market is told.
        kept = [step for step in range(len(days)) if worked[market, past + step] > _NOTHING or not step]
        rows += [(market, amounts[market, past + step], days[step], start, False) for step in kept]
    return _deals(solution, rows)


def _days(solution: Solution, past: int, count: int) -> list[np.datetime64]:
    """A day in each of `count` periods from the first open one on, those behind the plan at its own pace."""
    calendar = solution.plan.calendar
    end, length = calendar.ends[-1], (calendar.ends[-1] - calendar.starts[0]) / calendar.size
    behind = [end + (step + 0.5) * length for step in range(count - (calendar.size - past))]
    return [*calendar.starts[past:], *behind]


def _deals(
    solution: Solution, rows: list[tuple[int, float, np.datetime64, np.datetime64, bool]]
) -> pd.DataFrame:
    """Rows of the pipeline from (market, amount, close, open_on, won)."""
    import pandas as pd

    markets = solution.inputs.markets
    known = market_dimensions(solution.plan.tables["markets"])
    columns = [name for name in known if name in markets.labels]
    found = [
        {name: markets.labels[name][market] for name in columns}
        | {"amount": amount, "close": pd.Timestamp(close), "open_on": pd.Timestamp(day), "won": won}
        for market, amount, close, day, won in rows
    ]
    return pd.DataFrame(found, columns=[*columns, *OF_DEALS])
