"""Small plans on disk, and the message of what is wrong with them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from optimizer.errors import InputError
from optimizer.plan.load import load_plan
from optimizer.plan.plan import Plan

MARKETS = """\
region,line,price,potential
North,premium,100,50
North,standard,40,80
South,premium,100,30
South,standard,40,90
"""
SELLERS = """\
seller,team,capacity
Ann,Alpha,100
Ben,Alpha,100
Cai,Beta,120
"""
HEAD = """\
name: Test
calendar: {start: 2027-01-01, periods: 12}
tables: {markets: markets.csv, sellers: sellers.csv}
"""

Load = Callable[..., Plan]
Problem = Callable[..., str]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """A function that writes a plan file and tables (name=text) and loads the plan."""

    def write_and_load(rest: str = "", *, head: str = HEAD, **files: str | bytes) -> Plan:
        (tmp_path / "plan.yaml").write_text(head + rest, encoding="utf-8")
        tables: dict[str, str | bytes] = {"markets": MARKETS, "sellers": SELLERS, **files}
        for name, content in tables.items():
            data = content.encode("utf-8") if isinstance(content, str) else content
            (tmp_path / f"{name}.csv").write_bytes(data)
        return load_plan(tmp_path / "plan.yaml")

    return write_and_load


@pytest.fixture
def problem(load: Load) -> Problem:
    """A function like `load` that returns the text of the error, in all languages without a gap."""

    def text_of_error(rest: str = "", *, head: str = HEAD, **files: str | bytes) -> str:
        with pytest.raises(InputError) as caught:
            load(rest, head=head, **files)
        for language in ("ru", "zh"):
            assert caught.value.text(language)
        return caught.value.text("en")

    return text_of_error
