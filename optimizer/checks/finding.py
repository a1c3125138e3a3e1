"""One thing that a check of a plan found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from optimizer import messages
from optimizer.errors import InputError, Place, said
from optimizer.model.context import Context
from optimizer.model.families.rules import RuleRows
from optimizer.plan.inputs import Inputs

Level = Literal["error", "warning", "info"]

_GROUPED_FROM = 1000
_NAMES_SHOWN = 5


@dataclass(frozen=True)
class Finding:
    """What is wrong or worth knowing.

    `error`: no plan can exist, or none that could be used; `warning`: the plan will fall short of something
    that was asked, or leaves something out; `info`: worth a look.

    `key` names the sentence and `fields` fill it in; numbers stay numbers, so that programs can read them.
    """

    level: Level
    key: str
    fields: Mapping[str, Any] = field(default_factory=dict)
    place: Place = field(default_factory=Place)

    def text(self, language: str = "en") -> str:
        """The place, what is wrong, and the way out."""
        shown = {
            name: number(value) if isinstance(value, float) else value
            for name, value in said(self.fields, language).items()
        }
        sentence = messages.text(self.key, language, **shown)
        place = self.place.text(language)
        return f"{place}: {sentence}" if place else sentence


@dataclass(frozen=True)
class Checked:
    """What the checks read: the plan's numbers, expressions over its cells, and its rules as rows."""

    inputs: Inputs
    context: Context
    rows: tuple[RuleRows, ...]


def from_error(error: InputError, place: Place | None = None) -> Finding:
    """An input error as a finding; `place` stands in where the error does not know its own."""
    own = error.place if error.place != Place() else place or Place()
    return Finding("error", error.key, error.fields, own)


def number(value: float) -> str:
    """A number as people read it in every language: `120 000 000`, `0.35`."""
    if np.isfinite(value) and abs(value) >= _GROUPED_FROM:
        return f"{value:,.0f}".replace(",", "\N{NO-BREAK SPACE}")
    return f"{value:.4g}"


def listed(names: list[str]) -> str:
    """The first names of a list, and how many there are."""
    shown = ", ".join(names[:_NAMES_SHOWN])
    return f"{shown} ... ({len(names)})" if len(names) > _NAMES_SHOWN else shown


def member_phrase(label: Sequence[str]) -> str:
    """The member of a rule behind its name, ` (West)`; nothing for a rule without members."""
    return f" ({'/'.join(label)})" if label else ""
