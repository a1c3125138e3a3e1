"""The Monday page as text, as a self-contained HTML file, and as the sheets of a workbook."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING

from optimizer import messages
from optimizer.report.layout import Paper, Tone
from optimizer.report.monday import MondayPage, Section

if TYPE_CHECKING:
    import pandas as pd

_TONES: dict[str, Tone] = {"green": "good", "amber": "plain", "red": "bad", "": "plain"}
_STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem; padding: 0 1rem; }
h1 { font-size: 1.5rem; margin: 0; }
h2 { font-size: 1.05rem; margin: 1.6rem 0 .4rem; }
p.sub { color: #555; margin: .2rem 0; }
table { border-collapse: collapse; width: 100%; }
th, td { padding: .25rem .6rem; border-bottom: 1px solid #ddd; text-align: left; }
th { font-weight: 600; color: #444; }
.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
tr.green td.l { color: #1a7f37; }
tr.amber td.l { color: #9a6700; }
tr.red td.l { color: #cf222e; }
ul { margin: .3rem 0; padding-left: 1.2rem; }
@media print { body { margin: 0; } }
""".strip()
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
LEAST_HEIGHT, LEAST_WIDTH = 40, 76
"""Lines and columns that a screen is taken to have at least."""
_CLAUSE = re.compile("[:：,，]")
"""Where the first clause of a heading ends."""
_SHEET_NAME = 31
"""Longest name of a sheet that spreadsheets take."""


def monday_text(page: MondayPage, width: int = 100, colour: bool = False, height: int | None = None) -> str:
    """The page as text; with `height`, one screen of that many lines, at least `LEAST_HEIGHT`.

    Room goes to the sections by their rank, first what each needs at least, then a row more in turn. Headings
    count what they leave out, and the last line names the sections that found no room.
    """
    if height is None:
        whole = {at: section.count + len(section.notes) for at, section in enumerate(page.sections)}
        return _paper(page, width, colour, whole).text()
    room, shown = max(height, LEAST_HEIGHT), dict.fromkeys(range(len(page.sections)), 0)
    ranked = sorted(shown, key=lambda at: page.sections[at].rank)
    for more in range(max((section.brief for section in page.sections), default=0)):
        for at in ranked:
            section = page.sections[at]
            longer = shown | {at: section.least + more}
            next_one = more == 0 or shown[at] == section.least + more - 1
            if not next_one or section.least + more > section.brief:
                continue
            if len(_paper(page, width, colour, longer, brief=True).lines) <= room:
                shown = longer
    return _paper(page, width, colour, shown, brief=True).text()


def _paper(
    page: MondayPage, width: int, colour: bool, shown: Mapping[int, int], brief: bool = False
) -> Paper:
    """The page with so many rows and notes of each section, by its place."""
    paper = Paper(max(width, LEAST_WIDTH), colour)
    paper.paragraph(page.title, tone="heading")
    paper.paragraph(page.subtitle, tone="faint")
    left = []
    for at, section in enumerate(page.sections):
        most, part = shown[at], {"title": section.title, "count": section.count}
        if not most:
            part["title"] = _CLAUSE.split(section.title)[0]
            left.append(messages.text("weekly.whole", page.language, **part))
            continue
        cut = section.count > most
        paper.heading(
            messages.text("weekly.part", page.language, shown=most, **part) if cut else section.title
        )
        if section.rows:
            tones = [_TONES[light] for light in section.lights[:most]] or None
            paper.table(section.columns, section.rows[:most], tones, beneath=section.asides[:most])
        for note in section.notes[:most]:
            paper.paragraph(note, indent=2, mark="- ")
    if brief:
        paper.blank()
        name = "more" if left else "all_shown"
        paper.paragraph(
            messages.text(f"weekly.{name}", page.language, sections="; ".join(left)), tone="faint"
        )
    return paper


def monday_html(page: MondayPage) -> str:
    """The page as one file without scripts or anything from elsewhere; every text is escaped."""
    parts = [
        "<!doctype html>",
        f'<html lang="{escape(page.language)}"><head><meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{escape(page.title)}</title><style>{_STYLE}</style></head><body>",
        f'<h1>{escape(page.title)}</h1><p class="sub">{escape(page.subtitle)}</p>',
        *(_section(section) for section in page.sections),
        "</body></html>",
    ]
    return "\n".join(parts) + "\n"


def _section(section: Section) -> str:
    parts = [f"<h2>{escape(section.title)}</h2>"]
    if section.rows:
        kinds = ["n" if column.number else "t" for column in section.columns]
        heads = [column.heading for column in section.columns]
        if section.lights:
            kinds[-1] = "l"
        if section.asides:
            kinds, heads = [*kinds, "t"], [*heads, section.aside]
        lights = section.lights or [""] * len(section.rows)
        asides = [[text] for text in section.asides] or [[]] * len(section.rows)
        rows = [
            f'<tr class="{escape(light)}">{_cells("td", kinds, [*row, *aside])}</tr>'
            for light, row, aside in zip(lights, section.rows, asides, strict=True)
        ]
        head = f"<thead><tr>{_cells('th', kinds, heads)}</tr></thead>"
        parts.append(f"<table>{head}<tbody>{''.join(rows)}</tbody></table>")
    if section.notes:
        parts.append("<ul>" + "".join(f"<li>{escape(note)}</li>" for note in section.notes) + "</ul>")
    return "\n".join(parts)


def _cells(tag: str, kinds: Sequence[str], texts: Sequence[str]) -> str:
    """The cells of a row, each with the class of its column; every text is escaped."""
    pairs = zip(kinds, texts, strict=True)
    return "".join(f'<{tag} class="{kind}">{escape(text)}</{tag}>' for kind, text in pairs)


def monday_sheets(page: MondayPage) -> dict[str, pd.DataFrame]:
    """Sheet -> its cells as on the page, a section each; texts that a spreadsheet would run are protected
    when they are written."""
    import pandas as pd

    found: dict[str, pd.DataFrame] = {}
    for number, section in enumerate(page.sections, start=1):
        name = f"{number} {section.title}"[:_SHEET_NAME]
        for sign in "[]:*?/\\":
            name = name.replace(sign, " ")
        if section.rows:
            heads = [column.heading for column in section.columns]
            cells = list(section.rows)
            if section.asides:
                heads.append(section.aside)
                cells = [[*row, aside] for row, aside in zip(cells, section.asides, strict=True)]
            found[name] = pd.DataFrame(cells, columns=heads)
        else:
            found[name] = pd.DataFrame({section.title: list(section.notes)})
    return found
