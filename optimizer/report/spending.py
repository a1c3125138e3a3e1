"""Section marketing: what each channel gets and what it brings."""

from __future__ import annotations

import numpy as np

from optimizer.report import numbers
from optimizer.report.sheet import Sheet
from optimizer.result.activities import marketing


def spending(sheet: Sheet) -> None:
    """Cost, leads and cost of a lead of each row of marketing over the horizon, and the deals that they bring
    to markets; nothing without marketing."""
    if "spend" not in sheet.solution.activities.blocks:
        return
    table = marketing(sheet.solution)
    keys = [name for name in table.columns if name in sheet.solution.activities.blocks["spend"].labels]
    brought = ["opportunities", "won"] if sheet.solution.inputs.funnel is not None else []
    figures = ["insertions", "marketing_cost", "leads", *brought]
    sums = table.groupby(keys, sort=False)[figures].sum(min_count=1)
    if not len(sums):
        return
    sheet.paper.heading(sheet.say("spending", unit=sheet.money))
    language = sheet.language

    def shown(value: float) -> str:
        return "" if np.isnan(value) else numbers.amount(value, language)

    rows = []
    for label, row in sums.iterrows():
        name = " / ".join(map(str, label)) if isinstance(label, tuple) else str(label)
        each = row["marketing_cost"] / row["leads"] if row["leads"] > 0 else np.nan
        rows.append([name, *(shown(row[figure]) for figure in figures[:3]), shown(each)])
        if brought:
            a_deal = row["marketing_cost"] / row["won"] if row["won"] > 0 else np.nan
            rows[-1] += [shown(row["opportunities"]), shown(row["won"]), shown(a_deal)]
    columns = [sheet.column("channel")]
    columns += [sheet.column(name, True) for name in ("insertions", "cost", "leads", "cost_a_lead")]
    if brought:
        columns += [sheet.column(name, True) for name in ("opportunities", "won", "cost_a_deal")]
    sheet.paper.table(columns, rows)
