"""Dates as people and accounting systems write them, and why a text is none."""

from __future__ import annotations

import datetime

import pytest

from optimizer import messages
from optimizer.errors import Place
from optimizer.plan.dates import date_problem, parse_date


@pytest.mark.parametrize(
    "text",
    [
        "2027-03-01",
        "2027/3/1 0:00",
        "01.03.2027",
        "01.03.2027 0:00:00",
        "01.03.2027 18:05",
        "2027年3月1日 09:30",
    ],
)
def test_a_day_with_or_without_a_time(text: str) -> None:
    """Exports write the time behind the day; the day counts."""
    assert parse_date(text) == datetime.date(2027, 3, 1)


@pytest.mark.parametrize(
    ("value", "key"),
    [
        ("01.03.27", "plan.date_short_year"),
        ("3/13/2027", "plan.date_order"),
        ("03-04-2027", "plan.date_order"),
        (46447, "plan.date_counted"),
        ("46447", "plan.date_counted"),
        (46447.5, "plan.date_counted"),
        ("31.02.2027", "plan.date_unreadable"),
        (12, "plan.date_unreadable"),
        ("soon", "plan.date_unreadable"),
    ],
)
def test_why_a_text_is_no_date(value: object, key: str) -> None:
    """What could be two days, or is a spreadsheet's count of days, is refused with that reason."""
    assert parse_date(value) is None
    error = date_problem(value, Place())
    assert error.key == key
    for language in messages.LANGUAGES:
        assert "2027-03-01" in error.text(language)
