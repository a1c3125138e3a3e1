"""Text on a page of a given width: East Asian characters are two wide, and tables stay aligned.

Colours are only put on where the page is made for a terminal that shows them; they never carry a meaning
of their own.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

Tone = Literal["plain", "heading", "good", "bad", "faint"]
_CODES: dict[Tone, str] = {"heading": "1", "good": "32", "bad": "31", "faint": "2"}
_WIDE = "WF"
ELLIPSIS = "…"
GAP = 2
"""Blanks between the columns of a table."""
LEAST_TEXT = 10
_ABBREVIATION = re.compile(r"(?<=[а-яё]\.)\.(?=\s|$)")
"""The full stop of a sentence that ends with an abbreviation, `руб.`, whose point stands for both."""
"""A text column is never squeezed below this."""


def text_width(text: str) -> int:
    """Columns of a terminal that a text takes: two for wide and full-width characters, none for combining
    ones."""
    return sum(
        0 if unicodedata.combining(sign) else 2 if unicodedata.east_asian_width(sign) in _WIDE else 1
        for sign in text
    )


def fitted(text: str, width: int) -> str:
    """The text cut to `width` columns, with an ellipsis where something was cut off.

    Of `rule: member` the member stays where it takes at most two thirds, since it tells rows apart.
    """
    if text_width(text) <= width:
        return text
    head, colon, tail = text.rpartition(": ")
    room = width - text_width(colon + tail)
    if colon and 3 * room >= width:
        return fitted(head, room) + colon + tail
    kept, used = "", 1
    for sign in text:
        used += text_width(sign)
        if used > width:
            break
        kept += sign
    return kept.rstrip() + ELLIPSIS


def padded(text: str, width: int, right: bool = False) -> str:
    """The text filled up with blanks to `width` columns, on the left when `right`."""
    blanks = " " * max(0, width - text_width(text))
    return blanks + text if right else text + blanks


def wrapped(text: str, width: int) -> list[str]:
    """The text in lines of at most `width` columns, broken at blanks and after any wide character."""
    lines, line = [], ""
    for piece in _pieces(text):
        if line and text_width(line + piece.rstrip()) > width:
            lines.append(line.rstrip())
            line = ""
        line += piece if line else piece.lstrip()
    return [*lines, line.rstrip()] if line.strip() or not lines else lines


_CLOSING = frozenset("，。；：、！？）”》」』%")


def _pieces(text: str) -> list[str]:
    """Words with the blanks behind them; each wide character is a piece of its own, with the closing
    punctuation that follows it, which never begins a line."""
    pieces: list[str] = []
    fresh = True
    for sign in text:
        wide = unicodedata.east_asian_width(sign) in _WIDE
        if pieces and sign in _CLOSING:
            pieces[-1] += sign
        elif wide or fresh or not pieces:
            pieces.append(sign)
        else:
            pieces[-1] += sign
        fresh = wide or sign in (" ", "\n")
    return pieces


@dataclass(frozen=True)
class Column:
    """A column of a table: its heading, and whether it holds numbers, which stand on the right and are
    never cut."""

    heading: str
    number: bool = False


@dataclass
class Paper:
    """Lines of a page of `width` columns; `colour` puts on ANSI colours."""

    width: int
    colour: bool = False
    lines: list[str] = field(default_factory=list)

    def text(self) -> str:
        """The whole page, with a line break at its end."""
        return "\n".join(self.lines) + "\n"

    def toned(self, text: str, tone: Tone) -> str:
        """The text in a tone."""
        return f"\x1b[{_CODES[tone]}m{text}\x1b[0m" if self.colour and tone in _CODES else text

    def blank(self) -> None:
        """An empty line."""
        self.lines.append("")

    def heading(self, text: str) -> None:
        """A heading after an empty line."""
        if self.lines:
            self.blank()
        self.lines += [self.toned(line, "heading") for line in wrapped(text, self.width)]

    def paragraph(self, text: str, indent: int = 0, mark: str = "", tone: Tone = "plain") -> None:
        """Wrapped lines; `mark` stands before the first one, in the indent."""
        inner = indent + text_width(mark)
        text = _ABBREVIATION.sub("", text)
        for at, line in enumerate(wrapped(text, max(self.width - inner, LEAST_TEXT))):
            lead = " " * indent + (mark if at == 0 else " " * text_width(mark))
            self.lines.append(lead + self.toned(line, tone))

    def table(
        self,
        columns: Sequence[Column],
        rows: Sequence[Sequence[str]],
        tones: Sequence[Tone] | None = None,
        indent: int = 2,
        beneath: Sequence[str] = (),
    ) -> None:
        """A table with its headings; when it is too wide, its widest text columns are cut.

        `tones` gives the tone of each row's last cell, `beneath` a sentence below each row, blank for none.
        """
        widths = self._widths(columns, rows, indent)
        self.lines.append(
            " " * indent + self.toned(_line([c.heading for c in columns], columns, widths), "faint")
        )
        for at, row in enumerate(rows):
            cells = [
                text if c.number else fitted(text, width)
                for text, c, width in zip(row, columns, widths, strict=True)
            ]
            line = " " * indent + _line(cells, columns, widths)
            if tones is not None and tones[at] != "plain" and cells[-1]:
                kept = line.rstrip().removesuffix(cells[-1])
                line = kept + self.toned(cells[-1], tones[at])
            self.lines.append(line.rstrip())
            if beneath and beneath[at]:
                self.paragraph(beneath[at], indent=indent + GAP, mark="> ", tone="faint")

    def too_wide(self, columns: Sequence[Column], rows: Sequence[Sequence[str]], indent: int = 2) -> bool:
        """Whether a table with these cells would be cut."""
        cells = [[column.heading for column in columns], *rows]
        widths = [max(text_width(row[at]) for row in cells) for at in range(len(columns))]
        return sum(widths) + GAP * (len(columns) - 1) + indent > self.width

    def _widths(self, columns: Sequence[Column], rows: Sequence[Sequence[str]], indent: int) -> list[int]:
        widths = [
            max(text_width(column.heading), *(text_width(row[at]) for row in rows), 0)
            if rows
            else text_width(column.heading)
            for at, column in enumerate(columns)
        ]
        room = self.width - indent - GAP * (len(columns) - 1)
        texts = [at for at, column in enumerate(columns) if not column.number]
        while sum(widths) > room and texts and max(widths[at] for at in texts) > LEAST_TEXT:
            widest = max(texts, key=lambda at: widths[at])
            widths[widest] -= 1
        return widths


def _line(cells: Sequence[str], columns: Sequence[Column], widths: Sequence[int]) -> str:
    parts = [
        padded(cell, width, column.number) for cell, column, width in zip(cells, columns, widths, strict=True)
    ]
    return (" " * GAP).join(parts).rstrip()
