"""Plan files are read strictly: labels as written, lines known, what YAML would misread refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from optimizer.errors import InputError
from optimizer.io.yaml import Document, load_yaml

Load = Callable[[str], Document]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """A function that writes a text to plan.yaml and loads it."""

    def _load(text: str) -> Document:
        path = tmp_path / "plan.yaml"
        path.write_text(text, encoding="utf-8")
        return load_yaml(path, "plan.yaml")

    return _load


AS_WRITTEN = [
    "00123",
    "NO",
    "no",
    "on",
    "yes",
    "12:30",
    "1e-4",
    "2027-01",
    "2027-01-01",
    "20%",
    "1.2亿",
    "0x1F",
    "0o7",
    "120,000,000",
    "0,15",
    "1.2.3",
    ".inf",
    ".nan",
    "12.",
    "1__0",
    "+",
]


@pytest.mark.parametrize("text", [*AS_WRITTEN, "120 000 000", "Ли, Вэй"])
def test_a_text_stays_as_written(load: Load, text: str) -> None:
    """What YAML 1.1 turns into numbers, booleans and dates stays text."""
    assert load(f"key: {text}").data == {"key": text}


VALUES: dict[str, object] = {
    "120_000_000": 120_000_000, "48_000_000": 48_000_000, "-3": -3, "0.15": 0.15,
    "2027": 2027, '"2027"': "2027",
    "true": True, "false": False, "null": None, "~": None, "": None,
}  # fmt: skip


@pytest.mark.parametrize(("text", "value"), VALUES.items())
def test_plain_numbers_and_words_have_their_value(load: Load, text: str, value: object) -> None:
    """Plain ints, floats, true, false and null are values; in quotes they are texts."""
    found = load(f"key: {text}").data["key"]
    assert found == value and type(found) is type(value)


def test_keys_are_texts(load: Load) -> None:
    """A key `on`, `NO` or 2027 is the text that stands there."""
    assert load("on: 1\nNO: 2\n2027: 3\n").data == {"on": 1, "NO": 2, "2027": 3}


def test_lines_and_written_texts_are_known(load: Load) -> None:
    """Every entry has its line, and a converted scalar its written form."""
    document = load(
        "name: Plan\ntargets:\n  - metric: revenue\n    at_least: 48_000_000\n  - {metric: 1.50}\n"
    )
    assert document.lines[("targets", 0, "at_least")] == 4
    assert document.lines[("targets", 1)] == 5
    assert document.line(("targets", 1, "unknown", 3)) == 5
    assert document.texts[("targets", 1, "metric")] == "1.50"


REFUSED = [
    ("a: {at_least: 120,000,000}", 1, "Write 120_000_000, or put the number in quotes"),
    ("a: {at_least: 120,000,000, must: true}", 1, "“120,000,000” would be read in pieces"),
    ("a: {share: 0,15}", 1, "Write 0.15, or put the number in quotes"),
    ("a: {seller: Ли, Вэй}", 1, 'Put the text in quotes: "Ли, Вэй"'),
    ("a: {list: [1], North}", 1, "“North” stands between commas without a value"),
    ("a: [120,000]", 1, "write 120_000 or"),
    ("a: [0,15]", 1, "write 0.15 or"),
    ("a: [1,5, 2,5]", 1, "write 1.5 or"),
    ("a: 1\nb: 2\na: 3", 3, "“a” is written twice; the first one is in line 1"),
    ("a: &x 1\nb: *x", 1, "references"),
    ("a: !!python/object:os.system x", 1, "tag “!!python/object:os.system”"),
    ("a:\n\tb: 1", 2, "Replace each tab"),
    ("a: 1\n b: 2", 2, "A colon is not expected".lower()),
    ("a:\n  - b: 1\n   c: 2", 3, "indentation"),
    ("a: {b: 1\nc: 2", 2, "brace { opened in line 1"),
    ("a: [1, 2", 1, "bracket [ opened in line 1"),
    ("a: 'x", 1, "never closed"),
    ("a: @x", 1, "cannot begin with “@”"),
    ("a: %x", 1, "cannot begin with “%”"),
    ("a: {b: 1， c: 2}", 1, "wide sign “，”"),
    ("name：Plan", 1, "wide sign “：”"),
    ("name:Plan", 1, "with a space after the colon"),
    ("name: Team #1", 1, 'in quotes: "Team #1"'),
    ("- a", 1, "key: value"),
    ("a: 1\n---\nb: 2", 2, "second document"),
    ("{[1]: x}", 1, "text before the colon"),
    ("a: \x01", 1, "cannot be printed"),
    ("a: " + "[" * 60 + "]" * 60, 1, "levels deep"),
]


@pytest.mark.parametrize(("text", "line", "part"), REFUSED, ids=[text[:24] for text, _, _ in REFUSED])
def test_what_would_be_misread_is_refused_with_its_line(load: Load, text: str, line: int, part: str) -> None:
    """Each trap is named with file, line and the way to write it, in every language."""
    with pytest.raises(InputError) as caught:
        load(text)
    assert caught.value.place.file == "plan.yaml"
    assert caught.value.place.line == line
    assert part in caught.value.text()
    assert all(caught.value.text(language) for language in ("ru", "zh"))


def test_a_list_of_numbers_is_a_list(load: Load) -> None:
    """Commas with spaces, and plain lists of small numbers, are lists."""
    assert load("a: [120, 130]\nb: [1,5]\nc: [Ли, Вэй]").data == {
        "a": [120, 130],
        "b": [1, 5],
        "c": ["Ли", "Вэй"],
    }


def test_a_comment_after_a_space_is_a_comment(load: Load) -> None:
    """A comment with a space after # is left out."""
    assert load("a: North # our best region").data == {"a": "North"}


@pytest.mark.parametrize("text", ["", "\n", "# only a comment\n"])
def test_an_empty_file_is_refused(load: Load, text: str) -> None:
    """An empty plan says what a plan needs."""
    with pytest.raises(InputError, match="file is empty"):
        load(text)


def test_encodings(tmp_path: Path) -> None:
    """UTF-8 with a mark and UTF-16 are read; another encoding is refused with the line."""
    path = tmp_path / "plan.yaml"
    for encoding in ("utf-8-sig", "utf-16"):
        path.write_bytes("name: План".encode(encoding))
        assert load_yaml(path, "plan.yaml").data == {"name": "План"}
    path.write_bytes("a: 1\nname: План".encode("cp1251"))
    with pytest.raises(InputError, match=r"plan\.yaml, line 2: the text is not UTF-8"):
        load_yaml(path, "plan.yaml")


def test_a_missing_file_names_the_nearest(tmp_path: Path) -> None:
    """A typing error in the name of the plan is answered with the name that is there."""
    (tmp_path / "plan.yaml").write_text("a: 1", encoding="utf-8")
    with pytest.raises(InputError, match=r"Did you mean “plan\.yaml”"):
        load_yaml(tmp_path / "plam.yaml", "plam.yaml")
    with pytest.raises(InputError, match="is a folder"):
        load_yaml(tmp_path, "here")
