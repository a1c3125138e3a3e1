"""Open seats: the start that the plan needs, and who carries the seat's share of the quota until then.

    share[o]      = capacity of seat o / (capacity of seat o + capacities of those who are there beside it)
    amount[o,s]   = share[o] quota of s in the open periods before the start

Those beside a seat are the sellers under the same node of the first quota that goes down to sellers, the
whole company where no quota does. Without a capacity in one unit everybody counts alike. A quota of the
horizon is spread over periods as the plan of its seller. Units: currency, or that of the quota.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from optimizer.plan.openseats import OpenSeats
from optimizer.quotas.assignment import assign
from optimizer.result.solution import Solution

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

COLUMNS = ("seat", "node", "start", "last", "carrier", "amount")


def seats_frame(solution: Solution, past: int) -> pd.DataFrame:
    """One row an open seat and seller who carries its share until it is filled.

    Columns: seat, node (above it), start (period; blank where it stays open) and last (last period in which
    somebody who starts still sells; blank where none is left); carrier (blank where nobody is beside the seat
    or it is filled at once) and amount.
    """
    sellers = solution.inputs.selling.sellers
    seats, block = sellers.open_seats, solution.activities.blocks.get("hire")
    size = solution.plan.calendar.size
    if seats is None or block is None or past >= size:
        return pd.DataFrame({name: [] for name in COLUMNS})
    begun, quota = block.values(solution.x)[:, :size] > 0.5, _quota(solution, past)
    levels = _levels_above(solution)
    rows: list[tuple[object, ...]] = []
    for at in np.flatnonzero(seats.role < 0).tolist():
        start = int(begun[at].argmax()) if begun[at].any() else None
        if start is not None and start < past:
            continue
        seller, may = int(seats.seller[at]), seats.may_start[at, :size]
        sells = np.flatnonzero(may & (seats.presence[at, :size, :size].sum(axis=1) > 0))
        path = [sellers.labels[name][seller] for name in levels]
        until = size if start is None else start
        carriers = _beside(solution, seats, levels, path)
        amounts = _share(solution, seats, at, carriers) * quota[carriers, past:until].sum(axis=1)
        shown = solution.plan.calendar.period
        first = (
            sellers.names[seller], " / ".join(path) or solution.plan.spec.name,
            "" if start is None else shown[start], shown[int(sells[-1])] if len(sells) else "",
        )  # fmt: skip
        order = np.argsort(-amounts, kind="stable")
        found = [
            (*first, sellers.names[carriers[row]], float(amounts[row])) for row in order if amounts[row] > 0
        ]
        rows += found or [(*first, "", 0.0)]
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    return frame.astype({**dict.fromkeys(COLUMNS[:-1], "str"), "amount": "float64"})


def _levels_above(solution: Solution) -> list[str]:
    """Columns of sellers above the seller in the first quota that goes down to sellers."""
    labels = solution.inputs.selling.sellers.labels
    for spec in solution.plan.spec.quotas:
        names = [name.removeprefix("seller.") for name in spec.by]
        if "seller" in names:
            return [name for name in names[: names.index("seller")] if name in labels]
    return []


def _beside(solution: Solution, seats: OpenSeats, levels: list[str], path: list[str]) -> IntArray:
    """Sellers who are there and lie under the same node."""
    labels = solution.inputs.selling.sellers.labels
    own = np.ones(len(labels["seller"]), dtype=np.bool_)
    own[seats.seller] = False
    for name, label in zip(levels, path, strict=True):
        own &= np.array([text == label for text in labels[name]])
    return np.flatnonzero(own)


def _quota(solution: Solution, past: int) -> FloatArray:
    """The quota of each seller by period (S, T), the planned revenue where no quota goes down to sellers."""
    cube = solution.sellers
    sellers, size = cube.groups.first[cube.pair_seat], solution.plan.calendar.size
    found = np.zeros((len(cube.inputs.selling.sellers.names), size))
    np.add.at(found, sellers, solution.metrics.by_cell("revenue", solution.x)[:, :size])
    for quota in assign(solution):
        level = quota.levels.seller_level
        if level is None:
            continue
        nodes = quota.tree.nodes(level)
        for node in range(nodes.start, nodes.stop):
            seller = int(quota.levels.node_seller[node])
            ahead = found[seller, past:].sum()
            left = max(float(quota.year[node] - quota.earned_wide[node, -1]), 0.0)
            if ahead > 0:
                found[seller] *= left / ahead
        return found
    return found


def _share(solution: Solution, seats: OpenSeats, at: int, carriers: IntArray) -> float:
    """Share of a node's work that a filled seat would take."""
    sellers = solution.inputs.selling.sellers
    own, units = float(seats.full[at].mean()), {sellers.capacity_unit[row] for row in carriers.tolist()}
    same = units == {sellers.capacity_unit[int(seats.seller[at])]}
    present = sellers.capacity[carriers]
    if not same or not np.isfinite(own) or not np.isfinite(present).all() or own <= 0:
        return 1.0 / (1.0 + len(carriers))
    return own / (own + float(present.mean(axis=1).sum()))
