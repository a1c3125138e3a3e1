"""Fixtures that several tests share."""

from __future__ import annotations

from pathlib import Path

import pytest

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
