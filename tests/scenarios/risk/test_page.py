"""The page, tables and pictures of an analysis that asks for everything, in every language."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from optimizer import messages
from optimizer.errors import NoPlanError
from scenarios.base import Base
from scenarios.risk.analysis import Analysis, analyse, prepared, protected
from scenarios.risk.decided import decided, refuse_impossible
from scenarios.risk.page import risk_page
from scenarios.risk.pictures import revenue_targets, write_pictures
from scenarios.risk.riskfile import Risk

pytestmark = pytest.mark.slow

FILES = {
    "sellers": "seller,region,capacity,capacity_unit\nAnn,East,100,hours\nCem,West,100,hours\n",
    "territories": "region,hours_per_unit\nEast,1\nWest,1\n",
    "resources": "resource,capacity,per,extra_price\nstands,30,period,1\n",
    "uses": "activity,resource,amount\nsell,stands,1\n",
}
UNIFORM = {"distribution": "uniform", "low": 0.8, "high": 1.2}
SPEC: dict[str, Any] = {
    "name": "everything", "seed": 7, "samples": 24, "correlation": "none",
    "uncertain": [{"table": "markets", "column": "potential", "each": "region", "multiply": UNIFORM}],
    "decide": {"futures": 12, "reduce_to": 6, "reach": {"Year": 0.5}},
    "robust": {"budget": 1, "futures": 100},
    "contingency": {"visible_by": 1, "futures": 20, "actions": [{"resource": "stands", "amount": 5, "prepare": 1}]},
}  # fmt: skip
TARGETS = [
    {"name": "Year", "metric": "revenue", "at_least": 3500},
    {"name": "East", "metric": "revenue", "where": {"region": "East"}, "at_least": 1000},
]


@pytest.fixture(scope="module")
def base(small: Callable[..., Base]) -> Base:
    """Two sellers, stands that are rented, a target and quotas."""
    quotas = [{"name": "Revenue", "metric": "revenue", "by": ["seller"], "per": "year"}]
    calendar = {"start": "2027-01-01", "periods": 2, "every": "quarter"}
    return small(files=FILES, targets=TARGETS, quotas=quotas, calendar=calendar)


@pytest.fixture(scope="module")
def found(base: Base, risk_file: Callable[..., Risk]) -> Analysis:
    """An analysis with decisions, chances, quotas, a robust plan and what to prepare."""
    return prepared(protected(decided(analyse(base, risk_file(base, **SPEC)))))


@pytest.mark.parametrize("language", messages.LANGUAGES)
def test_every_part_is_on_the_page(found: Analysis, language: str) -> None:
    """Each section has its heading, and no table is without a word in the reader's language."""
    text = risk_page(found, language)
    for key in ("decide.head", "decide.quota_head", "risk.head_frontier", "risk.head_tornado"):
        assert messages.text(key, language, currency=found.currency) in text
    for key, fields in (
        ("robust.head", {"budget": "1"}),
        ("contingency.head", {"currency": found.currency, "period": "2027-Q1"}),
        ("decide.reduced", {"kept": 6, "drawn": 12, "distance": "0"}),
    ):
        assert messages.text(key, language, **fields)[:12] in text
    frames = found.frames
    assert {"reach", "quotas_decided", "robust", "robust_sales", "contingency", "signs", "decisions"} <= set(
        frames
    )


def test_pictures_stand_in_the_folder(found: Analysis, tmp_path: Path) -> None:
    """Revenue with its target, the tornado and the frontier as SVG and PNG; a target of a part is not drawn."""
    pytest.importorskip("matplotlib")
    names = write_pictures(found, "en", tmp_path)
    assert sorted(names) == sorted(path.name for path in tmp_path.iterdir())
    assert {name.partition(".")[0] for name in names} == {"revenue", "tornado", "frontier"}
    assert {name.partition(".")[2] for name in names} == {"svg", "png"}
    drawn = (tmp_path / "revenue.svg").read_text(encoding="utf-8")
    assert all(word in drawn for word in ("target Year", "P10", "P50", "P90"))
    assert revenue_targets(found.solution) == [("Year", 3500.0)]
    assert "markets.potential West" in (tmp_path / "tornado.svg").read_text(encoding="utf-8")


def test_an_impossible_chance_is_an_error_in_the_end(found: Analysis) -> None:
    """The page says the most that is possible, and the command ends as for a plan that cannot be."""
    refuse_impossible(found)
    row = found.frames["reach"].assign(possible=False, asked=0.99, most=0.74)
    short = replace(found, frames={**found.frames, "reach": row})
    assert "Year cannot be reached with 99 %; the most is 74 %." in risk_page(short, "en")
    with pytest.raises(NoPlanError, match="the most is 74 %"):
        refuse_impossible(short)
    each = replace(found, frames={**found.frames, "reach": row.assign(most=1.0)})
    assert "together" in risk_page(each, "en")
    with pytest.raises(NoPlanError, match="together"):
        refuse_impossible(each)
