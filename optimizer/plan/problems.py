"""What pydantic finds wrong with a plan file, as one message with its place and the way out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from optimizer.errors import InputError
from optimizer.io.numbers import NumberFormatError
from optimizer.plan import schema
from optimizer.plan.names import nearest
from optimizer.plan.source import KeyPath, Source, key_text

_MODELS: dict[str, type[BaseModel]] = {
    "calendar": schema.CalendarSpec,
    "tables": schema.TableSpec,
    "targets": schema.RuleSpec,
    "budgets": schema.RuleSpec,
    "limits": schema.RuleSpec,
    "balance": schema.BalanceSpec,
    "stay_near": schema.StayNearSpec,
    "quotas": schema.QuotaSpec,
    "objective": schema.ObjectiveStage,
    "tracking": schema.TrackingSpec,
}
_TAGS = ("number", "map", "table", "text")
_FORMS = ("at_least", "at_most", "equals", "growth", "share_at_least", "share_at_most", "of", "to")
_EXPECTED = {
    "string_type": "plan.expected_text",
    "list_type": "plan.expected_list",
    "tuple_type": "plan.expected_list",
    "dict_type": "plan.expected_map",
    "model_type": "plan.expected_map",
    "bool_parsing": "plan.expected_yes_no",
    "bool_type": "plan.expected_yes_no",
    "int_parsing": "plan.expected_whole",
    "int_type": "plan.expected_whole",
    "int_from_float": "plan.expected_whole",
    "date_parsing": "plan.expected_date",
    "date_type": "plan.expected_date",
    "date_from_datetime_parsing": "plan.expected_date",
    "date_from_datetime_inexact": "plan.expected_date",
    "too_short": "plan.expected_entries",
}
_BOUNDS = {
    "greater_than": ("plan.expected_above", "gt"),
    "greater_than_equal": ("plan.expected_at_least", "ge"),
    "less_than": ("plan.expected_below", "lt"),
    "less_than_equal": ("plan.expected_at_most", "le"),
}


def explained(
    error: ValidationError, source: Source, path: KeyPath = (), known: Sequence[str] = ()
) -> InputError:
    """The first problem in the order of the file; an unknown key before the missing one it stands for.

    `path` is where the model that was not valid stands in the file, `known` its keys where it is no part of a
    plan file.
    """
    found = [
        _explain({**details, "loc": (*path, *details["loc"])}, source, known) for details in _ordered(error)
    ]
    return min(found, key=lambda problem: problem.place.line or problem.place.row or 0)


def _ordered(error: ValidationError) -> list[ErrorDetails]:
    order = {"extra_forbidden": 0, "missing": 2}
    return sorted(error.errors(), key=lambda details: order.get(details["type"], 1))


def _explain(details: ErrorDetails, source: Source, known: Sequence[str]) -> InputError:
    path = _path(details["loc"])
    kind, value, context = details["type"], details["input"], details.get("ctx", {})
    if kind == "extra_forbidden":
        near = nearest(str(path[-1]), known or _keys(details))
        return InputError("plan.unknown_key", source.place(path), entry=key_text(path), nearest=near)
    if kind == "missing":
        return _missing(path, source)
    place = source.place(path, value)
    cause = context.get("error")
    if isinstance(cause, NumberFormatError):
        return InputError(cause.key, place, **cause.fields)
    if kind == "literal_error":
        return _choice(path, value, context, source)
    if kind in _BOUNDS:
        key, limit = _BOUNDS[kind]
        return InputError(key, place, entry=key_text(path), limit=f"{context[limit]:g}")
    return InputError(_EXPECTED.get(kind, "plan.value_refused"), place, entry=key_text(path))


def _path(location: Sequence[str | int]) -> KeyPath:
    """The keys of the file, without the names that pydantic gives to the forms of a value."""
    path: list[str | int] = []
    for at, part in enumerate(location):
        is_tag = at > 0 and part in _TAGS and location[at - 1] in _FORMS
        if not is_tag and part != "[key]":
            path.append(part)
    return tuple(path)


def _missing(path: KeyPath, source: Source) -> InputError:
    place = source.place(path[:-1])
    if isinstance(path[-1], int):
        return InputError("plan.expected_two", place, entry=key_text(path[:-1]))
    return InputError("plan.missing_key", place, entry=key_text(path))


def _choice(path: KeyPath, value: object, context: Mapping[str, Any], source: Source) -> InputError:
    if path[0] == "tables" and len(path) == 2:
        near = nearest(str(path[-1]), get_args(schema.TableName))
        return InputError("plan.unknown_table", source.place(path), name=path[-1], nearest=near)
    known = tuple(str(context["expected"]).replace(" or ", ", ").replace("'", "").split(", "))
    return InputError(
        "plan.unknown_choice",
        source.place(path, value),
        entry=key_text(path),
        known=", ".join(known),
        nearest=nearest(str(value), known, 1),
    )


def _keys(details: ErrorDetails) -> list[str]:
    """The keys that are known where an unknown one stands."""
    location = details["loc"]
    if "table" in location[:-1] and location[0] != "tables":
        return list(schema.ValueTable.model_fields)
    model = schema.PlanSpec if len(location) == 1 else _MODELS[str(location[0])]
    return list(model.model_fields)
