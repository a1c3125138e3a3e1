"""Options beside a risk file: they are put into it, and checked like it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from optimizer.errors import InputError
from scenarios.base import Base
from scenarios.risk.options import asked_for
from scenarios.risk.riskfile import Risk

UNCERTAIN = [{"table": "markets", "column": "potential", "multiply": {"low": 0.8, "likely": 1, "high": 1.1}}]


def test_options_come_before_the_file(small: Callable[..., Base], risk_file: Callable[..., Risk]) -> None:
    """What is asked for replaces that of the file, the rest of each part stays; without options nothing changes."""
    risk = risk_file(small(), uncertain=UNCERTAIN, decide={"futures": 50, "reach": {"Year": 0.7}})
    assert asked_for(risk) is risk
    found = asked_for(risk, futures=80, reduce_to=9, robust=1.5, prepare_by=2).spec
    assert (found.decide.futures, found.decide.reduce_to, found.decide.reach) == (80, 9, {"Year": 0.7})
    assert (found.robust.budget, found.contingency.visible_by) == (1.5, 2)
    assert asked_for(risk, reach={"Share": 0.5}).spec.decide.reach == {"Share": 0.5}
    assert risk.spec.contingency is None


def test_options_are_checked(small: Callable[..., Base], risk_file: Callable[..., Risk]) -> None:
    """A probability above 1 is refused as it is in the file."""
    with pytest.raises(InputError, match="Year"):
        asked_for(risk_file(small(), uncertain=UNCERTAIN), reach={"Year": 1.2})
