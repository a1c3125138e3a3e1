"""SQLite databases: the rows of one query, read without a way to write or to reach another file."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from optimizer.errors import InputError, Place
from optimizer.io.cells import Grid

_ALLOWED = frozenset(
    (sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE)
)
"""A plan may come from somebody else: a query reads this database, and ATTACH or PRAGMA are refused."""


def read_database(path: Path, name: str, query: str | None) -> Grid:
    """The rows that a query gives; row numbers count them from 1, and NULL is a blank.

    Raises `InputError` without a query, with the names of the tables; for a query that fails, that gives no
    columns or that does more than read; and for values that are neither number nor text.
    """
    place = Place(file=name)
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as connection:
            if query is None:
                raise InputError("io.query_missing", place, tables=", ".join(_tables(connection)))
            connection.set_authorizer(_authorize)
            cursor = connection.execute(query)
            if cursor.description is None:
                raise InputError("io.query_failed", place, reason="no rows")
            header = [column[0] for column in cursor.description]
            body = cursor.fetchall()
    except sqlite3.Error as error:
        raise InputError("io.query_failed", place, reason=str(error)) from None
    _refuse_bytes(header, body, place)
    return Grid(list(header), list(body), list(range(1, len(body) + 1)), 1, False)


def _tables(connection: sqlite3.Connection) -> list[str]:
    names = connection.execute("select name from sqlite_master where type in ('table', 'view') order by name")
    return [str(name) for (name,) in names]


def _authorize(action: int, *_details: str | None) -> int:
    return sqlite3.SQLITE_OK if action in _ALLOWED else sqlite3.SQLITE_DENY


def _refuse_bytes(header: list[str], body: list[tuple[object, ...]], place: Place) -> None:
    for number, row in enumerate(body, start=1):
        for column, cell in zip(header, row, strict=True):
            if isinstance(cell, bytes):
                raise InputError("io.query_bytes", Place(place.file, row=number, column=column))
