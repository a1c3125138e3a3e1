"""What is to be done this week, as sections of the Monday page: decisions, cover, activities, open seats,
milestones and assumptions."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from optimizer.report import numbers
from optimizer.report.layout import Column
from optimizer.report.monday import Section, Speaker
from optimizer.report.words import assumption_sentence
from optimizer.result.kpis import COMPANY
from optimizer.result.solution import Solution
from optimizer.tracking.steps import Steps

_BRIEF = 4
"""Decisions in the terminal."""
SOLVED = ("delay_revenue", "delay_contribution", "now_revenue")
"""Columns of decisions that are solved again."""
_CARRIERS = 3


def week_sections(
    solution: Solution, frames: Mapping[str, pd.DataFrame], steps: Steps, period: str
) -> tuple[Section, ...]:
    """The sections, from the tables of the run; `period` is the first open one, blank where none is."""
    speaker = Speaker(solution)
    found = (
        _decisions(speaker, frames["decisions"], steps, period),
        _cover(speaker, frames.get("pipeline_cover")),
        _activities(speaker, frames.get("week_activities"), period),
        _seats(speaker, frames.get("open_seats")),
        _milestones(speaker, frames.get("milestones")),
        _assumptions(speaker, steps),
    )
    return tuple(section for section in found if section.rows or section.notes)


def _decisions(speaker: Speaker, table: pd.DataFrame, steps: Steps, period: str) -> Section:
    """What is still to be decided; what can no longer bring anything is named below."""
    solved = [name for name in SOLVED if table[name].notna().any()]
    columns = [speaker.head(name, False) for name in ("decision", "owner", "planned", "last")]
    columns += [speaker.head(name) for name in solved]
    possible = [row for row in table.to_dict("records") if row["planned"] or row["last"]]
    rows = []
    for row in possible:
        due = period in (row["planned"], row["last"])
        rows.append([
            speaker.say(f"kind_{row['kind']}", name=row["name"]) + (" !" if due else ""),
            row["owner"] or numbers.UNKNOWN, row["planned"] or numbers.UNKNOWN,
            row["last"] or speaker.say("too_late"), *(_solved(speaker, row[name]) for name in solved),
        ])  # fmt: skip
    notes = _on_decisions(speaker, steps, len(rows), period)
    late = table[table["planned"].eq("") & table["last"].eq("")]["name"].tolist()
    if late:
        notes.append(speaker.say("decisions_late", names=", ".join(late)))
    title, heads = speaker.say("title_decide"), columns if rows else ()
    return Section(title, heads, rows, notes=notes, rank=1, least=3, brief=_BRIEF)


def _on_decisions(speaker: Speaker, steps: Steps, count: int, period: str) -> list[str]:
    """What the signs and figures of the table mean, and what was not solved."""
    if not count:
        return []
    notes = [speaker.say("decisions_due", period=period)]
    if not steps.solves:
        notes.append(speaker.say("delays_not_asked", count=count))
    elif steps.left:
        notes.append(speaker.say("delays_left", solves=steps.solves, left=steps.left))
    return notes


def _solved(speaker: Speaker, value: float) -> str:
    return numbers.UNKNOWN if pd.isna(value) else speaker.signed(value)


def _cover(speaker: Speaker, table: pd.DataFrame | None) -> Section:
    if table is None or not len(table):
        return Section("")
    columns = [speaker.head("closes", False)]
    columns += [speaker.head(name) for name in ("needs", "orders", "pipeline", "cover", "to_open")]
    columns.append(speaker.head("open_by", False))
    rows, lights = [], []
    own = table[table["scope"] == COMPANY]
    for row in own.to_dict("records"):
        late = speaker.say("open_late") if row["late"] else ""
        rows.append([
            row["period"], *(speaker.money(row[name]) for name in ("plan", "orders", "pipeline")),
            numbers.percent(None if pd.isna(row["cover"]) else row["cover"], speaker.language),
            numbers.number(row["to_open"], speaker.language, 0) if row["open_by"] else numbers.UNKNOWN,
            " ".join([row["open_by"], late]).strip(),
        ])  # fmt: skip
        lights.append("red" if row["late"] else "")
    return Section(speaker.say("title_cover"), columns, rows, lights, rank=7)


def _activities(speaker: Speaker, table: pd.DataFrame | None, period: str) -> Section:
    """Deals that each seller has to bring into each stage in a week of the first open period."""
    if table is None or not len(table):
        return Section("")
    own = table[table["period"] == period]
    stages = list(dict.fromkeys(table["stage"]))
    wide = own.pivot_table(index="seller", columns="stage", values="deals_a_week", aggfunc="sum", sort=False)
    columns = [speaker.head("seller", False), *(Column(stage, True) for stage in stages)]
    rows = [
        [str(seller), *(numbers.number(float(row.get(stage, 0.0)), speaker.language, 1) for stage in stages)]
        for seller, row in wide.fillna(0.0).iterrows()
    ]
    return Section(speaker.say("title_activities", period=period), columns, rows)


def _seats(speaker: Speaker, table: pd.DataFrame | None) -> Section:
    if table is None or not len(table):
        return Section("")
    notes = [
        _seat(speaker, str(seat), str(node), own)
        for (seat, node), own in table.groupby(["seat", "node"], sort=False)
    ]
    return Section(speaker.say("title_seats"), notes=notes, rank=8, brief=2)


def _seat(speaker: Speaker, seat: str, node: str, rows: pd.DataFrame) -> str:
    """One open seat: its start, and those who carry most of its share until then."""
    first = rows.iloc[0]
    carried = [row for row in rows.to_dict("records") if row["carrier"]]
    who = [f"{row['carrier']} {speaker.money(row['amount'])}" for row in carried[:_CARRIERS]]
    if len(carried) > _CARRIERS:
        who.append(speaker.say("others", count=len(carried) - _CARRIERS))
    return speaker.say(
        "seat_starts" if first["start"] else "seat_open",
        seat=seat,
        node=node,
        start=first["start"],
        last=first["last"] or speaker.say("too_late"),
        amount=speaker.money(float(rows["amount"].sum())),
        who=", ".join(who) or numbers.UNKNOWN,
    )


def _milestones(speaker: Speaker, table: pd.DataFrame | None) -> Section:
    if table is None:
        return Section("")
    told = table[table["state"].isin(["late", "slips", "ask"])]
    notes = [
        speaker.say(
            f"milestone_{row['state']}", name=row["initiative"], milestone=row["milestone"], due=row["due"],
            start=row["start"], owner=row["owner"] or numbers.UNKNOWN,
        )
        for row in told.to_dict("records")
    ]  # fmt: skip
    return Section(speaker.say("title_milestones"), notes=notes, rank=8, brief=2)


def _assumptions(speaker: Speaker, steps: Steps) -> Section:
    """Every assumption, those first that move the forecast most when they are 10 % off, those last that move
    nothing."""
    solution, moves = speaker.solution, dict(steps.weights)
    used = sorted(solution.inputs.assumptions, key=lambda one: _order(moves.get(one.key)))
    notes = []
    for one in used:
        text = assumption_sentence(solution, one, speaker.language)
        move = moves.get(one.key)
        if move is not None:
            text += " " + speaker.say("assumption_moves", amount=speaker.with_currency(move))
        notes.append(text)
    return Section(speaker.say("title_assumed"), notes=notes, rank=5, brief=2)


def _order(move: float | None) -> tuple[int, float]:
    """What moves the forecast, by how much, then what was not measured, then what moves nothing."""
    return (1, 0.0) if move is None else (0, -abs(move)) if round(move) else (2, 0.0)
