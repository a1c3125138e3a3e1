"""From the joined export to clean deals: each rule drops or changes rows and says which."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from optimizer.errors import InputError, Place
from optimizer.history import months
from optimizer.history.deals import Deals, make_markets
from optimizer.history.mapping import MappingSpec
from optimizer.history.quality import Action, Quality
from optimizer.plan.names import nearest

BoolArray = NDArray[np.bool_]
Array = NDArray[Any]

_TEXT_ROLES = ("id", "seller", "account", "product", "stage")
_DAYS_MISSING = 7
_GAP_SHARE = 0.1


def clean(frame: pd.DataFrame, spec: MappingSpec, file: str, quality: Quality) -> Deals:
    """The deals from which everything is estimated.

    Raises `InputError` when a column of `by` or `hierarchy` is unknown, or when no won deal is left.
    """
    _check_columns(frame, spec, file)
    rows = _Rows(_completed(frame, spec), quality)
    if spec.shift_days:
        quality.note("dates_shifted", "changed", len(frame), days=spec.shift_days)
    _drop_duplicates(rows)
    _set_outcomes(rows, spec, file)
    _check_dates(rows)
    if rows.frame.empty:
        raise _nothing_left(file, quality)
    start = _start_month(rows.frame, spec, file)
    _drop_future(rows, start)
    _check_amounts(rows, spec)
    _check_labels(rows, spec)
    if not (rows.frame["outcome"] == "won").any():
        raise _nothing_left(file, quality)
    deals, markets = make_markets(rows.frame.reset_index(drop=True), spec.by)
    closed = deals.loc[deals["outcome"] != "open", "closed_month"]
    first, last = int(closed[closed >= 0].min()), _last_month(deals)
    cleaned = Deals(spec, deals, markets, first, last, start)
    _note_months(cleaned, quality)
    return cleaned


def _nothing_left(file: str, quality: Quality) -> InputError:
    return InputError(
        "history.no_won_deals", Place(file=file), count=quality.total, why=quality.most_dropped()
    )


@dataclass
class _Rows:
    """The rows that are still in, and where the others are written down."""

    frame: pd.DataFrame
    quality: Quality

    def drop(self, mask: BoolArray, check: str, **where: object) -> None:
        """Take rows out and say so."""
        self.tell(mask, check, "dropped", **where)
        self.frame = self.frame.loc[~mask].reset_index(drop=True)

    def tell(self, mask: BoolArray, check: str, action: Action, **where: object) -> None:
        """Write rows down."""
        chosen = self.frame.loc[mask]
        self.quality.rows(check, action, chosen["row"].to_numpy(), chosen["amount"].to_numpy(), **where)

    def array(self, column: str) -> Array:
        """One column as an array."""
        return np.asarray(self.frame[column].to_numpy())


def _check_columns(frame: pd.DataFrame, spec: MappingSpec, file: str) -> None:
    for place, columns in (("by", spec.by), ("hierarchy", spec.hierarchy), ("fixes", list(spec.fixes))):
        for column in columns:
            if column not in frame.columns:
                raise InputError(
                    "history.column_unknown",
                    Place(file=file, value=column),
                    name=place,
                    nearest=nearest(column, spec.known_columns),
                )
    if spec.territories not in ("seller", *spec.hierarchy):
        raise InputError(
            "history.territories_unknown",
            Place(value=spec.territories),
            known=", ".join(("seller", *spec.hierarchy)),
        )
    if "closed" not in frame.columns or "amount" not in frame.columns:
        raise InputError("history.role_missing", Place(file=file), known=", ".join(spec.columns.values()))


def _completed(frame: pd.DataFrame, spec: MappingSpec) -> pd.DataFrame:
    """The frame with every role present, amounts scaled and dates as months."""
    frame = frame.copy()
    for role in _TEXT_ROLES:
        if role not in frame.columns:
            frame[role] = ""
    if "opened" not in frame.columns:
        frame["opened"] = np.full(len(frame), np.datetime64("NaT"), dtype="datetime64[s]")
    for role, default in (("quantity", 1.0), ("list_price", np.nan)):
        if role not in frame.columns:
            frame[role] = default
    for column in ("amount", "list_price"):
        frame[column] = frame[column] * spec.scale
    for column in ("opened", "closed"):
        frame[column] = frame[column] + np.timedelta64(spec.shift_days, "D")
        frame[f"{column}_month"] = months.month_numbers(frame[column].to_numpy().astype("datetime64[D]"))
    return frame


def _drop_duplicates(rows: _Rows) -> None:
    """Rows whose id has occurred before; without ids equal rows are pointed at: two orders may be alike."""
    ids = rows.frame["id"]
    if (ids != "").any():
        rows.drop((ids.duplicated() & (ids != "")).to_numpy(), "duplicate_id", column="id")
        return
    alike = rows.frame.drop(columns="row").duplicated().to_numpy()
    rows.tell(alike, "rows_alike", "kept")


def _set_outcomes(rows: _Rows, spec: MappingSpec, file: str) -> None:
    """Won, lost or open by the stage label; without stages every row is a won order."""
    if spec.stages is None:
        if (rows.frame["stage"] != "").any():
            raise InputError(
                "history.stages_missing", Place(file=file), stages=", ".join(sorted(set(rows.frame["stage"])))
            )
        rows.frame["outcome"] = "won"
        return
    known = {label: name for name in ("won", "lost", "open") for label in getattr(spec.stages, name)}
    rows.frame["outcome"] = rows.frame["stage"].map(known).fillna("")
    unknown = rows.frame["outcome"] == ""
    for label in sorted(set(rows.frame.loc[unknown, "stage"])):
        check = "stage_unknown" if label else "stage_blank"
        mask = ((rows.frame["outcome"] == "") & (rows.frame["stage"] == label)).to_numpy()
        rows.drop(mask, check, column="stage", value=label, nearest=nearest(label, known))


def _check_dates(rows: _Rows) -> None:
    rows.drop(
        ((rows.array("outcome") == "won") & (rows.array("closed_month") < 0)),
        "won_without_date",
        column="closed",
    )
    undated = (rows.array("outcome") == "lost") & (rows.array("closed_month") < 0)
    rows.tell(undated, "lost_without_date", "kept", column="closed")
    if (rows.array("opened_month") >= 0).any():
        rows.tell(rows.array("opened_month") < 0, "never_opened", "kept", column="opened")
    is_open = rows.array("outcome") == "open"
    early = is_open & (rows.array("closed_month") >= 0)
    rows.tell(early, "open_with_close_date", "changed", column="closed")
    rows.frame.loc[early, "closed_month"] = months.UNKNOWN
    opened, closed = (rows.array(name).astype("datetime64[D]") for name in ("opened", "closed"))
    reversed_order = ~is_open & ~np.isnat(opened) & ~np.isnat(closed) & (opened > closed)
    rows.tell(reversed_order, "dates_out_of_order", "changed", column="opened")
    rows.frame.loc[reversed_order, "opened_month"] = months.UNKNOWN


def _last_month(frame: pd.DataFrame) -> int:
    return int(max(frame["closed_month"].max(), frame["opened_month"].max()))


def _start_month(frame: pd.DataFrame, spec: MappingSpec, file: str) -> int:
    if spec.plan.start is not None:
        return months.month_of_date(spec.plan.start)
    last = _last_month(frame)
    if last < 0:
        raise InputError("history.no_dates", Place(file=file))
    return last + 1


def _drop_future(rows: _Rows, start: int) -> None:
    """What happened in the horizon is a fact of the plan, not history."""
    later = (rows.array("closed_month") >= start) | (rows.array("opened_month") >= start)
    rows.drop(later, "after_start", start=months.label(start))


def _check_amounts(rows: _Rows, spec: MappingSpec) -> None:
    """Won deals need an amount and a quantity; other deals carry none, whatever the export says."""
    won = rows.array("outcome") == "won"
    rows.drop(won & np.isnan(rows.array("amount")), "won_without_amount", column="amount")
    if spec.negative_amounts == "drop":
        rows.drop(
            (rows.array("outcome") == "won") & (rows.array("amount") < 0), "negative_amount", column="amount"
        )
    else:
        rows.tell(
            (rows.array("outcome") == "won") & (rows.array("amount") < 0),
            "negative_amount_kept",
            "kept",
            column="amount",
        )
    rows.drop((rows.array("outcome") == "won") & (rows.array("amount") == 0), "zero_amount", column="amount")
    won = rows.array("outcome") == "won"
    rows.drop(won & ~(rows.array("quantity") > 0), "quantity_not_positive", column="quantity")
    others = rows.array("outcome") != "won"
    rows.frame.loc[others, ["amount", "quantity"]] = np.nan


def _check_labels(rows: _Rows, spec: MappingSpec) -> None:
    for column in spec.by:
        rows.drop((rows.array(column) == ""), "market_label_blank", column=column)
    rows.tell(rows.array("seller") == "", "seller_blank", "kept", column="seller")
    if "account" in spec.known_columns:
        for outcome in ("won", "lost", "open"):
            blank = (rows.array("account") == "") & (rows.array("outcome") == outcome)
            rows.tell(blank, "account_blank", "kept", column="account", value=outcome)


def _note_months(deals: Deals, quality: Quality) -> None:
    """Months that look incomplete: the last one when it stops early, and months with hardly any closing."""
    columns = [deals.frame[name].to_numpy().astype("datetime64[D]") for name in ("opened", "closed")]
    days = np.concatenate(columns)
    days = days[(days < np.datetime64(months.first_day(deals.start_month))) & ~np.isnat(days)]
    last_days = np.array([found.max() for found in np.split(np.sort(days), _month_breaks(np.sort(days)))])
    of_month = (last_days - last_days.astype("datetime64[M]").astype("datetime64[D]")).astype(int) + 1
    if of_month[-1] < np.median(of_month) - _DAYS_MISSING:
        quality.note("last_month_partial", "note", column="closed", value=str(last_days[-1]))
    closed = deals.frame["closed_month"].to_numpy()[deals.outcome("won")] - deals.first_month
    closings = np.bincount(closed, minlength=deals.num_months)
    typical = float(np.median(closings))
    for position in np.flatnonzero(closings < _GAP_SHARE * typical):
        found = {"value": months.label(deals.first_month + int(position)), "typical": f"{typical:.0f}"}
        quality.note("month_nearly_empty", "note", int(closings[position]), column="closed", **found)
    missing = deals.start_month - deals.last_month - 1
    if missing > 0:
        quality.note("gap_before_start", "note", missing, value=months.label(deals.last_month))


def _month_breaks(days: NDArray[np.datetime64]) -> NDArray[np.int64]:
    """Positions in sorted days at which a new month begins."""
    return np.flatnonzero(np.diff(months.month_numbers(days))) + 1
