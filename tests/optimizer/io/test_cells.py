"""Tables are read as written, from CSV, XLSX and Parquet, with the place of every row."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
import pytest

from optimizer.errors import InputError
from optimizer.io.cells import Cells, column_letters, file_digest, label_text, read_cells, resolve_inside

Read = Callable[..., Cells]
RUSSIAN = "регион;продукт;цена\nСевер;Премиум;0,15\nМосква;Стандарт;1 200,50\n\nЮг;Стандарт;7\n"
CHINESE = "省份,产品线,金额\n广东,高端,1.2亿\n上海,标准,3万\n"


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """A function that writes bytes or text (as UTF-8) to a file and reads its cells."""

    def _read(content: bytes | str, name: str = "table.csv", **options: Any) -> Cells:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return read_cells(path, **options)

    return _read


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1251"])
def test_russian_tables_in_every_encoding(read: Read, encoding: str) -> None:
    """Encoding, `;` and decimal commas are told; blank lines keep the row numbers."""
    cells = read(RUSSIAN.encode(encoding))
    assert cells.header == ["регион", "продукт", "цена"]
    assert cells.labels("регион") == ["Север", "Москва", "Юг"]
    assert cells.rows.tolist() == [2, 3, 5]
    assert (cells.encoding, cells.delimiter) == (encoding, ";")
    values, refused = cells.numbers("цена")
    assert refused == []
    np.testing.assert_array_equal(values, [0.15, 1200.5, 7])


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_chinese_tables(read: Read, encoding: str) -> None:
    """GB18030 is told from cp1251, though both could decode the bytes."""
    cells = read(CHINESE.encode(encoding))
    assert cells.encoding == encoding
    assert cells.labels("省份") == ["广东", "上海"]
    np.testing.assert_array_equal(cells.numbers("金额")[0], [1.2e8, 3e4])


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (RUSSIAN.upper(), "cp1251"),
        ("город,план\nУфа,1\n", "cp1251"),
        ("ФИО;План\nИванов И. И.;5\n", "cp1251"),
        ("省\t额\n东\t1\n", "gb18030"),
        ("销售员,目标\n李伟,100\n王芳,200\n", "gb18030"),
    ],
)
def test_short_tables_are_told_too(read: Read, text: str, encoding: str) -> None:
    """Capitals and a few characters are enough."""
    assert read(text.encode(encoding)).encoding == encoding


@pytest.mark.parametrize("encoding", ["koi8-r", "cp866", "latin-1"])
def test_an_encoding_that_cannot_be_told_is_asked_for(read: Read, encoding: str) -> None:
    """Nothing is guessed where both readings or neither make sense."""
    text = "name,b\nMüller,1\n" if encoding == "latin-1" else RUSSIAN
    with pytest.raises(InputError, match="encoding: cp1251 or encoding: gb18030"):
        read(text.encode(encoding))
    assert read(text.encode(encoding), encoding=encoding).rows[0] == 2


def test_a_wrong_encoding_is_refused(read: Read) -> None:
    """An encoding that does not fit, or does not exist, names itself."""
    with pytest.raises(InputError, match=r"line 1: the text is not in the encoding “utf-8”"):
        read(RUSSIAN.encode("cp1251"), encoding="utf-8")
    with pytest.raises(InputError, match="no encoding “utf9”"):
        read(RUSSIAN, encoding="utf9")


def test_labels_are_texts_as_written(read: Read) -> None:
    """`00123`, `NO`, `12:30` and `Ли, Вэй` stay; outer white space goes."""
    cells = read('code,region,time,seller\n00123,NO,12:30,"Ли, Вэй"\n 7.0 ,on,1e-4,  x\n')
    assert cells.columns == {
        "code": ["00123", "7.0"],
        "region": ["NO", "on"],
        "time": ["12:30", "1e-4"],
        "seller": ["Ли, Вэй", "x"],
    }


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_delimiter_is_told(read: Read, delimiter: str) -> None:
    """The sign that cuts all rows alike is the delimiter."""
    cells = read("a|b|c\n1|x y|2\n3|z|4\n".replace("|", delimiter))
    assert cells.delimiter == delimiter and cells.header == ["a", "b", "c"]


def test_delimiters_that_all_fit_are_asked_for(read: Read) -> None:
    """Two signs that cut all rows alike are no matter for guessing."""
    with pytest.raises(InputError, match=r"delimiter cannot be told: ',' ';' all fit"):
        read("a;b,c\n1;2,3\n")
    assert read("a;b,c\n1;2,3\n", delimiter=";").columns == {"a": ["1"], "b,c": ["2,3"]}


def test_a_single_column(read: Read) -> None:
    """A file without delimiter is one column, even with commas in its labels."""
    assert read("name\nЛи, Вэй\nx\n").columns == {"name": ["Ли, Вэй", "x"]}


def test_the_spreadsheet_line_that_names_the_delimiter(read: Read) -> None:
    """`sep=;` in the first line is followed, and is no header."""
    cells = read("sep=;\na;b\n1;2\n")
    assert cells.columns == {"a": ["1"], "b": ["2"]} and cells.rows.tolist() == [3]


def test_quotes_and_line_breaks(read: Read) -> None:
    """Quotation marks are undone; a line break inside them begins no new row."""
    cells = read('a,b\n"x\ny","say ""hi"""\nz,1\n')
    assert cells.columns["a"] == ["x\ny", "z"] and cells.columns["b"][0] == 'say "hi"'
    assert cells.rows.tolist() == [2, 3]


BAD = [
    ("a,b\n1,2,3\n", "table.csv, row 2: cells in this row: 3, in the header: 2"),
    ("a,b\n1,2\n\n1\n", "table.csv, row 4: cells in this row: 1"),
    ('a,b\nx,1\n"x,1\n', "row 3: a quotation mark is not closed"),
    ("a,b,a\n1,2,3\n", "“a” occurs twice, in columns A and C"),
    ("a,,c\n1,,2\n1,x,2\n", "row 3, column B, value “x”: column B has values but no name in row 1"),
    ("a,b\nx,#N/A\n", "row 2, column b, value “#N/A”: the cell shows the error #N/A"),
    ("a,b\n#ДЕЛ/0!,1\n", "row 2, column a"),
    ("  \n", "the file is empty"),
    (",\n1,2\n", "row 1 has no column names"),
    ("a\0,b\n1,2\n", "encoding of the text cannot be told"),
]


@pytest.mark.parametrize(("text", "part"), BAD, ids=[part[:30] for _, part in BAD])
def test_bad_tables_are_refused_with_the_place(read: Read, text: str, part: str) -> None:
    """Ragged rows, bad headers and spreadsheet errors name row and column, in every language."""
    with pytest.raises(InputError) as caught:
        read(text)
    assert part in caught.value.text()
    assert all(caught.value.text(language) for language in ("ru", "zh"))


def test_trailing_delimiters_are_harmless(read: Read) -> None:
    """A blank column without a name, and blank cells beyond the header, are left out."""
    cells = read("a,b,\n1,2,\n3,4,,\n,,\n5,6,\n")
    assert cells.columns == {"a": ["1", "3", "5"], "b": ["2", "4", "6"]}
    assert cells.rows.tolist() == [2, 3, 5]


def test_the_header_may_stand_lower(read: Read) -> None:
    """`header_row` counts rows as a spreadsheet does."""
    cells = read("Report\n\na,b\n1,2\n", header_row=3)
    assert cells.columns == {"a": ["1"], "b": ["2"]} and cells.rows.tolist() == [4]
    with pytest.raises(InputError, match="should be in row 9, but the number of rows is 4"):
        read("Report\n\na,b\n1,2\n", header_row=9)


def test_a_number_with_two_readings_is_refused_with_its_place(read: Read) -> None:
    """In a table with decimal commas `1,234` is unclear; `decimal` settles it, also for other columns."""
    text = "a;b\n12,5;1,234\n7;2\n"
    cells = read(text)
    assert cells.numbers("b")[1] == [0]
    error = cells.number_error("b", 0).text()
    assert error.startswith("table.csv, row 2, column b, value “1,234”") and "1234 or as 1.234" in error
    assert read(text, decimal=",").numbers("b")[0][0] == 1.234


def test_a_missing_file_names_the_nearest(read: Read, tmp_path: Path) -> None:
    """A typing error in a file name is answered with the name that is there."""
    read("a\n1\n", "markets.csv")
    with pytest.raises(InputError, match=r"no file “market\.csv”\. Did you mean “markets\.csv”"):
        read_cells(tmp_path / "market.csv")
    with pytest.raises(InputError, match=r"no file “zzz\.bin”\. Correct the name"):
        read_cells(tmp_path / "zzz.bin")


@pytest.mark.parametrize(
    ("content", "name", "part"),
    [
        (b"text", "b.xlsx", "no XLSX file"),
        (b"PK\x03\x04rubbish", "b.xlsx", "no XLSX file"),
        (b"PAR1rubbish", "b.parquet", "no Parquet file"),
        (b"\xd0\xcf\x11\xe0rest", "b.xls", "Save it as XLSX"),
        (b"text", "b.ods", "“.ods” is not a kind of table"),
    ],
)
def test_damaged_and_unknown_files(read: Read, content: bytes, name: str, part: str) -> None:
    """A file that is not what it claims says so."""
    with pytest.raises(InputError, match=part):
        read(content, name)


@pytest.fixture
def book(tmp_path: Path) -> Path:
    """A workbook with a title, a blank row, numbers, dates, texts, a merged cell and a second sheet."""
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    sheet.title = "Sales"
    sheet.append(["Plan 2027"])
    sheet.append([])
    sheet.append(["region", "code", "price", "start", "time", "article", None])
    sheet.append(["North", 7.0, 1.5, datetime.datetime(2027, 1, 1), datetime.time(12, 30), "00123"])
    sheet.append([])
    sheet.append([None, 8, "1 200", None, None, " NO "])
    sheet.merge_cells("A4:A5")
    workbook.create_sheet("Notes").append(["x"])
    path = tmp_path / "book.xlsx"
    workbook.save(path)
    return path


def test_a_sheet_of_a_workbook(book: Path) -> None:
    """Numbers and dates are native, labels are texts, rows keep their numbers, merged cells are blank."""
    cells = read_cells(book, sheet="Sales", header_row=3)
    assert cells.header == ["region", "code", "price", "start", "time", "article"]
    assert cells.rows.tolist() == [4, 6] and cells.sheet == "Sales"
    assert cells.labels("code") == ["7", "8"]
    assert cells.labels("region") == ["North", ""]
    assert cells.labels("time") == ["12:30", ""] and cells.labels("start") == ["2027-01-01", ""]
    assert cells.columns["article"] == ["00123", "NO"]
    assert cells.columns["start"][0] == datetime.datetime(2027, 1, 1)
    np.testing.assert_array_equal(cells.numbers("price")[0], [1.5, 1200])
    assert cells.place(1, "price").text() == "book.xlsx, sheet Sales, row 6, column price, value “1 200”"


def test_numbers_shown_with_leading_zeros_are_labels(tmp_path: Path) -> None:
    """The number 123 in the format 00000 is the label `00123` that the planner sees."""
    workbook = openpyxl.Workbook()
    workbook.active.append(["code", "units"])
    workbook.active.append([123, 5])
    workbook.active["A2"].number_format = "00000"
    workbook.save(tmp_path / "codes.xlsx")
    cells = read_cells(tmp_path / "codes.xlsx")
    assert cells.columns == {"code": ["00123"], "units": [5]}


def test_the_sheet_must_be_clear(book: Path) -> None:
    """Several sheets are listed, and a wrong name is answered with the nearest."""
    with pytest.raises(InputError, match="several sheets: Sales, Notes"):
        read_cells(book)
    with pytest.raises(InputError, match=r"no sheet “sales”\. Did you mean “Sales”"):
        read_cells(book, sheet="sales")
    with pytest.raises(InputError, match="workbook has: Sales, Notes"):
        read_cells(book, sheet="Quarter")


def test_formulas_and_errors_of_a_workbook(book: Path) -> None:
    """A formula that was never computed, and an error value, are refused with their cell."""
    workbook = openpyxl.load_workbook(book)
    del workbook["Notes"]
    workbook["Sales"]["C7"] = "=1+1"
    workbook.save(book)
    with pytest.raises(
        InputError, match=r"sheet Sales, row 7, column C, value “=1\+1”: the formula was never"
    ):
        read_cells(book, header_row=3)
    workbook["Sales"]["C7"] = "#N/A"
    workbook.save(book)
    with pytest.raises(InputError, match="row 7, column price, value “#N/A”"):
        read_cells(book, header_row=3)


def test_a_parquet_file(tmp_path: Path) -> None:
    """Numbers stay native, categories are labels, nulls are blank, the stored index is left out."""
    frame = pd.DataFrame(
        {"seller": ["=x ", None, "z"], "amount": [1.5, None, 3], "day": pd.to_datetime(["2027-01-01"] * 3)},
        index=[5, 6, 7],
    )
    frame["team"] = pd.Categorical(["u", "v", "u"])
    frame.to_parquet(tmp_path / "table.parquet")
    cells = read_cells(tmp_path / "table.parquet")
    assert cells.header == ["seller", "amount", "day", "team"]
    assert cells.labels("seller") == ["=x", "", "z"] and cells.labels("team") == ["u", "v", "u"]
    assert cells.rows.tolist() == [1, 2, 3]
    np.testing.assert_array_equal(cells.numbers("amount")[0], [1.5, np.nan, 3])
    pd.DataFrame({"a": [[1]]}).to_parquet(tmp_path / "lists.parquet")
    with pytest.raises(InputError, match="column a: the column holds values of type list"):
        read_cells(tmp_path / "lists.parquet")


@pytest.mark.parametrize("name", ["../x.csv", "/etc/passwd", "C:\\x.csv", "sub/../../x.csv"])
def test_files_outside_the_folder_are_refused(tmp_path: Path, name: str) -> None:
    """A plan of somebody else cannot read files elsewhere."""
    with pytest.raises(InputError, match="is outside the plan's folder"):
        resolve_inside(tmp_path, name)


def test_a_link_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    """A link counts as what it points to."""
    folder = tmp_path / "plan"
    folder.mkdir()
    (tmp_path / "secret.csv").write_text("a\n1\n", encoding="utf-8")
    (folder / "markets.csv").symlink_to(tmp_path / "secret.csv")
    with pytest.raises(InputError, match="outside"):
        resolve_inside(folder, "markets.csv")
    (folder / "inside.csv").write_text("a\n", encoding="utf-8")
    assert resolve_inside(folder, "sub\\..\\inside.csv") == (folder / "inside.csv").resolve()
    with pytest.raises(InputError, match="not the name of a file"):
        resolve_inside(folder, " ")


def test_the_digest_is_of_the_bytes(read: Read, tmp_path: Path) -> None:
    """The digest in the cells is that of the file."""
    cells = read("a\n1\n")
    assert cells.digest == file_digest(tmp_path / "table.csv") and len(cells.digest) == 64


def test_labels_of_native_cells() -> None:
    """Whole floats lose `.0`, times and dates are short, long numbers are not rounded."""
    assert [label_text(cell) for cell in (7.0, 0.1, 10**20, True, None, " x ")] == [
        "7", "0.1", "100000000000000000000", "TRUE", "", "x",
    ]  # fmt: skip
    assert label_text(datetime.datetime(2027, 1, 1, 9)) == "2027-01-01 09:00:00"
    assert label_text(datetime.time(9, 30, 15)) == "09:30:15"


def test_column_letters() -> None:
    """Letters go on after Z as in a spreadsheet."""
    assert [column_letters(at) for at in (0, 25, 26, 701, 702)] == ["A", "Z", "AA", "ZZ", "AAA"]


def test_a_large_table(read: Read) -> None:
    """A table of 20,000 rows comes back whole."""
    rows = "".join(f"North {at},{at * 1.37:.2f},{at}\n" for at in range(20_000))
    cells = read("region,price,units\n" + rows)
    assert len(cells) == 20_000 and cells.numbers("units")[0].sum() == sum(range(20_000))
