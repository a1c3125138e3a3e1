"""The exceptions of the planning layer: a message key with its fields, said in the reader's language."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from optimizer import messages


@dataclass(frozen=True)
class Place:
    """Where in the planner's files something stands; unknown parts are None. Rows and lines count from 1
    as a spreadsheet or an editor shows them."""

    file: str | None = None
    sheet: str | None = None
    row: int | None = None
    line: int | None = None
    column: str | None = None
    value: str | None = None

    def text(self, language: str = "en") -> str:
        """`markets.csv, row 7, column price, value "abc"`; empty when nothing is known."""
        parts = [] if self.file is None else [self.file]
        for name in ("sheet", "line", "row", "column", "value"):
            part = getattr(self, name)
            if part is not None:
                parts.append(messages.text(f"place.{name}", language, **{name: part}))
        return ", ".join(parts)


class ApportionError(Exception):
    """Base of everything that a planner can read. `key` names the message, `fields` fill it in."""

    exit_code = 6

    def __init__(self, key: str, place: Place | None = None, **fields: Any) -> None:
        super().__init__(key)
        self.key = key
        self.place = place or Place()
        self.fields = fields

    def text(self, language: str = "en") -> str:
        """The place, what is wrong, and the way out."""
        place = self.place.text(language)
        sentence = messages.text(self.key, language, **self.fields)
        return f"{place}: {sentence}" if place else sentence

    def __str__(self) -> str:
        return self.text()


class InputError(ApportionError):
    """A file, a table, a rule or an option cannot be used as it stands."""

    exit_code = 3


class NoPlanError(ApportionError):
    """The must-rules contradict each other, so no plan exists."""

    exit_code = 4


class LimitReachedError(ApportionError):
    """A limit or an interruption came before the first plan."""

    exit_code = 5


class SolverFailedError(ApportionError):
    """The solver failed, or its answer did not pass our own check."""

    exit_code = 6
