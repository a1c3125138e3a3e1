"""Two plan files compared key by key, rules and quotas by name; each difference can be put in by itself."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from optimizer.plan.load import Content
from optimizer.plan.schema import PlanSpec
from scenarios.applied import ADDED, PRESENT, REMOVED, Applied
from scenarios.plankeys import NAMED_LISTS

LISTS = tuple(key for lists in NAMED_LISTS.values() for key in lists)
IGNORED = ("name", "language")
"""Keys that change no answer."""
_MISSING = object()


@dataclass(frozen=True)
class KeyPiece:
    """One key of the plan file, or one entry of a list of rules, that differs."""

    key: str
    entry: str
    """Name of the rule or quota; empty for a key by itself."""
    old: Any
    new: Any
    """`None` of an entry: it is not there."""

    @property
    def name(self) -> str:
        """`targets: Year`, or the key."""
        return f"{self.key}: {self.entry}" if self.entry else self.key

    def applied(self) -> tuple[Applied, ...]:
        """Every leaf that differs, old -> new."""
        if self.entry and self.old is None:
            return (_line(self.name, None, ADDED),)
        if self.entry and self.new is None:
            return (_line(self.name, PRESENT, REMOVED),)
        return tuple(_leaves(self.name, self.old, self.new))

    def put_in(self, data: Mapping[str, Any], names: Mapping[str, Sequence[str]]) -> dict[str, Any]:
        """A copy of a plan file's content with this difference in it; `names` are those of its lists."""
        changed = copy.deepcopy(dict(data))
        if not self.entry:
            if self.new is None:
                changed.pop(self.key, None)
            else:
                changed[self.key] = self.new
            return changed
        entries = list(_entries(changed.get(self.key)))
        if self.old is None:
            entries.append(self.new)
        else:
            at = list(names[self.key]).index(self.entry)
            entries[at : at + 1] = [] if self.new is None else [self.new]
        changed[self.key] = entries
        return changed


def entry_names(spec: PlanSpec) -> dict[str, list[str]]:
    """Names of the entries of every list of rules and quotas."""
    return {
        key: [entry.name or f"#{at + 1}" for at, entry in enumerate(getattr(spec, key) or [])]
        for key in LISTS
    }


def key_pieces(old: Content, new: Content, specs: tuple[PlanSpec, PlanSpec]) -> list[KeyPiece]:
    """Every key and every entry that differs between two plan files."""
    found = []
    names = tuple(entry_names(spec) for spec in specs)
    for key in dict.fromkeys([*old.data, *new.data]):
        before, after = old.data.get(key), new.data.get(key)
        if key in IGNORED or before == after:
            continue
        if key not in LISTS:
            found.append(KeyPiece(key, "", before, after))
            continue
        left = dict(zip(names[0][key], _entries(before), strict=True))
        right = dict(zip(names[1][key], _entries(after), strict=True))
        found += [
            KeyPiece(key, name, left.get(name), right.get(name))
            for name in dict.fromkeys([*left, *right])
            if left.get(name) != right.get(name)
        ]
    return found


def _entries(value: Any) -> list[Any]:
    """A list of entries; one entry alone may stand without a list."""
    return [] if value is None else [value] if isinstance(value, dict) else list(value)


def _leaves(name: str, old: Any, new: Any) -> list[Applied]:
    if isinstance(old, dict) and isinstance(new, dict):
        return [
            line
            for key in dict.fromkeys([*old, *new])
            if old.get(key, _MISSING) != new.get(key, _MISSING)
            for line in _leaves(f"{name}: {key}", old.get(key), new.get(key))
        ]
    return [_line(name, old, new)]


def _line(name: str, old: Any, new: Any) -> Applied:
    plain = [value if value is None or isinstance(value, int | float) else str(value) for value in (old, new)]
    return Applied("", "", name, [""], [""], [plain[0]], [plain[1]])
