"""What is to be done this week, as sections of the Monday page: steps, decisions, cover, activities, open
seats, milestones and assumptions."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from optimizer.report import numbers
from optimizer.report.layout import Column
from optimizer.report.monday import Section, Speaker, shown_scopes
from optimizer.report.words import assumption_sentence
from optimizer.result.kpis import COMPANY
from optimizer.result.solution import Solution
from optimizer.tracking.steps import Steps

_BRIEF = 4
"""Rows of a section in the terminal."""
_CARRIERS = 3


def week_sections(
    solution: Solution, frames: Mapping[str, pd.DataFrame], steps: Steps, period: str
) -> tuple[Section, ...]:
    """The sections, from the tables of the run; `period` is the first open one, blank where none is."""
    speaker = Speaker(solution)
    found = (
        _steps(speaker, steps),
        _decisions(speaker, frames["decisions"], steps, period),
        _cover(speaker, frames.get("pipeline_cover")),
        _activities(speaker, frames.get("week_activities"), period),
        _seats(speaker, frames.get("open_seats")),
        _milestones(speaker, frames.get("milestones")),
        _assumptions(speaker, steps),
    )
    return tuple(section for section in found if section.rows or section.notes)


def _steps(speaker: Speaker, steps: Steps) -> Section:
    columns = [
        speaker.head("member", False),
        speaker.head("gap"),
        speaker.head("step", False),
        speaker.head("brings"),
    ]
    shown = [
        "",
        *shown_scopes(speaker.solution, list(dict.fromkeys(one.scope for one in steps.steps if one.scope))),
    ]
    rows = [
        [
            speaker.member(one.scope, one.member), speaker.signed(one.gap),
            speaker.say("start_now", name=one.name), speaker.signed(one.gain),
        ]
        for one in steps.steps
        if one.scope in shown
    ]  # fmt: skip
    return Section(speaker.say("title_steps"), columns, rows, brief=_BRIEF)


def _decisions(speaker: Speaker, table: pd.DataFrame, steps: Steps, period: str) -> Section:
    names = ("decision", "owner", "planned", "last")
    columns = [speaker.head(name, False) for name in names]
    columns += [speaker.head(name) for name in ("delay_revenue", "delay_contribution", "now")]
    rows = []
    for row in table.to_dict("records"):
        due = period in (row["planned"], row["last"])
        rows.append([
            speaker.say(f"kind_{row['kind']}", name=row["name"]) + (" !" if due else ""),
            row["owner"] or numbers.UNKNOWN, row["planned"] or numbers.UNKNOWN,
            row["last"] or speaker.say("too_late"),
            *(_solved(speaker, row[name]) for name in ("delay_revenue", "delay_contribution", "now_revenue")),
        ])  # fmt: skip
    notes = []
    if rows and not steps.solves:
        notes.append(speaker.say("delays_not_asked", count=len(rows)))
    elif steps.left:
        notes.append(speaker.say("delays_left", solves=steps.solves, left=steps.left))
    return Section(speaker.say("title_decide"), columns if rows else (), rows, (), notes, brief=_BRIEF + 2)


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
    return Section(speaker.say("title_cover"), columns, rows, lights, brief=_BRIEF)


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
    return Section(speaker.say("title_activities", period=period), columns, rows, brief=_BRIEF)


def _seats(speaker: Speaker, table: pd.DataFrame | None) -> Section:
    if table is None or not len(table):
        return Section("")
    notes = [
        _seat(speaker, str(seat), str(node), own)
        for (seat, node), own in table.groupby(["seat", "node"], sort=False)
    ]
    return Section(speaker.say("title_seats"), notes=notes, brief=_BRIEF - 1)


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
    told = table[table["state"] != "ahead"]
    notes = [
        speaker.say(
            f"milestone_{row['state']}", name=row["initiative"], milestone=row["milestone"], due=row["due"],
            start=row["start"], owner=row["owner"] or numbers.UNKNOWN,
        )
        for row in told.to_dict("records")
    ]  # fmt: skip
    return Section(speaker.say("title_milestones"), notes=notes, brief=_BRIEF - 1)


def _assumptions(speaker: Speaker, steps: Steps) -> Section:
    """Every assumption, those first that move the forecast most when they are 10 % off."""
    solution, moves = speaker.solution, dict(steps.weights)
    used = sorted(solution.inputs.assumptions, key=lambda one: -abs(moves.get(one.key, 0.0)))
    notes = []
    for one in used:
        text = assumption_sentence(solution, one, speaker.language)
        move = moves.get(one.key)
        if move is not None:
            text += " " + speaker.say("assumption_moves", amount=speaker.with_currency(move))
        notes.append(text)
    return Section(speaker.say("title_assumed"), notes=notes, brief=_BRIEF - 1)
