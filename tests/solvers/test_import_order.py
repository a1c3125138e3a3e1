"""The native libraries live in one process, whichever is loaded first."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys

import pytest

LIBRARIES = {
    "highspy": "import highspy; highspy.Highs()",
    "ortools": "from ortools.math_opt.python import mathopt; mathopt.Model()",
    "pulp": "import pulp; pulp.LpProblem('p')",
}
SOLVE_ALL = """
import numpy as np
from solvers.conformance_programs import LP_PROGRAMS
from solvers.solving import solve
for name in ("highs", "glop", "cbc"):
    assert abs(solve(LP_PROGRAMS[0].program, solver=name).objective - 2.8) < 1e-9, name
"""


@pytest.mark.parametrize("order", list(itertools.permutations(LIBRARIES)), ids="-".join)
def test_order(order: tuple[str, ...]) -> None:
    """Imports in this order load, and all three solve afterwards."""
    script = "\n".join([*(LIBRARIES[name] for name in order), SOLVE_ALL])
    run = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert run.returncode == 0, run.stderr
