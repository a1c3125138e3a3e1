"""Customers and open deals at `as_of`, from the plan that was promised and what facts tell.

    customers[g] = planned customers at the end of the closed periods          times told over planned
    reached[g]   = those whom effects are about, without any effect            times the same
    open deals   = those of the start, timed and won from the day on which they were open
    waiting[m]   = waiting_kept[m] waiting[m,P-1]                              won and not delivered

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
OF_WAITING = ("amount", "close", "open_on", "won")
"""Columns of a row of the pipeline that stands for what is won and waits, behind those of its market."""
_NOTHING = 1e-9


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
    day they were open, and what is won and waits; None where nothing is open."""
    import pandas as pd

    rows = [] if table is None else [table.frame[~table.yes("won")].assign(won=False)]
    waiting = _waiting(solution, past)
    if len(waiting):
        rows.append(waiting)
    if not sum(map(len, rows)):
        return None
    found = pd.concat(rows, ignore_index=True)
    known = [*(() if table is None else table.labels), *waiting.columns.drop(list(OF_WAITING))]
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
    import pandas as pd

    markets, calendar = solution.inputs.markets, solution.plan.calendar
    known = market_dimensions(solution.plan.tables["markets"])
    columns = [name for name in known if name in markets.labels]
    block, funnel = solution.activities.blocks.get("waiting"), solution.inputs.funnel
    rows = []
    if block is not None and funnel is not None and 0 < past < calendar.size:
        assert block.markets is not None
        left = block.values(solution.x)[:, past - 1] * funnel.kept[block.markets]
        amount = left * markets.price[block.markets, past]
        day = pd.Timestamp(calendar.starts[past])
        for at in np.flatnonzero(amount > _NOTHING).tolist():
            market = int(block.markets[at])
            keys = {name: markets.labels[name][market] for name in columns}
            rows.append({**keys, "amount": amount[at], "close": day, "open_on": day, "won": True})
    return pd.DataFrame(rows, columns=[*columns, *OF_WAITING])
