"""Why no plan exists: the least change, every repair by one rule alone, and a minimal set that cannot hold together."""

from __future__ import annotations

from optimizer.model.compile import Model
from optimizer.result.solution import Contradiction
from optimizer.settings import SolveSettings


def explain_contradiction(model: Model, settings: SolveSettings) -> Contradiction:
    """Elastic repair and a minimal conflict over the named rules and the given capacities, potentials and resources."""
    raise AssertionError((model, settings))
