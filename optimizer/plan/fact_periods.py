"""The closed period that each row of a table is about."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from optimizer.errors import InputError
from optimizer.plan.plan import Plan
from optimizer.plan.tables import Table

IntArray = NDArray[np.int64]


def fact_periods(plan: Plan, table: Table) -> IntArray:
    """The period of each row (rows,); raises `InputError` for labels that name none or several, and for
    periods that `as_of` leaves open."""
    calendar, found = plan.calendar, np.zeros(len(table), dtype=np.int64)
    known: dict[str, IntArray] = {}
    for row, label in enumerate(table.text("period")):
        place = table.place(row, "period", label)
        if label not in known:
            try:
                known[label] = calendar.positions(label)
            except InputError as error:
                raise InputError(error.key, place, **error.fields) from None
        if len(known[label]) > 1:
            raise InputError("tracking.period_long", place, every=calendar.every)
        found[row] = known[label][0]
        if found[row] >= calendar.past:
            raise InputError("tracking.period_open", place, as_of=str(plan.spec.calendar.as_of))
    return found
