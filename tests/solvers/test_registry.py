"""Tests of the names, capabilities and lazy loading of solvers."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from solvers import registry
from solvers.errors import UnknownSolverError
from solvers.registry import Adapter, Capabilities, UpdatableAdapter


def test_a_forgotten_capability_means_no() -> None:
    """An adapter that says nothing can do nothing."""
    assert not any(vars(Capabilities()).values())


def test_unknown_name_gets_the_nearest_one() -> None:
    """A typo is answered with the name that was meant."""
    with pytest.raises(UnknownSolverError, match="did you mean 'highs'"):
        registry.get("hihgs")


def test_highs_is_an_updatable_adapter() -> None:
    """The default solver fulfils both protocols."""
    adapter = registry.get("highs")
    assert isinstance(adapter, Adapter)
    assert isinstance(adapter, UpdatableAdapter)
    assert adapter.available()
    assert adapter.version().startswith("1.13")


def test_asking_for_availability_imports_no_solver(root: Path) -> None:
    """Availability is looked up, not tried: no solver library is loaded."""
    code = (
        "import sys; from solvers import registry; registry.get('highs').available();"
        "assert 'highspy' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=root)


def test_importing_the_package_is_light(root: Path) -> None:
    """`import solvers` loads neither NumPy nor SciPy nor a solver."""
    code = "import sys, solvers; assert not {'numpy', 'scipy', 'highspy'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=root)
