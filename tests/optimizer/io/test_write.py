"""What is written is read back unchanged, and no text runs as a formula."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from optimizer.io.cells import read_cells
from optimizer.io.formulas import protect, unprotect
from optimizer.io.write import csv_text, json_text, write_json, write_table, write_workbook

LABEL = st.text(
    st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from("=+-@'\",;\t\n\r"),
    min_size=1,
    max_size=8,
).map(str.strip)


@pytest.fixture
def frame() -> pd.DataFrame:
    """A table with every kind of column."""
    return pd.DataFrame(
        {
            "seller": ["=1+1", "'-5", "Ли, Вэй", None, 'say "hi"'],
            "revenue": [1.5, 120e6, -1e-7, math.nan, 1e22],
            "whole": [True, False, True, True, False],
            "start": pd.to_datetime(["2027-01-01"] * 5),
            "value": ["x", 1, 2.0, np.float64(0.5), None],
            "=units": [1, 2, 3, 4, 5],
        }
    )


def test_csv_cells(frame: pd.DataFrame) -> None:
    """Texts are protected, numbers are short and exact, blanks are blank, midnight is a date."""
    assert csv_text(frame).splitlines() == [
        "seller,revenue,whole,start,value,'=units",
        "'=1+1,1.5,True,2027-01-01,x,1",
        "''-5,120000000,False,2027-01-01,1,2",
        '"Ли, Вэй",-1e-07,True,2027-01-01,2,3',
        ",,True,2027-01-01,0.5,4",
        '"say ""hi""",1e+22,False,2027-01-01,,5',
    ]


@pytest.mark.parametrize("name", ["table.csv", "table.xlsx", "table.parquet"])
def test_every_container_gives_the_table_back(frame: pd.DataFrame, tmp_path: Path, name: str) -> None:
    """Labels and numbers are the same after writing and reading."""
    path = tmp_path / name
    plain = frame.drop(columns="value")
    if name.endswith("xlsx"):
        write_workbook({"table": plain}, path)
    else:
        write_table(plain, path)
    cells = read_cells(path)
    assert cells.header == list(plain.columns)
    assert cells.labels("seller") == ["=1+1", "'-5", "Ли, Вэй", "", 'say "hi"']
    np.testing.assert_array_equal(cells.numbers("revenue")[0], frame["revenue"])
    np.testing.assert_array_equal(cells.numbers("=units")[0], frame["=units"])
    assert cells.labels("start") == ["2027-01-01"] * 5


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(
    st.lists(
        st.tuples(LABEL, st.floats(allow_nan=False, allow_infinity=False), st.integers(-(10**9), 10**9)),
        min_size=1,
        max_size=6,
    )
)
def test_any_table_comes_back_from_csv(tmp_path: Path, rows: list[tuple[str, float, int]]) -> None:
    """Any label without outer white space and any number survive CSV."""
    path = tmp_path / "any.csv"
    write_table(pd.DataFrame(rows, columns=["label", "number", "whole"]), path)
    cells = read_cells(path)
    assert cells.columns["label"] == [label for label, _, _ in rows]
    assert cells.numbers("number")[0].tolist() == [number for _, number, _ in rows]
    assert cells.numbers("whole")[0].tolist() == [whole for _, _, whole in rows]


@given(st.text(st.sampled_from("'=+-@\t\ra1 "), max_size=6))
def test_protection_is_undone(text: str) -> None:
    """Every text comes back, and no protected text begins with a sign that runs."""
    assert unprotect(protect(text)) == text
    assert not protect(text).startswith(("=", "+", "-", "@", "\t", "\r"))


def test_csv_opens_in_a_spreadsheet(tmp_path: Path) -> None:
    """The file begins with the mark by which a spreadsheet knows UTF-8."""
    write_table(pd.DataFrame({"регион": ["Север"]}), tmp_path / "table.csv")
    assert (tmp_path / "table.csv").read_bytes().startswith(b"\xef\xbb\xbf")


def test_an_unknown_ending_is_an_error(tmp_path: Path) -> None:
    """A table is CSV or Parquet."""
    with pytest.raises(ValueError, match=r"not as 'table\.doc'"):
        write_table(pd.DataFrame(), tmp_path / "table.doc")


def test_a_workbook_is_pleasant(frame: pd.DataFrame, tmp_path: Path) -> None:
    """One sheet a table, header bold and frozen, formulas as text, control characters replaced."""
    frame.loc[0, "value"] = "bell\x07"
    write_workbook({"sales": frame, "empty": frame[:0]}, tmp_path / "run.xlsx")
    book = openpyxl.load_workbook(tmp_path / "run.xlsx")
    assert book.sheetnames == ["sales", "empty"]
    sheet = book["sales"]
    assert sheet.freeze_panes == "A2" and sheet["A1"].font.bold
    assert sheet["A2"].data_type == "s" and sheet["A2"].value == "'=1+1"
    assert sheet["B3"].value == 120e6 and sheet["B5"].value is None
    assert sheet["E2"].value == "bell\ufffd"
    assert sheet.column_dimensions["A"].width > 6


def test_equal_tables_are_equal_workbooks(frame: pd.DataFrame, tmp_path: Path) -> None:
    """A workbook has no date of its own, so that two runs of one plan can be compared as files."""
    for name in ("one.xlsx", "two.xlsx"):
        write_workbook({"sales": frame}, tmp_path / name)
    assert (tmp_path / "one.xlsx").read_bytes() == (tmp_path / "two.xlsx").read_bytes()


def test_what_a_sheet_cannot_hold(tmp_path: Path) -> None:
    """Infinity is a text, a long text is cut, marks of XML survive, and wide tables have their letters."""
    wide = pd.DataFrame({f"c{at}": [at] for at in range(60)})
    odd = pd.DataFrame({"x": [math.inf, -math.inf, math.nan], "t": ['<a> & "b"\nc', "y" * 40_000, " z "]})
    write_workbook({"R&D <1>": odd, "wide": wide, "nothing": pd.DataFrame()}, tmp_path / "odd.xlsx")
    book = openpyxl.load_workbook(tmp_path / "odd.xlsx")
    sheet = book["R&D <1>"]
    assert [sheet[f"A{row}"].value for row in (2, 3, 4)] == ["inf", "'-inf", None]
    assert sheet["B2"].value == '<a> & "b"\nc' and len(sheet["B3"].value) == 32_767
    assert sheet["B4"].value == " z "
    assert book["wide"]["BH2"].value == 59
    assert book["nothing"]["A2"].value is None


def test_json_has_plain_values(tmp_path: Path) -> None:
    """NumPy values, dates and paths are plain, NaN is null, text is readable."""
    data = {"x": np.float64(1), "n": math.nan, "a": np.arange(2), "name": "План", "p": Path("a"), "s": {2, 1}}
    write_json(data, tmp_path / "summary.json")
    text = (tmp_path / "summary.json").read_text(encoding="utf-8")
    assert json.loads(text) == {"x": 1.0, "n": None, "a": [0, 1], "name": "План", "p": "a", "s": [1, 2]}
    assert "План" in text and text == json_text(data) + "\n"
