"""How full the plan is: people's time, budgets, resources, demand."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from optimizer.errors import InputError
from optimizer.report.breakdown import NO_HIERARCHY
from optimizer.report.layout import Column
from optimizer.report.sheet import Sheet
from optimizer.report.words import column_word, rule_title
from optimizer.result.evaluate import as_planned, figures, used_capacity

FloatArray = NDArray[np.float64]
BUSY = 0.98
NOISE = 1e-9
MOST_ROWS = 12


def usage(sheet: Sheet) -> None:
    """Time, demand, budgets and resources in a line each, then utilisation by the first column of sellers."""
    lines = [*_time(sheet), *_demand(sheet), *_budgets(sheet), *_resources(sheet)]
    busy = busy_by_seller(sheet)
    if not lines and not busy:
        return
    sheet.paper.heading(sheet.say("usage"))
    for line in lines:
        sheet.paper.paragraph(line, indent=2, mark="- ")
    _by_group(sheet, busy)


def busy_by_seller(sheet: Sheet) -> dict[str, float]:
    """Share of each seller's capacity that the plan uses; sellers without a limit or without capacity are
    left out."""
    cube = as_planned(sheet.solution)
    used = used_capacity(sheet.solution).sum(axis=1)
    capacity = cube.capacity.sum(axis=1)
    known = np.isfinite(capacity) & (capacity > 0)
    return {cube.seat_names[seat]: float(used[seat] / capacity[seat]) for seat in np.flatnonzero(known)}


def _time(sheet: Sheet) -> list[str]:
    busy = busy_by_seller(sheet)
    if not busy:
        return []
    full = sum(share >= BUSY for share in busy.values())
    least = min(busy, key=lambda name: busy[name])
    return [
        sheet.say(
            "usage_time",
            full=full,
            count=len(busy),
            least=least,
            share=sheet.percent(busy[least], 0),
            busy=sheet.percent(BUSY, 0),
        )
    ]


def _demand(sheet: Sheet) -> list[str]:
    solution = sheet.solution
    markets = solution.sellers.markets
    room = markets.potential * markets.price
    limited = np.isfinite(room).all(axis=1)
    if not limited.any() or solution.sales is None:
        return []
    sold = np.zeros(room.shape)
    np.add.at(sold, solution.sellers.pair_market, solution.sales * solution.sellers.by_market(markets.price))
    total = room[limited].sum()
    if total <= 0:
        return []
    full = int((sold[limited].sum(axis=1) >= BUSY * room[limited].sum(axis=1)).sum())
    share = sheet.percent(float(sold[limited].sum() / total), 0)
    return [
        sheet.say(
            "usage_demand", share=share, full=full, count=int(limited.sum()), busy=sheet.percent(BUSY, 0)
        )
    ]


def _budgets(sheet: Sheet) -> list[str]:
    rows = [row for row in sheet.rows if row["kind"] == "budget" and row["at_most"]]
    return [
        sheet.say(
            "usage_budget",
            name=rule_title(row),
            value=sheet.figure(row["value"], row["raw_unit"]),
            bound=sheet.with_unit(row["at_most"], row["raw_unit"]),
            share=sheet.percent(row["value"] / row["at_most"], 0),
        )
        for row in rows[:MOST_ROWS]
    ]


def _resources(sheet: Sheet) -> list[str]:
    """Each resource with its use: of the horizon, or of its fullest period; and what is bought."""
    solution = sheet.solution
    found = solution.inputs.resources
    lines = []
    for row, name in enumerate(found.names):
        used = np.array([value for _, value in figures(solution, name, ["period"])])
        if np.isfinite(found.capacity[row]).all():
            lines.append(_resource(sheet, name, used, found.capacity[row], bool(found.per_horizon[row])))
        bought = 0.0 if solution.extra is None else float(solution.extra[row].sum())
        if bought > NOISE * max(float(used.sum()), 1.0):
            lines.append(sheet.say("usage_extra", name=name, value=sheet.figure(bought, "units")))
    return lines


def _resource(sheet: Sheet, name: str, used: FloatArray, capacity: FloatArray, per_horizon: bool) -> str:
    if per_horizon or len(used) == 1:
        use, limit, key, period = float(used.sum()), float(capacity[0]), "usage_resource", ""
    else:
        fullest = int(np.argmax(used / np.where(capacity > 0, capacity, np.inf)))
        use, limit, key = float(used[fullest]), float(capacity[fullest]), "usage_resource_peak"
        period = sheet.solution.plan.calendar.period[fullest]
    fields = {"name": name, "value": sheet.figure(use, "units"), "bound": sheet.figure(limit, "units")}
    share = sheet.percent(use / limit if limit > 0 else None, 0)
    return sheet.say(key, share=share, period=period, **fields)


def _by_group(sheet: Sheet, busy: dict[str, float]) -> None:
    """A line for each team (or what the planner's first column of sellers is): sellers, use, the least
    busy one."""
    solution = sheet.solution
    labels = solution.inputs.selling.sellers.labels
    names = [name for name in labels if name not in NO_HIERARCHY and 1 < len(set(labels[name])) <= MOST_ROWS]
    if not busy or not names:
        return
    column = names[0]
    try:
        shares = {
            member[0]: value
            for member, value in figures(solution, "utilisation", [_qualified(sheet, column)])
        }
    except InputError:
        return
    group_of = dict(zip(labels["seller"], labels[column], strict=True))
    rows = []
    for group, share in shares.items():
        members = {seller: value for seller, value in busy.items() if group_of[seller] == group}
        if not members:
            continue
        least = min(members, key=lambda seller: members[seller])
        least_text = f"{least} ({sheet.percent(members[least], 0)})" if len(members) > 1 else ""
        rows.append([group, str(len(members)), sheet.percent(share, 0), least_text])
    columns = [
        Column(column_word(column, sheet.language)),
        sheet.column("sellers", True),
        sheet.column("busy", True),
        sheet.column("least_busy"),
    ]
    sheet.paper.table(columns, rows)


def _qualified(sheet: Sheet, column: str) -> str:
    return f"seller.{column}" if column in sheet.solution.sellers.markets.labels else column
