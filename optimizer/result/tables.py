"""A solution as tidy tables: one row a fact, one column a measure, full numbers, stable columns.

`currency` in a column `unit` is written as the plan's own currency. Labels are the planner's; a column
that markets and sellers both have is one column while they agree on every pair, else `market.region` and
`seller.region`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from optimizer.plan.tables import ALL
from optimizer.report.words import assumption_sentence, short_sentence, unit_text
from optimizer.result.activities import TIME, decisions, hires, initiatives, marketing
from optimizer.result.brought import effect_table
from optimizer.result.funnel import activity_targets, customers, has_stages
from optimizer.result.kpis import kpis
from optimizer.result.openings import openings
from optimizer.result.returns import return_table
from optimizer.result.rows import balance_rows, outcome_rows, repair_rows
from optimizer.result.solution import Solution

FloatArray = NDArray[np.float64]

MEASURES = ("units", "deals", "revenue", "margin", "commission", "hours")
NOISE = 1e-9
"""Cells below this share of the largest cell are rounding of the solver and no sales."""

TARGET_COLUMNS = (
    "rule",
    "metric",
    "unit",
    "where",
    "each",
    "member",
    "must",
    "priority",
    "at_least",
    "at_most",
    "growth_asked",
    "last_year",
    "value",
    "shortfall",
    "status",
    "binds",
)
LIMIT_COLUMNS = (
    "rule",
    "kind",
    "metric",
    "unit",
    "where",
    "each",
    "member",
    "must",
    "priority",
    "at_least",
    "at_most",
    "value",
    "room",
    "shortfall",
    "status",
    "binds",
)
SHORTFALL_COLUMNS = (
    "rule",
    "kind",
    "metric",
    "unit",
    "member",
    "priority",
    "asked",
    "value",
    "shortfall",
    "share",
    "sentence",
)
MARGINAL_COLUMNS = (
    "family",
    "name",
    "bound",
    "unit",
    "value",
    "less",
    "more",
    "holds_from",
    "holds_to",
    "of",
)
ASSUMPTION_COLUMNS = (
    "table",
    "column",
    "rows",
    "value",
    "unit",
    "from",
    "key",
    "leverage_revenue",
    "leverage_contribution",
)
REPAIR_COLUMNS = ("part", "family", "name", "unit", "bound", "change", "new_bound")


def tables(solution: Solution) -> dict[str, pd.DataFrame]:
    """Every table of a solution by name; those that need a plan are left out where there is none.

    With a plan: sales; marketing, returns, initiatives, effects, hires, customers, activity_targets and
    openings where there are any; decisions, targets, limits, kpis, shortfalls, marginal_values, assumptions,
    and the tables of quotas where it has any. Without: assumptions, and repairs where the rules contradict
    each other.
    """
    found: dict[str, pd.DataFrame] = {}
    if solution.has_plan:
        found |= {"sales": sales(solution), **_of_activities(solution)}
        found["decisions"] = decisions(solution)
        found["targets"] = targets(solution)
        found["limits"] = limits(solution)
        found["kpis"] = kpis(solution)
        found["shortfalls"] = shortfalls(solution)
        found["marginal_values"] = marginal_values(solution)
        if solution.plan.spec.quotas:
            # Quotas stand above results; they are imported only where a plan asks for them.
            from optimizer.quotas.tables import quota_frames

            found |= quota_frames(solution)
    elif solution.contradiction is not None:
        found["repairs"] = repairs(solution)
    found["assumptions"] = assumptions(solution)
    return found


def _of_activities(solution: Solution) -> dict[str, pd.DataFrame]:
    """The tables of activities that only some plans have."""
    blocks = solution.activities.blocks
    found: dict[str, pd.DataFrame] = {}
    if "spend" in blocks:
        found |= {"marketing": marketing(solution), "returns": return_table(solution)}
    if "start" in blocks:
        found["initiatives"] = initiatives(solution)
    if "working" in blocks:
        found["effects"] = effect_table(solution)
    if {"hire", "role_hire"} & set(blocks):
        found["hires"] = hires(solution)
    if "customers" in blocks:
        found["customers"] = customers(solution)
    if has_stages(solution):
        found["activity_targets"] = activity_targets(solution)
    states = openings(solution)
    if len(states):
        found["openings"] = states
    return found


def sales(solution: Solution) -> pd.DataFrame:
    """The plan itself: one row for each seller, market and period with sales; rows without any are left
    out.

    Columns: seller; the other seller columns; the market columns; period, quarter, year; units; deals;
    revenue, margin and commission (currency; margin blank where the plan knows none); hours (blank where
    nothing is known about hours). Raises `ValueError` without a plan.
    """
    if solution.sales is None:
        raise ValueError("the solution holds no plan")
    cube, units = solution.sellers, solution.sales
    kept = units > NOISE * float(units.max(initial=0.0))
    pair, period = np.nonzero(kept)
    columns: dict[str, Any] = {name: labels[pair] for name, labels in label_columns(solution)}
    for name in TIME:
        columns[name] = np.array(getattr(cube.calendar, name), dtype=object)[period]
    texts = list(columns)
    for name in MEASURES:
        columns[name] = _measured(solution, name)[kept]
    return pd.DataFrame(columns).astype(dict.fromkeys(texts, "str"))


def _measured(solution: Solution, measure: str) -> FloatArray:
    """A measure of the sales (P, T), effects of initiatives included; NaN where it is unknown."""
    cube = solution.sellers
    if measure == "margin" and not cube.markets.knows_margin:
        return np.full((cube.num_pairs, cube.num_periods), np.nan)
    found = solution.metrics.by_cell(measure, solution.x)
    return np.where(np.isnan(cube.hours), np.nan, found) if measure == "hours" else found


def label_columns(solution: Solution) -> list[tuple[str, NDArray[np.object_]]]:
    """The label columns of the sales table by pair (P,): seller, the other seller columns, then markets.

    A column that both sides have is the market's while they agree on every pair.
    """
    cube = solution.sellers
    own, market = cube.inputs.selling.sellers.labels, cube.markets.labels
    by_seller = cube.groups.first[cube.pair_seat]
    found = []
    for side, labels, position in (("seller", own, by_seller), ("market", market, cube.pair_market)):
        for name, values in labels.items():
            differ = (
                name in own
                and name in market
                and _differ(own[name], market[name], by_seller, cube.pair_market)
            )
            if side == "seller" and name in market and not differ:
                continue
            shown = f"{side}.{name}" if differ or name in (*MEASURES, *TIME) else name
            found.append((shown, np.array(values, dtype=object)[position]))
    return found


def _differ(
    own: Sequence[str], market: Sequence[str], seller: NDArray[np.int64], at: NDArray[np.int64]
) -> bool:
    mine = np.array(own, dtype=object)[seller]
    theirs = np.array(market, dtype=object)[at]
    return bool(((mine != theirs) & (mine != ALL)).any())


def targets(solution: Solution) -> pd.DataFrame:
    """Every member of every target.

    Columns: rule; metric; unit of the figures; where (scope as text); each (columns) and member (its
    labels); must; priority; at_least, at_most (asked, in `unit`); growth_asked (share, 0.20 for +20 %)
    and last_year (the figure that it grows from); value (planned); shortfall (distance from what was
    asked, 0 when met); status (met, short, over, no_denominator); binds (lies on a bound).
    """
    return _frame([row for row in outcome_rows(solution) if row["kind"] == "target"], TARGET_COLUMNS)


def limits(solution: Solution) -> pd.DataFrame:
    """Every member of every budget, limit and balance rule.

    Columns: as `targets`, with kind (budget, limit, balance) and room (distance of the value from the
    nearest bound, in `unit`). A balance rule compares each member's metric over its basis with the middle
    of all: value 1.1 is 10 % above it.
    """
    rows = [row for row in outcome_rows(solution) if row["kind"] != "target"]
    return _frame([*rows, *balance_rows(solution)], LIMIT_COLUMNS)


def shortfalls(solution: Solution) -> pd.DataFrame:
    """The rules that the plan misses, most urgent first.

    Columns: rule; kind; metric; unit; member; priority; asked; value; shortfall (in `unit`); share (of
    what was asked); sentence (in the plan's language).
    """
    language = solution.plan.spec.language
    rows = []
    for row in outcome_rows(solution):
        if row["status"] not in ("short", "over"):
            continue
        asked = row["at_least"] if row["status"] == "short" else row["at_most"]
        share = row["shortfall"] / abs(asked) if asked else np.nan
        rows.append(
            row | {"asked": asked, "share": share, "sentence": short_sentence(solution, row, language)}
        )
    rows.sort(key=lambda row: (row["priority"] or 0, -np.nan_to_num(row["share"], nan=np.inf)))
    return _frame(rows, SHORTFALL_COLUMNS)


def marginal_values(solution: Solution) -> pd.DataFrame:
    """What one more unit of each limit brings, largest effect first.

    Columns: family (the kind of limit); name (labels joined by " / "); bound and unit of the limit; value
    (of one more unit, in the unit of `of`, mostly currency; negative: one more costs); less and more (the
    same for the last unit and for the next one, by solving again; blank where not asked or where no plan
    is left); holds_from and holds_to (bounds between which `value` holds); of (the stage that is valued).
    """
    rows = [
        {
            "family": price.family,
            "name": " / ".join(price.name),
            "bound": price.bound,
            "unit": unit_text(solution, price.unit),
            "value": price.value,
            "less": price.less,
            "more": price.more,
            "holds_from": price.holds_from,
            "holds_to": price.holds_to,
            "of": price.of,
        }
        for price in solution.marginal_values
    ]
    return _frame(rows, MARGINAL_COLUMNS)


def assumptions(solution: Solution) -> pd.DataFrame:
    """Every number that nobody gave, those that move the plan most first.

    Columns: table; column; rows (entries that it filled); value (a mean where it differs by row) and
    unit; from (sentence in the plan's language); key (its name in docs/defaults.md); leverage_revenue and
    leverage_contribution (currency by which the plan moves when it is 10 % off; blank where that was not
    measured).
    """
    language = solution.plan.spec.language
    rows: list[dict[str, Any]] = []
    levers = {lever.key: lever for lever in solution.leverages}
    for used in solution.inputs.assumptions:
        lever = levers.get(used.key)
        rows.append(
            {
                "table": used.table,
                "column": used.column,
                "rows": used.rows,
                "value": used.value,
                "unit": unit_text(solution, used.unit),
                "from": assumption_sentence(solution, used, language),
                "key": used.key,
                "leverage_revenue": None if lever is None else lever.revenue,
                "leverage_contribution": None if lever is None else lever.contribution,
            }
        )
    rows.sort(
        key=lambda row: -max(abs(row["leverage_contribution"] or 0.0), abs(row["leverage_revenue"] or 0.0))
    )
    return _frame(rows, ASSUMPTION_COLUMNS)


def repairs(solution: Solution) -> pd.DataFrame:
    """Why no plan exists and what would make one possible.

    Columns: part (least_change: all of them together; alone: each of them by itself; conflicting: cannot
    all hold); family; name; unit; bound; change and new_bound (in `unit`; blank where changing it alone
    is not enough).
    """
    return _frame(repair_rows(solution), REPAIR_COLUMNS)


NUMBERS = {
    "at_least",
    "at_most",
    "growth_asked",
    "last_year",
    "value",
    "room",
    "shortfall",
    "asked",
    "share",
    "bound",
    "less",
    "more",
    "holds_from",
    "holds_to",
    "leverage_revenue",
    "leverage_contribution",
    "change",
    "new_bound",
}


def _frame(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> pd.DataFrame:
    """Rows as a table with these columns and types, also when there is no row."""
    frame = pd.DataFrame({name: [row.get(name) for row in rows] for name in columns}, columns=list(columns))
    for name in columns:
        if name in NUMBERS:
            frame[name] = frame[name].astype(np.float64)
        elif name in ("must", "binds"):
            frame[name] = frame[name].astype(bool)
        elif name == "rows":
            frame[name] = frame[name].astype(np.int64)
        elif name == "priority":
            frame[name] = frame[name].astype("Int64")
        else:
            frame[name] = frame[name].astype(str)
    return frame
