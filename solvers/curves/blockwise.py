"""The search of a program that falls apart into blocks but for some rows: prices, branching, proposals."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from solvers.curves.blocks import find_blocks
from solvers.curves.branching import Branching
from solvers.curves.decomposition import Decomposition
from solvers.curves.estimator import build
from solvers.curves.grid import Grid
from solvers.curves.inner import run
from solvers.curves.pricing import Pricing
from solvers.curves.proposals import Proposals
from solvers.curves.shared import Shared


def search_blocks(shared: Shared, grid: Grid, workers: int) -> tuple[Grid, int]:
    """Search by blocks with that many threads, from a grid on which the relaxation is nearly exact; the grid
    as it is then, and the number of regions: 0 where there are no blocks.

    What is found is in the ledger. The search may end before the gap is proved.
    """
    estimator = build(shared.prepared, grid)
    blocks = find_blocks(shared.prepared, estimator)
    if blocks is None:
        return grid, 0
    relaxed = run(estimator.relaxed(), shared.plain(), shared.solver)
    if relaxed.duals is None:
        return grid, 0
    with (
        ThreadPoolExecutor(workers, thread_name_prefix="block") as pool,
        ThreadPoolExecutor(1, thread_name_prefix="proposals") as side,
    ):
        pricing = Pricing(shared, pool, blocks)
        decomposition = Decomposition(shared, estimator, grid, blocks, pricing, relaxed.duals)
        proposals = Proposals(decomposition)
        branching = Branching(decomposition, proposals.offer)
        proposing = side.submit(proposals.run)
        try:
            branching.run(relaxed.duals[blocks.coupling])
        finally:
            proposals.close()
        proposing.result()
    return decomposition.grid, branching.number
