"""What quotas add to a run: a section of the page, entries of the summary, and the letters."""

from __future__ import annotations

from typing import Any

from optimizer.quotas.assignment import assign
from optimizer.quotas.controls import controls
from optimizer.quotas.letters import letter_files
from optimizer.quotas.levels import LIKELY_MOST
from optimizer.quotas.quota import Quota
from optimizer.quotas.wording import Words
from optimizer.report.layout import Column
from optimizer.report.sheet import Sheet
from optimizer.result.solution import Solution


def has_quotas(solution: Solution) -> bool:
    """Whether there is a plan with quotas."""
    return solution.has_plan and bool(solution.plan.spec.quotas)


def quota_section(sheet: Sheet) -> None:
    """The quotas on the page: target, plan, what is left over or unassigned, and what the check list finds
    open."""
    solution = sheet.solution
    if not has_quotas(solution):
        return
    rows, notes = [], []
    for quota in assign(solution):
        words = Words(quota, sheet.language, solution.plan.spec.currency)
        rows.append(_row(sheet, quota))
        notes += _notes(solution, quota, words)
    heads = ("quota", "target", "plan", "left", "stretch", "leaves", "by")
    columns = [
        Column(
            sheet.say("head_target") if name == "target" else _head(sheet, name), name not in ("quota", "by")
        )
        for name in heads
    ]
    sheet.paper.heading(_head(sheet, "title"))
    sheet.paper.table(columns, rows)
    for note in notes:
        sheet.paper.paragraph(note, indent=2, mark="- ")


def _head(sheet: Sheet, name: str) -> str:
    from optimizer import messages

    return messages.text(f"quotas.section_{name}", sheet.language)


def _row(sheet: Sheet, quota: Quota) -> list[str]:
    leaves = quota.tree.leaves
    plan = float(quota.plan[0].sum())
    left = quota.reserve - float(quota.unassigned.sum())
    carried = quota.stages[-1].values[leaves].sum(axis=1) / quota.factor[leaves]
    total = float(carried.sum())
    return [
        quota.name,
        sheet.figure(quota.target.total, quota.unit),
        sheet.figure(plan, quota.unit),
        sheet.figure(left, quota.unit),
        sheet.percent(total / plan - 1.0 if plan > 0 else None, sign=True),
        str(quota.tree.num_leaves),
        " / ".join(quota.tree.by),
    ]


def _notes(solution: Solution, quota: Quota, words: Words) -> list[str]:
    """What a reader has to know: unassigned amounts, rules that gave way, over-assignment, open items."""
    found = []
    rest = float(quota.unassigned.sum())
    if rest > 0:
        found.append(
            words.text("note_unassigned", quota=quota.name, amount=words.amount(rest), unit=words.unit)
        )
    found += [words.text("note_gave_way", quota=quota.name, rule=words.rule(rule)) for rule in quota.gave_way]
    most = float(quota.factor.max()) - 1.0
    if most > LIKELY_MOST:
        found.append(words.text("note_over", quota=quota.name, share=words.percent(most)))
    if quota.excess.any():
        found.append(words.text("note_excess", quota=quota.name, count=int(quota.excess.sum())))
    found += [
        f"{quota.name}: {words.text('item_open')} {item.sentence}"
        for item in controls(solution.plan, quota, words.language)
        if not item.met
    ]
    return found


def quota_summary(solution: Solution) -> list[dict[str, Any]]:
    """The quotas in summary.json: target, plan, what is left over or unassigned, and the check list."""
    if not has_quotas(solution):
        return []
    return [
        {
            "name": quota.name,
            "metric": quota.spec.metric,
            "by": list(quota.tree.by),
            "target": quota.target.total,
            "target_rule": quota.target.rule,
            "plan": float(quota.plan[0].sum()),
            "reserve": quota.reserve,
            "unassigned": float(quota.unassigned.sum()),
            "over_assignment": float(quota.factor.max()) - 1.0,
            "leaves": quota.tree.num_leaves,
            "excess_steps": int(quota.excess.sum()),
            "gave_way": list(quota.gave_way),
            "controls": [
                {"item": item.item, "met": item.met, "figure": item.figure, "sentence": item.sentence}
                for item in controls(solution.plan, quota, solution.plan.spec.language)
            ],
        }
        for quota in assign(solution)
    ]


def quota_letters(solution: Solution) -> dict[str, str]:
    """Every letter by its name relative to the run folder; none for a plan without quotas."""
    return letter_files(solution, assign(solution)) if has_quotas(solution) else {}
