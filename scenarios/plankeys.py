"""Changes of the plan file: rules by name, and every other key by its own."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from optimizer.errors import InputError
from optimizer.plan.names import nearest
from optimizer.plan.rules import KINDS
from optimizer.plan.schema import PlanSpec
from optimizer.plan.source import KeyPath, Source
from scenarios.applied import PRESENT, REMOVED
from scenarios.files import Change
from scenarios.rows import number_at, yes_at

NAMED_LISTS = {"rule": (*KINDS, "balance", "stay_near"), "quota": ("quotas",)}
"""What a change names -> the lists of the plan file whose entries have such names."""
REMOVE = "remove"
_OPERATIONS: Mapping[str, Callable[[float, float], float]] = {
    "add": lambda old, by: old + by,
    "multiply": lambda old, by: old * by,
}
_MISSING = object()


@dataclass(frozen=True)
class KeyChange:
    """One key of the plan file that changed: its path in the plan file, its name, old and new value."""

    path: KeyPath
    name: str
    old: Any
    new: Any


def _paths(spec: PlanSpec, kind: str) -> dict[str, tuple[str, int]]:
    """Name of every rule, or of every quota -> where it stands in the plan file."""
    lists = NAMED_LISTS[kind]
    return {
        entry.name: (key, at)
        for key in lists
        for at, entry in enumerate(getattr(spec, key) or [])
        if entry.name
    }


class PlanKeys:
    """The content of a plan file that is being changed; the original is not touched."""

    def __init__(self, data: Mapping[str, Any], spec: PlanSpec) -> None:
        self.data: dict[str, Any] = copy.deepcopy(dict(data))
        for key in itertools.chain.from_iterable(NAMED_LISTS.values()):
            if isinstance(self.data.get(key), dict):
                self.data[key] = [self.data[key]]
        self._paths = {kind: _paths(spec, kind) for kind in NAMED_LISTS}
        self._removed: set[tuple[str, int]] = set()

    def apply(self, change: Change, source: Source) -> list[KeyChange]:
        """Do one change and say what it did; raises `InputError` for unknown names and impossible values."""
        if change.named is None:
            return self._merge(self.data, change.keys, (), "", source, change.path)
        kind, wanted = change.named
        known = self._paths[kind]
        if wanted not in known:
            place = source.place((*change.path, kind), wanted)
            unknown = "scenarios.rule_unknown" if kind == "rule" else "scenarios.quota_unknown"
            raise InputError(unknown, place, nearest=nearest(wanted, known))
        path = known[wanted]
        entry, name = self.data[path[0]][path[1]], f"{path[0]}: {wanted}"
        if REMOVE in change.keys:
            return self._remove(change, path, name, entry, source)
        return self._merge(entry, change.keys, path, name, source, change.path)

    def finished(self) -> dict[str, Any]:
        """The changed content; rules that were removed leave their list."""
        for key in {path[0] for path in self._removed}:
            kept = [rule for at, rule in enumerate(self.data[key]) if (key, at) not in self._removed]
            self.data[key] = kept
        return self.data

    def _remove(
        self, change: Change, path: tuple[str, int], name: str, entry: Any, source: Source
    ) -> list[KeyChange]:
        alone = len(change.keys) == 1
        if not alone or not yes_at(change.keys[REMOVE], source.place((*change.path, REMOVE))):
            raise InputError("scenarios.remove_alone", source.place(change.path), name=name)
        self._removed.add(path)
        return [KeyChange(path, name, PRESENT, REMOVED)]

    def _merge(
        self, target: Any, wanted: Any, path: KeyPath, name: str, source: Source, place: KeyPath
    ) -> list[KeyChange]:
        """Every key of `wanted` put into `target`: operations act on numbers, mappings go deeper."""
        found: list[KeyChange] = []
        for key, value in wanted.items():
            here, shown, written = (*path, key), f"{name}: {key}" if name else str(key), (*place, key)
            old = target.get(key, _MISSING)
            if isinstance(value, dict) and not _is_operation(value) and isinstance(old, dict):
                found += self._merge(old, value, here, shown, source, written)
                continue
            new = value
            if isinstance(value, dict) and _is_operation(value):
                new = _operated(old, value, source, written, shown)
            target[key] = new
            was = None if old is _MISSING else _short(old)
            if isinstance(new, float) and isinstance(was, str):
                was = number_at(was, source.place(written))
            found.append(KeyChange(here, shown, was, _short(new)))
        return found


def _is_operation(value: Mapping[str, Any]) -> bool:
    return len(value) == 1 and next(iter(value)) in ("set", *_OPERATIONS)


def _operated(old: Any, operation: Mapping[str, Any], source: Source, path: KeyPath, name: str) -> Any:
    """The value after set, add or multiply: of a map or a list member by member; `add` of a list appends."""
    ((action, by),) = operation.items()
    if action == "set":
        return by
    place = source.place((*path, action), by)
    if old is _MISSING or old is None:
        raise InputError("scenarios.key_missing", place, name=name, action=action)
    if action == "add" and isinstance(by, list):
        if not isinstance(old, list):
            raise InputError("scenarios.not_a_list", place, name=name)
        return [*old, *by]
    amount = number_at(by, place)

    def one(value: Any) -> Any:
        if isinstance(value, dict) and "file" in value:
            raise InputError("scenarios.bound_in_table", place, name=name)
        if isinstance(value, dict):
            return {key: one(part) for key, part in value.items()}
        if isinstance(value, list):
            return [one(part) for part in value]
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            raise InputError("scenarios.not_a_number", place, name=name, value=value)
        return _OPERATIONS[action](number_at(value, source.place(path, value)), amount)

    return one(old)


def _short(value: Any) -> Any:
    """A value as it is listed: numbers and words as they are, the rest as text."""
    return value if value is None or isinstance(value, str | int | float) else str(value)
