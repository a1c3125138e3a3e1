"""Whatever stands in the files: a plan, or an input error in every language; never a traceback."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optimizer.errors import InputError
from optimizer.io.formulas import unprotect
from optimizer.plan.load import load_plan, plan_from_data
from optimizer.plan.plan import Plan
from optimizer.plan.totals import is_total

CELLS = st.sampled_from(
    (
        *("", "*", "North", "00123", "NO", "12:30", "5", "1,5", "1.5", "-3", "20%", "1.2亿", "NaN", "1e400"),
        *("abc", "да", "2027-03-01", "2027-03", "март", "Итого", "Ли, Вэй", "new", "hours", "season"),
        *("1 000", "#N/A", "=1+1", "½"),
    )
)
HEADERS = st.sampled_from(
    (
        *("region", "line", "price", "potential", "potential_low", "last_year_revenue", "season", "seller"),
        *("customer_type", "team", "from", "to", "capacity", "ramp", "янв", "2026-02", "Q1 2027", "Total"),
        *("prise", "x.y", "period"),
    )
)
ENTRIES = st.recursive(
    st.one_of(
        CELLS,
        st.none(),
        st.booleans(),
        st.integers(-5, 5000),
        st.sampled_from(["units", "revenue", "quarter", "region", "asked.csv", "markets.csv", "last_year"]),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(
                ["metric", "where", "each", "at_least", "growth", "of", "file", "from", "to", "region"]
            ),
            inner,
            max_size=4,
        ),
    ),
    max_leaves=8,
)


def _csv(rows: list[list[str]]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue()


@st.composite
def _tables(draw: st.DrawFn) -> str:
    header = draw(st.lists(HEADERS, min_size=1, max_size=5))
    body = draw(st.lists(st.lists(CELLS, min_size=len(header), max_size=len(header)), max_size=4))
    return _csv([header, *body])


def _load_or_refuse(folder: Path, data: dict[str, Any] | None = None) -> Plan | None:
    try:
        return load_plan(folder) if data is None else plan_from_data(data, folder)
    except InputError as error:
        for language in ("en", "ru", "zh"):
            assert error.text(language)
        return None


@settings(max_examples=150, deadline=None)
@given(markets=_tables(), sellers=_tables(), profiles=_tables(), across=st.booleans())
def test_any_tables(
    tmp_path_factory: pytest.TempPathFactory, markets: str, sellers: str, profiles: str, across: bool
) -> None:
    """Any cells under any headers are read or refused."""
    folder = tmp_path_factory.mktemp("plan")
    months = ", months_across: last_year_revenue" if across else ""
    (folder / "plan.yaml").write_text(
        "name: x\ncalendar: {start: 2027-01-01, periods: 2}\ntables:\n"
        f"  markets: {{file: markets.csv{months}}}\n  sellers: sellers.csv\n  profiles: profiles.csv\n",
        encoding="utf-8",
    )
    for name, text in (("markets", markets), ("sellers", sellers), ("profiles", profiles)):
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    plan = _load_or_refuse(folder)
    if plan is not None:
        assert len(plan.tables["markets"]) > 0


@settings(max_examples=250, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(
            ["targets", "budgets", "limits", "balance", "stay_near", "objective", "calendar", "tables"]
        ),
        st.one_of(ENTRIES, st.lists(ENTRIES, max_size=2)),
        max_size=3,
    )
)
def test_any_plan_file(tmp_path_factory: pytest.TempPathFactory, entries: dict[str, Any]) -> None:
    """Any entries of a plan file are taken or refused."""
    folder = tmp_path_factory.mktemp("plan")
    (folder / "markets.csv").write_text("region,price\nNorth,5\nSouth,6\n", encoding="utf-8")
    (folder / "asked.csv").write_text("metric,at_least,region\nunits,5,North\n", encoding="utf-8")
    data = {
        "name": "x",
        "calendar": {"start": "2027-01-01", "periods": 4},
        "tables": {"markets": "markets.csv"},
        **entries,
    }
    _load_or_refuse(folder, data)


def _is_label(text: str) -> bool:
    """Whether a text has no meaning of its own: no blank, no `*`, no sum, no error of a spreadsheet, and no
    apostrophe that keeps a spreadsheet from running it (`'=`)."""
    plain = text not in ("", "*") and not is_total(text) and not text.startswith("#")
    return plain and unprotect(text) == text


LABELS = st.text(
    st.characters(exclude_categories=("C", "Z"), include_characters=" "), min_size=1, max_size=12
).map(lambda text: " ".join(text.split()))


@settings(max_examples=100, deadline=None)
@given(st.lists(LABELS.filter(_is_label), min_size=1, unique=True))
def test_labels_come_back_as_written(tmp_path_factory: pytest.TempPathFactory, labels: list[str]) -> None:
    """A label is the text of its cell, whatever the text is."""
    folder = tmp_path_factory.mktemp("plan")
    rows = [["region", "price"], *([label, "1"] for label in labels)]
    (folder / "markets.csv").write_text(_csv(rows), encoding="utf-8")
    data = {
        "name": "x",
        "calendar": {"start": "2027-01-01", "periods": 1},
        "tables": {"markets": {"file": "markets.csv", "encoding": "utf-8", "delimiter": ","}},
    }
    assert plan_from_data(data, folder).tables["markets"].text("region") == labels
