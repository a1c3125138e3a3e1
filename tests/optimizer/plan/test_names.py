"""Nearest names and slips of the hand."""

from __future__ import annotations

import pytest

from optimizer.plan.names import folded, nearest, slip_of
from optimizer.plan.totals import is_total


def test_nearest_names_come_first() -> None:
    """The most similar names come first, without their case and spaces."""
    known = ["units", "revenue", "margin_rate"]
    assert nearest("Margin Rat", known).startswith("margin_rate")
    assert nearest("x", []) == "-"
    assert folded("Margin-Rate ") == "marginrate"


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("potental", "potential"),
        ("pirce", "price"),
        ("prise", "price"),
        ("province", None),
        ("product", None),
        ("segment", None),
        ("state", None),
        ("capcity", "capacity"),
    ],
)
def test_slips_of_the_hand(name: str, meant: str | None) -> None:
    """One or two wrong characters are a slip; another word is another word."""
    assert slip_of(name, ["potential", "price", "capacity", "status", "unit", "season", "size"]) == meant


@pytest.mark.parametrize(
    ("label", "total"),
    [
        ("Итого", True),
        ("ИТОГО:", True),
        ("Всего по региону", True),
        ("合计", True),
        ("华东小计", True),
        ("Grand Total", True),
        ("East total", True),
        ("Sum", True),
        ("Subtotal", True),
        ("Total Care", False),
        ("Summer", False),
        ("Итогово", False),
        ("North", False),
        ("", False),
    ],
)
def test_labels_of_totals(label: str, total: bool) -> None:
    """Sums are told by their label in three languages; a product that begins with such a word is none."""
    assert is_total(label) is total


def test_a_word_of_another_language_is_answered_with_more_names() -> None:
    """`目标` is like none of our words, so that three of them would be chance."""
    known = [f"name{at}" for at in range(12)]
    assert nearest("目标", known).split(", ") == known[:10]
    assert nearest("目标", known, 1) == "name0"
    assert nearest("nam", known).count(",") == 2
