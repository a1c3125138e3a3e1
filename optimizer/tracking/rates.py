"""The measured rates as a table of the plan: what drifts by more than chance is taken as it was measured."""

from __future__ import annotations

import numpy as np
import pandas as pd

from optimizer import messages
from optimizer.plan.columns_selling import RATES
from optimizer.plan.tables import ALL, Table
from optimizer.report.numbers import number, tiny
from optimizer.tracking.drift import Drift, clearest
from optimizer.tracking.tracking import Comparison


def rates_table(comparison: Comparison) -> Table | None:
    """A row for each alert: rate, key, factor, and the test as the reason; None without any alert."""
    alerts = [one for rate in RATES for one in clearest(comparison.drifts, rate)]
    if not alerts:
        return None
    language = comparison.solution.plan.spec.language
    columns = list(dict.fromkeys(one.scope for one in alerts if one.scope))
    rows = [
        {
            "rate": one.rate,
            **{name: one.member if name == one.scope else ALL for name in columns},
            "factor": one.factor,
            "reason": drift_reason(one, language),
        }
        for one in alerts
    ]
    frame = pd.DataFrame(rows).astype({"rate": "str", **dict.fromkeys(columns, "str")})
    numbers = np.arange(2, len(rows) + 2)
    return Table("rates", frame, file="rates.csv", rows=numbers, labels=tuple(columns))


def drift_reason(one: Drift, language: str) -> str:
    """The test and its result in a few words."""
    count, chance = number(one.count, language), tiny(one.adjusted, language)
    return messages.text(f"tracking.test_{one.test}", language, count=count, chance=chance)
