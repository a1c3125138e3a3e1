"""The message catalogues: the same sentences with the same fields in every language, and none unused."""

from __future__ import annotations

import ast
import re
import string
import tomllib
from functools import cache
from pathlib import Path

import pytest

from optimizer import messages
from optimizer.errors import InputError, Place

MESSAGES = Path(messages.__file__).parent
AREAS = sorted(path.stem for path in (MESSAGES / "en").glob("*.toml"))
FILE = re.compile(r".*\.(csv|json|lp|mps|parquet|toml|xlsx|yaml)")
KEY = re.compile(r"[a-z_]+\.[a-z][a-z0-9_]*")
TEXT_KEY = tuple(f"{area}." for area in AREAS)


def fields(template: str) -> list[str]:
    """The field names of a sentence, each once."""
    return sorted({name for _, name, _, _ in string.Formatter().parse(template) if name is not None})


def sentences(language: str) -> dict[str, str]:
    """Every sentence of a language by its full key."""
    return {
        f"{path.stem}.{name}": sentence
        for path in sorted((MESSAGES / language).glob("*.toml"))
        for name, sentence in tomllib.loads(path.read_text(encoding="utf-8")).items()
    }


@cache
def strings_in_code(root: Path) -> tuple[set[str], set[str]]:
    """The whole strings of the code, and the beginnings of its f-strings, as (exact, prefixes)."""
    exact: set[str] = set()
    prefixes: set[str] = set()
    sources = [
        root / "cli.py",
        *(path for layer in ("optimizer", "scenarios") for path in (root / layer).rglob("*.py")),
    ]
    for path in filter(Path.is_file, sources):
        nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
        parts = {part for node in nodes if isinstance(node, ast.JoinedStr) for part in node.values[:1]}
        prefixes |= {str(part.value) for part in parts if isinstance(part, ast.Constant)}
        whole = (node for node in nodes if isinstance(node, ast.Constant) and node not in parts)
        exact |= {node.value for node in whole if isinstance(node.value, str)}
    return exact, {prefix for prefix in prefixes if prefix.startswith(TEXT_KEY)}


@pytest.mark.parametrize("language", messages.LANGUAGES)
def test_every_language_has_the_same_areas_and_keys(language: str) -> None:
    """A sentence that one language has, every language has."""
    assert set(sentences(language)) == set(sentences("en"))


@pytest.mark.parametrize("language", messages.LANGUAGES)
def test_every_language_uses_the_same_fields(language: str) -> None:
    """A number or name that one language says is never lost in another."""
    english = sentences("en")
    different = {
        key: (fields(english[key]), fields(sentence))
        for key, sentence in sentences(language).items()
        if key in english and fields(sentence) != fields(english[key])
    }
    assert not different


@pytest.mark.parametrize("language", [language for language in messages.LANGUAGES if language != "en"])
def test_sentences_are_translated(language: str) -> None:
    """A sentence of several words does not stand in English in another language."""
    english = sentences("en")
    same = [
        key for key, text in sentences(language).items() if text == english.get(key) and text.count(" ") > 2
    ]
    assert not same


def test_every_key_in_the_code_exists(root: Path) -> None:
    """A string `area.name` in the code is a sentence of the catalogue, or the name of a module."""
    exact, _ = strings_in_code(root)
    keys = {
        text
        for text in exact
        if text.startswith(TEXT_KEY) and KEY.fullmatch(text) and not FILE.fullmatch(text)
    }
    keys -= {
        text
        for text in keys
        for folder in (root, root / "optimizer")
        if (folder / text.replace(".", "/")).with_suffix(".py").is_file()
    }
    assert not keys - set(sentences("en"))


def test_every_sentence_is_used(root: Path) -> None:
    """A sentence that no code says is removed; f-string keys use the sentences that start like them."""
    exact, prefixes = strings_in_code(root)
    unused = [key for key in sentences("en") if key not in exact and not key.startswith(tuple(prefixes))]
    assert not unused


def test_an_unknown_key_is_an_error() -> None:
    """A misspelt key never becomes an empty sentence."""
    with pytest.raises(LookupError, match=r"no sentence 'place\.nothing'"):
        messages.text("place.nothing")


def test_an_unknown_language_is_an_error() -> None:
    """The known languages are named."""
    with pytest.raises(LookupError, match="en, ru, zh"):
        messages.text("place.row", "xx")


@pytest.mark.parametrize(
    ("language", "expected"),
    [("en", "markets.csv, row 7, column price"), ("ru", "markets.csv, строка 7"), ("zh", "markets.csv")],
)
def test_an_error_says_its_place_first(language: str, expected: str) -> None:
    """File, row and column come before the sentence, in the reader's language."""
    error = InputError(
        "examples.target_exists", Place(file="markets.csv", row=7, column="price", value="abc"), target="plan"
    )
    assert error.text(language).startswith(expected)
    assert "plan" in error.text(language)
