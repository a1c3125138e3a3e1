"""The curves table: what a row of marketing brings in a period, from parameters, points or three figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from optimizer.errors import InputError
from optimizer.plan.assumptions import AssumptionLog
from optimizer.plan.columns import CURVE_PARAMETERS
from optimizer.plan.matching import matching_rows
from optimizer.plan.plan import Plan
from optimizer.plan.tables import Table
from solvers.curves import Curve, Part
from solvers.errors import InvalidProgramError

IntArray = NDArray[np.int64]
_THREE = ("spend_now", "leads_now", "leads_if_doubled")


@dataclass(frozen=True)
class Response:
    """Leads of a period as a function of the stock: `slope` a unit where it is linear, else a curve."""

    slope: float | None
    curve: Curve
    now: float | None = None
    """What is spent in a period today, in the unit of the stock, where the curve comes from three figures."""


def resolve_responses(
    plan: Plan, labels: Mapping[str, Sequence[str]], yielding: set[int], log: AssumptionLog
) -> tuple[Response | None, ...]:
    """The response of each row of marketing; a row without a curve brings one lead an input where it has
    yields, and none otherwise.

    Raises `InputError` for parameters that a family does not have and for curves that fall.
    """
    count = len(labels["channel"])
    table = plan.tables.get("curves")
    found: list[Response | None] = [None] * count
    if table is not None:
        row, channel = matching_rows(table, labels)
        for position in range(count):
            rows = row[channel == position]
            if len(rows):
                found[position] = _response(plan, table, rows)
    blank = [at for at in yielding if found[at] is None]
    for at in blank:
        found[at] = Response(1.0, Curve((Part("linear", {"slope": 1.0}),)))
    log.note("response_is_input", "curves", "family", len(blank), 1.0, "leads an input", scalable=False)
    return tuple(found)


def _response(plan: Plan, table: Table, rows: IntArray) -> Response:
    """The sum of the parts in `rows`, in leads of one period by stock of one period."""
    has_point = ~np.isnan(table.numbers("spend"))[rows]
    parts = []
    if has_point.any():
        parts.append((_points(table, rows[has_point]), _per(plan, table, rows[has_point], "year")))
    for row in rows[~has_point].tolist():
        made, default = _part(table, row)
        parts.append((made, _per(plan, table, np.array([row]), default)))
    lengths = {length for _, length in parts}
    if len(lengths) > 1:
        raise InputError("model.curve_parts_per", table.place(int(rows[0]), "curve_per"))
    length = lengths.pop()
    # A curve over n periods with even spending gives f(n x) / n in one of them.
    curve = Curve(tuple(part for part, _ in parts), per=1.0 / length, times=1.0 / length)
    linear = all(part.family == "linear" for part in curve.parts)
    slope = sum(part.weight * _number(part, "slope") for part in curve.parts) if linear else None
    today = table.numbers("spend_now")[rows]
    known = today[~np.isnan(today)]
    return Response(slope, curve, float(known[0]) / length if known.size else None)


def _number(part: Part, name: str) -> float:
    value = part.parameters[name]
    assert isinstance(value, int | float)
    return float(value)


def _per(plan: Plan, table: Table, rows: IntArray, default: str) -> float:
    """Number of periods that a curve is about."""
    named = {table.choices("curve_per")[row] or default for row in rows.tolist()}
    if len(named) > 1:
        raise InputError("model.curve_parts_per", table.place(int(rows[0]), "curve_per"))
    calendar = plan.calendar
    lengths = {"period": 1.0, "year": float(calendar.periods_a_year), "horizon": float(calendar.size)}
    return lengths[named.pop()]


def _part(table: Table, row: int) -> tuple[Part, str]:
    """One row as a part, and what its figures are per unless `curve_per` says so."""
    given = [name for name in _THREE if not np.isnan(table.numbers(name)[row])]
    family = table.choices("family")[row]
    weight = table.numbers("weight")[row]
    weight = 1.0 if np.isnan(weight) else float(weight)
    if given:
        if len(given) < len(_THREE) or family:
            raise InputError("model.curve_three_points", table.place(row, given[0]))
        return _saturating(table, row, weight), "year"
    if family in ("", "points"):
        raise InputError("model.curve_nothing", table.place(row, "family"))
    parameters = {
        name: float(table.numbers(name)[row])
        for name in CURVE_PARAMETERS
        if not np.isnan(table.numbers(name)[row])
    }
    return _made(table, row, family, parameters, weight), "period"


def _made(
    table: Table, row: int, family: str, parameters: Mapping[str, float | list[float]], weight: float
) -> Part:
    try:
        return Part(family, parameters, weight)
    except InvalidProgramError as error:
        raise InputError(
            "model.curve_wrong", table.place(row, "family", family), detail=str(error)
        ) from error


def _saturating(table: Table, row: int, weight: float) -> Part:
    """top x / (half + x) through (spend_now, leads_now) and (2 spend_now, leads_if_doubled)."""
    spend, leads, doubled = (float(table.numbers(name)[row]) for name in _THREE)
    ratio = doubled / leads if leads > 0 else np.nan
    if not spend > 0 or not 1.0 < ratio <= 2.0:
        raise InputError("model.curve_doubled", table.place(row, "leads_if_doubled", f"{doubled:g}"))
    if ratio == 2.0:
        return Part("linear", {"slope": leads / spend}, weight)
    half = 2.0 * spend * (ratio - 1.0) / (2.0 - ratio)
    return Part("michaelis_menten", {"top": leads * (half + spend) / spend, "half": half}, weight)


def _points(table: Table, rows: IntArray) -> Part:
    """Lines between the points, from (0, 0) where no point stands at 0, flat beyond the last."""
    order = rows[np.argsort(table.numbers("spend")[rows], kind="stable")]
    x, y = table.numbers("spend")[order], table.numbers("leads")[order]
    if x[0] > 0:
        x, y = np.append(0.0, x), np.append(0.0, y)
    return _made(table, int(order[0]), "points", {"x": x.tolist(), "y": y.tolist()}, 1.0)
