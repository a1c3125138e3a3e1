"""From scenario files to scenarios: what they extend, every point of a grid, where each change stands."""

from __future__ import annotations

import hashlib
import itertools
import json
import math
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, overload

from pydantic import ValidationError

from optimizer.errors import InputError, Place
from optimizer.io.paths import resolve_inside
from optimizer.io.yaml import load_yaml
from optimizer.plan.load import as_written
from optimizer.plan.names import nearest
from optimizer.plan.problems import explained
from optimizer.plan.schema import PlanSpec
from optimizer.plan.source import KeyPath, Source
from scenarios.schema import ACTIONS, TABLE_KEYS, ScenarioSpec, TableChange

SUFFIX = ".yaml"
NAMED = ("rule", "quota")
"""What a change of the plan file may name."""
MOST_POINTS = 100_000
"""Points of one grid; more is a slip of the hand."""


@dataclass(frozen=True)
class Change:
    """One entry of `changes`: of a table, of a rule or quota by name, or of keys of the plan file."""

    position: int
    table: TableChange | None = None
    named: tuple[str, str] | None = None
    """`rule` or `quota`, and its name."""
    keys: Mapping[str, Any] = field(default_factory=dict)
    """What changes in the rule, the quota or the plan file."""
    order: int | None = None

    @property
    def path(self) -> KeyPath:
        """Where the entry stands in its file."""
        return ("changes", self.position)


@dataclass(frozen=True)
class Layer:
    """The changes of one file, in the order in which they are applied: those without `order` first."""

    file: str
    changes: tuple[Change, ...]
    source: Source
    digest: str = ""
    """SHA-256 of the changes, with the values of the grid put in."""


@dataclass(frozen=True)
class Scenario:
    """Layers of changes, the first one applied first. `error` is why the file cannot be read."""

    name: str
    file: str
    category: str | None = None
    probability: float | None = None
    note: str = ""
    layers: tuple[Layer, ...] = ()
    point: tuple[tuple[str, Any], ...] = ()
    """The point of the grid: name and value."""
    error: InputError | None = None

    @property
    def digest(self) -> str:
        """SHA-256 of name and changes."""
        parts = [self.name, *(layer.digest for layer in self.layers), repr(self.error)]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def merged(*parts: Sequence[Layer]) -> tuple[Layer, ...]:
    """All layers in the order stated; one that comes again (a parent of several parents) counts once, first.

    So merging is associative, and merging the same twice changes nothing.
    """
    seen: dict[tuple[str, str], Layer] = {}
    for layer in itertools.chain.from_iterable(parts):
        seen.setdefault((layer.file, layer.digest), layer)
    return tuple(seen.values())


def find_files(folder: Path, paths: Iterable[str | Path]) -> list[str]:
    """The scenario files that paths name, relative to the plan's folder; a folder stands for those in it.

    Raises `InputError` for a path outside the plan's folder and for one that is not there.
    """
    root, found = folder.resolve(), dict[str, None]()
    for path in paths:
        target = Path(path).resolve()
        if not target.is_relative_to(root):
            raise InputError("scenarios.outside", name=str(path), folder=str(folder))
        files = sorted(target.glob(f"*{SUFFIX}")) if target.is_dir() else [target]
        if not files or not files[0].exists():
            raise InputError("scenarios.not_found", name=str(path))
        found |= {str(file.relative_to(root)): None for file in files}
    return list(found)


class Scenarios(Sequence[Scenario]):
    """The scenarios of files in their order, each made when it is asked for: grids take no memory."""

    def __init__(self, files: Iterable[_File]) -> None:
        """The files in the order of their scenarios."""
        self._files = list(files)
        self._ends = list(itertools.accumulate(file.count for file in self._files))

    def __len__(self) -> int:
        """How many there are, every point of a grid counted."""
        return self._ends[-1] if self._ends else 0

    @overload
    def __getitem__(self, at: int) -> Scenario: ...
    @overload
    def __getitem__(self, at: slice) -> list[Scenario]: ...
    def __getitem__(self, at: int | slice) -> Scenario | list[Scenario]:
        """The scenario at a place, or those of a slice."""
        if isinstance(at, slice):
            return [self[place] for place in range(len(self))[at]]
        place = range(len(self))[at]
        number = bisect_right(self._ends, place)
        file = self._files[number]
        return file.scenario(place - self._ends[number] + file.count)


def load_scenarios(folder: Path, files: Iterable[str]) -> Scenarios:
    """Every scenario of the files, grids written out; a file that cannot be read is a scenario with an error.

    `files` are relative to the plan's folder. Raises `InputError` when two scenarios have the same name.
    """
    found, first = list[_File](), dict[str, str]()
    for file in files:
        part = _of_file(folder, file)
        for name in map(part.name, range(part.count)):
            if name in first:
                raise InputError("scenarios.name_twice", Place(file=file), name=name, first=first[name])
            first[name] = file
        found.append(part)
    return Scenarios(found)


def _of_file(folder: Path, file: str) -> _File:
    try:
        part = _Reader(folder).scenarios(file)
        for at in range(part.count):
            part.scenario(at)
    except InputError as error:
        return _File(Scenario(name=Path(file).stem, file=file, error=error))
    return part


@dataclass(frozen=True)
class _File:
    """The scenarios of one file: `base`, or its changes at every point of the file's grid."""

    base: Scenario
    spec: ScenarioSpec | None = None
    source: Source | None = None

    @property
    def count(self) -> int:
        """How many."""
        return 1 if self.spec is None else math.prod(len(values) for values in self.spec.grid.values())

    def name(self, at: int) -> str:
        """The name of one, with its point of the grid."""
        point = ", ".join(f"{name}={value}" for name, value in self.point(at))
        return f"{self.base.name} [{point}]" if point else str(self.base.name)

    def point(self, at: int) -> tuple[tuple[str, Any], ...]:
        """The point of the grid, the first name changing slowest; empty without a grid."""
        point = list[tuple[str, Any]]()
        for name, values in reversed(self.spec.grid.items() if self.spec is not None else ()):
            at, place = divmod(at, len(values))
            point.insert(0, (name, values[place]))
        return tuple(point)

    def scenario(self, at: int) -> Scenario:
        """One scenario; raises `InputError` for a change that cannot be."""
        base, point = self.base, self.point(at)
        if self.spec is None or self.source is None:
            return base
        layer = _layer(base.file, self.spec, self.source, dict(point))
        share = None if base.probability is None else base.probability / self.count
        layers = merged(base.layers, [layer])
        return replace(base, name=self.name(at), probability=share, layers=layers, point=point)


class _Reader:
    """Reads files and what they extend, each once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.read: dict[str, tuple[ScenarioSpec, Source]] = {}

    def scenarios(self, file: str) -> _File:
        """The scenarios of one file: one, or one for each point of its grid."""
        spec, source = self.spec(file, Place(file=file))
        parents = self.parents(file, spec, source, (file,))
        base = Scenario(str(spec.name), file, spec.category, spec.probability, spec.note)
        if not spec.grid:
            return _File(replace(base, layers=merged(parents, [_layer(file, spec, source, {})])))
        _check_grid(spec, source)
        _check_names_used(spec, source)
        return _File(replace(base, layers=parents), spec, source)

    def spec(self, file: str, place: Place) -> tuple[ScenarioSpec, Source]:
        """One file as it is written; `place` is where it is named."""
        if file not in self.read:
            document = load_yaml(resolve_inside(self.folder, file, place), file)
            source = Source(file, document.lines)
            try:
                spec = ScenarioSpec.model_validate(as_written(document))
            except ValidationError as error:
                raise explained(error, source, known=list(ScenarioSpec.model_fields)) from None
            self.read[file] = (spec, source)
        return self.read[file]

    def parents(
        self, file: str, spec: ScenarioSpec, source: Source, above: tuple[str, ...]
    ) -> tuple[Layer, ...]:
        """The layers of everything that a file extends, in the order stated."""
        layers: tuple[Layer, ...] = ()
        for position, name in enumerate(spec.extends):
            place = source.place(("extends", position), name)
            parent = self.parent_file(file, name, place)
            if parent in above:
                cycle = " -> ".join((*above[above.index(parent) :], parent))
                raise InputError("scenarios.cycle", place, cycle=cycle)
            other, its_source = self.spec(parent, place)
            if other.grid:
                raise InputError("scenarios.extends_grid", place, name=name)
            inherited = self.parents(parent, other, its_source, (*above, parent))
            layers = merged(layers, inherited, [_layer(parent, other, its_source, {})])
        return layers

    def parent_file(self, file: str, name: str, place: Place) -> str:
        """The file that `extends` names, beside the one that names it."""
        written = name if name.endswith(SUFFIX) else f"{name}{SUFFIX}"
        beside = Path(file).parent / written if not Path(written).is_absolute() else Path(written)
        target = resolve_inside(self.folder, str(beside), place)
        if not target.is_file():
            known = [path.stem for path in (self.folder / file).parent.glob(f"*{SUFFIX}")]
            raise InputError("scenarios.parent_missing", place, name=name, nearest=nearest(name, known))
        return str(target.relative_to(self.folder.resolve()))


def _layer(file: str, spec: ScenarioSpec, source: Source, values: Mapping[str, Any]) -> Layer:
    """The changes of a file with the values of a grid point put in."""
    entries = [_filled(entry, values, source, ("changes", at)) for at, entry in enumerate(spec.changes)]
    changes = [change_of(at, entry, source) for at, entry in enumerate(entries)]
    changes.sort(key=lambda change: change.order or 0)
    digest = hashlib.sha256(json.dumps(entries, ensure_ascii=False, sort_keys=True).encode()).hexdigest()
    return Layer(file, tuple(changes), source, digest)


def _filled(value: Any, values: Mapping[str, Any], source: Source, path: KeyPath) -> Any:
    """A value with every `$name` replaced by the grid's value."""
    if isinstance(value, dict):
        return {key: _filled(part, values, source, (*path, key)) for key, part in value.items()}
    if isinstance(value, list):
        return [_filled(part, values, source, (*path, at)) for at, part in enumerate(value)]
    if isinstance(value, str) and value.startswith("$"):
        if value[1:] not in values:
            place = source.place(path, value)
            raise InputError("scenarios.grid_unknown", place, name=value, known=", ".join(values) or "-")
        return values[value[1:]]
    return value


def change_of(position: int, entry: Mapping[str, Any], source: Source, path: KeyPath | None = None) -> Change:
    """One entry of a list of changes, checked; `path` is where it stands, `changes` unless given."""
    path = path or ("changes", position)
    if "table" in entry:
        return _table_change(position, entry, source, path)
    named = [(kind, str(entry[kind])) for kind in NAMED if kind in entry]
    keys = {key: value for key, value in entry.items() if key not in (*NAMED, "order")}
    if not keys:
        raise InputError("scenarios.change_empty", source.place(path))
    if len(named) > 1:
        raise InputError("scenarios.rule_and_quota", source.place(path))
    for key in keys if not named else ():
        if key not in PlanSpec.model_fields:
            near = nearest(key, [*PlanSpec.model_fields, "table", *NAMED], 1)
            raise InputError("plan.unknown_key", source.place((*path, key)), entry=key, nearest=near)
    order = entry.get("order")
    if order is not None and not (isinstance(order, int) and order >= 1):
        raise InputError("plan.expected_whole", source.place((*path, "order"), order), entry="order")
    return Change(position, named=named[0] if named else None, keys=keys, order=order)


def _table_change(position: int, entry: Mapping[str, Any], source: Source, path: KeyPath) -> Change:
    try:
        change = TableChange.model_validate(dict(entry))
    except ValidationError as error:
        raise explained(error, source, path, TABLE_KEYS) from None
    given = [action for action in ACTIONS if action in change.model_fields_set]
    if len(given) != 1:
        found = ", ".join(given) or "-"
        raise InputError("scenarios.one_action", source.place(path), found=found, known=", ".join(ACTIONS))
    return Change(position, table=change, order=change.order)


def _check_grid(spec: ScenarioSpec, source: Source) -> None:
    """Values, each once, and not too many points."""
    for name, values in spec.grid.items():
        if not values:
            raise InputError("plan.expected_entries", source.place(("grid", name)), entry=name)
        if len({repr(value) for value in values}) < len(values):
            raise InputError("scenarios.grid_twice", source.place(("grid", name)), name=name)
    count = math.prod(len(values) for values in spec.grid.values())
    if count > MOST_POINTS:
        raise InputError("scenarios.grid_large", source.place(("grid",)), count=count, most=MOST_POINTS)


def _check_names_used(spec: ScenarioSpec, source: Source) -> None:
    used = json.dumps(spec.changes, ensure_ascii=False)
    for name in spec.grid:
        if f'"${name}"' not in used:
            raise InputError("scenarios.grid_unused", source.place(("grid", name)), name=name)
