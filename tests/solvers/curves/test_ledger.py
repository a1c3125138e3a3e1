"""What is known of a search is measured by the size of what is known."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from solvers.curves import CurveProgram, curve
from solvers.curves.ledger import Ledger
from solvers.curves.prepared import prepare
from solvers.options import SolveOptions


def test_a_bound_of_zero_does_not_make_gaps_enormous(allocate: Callable[..., CurveProgram]) -> None:
    """A shortfall that may still become 0 is measured by the point that is known, not by a millionth."""
    program = allocate([curve("hill", top=1.0, half=1.0, slope=3.0)] * 2, [3.0, 3.0], 1.5)
    ledger = Ledger(prepare(program, SolveOptions(), "highs"), 0.0, None)
    assert ledger.magnitude == 1.0
    ledger.take_bound(0.0)
    assert ledger.magnitude == 1e-6
    ledger.best, ledger.value = np.zeros(4), -0.4
    assert ledger.magnitude == pytest.approx(0.4)
