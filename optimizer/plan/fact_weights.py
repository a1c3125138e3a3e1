"""Whose the sales of closed periods are, where facts leave it open: as they were planned.

The table `planned` has units by seller, market and closed period. Figures that follow from what is told (the
price of a revenue, margin, commission, hours, deals of units) take their rates at that mix, and shares of
territories count closed periods by it. So facts that are those of a plan have its margin, however coarse they
are. Units: units sold.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from optimizer.plan.fact_figures import pair_labels
from optimizer.plan.fact_periods import fact_periods
from optimizer.plan.matching import matching_rows
from optimizer.plan.plan import Plan
from optimizer.plan.sellers import Selling

FloatArray = NDArray[np.float64]


def planned_units(plan: Plan, selling: Selling) -> FloatArray | None:
    """Planned units of each pair and closed period (P, T); None without the table. A row of several pairs is
    shared equally.

    Raises `InputError` for labels and periods that the plan has not, and for periods that are open.
    """
    table = plan.tables.get("planned")
    if table is None:
        return None
    found = np.zeros((len(selling.pairs.seller), plan.calendar.size))
    period = fact_periods(plan, table)
    rows, pairs = matching_rows(table, pair_labels(plan, selling))
    count = np.bincount(rows, minlength=len(table))
    np.add.at(found, (pairs, period[rows]), table.numbers("units")[rows] / count[rows])
    return found
