"""From a plan file to a plan: everything read and checked, or one error that says what and where."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from optimizer.errors import InputError, Place
from optimizer.io.paths import file_digest, resolve_inside
from optimizer.io.yaml import Document, load_yaml
from optimizer.plan.calendar import Calendar
from optimizer.plan.checks import check_references
from optimizer.plan.fromrun import KEY, AnnualRun
from optimizer.plan.modes import check_mode
from optimizer.plan.plan import Plan
from optimizer.plan.problems import explained
from optimizer.plan.profiles import settled_profiles
from optimizer.plan.read import read_table
from optimizer.plan.rules import KINDS, build_rules, named
from optimizer.plan.ruletables import RuleTables, expanded_rules
from optimizer.plan.schema import PlanSpec
from optimizer.plan.scopes import Known, resolved_scope
from optimizer.plan.source import KeyPath, Source
from optimizer.plan.tables import NO_MARKETS, Table


def load_plan(path: str | Path) -> Plan:
    """Read a plan file and its tables; a folder stands for the `plan.yaml` in it.

    Raises `InputError` for everything that cannot be used as it stands: file, line or row, column, value, the
    reason and the nearest valid name.
    """
    file = Path(path)
    if file.is_dir():
        file /= "plan.yaml"
    document = load_yaml(file, file.name)
    return plan_from_data(as_written(document), file.parent, file=file.name, lines=document.lines)


def plan_from_data(
    data: Mapping[str, Any],
    folder: str | Path,
    file: str = "plan.yaml",
    lines: Mapping[KeyPath, int] | None = None,
) -> Plan:
    """A plan from the content of a plan file, whose tables stand in `folder`; raises like `load_plan`.

    `file` and `lines` say where the content was written, for messages.
    """
    return plan_of(read_content(data, folder, file, lines))


@dataclass(frozen=True)
class Content:
    """A plan as it was read and not yet put together: a changed copy of it is a changed plan.

    `data` is the content of the plan file with its tables of rules written out, `tables` are single tables as
    their files give them, and `inputs` the digests of all files that were read.
    """

    data: Mapping[str, Any]
    folder: Path
    source: Source
    tables: Mapping[str, Table]
    inputs: Mapping[str, str]

    def replace(self, **changes: Any) -> Content:
        """A new content with some parts replaced."""
        return replace(self, **changes)


def read_content(
    data: Mapping[str, Any],
    folder: str | Path,
    file: str = "plan.yaml",
    lines: Mapping[KeyPath, int] | None = None,
) -> Content:
    """Read the files that the content of a plan file names; raises like `load_plan`."""
    root, source = Path(folder), Source(file, lines or {})
    rule_tables = RuleTables(root)
    expanded, places = expanded_rules(data, list(KINDS), rule_tables, source)
    source = Source(file, source.lines, places)
    spec = validated(expanded, source)
    tables = read_tables(spec, root, source)
    run = None
    if spec.from_run is not None:
        run = AnnualRun.find(root, spec.from_run, source.place((KEY,), spec.from_run))
        calendar = _calendar(spec, source)
        expanded, source = _with_run(expanded, run, run.running(tables, calendar), calendar, source)
        tables = run.opened(tables, calendar)
    files = {table.file: resolve_inside(root, table.file) for table in spec.tables.values()}
    files |= rule_tables.files
    files |= {} if run is None else run.files
    if (root / file).is_file():
        files[file] = root / file
    inputs = {name: file_digest(path) for name, path in files.items()}
    return Content(expanded, root, source, tables, inputs)


def _with_run(
    data: Mapping[str, Any],
    run: AnnualRun,
    running: list[dict[str, Any]],
    calendar: Calendar,
    source: Source,
) -> tuple[dict[str, Any], Source]:
    """The content of a plan file with the targets of the run of a longer plan behind its own."""
    own = data.get("targets") or []
    own = [own] if isinstance(own, dict) else list(own)
    added = [*run.targets({"targets": own}, calendar), *running]
    places: dict[KeyPath, Place] = dict(source.places)
    for at in range(len(own), len(own) + len(added)):
        places["targets", at] = Place(file=f"{run.name}/inputs/plan.yaml")
    return {**data, "targets": [*own, *added]}, Source(source.file, source.lines, places)


def read_tables(
    spec: PlanSpec, folder: Path, source: Source, names: Collection[str] = ()
) -> dict[str, Table]:
    """The tables of a plan file as their files give them, all unless named; raises like `load_plan`."""
    calendar = _calendar(spec, source)
    return {
        name: read_table(name, table, folder, calendar, source.place(("tables", name, "file"), table.file))
        for name, table in spec.tables.items()
        if not names or name in names
    }


def plan_of(content: Content) -> Plan:
    """The plan that a content describes, checked as a whole; raises like `load_plan`."""
    source = content.source
    tables: Mapping[str, Table] = {"markets": NO_MARKETS, **content.tables}
    spec = named(validated(content.data, source), source)
    calendar = _calendar(spec, source)
    check_references(tables)
    tables = settled_profiles(tables, calendar)
    known = Known.of(calendar, tables)
    spec = _with_scopes(spec, known, source)
    rule_tables = RuleTables(content.folder)
    rules = build_rules(spec, known, source, rule_tables.values)
    check_mode(spec.mode, rules, source.place(("mode",)))
    read = {name: file_digest(path) for name, path in rule_tables.files.items()}
    inputs = dict(sorted({**content.inputs, **read}.items()))
    return Plan(spec, calendar, tables, content.folder, source.file, source.lines, inputs, rules)


def as_written(document: Document) -> dict[str, Any]:
    """The content of a plan file with every number and word that YAML changed put back as it was written.

    So `1.50` stays a label; numbers are read afterwards where numbers are wanted.
    """

    def restored(value: Any, path: KeyPath) -> Any:
        if isinstance(value, dict):
            return {key: restored(part, (*path, key)) for key, part in value.items()}
        if isinstance(value, list):
            return [restored(part, (*path, at)) for at, part in enumerate(value)]
        return document.texts.get(path, value)

    return {key: restored(value, (key,)) for key, value in document.data.items()}


def validated(data: Mapping[str, Any], source: Source) -> PlanSpec:
    """The plan file as a model; raises `InputError` for the first thing that is wrong with it."""
    try:
        spec = PlanSpec.model_validate(data)
    except ValidationError as error:
        raise explained(error, source) from None
    if not {"markets", "marketing", "initiatives"} & set(spec.tables):
        raise InputError("plan.markets_missing", source.place(("tables",)))
    for at, stage in enumerate(spec.objective or []):
        if (stage.maximize is None) == (stage.minimize is None):
            raise InputError("plan.stage_one_of", source.place(("objective", at)))
    if spec.mode is not None and spec.objective is not None:
        raise InputError("modes.objective_and_mode", source.place(("mode",)))
    return spec


def _calendar(spec: PlanSpec, source: Source) -> Calendar:
    try:
        return Calendar(spec.calendar)
    except InputError as error:
        key = "start" if error.key == "plan.start_day" else "as_of"
        place = source.place(("calendar", key), getattr(spec.calendar, key))
        raise InputError(error.key, place, **error.fields) from None


def _with_scopes(spec: PlanSpec, known: Known, source: Source) -> PlanSpec:
    """The plan file with the scopes and columns of balance, stay_near, freeze and objective checked."""

    def checked(key: str, at: int, entry: Any) -> Any:
        path: KeyPath = (key, at)
        for name in ("across", "by"):
            columns = getattr(entry, name, None) or []
            for column in [columns] if isinstance(columns, str) else columns:
                known.column(column, source.place((*path, name), column))
        if not getattr(entry, "where", None):
            return entry
        return entry.model_copy(
            update={"where": resolved_scope(entry.where, known, source, (*path, "where"))}
        )

    changes: dict[str, Any] = {
        key: [checked(key, at, entry) for at, entry in enumerate(getattr(spec, key) or [])]
        for key in ("balance", "stay_near", "freeze", "objective", "quotas")
        if getattr(spec, key)
    }
    return spec.model_copy(update=changes)
