"""What a balance or a multiple is measured against: capacity, potential, last year, or any number column."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from optimizer.errors import InputError
from optimizer.model.scopes import Members
from optimizer.model.terms import sum_by
from optimizer.plan.names import nearest
from optimizer.plan.tables import Table

if TYPE_CHECKING:
    from optimizer.model.context import Context

FloatArray = NDArray[np.float64]


def rule_basis(context: Context, column: str, metric: str, members: Members) -> FloatArray:
    """What the bounds of a rule are multiples of (K,): a figure of markets, or a column that only sellers
    have.

    Raises `InputError` like `market_basis` and `seat_basis`.
    """
    tables = context.cube.inputs.plan.tables
    sellers = tables.get("sellers")
    if sellers is not None and sellers.has(column) and not tables["markets"].has(column):
        if members.num_period_members > 1:
            raise InputError("model.seller_figure_by_period", metric=column)
        return seat_basis(context, column, members)
    return market_basis(context, column, metric, members)


def market_basis(context: Context, basis: str, metric: str, members: Members) -> FloatArray:
    """The basis summed over each member's markets and periods (K,); in money for metrics of money, else in
    units.

    Raises `InputError` when the column is unknown or not a number, or a member is not a set of markets.
    """
    cube = context.cube
    markets, table = cube.markets, cube.inputs.plan.tables["markets"]
    money = context.metrics.unit(metric) == "currency"
    if basis in ("last_year", "last_year_revenue", "last_year_units"):
        in_money = money if basis == "last_year" else basis == "last_year_revenue"
        values = markets.last_year_revenue if in_money else markets.last_year_units
    elif basis == "potential":
        values = markets.potential * markets.price if money else markets.potential
    elif basis in table.by_period:
        given = table.by_period[basis]
        values = np.pad(given, ((0, 0), (0, cube.num_periods - given.shape[1])))
    else:
        values = _number_column(table, basis)[:, None] * markets.spread
    if members.market_code is None or members.limits_sellers(cube.pair_market):
        raise InputError("model.market_figure_by_seller", metric=basis)
    inside = (members.market_code[:, None] >= 0) & (members.period_code[None, :] >= 0)
    member = members.market_code[:, None] * members.num_period_members + members.period_code[None, :]
    if not np.isfinite(values[inside]).all():
        row = int((~np.isfinite(values) & inside).any(axis=1).argmax())
        raise InputError("model.basis_blank", table.place(row, basis), basis=basis)
    return sum_by(member[inside], values[inside], members.size)


def seat_basis(context: Context, basis: str, members: Members) -> FloatArray:
    """The basis summed over each member's sellers (K,): their capacity over the horizon, or a number column
    of sellers.

    Raises `InputError` when capacities have different units or no limit, or the column is unknown.
    """
    cube = context.cube
    sellers = cube.inputs.selling.sellers
    seat_code = np.full(len(cube.seat_names), -1, dtype=np.int64)
    # A seat is in a member's scope when any of its pairs is.
    np.maximum.at(seat_code, cube.pair_seat, members.pair_code)
    seller_code = seat_code[cube.groups.group]
    inside = seller_code >= 0
    if basis == "capacity":
        units = {unit for unit, used in zip(sellers.capacity_unit, inside, strict=True) if used}
        if len(units) > 1 or "" in units:
            raise InputError("model.basis_capacity", units=", ".join(sorted(unit or "-" for unit in units)))
        ahead = sellers.capacity[:, cube.inputs.past : cube.num_planned]
        values = np.where(np.isfinite(ahead), ahead, 0.0).sum(axis=1)
    else:
        values = _number_column(cube.inputs.plan.tables["sellers"], basis)
    if np.isnan(values[inside]).any():
        row = int((np.isnan(values) & inside).argmax())
        raise InputError(
            "model.basis_blank", cube.inputs.plan.tables["sellers"].place(row, basis), basis=basis
        )
    return sum_by(seller_code[inside], values[inside], members.size)


def _number_column(table: Table, column: str) -> FloatArray:
    """A number column of a table, also one that the planner added."""
    if column in table.labels:
        try:
            return np.array([float(text) for text in table.text(column)])
        except ValueError as error:
            raise InputError("model.basis_not_a_number", table.place(0, column), basis=column) from error
    if not table.has(column) or table.frame[column].dtype.kind not in "fi":
        numbers = [name for name in table.frame.columns if table.frame[name].dtype.kind in "fi"]
        known = ["capacity", "potential", "last_year", *numbers, *table.labels]
        raise InputError("model.basis_unknown", basis=column, nearest=nearest(column, known))
    return table.numbers(column)
