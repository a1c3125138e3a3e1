"""Which labels a pool of facts carries: those that everything it covers has in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from optimizer.plan.matching import Side, matching_rows, prefixed
from optimizer.plan.plan import Plan
from optimizer.plan.scopes import (
    initiative_dimensions,
    market_dimensions,
    marketing_dimensions,
    seller_dimensions,
)
from optimizer.plan.tables import ALL, Table

BoolArray = NDArray[np.bool_]
FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

BOUGHT = ("spend", "leads", "starts")
"""Measures that come from nothing but marketing and initiatives."""
UNKNOWN = ""


def known_labels(plan: Plan, pools: Table, told: Mapping[str, FloatArray]) -> dict[str, list[str]]:
    """Column -> label of each pool (R,); blank where the pool covers several labels.

    A key that a pool fills is a label of it; so is what follows from it: all markets of a province lie in one
    region. A bare name that several sides have is there where their labels agree. A pool of sales or
    opportunities that names no row of marketing or initiatives has none of their labels, were there but one:
    its markets have more sources. `told` is measure -> figures (R, T).
    """
    found: dict[str, list[str]] = {}
    for side in _selling_sides(plan):
        rows, members = matching_rows(pools, side)
        for name, labels in side.items():
            found[name] = _with_keys(pools, name, _common(labels, rows, members, len(pools)))
    for name in list(found):
        if "." not in name and f"market.{name}" in found and f"seller.{name}" in found:
            found[name] = _agreed(found[f"market.{name}"], found[f"seller.{name}"])
    sold = _sold(plan, told, len(pools))
    for side in _bought_sides(plan):
        rows, members = matching_rows(pools, side)
        own = ~sold | _named(pools, [name for name in side if name not in found])
        for name, labels in side.items():
            common = _with_keys(pools, name, _common(labels, rows, members, len(pools)))
            common = [label if apart else UNKNOWN for label, apart in zip(common, own.tolist(), strict=True)]
            found[name] = _agreed(found[name], common) if name in found else common
    return found


def _sold(plan: Plan, told: Mapping[str, FloatArray], count: int) -> BoolArray:
    """Pools that tell of what markets sell (R,), which marketing and initiatives alone do not bring."""
    found: BoolArray = np.zeros(count, dtype=np.bool_)
    if len(plan.tables["markets"]):
        for name, figures in told.items():
            found |= ~np.isnan(figures).all(axis=1) & (name not in BOUGHT)
    return found


def _named(pools: Table, columns: Sequence[str]) -> BoolArray:
    """Pools that fill a key of some columns (R,)."""
    found: BoolArray = np.zeros(len(pools), dtype=np.bool_)
    for name in columns:
        if name in pools.labels:
            found |= np.array([label != ALL for label in pools.text(name)], dtype=np.bool_)
    return found


def _with_keys(pools: Table, name: str, labels: list[str]) -> list[str]:
    """The labels with the keys that pools fill: a combination that no row of the plan has keeps its own."""
    keys = pools.text(name) if name in pools.labels else [ALL] * len(labels)
    bare = name.rpartition(".")[2]
    if name not in pools.labels and bare in pools.labels and name.startswith("market."):
        keys = pools.text(bare)
    return [label if key == ALL else key for key, label in zip(keys, labels, strict=True)]


def _selling_sides(plan: Plan) -> list[Side]:
    """The columns of markets and of sellers (the company where there are none)."""
    tables = plan.tables
    sides: list[Side] = []
    if len(tables["markets"]) and market_dimensions(tables["markets"]):
        sides.append(prefixed(market_dimensions(tables["markets"]), "market"))
    sellers = seller_dimensions(tables["sellers"]) if "sellers" in tables else {"seller": [plan.spec.name]}
    return [*sides, prefixed(sellers, "seller")]


def _bought_sides(plan: Plan) -> list[Side]:
    """The columns of marketing and of initiatives."""
    tables, sides = plan.tables, list[Side]()
    if "marketing" in tables:
        sides.append(marketing_dimensions(tables["marketing"]))
    if "initiatives" in tables:
        sides.append(initiative_dimensions(tables["initiatives"]))
    return sides


def _common(labels: Sequence[str], rows: IntArray, members: IntArray, count: int) -> list[str]:
    """The label that all members of a row share; blank where they differ or one is `*`."""
    names, code = np.unique(np.array(labels, dtype=str), return_inverse=True)
    lowest = np.full(count, len(names), dtype=np.int64)
    highest = np.full(count, -1, dtype=np.int64)
    np.minimum.at(lowest, rows, code[members])
    np.maximum.at(highest, rows, code[members])
    return [
        str(names[low]) if low == high and names[low] != ALL else UNKNOWN
        for low, high in zip(lowest.tolist(), highest.tolist(), strict=True)
    ]


def _agreed(first: Sequence[str], second: Sequence[str]) -> list[str]:
    """The first label, the second where only that is known, blank where the two differ."""
    return [
        one if other in (one, UNKNOWN) else other if one == UNKNOWN else UNKNOWN
        for one, other in zip(first, second, strict=True)
    ]


def patterns(labels: Mapping[str, Sequence[str]], count: int) -> list[tuple[tuple[str, ...], IntArray]]:
    """The pools by the columns that they know: (columns, pools), pools without any known column last."""
    known = {name: np.array([label != UNKNOWN for label in values]) for name, values in labels.items()}
    keys = [tuple(name for name, flags in known.items() if flags[row]) for row in range(count)]
    return [
        (key, np.array([row for row in range(count) if keys[row] == key], dtype=np.int64))
        for key in sorted(dict.fromkeys(keys), key=lambda key: (-len(key), key))
    ]
