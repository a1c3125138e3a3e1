"""Planes below the loss of a future: what a decomposition learns of it."""

from __future__ import annotations

from dataclasses import dataclass

from solvers.program import FloatArray


@dataclass(frozen=True)
class Plane:
    """Below the loss of one future: loss >= level + slope @ x; with `feasibility` 0 >= it must hold."""

    future: int
    slope: FloatArray
    level: float
    feasibility: bool = False
