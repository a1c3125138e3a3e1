"""What was solved again for the Monday page, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

from optimizer.result.kpis import COMPANY
from optimizer.tracking.decisions import Priced

TARGET = "target"
"""Scope of a step towards a target that is not the revenue of one member of a level."""
SELL = "sell"
"""Kind of the step that starts nothing: selling what demand and hours allow beyond the plan."""
STEP_COLUMNS = ("scope", "member", "unit", "gap", "kind", "step", "brings", "share", "contribution", "most")


@dataclass(frozen=True)
class Step:
    """What one step brings to one member whose forecast is short, in revenue, or to a target that is missed;
    `gap` is what is short of the target, of the plan where there is none."""

    scope: str
    member: str
    unit: str
    """Of gap and gain."""
    gap: float
    kind: str
    """initiative, hire or sell."""
    name: str
    """Blank for sell."""
    gain: float
    contribution: float | None
    """What the step brings to the company's contribution; None where no margin is known."""


@dataclass(frozen=True)
class Closing:
    """The steps towards each gap, those of a member that bring most first."""

    steps: tuple[Step, ...] = ()
    now: Mapping[tuple[str, str], float] = field(default_factory=dict)
    """(kind, name) of a start -> what starting at once makes possible for the company."""
    solves: int = 0
    left: int = 0
    """Starts that were not tried."""

    def best(self) -> dict[tuple[str, str], Step]:
        """(scope, member) -> the step that closes most of its gap."""
        found: dict[tuple[str, str], Step] = {}
        for one in self.steps:
            found.setdefault((one.scope, one.member), one)
        return found


@dataclass(frozen=True)
class Steps:
    """Decisions with what their delay costs, and what assumptions weigh."""

    priced: tuple[Priced, ...]
    weights: tuple[tuple[str, float], ...] = ()
    """Assumptions by key with the change of the forecast's revenue at 10 % off, the larger side, the heaviest
    first."""
    solves: int = 0
    left: int = 0
    """Decisions and assumptions that the number of solves was too small for."""


def steps_frame(found: Closing) -> pd.DataFrame:
    """One row a member or target that is short, and a step that brings it something.

    Columns: scope (company, a column, or target for all other targets), member and unit; gap (forecast less
    target, less the plan without one); kind (initiative, hire, sell) and step (its name; blank for sell);
    brings (revenue of the member; of a target by how much less it is missed) and share (of the gap);
    contribution (change of the company's; blank where no margin is known); most (whether it closes most of
    this gap).
    """
    best = found.best()
    rows = [
        (
            one.scope or COMPANY, one.member, one.unit, one.gap, one.kind, one.name, one.gain,
            one.gain / -one.gap, one.contribution, best[one.scope, one.member] is one,
        )
        for one in found.steps
    ]  # fmt: skip
    texts = dict.fromkeys(("scope", "member", "unit", "kind", "step"), "str")
    figures = dict.fromkeys(("gap", "brings", "share", "contribution"), "float64")
    return pd.DataFrame(rows, columns=list(STEP_COLUMNS)).astype({**texts, **figures, "most": "bool"})
