"""Options of solvers for the auxiliary programs of curves, by solver."""

from __future__ import annotations

# Measured on 240 coupled curves: ten times the nodes a second of the defaults.
QUICK_NODES: dict[str, dict[str, object]] = {
    "highs": {
        "mip_allow_restart": False,
        "mip_allow_cut_separation_at_nodes": False,
        "mip_pscost_minreliable": 1,
        "mip_pool_soft_limit": 100,
    }
}
NO_HEURISTICS: dict[str, dict[str, object]] = {
    "highs": dict.fromkeys(
        ("mip_heuristic_run_rins", "mip_heuristic_run_rens", "mip_heuristic_run_root_reduced_cost"), False
    )
}
# Blocks have a dozen curves: a third of the seconds that the defaults take, and two thirds of that where a
# branching column's worth is taken from the nodes seen so far, never from trial solves.
SMALL: dict[str, dict[str, object]] = {
    "highs": {
        **QUICK_NODES["highs"],
        **NO_HEURISTICS["highs"],
        "mip_heuristic_effort": 0.0,
        "mip_heuristic_run_feasibility_jump": False,
        "mip_pscost_minreliable": 0,
    }
}
