"""Facts from a CRM or order export, read by the mapping that `fit` uses."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from optimizer.history.cleaning import clean
from optimizer.history.deals import Deals
from optimizer.history.mapping_file import load_mapping
from optimizer.history.quality import Quality
from optimizer.history.source import join_lookups, read_export
from optimizer.plan.plan import Plan
from optimizer.plan.scopes import market_dimensions, seller_dimensions
from optimizer.plan.tables import Table

if TYPE_CHECKING:
    import pandas as pd


def crm_facts(history: Path, mapping: Path, plan: Plan, as_of: datetime.date | None) -> Table:
    """The facts of an export: won deals by month of closing, and opportunities by month of opening, for every
    label that plan and export both have.

    Months outside the plan's horizon, and those from `as_of` on, are left out: an export holds them all.
    Raises `InputError` when the export or the mapping cannot be used.
    """
    spec = load_mapping(mapping)
    # The history may reach into the horizon, which is what facts are.
    spec = spec.model_copy(update={"plan": spec.plan.model_copy(update={"start": None})})
    quality = Quality()
    frame = join_lookups(read_export(history, spec, quality), history.parent, spec, quality)
    deals = clean(frame, spec, history.name, quality)
    found = _rows(deals, _shared(plan, deals), plan, as_of)
    labels = tuple(name for name in found.columns if name in _shared(plan, deals))
    rows = np.arange(2, len(found) + 2)
    return Table("actuals", found, file=history.name, rows=rows, labels=labels)


def _shared(plan: Plan, deals: Deals) -> list[str]:
    """The columns of markets and sellers that the export has as well."""
    sellers = seller_dimensions(plan.tables["sellers"]) if "sellers" in plan.tables else {}
    columns = dict.fromkeys([*market_dimensions(plan.tables["markets"]), *(["seller"] if sellers else [])])
    return [name for name in columns if name in deals.frame.columns]


def _rows(deals: Deals, keys: list[str], plan: Plan, as_of: datetime.date | None) -> pd.DataFrame:
    """One row a period and combination of labels: units, revenue, deals, opportunities."""
    import pandas as pd

    frame = deals.frame
    won = frame[frame["outcome"] == "won"]
    sold = pd.DataFrame({
        **{name: won[name].astype("str") for name in keys},
        "period": _periods(won["closed_month"].to_numpy(), plan, as_of),
        "units": won["quantity"].astype("float64"),
        "revenue": won["amount"].astype("float64"),
        "deals": 1.0,
    })  # fmt: skip
    parts = [sold[sold["period"] != ""].groupby([*keys, "period"], as_index=False).sum()]
    if deals.has_openings:
        opened = pd.DataFrame({
            **{name: frame[name].astype("str") for name in keys},
            "period": _periods(frame["opened_month"].to_numpy(), plan, as_of),
            "opportunities": 1.0,
        })  # fmt: skip
        parts.append(opened[opened["period"] != ""].groupby([*keys, "period"], as_index=False).sum())
        merged = parts[0].merge(parts[1], on=[*keys, "period"], how="outer")
        return merged.fillna({"units": 0.0, "revenue": 0.0, "deals": 0.0, "opportunities": 0.0})
    return parts[0]


def _periods(months: np.ndarray, plan: Plan, as_of: datetime.date | None) -> list[str]:
    """The period of the plan that each month lies in; blank outside the horizon and from `as_of` on."""
    calendar = plan.calendar
    last = calendar.ends[-1] if as_of is None else np.datetime64(as_of, "D")
    labels = []
    for month in months.tolist():
        day = np.datetime64(f"{max(month, 0) // 12:04d}-{month % 12 + 1:02d}-01", "D")
        inside = month >= 0 and bool(calendar.starts[0] <= day < last)
        at = int(np.searchsorted(calendar.starts, day, side="right")) - 1
        labels.append(calendar.period[at] if inside else "")
    return labels
