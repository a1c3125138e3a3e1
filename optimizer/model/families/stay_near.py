"""Family stay_near: how far a plan is from last year's shares, or from another run.

    total = sum_j x_j
    x_k - share_k total = above_k - below_k           distance = sum_k above_k + below_k
    x_k - figure_k = above_k - below_k                against another run
    above_k + below_k <= within * total, or within * figure_k
    above_k + below_k <= most_k changed_k, sum_k changed_k <= changes_at_most      (changed binary)

Where facts are there the distance is about the periods from `as_of` on, on both sides.

Rows are divided by the total of last year (or of the run). The total is a column of its own, because
writing it out in every row would make the rows dense. By seller against another run, sellers whom that run
gave sales in proportion to their capacity are one member: the sum of their distances is that of their sum,
because what they sell is split alike. Units: the metric's, as a share of the reference total.
Reference: absolute deviations as a linear program (Charnes, Cooper & Ferguson 1955).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from optimizer.errors import InputError
from optimizer.model.basis import market_basis
from optimizer.model.bounds import most_of
from optimizer.model.builder import Labels, fixed_labels
from optimizer.model.context import Context, DistanceStage
from optimizer.model.past_run import run_figures
from optimizer.model.scopes import Members
from optimizer.model.terms import Terms
from optimizer.plan.schema import StayNearSpec

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


def stay_near(context: Context) -> None:
    """Add the rows of every stay_near of the plan."""
    for spec in context.cube.inputs.plan.spec.stay_near:
        ahead = context.scopes.ahead({})
        members = context.metrics.members(spec.metric, spec.by, ahead, facts=False)
        terms = context.metrics.terms(spec.metric, members, ahead)
        above = (
            _near_shares(context, spec, members, terms)
            if spec.to == "last_year"
            else _near_run(context, spec, members, terms)
        )
        if spec.priority is not None:
            context.distances.append(
                DistanceStage(spec.name, spec.priority, _sum_columns(above, 2 * members.size))
            )


def near_last_year(context: Context) -> Terms | None:
    """The distance of revenue by market and period from last year's shares; None where last year is
    unknown."""
    cube = context.cube
    planned = slice(cube.num_planned)
    ahead = np.arange(cube.num_planned) >= cube.inputs.past
    last_year = np.where(ahead, np.nan_to_num(cube.markets.last_year_revenue[:, planned]), 0.0)
    if last_year.sum() <= 0:
        return None
    num_markets, num_periods = last_year.shape
    codes, periods = np.arange(num_markets), np.arange(cube.num_periods)
    shown = cube.calendar.period[:num_periods]
    members = Members(
        tuple((name, period) for name in cube.markets.names for period in shown),
        codes[cube.pair_market],
        np.where(periods < num_periods, periods, -1),
        num_periods,
        codes,
    )
    terms = context.metrics.summed("revenue", members)
    above = _share_rows(context, "last year", members, terms, last_year.ravel())
    return _sum_columns(above, 2 * members.size)


def _near_shares(context: Context, spec: StayNearSpec, members: Members, terms: Terms) -> int:
    basis = market_basis(context, "last_year", spec.metric, members)
    if basis.sum() <= 0:
        raise InputError("model.stay_near_no_last_year", name=spec.name)
    above = _share_rows(context, spec.name, members, terms, basis)
    if spec.within is not None:
        limits = _pair_of_columns(above, members.size)
        total = Terms(
            np.arange(members.size),
            np.full(members.size, above - 1),
            np.full(members.size, -spec.within),
            np.zeros(members.size),
        )
        context.builder.add_rows(
            "stay_near", limits + total, _labels(spec.name, members.labels, "within"), upper=0.0
        )
    if spec.changes_at_most is not None:
        most = most_of(context.activities, terms)
        reach = (most + basis / basis.sum() * most.sum()) / basis.sum()
        _limit_changes(context, spec, members, above, reach)
    return above


def _share_rows(context: Context, name: str, members: Members, terms: Terms, basis: FloatArray) -> int:
    """Columns total, above, below and the rows that define them, in shares of the basis total; returns the
    first above."""
    size = float(basis.sum())
    total = context.builder.add_columns("stay_near", 1, fixed_labels((name, "total")))
    above = _distance_columns(context, name, members.labels)
    scaled = terms.scaled(1.0 / size)
    count = members.size
    whole = Terms(np.zeros(len(scaled.column), dtype=np.int64), scaled.column, scaled.value, np.zeros(1))
    defined = whole + Terms(np.zeros(1, dtype=np.int64), np.array([total]), np.array([-1.0]), np.zeros(1))
    context.builder.add_rows("stay_near", defined, fixed_labels((name, "total")), lower=0.0, upper=0.0)
    shares = Terms(np.arange(count), np.full(count, total), -basis / size, np.zeros(count))
    rows = scaled + shares + _pair_of_columns(above, count, -1.0, 1.0)
    context.builder.add_rows("stay_near", rows, _labels(name, members.labels), lower=0.0, upper=0.0)
    return above


def _near_run(context: Context, spec: StayNearSpec, members: Members, terms: Terms) -> int:
    run = spec.to["run"] if isinstance(spec.to, dict) else ""
    cube = context.cube
    names = cube.inputs.selling.sellers.names
    seats = {name: cube.seat_names[group] for name, group in zip(names, cube.groups.group, strict=True)}
    figures = run_figures(cube.inputs.plan, run, spec.metric, spec.by, members, seats)
    size = float(np.abs(figures).sum()) or 1.0
    above = _distance_columns(context, spec.name, members.labels)
    rows = terms.scaled(1.0 / size) + _pair_of_columns(above, members.size, -1.0, 1.0)
    context.builder.add_rows(
        "stay_near", rows, _labels(spec.name, members.labels), lower=figures / size, upper=figures / size
    )
    if spec.within is not None:
        context.builder.add_rows(
            "stay_near",
            _pair_of_columns(above, members.size),
            _labels(spec.name, members.labels, "within"),
            upper=spec.within * figures / size,
        )
    if spec.changes_at_most is not None:
        reach = (most_of(context.activities, terms) + np.abs(figures)) / size
        _limit_changes(context, spec, members, above, reach)
    return above


def _limit_changes(
    context: Context, spec: StayNearSpec, members: Members, above: int, reach: FloatArray
) -> None:
    """At most so many members differ; `reach` (K,) is the most that each can.

    Raises `InputError` where nothing limits a member.
    """
    count = members.size
    if not np.isfinite(reach).all():
        label = members.labels[int((~np.isfinite(reach)).argmax())]
        raise InputError("model.changes_without_limit", name=spec.name, member=" / ".join(label))
    changed = context.builder.add_columns(
        "changed", count, _labels(spec.name, members.labels), upper=1.0, integer=True
    )
    switch = Terms(np.arange(count), changed + np.arange(count), -reach, np.zeros(count))
    context.builder.add_rows(
        "stay_near",
        _pair_of_columns(above, count) + switch,
        _labels(spec.name, members.labels, "changed"),
        upper=0.0,
    )
    context.builder.add_rows(
        "stay_near",
        _sum_columns(changed, count),
        fixed_labels((spec.name, "changes")),
        upper=float(spec.changes_at_most or 0),
    )


def _distance_columns(context: Context, name: str, labels: Sequence[tuple[str, ...]]) -> int:
    above = context.builder.add_columns("stay_near", len(labels), _labels(name, labels, "above"))
    context.builder.add_columns("stay_near", len(labels), _labels(name, labels, "below"))
    return above


def _pair_of_columns(above: int, count: int, first: float = 1.0, second: float = 1.0) -> Terms:
    """first * above_k + second * below_k, a member each."""
    member = np.arange(count)
    return Terms(
        np.concatenate([member, member]),
        np.concatenate([above + member, above + count + member]),
        np.concatenate([np.full(count, first), np.full(count, second)]),
        np.zeros(count),
    )


def _sum_columns(start: int, count: int) -> Terms:
    return Terms(np.zeros(count, dtype=np.int64), start + np.arange(count), np.ones(count), np.zeros(1))


def _labels(name: str, labels: Sequence[tuple[str, ...]], *more: str) -> Labels:
    return lambda: [(name, *label, *more) for label in labels]
