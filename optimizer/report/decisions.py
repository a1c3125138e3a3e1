"""What has to be decided: initiatives still to start, the last month that counts, late milestones."""

from __future__ import annotations

import numpy as np

from optimizer.plan.initiatives import Initiatives
from optimizer.plan.sellers import dates
from optimizer.report import numbers
from optimizer.report.monday import Section, Speaker
from optimizer.result.solution import Solution


def decision_section(solution: Solution, past: int) -> Section:
    """Each initiative that is not started before the first open period: when the plan starts it, the last
    period in which a start still works within the horizon, and milestones that are overdue."""
    speaker = Speaker(solution)
    found, blocks = solution.inputs.initiatives, solution.activities.blocks
    if found is None or "start" not in blocks or past >= solution.plan.calendar.size:
        return Section("")
    begun = blocks["start"].values(solution.x) > 0.5
    last = last_useful(solution, found)
    periods = solution.plan.calendar.period
    table = solution.plan.tables["initiatives"]
    due, milestones, owners = dates(table, "due"), table.choices("milestone"), table.choices("owner")
    today = solution.plan.calendar.starts[past]
    notes = []
    for row, name in enumerate(found.names):
        start = int(begun[row].argmax()) if begun[row].any() else None
        if start is not None and start < past:
            continue
        fields = {"name": name, "owner": owners[row] or numbers.UNKNOWN}
        if last[row] < past:
            notes.append(speaker.say("decide_gone", **fields))
            continue
        key = "decide_open" if start is None else "decide_start"
        shown = "" if start is None else periods[start]
        notes.append(speaker.say(key, start=shown, last=periods[last[row]], **fields))
        if not np.isnat(due[row]) and due[row] < today:
            notes.append(speaker.say("late", milestone=milestones[row], due=str(due[row]), **fields))
    return Section(speaker.say("title_decide"), notes=notes)


def last_useful(solution: Solution, found: Initiatives) -> list[int]:
    """The last period in which each initiative may start so that one of its effects still works within the
    horizon; -1 where none is left. Without effects its dates alone count."""
    effects, size = solution.inputs.effects, solution.plan.calendar.size
    after = {row: 0 for row in range(len(found.names))}
    if effects is not None:
        first: dict[int, int] = {}
        for initiative, delay, _ in effects.windows:
            first[initiative] = min(delay, first.get(initiative, delay))
        after |= first
    last = []
    for row in range(len(found.names)):
        useful = np.flatnonzero(found.may_start[row][: max(size - after[row], 0)])
        last.append(int(useful[-1]) if len(useful) else -1)
    return last
