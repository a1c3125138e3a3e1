"""Numbers as people type them: read, or refused with the way to write them, never misread.

A text is read twice, once with a decimal point and once with a decimal comma. Where only one reading is
possible (`12,5`, `0,150`, `1.234,56`, `1 234 567`), that is the number. Where both are possible and differ,
the decimal point is taken: `1,234` is 1234 and `1.234` is 1.234. It is refused instead when something
speaks for the decimal comma: a column with `12,5` beside it, a text with %, тыс., млн, млрд, € or ₽.
`decimal` ("," or ".") settles it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import numpy as np
from numpy.typing import NDArray

from optimizer import messages

FloatArray = NDArray[np.float64]

_SAME = {ord(wide): plain for wide, plain in zip("０１２３４５６７８９，．％－＋（）￥", "0123456789,.%-+()¥", strict=True)}
_SAME |= dict.fromkeys(map(ord, "\u00a0\u202f\u2007\u2008\u2009\u200a\u3000\t"), " ")
_SAME |= dict.fromkeys(map(ord, "\u2212\u2013\u2012\ufe63"), "-")
_SAME |= dict.fromkeys(map(ord, "\u2019\u2018\u02bc"), "'")
_INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200e\u200f\u202a\u202c\u2060\ufeff"))
"""Characters of other keyboards that mean the same, and marks that nobody sees."""

_SCALES = {
    "千": 1e3, "万": 1e4, "萬": 1e4, "百万": 1e6, "千万": 1e7, "亿": 1e8, "億": 1e8,
    "тыс": 1e3, "тыс.": 1e3, "млн": 1e6, "млн.": 1e6, "млрд": 1e9, "млрд.": 1e9,
    "k": 1e3, "K": 1e3, "M": 1e6, "mln": 1e6, "million": 1e6, "bn": 1e9, "billion": 1e9,
}  # fmt: skip
_CURRENCIES = ("¥", "$", "€", "£", "₽", "元", "руб.", "руб", "р.", "CNY", "RMB", "USD", "EUR", "RUB")
_COMMA_WORDS = ("%", "€", "₽", "руб.", "руб", "р.", "EUR", "RUB", "тыс", "тыс.", "млн", "млн.", "млрд", "млрд.")
"""Words beside which a comma is likely to be the decimal sign."""


def _either(words: Sequence[str]) -> str:
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))


_DRESSED = re.compile(
    rf"(?P<open>\()? *(?P<sign>[-+])? *(?P<before>{_either(_CURRENCIES)})? *(?P<inner>-)? *"
    rf"(?P<core>[0-9.,'_ ]*[0-9](?:[eE][-+]?[0-9]{{1,3}})?) *(?P<scale>{_either(tuple(_SCALES))})? *"
    rf"(?P<after>{_either(_CURRENCIES)})? *(?P<percent>%)? *(?P<close>\))?"
)


def _core_pattern(decimal: str, group: str) -> re.Pattern[str]:
    threes = rf"[1-9][0-9]{{0,2}}([ '{group}])[0-9]{{3}}(?:\1[0-9]{{3}})*"
    underscored = r"[1-9][0-9]{0,2}(?:_[0-9]{3})+|[1-9][0-9]{0,3}(?:_[0-9]{4})+"
    sign = re.escape(decimal)
    return re.compile(rf"(?:[0-9]+|{threes}|{underscored})?(?:{sign}[0-9]+)?|[0-9]*{sign}?[0-9]+[eE][-+]?[0-9]{{1,3}}")


_CORES = {".": _core_pattern(".", ","), ",": _core_pattern(",", ".")}
_NOT_DIGITS = {".": str.maketrans("", "", " ',_"), ",": str.maketrans(",", ".", " '._")}
_PLAIN = frozenset("0123456789.-+eE\n")
_TIME = re.compile(r"[0-9]{1,2}(?::[0-9]{2}){1,2}")
_NOT_FINITE = re.compile(r"[-+.]*(?:nan|inf|infinity)", re.IGNORECASE)
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
    value, other = _readings(text, decimal)
    if other is not None and _comma_is_likely(text):
        raise _ambiguous(text, value, other)
    return value


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
    `column_problem` says in words what is wrong with a cell.
    """
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
        value, other = _readings(cell, decimal)
    except NumberFormatError as error:
        return error
    return _ambiguous(cell, value, value if other is None else other)


def text_among_numbers(cells: Sequence[object]) -> list[int]:
    """Positions of text cells in a column that holds native numbers too (a spreadsheet's "number as text")."""
    texts = [at for at, cell in enumerate(cells) if isinstance(cell, str) and cell.strip()]
    blanks = sum(1 for cell in cells if cell is None or (isinstance(cell, str) and not cell.strip()))
    return texts if len(texts) + blanks < len(cells) else []


def _clean(text: str) -> str:
    return text.translate(_INVISIBLE).translate(_SAME).strip()


def _readings(text: str, decimal: str | None) -> tuple[float, float | None]:
    """The number by the rule, and the other reading where there is one that differs."""
    clean = _clean(text)
    if decimal not in (None, ",", "."):
        raise NumberFormatError("io.number_decimal_sign", text=str(decimal))
    dress = _DRESSED.fullmatch(clean)
    if dress is None or bool(dress["open"]) != bool(dress["close"]):
        raise _unreadable(text, clean)
    factor = _factor(dress)
    core = dress["core"].strip()
    found = [_strict(core, sign) for sign in (".", ",")]
    if decimal is not None:
        chosen = found[0] if decimal == "." else found[1]
        if chosen is None:
            raise _wrong_sign(text, clean, decimal, found)
        return _finite(chosen * factor, text), None
    known = [value for value in found if value is not None]
    if not known or factor == 0:
        raise _unreadable(text, clean)
    other = known[1] * factor if len(known) == 2 and known[0] != known[1] else None
    return _finite(known[0] * factor, text), other


def _factor(dress: re.Match[str]) -> float:
    """Sign, scale word and percent together; 0 where they contradict each other."""
    signs = [dress["sign"] == "-", bool(dress["inner"]), bool(dress["open"])]
    doubled = sum(signs) > 1 or (dress["sign"] and dress["inner"])
    if doubled or (dress["before"] and dress["after"]) or (dress["percent"] and (dress["scale"] or dress["before"])):
        return 0.0
    factor = _SCALES.get(dress["scale"] or "", 1.0) * (0.01 if dress["percent"] else 1.0)
    return -factor if any(signs) else factor


def _strict(core: str, decimal: str) -> float | None:
    """The number if `decimal` is the decimal sign, None if it cannot be."""
    if _CORES[decimal].fullmatch(core) is None:
        return None
    return float(core.translate(_NOT_DIGITS[decimal]))


def _comma_is_likely(text: str) -> bool:
    clean = _clean(text)
    return "," in clean and any(word in clean for word in _COMMA_WORDS)


def _finite(value: float, text: str) -> float:
    if not math.isfinite(value):
        raise NumberFormatError("io.number_not_finite", text=text)
    return value


def _native(value: object) -> float:
    if isinstance(value, (bool, np.bool_)):
        raise NumberFormatError("io.number_yes_no", text=str(value).lower())
    if not isinstance(value, (int, float, Decimal, np.integer, np.floating)):
        raise NumberFormatError("io.number_unreadable", text="" if value is None else str(value))
    try:
        return _finite(float(value), str(value))
    except OverflowError:
        raise NumberFormatError("io.number_not_finite", text=str(value)) from None


def _unreadable(text: str, clean: str) -> NumberFormatError:
    """The most telling message for a text that has no reading."""
    if not clean:
        return NumberFormatError("io.number_blank")
    if _TIME.fullmatch(clean):
        return NumberFormatError("io.number_time", text=text)
    if _NOT_FINITE.fullmatch(clean):
        return NumberFormatError("io.number_not_finite", text=text)
    if _GROUPS.fullmatch(clean):
        return NumberFormatError("io.number_groups", text=text)
    return NumberFormatError("io.number_unreadable", text=text)


def _wrong_sign(text: str, clean: str, decimal: str, found: list[float | None]) -> NumberFormatError:
    if any(value is not None for value in found):
        return NumberFormatError("io.number_wrong_sign", text=text, decimal=decimal)
    return _unreadable(text, clean)


def _ambiguous(text: str, value: float, other: float) -> NumberFormatError:
    return NumberFormatError("io.number_ambiguous", text=text, first=f"{value:.12g}", second=f"{other:.12g}")


def _quick_column(cells: Sequence[object], decimal: str | None, comma_likely: bool) -> FloatArray | None:
    """The column when all of it is native numbers, or plain texts such as `-12.5`; None when it is not."""
    kinds = set(map(type, cells))
    if kinds <= {int, float}:
        try:
            values = np.array(cells, dtype=np.float64)
        except OverflowError:
            return None
        return values if np.isfinite(values).all() else None
    if kinds != {str}:
        return None
    joined = "\n".join(cells)  # type: ignore[arg-type]  # every cell is a str, as `kinds` says
    if decimal == ",":
        if "." in joined:
            return None
        joined = joined.replace(",", ".")
    if not _PLAIN.issuperset(joined) or (comma_likely and decimal is None and "." in joined):
        return None
    try:
        values = np.array([float(text) if text else math.nan for text in joined.split("\n")], dtype=np.float64)
    except ValueError:
        return None
    return values if len(values) == len(cells) and not np.isinf(values).any() else None


def _careful_column(cells: Sequence[object], decimal: str | None, likely: bool) -> tuple[FloatArray, list[int]]:
    values = np.full(len(cells), np.nan)
    unreadable: list[int] = []
    twofold: list[int] = []
    seen: dict[str, tuple[float, bool] | None] = {}
    for at, cell in enumerate(cells):
        if cell is None or (isinstance(cell, str) and not cell.strip()):
            continue
        read = _read_cell(cell, decimal, seen)
        if read is None:
            unreadable.append(at)
            continue
        values[at], two_readings = read
        if two_readings:
            twofold.append(at)
    if twofold:
        comma, point = decimal_signs(seen)
        if comma or (likely and not point):
            unreadable = sorted(unreadable + twofold)
            values[twofold] = np.nan
    return values, unreadable


def _read_cell(
    cell: object, decimal: str | None, seen: dict[str, tuple[float, bool] | None]
) -> tuple[float, bool] | None:
    """The number of a cell and whether it has another reading; None when it cannot be read."""
    if isinstance(cell, str):
        if cell not in seen:
            try:
                value, other = _readings(cell, decimal)
                seen[cell] = None if other is not None and _comma_is_likely(cell) else (value, other is not None)
            except NumberFormatError:
                seen[cell] = None
        return seen[cell]
    try:
        return _native(cell), False
    except NumberFormatError:
        return None


_ONLY_COMMA = re.compile(
    r"^[^\n0-9a-zA-Z]*(?:[0-9]+,(?:[0-9]{1,2}|[0-9]{4,})|0,[0-9]+|[0-9]{4,},[0-9]+"
    r"|[0-9]{1,3}(?:[. '\u00a0\u202f\u2009][0-9]{3})+,[0-9]+|[0-9]{1,3}(?:\.[0-9]{3}){2,})(?![0-9,.])[^\n0-9]*$",
    re.MULTILINE,
)
_ONLY_POINT = re.compile(
    r"^[^\n0-9a-zA-Z]*(?:[0-9]*\.(?:[0-9]{1,2}|[0-9]{4,})|0\.[0-9]+|[0-9]{4,}\.[0-9]+"
    r"|[0-9]{1,3}(?:[, '\u00a0\u202f\u2009][0-9]{3})+\.[0-9]+|[0-9]{1,3}(?:,[0-9]{3}){2,})(?![0-9,.])[^\n0-9]*$",
    re.MULTILINE,
)


def decimal_signs(texts: Sequence[str] | dict[str, Any]) -> tuple[bool, bool]:
    """Whether some text can only have a decimal comma (`12,5`), and whether some can only have a point."""
    joined = "\n".join(texts)
    comma = "," in joined or "." in joined
    return (
        comma and _ONLY_COMMA.search(joined) is not None,
        comma and _ONLY_POINT.search(joined) is not None,
    )
