"""Names of rows and columns in files: readable, unique and reversible.

`hours` with the labels `Ли, Вэй` and `2027-01` is `hours[Ли%2C%20Вэй,2027-01]` in an MPS file and
`hours(Ли%2C%20Вэй,2027%2D01)` in an LP file, whose grammar keeps brackets and minus signs for itself. A
character that would break the file or the name is written as the % codes of its UTF-8 bytes.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from urllib.parse import unquote

from solvers.errors import InvalidProgramError
from solvers.program import Block

_SAFE_MARKS = {"mps": "_.-+:;!#&/@~'{}|=<>^$\"`?*\\", "lp": "_.!#&@~'{}$`?;\""}
_BRACKETS = {"mps": ("[", "]"), "lp": ("(", ")")}
_LP_WORDS = frozenset(
    [
        *("st", "st.", "s.t.", "subject", "such", "max", "maximize", "maximise", "maximum"),
        *("min", "minimize", "minimise", "minimum", "bound", "bounds", "general", "generals", "gen"),
        *("integer", "integers", "int", "binary", "binaries", "bin", "semi", "sos", "end"),
        *("free", "inf", "infinity", "nan"),
    ]
)
_LP_NUMBER_LIKE = re.compile(r"[0-9.]|[eE][0-9]")
_NAME = re.compile(r"(?P<block>[^\[\](]*)[\[(](?P<labels>[^\[\]()]*)[\])]", re.DOTALL)


def escape(text: str, style: str = "mps") -> str:
    """The text with unsafe characters as % codes; `style` is "mps" or "lp"."""
    safe = _SAFE_MARKS[style]
    if all(mark.isalnum() or mark in safe for mark in text):
        return text
    return "".join(mark if mark.isalnum() or mark in safe else _codes(mark) for mark in text)


def full_name(block: str, labels: Sequence[str], style: str = "mps") -> str:
    """`block[label,label]`, escaped; a block without a name leaves its labels alone as the name."""
    opening, closing = _BRACKETS[style]
    inner = ",".join(escape(label, style) for label in labels)
    name = f"{escape(block, style)}{opening}{inner}{closing}" if block else inner
    if style == "lp" and (_LP_NUMBER_LIKE.match(name) or name.lower() in _LP_WORDS):
        return _codes(name[0]) + name[1:]
    return name


def split_name(name: str) -> tuple[str, tuple[str, ...]]:
    """Block and labels of a name from a file; a foreign name is a label of the block without a name."""
    found = _NAME.fullmatch(name)
    if found is None or not found["block"]:
        return "", (unquote(name),)
    return unquote(found["block"]), tuple(unquote(label) for label in found["labels"].split(","))


def all_names(blocks: Sequence[Block], count: int, default: str, style: str = "mps") -> list[str]:
    """Names of all `count` rows or columns; those outside every block are `default` and their number.

    Raises `InvalidProgramError` when two are equal.
    """
    names = [f"{default}{position}" for position in range(count)]
    for block in blocks:
        labels = block.labels() if block.labels else [(str(position),) for position in range(block.size)]
        names[block.start : block.stop] = [full_name(block.name, entry, style) for entry in labels]
    if len(set(names)) != count:
        twice = Counter(names).most_common(1)[0][0]
        raise InvalidProgramError(f"two of the {default}s are called {twice}")
    return names


def blocks_of(names: Sequence[str]) -> tuple[Block, ...]:
    """The blocks that names from a file form: one for each run of names with the same first part."""
    parts = [split_name(name) for name in names]
    blocks: list[Block] = []
    start = 0
    for stop in range(1, len(parts) + 1):
        if stop == len(parts) or parts[stop][0] != parts[start][0]:
            labels = [entry for _, entry in parts[start:stop]]
            blocks.append(Block(parts[start][0], start, stop, _Labels(labels)))
            start = stop
    return tuple(blocks)


class _Labels:
    """Labels that are known already; a class, because a lambda would not travel to another process."""

    def __init__(self, labels: list[tuple[str, ...]]) -> None:
        self._labels = labels

    def __call__(self) -> list[tuple[str, ...]]:
        return self._labels


def _codes(mark: str) -> str:
    return "".join(f"%{byte:02X}" for byte in mark.encode("utf-8"))
