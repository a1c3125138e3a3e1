"""Numbers on pages: four digits, the language's words and signs."""

from __future__ import annotations

import math

import pytest

from optimizer.report import numbers


@pytest.mark.parametrize(
    ("value", "english", "russian", "chinese"),
    [
        (0.0, "0", "0", "0"),
        (5.5, "5.5", "5,5", "5.5"),
        (1458.8, "1,459", "1\u00a0459", "1,459"),
        (45_600.0, "45.6 k", "45,6\u00a0тыс.", "4.56万"),
        (12_345_678.0, "12.35 M", "12,35\u00a0млн", "1,235万"),
        (120_000_000.0, "120 M", "120\u00a0млн", "1.2亿"),
        (-343_697.0, "-343.7 k", "-343,7\u00a0тыс.", "-34.37万"),
        (1.5e9, "1.5 bn", "1,5\u00a0млрд", "15亿"),
    ],
)
def test_amounts_read_as_in_the_language(value: float, english: str, russian: str, chinese: str) -> None:
    """Millions in English and Russian, ten-thousands in Chinese, four digits in all."""
    assert [numbers.amount(value, language) for language in ("en", "ru", "zh")] == [english, russian, chinese]


def test_a_number_just_below_a_step_is_written_in_it() -> None:
    """999,990 is 1 M on a page, never 1,000 k."""
    assert numbers.amount(999_990.0, "en") == "1 M"


@pytest.mark.parametrize("value", [None, math.nan, math.inf])
def test_what_is_not_known_is_a_dash(value: float | None) -> None:
    """Nothing, a ratio of nothing and no limit are never written as a number."""
    assert numbers.amount(value, "en") == numbers.percent(value, "ru") == numbers.UNKNOWN


def test_percent_leaves_out_zeros_and_shows_growth() -> None:
    """+20 % has no decimals, and Chinese puts no blank before the sign."""
    assert numbers.percent(0.2, "en", sign=True) == "+20 %"
    assert numbers.percent(0.1234, "ru") == "12,3\u00a0%"
    assert numbers.percent(-0.05, "zh") == "-5%"


def test_a_rounded_nothing_has_no_minus() -> None:
    """-0.0001 with no decimals is 0."""
    assert numbers.number(-0.0001, "en") == "0"


def test_numbers_inside_messages_are_written_as_the_language_does() -> None:
    """`2,679` would be less than three to a Russian reader."""
    written = numbers.Written(2679.4)
    assert (written.text("en"), written.text("ru")) == ("2,679", "2\u00a0679")
    assert (numbers.tiny(2.1e-49, "en"), numbers.tiny(2.1e-49, "ru")) == ("2.1e-49", "2,1e-49")
