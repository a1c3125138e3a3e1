"""Whole steps from the top down: sums exact on every level, nearest, and the same for any order of rows."""

from __future__ import annotations

from itertools import product
from random import Random

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from optimizer.quotas.hierarchy import build_hierarchy
from optimizer.quotas.rounding import round_top_down, ties
from optimizer.quotas.spans import Longer, Spans, crossed_spans, make_spans
from optimizer.quotas.steps import Window, nearest_table

FREE = (0.0, np.inf)


def spans_of(size: int, quarters: list[int] | None = None) -> Spans:
    """Shortest spans, under quarters where given, under the year."""
    longer = []
    if quarters is not None:
        code = np.array(quarters)
        longer.append(Longer("quarter", tuple(f"q{at}" for at in range(max(quarters) + 1)), code))
    if size > 1:
        longer.append(Longer("year", ("year",), np.zeros(size, dtype=np.int64)))
    return make_spans("period", [f"m{at}" for at in range(size)], longer)


def free(rows: int) -> Window:
    """No bounds on totals."""
    return Window(np.zeros(rows), np.full(rows, np.inf))


def distance(table: np.ndarray, figures: np.ndarray, spans: Spans) -> float:
    """Sum of the distances of cells, row sums and the group's sums, as the module defines it."""
    total = np.abs(table - figures).sum()
    for part in spans.longer:
        sums = [np.zeros((len(figures), len(part.labels))) for _ in range(2)]
        for found, values in zip(sums, (table, figures), strict=True):
            np.add.at(found, (slice(None), part.code), values)
        total += np.abs(sums[0] - sums[1]).sum() + np.abs(sums[0].sum(axis=0) - sums[1].sum(axis=0)).sum()
    return float(total + np.abs(table.sum(axis=0) - figures.sum(axis=0)).sum())


def within(table: np.ndarray, figures: np.ndarray) -> bool:
    """Every number is the floor or the ceiling."""
    return bool(((table >= np.floor(figures + 1e-6)) & (table <= np.ceil(figures - 1e-6))).all())


def is_rounding(table: np.ndarray, figures: np.ndarray, spans: Spans) -> bool:
    """Cells, sums over spans, and sums of the group are floors or ceilings."""
    wide = [spans.wide(values.astype(float)) for values in (table, figures)]
    return within(*wide) and within(wide[0].sum(axis=0), wide[1].sum(axis=0))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(0, 3), min_size=8, max_size=8))
def test_no_table_is_nearer(values: list[float]) -> None:
    """Brute force: among all tables of floors and ceilings with exact sums ours has the smallest distance."""
    figures = np.array(values).reshape(2, 4)
    spans = spans_of(4, [0, 0, 1, 1])
    table, excess = nearest_table(figures, np.zeros(2, dtype=np.int64), spans, free(2), np.zeros((2, 4)))
    assert not excess.any()
    assert is_rounding(table, figures, spans)
    choices = [sorted({np.floor(value + 1e-6), np.ceil(value - 1e-6)}) for value in figures.ravel()]
    best = min(
        distance(np.array(cells).reshape(2, 4), figures, spans)
        for cells in product(*choices)
        if is_rounding(np.array(cells).reshape(2, 4), figures, spans)
    )
    assert distance(table, figures, spans) == pytest.approx(best, abs=1e-3)


def test_a_window_holds_the_total() -> None:
    """A bound on the year keeps it, although the nearest table would lie above."""
    figures = np.array([[1.9, 1.9], [2.1, 2.1]])
    window = Window(np.zeros(2), np.array([3.0, np.inf]))
    table, excess = nearest_table(figures, np.zeros(2, dtype=np.int64), spans_of(2), window, np.zeros((2, 2)))
    assert table.sum(axis=1).tolist() == [3, 5]
    assert table.sum() == 8 and not excess.any()


def test_where_no_table_exists_the_excess_is_smallest() -> None:
    """A locked total that the shape of the months cannot carry leaves its floors by one step, not more."""
    figures = np.array([[2.0, 0.0], [0.0, 2.0]])
    window = Window(np.array([3.0, 1.0]), np.array([3.0, 1.0]))
    table, excess = nearest_table(figures, np.zeros(2, dtype=np.int64), spans_of(2), window, np.zeros((2, 2)))
    assert table.sum(axis=1).tolist() == [3, 1]
    assert table.sum(axis=0).tolist() == [2, 2]
    assert excess.sum() == 2


LABEL = st.sampled_from(["", "a", "b", "c", "d"])


@st.composite
def cases(draw: st.DrawFn) -> tuple[list[list[str]], np.ndarray, list[float]]:
    """Rows of labels on up to five levels, their figures, and the ratio of each level."""
    depth = draw(st.integers(1, 5))
    rows = draw(st.integers(1, 12))
    columns = [draw(st.lists(LABEL, min_size=rows, max_size=rows)) for _ in range(depth - 1)]
    columns.append([f"s{at}" for at in range(rows)])
    seed = draw(st.integers(0, 2**31))
    rng = np.random.default_rng(seed)
    figures = (
        rng.gamma(0.7, 4.0, size=(rows, 6))
        * (rng.random((rows, 6)) < 0.8)
        * (rng.random(rows) < 0.9)[:, None]
    )
    ratios = [1.0 + draw(st.sampled_from([0.0, 0.0, 0.05, 0.1, 0.25])) for _ in range(depth)]
    return columns, figures, ratios


@settings(max_examples=50, deadline=None)
@given(cases(), st.randoms(use_true_random=False))
def test_sums_are_exact_on_every_level(
    case: tuple[list[list[str]], np.ndarray, list[float]], random: Random
) -> None:
    """Random hierarchies: every children's sum is its parent times the ratio to the step, in every span,
    and the order of rows does not matter."""
    columns, figures, ratios = case
    spans = spans_of(6, [0, 0, 0, 1, 1, 1])
    by = [f"level {at}" for at in range(len(columns))]

    def run(order: list[int]) -> tuple[list[tuple[str, ...]], np.ndarray]:
        tree, leaf = build_hierarchy(by, [[column[at] for at in order] for column in columns])
        leaves = np.zeros((tree.num_leaves, 6))
        np.add.at(leaves, leaf, figures[order])
        factor = np.cumprod([1.0, *ratios])[tree.level]
        real = tree.sum_up(leaves) * factor[:, None]
        rounded = round_top_down(
            tree,
            spans,
            real,
            np.array(ratios),
            np.zeros(tree.size),
            np.full(tree.size, np.inf),
            np.zeros(tree.size),
        )
        assert not rounded.excess.any()
        wide = spans.wide(rounded.steps)
        assert abs(wide[0, -1] - real[0].sum()) <= 0.5 + 1e-6
        for level, ratio in enumerate(ratios):
            nodes = tree.nodes(level + 1)
            below = np.zeros((tree.size, wide.shape[1]), dtype=np.int64)
            np.add.at(below, tree.parent[nodes], wide[nodes])
            parents = tree.nodes(level)
            asked = ratio * wide[parents]
            assert within(below[parents], asked)
            if ratio == 1.0:
                assert (below[parents] == wide[parents]).all()
        return list(tree.paths), rounded.steps

    order = list(range(len(figures)))
    shuffled = order.copy()
    random.shuffle(shuffled)
    first, second = run(order), run(shuffled)
    assert first[0] == second[0]
    assert (first[1] == second[1]).all()


def test_locked_totals_stay_and_the_rest_moves() -> None:
    """A whole bound from both sides is the total of the rounded row, also with over-assignment above it."""
    tree, _ = build_hierarchy(["team", "seller"], [["A", "A", "B"], ["a", "b", "c"]])
    leaves = np.array([[3.3, 3.7], [2.4, 4.1], [5.5, 1.9]])
    ratio = np.array([1.0, 1.1])
    real = tree.sum_up(leaves) * np.array([1.0, 1.0, 1.1])[tree.level][:, None]
    lower, upper = np.zeros(tree.size), np.full(tree.size, np.inf)
    first = int(tree.starts[-2])
    lower[first] = upper[first] = 8.0
    rounded = round_top_down(tree, spans_of(2), real, ratio, lower, upper, np.zeros(tree.size))
    assert rounded.steps[first].sum() == 8
    assert rounded.steps[1:3].sum() == rounded.steps[0].sum()


def test_a_leaf_without_a_figure_takes_nothing_when_all_others_are_held() -> None:
    """Where a locked and a capped seller stand beside one without a plan, their team gets what the two can
    carry; once it got a step more, which landed on the one who has nothing (found at random)."""
    tree, _ = build_hierarchy(["team", "seller"], [["A", "A", "A", "B"], ["a", "b", "c", "d"]])
    leaves = np.array([[4.4, 3.6], [2.2, 2.8], [0.0, 0.0], [5.3, 4.3]])
    ratio = np.array([1.2, 1.0])
    factor = np.array([1.0, 1.2, 1.2])[tree.level]
    real = tree.sum_up(leaves / 1.2) * factor[:, None]
    lower, upper = np.zeros(tree.size), np.full(tree.size, np.inf)
    first = int(tree.starts[-2])
    lower[first] = upper[first] = 8.0
    upper[first + 1] = 5.0
    rounded = round_top_down(tree, spans_of(2), real, ratio, lower, upper, np.zeros(tree.size))
    assert not rounded.excess.any()
    assert rounded.steps[first + 2].sum() == 0
    assert rounded.steps[first : first + 2].sum(axis=1).tolist() == [8, 5]


def test_ties_depend_on_labels_alone() -> None:
    """The tie-break of a node is the same in another organisation."""
    spans = spans_of(3)
    one, _ = build_hierarchy(["seller"], [["a", "b"]])
    other, _ = build_hierarchy(["seller"], [["b", "c", "d"]])
    assert (ties(one, spans)[one.paths.index(("b",))] == ties(other, spans)[other.paths.index(("b",))]).all()


def three_way_tables(figures: np.ndarray) -> list[np.ndarray]:
    """Every table of floors and ceilings of figures (2, 2, 2) whose sums along each axis, over each two
    axes and in total are floors or ceilings of the true sums."""
    low, high = np.floor(figures + 1e-6), np.ceil(figures - 1e-6)
    found = []
    for choice in product(*[sorted({a, b}) for a, b in zip(low.ravel(), high.ravel(), strict=True)]):
        table = np.array(choice).reshape(2, 2, 2)
        axes = [(0,), (1,), (2,), (0, 1), (0, 2), (1, 2), (0, 1, 2)]
        if all(within(table.sum(axis=axis), figures.sum(axis=axis)) for axis in axes):
            found.append(table)
    return found


def fewest_excess(figures: np.ndarray) -> float:
    """The fewest steps by which any table for figures (2, 2, 2) of sellers, lines and months leaves its floors
    and ceilings, among those whose sums over all sellers of a line and month, over all months of a line, and
    in total are floors or ceilings."""
    low, high = np.floor(figures + 1e-6), np.ceil(figures - 1e-6)
    choices = [
        np.arange(max(one - 1, 0), other + 2) for one, other in zip(low.ravel(), high.ravel(), strict=True)
    ]
    tables = np.stack([part.ravel() for part in np.meshgrid(*choices, indexing="ij")], axis=-1).reshape(
        -1, 2, 2, 2
    )

    def outside(axes: tuple[int, ...]) -> np.ndarray:
        """How far each sum over some axes lies from its floor and ceiling, all of them together."""
        sums, real = tables.sum(axis=tuple(axis + 1 for axis in axes)), figures.sum(axis=axes)
        beyond = np.maximum(np.floor(real + 1e-6) - sums, sums - np.ceil(real - 1e-6))
        return np.maximum(beyond, 0).reshape(len(tables), -1).sum(axis=1)

    held = sum(outside(axes) for axes in ((0,), (0, 2), (0, 1, 2))) == 0
    over = sum(outside(axes) for axes in ((), (1,), (2,), (1, 2), (0, 1)))
    return float(np.asarray(over)[held].min())


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from([0.0, 0.25, 0.5, 0.5, 0.75, 1.0, 1.3]), min_size=8, max_size=8))
@example([0.0, 0.0, 0.0, 0.5, 0.0, 0.5, 0.5, 0.0])
@example([0.0, 0.0, 0.0, 0.75, 0.0, 0.25, 0.75, 0.0])
@example([0.5, 0.5, 0.25, 0.5, 0.75, 0.0, 0.0, 0.5])
def test_three_way_tables_exist_or_are_missed_by_the_fewest_steps(values: list[float]) -> None:
    """Sellers by lines by months: brute force says whether a table exists; ours is one then, and has no
    excess; where none does, no table at all leaves its floors and ceilings by fewer steps than ours."""
    figures = np.array(values).reshape(2, 2, 2)
    spans = crossed_spans(spans_of(2), "line", ["A", "B"])
    group = np.zeros(2, dtype=np.int64)
    table, excess = nearest_table(figures.reshape(2, 4), group, spans, free(2), np.zeros((2, 4)))
    possible = three_way_tables(figures)
    if possible:
        assert not excess.any()
        assert any(np.array_equal(table.reshape(2, 2, 2), one) for one in possible)
    else:
        assert excess.sum() == fewest_excess(figures) > 0


def test_a_three_way_table_without_rounding_reports_its_excess() -> None:
    """Three halves, each pair of which shares a sum of one: no table of floors and ceilings has all the
    sums, and one step beyond them is the fewest."""
    figures = np.zeros((2, 2, 2))
    figures[0, 1, 1] = figures[1, 0, 1] = figures[1, 1, 0] = 0.5
    assert not three_way_tables(figures)
    spans = crossed_spans(spans_of(2), "line", ["A", "B"])
    group = np.zeros(2, dtype=np.int64)
    table, excess = nearest_table(figures.reshape(2, 4), group, spans, free(2), np.zeros((2, 4)))
    assert excess.sum() == 1
    assert table.sum() in (1, 2)


def test_crossed_spans_hold_every_sum() -> None:
    """Members by months, members' quarters and years, and all members by month, quarter and year."""
    spans = crossed_spans(spans_of(4, [0, 0, 1, 1]), "line", ["A", "B"])
    wide = spans.wide(np.arange(8.0)[None, :])[0]
    named = dict(zip(zip(spans.all_kinds, spans.all_labels, strict=True), wide.tolist(), strict=True))
    assert named["line period", "B · m0"] == 4
    assert named["line quarter", "A · q1"] == 5
    assert named["line year", "B · year"] == 22
    assert named["period", "m3"] == 10
    assert named["quarter", "q0"] == 10
    assert named["year", "year"] == 28
    assert spans.all_labels[-1] == "year"
    flat = crossed_spans(spans_of(1), "line", ["A", "B"])
    assert flat.all_labels == ("A · m0", "B · m0", "m0")
