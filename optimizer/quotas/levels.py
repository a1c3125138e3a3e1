"""The levels of a quota: which columns they are, and the hierarchy that the plan's pairs form."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from optimizer.errors import InputError, Place
from optimizer.model.cube import Cube
from optimizer.model.scopes import Scopes
from optimizer.plan.names import nearest
from optimizer.plan.plan import Plan
from optimizer.plan.schema import QuotaSpec
from optimizer.plan.tables import Table
from optimizer.quotas.hierarchy import Hierarchy, build_hierarchy

IntArray = NDArray[np.int64]
LIKELY_MOST = 0.25
"""Over-assignment above this is warned of."""


@dataclass(frozen=True, eq=False)
class Levels:
    """The hierarchy of one quota, and where pairs and sellers stand in it."""

    tree: Hierarchy
    pairs: IntArray
    """Pairs of sellers and markets in the quota's scope (Q,)."""
    leaf: IntArray
    """Leaf of each of them (Q,)."""
    seller_level: int | None
    """Level of the sellers; None where they are no level."""
    members: tuple[str, ...]
    """Members of the columns that the quota is split across, joined; one blank where it is not."""
    member: IntArray
    """Member of each pair (Q,)."""
    node_seller: IntArray
    """Seller of each node of the level of sellers and of those below (N,); -1 for all others."""
    place: Place
    """Where the quota stands in the plan file."""


def quota_levels(cube: Cube, scopes: Scopes, spec: QuotaSpec, place: Place) -> Levels:
    """The hierarchy of a quota: paths of labels that sellers and markets in scope have.

    A bare column that both have is the seller's; `*` is a missing level. A seller without any pair is a
    leaf too where all levels are columns of sellers. Raises `InputError` for unknown and repeated levels,
    and an empty scope.
    """
    sides = [_side(cube, name, place) for name in spec.by]
    if len(set(sides)) < len(sides):
        raise InputError("quotas.level_twice", place, levels=", ".join(spec.by))
    pairs = np.flatnonzero(scopes.pair_mask(spec.where))
    sellers = cube.groups.first[cube.pair_seat[pairs]]
    idle = np.zeros(0, dtype=np.int64)
    if all(side == "seller" for side, _ in sides):
        inside = scopes.seat_mask(spec.where)
        inside[cube.pair_seat] = False
        idle = cube.groups.first[np.flatnonzero(inside)]
    if not len(pairs) + len(idle):
        raise InputError("quotas.scope_empty", place)
    rows = np.concatenate([sellers, idle])
    columns = []
    for side, name in sides:
        if side == "seller":
            labels = cube.inputs.selling.sellers.labels[name]
            columns.append([labels[seller] for seller in rows.tolist()])
        else:
            of_market = cube.markets.labels[name]
            columns.append([of_market[market] for market in cube.pair_market[pairs].tolist()])
    tree, leaf = build_hierarchy([name for _, name in sides], columns)
    level = next((at + 1 for at, side in enumerate(sides) if side == ("seller", "seller")), None)
    seller_of = np.full(tree.size, -1, dtype=np.int64)
    if level is not None:
        for lower in range(level, tree.depth + 1):
            seller_of[tree.ancestors[lower][leaf]] = rows
    members, member = _members(cube, pairs, spec, place)
    return Levels(tree, pairs, leaf[: len(pairs)], level, members, member, seller_of, place)


def _members(cube: Cube, pairs: IntArray, spec: QuotaSpec, place: Place) -> tuple[tuple[str, ...], IntArray]:
    """The members of `across` in the scope, sorted, and the member of each pair (Q,)."""
    names = []
    for column in spec.across:
        name = column.rpartition(".")[2]
        if name not in cube.markets.labels:
            raise InputError(
                "quotas.across_unknown", place, column=column, nearest=nearest(column, cube.markets.labels)
            )
        names.append(name)
    columns = [cube.markets.labels[name] for name in names]
    labels = [" / ".join(parts) for parts in zip(*columns, strict=True)] or [""] * len(cube.markets.names)
    found, code = np.unique(np.array(labels)[cube.pair_market[pairs]], return_inverse=True)
    return tuple(str(label) for label in found), code.astype(np.int64)


def _side(cube: Cube, column: str, place: Place) -> tuple[str, str]:
    own, markets = cube.inputs.selling.sellers.labels, cube.markets.labels
    prefix, _, name = column.rpartition(".")
    if prefix in ("", "seller") and name in own:
        return "seller", name
    if prefix in ("", "market") and name in markets:
        return "market", name
    raise InputError("quotas.level_unknown", place, column=column, nearest=nearest(column, [*own, *markets]))


def factors(tree: Hierarchy, spec: QuotaSpec, place: Place) -> NDArray[np.float64]:
    """What each level's quotas add up to for one unit of the company's target (D + 1,); 1 for the company.

    A level without an entry carries what the level above it carries. Raises `InputError` for an unknown
    level and for shares outside 0..1.
    """
    given = {name.rpartition(".")[2]: share for name, share in spec.over_assignment.items()}
    for name, share in given.items():
        if name not in tree.by:
            raise InputError("quotas.over_level", place, level=name, levels=", ".join(tree.by))
        if not 0.0 <= share < 1.0:
            raise InputError("quotas.over_share", place, level=name, share=f"{share:g}")
    found = [1.0]
    for name in tree.by:
        found.append(1.0 + given[name] if name in given else found[-1])
    return np.array(found)


class NodeFinder:
    """Finds the node that a row of locks or commitments is about; each combination of levels is indexed
    once."""

    def __init__(self, tree: Hierarchy, table: Table) -> None:
        self.tree = tree
        self.table = table
        self._known: dict[tuple[int, ...], dict[tuple[str, ...], list[int]]] = {}

    def node(self, row: int) -> int:
        """The node with the labels of a row that are not `*`, on the lowest level that they name.

        No labels at all mean the company. Raises `InputError` when no node or several have them.
        """
        given = self._given(row)
        levels = tuple(sorted(given))
        labels = tuple(given[level] for level in levels)
        found = self._index(levels).get(labels, [])
        if len(found) != 1:
            key = "quotas.row_no_node" if not found else "quotas.row_several_nodes"
            shown = " / ".join(labels)
            place = self.table.place(row)
            raise InputError(key, place, labels=shown, count=len(found), levels=", ".join(self.tree.by))
        return found[0]

    def _given(self, row: int) -> dict[int, str]:
        """Level -> label."""
        given = {}
        for column in self.table.labels:
            label = self.table.text(column)[row]
            if label == "*":
                continue
            name = column.rpartition(".")[2]
            if name not in self.tree.by:
                place = self.table.place(row, column, label)
                raise InputError("quotas.row_level", place, column=column, levels=", ".join(self.tree.by))
            given[self.tree.by.index(name)] = label
        return given

    def _index(self, levels: tuple[int, ...]) -> dict[tuple[str, ...], list[int]]:
        if levels not in self._known:
            nodes = self.tree.nodes(levels[-1] + 1 if levels else 0)
            found: dict[tuple[str, ...], list[int]] = {}
            for node in range(nodes.start, nodes.stop):
                path = self.tree.paths[node]
                found.setdefault(tuple(path[level] for level in levels), []).append(node)
            self._known[levels] = found
        return self._known[levels]


def rows_of(plan: Plan, table: str, quota: str, names: Sequence[str]) -> tuple[Table | None, list[int]]:
    """The rows of a table that are about a quota: those that name it, and those that name none where there
    is only one quota.

    Raises `InputError` for an unknown quota, and for a row without one where the plan has several.
    """
    found = plan.tables.get(table)
    if found is None:
        return None, []
    named = found.text("quota") if found.has("quota") else [""] * len(found)
    for row, name in enumerate(named):
        if name and name not in names:
            raise InputError(
                "quotas.row_quota", found.place(row, "quota", name), nearest=nearest(name, names)
            )
        if not name and len(names) > 1:
            raise InputError("quotas.row_which", found.place(row), known=", ".join(names))
    return found, [row for row, name in enumerate(named) if name in ("", quota)]
