"""Curves coupled over a year: budget, carryover, lag, pacing, quarters, groups, fixed costs and regions.

20 channels x 12 months. A channel's spend builds a stock (normalised carryover 0.1 to 0.7), the stock's curve
gives leads, leads are routed to 4 regions, where they close over 3 more months and meet a demand. The budget
is 60 % of the base; spend moves by at most half the base from month to month; a quarter gets 15 to 35 % of
the budget; each of 4 groups of channels has a cap; 3 channels have a fixed cost for the year if they are used
at all, and then a least spend. The objective is the margin of all sales. `--spread` is how unequal the
channels are (log-normal); the larger, the harder.

    stock[c,t] = carry[c] stock[c,t-1] + (1 - carry[c]) spend[c,t]
    sum_g worked[c,g,t] <= leads[c,t] <= curve[c](stock[c,t])
    sales[g,t] <= sum_c conversion[c,g] sum_l lag[l] worked[c,g,t-l],   sales[g,t] <= demand[g,t]

With a curve a region, spend, stock and curve are [c,g,t], and nothing is routed.

Run with `python -m benchmarks.curves_coupled [--case half|all|regions] [--seeds 10] [--seconds 60]`. With
`--clock processor` a second is one that each thread had a core for itself: what a machine gives that does
nothing else, whoever else is on it.
"""

from __future__ import annotations

import argparse
import threading
import time
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from solvers.curves import Curve, CurveProgram, CurveTerm, curve, solve_curves
from solvers.options import Progress, SolveOptions
from solvers.program import LinearProgram

CHANNELS, MONTHS, REGIONS, LAG, GROUPS = 20, 12, 4, 3, 4
BUDGET_SHARE = 0.6
FIXED = (0, 7, 14)
SPREAD = 0.4
FIXED_COST, LEAST_IF_USED = 0.1, 0.3
CASES = {
    "half": (0.5, False, 60.0, 1e-3),
    "all": (1.0, False, 120.0, 2e-3),
    "regions": (1.0, True, 120.0, 1e-2),
}
LOOK_AT = (1.0, 5.0, 15.0, 30.0, 60.0, 120.0)


class Builder:
    """Columns and rows as they are added; arrays of any shape."""

    def __init__(self) -> None:
        self.lower: list[np.ndarray] = []
        self.upper: list[np.ndarray] = []
        self.cost: list[np.ndarray] = []
        self.whole: list[np.ndarray] = []
        self.row_lower: list[np.ndarray] = []
        self.row_upper: list[np.ndarray] = []
        self.triplets: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
        self.num_columns = self.num_rows = 0

    def columns(self, shape: tuple[int, ...], upper=np.inf, cost=0.0, whole=False, lower=0.0) -> np.ndarray:
        """Numbers of new columns, of that shape."""
        size = int(np.prod(shape))
        for store, figure in (
            (self.lower, lower),
            (self.upper, upper),
            (self.cost, cost),
            (self.whole, whole),
        ):
            store.append(np.broadcast_to(figure, shape).ravel())
        self.num_columns += size
        return np.arange(self.num_columns - size, self.num_columns).reshape(shape)

    def rows(self, shape: tuple[int, ...], lower=-np.inf, upper=np.inf) -> np.ndarray:
        """Numbers of new rows, of that shape."""
        size = int(np.prod(shape))
        self.row_lower.append(np.broadcast_to(lower, shape).ravel())
        self.row_upper.append(np.broadcast_to(upper, shape).ravel())
        self.num_rows += size
        return np.arange(self.num_rows - size, self.num_rows).reshape(shape)

    def put(self, row: np.ndarray, column: np.ndarray, value=1.0) -> None:
        """Coefficients; the three are broadcast against each other."""
        row, column, value = np.broadcast_arrays(row, column, value)
        self.triplets.append((row.ravel(), column.ravel(), value.ravel().astype(float)))

    def program(self) -> LinearProgram:
        """Everything as one program to be maximised."""
        row, column, value = (np.concatenate(part) for part in zip(*self.triplets, strict=True))
        return LinearProgram(
            objective=np.concatenate(self.cost).astype(float),
            matrix=sparse.csc_array((value, (row, column)), shape=(self.num_rows, self.num_columns)),
            row_lower=np.concatenate(self.row_lower).astype(float),
            row_upper=np.concatenate(self.row_upper).astype(float),
            column_lower=np.concatenate(self.lower).astype(float),
            column_upper=np.concatenate(self.upper).astype(float),
            integer=np.concatenate(self.whole).astype(bool),
            maximize=True,
        )


@dataclass(frozen=True)
class Figures:
    """The random figures of one instance; `curves` [c] or [c,g]."""

    base: np.ndarray
    carry: np.ndarray
    curves: np.ndarray
    conversion: np.ndarray
    margin: np.ndarray
    demand: np.ndarray
    lag: np.ndarray
    budget: float
    group_cap: np.ndarray
    s_shaped: float


def draw(seed: int, share_s: float, by_region: bool, spread: float = SPREAD) -> Figures:
    """Random figures: the base costs 1 on average and brings leads of about its size."""
    random = np.random.default_rng(seed)
    base = np.exp(random.normal(0.0, spread, CHANNELS))
    base /= base.mean()
    is_s = np.arange(CHANNELS) < round(share_s * CHANNELS)
    random.shuffle(is_s)
    parts = (CHANNELS, REGIONS) if by_region else (CHANNELS, 1)
    share = random.dirichlet(np.full(parts[1], 8.0), CHANNELS)
    half = base[:, None] * share * random.uniform(0.5, 1.5, parts)
    top = base[:, None] * share * random.uniform(1.5, 3.0, (CHANNELS, 1)) * random.uniform(0.8, 1.25, parts)
    slope = np.where(is_s[:, None], random.uniform(1.5, 3.0, parts), random.uniform(0.6, 1.0, parts))
    curves = np.empty(parts, dtype=object)
    for place in np.ndindex(parts):
        curves[place] = curve(
            "hill", top=float(top[place]), half=float(half[place]), slope=float(slope[place])
        )
    conversion = random.uniform(0.1, 0.3, (CHANNELS, 1)) * random.uniform(0.7, 1.3, (CHANNELS, REGIONS))
    season = 1.0 + 0.3 * np.sin(2 * np.pi * (np.arange(MONTHS + LAG) + random.uniform(0, 12)) / 12)
    usual = float((base * random.uniform(1.0, 1.2) * conversion.mean(axis=1)).sum())
    demand = usual * random.dirichlet(np.full(REGIONS, 10.0))[:, None] * season
    budget = BUDGET_SHARE * MONTHS * float(base.sum())
    return Figures(
        base=base,
        carry=random.uniform(0.1, 0.7, CHANNELS),
        curves=curves,
        conversion=conversion,
        margin=random.uniform(0.8, 1.2, REGIONS),
        demand=demand,
        lag=np.array([0.4, 0.3, 0.2, 0.1]),
        budget=budget,
        group_cap=budget * random.uniform(0.27, 0.4, GROUPS),
        s_shaped=float(is_s.mean()),
    )


def make(figures: Figures, by_region: bool) -> CurveProgram:
    """The program of one instance."""
    build = Builder()
    parts = figures.curves.shape[1]
    share = 1.0 / parts
    shape = (CHANNELS, parts, MONTHS)
    base = np.broadcast_to(figures.base[:, None, None] * share, shape)
    spend = build.columns(shape, upper=3.0 * base)
    stock = build.columns(shape)
    leads = build.columns(shape)
    carry = figures.carry[:, None, None]
    row = build.rows(
        shape,
        *(2 * [np.concatenate([BUDGET_SHARE * base[:, :, :1] * carry, np.zeros_like(base[:, :, 1:])], 2)]),
    )
    build.put(row, stock)
    build.put(row[:, :, 1:], stock[:, :, :-1], -carry)
    build.put(row, spend, carry - 1.0)
    _pace(build, spend, base)
    _limit(build, figures, spend)
    _sell(build, figures, leads, by_region)
    terms = [
        CurveTerm(int(stock[c, g, t]), int(leads[c, g, t]), _curve(figures.curves[c, g]))
        for c, g, t in np.ndindex(shape)
    ]
    return CurveProgram(build.program(), terms)


def _curve(found: object) -> Curve:
    assert isinstance(found, Curve)
    return found


def _pace(build: Builder, spend: np.ndarray, base: np.ndarray) -> None:
    row = build.rows(spend[:, :, 1:].shape, -0.5 * base[:, :, 1:], 0.5 * base[:, :, 1:])
    build.put(row, spend[:, :, 1:])
    build.put(row, spend[:, :, :-1], -1.0)


def _limit(build: Builder, figures: Figures, spend: np.ndarray) -> None:
    """Budget with fixed costs, quarters, groups, least spend if used."""
    fixed = list(FIXED)
    used = build.columns((len(fixed), 1, 1), upper=1.0, whole=True)
    base = figures.base[fixed][:, None, None]
    total = build.rows((1,), upper=figures.budget)
    build.put(total, spend)
    build.put(total, used, FIXED_COST * MONTHS * base)
    share = 1.0 / spend.shape[1]
    monthly = build.rows(spend[fixed].shape, upper=0.0)
    build.put(monthly, spend[fixed])
    build.put(monthly, used, -3.0 * share * base)
    least = build.rows(used.shape, lower=0.0)
    build.put(least, spend[fixed])
    build.put(least, used, -LEAST_IF_USED * MONTHS * base)
    quarters = build.rows((4,), 0.15 * figures.budget, 0.35 * figures.budget)
    build.put(quarters[np.arange(MONTHS) // 3], spend)
    groups = build.rows((GROUPS,), upper=figures.group_cap)
    build.put(groups[np.arange(CHANNELS) % GROUPS][:, None, None], spend)


def _sell(build: Builder, figures: Figures, leads: np.ndarray, by_region: bool) -> None:
    """Routing to regions, closing over the lag, demand."""
    sales = build.columns((REGIONS, MONTHS + LAG), upper=figures.demand, cost=figures.margin[:, None])
    row = build.rows(sales.shape, upper=0.0)
    build.put(row, sales)
    if by_region:
        worked = build.columns(leads.shape)
        routed = build.rows(leads.shape, upper=0.0)
        build.put(routed, worked)
        build.put(routed, leads, -1.0)
    else:
        worked = build.columns((CHANNELS, REGIONS, MONTHS))
        routed = build.rows((CHANNELS, 1, MONTHS), upper=0.0)
        build.put(routed, worked)
        build.put(routed, leads, -1.0)
    for later, share in enumerate(figures.lag):
        build.put(row[:, later : later + MONTHS], worked, -share * figures.conversion[:, :, None])


class Clock:
    """Seconds on the wall, or seconds of processor time a thread; ends a solve when they are over."""

    def __init__(self, kind: str, seconds: float, threads: int) -> None:
        """`seconds` are those that the solve may take by this clock."""
        self.by_processor, self._threads = kind == "processor", threads
        self.over = threading.Event()
        self.moments: list[tuple[float, float]] = []
        self._limit, self._done = seconds, threading.Event()
        self._started = self._now()

    def seconds(self) -> float:
        """Seconds since the start."""
        return self._now() - self._started

    def take(self, progress: Progress) -> None:
        """Remember the gap at this time."""
        if progress.gap is not None:
            self.moments.append((self.seconds(), progress.gap))

    def options(self, gap: float) -> SolveOptions:
        """Options of a solve that starts now."""
        limit = None if self.by_processor else self._limit
        return SolveOptions(
            gap=gap, time_limit=limit, threads=self._threads, progress=self.take, interrupt=self.over
        )

    def __enter__(self) -> Clock:
        if self.by_processor:
            threading.Thread(target=self._watch, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()

    def _watch(self) -> None:
        while not self._done.wait(0.05):
            if self.seconds() >= self._limit:
                self.over.set()
                return

    def _now(self) -> float:
        return time.process_time() / self._threads if self.by_processor else time.perf_counter()


def main() -> None:
    """Print value, bound and gap over time for every seed."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--case", choices=CASES, default="half")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--clock", choices=("wall", "processor"), default="wall")
    parser.add_argument("--spread", type=float, default=SPREAD)
    parser.add_argument("--gap", type=float, help="where a search ends; what the case asks unless given")
    arguments = parser.parse_args()
    share_s, by_region, seconds, asked = CASES[arguments.case]
    seconds = arguments.seconds or seconds
    gap = arguments.gap or asked
    gaps = []
    for seed in range(arguments.first, arguments.first + arguments.seeds):
        figures = draw(seed, share_s, by_region, arguments.spread)
        program = make(figures, by_region)
        with Clock(arguments.clock, seconds, arguments.threads) as clock:
            result = solve_curves(program, clock.options(gap))
            spent = clock.seconds()
        gaps.append(np.inf if result.gap is None else result.gap)
        print(
            f"seed {seed}: {len(program.curves)} curves, {figures.s_shaped:.0%} S-shaped, "
            f"value {result.value:.5f}, bound {result.bound:.5f}, gap {gaps[-1]:.2e} after {spent:.0f} s "
            f"({result.seconds:.0f} s on the wall), {result.rounds} rounds, {result.binaries} binaries, "
            f"rows within {result.residuals.worst:.0e} | {trace(clock, seconds)}",
            flush=True,
        )
    print(
        f"{arguments.case}: median gap {np.median(gaps):.2e}, worst {max(gaps):.2e}; wanted {asked:g} "
        f"at {seconds:.0f} s, {arguments.threads} threads, {arguments.clock} clock"
    )


def trace(clock: Clock, seconds: float) -> str:
    """The gap at some times, as far as the solve took."""
    shown = []
    for look in LOOK_AT:
        known = [gap for at, gap in clock.moments if at <= look]
        if look <= seconds and known:
            shown.append(f"{look:.0f}s {min(known):.2e}")
    return "  ".join(shown)


if __name__ == "__main__":
    main()
