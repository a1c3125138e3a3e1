"""Options that every solver understands, under our names."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from solvers.errors import InvalidOptionError
from solvers.program import FloatArray
from solvers.result import Basis

Method = Literal["auto", "simplex", "interior_point"]


@dataclass(frozen=True)
class Progress:
    """What a solver reports while it runs; unknown figures are None."""

    seconds: float
    objective: float | None = None
    bound: float | None = None
    gap: float | None = None


@dataclass(frozen=True)
class SolveOptions:
    """How to solve. `None` leaves a figure at the solver's default.

    `time_limit` in seconds; `gap` relative, for whole-number models; `feasibility_tolerance` and
    `optimality_tolerance` absolute on the scaled model; `raw` goes to the solver unchanged, and an option
    that the solver rejects raises `InvalidOptionError`. `interrupt` may be set by another thread (or a
    signal handler): the solver stops soon after, with its best solution so far. `ranging` asks for the
    ranges of duals and costs; `integer_prices` for the duals of a MIP with its integers fixed; `basis` for
    the simplex basis in the result. `start_basis` (LP) and `start_values` (n,) (MIP) are where to start from;
    `start_is_feasible` says that the basis keeps every row while the objective is another than it was
    optimal for, so that primal simplex has little left to do. `scale=False` hands the numbers over as they
    are.
    """

    time_limit: float | None = None
    gap: float | None = None
    threads: int = 1
    seed: int = 0
    method: Method = "auto"
    feasibility_tolerance: float | None = None
    optimality_tolerance: float | None = None
    ranging: bool = False
    integer_prices: bool = False
    basis: bool = False
    scale: bool = True
    start_basis: Basis | None = field(default=None, compare=False, repr=False)
    start_values: FloatArray | None = field(default=None, compare=False, repr=False)
    start_is_feasible: bool = False
    log: Callable[[str], None] | None = None
    progress: Callable[[Progress], None] | None = None
    interrupt: threading.Event | None = None
    raw: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse figures that no solver can use."""
        for name in ("time_limit", "gap", "feasibility_tolerance", "optimality_tolerance"):
            value = getattr(self, name)
            if value is not None and not (value >= 0 and math.isfinite(value)):
                raise InvalidOptionError(f"{name} must be a number of at least 0, not {value!r}")
        if self.threads < 1:
            raise InvalidOptionError(f"threads must be at least 1, not {self.threads}")
