"""How the cost of quotas grows: cascade and rounding of 500 to 10,000 sellers by 12 months, bounds and
locks included.

`python -m benchmarks.quotas [sizes ...]` prints one line a size: sellers, numbers given out, seconds of the
cascade and of the rounding, whether every sum is exact, and by how many steps numbers had to leave their
floor and ceiling.
"""

from __future__ import annotations

import sys
import time

import numpy as np

from optimizer.quotas.cascade import Figures, cascade
from optimizer.quotas.hierarchy import Hierarchy, build_hierarchy
from optimizer.quotas.limits import Limit, combined
from optimizer.quotas.rounding import round_top_down
from optimizer.quotas.spans import Longer, Spans, make_spans

SIZES = (500, 1_000, 2_000, 5_000, 10_000)
MONTHS = 12
STEP = 100.0


def organisation(num_sellers: int) -> Hierarchy:
    """Regions of 10 teams of 10 sellers."""
    sellers = np.arange(num_sellers)
    columns = [
        [f"region {at:04d}" for at in sellers // 100],
        [f"team {at:05d}" for at in sellers // 10],
        [f"seller {at:06d}" for at in sellers],
    ]
    return build_hierarchy(["region", "team", "seller"], columns)[0]


def year() -> Spans:
    """Months under quarters under a year."""
    quarters = Longer("quarter", tuple(f"Q{at + 1}" for at in range(4)), np.arange(MONTHS) // 3)
    whole = Longer("year", ("year",), np.zeros(MONTHS, dtype=np.int64))
    return make_spans("period", [f"{at + 1:02d}" for at in range(MONTHS)], [quarters, whole])


def bounds(tree: Hierarchy, plan: np.ndarray, factor: np.ndarray, random: np.random.Generator) -> list[Limit]:
    """Caps for a tenth of the sellers, floors for another, and a lock for every fiftieth."""
    yearly = plan.sum(axis=1) * factor[tree.leaves]
    draw = random.random(tree.num_leaves)
    lower, upper = np.zeros(tree.size), np.full(tree.size, np.inf)
    upper[tree.leaves] = np.where(draw < 0.1, np.floor(yearly / STEP) * STEP, np.inf)
    lower[tree.leaves] = np.where(draw > 0.9, np.ceil(1.15 * yearly / STEP) * STEP, 0.0)
    locked = np.full(tree.size, np.nan)
    locked[tree.leaves] = np.where(
        np.arange(tree.num_leaves) % 50 == 0, np.rint(yearly / STEP) * STEP, np.nan
    )
    lock = Limit("lock", np.nan_to_num(locked, nan=0.0), np.nan_to_num(locked, nan=np.inf))
    return [Limit("limits", lower, upper), lock]


def run(num_sellers: int) -> tuple[int, float, float, bool, int]:
    """Numbers given out, seconds of the cascade, seconds of the rounding, sums exact, excess in steps."""
    random = np.random.default_rng(num_sellers)
    tree, spans = organisation(num_sellers), year()
    plan = random.gamma(4.0, 25_000.0, (tree.num_leaves, MONTHS)) * (
        random.random((tree.num_leaves, MONTHS)) < 0.97
    )
    by_level = np.array([1.0, 1.0, 1.05, 1.10])
    factor = by_level[tree.level]
    started = time.perf_counter()
    total = round(1.08 * float(plan.sum()) / STEP) * STEP
    found = cascade(
        tree, Figures(plan, plan, None, total, factor), bounds(tree, plan, factor, random), "company"
    )
    lower, upper = (bound / STEP for bound in combined(list(found.limits), tree))
    cascaded = time.perf_counter()
    ratio = by_level[1:] / by_level[:-1]
    rounded = round_top_down(
        tree, spans, found.stages[-1].values / STEP, ratio, lower, upper, found.unassigned / STEP
    )
    ended = time.perf_counter()
    exact = sums_exact(tree, spans, rounded.steps, ratio)
    return rounded.steps.size, cascaded - started, ended - cascaded, exact, int(rounded.excess.sum())


def sums_exact(tree: Hierarchy, spans: Spans, steps: np.ndarray, ratio: np.ndarray) -> bool:
    """Whether children add up to their parent times the ratio, to less than a step, in every span."""
    wide = spans.wide(steps)
    for level in range(tree.depth):
        nodes, below = tree.nodes(level), np.zeros((tree.size, wide.shape[1]))
        children = tree.nodes(level + 1)
        np.add.at(below, tree.parent[children], wide[children])
        if (np.abs(below[nodes] - ratio[level] * wide[nodes]) >= 1.0).any():
            return False
    return True


def main(sizes: tuple[int, ...]) -> None:
    """Print one line a size."""
    print("sellers   numbers  cascade s  round s  total s  sums exact  excess")
    for size in sizes:
        numbers, cascaded, rounded, exact, excess = run(size)
        print(
            f"{size:7,d} {numbers:9,d} {cascaded:10.2f} {rounded:8.2f} {cascaded + rounded:8.2f}"
            f"  {'yes' if exact else 'NO':>10s} {excess:7d}"
        )


if __name__ == "__main__":
    main(tuple(int(size) for size in sys.argv[1:]) or SIZES)
