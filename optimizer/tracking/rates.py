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


def carried_rates(before: Table | None, now: Table | None) -> Table | None:
    """The rates that a plan was made at, with what was measured against it: factors multiply where a row of
    each is about the same markets; None where neither has any."""
    if before is None or now is None:
        return before if now is None else now
    columns = tuple(dict.fromkeys([*before.labels, *now.labels]))
    rows = dict(sorted(_rows(before, columns).items(), key=lambda row: _filled(row[0])))
    for key, (factor, reason) in _rows(now, columns).items():
        rows |= _with(rows, key, factor, reason)
    frame = pd.DataFrame(
        [
            {"rate": rate, **dict(zip(columns, labels, strict=True)), "factor": factor, "reason": reason}
            for (rate, *labels), (factor, reason) in rows.items()
        ]
    ).astype({"rate": "str", **dict.fromkeys(columns, "str")})
    return Table("rates", frame, file="rates.csv", rows=np.arange(2, len(frame) + 2), labels=columns)


def drift_reason(one: Drift, language: str) -> str:
    """The test and its result in a few words."""
    count, chance = number(one.count, language), tiny(one.adjusted, language)
    return messages.text(f"tracking.test_{one.test}", language, count=count, chance=chance)


_Key = tuple[str, ...]
"""Rate and labels of a row."""


def _rows(table: Table, columns: tuple[str, ...]) -> dict[_Key, tuple[float, str]]:
    """(rate, labels of the columns) -> factor and reason."""
    labels = [table.text(name) if name in table.labels else [ALL] * len(table) for name in columns]
    reasons = table.text("reason") if "reason" in table.frame else [""] * len(table)
    keys = zip(table.choices("rate"), *labels, strict=True)
    return dict(zip(keys, zip(table.numbers("factor").tolist(), reasons, strict=True), strict=True))


def _filled(key: _Key) -> int:
    return sum(label != ALL for label in key)


def _with(
    rows: dict[_Key, tuple[float, str]], key: _Key, factor: float, reason: str
) -> dict[_Key, tuple[float, str]]:
    """What a new row changes: itself, and its meeting with every row of the same rate, of which the narrowest
    one counts."""
    found = {key: (factor, reason)}
    for old, (was, why) in rows.items():
        if all(one == other or ALL in (one, other) for one, other in zip(old, key, strict=True)):
            both = tuple(other if one == ALL else one for one, other in zip(old, key, strict=True))
            found[both] = (was * factor, "; ".join(part for part in (why, reason) if part))
    return found
