"""What changed since an earlier run of `track` or `replan`, in ten lines of the Monday page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from optimizer.report.monday import Section, Speaker, drift_sentence, shown_scopes
from optimizer.tracking.tracking import Tracking

MOST_LINES = 10
_MOST_ALERTS = 3
_MOST_DECISIONS = 3

Key = tuple[str, str]
"""(scope, member), the company with two blanks; (kind, name) of a decision."""


@dataclass(frozen=True)
class Before:
    """What an earlier run said."""

    forecast: Mapping[Key, float]
    """Where it saw the year end: revenue by (scope, member), of its own plan where it planned again."""
    alerts: frozenset[tuple[str, str, str]]
    """(rate, scope, member)."""
    last_day: str = ""
    """Last day of its facts."""
    fact: float = 0.0
    """Revenue of the company to that day."""
    lights: Mapping[Key, str] = field(default_factory=dict)
    planned: Mapping[Key, str] = field(default_factory=dict)
    """Period in which each open decision was planned, by (kind, name); blank where it was not."""


def changed_section(found: Tracking, before: Before | None, decisions: pd.DataFrame) -> Section:
    """Facts that came, alerts that came and went, decisions that moved, then the forecasts that moved most:
    the company, the levels that the page shows, all others; `decisions` is the table of this run."""
    if before is None:
        return Section("")
    speaker = Speaker(found.comparison.solution)
    lines = [*_facts(speaker, found, before), *_alerts(speaker, found, before)]
    lines += _decisions(speaker, decisions, before)[:_MOST_DECISIONS]
    lines += _forecasts(speaker, found, before)
    notes = lines[:MOST_LINES] or [speaker.say("unchanged")]
    return Section(speaker.say("title_changes"), notes=notes, rank=2, brief=MOST_LINES)


def _facts(speaker: Speaker, found: Tracking, before: Before) -> list[str]:
    as_of = found.comparison.inputs.plan.spec.calendar.as_of
    last = str(np.datetime64(str(as_of)) - np.timedelta64(1, "D"))
    now = next((one.fact for one in found.standings if one.metric == "revenue" and not one.scope), 0.0)
    if last == before.last_day and not round(now - before.fact):
        return []
    amount = speaker.with_currency(now - before.fact)
    return [speaker.say("changed_facts", last=before.last_day, amount=amount)]


def _alerts(speaker: Speaker, found: Tracking, before: Before) -> list[str]:
    now = {(one.rate, one.scope, one.member): one for one in found.comparison.drifts if one.alert}
    fresh = [drift_sentence(speaker.solution, now[key]) for key in now if key not in before.alerts]
    gone = [
        speaker.say("changed_calm", rate=speaker.cause(rate), member=speaker.member(scope, member))
        for rate, scope, member in sorted(before.alerts - now.keys())
    ]
    return [*fresh[:_MOST_ALERTS], *gone[:_MOST_ALERTS]]


def _decisions(speaker: Speaker, decisions: pd.DataFrame, before: Before) -> list[str]:
    rows = decisions.to_dict("records")
    return [
        speaker.say(
            "changed_decision",
            name=speaker.say(f"kind_{row['kind']}", name=row["name"]),
            now=row["planned"] or speaker.say("not_planned"),
            was=before.planned[row["kind"], row["name"]] or speaker.say("not_planned"),
        )
        for row in rows
        if before.planned.get((row["kind"], row["name"]), row["planned"]) != row["planned"]
    ]


def _forecasts(speaker: Speaker, found: Tracking, before: Before) -> list[str]:
    shown = ["", *shown_scopes(found.comparison.solution, found.comparison.scopes)]
    moved = []
    for one in found.standings:
        key = (one.scope, one.member)
        last, light = before.forecast.get(key), before.lights.get(key, "")
        if one.metric != "revenue" or last is None:
            continue
        turned = bool(light and one.light and light != one.light)
        if not turned and not round(one.forecast - last):
            continue
        text = speaker.say(
            "changed_forecast",
            member=speaker.member(*key),
            amount=speaker.with_currency(one.forecast - last),
            forecast=speaker.money(one.forecast),
        )
        if turned:
            now, was = (speaker.say(f"light_{name}") for name in (one.light, light))
            text += " " + speaker.say("changed_light", now=now, was=was)
        level = 0 if not one.scope else 1 if one.scope in shown else 2
        moved.append(((level, not turned, -abs(one.forecast - last)), text))
    return [text for _, text in sorted(moved)]
