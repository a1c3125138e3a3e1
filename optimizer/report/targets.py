"""Targets: what was asked, what the plan gives, and one sentence for each that is short."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from optimizer.report import numbers
from optimizer.report.layout import Tone
from optimizer.report.sheet import Sheet
from optimizer.report.words import rule_title, sentences, short_sentence
from optimizer.result.evaluate import as_planned, seller_context, used_capacity
from optimizer.result.rows import Row

FEW = 6
"""A rule with so many members or fewer is shown member by member; of a longer one, those that are short."""
MANY_SHORT = 12
FULL = 0.995
"""From this share on, demand or time counts as used up."""


def targets(sheet: Sheet) -> None:
    """The table of targets, and why some are short."""
    asked = [row for row in sheet.rows if row["kind"] == "target"]
    if not asked:
        return
    sheet.paper.heading(sheet.say("targets"))
    rows, tones = [], []
    for name in dict.fromkeys(row["rule"] for row in asked):
        for cells, tone in _lines(sheet, [row for row in asked if row["rule"] == name]):
            rows.append(cells)
            tones.append(tone)
    columns = [
        sheet.column("priority"),
        sheet.column("target"),
        sheet.column("asked", True),
        sheet.column("plan", True),
        sheet.column("difference", True),
        sheet.column("status"),
    ]
    sheet.paper.table(columns, rows, tones)
    _short_ones(sheet)


def _lines(sheet: Sheet, members: Sequence[Row]) -> list[tuple[list[str], Tone]]:
    """One line for a rule of one member; else a line for the rule and one a member that is worth it."""
    first = members[0]
    priority = sheet.say("must") if first["must"] else str(first["priority"] or sheet.say("by_penalty"))
    if len(members) == 1:
        return [_line(sheet, first, priority, rule_title(first))]
    met = sum(row["status"] in ("met", "no_denominator") for row in members)
    summary = sheet.say("members_met", met=met, count=len(members))
    lines: list[tuple[list[str], Tone]] = [
        ([priority, first["rule"], "", "", "", summary], "good" if met == len(members) else "bad")
    ]
    shown = [row for row in members if len(members) <= FEW or row["status"] not in ("met", "no_denominator")]
    lines += [_line(sheet, row, "", "  " + row["member"]) for row in shown[:MANY_SHORT]]
    if len(shown) > MANY_SHORT:
        lines.append((["", "  " + sheet.say("more", count=len(shown) - MANY_SHORT), "", "", "", ""], "plain"))
    return lines


def _line(sheet: Sheet, row: Row, priority: str, title: str) -> tuple[list[str], Tone]:
    bound = row["at_least"] if row["at_least"] is not None and row["status"] != "over" else row["at_most"]
    difference = row["value"] - bound
    if row["status"] == "met" and row["binds"]:
        difference = 0.0
    shown = sheet.figure(difference, row["raw_unit"])
    if row["raw_unit"] == "share":
        shown = sheet.say("points_short", value=numbers.number(difference * 100.0, sheet.language, 1))
    text = numbers.signed(shown, difference)
    word = sheet.say(f"is_{row['status']}")
    tone: Tone = "bad" if row["status"] in ("short", "over") else "good"
    return [
        priority,
        title,
        asked_text(sheet, row),
        sheet.figure(row["value"], row["raw_unit"]),
        text,
        word,
    ], tone


def asked_text(sheet: Sheet, row: Mapping[str, Any]) -> str:
    """What was asked: `≥ 48 M`, `≤ 8,000`, `0.7 – 1.6`, `+20 % = 120 M`."""
    unit, lower, upper = row["raw_unit"], row["at_least"], row["at_most"]
    if row.get("growth_asked") is not None:
        return f"{sheet.percent(row['growth_asked'], 2, sign=True)} = {sheet.figure(lower, unit)}"
    if lower is not None and upper is not None:
        both = sheet.figure(lower, unit), sheet.figure(upper, unit)
        return f"= {both[0]}" if lower == upper else f"{both[0]} – {both[1]}"
    return f"≥ {sheet.figure(lower, unit)}" if lower is not None else f"≤ {sheet.figure(upper, unit)}"


def _short_ones(sheet: Sheet) -> None:
    missed = [row for row in sheet.rows if row["status"] in ("short", "over")]
    if not missed:
        return
    sheet.paper.heading(sheet.say("short"))
    for row in missed[:MANY_SHORT]:
        text = short_sentence(sheet.solution, row, sheet.language)
        sheet.paper.paragraph(sentences([text, *reasons(sheet, row)], sheet.language), indent=2, mark="- ")
    if len(missed) > MANY_SHORT:
        sheet.paper.paragraph(sheet.say("more", count=len(missed) - MANY_SHORT), indent=4)


def reasons(sheet: Sheet, row: Mapping[str, Any]) -> list[str]:
    """Where the bottleneck of a missed rule is: demand in its scope, its sellers' time, or other rules."""
    if row["kind"] == "balance":
        return []
    demand, time = scope_usage(sheet, row)
    full_demand, full_time = demand is not None and demand >= FULL, time is not None and time >= FULL
    shares = {"demand": sheet.percent(demand, 0), "time": sheet.percent(time, 0)}
    if full_demand and full_time:
        return [sheet.say("reason_both", **shares)]
    if full_time:
        return [sheet.say("reason_time" if demand is not None else "reason_time_only", **shares)]
    if full_demand:
        return [sheet.say("reason_demand" if time is not None else "reason_demand_only", **shares)]
    held = [found["rule"] for found in sheet.rows if found["binds"] and found["rule"] != row["rule"]]
    if not held:
        return []
    return [sheet.say("reason_rules", rules=", ".join(list(dict.fromkeys(held))[:3]))]


def scope_usage(sheet: Sheet, row: Mapping[str, Any]) -> tuple[float | None, float | None]:
    """Share of the demand in a rule's scope that is sold, and of its sellers' time that is used; None: no
    limit."""
    solution = sheet.solution
    assert solution.sales is not None
    rule = next(rule for rule in solution.plan.rules if rule.name == row["rule"])
    outcome = next(
        found
        for found in solution.outcomes
        if found.rule == row["rule"] and " / ".join(found.member) == row["member"]
    )
    members = seller_context(solution.sellers).metrics.members(rule.metric, rule.each, rule.where)
    code = members.labels.index(outcome.member)
    pair_code, period_code = divmod(code, members.num_period_members)
    pairs, periods = members.pair_code == pair_code, members.period_code == period_code
    cube = solution.sellers
    markets = np.unique(cube.pair_market[pairs])
    potential = cube.markets.potential * cube.markets.price
    room = potential[markets][:, periods].sum()
    sold = (solution.sales * cube.by_market(cube.markets.price))[np.isin(cube.pair_market, markets)][
        :, periods
    ].sum()
    seats = np.unique(cube.pair_seat[pairs])
    capacity = as_planned(solution).capacity
    share = _busy(used_capacity(solution)[seats][:, periods], capacity[seats][:, periods])
    return (float(sold / room) if np.isfinite(room) and room > 0 else None), share


def _busy(used: np.ndarray, capacity: np.ndarray) -> float | None:
    """Mean use of sellers, each weighted alike because their capacities may be in different units."""
    total = capacity.sum(axis=1)
    known = np.isfinite(total) & (total > 0)
    if not known.any():
        return None
    return float((used.sum(axis=1)[known] / total[known]).mean())
