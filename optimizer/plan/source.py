"""Where each entry of a plan was written, so that every message can name its file and line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from optimizer.errors import Place

KeyPath = tuple[str | int, ...]


@dataclass(frozen=True)
class Source:
    """The plan file, the line of each key, and the places of rules that stand in files of their own."""

    file: str = "plan.yaml"
    lines: Mapping[KeyPath, int] = field(default_factory=dict)
    places: Mapping[KeyPath, Place] = field(default_factory=dict)
    """Place of an entry that was not written in the plan file: ("targets", 3) -> targets.csv, row 5."""

    def place(self, path: KeyPath, value: object = None) -> Place:
        """The place of an entry, or of the nearest entry around it."""
        shown = None if value is None or isinstance(value, dict | list) else str(value)
        around = path
        while around:
            if around in self.places:
                return _in_file(self.places[around], path[len(around) :], shown)
            if around in self.lines:
                break
            around = around[:-1]
        return Place(file=self.file, line=self.lines.get(around), value=shown)


def key_text(path: KeyPath) -> str:
    """A path as a planner reads it, entries of a list counted from 1: `targets[2].at_least`."""
    text = ""
    for part in path:
        text += f"[{part + 1}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def _in_file(place: Place, rest: KeyPath, value: str | None) -> Place:
    column = str(rest[-1]) if rest else None
    return Place(file=place.file, sheet=place.sheet, row=place.row, column=column, value=value)
