"""The shipped packs, each solved once."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from optimizer import Solution, load_plan, solve

Solved = Callable[[str], Solution]


@pytest.fixture(scope="session")
def solved(examples: Path) -> Solved:
    """`solved("premium_year")`: the solution of a shipped pack."""

    @cache
    def one(name: str) -> Solution:
        return solve(load_plan(examples / name))

    return one
