"""Dates and months as people write them, in English, Russian and Chinese."""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass

from optimizer.errors import InputError, Place

_MONTHS = (
    r"jan(?:uary)?|янв(?:ар[ья])?",
    r"feb(?:ruary)?|фев(?:р|рал[ья])?",
    r"mar(?:ch)?|мар(?:т|та)?",
    r"apr(?:il)?|апр(?:ел[ья])?",
    r"may|ма[йяе]",
    r"june?|июн[ья]?",
    r"july?|июл[ья]?",
    r"aug(?:ust)?|авг(?:уста?)?",
    r"sept?(?:ember)?|сен(?:т|тябр[ья])?",
    r"oct(?:ober)?|окт(?:ябр[ья])?",
    r"nov(?:ember)?|ноя(?:б|бр[ья])?",
    r"dec(?:ember)?|дек(?:абр[ья])?",
)
_MONTH_NAMES = tuple(re.compile(pattern) for pattern in _MONTHS)
_CHINESE_NUMBERS = ("一", "二", "三", "四", "五", "六", "七", "八", "九", "十", "十一", "十二")

_TIME = r"(?:[T ]+\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?)?"
_ISO_DATE = re.compile(rf"(\d{{4}})[-/.](\d{{1,2}})[-/.](\d{{1,2}}){_TIME}")
_DAY_FIRST = re.compile(rf"(\d{{1,2}})\.(\d{{1,2}})\.(\d{{4}}){_TIME}")
_CHINESE_DATE = re.compile(rf"(\d{{4}})年(\d{{1,2}})月(\d{{1,2}})[日号]{_TIME}")
_SHORT_YEAR = re.compile(r"\d{1,2}[-/.]\d{1,2}[-/.]\d{2}")
_SWAPPED = re.compile(r"\d{1,2}[-/]\d{1,2}[-/]\d{4}")
_COUNTED_FROM = datetime.date(1899, 12, 30)
"""Day 0 of spreadsheets, for days after February 1900."""
_COUNTED = (36_526, 73_050)
"""What spreadsheets count for 2000-01-01 to 2099-12-31."""
_YEAR_MONTH = re.compile(r"(\d{4})[-/.](\d{1,2})")
_MONTH_YEAR = re.compile(r"(\d{1,2})[-/.](\d{4})")
_NAME_YEAR = re.compile(r"([a-zа-яё]+)\.?(?:[-\s,'’]*(\d{4}|\d{2}))?(?:\s*(?:г|год|года)\.?)?")
_YEAR_NAME = re.compile(r"(\d{4})[-\s]*([a-zа-яё]+)\.?")
_CHINESE_MONTH = re.compile(r"(?:(\d{4})年?)?\s*(\d{1,2}|[一二三四五六七八九十]{1,2})月(?:份)?")
_QUARTERS = (
    re.compile(r"(?P<year>\d{4})[-\s]*[qk](?P<quarter>[1-4])"),
    re.compile(r"q(?P<quarter>[1-4])[-\s]*(?P<year>\d{4})"),
    re.compile(r"(?P<quarter>[1-4])[-\s]*кв(?:артал|\.)?[-\s]*(?P<year>\d{4})(?:\s*г(?:од|ода|\.)?)?"),
    re.compile(r"(?P<year>\d{4})年?\s*第?(?P<quarter>[1-4])季度?"),
)
_CHINESE_QUARTER = str.maketrans("一二三四", "1234")


@dataclass(frozen=True)
class YearMonth:
    """A month; `year` is None where only the name of the month was written."""

    year: int | None
    month: int


def parse_date(value: object) -> datetime.date | None:
    """The day that a cell or a text names (`2027-03-01`, `01.03.2027`, `2027年3月1日`), or None."""
    if isinstance(value, datetime.datetime):
        return value.date()
    if isinstance(value, datetime.date):
        return value
    if not isinstance(value, str):
        return None
    text = value.strip()
    for pattern, order in ((_ISO_DATE, (1, 2, 3)), (_CHINESE_DATE, (1, 2, 3)), (_DAY_FIRST, (3, 2, 1))):
        found = pattern.fullmatch(text)
        if found:
            year, month, day = (int(found.group(index)) for index in order)
            return _date_or_none(year, month, day)
    return None


def date_problem(value: object, place: Place) -> InputError:
    """Why a cell or a text is no date, as far as it can be told, and how to write it."""
    text = str(value).strip()
    number = float(text) if text.replace(".", "", 1).isdecimal() else 0.0
    if _COUNTED[0] <= number < _COUNTED[1] + 1:
        day = _COUNTED_FROM + datetime.timedelta(days=int(number))
        return InputError("plan.date_counted", place, day=day.isoformat())
    if _SHORT_YEAR.fullmatch(text):
        return InputError("plan.date_short_year", place)
    if _SWAPPED.fullmatch(text):
        return InputError("plan.date_order", place)
    return InputError("plan.date_unreadable", place)


def parse_month(value: object) -> YearMonth | None:
    """The month that a cell or a text names, or None.

    Read are `2026-03`, `2026/3`, `03.2026`, `Mar 2026`, `Mar-26`, `March`, `март 2026`, `янв`, `3月`,
    `2026年3月`, and dates on the first day of a month (a spreadsheet's way to write a month).
    """
    day = parse_date(value)
    if day is not None:
        return YearMonth(day.year, day.month) if day.day == 1 else None
    if not isinstance(value, str):
        return None
    text = " ".join(value.split()).casefold()
    return _month_in_digits(text) or _month_in_words(text)


def parse_quarter(value: object) -> tuple[int, int] | None:
    """(year, quarter) of a text such as `2027-Q2`, `Q2 2027`, `2 кв. 2027` or `2027年第2季度`, or None."""
    if not isinstance(value, str):
        return None
    text = " ".join(value.split()).casefold().translate(_CHINESE_QUARTER)
    for pattern in _QUARTERS:
        found = pattern.fullmatch(text)
        if found:
            return int(found["year"]), int(found["quarter"])
    return None


def _month_in_digits(text: str) -> YearMonth | None:
    for pattern, year, month in ((_YEAR_MONTH, 1, 2), (_MONTH_YEAR, 2, 1)):
        found = pattern.fullmatch(text)
        if found:
            return _month_or_none(int(found.group(year)), int(found.group(month)))
    return None


def _month_in_words(text: str) -> YearMonth | None:
    found = _CHINESE_MONTH.fullmatch(text)
    if found:
        return _month_or_none(_year(found.group(1)), _chinese_number(found.group(2)))
    for pattern, year, month in ((_NAME_YEAR, 2, 1), (_YEAR_NAME, 1, 2)):
        found = pattern.fullmatch(text)
        if found:
            return _month_or_none(_year(found.group(year)), _number_of_name(found.group(month)))
    return None


def _number_of_name(name: str) -> int:
    """1..12, or 0 when it is no name of a month."""
    return next((at for at, names in enumerate(_MONTH_NAMES, start=1) if names.fullmatch(name)), 0)


def _chinese_number(text: str) -> int:
    if text.isdigit():
        return int(text)
    return _CHINESE_NUMBERS.index(text) + 1 if text in _CHINESE_NUMBERS else 0


def _year(text: str | None) -> int | None:
    if not text:
        return None
    return int(text) if len(text) == 4 else 2000 + int(text)


def _month_or_none(year: int | None, month: int) -> YearMonth | None:
    return YearMonth(year, month) if 1 <= month <= 12 else None


def _date_or_none(year: int, month: int, day: int) -> datetime.date | None:
    try:
        return datetime.date(year, month, day)
    except ValueError:
        return None
