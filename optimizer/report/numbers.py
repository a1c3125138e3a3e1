"""Numbers as people of a language write them. Pages are rounded; tables carry full numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass

UNKNOWN = "–"
_NARROW_GAP = "\u00a0"

_GROUP = {"en": ",", "ru": _NARROW_GAP, "zh": ","}
_POINT = {"en": ".", "ru": ",", "zh": "."}
_STEPS = {
    "en": ((1e9, "bn"), (1e6, "M"), (1e3, "k")),
    "ru": ((1e9, "млрд"), (1e6, "млн"), (1e3, "тыс.")),
    "zh": ((1e8, "亿"), (1e4, "万")),
}
_PLAIN_BELOW = 10_000.0
"""Numbers below are written out."""


@dataclass(frozen=True)
class Step:
    """A common step of a column of numbers: `size` in units, `word` for it, `decimals` shown."""

    size: float
    word: str
    decimals: int


def number(value: float | None, language: str, decimals: int = 0) -> str:
    """A number with groups of thousands: `12,345.6`, `12 345,6`; a dash for nothing."""
    if value is None or not math.isfinite(value):
        return UNKNOWN
    text = f"{value:,.{decimals}f}"
    if float(text.replace(",", "")) == 0.0:
        text = text.lstrip("-")
    return text.translate({ord(","): _GROUP[language], ord("."): _POINT[language]})


def tiny(value: float, language: str) -> str:
    """A probability to two digits however small: `0.0012`, `2,1e-49`."""
    return f"{value:.2g}".replace(".", _POINT[language])


@dataclass(frozen=True)
class Written:
    """A number inside a message, written as the language of the message does."""

    value: float

    def text(self, language: str, /) -> str:
        """The number with groups of thousands."""
        return number(self.value, language)


def amount(value: float | None, language: str) -> str:
    """A number to four digits with the language's word for its size: `12.35 M`, `12,35 млн`, `1,235万`.

    Zeros at the end of the decimals are left out.
    """
    if value is None or not math.isfinite(value):
        return UNKNOWN
    size = abs(value)
    if size >= _PLAIN_BELOW:
        for step, word in _STEPS[language]:
            # What would be rounded up to the next step is written in it: 1 M, not 1,000 k.
            if size >= step * 0.99995:
                return _four_digits(value / step, language) + _gap(language) + word
    return _four_digits(value, language)


def _four_digits(value: float, language: str) -> str:
    if value == 0.0:
        return "0"
    decimals = max(0, min(6, 3 - math.floor(math.log10(abs(value)) + 1e-9)))
    rounded = round(value, decimals)
    return number(rounded, language, next(n for n in range(decimals + 1) if round(rounded, n) == rounded))


def _gap(language: str) -> str:
    return "" if language == "zh" else _NARROW_GAP if language == "ru" else " "


def percent(share: float | None, language: str, decimals: int = 1, sign: bool = False) -> str:
    """A share in percent: `12.5 %`; with `sign`, `+20 %`. Zeros after the point are left out."""
    if share is None or not math.isfinite(share):
        return UNKNOWN
    rounded = round(share * 100.0, decimals)
    shown = next(count for count in range(decimals + 1) if round(rounded, count) == rounded)
    text = number(rounded, language, shown)
    plus = "+" if sign and rounded > 0 else ""
    return f"{plus}{text}%" if language == "zh" else f"{plus}{text}{_gap(language)}%"


def signed(text: str, value: float) -> str:
    """The text with a plus in front when the number is positive."""
    return f"+{text}" if value > 0 and text != UNKNOWN else text


def common_step(largest: float, language: str) -> Step:
    """The step in which a table with this largest number is written: four to five digits for it."""
    for size, word in _STEPS[language]:
        if largest >= 10 * size:
            return Step(size, word, 0 if largest >= 1000 * size else 2)
    return Step(1.0, "", 0 if largest >= 1000 else 1 if largest >= 100 else 2)
