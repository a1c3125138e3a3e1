"""Nearest known names, for the did-you-mean of every message."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

_SIMILAR = 0.75


def folded(name: str) -> str:
    """A name as it is compared: case, spaces, hyphens and underscores do not count."""
    return "".join(character for character in name.casefold() if character not in " \t\n\r\xa0-_")


def nearest(name: str, known: Iterable[str], count: int = 3) -> str:
    """Up to `count` known names, the most similar first, joined by commas; `-` when nothing is known."""
    target = folded(name)
    names = list(dict.fromkeys(known))
    matcher = difflib.SequenceMatcher(autojunk=False)
    matcher.set_seq2(target)

    def similarity(candidate: str) -> float:
        matcher.set_seq1(folded(candidate))
        return matcher.ratio()

    return ", ".join(sorted(names, key=similarity, reverse=True)[:count]) or "-"


def close_to(name: str, known: Iterable[str]) -> str | None:
    """The known name that `name` is most probably a slip of, or None when none is similar enough."""
    target = folded(name)
    by_folded = {folded(candidate): candidate for candidate in known}
    found = difflib.get_close_matches(target, by_folded, n=1, cutoff=_SIMILAR)
    return by_folded[found[0]] if found else None
