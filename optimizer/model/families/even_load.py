"""Family even_load: among plans of equal worth, sellers are loaded in proportion to their capacity.

    load_g - level * capacity_g = above_g - below_g        distance = sum_g above_g + below_g, per capacity
    of all

Part of the last stages of the default objective only. Units: capacity of an average seller-period; revenue
over presence where no seller has a limit. Reference: balanced workloads (Skiera & Jordan 1996).
"""

from __future__ import annotations

import numpy as np

from optimizer.model.builder import fixed_labels
from optimizer.model.context import Context
from optimizer.model.metrics import cell_terms, seats_of_capacity
from optimizer.model.scopes import Members
from optimizer.model.terms import Terms


def even_load(context: Context) -> Terms | None:
    """The distance of the seats' loads from one common level; None with fewer than two seats to compare."""
    cube = context.cube
    limited = np.isfinite(cube.capacity).all(axis=1)
    by_presence = not limited.any()
    capacity = (cube.presence if by_presence else seats_of_capacity(cube)).sum(axis=1)
    compared = (capacity > 0) & (limited | by_presence)
    seats = np.flatnonzero(compared)
    if len(seats) < 2:
        return None
    code = np.full(len(compared), -1, dtype=np.int64)
    code[seats] = np.arange(len(seats))
    members = Members(
        tuple((cube.seat_names[seat],) for seat in seats),
        code[cube.pair_seat],
        np.zeros(cube.num_periods, dtype=np.int64),
        1,
        None,
    )
    metric = "revenue" if by_presence else "load"
    terms = cell_terms(members, context.metrics.coefficient(metric))
    size = float(context.magnitude(terms).sum()) if by_presence else float(capacity[seats].sum())
    return _distance(
        context, terms.scaled(1.0 / (size or 1.0)), capacity[seats] / capacity[seats].sum(), members
    )


def _distance(context: Context, loads: Terms, weights: np.ndarray, members: Members) -> Terms:
    count = members.size
    level = context.builder.add_columns("even_load", 1, fixed_labels(("level",)))
    above = context.builder.add_columns(
        "even_load", count, lambda: [(*label, "above") for label in members.labels]
    )
    context.builder.add_columns("even_load", count, lambda: [(*label, "below") for label in members.labels])
    member = np.arange(count)
    sides = Terms(
        np.tile(member, 3),
        np.concatenate([np.full(count, level), above + member, above + count + member]),
        np.concatenate([-weights, np.full(count, -1.0), np.ones(count)]),
        np.zeros(count),
    )
    context.builder.add_rows("even_load", loads + sides, lambda: list(members.labels), lower=0.0, upper=0.0)
    columns = above + np.arange(2 * count)
    return Terms(np.zeros(2 * count, dtype=np.int64), columns, np.ones(2 * count), np.zeros(1))
