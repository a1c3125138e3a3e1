"""Measured rates go on into the months behind: what was measured before, times what was measured since."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from optimizer.plan.tables import Table
from optimizer.tracking.rates import carried_rates


def rates(*rows: tuple[str, float, dict[str, str]]) -> Table:
    """A table of (rate, factor, keys)."""
    labels = tuple(dict.fromkeys(name for _, _, keys in rows for name in keys))
    frame = pd.DataFrame(
        [
            {"rate": rate, **{name: keys.get(name, "*") for name in labels}, "factor": factor, "reason": rate}
            for rate, factor, keys in rows
        ]
    ).astype({"rate": "str", **dict.fromkeys(labels, "str")})
    return Table("rates", frame, file="rates.csv", rows=np.arange(2, len(rows) + 2), labels=labels)


def factors(table: Table) -> dict[tuple[str, str, str], float]:
    """(rate, line, region) -> factor."""
    columns = [
        table.text(name) if name in table.labels else ["*"] * len(table) for name in ("line", "region")
    ]
    keys = zip(table.choices("rate"), *columns, strict=True)
    return dict(zip(keys, table.numbers("factor").tolist(), strict=True))


@pytest.mark.parametrize("first", [True, False])
def test_one_table_of_rates_stays_as_it_is(first: bool) -> None:
    """Where nothing was measured before, or nothing since, the other table is in force; without any there is none."""
    one = rates(("leads", 1.1, {"line": "a"}))
    assert carried_rates(one if first else None, None if first else one) is one
    assert carried_rates(None, None) is None


def test_rates_of_the_same_markets_multiply() -> None:
    """A rate of the same row, of all markets and of one crossing column multiply; others stand as they were, and of two
    earlier ones the narrower counts."""
    before = rates(
        ("conversion", 0.8, {"line": "a"}),
        ("leads", 1.1, {}),
        ("leads", 1.3, {"line": "a"}),
        ("price", 0.9, {}),
    )
    now = rates(
        ("conversion", 0.5, {"region": "East"}),
        ("leads", 2.0, {"line": "a"}),
        ("hours", 0.7, {}),
        ("price", 0.5, {}),
    )
    found = carried_rates(before, now)
    assert found is not None
    assert factors(found) == pytest.approx(
        {
            ("conversion", "a", "*"): 0.8,
            ("conversion", "*", "East"): 0.5,
            ("conversion", "a", "East"): 0.4,
            ("leads", "*", "*"): 1.1,
            ("leads", "a", "*"): 2.6,
            ("hours", "*", "*"): 0.7,
            ("price", "*", "*"): 0.45,
        }
    )
    assert "conversion; conversion" in found.text("reason")
