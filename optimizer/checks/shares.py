"""Shares of one whole that cannot hold together unless the whole is nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from optimizer.checks.finding import Checked, Finding, listed
from optimizer.model.families.rules import RuleRows
from optimizer.model.terms import Terms

_TOLERANCE = 1e-9
_ENTRIES_AT_MOST = 2_000_000
"""Members times cells of a rule that are looked at; a check has to stay quick on the largest plans."""
_PARTS_AT_MOST = 500
"""Shares of one whole that are compared; beyond, the solver's answer has to do."""


@dataclass(frozen=True)
class _Part:
    """A share of a whole: its cells and bounds."""

    rows: RuleRows
    cells: frozenset[int]
    lower: float
    upper: float


def check_shares(checked: Checked) -> Iterator[Finding]:
    """Shares that hold only where their whole is 0: parts that do not overlap and ask for more than 1,
    or parts that are all of the whole and may have less than 1.

        sum_k share_k > 1 with parts that are disjoint;  sum_k share_k < 1 with parts that cover the whole
    """
    for (_, whole), parts in _by_whole(checked).items():
        if not whole or len(parts) > _PARTS_AT_MOST:
            continue
        floors = _disjoint(sorted(parts, key=lambda part: -part.lower))
        total = sum(part.lower for part in floors)
        if total > 1.0 + _TOLERANCE:
            yield _finding("labels.shares_above_whole", [part for part in floors if part.lower > 0], total)
        caps = _disjoint(sorted(parts, key=lambda part: part.upper))
        total = sum(part.upper for part in caps)
        if total < 1.0 - _TOLERANCE and sum(len(part.cells) for part in caps) == len(whole):
            yield _finding("labels.shares_below_whole", caps, total)


def _by_whole(checked: Checked) -> dict[tuple[str, frozenset[int]], list[_Part]]:
    """The members of share rules by metric and the cells of what they are a share of; sums of positive parts
    only."""
    found: dict[tuple[str, frozenset[int]], list[_Part]] = {}
    for rows in checked.rows:
        if not rows.rule.as_share or rows.denominator is None:
            continue
        if rows.members.size * len(rows.denominator.column) > _ENTRIES_AT_MOST:
            continue
        for member in range(min(rows.members.size, _PARTS_AT_MOST + 1)):
            whole, cells = _cells(rows.denominator, member), _cells(rows.numerator, member)
            if not _adds_up(rows.denominator, member) or not cells <= whole:
                continue
            lower, upper = (np.nan_to_num(bound[member], nan=none) for bound, none in _bounds(rows))
            part = _Part(rows, cells, float(lower), float(upper))
            found.setdefault((rows.rule.metric, whole), []).append(part)
    return found


def _bounds(rows: RuleRows) -> tuple[tuple[NDArray[np.float64], float], tuple[NDArray[np.float64], float]]:
    return (rows.asked_lower, 0.0), (rows.asked_upper, 1.0)


def _adds_up(terms: Terms, member: int) -> bool:
    """Whether an expression is a sum of what is not negative, without facts."""
    return terms.constant[member] == 0.0 and not (terms.value[terms.member == member] < 0).any()


def _cells(terms: Terms, member: int) -> frozenset[int]:
    own = (terms.member == member) & (terms.value > 0)
    return frozenset(terms.column[own].tolist())


def _disjoint(parts: list[_Part]) -> list[_Part]:
    """The parts in order, without those that overlap an earlier one."""
    taken: set[int] = set()
    chosen = []
    for part in parts:
        if part.cells and taken.isdisjoint(part.cells):
            taken |= part.cells
            chosen.append(part)
    return chosen


def _finding(key: str, parts: list[_Part], total: float) -> Finding:
    names = list(dict.fromkeys(part.rows.rule.name for part in parts))
    fields = {"rules": listed(names), "total": f"{100.0 * total:.4g}"}
    return Finding("warning", key, fields, parts[0].rows.rule.place)
