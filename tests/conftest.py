"""Fixtures that several tests share."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from optimizer import Solution, load_plan, solve

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def root() -> Path:
    """The folder of the repository."""
    return ROOT


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of shared cases and data beside the repository; skips the test where it is absent."""
    folder = ROOT.parent / "shared"
    if not (folder / "cases").is_dir():
        pytest.skip("needs the folder ../shared with the published cases and the data, which is not here")
    return folder


@pytest.fixture(scope="session")
def examples(root: Path) -> Path:
    """The folder of the shipped plan packs."""
    return root / "scenarios" / "examples"


@pytest.fixture(scope="session")
def solved(examples: Path) -> Callable[[str], Solution]:
    """`solved("premium_year")`: the solution of a shipped pack, found once for all tests of a process."""

    @cache
    def one(name: str) -> Solution:
        return solve(load_plan(examples / name))

    return one
