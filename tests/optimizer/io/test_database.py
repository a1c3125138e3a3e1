"""Tables from a SQLite database: the rows of one SELECT, and nothing but reading."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from optimizer.errors import InputError
from optimizer.io.cells import read_cells
from optimizer.plan.load import plan_from_data


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """Deals of two regions."""
    path = tmp_path / "sales.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("create table deals (region text, code text, amount real, photo blob)")
        rows = [("Север", "00123", 2.5, b"x"), ("Север", "00123", 1.5, None), ("Юг", "7", None, None)]
        connection.executemany("insert into deals values (?, ?, ?, ?)", rows)
        connection.commit()
    return path


def test_the_rows_of_a_query_are_the_table(database: Path) -> None:
    """Sums of the database are native numbers, codes keep their zeros, NULL is a blank."""
    query = "select region, code, sum(amount) as revenue from deals group by region, code order by region"
    cells = read_cells(database, query=query)
    assert cells.header == ["region", "code", "revenue"]
    assert (cells.labels("region"), cells.labels("code")) == (["Север", "Юг"], ["00123", "7"])
    assert cells.columns["revenue"] == [4.0, None]
    assert cells.rows.tolist() == [1, 2]


def test_a_plan_reads_a_query(database: Path) -> None:
    """`query` beside `file` makes a table of the plan, and the run keeps the digest of the database."""
    query = "select region, sum(amount) as last_year_revenue from deals where amount > 0 group by region"
    tables = {"markets": {"file": "sales.sqlite", "query": query, "amounts_in": 1000}}
    calendar = {"start": "2027-01-01", "periods": 1}
    plan = plan_from_data({"name": "T", "calendar": calendar, "tables": tables}, database.parent)
    assert plan.tables["markets"].numbers("last_year_revenue").tolist() == [4000.0]
    assert "sales.sqlite" in plan.inputs


@pytest.mark.parametrize(
    ("query", "message"),
    [
        (None, "sales.sqlite: the file is a database. Add the rows that you want"),
        ("select * from deels", "the query gives no table (no such table: deels)"),
        ("delete from deals", "the query gives no table (not authorized)"),
        ("attach 'other.sqlite' as other", "not authorized"),
        ("select 1; select 2", "one statement at a time"),
        ("pragma table_info(deals)", "not authorized"),
        ("", "the query gives no table (no rows)"),
        ("select photo from deals", "row 1, column photo: the column holds bytes"),
    ],
)
def test_a_query_that_is_none_is_refused(database: Path, query: str | None, message: str) -> None:
    """A missing, wrong, writing or wandering query names the file and what is wrong."""
    before = database.read_bytes()
    with pytest.raises(InputError) as error:
        read_cells(database, query=query)
    assert message in error.value.text()
    assert database.read_bytes() == before
    assert [path.name for path in database.parent.iterdir()] == ["sales.sqlite"]


def test_a_missing_query_lists_the_tables(database: Path) -> None:
    """The message names what the database holds."""
    with pytest.raises(InputError, match="Its tables: deals"):
        read_cells(database)


def test_a_query_on_another_file_is_refused(tmp_path: Path) -> None:
    """`query` beside a CSV would do nothing."""
    (tmp_path / "markets.csv").write_text("region\nNorth\n", encoding="utf-8")
    with pytest.raises(InputError, match="markets.csv: “query” is for SQLite databases"):
        read_cells(tmp_path / "markets.csv", query="select 1")
