"""What a column of a table is: name, kind, unit and bounds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["label", "number", "money", "date", "yes_no", "choice", "profile"]
Extra = Literal[
    "dimensions",
    "market_keys",
    "seller_and_market_keys",
    "marketing_keys",
    "marketing_and_market_keys",
    "any_keys",
    "effect_keys",
    "none",
]


@dataclass(frozen=True)
class Column:
    """One column. `money` columns are multiplied by `amounts_in`; `profile` names a row set of `profiles`."""

    name: str
    kind: Kind
    unit: str = ""
    low: float | None = None
    high: float | None = None
    required: bool = False
    choices: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True)
class TableColumns:
    """The columns of one table; `extra` says what any further column is."""

    name: str
    keys: tuple[str, ...]
    extra: Extra
    columns: tuple[Column, ...]

    def column(self, name: str) -> Column | None:
        """The column of this name or alias, or None."""
        for column in self.columns:
            if name == column.name or name in column.aliases:
                return column
        return None


def number(name: str, unit: str, low: float | None = 0.0, high: float | None = None, *aliases: str) -> Column:
    """A column of numbers in this unit, 0 or more unless the bounds say otherwise."""
    return Column(name, "number", unit, low, high, aliases=aliases)


def money(name: str, unit: str, low: float | None = 0.0, *aliases: str) -> Column:
    """A column of money, which `amounts_in` multiplies."""
    return Column(name, "money", unit, low, aliases=aliases)
