"""The response curves of a plan as pictures, a table of points, and a table to read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from optimizer import messages
from optimizer.errors import InputError
from optimizer.io.replace import make_folder
from optimizer.io.write import write_table
from optimizer.report import numbers
from optimizer.report.drawing import A_PAGE, draw, fonts_for, require_matplotlib, texts_of
from optimizer.report.layout import Column, Paper
from optimizer.result.drawn import DrawnCurve, curve_points, drawn_curves
from optimizer.result.solution import Solution

POINTS = "curves.csv"


@dataclass(frozen=True)
class CurveFiles:
    """What was written, and a sentence where something was left out."""

    files: tuple[str, ...]
    note: str = ""


def curve_page(solution: Solution, width: int, colour: bool = False, language: str | None = None) -> str:
    """Each curve as a line: money and leads of a period now and in the plan, the next lead, what is used up.

    Raises `InputError` where the plan has no curves.
    """
    spoken = language or solution.plan.spec.language

    def say(key: str, /, **fields: object) -> str:
        return messages.text(key, spoken, **fields)

    paper = Paper(width, colour)
    paper.heading(say("curves.title", name=solution.plan.spec.name))
    columns = [Column(say("report.head_channel"), False)]
    heads = ("curves.head_now", "curves.head_leads_now", "curves.head_plan", "curves.head_leads_plan")
    columns += [Column(say(name), True) for name in (*heads, "report.head_next_lead", "report.head_used_up")]
    paper.table(columns, [_line(one, spoken) for one in _curves(solution)])
    return paper.text()


def write_curves(
    solution: Solution,
    folder: Path,
    kinds: Sequence[str],
    font: Path | None = None,
    language: str | None = None,
) -> CurveFiles:
    """Write the points and the pictures (kinds svg, png) into `folder`, at most `A_PAGE` curves in one.

    Where no font has every character, PNG is left out and the note says so. Raises `InputError` where nothing
    but PNG was asked for then, without matplotlib, without curves, and where a file cannot be written.
    """
    require_matplotlib()
    curves, spoken = _curves(solution), language or solution.plan.spec.language
    money = solution.plan.spec.currency or messages.text("report.unit_currency", spoken)
    fonts, missing = fonts_for(texts_of(curves, spoken, money), font)
    note = ""
    if missing and "png" in kinds:
        characters = "".join(sorted(missing))
        if tuple(kinds) == ("png",):
            raise InputError("curves.no_glyphs_png", characters=characters)
        kinds = [kind for kind in kinds if kind != "png"]
        note = messages.text("curves.no_glyphs", spoken, characters=characters)
    make_folder(folder.resolve())
    write_table(curve_points(curves), folder / POINTS)
    pages = [curves[start : start + A_PAGE] for start in range(0, len(curves), A_PAGE)]
    files = [POINTS]
    for number, page in enumerate(pages, start=1):
        stem = "curves" if len(pages) == 1 else f"curves-{number}"
        names = [f"{stem}.{kind}" for kind in kinds]
        draw(page, spoken, money, fonts, [folder / name for name in names])
        files += names
    return CurveFiles(tuple(files), note)


def _curves(solution: Solution) -> list[DrawnCurve]:
    curves = drawn_curves(solution)
    if not curves:
        raise InputError("curves.none")
    return curves


def _line(one: DrawnCurve, language: str) -> list[str]:
    now = (None, None) if one.now is None else one.now
    ahead = 1.0 / one.marginal if one.marginal > 0 else None
    shown = [numbers.amount(value, language) for value in (*now, *one.plan, ahead)]
    used = "" if np.isnan(one.saturation) else numbers.percent(one.saturation, language, 0)
    return [one.name, *shown, used]
