"""What planning again changes, as sections of the Monday page: both plans, starts, quotas, stability."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from optimizer.quotas.moves import QuotaMove
from optimizer.report import numbers
from optimizer.report.monday import Section, Speaker, shown_scopes
from optimizer.result.kpis import COMPANY
from optimizer.result.solution import Solution
from optimizer.standing import KEPT, STANDS

_AS_IT_IS = {STANDS: "stands", KEPT: "kept_as_is"}
"""Why the last plan stays as it is -> what to say."""
_MOST = 8


def replan_sections(
    old: Solution,
    new: Solution,
    levels: pd.DataFrame,
    starts: pd.DataFrame,
    moves: Sequence[QuotaMove],
    stability: tuple[float, float] | None,
    softened: bool,
) -> tuple[Section, ...]:
    """The sections; `stability` is what nearness to the last plan costs in contribution, and the revenue that
    the plan would move without it."""
    speaker = Speaker(new)
    found = (
        _levels(speaker, old, levels),
        _starts(speaker, starts),
        _quotas(speaker, moves),
        _rules(speaker, new, stability, softened),
    )
    return tuple(section for section in found if section.rows or section.notes)


def _levels(speaker: Speaker, old: Solution, levels: pd.DataFrame) -> Section:
    known = [scope for scope in dict.fromkeys(levels["scope"]) if scope != COMPANY]
    scopes = [COMPANY, *shown_scopes(old, known)]
    columns = [speaker.head("member", False)]
    columns += [speaker.head(name) for name in ("fact", "old_rest", "new_rest", "change", "new_total")]
    rows = []
    for scope in scopes:
        for row in levels[levels["scope"] == scope].to_dict("records"):
            rows.append([
                str(row["member"]) or speaker.say("company"),
                *(speaker.money(row[name]) for name in ("fact", "old_rest", "new_rest")),
                speaker.signed(row["change"]), speaker.money(row["new_total"]),
            ])  # fmt: skip
    return Section(speaker.say("title_replan"), columns, rows, rank=3)


def _starts(speaker: Speaker, starts: pd.DataFrame) -> Section:
    moved = starts[~starts["state"].isin(["kept", "started"])]
    notes = [
        speaker.say(
            f"start_{row['state']}",
            name=row["initiative"],
            old=row["old_start"],
            new=row["new_start"],
            owner=row["owner"] or numbers.UNKNOWN,
        )
        for row in moved.to_dict("records")
    ]
    return Section(speaker.say("title_starts"), notes=notes, rank=2)


def _quotas(speaker: Speaker, moves: Sequence[QuotaMove]) -> Section:
    """The quotas that moved most, a line each with the reason; what is sold to date and only told of the
    level above is no move."""
    moved = sorted((one for one in moves if one.change), key=lambda one: -abs(one.change - one.untold))
    notes = []
    for name in dict.fromkeys(one.quota for one in moved):
        own = [one for one in moved if one.quota == name]
        notes += [
            speaker.say(
                "quota_moved_rest" if one.untold else "quota_moved",
                quota=name,
                node=one.node,
                change=speaker.signed(one.change - one.untold),
                new=speaker.money(one.new),
                reason=one.reason,
            )
            for one in own[: _MOST // 2]
        ]
        if len(own) > _MOST // 2:
            notes.append(speaker.say("quotas_more", quota=name, count=len(own) - _MOST // 2))
    return Section(speaker.say("title_quotas"), notes=notes, rank=3)


def _rules(speaker: Speaker, new: Solution, stability: tuple[float, float] | None, softened: bool) -> Section:
    notes = [
        speaker.say(word) for key, word in _AS_IT_IS.items() if any(key == note for note, _ in new.notes)
    ]
    if stability is not None:
        cost, moved = stability
        notes.append(
            speaker.say(
                "stability",
                cost=speaker.with_currency(cost),
                moved=speaker.with_currency(moved).removeprefix("+"),
            )
        )
    if softened:
        short = [one for one in new.outcomes if one.priority == 1 and one.status in ("short", "over")]
        broken = ", ".join(dict.fromkeys(one.rule for one in short)) or numbers.UNKNOWN
        notes.append(speaker.say("gave_way", rules=broken))
    return Section(speaker.say("title_stability"), notes=notes, rank=3)
