"""Family balance: members carry a metric in proportion to a basis.

    lowest basis_k <= metric_k <= highest basis_k     for members with basis_k > 0
    (1 - b) highest <= (1 + b) lowest                 with `within: b`
    minimise highest - lowest                         without it, in a stage of its own
    smallest basis_k <= metric_k                      for an objective that maximises the smallest ratio

Periods that are facts are outside: what has happened is nobody's share of what is ahead.

Rows are divided by basis_k times the mean ratio, so that lowest and highest are near 1.
Units: metric per basis. Reference: Skiera & Jordan 1996 (balanced territories); Bertsimas, Farias &
Trichakis 2011.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from optimizer.errors import InputError
from optimizer.model.basis import market_basis, seat_basis
from optimizer.model.builder import fixed_labels
from optimizer.model.context import Context, SpreadStage
from optimizer.model.terms import Terms, spread_members

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class Proportions:
    """Members with a positive basis: their metric over basis times the mean ratio."""

    labels: tuple[str, ...]
    terms: Terms
    mean_ratio: float


def balance(context: Context) -> None:
    """Add the rows of every balance of the plan."""
    for spec in context.cube.inputs.plan.spec.balance:
        spread = spread_of(context, spec.name, spec.metric, spec.across, spec.basis, spec.where)
        if spec.within is None:
            context.spreads.append(spread)
            continue
        band = _row([spread.highest, spread.lowest], [1.0 - spec.within, -(1.0 + spec.within)])
        context.builder.add_rows("balance", band, fixed_labels((spec.name, "band")), upper=0.0)


def spread_of(
    context: Context,
    name: str,
    metric: str,
    across: str,
    basis: str,
    where: dict[str, Any],
) -> SpreadStage:
    """Columns between which every member's metric over basis lies, in multiples of the mean ratio."""
    found = proportions(context, name, metric, across, basis, where)
    labels = fixed_labels((name, "lowest"), (name, "highest"))
    start = context.builder.add_columns("balance", 2, labels)
    for column, lower, upper in ((start, 0.0, np.inf), (start + 1, -np.inf, 0.0)):
        _add_ratio_rows(context, name, found, column, lower, upper)
    return SpreadStage(name, highest=start + 1, lowest=start)


def smallest_ratio(
    context: Context,
    name: str,
    metric: str,
    across: str,
    basis: str,
    where: dict[str, Any],
) -> tuple[int, float]:
    """A column that no member's metric over basis lies below, and what a value of 1 means in metric per
    basis."""
    found = proportions(context, name, metric, across, basis, where)
    column = context.builder.add_columns("balance", 1, fixed_labels((name, "smallest")), lower=-np.inf)
    _add_ratio_rows(context, name, found, column, 0.0, np.inf)
    return column, found.mean_ratio


def proportions(
    context: Context,
    name: str,
    metric: str,
    across: str,
    basis: str,
    where: dict[str, Any],
) -> Proportions:
    """Metric over basis of each member; members without a basis are left out and noted.

    Raises `InputError` when nobody has a basis.
    """
    where = context.scopes.ahead(where)
    members = context.metrics.members(metric, [across], where)
    terms = context.metrics.terms(metric, members, where)
    by_seller = context.scopes.sides(across)[0] == "seller"
    values = (
        seat_basis(context, basis, members) if by_seller else market_basis(context, basis, metric, members)
    )
    kept = np.flatnonzero(values > 0)
    if not len(kept):
        raise InputError("model.balance_no_basis", name=name, basis=basis)
    if len(kept) < members.size:
        left_out = ", ".join(members.labels[index][0] for index in np.flatnonzero(values <= 0))
        context.notes.append(("model.balance_left_out", {"name": name, "members": left_out}))
    reach = context.magnitude(terms)[kept].sum()
    mean_ratio = float(reach / values[kept].sum()) or 1.0
    scaled = spread_members(terms, kept).scaled(1.0 / (values[kept] * mean_ratio))
    return Proportions(tuple(members.labels[index][0] for index in kept), scaled, mean_ratio)


def _add_ratio_rows(
    context: Context, name: str, found: Proportions, column: int, lower: float, upper: float
) -> None:
    """Rows lower <= metric_k / (basis_k * mean ratio) - column <= upper."""
    count = found.terms.size
    level = Terms(np.arange(count), np.full(count, column), np.full(count, -1.0), np.zeros(count))
    side = "lowest" if upper == np.inf else "highest"
    context.builder.add_rows(
        "balance",
        found.terms + level,
        lambda: [(name, side, label) for label in found.labels],
        lower=lower,
        upper=upper,
    )


def _row(columns: list[int], values: list[float]) -> Terms:
    return Terms(np.zeros(len(columns), dtype=np.int64), np.array(columns), np.array(values), np.zeros(1))
