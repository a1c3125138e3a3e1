"""One screen of the Monday page: what is left out where there is no room, and that it is said."""

from __future__ import annotations

import pytest

from optimizer.report.layout import Column
from optimizer.report.monday import MondayPage, Section
from optimizer.report.monday_files import LEAST_HEIGHT, monday_text

COLUMNS = [Column("name"), Column("n", True)]
ROWS = [[f"row {at}", str(at)] for at in range(20)]


def page(*sections: Section) -> MondayPage:
    """A page of sections."""
    return MondayPage("Year", "Facts to 2027-05-31", "en", sections)


def many() -> MondayPage:
    """Twelve sections that together take several screens."""
    return page(
        *(Section(f"Part {at}: all of it", COLUMNS, ROWS, notes=["a note"], rank=at % 6) for at in range(11)),
        Section("First", COLUMNS, ROWS[:8], rank=0, least=8, brief=8),
    )


@pytest.mark.parametrize("height", [LEAST_HEIGHT, 50, 61])
def test_a_screen_is_full_and_no_longer(height: int) -> None:
    """The lines fit, sections of a low rank are whole, and the others are counted or named at the end."""
    text = monday_text(many(), 100, height=height)
    lines = text.splitlines()
    assert height - 6 <= len(lines) <= height
    assert all(f"row {at}" in text[text.index("First") :] for at in range(8))
    named = " ".join(text[text.index("Without room here") :].split())
    for at in range(11):
        shown = any(line.startswith(f"Part {at}: all of it (") and "of 20)" in line for line in lines)
        assert shown != (f"Part {at} (20)" in named)


def test_a_terminal_of_few_lines_gets_a_page_that_scrolls_a_little() -> None:
    """Below the least height the page is as on a screen of that height."""
    assert monday_text(many(), 100, height=10) == monday_text(many(), 100, height=LEAST_HEIGHT)


def test_a_page_that_fits_leaves_nothing_out() -> None:
    """A short page is whole, and the last line says where else it is."""
    text = monday_text(page(Section("Only", COLUMNS, ROWS[:2], notes=["a note"])), 100, height=50)
    assert "row 1" in text and "- a note" in text and " of " not in text.splitlines()[3]
    assert "Without room" not in text and "monday.html" in text


def test_without_a_height_everything_is_there() -> None:
    """Into a file or a pager goes the whole page, with no last line on what it lacks."""
    text = monday_text(many(), 100)
    assert text.count("row 19") == 11 and "monday.html" not in text
