"""What the plan assumes, the numbers that move it most first."""

from __future__ import annotations

from optimizer.report import numbers
from optimizer.report.sheet import Sheet
from optimizer.report.words import assumption_sentence, sentences
from optimizer.result.evaluate import figures

SHOWN = 5
NOTHING = 1e-5
"""A move below this share of revenue is none."""


def assumed(sheet: Sheet) -> None:
    """The assumptions by what they move when they are 10 % off; those that move nothing are counted."""
    solution = sheet.solution
    used = solution.inputs.assumptions
    if not used:
        return
    moves = {lever.key: (lever.revenue, lever.contribution) for lever in solution.leverages}
    ranked = sorted(used, key=lambda item: -_size(moves.get(item.key)))
    sheet.paper.heading(sheet.say("assumed"))
    for item in ranked[:SHOWN]:
        text = assumption_sentence(solution, item, sheet.language)
        sheet.paper.paragraph(
            sentences([text, *_moved(sheet, moves.get(item.key))], sheet.language), indent=2, mark="- "
        )
    if len(ranked) > SHOWN:
        sheet.paper.paragraph(sheet.say("more", count=len(ranked) - SHOWN), indent=4)


def _size(moves: tuple[float | None, float | None] | None) -> float:
    return max((abs(move) for move in moves or () if move is not None), default=0.0)


def _moved(sheet: Sheet, moves: tuple[float | None, float | None] | None) -> list[str]:
    """How far revenue and contribution move; nothing where it was not measured."""
    if moves is None or moves[0] is None:
        return []
    if _size(moves) <= NOTHING * abs(figures(sheet.solution, "revenue", [])[0][1]):
        return [sheet.say("moves_nothing")]
    revenue = numbers.signed(sheet.with_unit(moves[0], "currency"), moves[0])
    if moves[1] is None:
        return [sheet.say("moves_revenue", revenue=revenue)]
    contribution = numbers.signed(sheet.with_unit(moves[1], "currency"), moves[1])
    return [sheet.say("moves_both", revenue=revenue, contribution=contribution)]
