"""Reading and writing a mapping file."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from optimizer.errors import InputError, Place
from optimizer.history import mapping
from optimizer.io.numbers import NumberFormatError
from optimizer.io.yaml import Document, load_yaml
from optimizer.plan.load import as_written
from optimizer.plan.names import nearest

_MODELS: dict[str, type[BaseModel]] = {
    "source": mapping.SourceSpec,
    "lookups": mapping.LookupSpec,
    "stages": mapping.StageSpec,
    "plan": mapping.HorizonSpec,
    "method": mapping.MethodSpec,
}


def load_mapping(path: Path) -> mapping.MappingSpec:
    """The mapping of a YAML file; raises `InputError` with the line for everything that it cannot mean."""
    document = load_yaml(path, path.name)
    try:
        return mapping.MappingSpec.model_validate(as_written(document))
    except ValidationError as error:
        found = sorted(error.errors(), key=lambda details: details["type"] != "extra_forbidden")
        raise _explained(found[0], document, path.name) from None


def dump_mapping(spec: mapping.MappingSpec) -> str:
    """A mapping as YAML, without the path of the history and what is left at its default."""
    data = spec.model_dump(mode="json", exclude={"history"}, exclude_defaults=True)
    return str(yaml.safe_dump(data, allow_unicode=True, sort_keys=False, width=110))


def _explained(details: ErrorDetails, document: Document, file: str) -> InputError:
    path = tuple(part for part in details["loc"] if part != "[key]")
    key = ".".join(str(part) for part in path)
    shown = details["input"] if isinstance(details["input"], str | int | float) else None
    place = Place(file=file, line=document.line(path), value=None if shown is None else str(shown))
    if details["type"] == "extra_forbidden":
        near = nearest(str(path[-1]), _keys(path))
        return InputError(
            "history.mapping_unknown_key", Place(file=file, line=place.line), name=key, nearest=near
        )
    if details["type"] == "missing":
        return InputError("history.mapping_missing_key", Place(file=file, line=place.line), name=key)
    cause: Any = details.get("ctx", {}).get("error")
    if isinstance(cause, NumberFormatError):
        return InputError(cause.key, place, **cause.fields)
    return InputError("history.mapping_value", place, name=key)


def _keys(path: tuple[str | int, ...]) -> Iterable[str]:
    """The keys that are known where an unknown one stands."""
    model = mapping.MappingSpec if len(path) == 1 else _MODELS.get(str(path[0]), mapping.MappingSpec)
    return list(model.model_fields)
