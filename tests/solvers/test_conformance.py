"""Every adapter that is usable here passes the whole conformance suite."""

from __future__ import annotations

import pytest

from solvers.conformance import CASES, Case
from solvers.registry import available, get

SOLVERS = ("highs", "cbc", "glop", "pdlp", "scip", "cp-sat")


def pairs() -> list[tuple[str, Case]]:
    """Solvers and the cases that concern them."""
    return [(name, case) for name in SOLVERS for case in CASES if case.applies(get(name).capabilities)]


@pytest.mark.parametrize(("name", "case"), pairs(), ids=lambda value: getattr(value, "name", value))
def test_case(name: str, case: Case) -> None:
    """The solver has no complaint in this case."""
    assert case.check(get(name)) == []


def test_all_six_are_here() -> None:
    """The pinned packages bring all six free solvers."""
    assert set(SOLVERS) <= set(available())
