"""Figures of a finished plan: the same metrics as in the model, measured seller by seller."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from optimizer.model.activities import add_activities
from optimizer.model.builder import ProgramBuilder
from optimizer.model.compile import make_context
from optimizer.model.context import Context
from optimizer.model.cube import Cube
from optimizer.model.families.rules import RuleRows, rule_rows
from optimizer.model.metrics import RATIOS, Metrics
from optimizer.model.seating import staffed
from optimizer.model.windows import added_by_seat
from optimizer.plan.effects import Effects
from optimizer.result.solution import RuleOutcome, Solution

FloatArray = NDArray[np.float64]

TOLERANCE = 1e-6
"""Relative distance from a bound below which it counts as met, and as binding: the lock of the stages."""


@lru_cache(maxsize=8)
def seller_context(cube: Cube) -> Context:
    """Metrics and scopes over a cube, without a program."""
    return make_context(ProgramBuilder(), add_activities(ProgramBuilder(), cube))


def view(solution: Solution) -> tuple[Metrics, FloatArray]:
    """Metrics over the cube of single sellers, and the plan as one vector; raises `ValueError` without a
    plan."""
    if solution.sales is None or solution.extra is None:
        raise ValueError("the solution holds no plan")
    return seller_context(solution.sellers).metrics, plan_vector(
        solution.sales, solution.extra, solution.others
    )


def plan_vector(sales: FloatArray, extra: FloatArray, others: FloatArray | None = None) -> FloatArray:
    """Sales cells, then the other activities, then extra resources."""
    between = np.zeros(0) if others is None else others
    return np.concatenate([sales.ravel(), between, extra.ravel()])


def as_planned(solution: Solution) -> Cube:
    """The cube of single sellers with open seats filled as the plan fills them, and with the capacity that
    effects of initiatives add."""
    cube, blocks = solution.sellers, solution.activities.blocks
    if "hire" in blocks:
        planned = (blocks[name].values(solution.x) for name in ("hire", "seat_heads", "seat_capacity"))
        cube = staffed(cube, *planned)
    effects = cube.inputs.effects
    for effect in effects.of("capacity") if effects is not None else ():
        assert effects is not None
        working = blocks["working"].values(solution.x)[effects.window[effect]]
        more = added_by_seat(cube, effects, effect) * working
        cube = replace(cube, capacity=cube.capacity + more + added_to_open_seats(solution, effects, effect))
    return cube


def added_to_open_seats(solution: Solution, effects: Effects, effect: int) -> FloatArray:
    """What one effect on capacity adds to open seats in a plan (S, T), in each one's unit."""
    found, cube = solution.activities.seat_gains, solution.sellers
    seats, total = cube.inputs.selling.sellers.open_seats, np.zeros(cube.capacity.shape)
    if found is not None and seats is not None:
        own = found.of_effect(effects, seats, effect)
        gained = solution.activities.blocks["seat_gain"].values(solution.x)[own]
        np.add.at(total, seats.seller[found.place[own]], float(effects.amount[effect]) * gained)
    return total


def used_capacity(solution: Solution) -> FloatArray:
    """Capacity that each seller uses (S, T), in the seller's unit."""
    cube, blocks, uplifts = solution.sellers, solution.activities.blocks, solution.activities.uplifts
    used = np.zeros(cube.capacity.shape)
    np.add.at(used, cube.pair_seat, blocks["sales"].values(solution.x) * cube.effort)
    if uplifts is not None:
        np.add.at(used, cube.pair_seat[uplifts.pair], uplifts.effort * blocks["uplift"].values(solution.x))
    for name, initiative, seller, amount in cube.inputs.resources.of_owners:
        used[seller] += amount * blocks[name].values(solution.x)[initiative]
    leads = blocks.get("lead_hours")
    if leads is not None and leads.pair is not None:
        np.add.at(used, cube.pair_seat[leads.pair], leads.values(solution.x))
    return used


def figure(solution: Solution, metric: str, where: Mapping[str, Any]) -> float:
    """A metric of the finished plan in a scope; NaN for a ratio of nothing."""
    return figures(solution, metric, [], where)[0][1]


def figures(
    solution: Solution,
    metric: str,
    each: Sequence[str],
    where: Mapping[str, Any] | None = None,
) -> list[tuple[tuple[str, ...], float]]:
    """A metric of the finished plan for each member: labels and value; NaN for a ratio of nothing.

    Raises `InputError` for unknown metrics, columns and labels, and for figures that are not known by member.
    """
    scope = where or {}
    metrics, x = view(solution)
    members = metrics.members(metric, each, scope)
    if metric not in RATIOS:
        values = metrics.terms(metric, members, scope).values(x)
    else:
        top, bottom, shift = metrics.ratio(metric, members, scope)
        below = bottom.values(x)
        with np.errstate(divide="ignore", invalid="ignore"):
            values = np.where(np.abs(below) > TOLERANCE * 1e-3, top.values(x) / below - shift, np.nan)
    return list(zip(members.labels, values.tolist(), strict=True))


def rule_outcomes(cube: Cube, x: FloatArray) -> tuple[RuleOutcome, ...]:
    """Every member of every rule, measured on the plan of single sellers."""
    context = seller_context(cube)
    found: list[RuleOutcome] = []
    for rule in cube.inputs.plan.rules:
        found += _outcomes(context, rule_rows(context, rule), x)
    return tuple(found)


def _outcomes(context: Context, rows: RuleRows, x: FloatArray) -> list[RuleOutcome]:
    rule, values = rows.rule, rows.values(x)
    below, above = rows.lower - rows.lower_terms.values(x), rows.upper_terms.values(x) - rows.upper
    slack = TOLERANCE * rows.scale
    unit = "share" if rule.as_share else context.metrics.unit(rule.metric)
    found = []
    for member in range(rows.members.size):
        lower, upper = _bound(rows.asked_lower[member]), _bound(rows.asked_upper[member])
        if lower is None and upper is None:
            continue
        value = float(values[member])
        status, shortfall = "met", 0.0
        if np.isnan(value):
            status = "no_denominator"
        elif below[member] > slack[member] and lower is not None:
            status, shortfall = "short", lower - value
        elif above[member] > slack[member] and upper is not None:
            status, shortfall = "over", value - upper
        sides = ((below, lower), (above, upper))
        near = [abs(side[member]) <= slack[member] for side, bound in sides if bound is not None]
        found.append(
            RuleOutcome(
                rule.name,
                rule.kind,
                rule.metric,
                unit,
                rows.members.labels[member],
                rule.each,
                rule.must,
                rule.priority,
                value,
                lower,
                upper,
                shortfall,
                status,
                binds=status == "met" and any(near),
            )
        )
    return found


def _bound(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
