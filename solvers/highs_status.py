"""How HiGHS's model statuses read in our words: reason and limit."""

from __future__ import annotations

from solvers.result import Limit, Reason

_ERROR = (Reason.ERROR, None)
TERMINATIONS: dict[str, tuple[Reason, Limit | None]] = {
    "kOptimal": (Reason.OPTIMAL, None),
    "kModelEmpty": (Reason.OPTIMAL, None),
    "kInfeasible": (Reason.INFEASIBLE, None),
    "kUnbounded": (Reason.UNBOUNDED, None),
    "kUnboundedOrInfeasible": (Reason.INFEASIBLE_OR_UNBOUNDED, None),
    "kTimeLimit": (Reason.LIMIT, Limit.TIME),
    "kIterationLimit": (Reason.LIMIT, Limit.ITERATIONS),
    "kSolutionLimit": (Reason.LIMIT, Limit.SOLUTIONS),
    "kMemoryLimit": (Reason.LIMIT, Limit.MEMORY),
    "kObjectiveBound": (Reason.LIMIT, Limit.OTHER),
    "kObjectiveTarget": (Reason.LIMIT, Limit.OTHER),
    "kInterrupt": (Reason.INTERRUPTED, None),
    "kHighsInterrupt": (Reason.INTERRUPTED, None),
    **dict.fromkeys(("kNotset", "kLoadError", "kModelError"), _ERROR),
    **dict.fromkeys(("kPresolveError", "kSolveError", "kPostsolveError"), _ERROR),
}
