"""The exceptions of the planning layer: a message key with its fields, said in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

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


@runtime_checkable
class Spoken(Protocol):
    """What can be said in a language: a place, a phrase, an error, a finding."""

    def text(self, language: str, /) -> str:
        """The words in a language."""


@dataclass(frozen=True)
class Phrase:
    """Words inside a message, said in the language of the message: `key` names them."""

    key: str

    def text(self, language: str = "en") -> str:
        """The words in a language."""
        return messages.text(self.key, language)


def said(fields: Mapping[str, Any], language: str) -> dict[str, Any]:
    """The fields of a message in a language: what can be said is said, everything else stays as it is."""
    return {
        name: field.text(language) if isinstance(field, Spoken) else field for name, field in fields.items()
    }


class ApportionError(Exception):
    """Base of everything that a planner can read. `key` names the message, `fields` fill it in.

    A field that is `Spoken` is said in the language of the message.
    """

    exit_code = 6

    def __init__(self, key: str, place: Place | None = None, **fields: Any) -> None:
        super().__init__(key)
        self.key = key
        self.place = place or Place()
        self.fields = fields

    def text(self, language: str = "en") -> str:
        """The place, what is wrong, and the way out."""
        place = self.place.text(language)
        sentence = messages.text(self.key, language, **said(self.fields, language)).rstrip()
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
