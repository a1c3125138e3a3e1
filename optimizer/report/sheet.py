"""What every section of a page is given: the solution, the paper, and the reader's language."""

from __future__ import annotations

import math
from dataclasses import dataclass

from optimizer import messages
from optimizer.errors import InputError
from optimizer.report import numbers
from optimizer.report.layout import Column, Paper
from optimizer.report.words import figure, unit_word, with_unit
from optimizer.result.evaluate import figures
from optimizer.result.rows import Row
from optimizer.result.solution import Solution


@dataclass(frozen=True)
class Sheet:
    """A page in the making."""

    solution: Solution
    paper: Paper
    language: str
    rows: tuple[Row, ...] = ()
    """Every rule as it came out, balance rules included."""

    def say(self, name: str, /, **fields: object) -> str:
        """A sentence of the page in the reader's language."""
        return messages.text(f"report.{name}", self.language, **fields)

    def column(self, name: str, number: bool = False) -> Column:
        """A column of a table under the heading `report.head_<name>`."""
        return Column(self.say(f"head_{name}"), number)

    def figure(self, value: float | None, unit: str) -> str:
        """A value without its unit; shares in percent."""
        return figure(value, unit, self.language)

    def with_unit(self, value: float | None, unit: str) -> str:
        """A value with its unit: `4.47 M CNY`."""
        return with_unit(self.solution, value, unit, self.language)

    def percent(self, share: float | None, decimals: int = 1, sign: bool = False) -> str:
        """A share in percent."""
        return numbers.percent(share, self.language, decimals, sign)

    @property
    def money(self) -> str:
        """The plan's currency, or the word for money where it has none."""
        return unit_word(self.solution, "currency", self.language) or self.say("unit_currency")


def known_figure(sheet: Sheet, metric: str) -> float | None:
    """A figure of the whole company; None where the tables do not allow it, or for a ratio of nothing."""
    try:
        value = figures(sheet.solution, metric, [])[0][1]
    except InputError:
        return None
    return value if math.isfinite(value) else None
