"""Checks across tables: keys that no market or seller has, and columns that no table has."""

from __future__ import annotations

from collections.abc import Mapping

from optimizer.errors import InputError, Place
from optimizer.plan.columns import TABLES
from optimizer.plan.matching import Side, check_labels, prefixed
from optimizer.plan.names import nearest
from optimizer.plan.scopes import (
    initiative_dimensions,
    market_dimensions,
    marketing_dimensions,
    seller_dimensions,
)
from optimizer.plan.tables import Table

_SIDES = {
    "market_keys": ("market",),
    "seller_and_market_keys": ("market", "seller"),
    "marketing_keys": ("marketing",),
    "marketing_and_market_keys": ("marketing", "market"),
    "any_keys": ("market", "seller", "marketing", "initiative", "role"),
    "effect_keys": ("market", "seller", "marketing"),
}

FUNNEL_TABLES = ("stages", "pipeline", "customers")
"""Tables that say how deals with markets come about."""


def check_references(tables: Mapping[str, Table]) -> None:
    """Raise `InputError` with the nearest name when a key column or a label of a table matches nothing."""
    sides: dict[str, Side] = {"market": prefixed(market_dimensions(tables["markets"]), "market")}
    if "sellers" in tables:
        sides["seller"] = prefixed(seller_dimensions(tables["sellers"]), "seller")
    if "marketing" in tables:
        sides["marketing"] = marketing_dimensions(tables["marketing"])
    if "initiatives" in tables:
        sides["initiative"] = initiative_dimensions(tables["initiatives"])
    if "roles" in tables:
        sides["role"] = {"role": tables["roles"].text("role")}
    for name, table in tables.items():
        if name in ("curves", "yields", "tiers") and "marketing" not in tables:
            raise InputError("plan.marketing_missing", Place(file=table.file, sheet=table.sheet), table=name)
        if name in FUNNEL_TABLES and not len(tables["markets"]):
            raise InputError("funnel.needs_markets", Place(file=table.file, sheet=table.sheet), table=name)
        if name == "yields" and not len(tables["markets"]):
            # Without markets a yield says itself whom its opportunities are with.
            check_labels(table, sides["marketing"])
            continue
        wanted = _SIDES.get(TABLES[name].extra)
        if wanted is None:
            continue
        present = [sides[side] for side in wanted if side in sides]
        for column in table.labels:
            if not any(column in side for side in present):
                place = Place(file=table.file, sheet=table.sheet, column=column)
                keys = [key for side in present for key in side if "." not in key or "." in column]
                declared = [declared.name for declared in TABLES[name].columns]
                near = nearest(column, [*keys, *declared])
                raise InputError("plan.unknown_column", place, table=name, nearest=near)
        check_labels(table, *present)
