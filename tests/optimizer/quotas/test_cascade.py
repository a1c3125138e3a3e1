"""The whole way from plan to whole numbers on random hierarchies: sums, bounds, ratios, order of rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optimizer.errors import InputError
from optimizer.quotas.cascade import Cascade, Figures, cascade
from optimizer.quotas.hierarchy import Hierarchy, build_hierarchy
from optimizer.quotas.limits import Limit, combined, snapped
from optimizer.quotas.rounding import Rounded, round_top_down
from optimizer.quotas.spans import Longer, Spans, make_spans

LABEL = st.sampled_from(["", "a", "b", "c"])
MONTHS = 6


@dataclass(frozen=True)
class Case:
    """An organisation by rows: labels of each level, plan by month, bounds and locks of each leaf; `inner` is
    the seed of bounds and locks of nodes above the leaves."""

    columns: list[list[str]]
    plan: np.ndarray
    ratios: list[float]
    growth: float
    lower: np.ndarray
    upper: np.ndarray
    locked: np.ndarray
    step: float
    inner: int | None = None


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Up to five levels with missing nodes and single children, zero plans, caps, floors, locks."""
    depth, rows = draw(st.integers(1, 5)), draw(st.integers(1, 14))
    columns = [draw(st.lists(LABEL, min_size=rows, max_size=rows)) for _ in range(depth - 1)]
    columns.append([f"s{at:02d}" for at in range(rows)])
    random = np.random.default_rng(draw(st.integers(0, 2**31)))
    step = draw(st.sampled_from([1.0, 10.0, 0.5]))
    plan = random.gamma(0.8, 30.0, (rows, MONTHS)) * (random.random((rows, MONTHS)) < 0.8)
    plan *= (random.random(rows) < 0.85)[:, None]
    yearly = np.rint(plan.sum(axis=1) / step) * step
    kind = random.integers(0, 6, rows)
    return Case(
        columns=columns,
        plan=plan,
        ratios=[1.0 + draw(st.sampled_from([0.0, 0.0, 0.05, 0.1, 0.2])) for _ in range(depth)],
        growth=draw(st.sampled_from([0.7, 1.0, 1.1, 1.5])),
        lower=np.where(kind == 1, 0.5 * yearly, 0.0),
        upper=np.where(kind == 2, np.maximum(1.05 * yearly, step), np.inf),
        locked=np.where((kind == 3) & (yearly > 0), yearly, np.nan),
        step=step,
        inner=draw(st.none() | st.integers(0, 2**31)),
    )


def bound_inner(case: Case, tree: Hierarchy, even: np.ndarray, sides: tuple[np.ndarray, ...]) -> None:
    """Caps, floors and locks of some nodes above the leaves, drawn by label so that rows do not matter.

    `even` (N,) is the even share of each node, `sides` are lower and upper bounds and those of locks.
    """
    low, high, lock_low, lock_high = sides
    for node in range(1, tree.leaves.start):
        random = np.random.default_rng([case.inner or 0, *"/".join(tree.paths[node]).encode()])
        kind, share = random.integers(0, 5), random.uniform(0.7, 1.3)
        amount = max(np.rint(share * even[node] / case.step), 1.0) * case.step
        if even[node] > 0 and kind == 1:
            low[node] = 0.6 * amount
        elif even[node] > 0 and kind == 2:
            high[node] = amount
        elif even[node] > 0 and kind == 3:
            lock_low[node] = lock_high[node] = amount


def half_years() -> Spans:
    """Six months under two halves under a year."""
    halves = Longer("half", ("H1", "H2"), np.arange(MONTHS) // 3)
    whole = Longer("year", ("year",), np.zeros(MONTHS, dtype=np.int64))
    return make_spans("period", [f"m{at}" for at in range(MONTHS)], [halves, whole])


def run(case: Case, order: np.ndarray) -> tuple[Hierarchy, Figures, Cascade, Rounded] | None:
    """The case with its rows in an order; None where the floors do not fit into the target."""
    by = [f"level {at}" for at in range(len(case.columns))]
    tree, leaf = build_hierarchy(by, [[column[at] for at in order] for column in case.columns])
    plan = np.zeros((tree.num_leaves, MONTHS))
    plan[leaf] = case.plan[order]
    low, high = np.zeros(tree.size), np.full(tree.size, np.inf)
    nodes = leaf + int(tree.starts[-2])
    low[nodes], high[nodes] = case.lower[order], case.upper[order]
    locked = case.locked[order]
    lock_low, lock_high = np.zeros(tree.size), np.full(tree.size, np.inf)
    lock_low[nodes] = np.nan_to_num(locked, nan=0.0)
    lock_high[nodes] = np.where(np.isnan(locked), np.inf, locked)
    factor = np.cumprod([1.0, *case.ratios])[tree.level]
    total = np.rint(case.growth * plan.sum() / case.step) * case.step
    if case.inner is not None:
        even = tree.sum_up(plan.sum(axis=1)) * factor * (total / max(plan.sum(), 1e-9))
        bound_inner(case, tree, even, (low, high, lock_low, lock_high))
    limits = [
        snapped(Limit(rule, *sides), case.step)
        for rule, sides in (("quota_min_max", (low, high)), ("lock", (lock_low, lock_high)))
    ]
    figures = Figures(plan, plan, None, total, factor)
    try:
        found = cascade(tree, figures, limits, "company")
    except InputError as error:
        assert error.key == "quotas.floors_too_high"
        return None
    lower, upper = (bound / case.step for bound in combined(list(found.limits), tree))
    real = found.stages[-1].values / case.step
    rounded = round_top_down(
        tree, half_years(), real, np.array(case.ratios), lower, upper, found.unassigned / case.step
    )
    return tree, figures, found, rounded


@pytest.mark.slow
@settings(max_examples=100, deadline=None)
@given(cases(), st.integers(0, 2**31))
def test_sums_bounds_and_ratios_on_random_hierarchies(case: Case, seed: int) -> None:
    """100 random organisations: sums exact in whole steps on every level and in every span, bounds and
    locks of leaves and of nodes above them hold, leaves without a plan carry nothing, rounding moves nobody by
    more than a step a level, and the order of rows does not matter."""
    order = np.arange(len(case.plan))
    answer = run(case, order)
    if answer is None:
        return
    tree, figures, found, rounded = answer
    wide = half_years().wide(rounded.steps)
    for level, ratio in enumerate(case.ratios):
        children, parents = tree.nodes(level + 1), tree.nodes(level)
        below = np.zeros((tree.size, wide.shape[1]))
        np.add.at(below, tree.parent[children], wide[children])
        full = found.unassigned[parents] == 0
        gap = np.abs(below[parents] - ratio * wide[parents])[full]
        assert (gap < 1.0 - 1e-9).all() if ratio != 1.0 else (gap == 0.0).all()
    lower, upper = (bound / case.step for bound in combined(list(found.limits), tree))
    assert (wide[:, -1] >= lower - 1e-9).all()
    assert (wide[1:, -1] <= upper[1:] + 1e-9).all()
    moved = np.abs(wide[:, -1] - found.stages[-1].values.sum(axis=1) / case.step)
    assert (moved <= tree.level + 1.0 + 1e-6).all()
    nothing = figures.plan.sum(axis=1) == 0
    assert (wide[tree.leaves][nothing, -1] == np.maximum(lower[tree.leaves][nothing], 0)).all()
    other = run(case, np.random.default_rng(seed).permutation(order))
    assert other is not None
    assert other[0].paths == tree.paths
    assert (other[3].steps == rounded.steps).all()


def test_a_real_difference_of_stages_is_a_step() -> None:
    """Stages of the cascade: plan, even stretch, over-assignment, a cap; the last one adds up to the
    target."""
    tree, _ = build_hierarchy(["seller"], [["a", "b"]])
    plan = np.array([[10.0], [30.0]])
    cap = Limit("quota_min_max", np.zeros(3), np.array([np.inf, np.inf, 35.0]))
    found = cascade(tree, Figures(plan, plan, plan * 0.5, 60.0, np.array([1.0, 1.1, 1.1])), [cap], "company")
    values = {stage.name: stage.values[:, 0].tolist() for stage in found.stages}
    assert values["last_year"] == pytest.approx([60, 15, 45])
    assert values["plan"] == pytest.approx([40, 10, 30])
    assert values["stretch"] == pytest.approx([60, 15, 45])
    assert values["over_assignment"] == pytest.approx([60, 16.5, 49.5])
    assert values["quota_min_max"] == pytest.approx([60, 31, 35])


def test_nothing_to_divide_by_leaves_all_unassigned() -> None:
    """Without any plan the target stays with the company."""
    tree, _ = build_hierarchy(["seller"], [["a", "b"]])
    plan = np.zeros((2, 1))
    found = cascade(tree, Figures(plan, plan, None, 60.0, np.ones(3)), [], "company")
    assert found.unassigned.tolist() == [60, 0, 0]
