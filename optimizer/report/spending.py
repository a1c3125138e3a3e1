"""Section marketing: what each channel gets, what it brings, and what the next unit of money would."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from optimizer.report import numbers
from optimizer.report.sheet import Sheet
from optimizer.result.activities import marketing
from optimizer.result.returns import return_table


def spending(sheet: Sheet) -> None:
    """Cost, leads, cost of a lead and of the next one, how far the curve is used up, and the deals that are
    brought to markets, of each row of marketing over the horizon; nothing without marketing."""
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

    ahead = _next_leads(sheet, keys)
    rows = []
    for name, (label, row) in zip(_names(sums.index), sums.iterrows(), strict=True):
        each = row["marketing_cost"] / row["leads"] if row["leads"] > 0 else np.nan
        shown_ones = [*(shown(row[figure]) for figure in figures[:3]), shown(each)]
        used = ahead.loc[label, "saturation"]
        shown_ones += [shown(ahead.loc[label, "next"]), "" if np.isnan(used) else sheet.percent(used, 0)]
        rows.append([name, *shown_ones])
        if brought:
            a_deal = row["marketing_cost"] / row["won"] if row["won"] > 0 else np.nan
            rows[-1] += [shown(row["opportunities"]), shown(row["won"]), shown(a_deal)]
    heads = ["insertions", "cost", "leads", "cost_a_lead", "next_lead", "used_up"]
    heads += ["opportunities", "won", "cost_a_deal"] if brought else []
    columns = [sheet.column("channel"), *(sheet.column(name, True) for name in heads)]
    sheet.paper.table(columns, rows)


def _names(index: pd.Index[Any]) -> list[str]:
    """A name a row: the channel where that is enough to tell rows apart, else all labels."""
    channels = [str(label) for label in index.get_level_values("channel")]
    if len(set(channels)) == len(channels):
        return channels
    return [" / ".join(map(str, label)) if isinstance(label, tuple) else str(label) for label in index]


def _next_leads(sheet: Sheet, keys: list[str]) -> pd.DataFrame:
    """Cost of the next lead and the share of the curve that is used up, on average over the plan, by row."""
    found = return_table(sheet.solution).groupby(keys, sort=False)[["marginal_return", "saturation"]].mean()
    found["next"] = 1.0 / found["marginal_return"].where(found["marginal_return"] > 0)
    return found
