"""Numbers as people type them are read, or refused; never misread."""

from __future__ import annotations

import datetime
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, BeforeValidator, ValidationError

from optimizer.io.numbers import (
    NumberFormatError,
    column_problem,
    number_from_yaml,
    parse_column,
    parse_number,
    text_among_numbers,
)

READ = {
    "120,000,000": 120e6,
    "120 000 000": 120e6,
    "120\u00a0000\u00a0000": 120e6,
    "120\u202f000\u202f000": 120e6,
    "120\u2009000": 120e3,
    "120_000_000": 120e6,
    "1_2000_0000": 120e6,
    "1'234'567": 1234567,
    "1’234": 1234,
    "1.234,56": 1234.56,
    "1,234.56": 1234.56,
    "1 234,56": 1234.56,
    "1.234.567": 1234567,
    "20%": 0.2,
    "７％": 0.07,
    "29 %": 0.29,
    "1.2亿": 1.2e8,
    "1.1亿": 1.1e8,
    "3万": 3e4,
    "5万元": 5e4,
    "1,5 млн": 1.5e6,
    "12 тыс.": 12e3,
    "3 тыс. руб.": 3e3,
    "2,25 млрд": 2.25e9,
    "0,15": 0.15,
    "0,150": 0.15,
    "12,5": 12.5,
    "1234,567": 1234.567,
    "1e-4": 1e-4,
    "1.2E+08": 1.2e8,
    ".5": 0.5,
    "00123": 123,
    "(1,200)": -1200,
    "-5": -5,
    "\u22125": -5,
    "-$5": -5,
    "¥1,200": 1200,
    "￥1,200": 1200,
    "1 200 ₽": 1200,
    "$ 5": 5,
    "5,50 €": 5.5,
    "1,234": 1234,
    "1.234": 1.234,
    " 7 ": 7,
    "\ufeff7": 7,
}

REFUSED = {
    "12:30": "io.number_time",
    "1,23,4": "io.number_groups",
    "1.2.3": "io.number_groups",
    "1 23": "io.number_groups",
    "abc": "io.number_unreadable",
    "NaN": "io.number_not_finite",
    "-inf": "io.number_not_finite",
    "1e999": "io.number_not_finite",
    "": "io.number_blank",
    "-": "io.number_none",
    "—": "io.number_none",
    "н/д": "io.number_none",
    "N/A": "io.number_none",
    "暂无": "io.number_none",
    "--5": "io.number_unreadable",
    "(-5)": "io.number_unreadable",
    "(5": "io.number_unreadable",
    "10²": "io.number_unreadable",
    "5%%": "io.number_unreadable",
    "$5%": "io.number_unreadable",
    "12.": "io.number_unreadable",
    "٣": "io.number_unreadable",
    "2027-01-01": "io.number_unreadable",
    "1,234%": "io.number_ambiguous",
    "1,234 млн": "io.number_ambiguous",
    "1,234 ₽": "io.number_ambiguous",
}


@pytest.mark.parametrize("text", READ)
def test_a_typed_number_is_read(text: str) -> None:
    """Each way of typing a number gives the number that is meant, without rounding noise."""
    assert parse_number(text) == READ[text]


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_no_number_is_refused(text: str) -> None:
    """A text that is no number, or could be two, is refused with the message that fits."""
    with pytest.raises(NumberFormatError) as caught:
        parse_number(text)
    assert caught.value.key == REFUSED[text]
    assert all(caught.value.text(language) for language in ("en", "ru", "zh"))


def test_the_decimal_sign_settles_a_number_with_two_readings() -> None:
    """`1,234` is 1.234 where the decimal sign is a comma, and `1.234` is then 1234."""
    assert parse_number("1,234", ",") == 1.234
    assert parse_number("1.234", ",") == 1234
    assert parse_number("1,234", ".") == 1234
    assert parse_number("1,234 млн", ",") == 1.234e6


def test_a_number_against_the_given_decimal_sign_is_refused() -> None:
    """`12.5` cannot be read where the decimal sign is a comma, and the message names the sign."""
    with pytest.raises(NumberFormatError, match=r"“12\.5” cannot be read with the decimal sign “,”"):
        parse_number("12.5", ",")
    with pytest.raises(NumberFormatError, match="no decimal sign"):
        parse_number("12.5", ";")


def test_the_message_says_what_and_how_to_write_it() -> None:
    """The message on a number with two readings shows both."""
    with pytest.raises(NumberFormatError, match=r"12\.34 or as 0\.01234"):
        parse_number("1,234%")


def test_the_ways_out_of_two_readings_have_one() -> None:
    """What the message proposes in the place of `1,234` is read in the same column."""
    fields = column_problem("1,234").fields
    values, unreadable = parse_column(["12,5", fields["first"], fields["second"]])
    assert values.tolist() == [12.5, 1234.0, 1.234] and not unreadable


def test_a_date_among_numbers_is_called_one() -> None:
    """A spreadsheet that made a date of 1.5 is told so."""
    assert column_problem(datetime.datetime(2026, 5, 1)).key == "io.number_date"


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_float_comes_back_from_its_own_text(value: float) -> None:
    """The shortest text of a float is read as the same float."""
    assert parse_number(repr(value)) == value


@given(
    st.integers(min_value=-(10**12), max_value=10**12),
    st.integers(min_value=0, max_value=99),
    st.sampled_from([(",", "."), (" ", ","), (".", ","), ("\u00a0", ","), ("'", "."), ("_", ".")]),
)
def test_a_grouped_number_comes_back(whole: int, cents: int, signs: tuple[str, str]) -> None:
    """Thousands and two decimals are read whatever signs separate them."""
    group, decimal = signs
    text = f"{whole:,}".replace(",", group) + f"{decimal}{cents:02d}"
    assert parse_number(text) == float(f"{whole}.{cents:02d}")


@given(st.text(max_size=12))
def test_any_text_is_a_finite_number_or_refused(text: str) -> None:
    """No text gives NaN, infinity or another exception."""
    try:
        assert math.isfinite(parse_number(text))
    except NumberFormatError as error:
        assert error.text("ru")


@given(st.lists(st.text("0123456789.,- '%", max_size=8), max_size=6), st.sampled_from([None, ",", "."]))
def test_a_column_reads_each_cell_as_it_would_be_read_alone(cells: list[str], decimal: str | None) -> None:
    """The fast path and the careful path agree with `parse_number`; cells are refused, never changed."""
    values, refused = parse_column(cells, decimal)
    for at, cell in enumerate(cells):
        if not cell.strip():
            assert np.isnan(values[at]) and at not in refused
            continue
        try:
            alone = parse_number(cell, decimal)
        except NumberFormatError:
            assert at in refused
            continue
        assert values[at] == alone or (at in refused and decimal is None)


def test_a_column_of_plain_numbers_with_blanks() -> None:
    """Blank cells are NaN and nothing is refused."""
    values, refused = parse_column(["1.5", "", "-2"])
    assert refused == []
    np.testing.assert_array_equal(values, [1.5, np.nan, -2])


def test_a_decimal_comma_in_a_column_makes_its_neighbours_unclear() -> None:
    """Beside `12,5` the cell `1,234` may be 1.234, so it is refused until the decimal sign is given."""
    values, refused = parse_column(["12,5", "1,234", "7"])
    assert refused == [1] and np.isnan(values[1])
    assert "1234 or as 1.234" in str(column_problem("1,234"))
    np.testing.assert_array_equal(parse_column(["12,5", "1,234", "7"], ",")[0], [12.5, 1.234, 7])


def test_a_decimal_point_in_a_column_leaves_thousands_clear() -> None:
    """Beside `12.5` the cell `1,234` is 1234."""
    np.testing.assert_array_equal(parse_column(["12.5", "1,234"])[0], [12.5, 1234])


def test_a_file_that_speaks_for_the_comma_makes_two_readings_unclear() -> None:
    """In a file delimited by `;` a lone `1,234` is refused, but not beside a cell with a decimal point."""
    assert parse_column(["1,234", "5"], comma_likely=True)[1] == [0]
    assert parse_column(["1,234", "5.5"], comma_likely=True)[1] == []
    assert parse_column(["1,25", "5,5"], comma_likely=True)[1] == []


def test_native_numbers_pass_and_native_nan_does_not() -> None:
    """Numbers of a spreadsheet are taken as they are; NaN, infinity and yes/no are refused."""
    values, refused = parse_column([1, 2.5, None, "3 000", True, math.nan, math.inf, 10**400])
    np.testing.assert_array_equal(values[:4], [1, 2.5, np.nan, 3000])
    assert refused == [4, 5, 6, 7]
    assert parse_column([1.0, math.nan])[1] == [1]
    assert "NaN" in str(column_problem(math.nan)) and "yes or no" in str(column_problem(True))


def test_numbers_stored_as_text_are_found() -> None:
    """A text among native numbers is reported, a column of texts is not."""
    assert text_among_numbers([1, "2", None, ""]) == [1]
    assert text_among_numbers(["1", "2", ""]) == []


def test_an_empty_column() -> None:
    """No cells give no numbers."""
    values, refused = parse_column([])
    assert len(values) == 0 and refused == []


@pytest.mark.parametrize("value", [True, None, [], {}, math.nan, math.inf, 10**400])
def test_yaml_values_that_are_no_numbers_are_refused(value: object) -> None:
    """Yes and no, nothing, lists, NaN and infinity are no numbers of a plan."""
    with pytest.raises(NumberFormatError):
        number_from_yaml(value)


def test_pydantic_keeps_the_error_for_translation() -> None:
    """The error reaches the plan loader with its key, so that it can speak the plan's language."""
    from typing import Annotated

    class Model(BaseModel):
        """One number."""

        share: Annotated[float, BeforeValidator(number_from_yaml)]

    assert Model.model_validate({"share": "20%"}).share == 0.2
    assert Model.model_validate({"share": 3}).share == 3.0
    with pytest.raises(ValidationError) as caught:
        Model.model_validate({"share": "12:30"})
    error = caught.value.errors()[0]["ctx"]["error"]
    assert isinstance(error, NumberFormatError)
    assert error.key == "io.number_time" and "время" in error.text("ru")
