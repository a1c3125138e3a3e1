"""Nearest known names, for the did-you-mean of every message."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

_SHORT_NAME = 5
_SHOWN_OF_FOREIGN = 10
"""Names that are shown to somebody who wrote a word of another language."""


def folded(name: str) -> str:
    """A name as it is compared: case, spaces, hyphens and underscores do not count."""
    return "".join(character for character in name.casefold() if character not in " \t\n\r\xa0-_")


def nearest(name: str, known: Iterable[str], count: int = 3) -> str:
    """Up to `count` known names, the most similar first, joined by commas; `-` when nothing is known.

    Where none has a character of `name`, as with a word of another language, the first ones of the list are
    shown, and more of them.
    """
    target = folded(name)
    names = list(dict.fromkeys(known))
    matcher = difflib.SequenceMatcher(autojunk=False)
    matcher.set_seq2(target)

    def similarity(candidate: str) -> float:
        matcher.set_seq1(folded(candidate))
        return matcher.ratio()

    ranked = sorted(names, key=similarity, reverse=True)
    foreign = count > 1 and bool(ranked) and similarity(ranked[0]) == 0.0
    return ", ".join(ranked[: _SHOWN_OF_FOREIGN if foreign else count]) or "-"


def slip_of(name: str, known: Iterable[str]) -> str | None:
    """The known name that `name` is a slip of the hand away from, or None.

    A slip is one wrong, missing, extra or swapped character in a name of up to five, up to two in a longer.
    """
    target = folded(name)
    allowed = 1 if len(target) <= _SHORT_NAME else 2
    distances = {candidate: _slips(target, folded(candidate)) for candidate in known}
    best = min(distances, key=distances.__getitem__, default=None)
    return best if best is not None and distances[best] <= allowed else None


def _slips(one: str, other: str) -> int:
    """Fewest wrong, missing, extra or swapped neighbouring characters (Damerau 1964, optimal alignment)."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, left in enumerate(one, start=1):
        older, before, row = before, row, [i]
        for j, right in enumerate(other, start=1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (left != right))
            if i > 1 and j > 1 and left == other[j - 2] and one[i - 2] == right:
                cost = min(cost, older[j - 2] + 1)
            row.append(cost)
    return row[-1]
