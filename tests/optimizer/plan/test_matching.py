"""Which row holds for which cell, against a plain loop."""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optimizer.errors import InputError
from optimizer.plan.matching import matching_rows, prefixed, winning_rows
from optimizer.plan.tables import Table

_LABELS = ("a", "b")


def _table(rows: list[dict[str, str]], columns: list[str]) -> Table:
    return Table(
        "territories",
        pd.DataFrame(rows, columns=columns),
        file="territories.csv",
        rows=np.arange(2, 2 + len(rows), dtype=np.int64),
        labels=tuple(columns),
    )


def _agree(key: str, own: str) -> bool:
    return "*" in (key, own) or key == own


def _plain(
    rows: list[dict[str, str]], sellers: list[dict[str, str]], markets: list[dict[str, str]]
) -> object:
    """The winners cell by cell; "tie" when two equally narrow rows are the best."""
    winners = np.full((len(sellers), len(markets)), -1)
    for (s, seller), (m, market) in product(enumerate(sellers), enumerate(markets)):
        found = [
            (sum(label != "*" for label in row.values()), at)
            for at, row in enumerate(rows)
            if all(_agree(row[name], side[name]) for side in (seller, market) for name in row if name in side)
        ]
        best = max((level for level, _ in found), default=None)
        narrowest = [at for level, at in found if level == best]
        if len(narrowest) > 1:
            return "tie"
        if narrowest:
            winners[s, m] = narrowest[0]
    return winners


@st.composite
def _case(draw: st.DrawFn) -> tuple[list[dict[str, str]], list[dict[str, str]], list[dict[str, str]]]:
    keys = st.sampled_from((*_LABELS, "*"))
    columns = draw(st.lists(st.sampled_from(("team", "region", "line")), min_size=1, unique=True))
    rows = draw(st.lists(st.fixed_dictionaries({name: keys for name in columns}), max_size=6))
    # The first two members carry every label, so that no key is unknown.
    sellers = [{"team": label, "region": label} for label in _LABELS]
    sellers += draw(st.lists(st.fixed_dictionaries({"team": keys, "region": keys}), max_size=3))
    markets = [{"region": label, "line": label} for label in _LABELS]
    own = st.sampled_from(_LABELS)
    markets += draw(st.lists(st.fixed_dictionaries({"region": own, "line": own}), max_size=3))
    return rows, sellers, markets


def _side(members: list[dict[str, str]]) -> dict[str, list[str]]:
    return {name: [member[name] for member in members] for name in members[0]}


@settings(max_examples=300, deadline=None)
@given(_case())
def test_winners_agree_with_a_plain_loop(
    case: tuple[list[dict[str, str]], list[dict[str, str]], list[dict[str, str]]],
) -> None:
    """The joined answer is that of the loop over sellers, markets and rows, ties included."""
    rows, sellers, markets = case
    table = _table(rows, list(rows[0]) if rows else ["team"])
    expected = _plain(rows, sellers, markets)
    if isinstance(expected, str):
        with pytest.raises(InputError, match="both hold"):
            winning_rows(table, _side(sellers), _side(markets))
    else:
        assert (winning_rows(table, _side(sellers), _side(markets)) == expected).all()


@settings(max_examples=100, deadline=None)
@given(_case())
def test_all_matches_agree_with_a_plain_loop(
    case: tuple[list[dict[str, str]], list[dict[str, str]], list[dict[str, str]]],
) -> None:
    """Tables that add up get every row that holds for a cell."""
    rows, sellers, markets = case
    table = _table(rows, list(rows[0]) if rows else ["team"])
    expected = [
        (at, s, m)
        for (at, row), (s, seller), (m, market) in product(
            enumerate(rows), enumerate(sellers), enumerate(markets)
        )
        if all(_agree(row[name], side[name]) for side in (seller, market) for name in row if name in side)
    ]
    found = matching_rows(table, _side(sellers), _side(markets))
    assert list(zip(*(part.tolist() for part in found), strict=True)) == expected


def test_the_narrower_row_wins() -> None:
    """A row with two keys filled beats a row with one, whatever their order is."""
    columns = ["region", "line"]
    table = _table(
        [{"region": "a", "line": "*"}, {"region": "a", "line": "b"}, {"region": "*", "line": "*"}], columns
    )
    markets = {"region": ["a", "a", "b"], "line": ["a", "b", "b"]}
    assert winning_rows(table, markets).tolist() == [0, 1, 2]


def test_a_tie_names_both_rows() -> None:
    """Two equally narrow rows for one cell are an error that names both."""
    table = _table([{"region": "a", "line": "*"}, {"region": "*", "line": "b"}], ["region", "line"])
    with pytest.raises(InputError) as caught:
        winning_rows(table, {"region": ["a", "b"], "line": ["b", "a"]})
    assert caught.value.text("en").startswith("territories.csv, row 3: rows 2 and 3 both hold")


def test_a_label_that_matches_nothing_is_named() -> None:
    """A key that no seller or market has is an error with the nearest label."""
    table = _table([{"seller.region": "Noth"}], ["seller.region"])
    sellers = prefixed({"region": ["North", "South"]}, "seller")
    with pytest.raises(InputError) as caught:
        winning_rows(table, sellers, prefixed({"region": ["West"]}, "market"))
    assert "column seller.region, value “Noth”" in caught.value.text("en")
    assert "Nearest: North, South" in caught.value.text("en")


def test_many_rows_in_parts() -> None:
    """A hundred thousand exact rows are joined, not looped over."""
    sellers = [f"s{at}" for at in range(200)]
    markets = [f"m{at}" for at in range(500)]
    frame = pd.DataFrame({"seller": np.repeat(sellers, 500), "market": np.tile(markets, 200)})
    table = Table("territories", frame, rows=np.arange(len(frame)), labels=("seller", "market"))
    winners = winning_rows(table, {"seller": sellers}, {"market": markets})
    assert (winners == np.arange(100_000).reshape(200, 500)).all()


def test_empty_table_covers_nothing() -> None:
    """Without rows no cell has a winner."""
    assert winning_rows(_table([], ["region"]), {"region": ["a"]}).tolist() == [-1]
