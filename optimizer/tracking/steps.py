"""What was solved again for the Monday page, as values."""

from __future__ import annotations

from dataclasses import dataclass

from optimizer.tracking.decisions import Priced


@dataclass(frozen=True)
class Step:
    """The step that brings most revenue to one member whose forecast is short, in currency; `gap` is what is
    short of the target, of the plan where there is none."""

    scope: str
    member: str
    gap: float
    name: str
    gain: float


@dataclass(frozen=True)
class Steps:
    """Decisions with what their delay costs, steps towards each gap, and what assumptions weigh."""

    priced: tuple[Priced, ...]
    steps: tuple[Step, ...] = ()
    weights: tuple[tuple[str, float], ...] = ()
    """Assumptions by key with the change of the forecast's revenue at 10 % off, the larger side, the heaviest
    first."""
    solves: int = 0
    left: int = 0
    """Decisions and assumptions that the number of solves was too small for."""
