"""Pages of a given width, with wide characters."""

from __future__ import annotations

from optimizer.report.layout import Column, Paper, fitted, padded, text_width, wrapped


def test_chinese_is_two_columns_wide() -> None:
    """A padded Chinese text takes as many columns as a Latin one."""
    assert text_width("华东 East") == 9
    assert text_width(padded("华东", 10)) == text_width(padded("East", 10)) == 10


def test_a_combining_mark_takes_no_column() -> None:
    """й written as two signs is one column."""
    assert text_width("и\u0306") == 1


def test_a_cut_text_never_exceeds_its_width() -> None:
    """The ellipsis counts, also after a wide character."""
    for width in range(2, 12):
        assert text_width(fitted("华东大区销售计划", width)) <= width


def test_wrapping_keeps_the_width_and_every_word() -> None:
    """English breaks at blanks, Chinese between characters, and nothing is lost."""
    for text in ("one two three four five six", "没有分月的数额按周一至周五的工作日分摊到各期"):
        lines = wrapped(text, 12)
        assert max(map(text_width, lines)) <= 12
        assert "".join(lines).replace(" ", "") == text.replace(" ", "")


def test_closing_punctuation_never_begins_a_line() -> None:
    """A full stop takes the character before it along to the next line."""
    assert wrapped("一二三四。五六", 8) == ["一二三", "四。五六"]


def test_table_columns_stand_under_their_headings() -> None:
    """Numbers end in the same column in every row, whatever the width of the labels."""
    paper = Paper(60)
    paper.table([Column("大区"), Column("Total", True)], [["华东", "1,998"], ["West", "20"]])
    assert {text_width(line) for line in paper.lines} == {text_width(paper.lines[0])}
    assert paper.lines[1].endswith("1,998")


def test_a_table_that_is_too_wide_cuts_texts_and_no_numbers() -> None:
    """The widest text column gives way; figures stay whole."""
    paper = Paper(60)
    paper.table([Column("Name"), Column("Figure", True)], [["x" * 90, "123,456,789"]])
    assert text_width(paper.lines[1]) <= 60
    assert paper.lines[1].endswith("…  123,456,789")


def test_colours_do_not_move_columns() -> None:
    """With colours the same text stands in the same place."""
    rows = [["Year", "met"], ["Premium", "short"]]
    columns = [Column("Target"), Column("Status")]
    plain, coloured = Paper(60), Paper(60, colour=True)
    plain.table(columns, rows, ["good", "bad"])
    coloured.table(columns, rows, ["good", "bad"])
    stripped = coloured.text()
    for code in ("1", "2", "31", "32", "0"):
        stripped = stripped.replace(f"\x1b[{code}m", "")
    assert "\x1b[31mshort" in coloured.text()
    assert stripped == plain.text()


def test_a_member_stays_when_its_rule_is_cut() -> None:
    """Rows of one rule are told apart by what stands behind the colon."""
    assert fitted("Ни один регион не падает: Урал", 20) == "Ни один регио…: Урал"
    assert fitted("A rule: a member that is long", 12) == "A rule: a m…"


def test_an_abbreviation_ends_a_sentence_with_one_point() -> None:
    """`руб.` at the end of a sentence has no second point; dots that mean something else stay."""
    paper = Paper(80)
    paper.paragraph("Это 5 тыс. руб.. Дальше ... и ../runs.")
    assert paper.text().strip() == "Это 5 тыс. руб. Дальше ... и ../runs."
