"""Numbers as people type them: read, or refused with the way to write them, never misread.

A text is read twice, once with a decimal point and once with a decimal comma. Where only one reading is
possible (`12,5`, `0,150`, `1.234,56`, `1 234 567`), that is the number. Where both are possible and differ,
the decimal point is taken: `1,234` is 1234 and `1.234` is 1.234. It is refused instead when something
speaks for the decimal comma: a column with `12,5` beside it, a text with %, тыс., млн, млрд, € or ₽.
`decimal` ("," or ".") settles it.
"""

from __future__ import annotations

import datetime
import math
import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from optimizer import messages

FloatArray = NDArray[np.float64]
Reading = Literal["same", "both", "point", "comma"]
"""How a text can be read: any way, two ways that differ, only with a decimal point, only with a comma."""

_PAIRS = zip("０１２３４５６７８９，．％－＋（）￥", "0123456789,.%-+()¥", strict=True)
_SAME = {ord(wide): plain for wide, plain in _PAIRS}
_SAME |= dict.fromkeys(map(ord, "\u00a0\u202f\u2007\u2008\u2009\u200a\u3000\t"), " ")
_SAME |= dict.fromkeys(map(ord, "\u2212\u2013\u2012\ufe63"), "-")
_SAME |= dict.fromkeys(map(ord, "\u2019\u2018\u02bc"), "'")
_INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200e\u200f\u202a\u202c\u2060\ufeff"))
"""Characters of other keyboards that mean the same, and marks that nobody sees."""

_POWERS = {
    "千": 3, "万": 4, "萬": 4, "百万": 6, "千万": 7, "亿": 8, "億": 8,
    "тыс": 3, "тыс.": 3, "млн": 6, "млн.": 6, "млрд": 9, "млрд.": 9,
    "k": 3, "K": 3, "M": 6, "mln": 6, "million": 6, "bn": 9, "billion": 9,
}  # fmt: skip
"""Scale words as powers of ten."""
_CURRENCIES = ("¥", "$", "€", "£", "₽", "元", "руб.", "руб", "р.", "CNY", "RMB", "USD", "EUR", "RUB")
_COMMA_WORDS = ("%", "€", "₽", "руб", "р.", "EUR", "RUB", "тыс", "млн", "млрд")
"""Words beside which a comma is likely to be the decimal sign."""


def _either(words: Sequence[str]) -> str:
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))


_DRESSED = re.compile(
    rf"(?P<open>\()? *(?P<sign>[-+])? *(?P<before>{_either(_CURRENCIES)})? *(?P<inner>-)? *"
    rf"(?P<core>[0-9.,'_ ]*[0-9](?:[eE][-+]?[0-9]{{1,3}})?) *(?P<scale>{_either(tuple(_POWERS))})? *"
    rf"(?P<after>{_either(_CURRENCIES)})? *(?P<percent>%)? *(?P<close>\))?"
)


def _core_pattern(decimal: str, group: str) -> re.Pattern[str]:
    threes = rf"[1-9][0-9]{{0,2}}([ '{group}])[0-9]{{3}}(?:\1[0-9]{{3}})*"
    underscored = r"[1-9][0-9]{0,2}(?:_[0-9]{3})+|[1-9][0-9]{0,3}(?:_[0-9]{4})+"
    sign = re.escape(decimal)
    scientific = rf"[0-9]*{sign}?[0-9]+[eE][-+]?[0-9]{{1,3}}"
    return re.compile(rf"(?:[0-9]+|{threes}|{underscored})?(?:{sign}[0-9]+)?|{scientific}")


_CORES = {".": _core_pattern(".", ","), ",": _core_pattern(",", ".")}
_NOT_DIGITS = {".": str.maketrans("", "", " ',_"), ",": str.maketrans(",", ".", " '._")}
_LINES = {sign: re.compile(rf"^-?(?:{core.pattern})?$", re.MULTILINE) for sign, core in _CORES.items()}
_ONLY = {
    sign: re.compile(
        rf"^[^\w\n]*(?:[0-9][0-9 {other}']*{sign}(?:[0-9]{{1,2}}|[0-9]{{4,}})|0{sign}[0-9]+)[^0-9\n,.]*$",
        re.MULTILINE,
    )
    for sign, other in ((",", "."), (r"\.", ","))
}
_ONLY["."] = _ONLY.pop(r"\.")
_TWOFOLD = re.compile(r"^-?[1-9][0-9]{0,2}[.,][0-9]{3}$", re.MULTILINE)
_GROUPED = frozenset("0123456789.-,_ '\n")
_PLAIN = frozenset("0123456789.-+eE\n")
_TIME = re.compile(r"[0-9]{1,2}(?::[0-9]{2}){1,2}")
_NOT_FINITE = re.compile(r"[-+.]*(?:nan|inf|infinity)", re.IGNORECASE)
_NO_NUMBER = re.compile(
    r"[-—―─_.]+|n\.?/?a\.?|none|null|н\.?/?д\.?|нет(?: данных)?|无|暂无|无数据", re.IGNORECASE
)
_GROUPS = re.compile(r"[-+]?[0-9]+(?:[.,' _][0-9]+)+")


class NumberFormatError(ValueError):
    """A text or a value that is no number, or could be two; `key` and `fields` make its message."""

    def __init__(self, key: str, **fields: Any) -> None:
        super().__init__(key)
        self.key = key
        self.fields = fields

    def text(self, language: str = "en") -> str:
        """What is wrong, and how to write the number."""
        return messages.text(self.key, language, **self.fields)

    def __str__(self) -> str:
        return self.text()


def parse_number(text: str, decimal: str | None = None) -> float:
    """Read one number as people type it: `120 000 000`, `1.234,56`, `20%` (0.2), `1.2亿`, `(1,200)` (-1200).

    `decimal` is the decimal sign, "," or ".", when it is known; without it the rule of this module holds
    (`1,234` is 1234, `0,150` is 0.15). Raises `NumberFormatError` for everything else.
    """
    return _chosen(text, decimal)[0]


def number_from_yaml(value: object) -> float:
    """The number of a plan file: an int or a float as it is, a text by `parse_number`.

    Raises `NumberFormatError` (a ValueError, so that pydantic keeps it as `ctx["error"]`) for yes and no,
    NaN, infinity, nothing, lists and mappings.
    """
    if isinstance(value, str):
        return parse_number(value)
    return _native(value)


def parse_column(
    cells: Sequence[object], decimal: str | None = None, *, comma_likely: bool = False
) -> tuple[FloatArray, list[int]]:
    """Read a whole column (rows,): the numbers with NaN for blanks, and the positions that cannot be read.

    Blank is None or white space. A native NaN or infinity cannot be read. Without `decimal` a cell that has
    two readings (`1,234`) cannot be read when another cell of the column can only have a decimal comma
    (`12,5`), or when `comma_likely` says so of the file and no cell can only have a decimal point.
    `column_problem` says in words what is wrong with a cell. Raises `NumberFormatError` for a `decimal` that
    is none.
    """
    if decimal not in (None, ",", "."):
        raise NumberFormatError("io.number_decimal_sign", text=decimal)
    if not cells:
        return np.zeros(0), []
    quick = _quick_column(cells, decimal, comma_likely)
    if quick is not None:
        return quick, []
    return _careful_column(cells, decimal, comma_likely)


def column_problem(cell: object, decimal: str | None = None) -> NumberFormatError:
    """Why `parse_column` could not read this cell."""
    if not isinstance(cell, str):
        try:
            _native(cell)
        except NumberFormatError as error:
            return error
        return NumberFormatError("io.number_unreadable", text=str(cell))
    try:
        point, comma = _readings(cell, decimal)
    except NumberFormatError as error:
        return error
    return _ambiguous(cell, point, comma)


def text_among_numbers(cells: Sequence[object]) -> list[int]:
    """Positions of text cells in a column that holds native numbers too ("number as text")."""
    texts = [at for at, cell in enumerate(cells) if isinstance(cell, str) and cell.strip()]
    blanks = sum(1 for cell in cells if cell is None or (isinstance(cell, str) and not cell.strip()))
    return texts if len(texts) + blanks < len(cells) else []


def _clean(text: str) -> str:
    return text.translate(_INVISIBLE).translate(_SAME).strip()


def _readings(text: str, decimal: str | None) -> tuple[float | None, float | None]:
    """The number with a decimal point and with a decimal comma, None where it cannot be read so.

    Only the reading that `decimal` allows is given when it is known. Raises when there is none.
    """
    if decimal not in (None, ",", "."):
        raise NumberFormatError("io.number_decimal_sign", text=str(decimal))
    clean = _clean(text)
    dress = _DRESSED.fullmatch(clean)
    if dress is None or _contradicts_itself(dress):
        raise _unreadable(text, clean)
    point, comma = (_strict(dress, sign) for sign in (".", ","))
    if point is None and comma is None:
        raise _unreadable(text, clean)
    if decimal is not None:
        point, comma = (point, None) if decimal == "." else (None, comma)
        if point is None and comma is None:
            raise NumberFormatError("io.number_wrong_sign", text=text, decimal=decimal)
    if any(value is not None and not math.isfinite(value) for value in (point, comma)):
        raise NumberFormatError("io.number_not_finite", text=text)
    return point, comma


def _contradicts_itself(dress: re.Match[str]) -> bool:
    """Two minus signs, two currencies, or a percent of thousands or of money."""
    signs = sum(bool(part) for part in (dress["sign"], dress["inner"], dress["open"]))
    return bool(
        signs > 1
        or bool(dress["open"]) != bool(dress["close"])
        or (dress["before"] and dress["after"])
        or (dress["percent"] and (dress["scale"] or dress["before"] or dress["after"]))
    )


def _strict(dress: re.Match[str], decimal: str) -> float | None:
    """The number if `decimal` is the decimal sign, None if it cannot be."""
    core = dress["core"].strip()
    if _CORES[decimal].fullmatch(core) is None:
        return None
    digits = core.translate(_NOT_DIGITS[decimal])
    power = _POWERS.get(dress["scale"] or "", 0) - (2 if dress["percent"] else 0)
    value = float(Decimal(digits).scaleb(power)) if power else float(digits)
    return -value if dress["sign"] == "-" or dress["inner"] or dress["open"] else value


def _chosen(text: str, decimal: str | None) -> tuple[float, Reading]:
    """The number by the rule of this module, and which readings there are."""
    point, comma = _readings(text, decimal)
    if point is None or comma is None:
        value = point if comma is None else comma
        assert value is not None  # `_readings` raises when there is no reading
        return value, "point" if comma is None else "comma"
    if point == comma:
        return point, "same"
    if _comma_is_likely(text):
        raise _ambiguous(text, point, comma)
    return point, "both"


def _comma_is_likely(text: str) -> bool:
    clean = _clean(text)
    return "," in clean and any(word in clean for word in _COMMA_WORDS)


def _native(value: object) -> float:
    if isinstance(value, (bool, np.bool_)):
        raise NumberFormatError("io.number_yes_no", text=str(value).lower())
    if isinstance(value, (datetime.date, datetime.time)):
        raise NumberFormatError("io.number_date", text=str(value).removesuffix(" 00:00:00"))
    if not isinstance(value, (int, float, Decimal, np.integer, np.floating)):
        raise NumberFormatError("io.number_unreadable", text="" if value is None else str(value))
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise NumberFormatError("io.number_not_finite", text=str(value))
    return number


def _unreadable(text: str, clean: str) -> NumberFormatError:
    """The most telling message for a text that has no reading."""
    if not clean:
        return NumberFormatError("io.number_blank")
    if _TIME.fullmatch(clean):
        return NumberFormatError("io.number_time", text=text)
    if _NOT_FINITE.fullmatch(clean):
        return NumberFormatError("io.number_not_finite", text=text)
    if _NO_NUMBER.fullmatch(clean):
        return NumberFormatError("io.number_none", text=text)
    if _GROUPS.fullmatch(clean):
        return NumberFormatError("io.number_groups", text=text)
    return NumberFormatError("io.number_unreadable", text=text)


def _ambiguous(text: str, point: float | None, comma: float | None) -> NumberFormatError:
    return NumberFormatError("io.number_ambiguous", text=text, first=_plain(point), second=_plain(comma))


def _plain(value: float | None) -> str:
    """A number that has one reading; three decimals get a fourth, as they could be thousands."""
    text = f"{value:.12g}"
    return f"{text}0" if len(text.partition(".")[2]) == 3 else text


def _quick_column(cells: Sequence[object], decimal: str | None, comma_likely: bool) -> FloatArray | None:
    """The column when all of it is native numbers, or texts without ornament; None when it is not."""
    kinds = set(map(type, cells))
    if kinds <= {int, float}:
        try:
            values = np.array(cells, dtype=np.float64)
        except OverflowError:
            return None
        return values if np.isfinite(values).all() else None
    if kinds != {str}:
        return None
    joined = "\n".join(str(cell) for cell in cells).translate(_SAME)
    signs: tuple[str, ...] = (".", ",") if decimal is None else (decimal,)
    if decimal is None and _TWOFOLD.search(joined) is not None:
        signs = () if comma_likely else (".",)
    for sign in signs:
        texts = _bare_digits(joined, sign)
        if texts is not None:
            return _floats(texts, len(cells))
    return None


def _bare_digits(joined: str, decimal: str) -> list[str] | None:
    """The lines as Python writes numbers, if each is one with this decimal sign; None if some is not."""
    if decimal == "." and _PLAIN.issuperset(joined) and ".\n" not in joined + "\n":
        return joined.split("\n")
    lines = joined.count("\n") + 1
    if not _GROUPED.issuperset(joined) or sum(1 for _ in _LINES[decimal].finditer(joined)) != lines:
        return None
    return joined.translate(_NOT_DIGITS[decimal]).split("\n")


def _floats(texts: list[str], length: int) -> FloatArray | None:
    try:
        values = np.array([float(text) if text else math.nan for text in texts], dtype=np.float64)
    except ValueError:
        return None
    return values if len(values) == length and not np.isinf(values).any() else None


def _careful_column(
    cells: Sequence[object], decimal: str | None, likely: bool
) -> tuple[FloatArray, list[int]]:
    values = np.full(len(cells), np.nan)
    unreadable: list[int] = []
    twofold: list[int] = []
    seen: dict[str, tuple[float, Reading] | None] = {}
    for at, cell in enumerate(cells):
        if cell is None or (isinstance(cell, str) and not cell.strip()):
            continue
        read = _read_cell(cell, decimal, seen)
        if read is None:
            unreadable.append(at)
            continue
        values[at], reading = read
        if reading == "both":
            twofold.append(at)
    found = {read[1] for read in seen.values() if read is not None}
    if twofold and ("comma" in found or (likely and "point" not in found)):
        unreadable = sorted(unreadable + twofold)
        values[twofold] = np.nan
    return values, unreadable


def _read_cell(
    cell: object, decimal: str | None, seen: dict[str, tuple[float, Reading] | None]
) -> tuple[float, Reading] | None:
    """The number of a cell and which readings it has; None when it cannot be read."""
    if isinstance(cell, str) and cell in seen:
        return seen[cell]
    try:
        read = _chosen(cell, decimal) if isinstance(cell, str) else (_native(cell), "same")
    except NumberFormatError:
        read = None
    if isinstance(cell, str):
        seen[cell] = read
    return read


def decimal_signs(texts: Sequence[str]) -> tuple[bool, bool]:
    """Whether some text can only have a decimal comma (`12,5`), and whether some can only have a point.

    A quick look at whole lines, for a hint about a file; plain words are never taken for numbers.
    """
    joined = "\n".join(texts)
    return (
        "," in joined and _ONLY[","].search(joined) is not None,
        "." in joined and _ONLY["."].search(joined) is not None,
    )
