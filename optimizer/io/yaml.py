"""Plan files: a strict YAML reader that keeps labels as written and knows the line of every entry.

Stricter than YAML: no tags, no anchors and aliases, no duplicate keys, one document, keys are text. Plain
scalars are numbers, true, false and null by the core rules of YAML 1.2, without its octal, hexadecimal
and exponent forms; `00123`, `NO`, `on`, `12:30`, `1e-4` and dates stay text. The pieces into which YAML
cuts `{at_least: 120,000,000}` and `{share: 0,15}` are refused with the way to write the number.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import yaml

from optimizer.errors import InputError, Place
from optimizer.io.paths import read_bytes

KeyPath = tuple[str | int, ...]

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_MAX_DEPTH = 40
_INT = re.compile(r"[-+]?(?:0|[1-9][0-9]*|[1-9][0-9]{0,2}(?:_[0-9]{3})+|[1-9][0-9]{0,3}(?:_[0-9]{4})+)")
_FLOAT = re.compile(r"[-+]?(?:0|[1-9][0-9]*|[1-9][0-9]{0,2}(?:_[0-9]{3})+)\.[0-9]+")
_WORDS = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
}  # fmt: skip
_CUT = re.compile(r"[ \t]+#[^\s#][^\n\r]*")
_DIGITS = re.compile(r"[-+]?[0-9]+")


@dataclass(frozen=True)
class Document:
    """A plan file as plain Python values.

    `lines` holds the line of every entry, counted from 1, by its keys: ("targets", 0, "metric") -> 12.
    `texts` holds what was written where the value does not show it: ("where", "code") -> "1.50" beside 1.5.
    """

    data: dict[str, Any]
    lines: dict[KeyPath, int]
    texts: dict[KeyPath, str]

    def line(self, path: KeyPath) -> int:
        """The line of an entry, or of the nearest entry around it."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


def load_yaml(path: Path, shown: str) -> Document:
    """Read a plan file; `shown` is how messages name it.

    Raises `InputError` with the line for everything that is not plain YAML, not one mapping, or that YAML
    would misread.
    """
    text = _decode(read_bytes(path, shown), shown)
    if not text.strip():
        raise InputError("io.yaml_empty", Place(file=shown))
    builder = _Builder(text, shown)
    try:
        data = builder.document()
    except yaml.YAMLError as error:
        raise _explained(error, text, shown) from None
    return Document(data, builder.lines, builder.texts)


def _decode(raw: bytes, shown: str) -> str:
    encoding = "utf-16" if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise InputError("io.yaml_encoding", Place(file=shown, line=line)) from None


class _Builder:
    """Turns the events of the parser into values, lines and texts."""

    def __init__(self, text: str, shown: str) -> None:
        self.text = text
        self.shown = shown
        self.lines: dict[KeyPath, int] = {}
        self.texts: dict[KeyPath, str] = {}
        self.events: Iterator[Any] = yaml.parse(text, Loader=_LOADER)

    def document(self) -> dict[str, Any]:
        """The one mapping of the file."""
        event = self._next(yaml.StreamStartEvent, yaml.DocumentStartEvent)
        if isinstance(event, yaml.StreamEndEvent):
            raise InputError("io.yaml_empty", Place(file=self.shown))
        if not isinstance(event, yaml.MappingStartEvent):
            wide = "：" in self.text.split("\n")[event.start_mark.line]
            raise self._error("io.yaml_wide_sign" if wide else "io.yaml_not_mapping", event, sign="：")
        data: dict[str, Any] = self._value(event, ())
        event = self._next(yaml.DocumentEndEvent)
        if not isinstance(event, yaml.StreamEndEvent):
            raise self._error("io.yaml_two_documents", event)
        return data

    def _next(self, *skip: type) -> Any:
        """The next event that is none of `skip`."""
        event = next(self.events)
        while isinstance(event, skip):
            event = next(self.events)
        return event

    def _error(self, key: str, event: Any, value: str | None = None, **fields: Any) -> InputError:
        place = Place(file=self.shown, line=event.start_mark.line + 1, value=value)
        return InputError(key, place, **fields)

    def _value(self, event: Any, path: KeyPath) -> Any:
        if isinstance(event, yaml.AliasEvent) or event.anchor is not None:
            raise self._error("io.yaml_anchor", event, name=event.anchor)
        if event.tag is not None:
            raise self._error("io.yaml_tag", event, name=event.tag.replace("tag:yaml.org,2002:", "!!"))
        if len(path) > _MAX_DEPTH:
            raise self._error("io.yaml_depth", event, depth=_MAX_DEPTH)
        self.lines.setdefault(path, event.start_mark.line + 1)
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(event, path)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(event, path)
        return self._scalar(event, path)

    def _scalar(self, event: Any, path: KeyPath) -> str | int | float | bool | None:
        text: str = event.value
        if event.style not in (None, ""):
            return text
        value: str | int | float | bool | None = text
        if text in _WORDS:
            value = _WORDS[text]
        elif _INT.fullmatch(text) and len(text) < 400:
            value = int(text)
        elif _FLOAT.fullmatch(text):
            value = float(text)
        if isinstance(value, str) and (cut := _CUT.match(self.text, event.end_mark.index)):
            raise self._error("io.yaml_comment", event, value=text, text=text + cut[0])
        if value is not None and not isinstance(value, str) and str(value) != text:
            self.texts[path] = text
        return value

    def _mapping(self, start: Any, path: KeyPath) -> dict[str, Any]:
        data: dict[str, Any] = {}
        before: Any = None
        while not isinstance(event := self._next(), yaml.MappingEndEvent):
            key = self._key(event)
            value = self._next()
            if start.flow_style and self._is_stray(event, value):
                raise self._stray(before, event)
            if key in data:
                first = self.lines[(*path, key)]
                raise self._error("io.yaml_duplicate", event, name=key, first=first)
            self.lines[(*path, key)] = event.start_mark.line + 1
            data[key] = self._value(value, (*path, key))
            before = value
        return data

    def _key(self, event: Any) -> str:
        if not isinstance(event, yaml.ScalarEvent) or event.value == "":
            raise self._error("io.yaml_key", event)
        if event.anchor is not None or event.tag is not None:
            raise self._error("io.yaml_key", event)
        return str(event.value)

    def _is_stray(self, key: Any, value: Any) -> bool:
        """Whether a key of a mapping in braces stands there without a colon."""
        empty = isinstance(value, yaml.ScalarEvent) and value.value == "" and value.style in (None, "")
        return empty and ":" not in self.text[key.end_mark.index : value.end_mark.index]

    def _stray(self, before: Any, key: Any) -> InputError:
        """The error for a piece cut off by a comma: of a number (120,000,000), or of a text (Ли, Вэй)."""
        if not isinstance(before, yaml.ScalarEvent):
            return self._error("io.yaml_stray_key", key, name=key.value)
        rest = self.text[before.start_mark.index :].split("\n", 1)[0]
        whole = re.split(r"[}\]]|,\s*[^,:{}\[\]]+:", rest, maxsplit=1)[0].strip()
        if _DIGITS.fullmatch(before.value) and _DIGITS.match(key.value):
            digits = whole.replace(" ", "").split(",")
            thousands = len(digits) > 1 and digits[0] != "0" and all(len(part) == 3 for part in digits[1:])
            good = "_".join(digits) if thousands else ".".join(digits[:2])
            return self._error("io.yaml_comma_number", key, value=whole, text=whole, good=good)
        return self._error("io.yaml_comma_text", key, value=whole, text=whole)

    def _sequence(self, start: Any, path: KeyPath) -> list[Any]:
        items: list[Any] = []
        scalars: list[Any] = []
        while not isinstance(event := self._next(), yaml.SequenceEndEvent):
            items.append(self._value(event, (*path, len(items))))
            scalars.append(event)
        if start.flow_style:
            self._refuse_cut_numbers(scalars)
        return items

    def _refuse_cut_numbers(self, scalars: list[Any]) -> None:
        """Refuse `[120,000]`, `[0,15]` and `[1,5, 2,5]`: a comma that may be part of a number."""
        pairs = [
            (left, right)
            for left, right in pairwise(scalars)
            if isinstance(left, yaml.ScalarEvent) and isinstance(right, yaml.ScalarEvent)
            and _DIGITS.fullmatch(left.value) and right.value[:1].isdigit()
        ]  # fmt: skip
        tight = [pair for pair in pairs if pair[0].end_mark.index + 1 == pair[1].start_mark.index]
        for left, right in tight:
            if len(right.value) == 3 or left.value.lstrip("-+") == "0" or len(tight) < len(pairs):
                text = f"{left.value},{right.value}"
                joiner = "_" if len(right.value) == 3 and left.value != "0" else "."
                good = f"{left.value}{joiner}{right.value}"
                listed = f"{left.value}, {right.value}"
                raise self._error("io.yaml_comma_list", left, value=text, text=text, good=good, listed=listed)


_PROBLEMS = (
    ("',' or '}'", "io.yaml_open_brace"),
    ("',' or ']'", "io.yaml_open_bracket"),
    ("end of stream", "io.yaml_open_quote"),
    ("mapping values are not allowed", "io.yaml_colon"),
    ("could not find expected ':'", "io.yaml_no_colon"),
    ("expected key", "io.yaml_indent"),
    ("'-' indicator", "io.yaml_indent"),
    ("<block end>", "io.yaml_indent"),
    ("expected <document start>", "io.yaml_indent"),
)
"""What the parser complains of -> how a planner would say it."""


def _explained(error: yaml.YAMLError, text: str, shown: str) -> InputError:
    """The parser's complaint in plain words, with the line."""
    mark = getattr(error, "problem_mark", None)
    problem = str(getattr(error, "problem", "") or "")
    if mark is None:
        position = int(getattr(error, "position", 0) or 0)
        return InputError("io.yaml_character", Place(file=shown, line=text[:position].count("\n") + 1))
    lines = text.split("\n")
    number = min(mark.line, len(lines) - 1)
    written = lines[number].rstrip("\r")
    place = Place(file=shown, line=number + 1, value=written.strip()[:80] or None)
    wide = next((sign for sign in "：，｛｝［］" if sign in written), None)
    if wide is not None:
        return InputError("io.yaml_wide_sign", place, sign=wide)
    if "\t" in written[: mark.column + 1]:
        return InputError("io.yaml_tab", place)
    if "cannot start any token" in problem:
        return InputError("io.yaml_quote", place, sign=written[mark.column : mark.column + 1])
    context = getattr(error, "context_mark", None)
    opened = context.line + 1 if context is not None else number + 1
    for part, key in _PROBLEMS:
        if part in problem:
            return InputError(key, place, opened=opened)
    return InputError("io.yaml_syntax", place, problem=problem)
