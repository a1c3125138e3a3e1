"""Message catalogues: every sentence that a person reads, in English, Russian and Chinese.

One folder a language, one TOML file an area (`optimizer/messages/en/report.toml`); the key of a
sentence is `area.name`. Sentences are `str.format` templates with named fields. All languages have the
same keys with the same fields; a test compares them.
"""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

LANGUAGES = ("en", "ru", "zh")


@cache
def catalogue(area: str, language: str) -> dict[str, str]:
    """All sentences of one area in one language; raises `LookupError` for an unknown language."""
    if language not in LANGUAGES:
        raise LookupError(f"no message catalogue for language {language!r}; known: {', '.join(LANGUAGES)}")
    path = files("optimizer.messages") / language / f"{area}.toml"
    return tomllib.loads(path.read_text(encoding="utf-8"))


def text(key: str, language: str = "en", **fields: Any) -> str:
    """The sentence `area.name` with its fields filled in; raises `LookupError` for an unknown key."""
    area, _, name = key.partition(".")
    sentences = catalogue(area, language)
    if name not in sentences:
        raise LookupError(f"no sentence {key!r} in language {language!r}")
    return sentences[name].format(**fields)
