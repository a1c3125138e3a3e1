"""Random S-curves under one budget: certified answers beside the algorithms of three marketing optimisers.

Peers, re-implemented from their description, all with exact gradients and the same bounds:

- equal split: SLSQP from the equal split with ftol 1e-9 (as PyMC-Marketing's budget optimiser);
- lower bounds: augmented Lagrangian with SLSQP inside, from the lower bounds, xtol 1e-10 (as Robyn);
- greedy: on a grid of 1e-4 of the budget, the best average return over any number of steps, until the first
  step that goes over the budget (as Meridian).

Run with `python -m benchmarks.curves_random [--count 240] [--seed 1]`.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.optimize import minimize

from solvers.curves import CurveProgram, CurveTerm, curve, solve_curves
from solvers.options import SolveOptions
from solvers.program import LinearProgram

GAP = 1e-6
SHARES = (0.4, 0.7, 1.0)


@dataclass(frozen=True)
class Instance:
    """Hill curves top x^slope / (half^slope + x^slope) on [0, upper], sum x <= budget = share x base."""

    top: np.ndarray
    half: np.ndarray
    slope: np.ndarray
    base: np.ndarray
    share: float

    @property
    def budget(self) -> float:
        """What may be spent in all."""
        return self.share * float(self.base.sum())

    @property
    def upper(self) -> np.ndarray:
        """Three times the base."""
        return 3.0 * self.base

    def value(self, x: np.ndarray) -> np.ndarray:
        """Response of each channel."""
        power = np.maximum(x, 0.0) ** self.slope
        return self.top * power / (self.half**self.slope + power)

    def marginal(self, x: np.ndarray) -> np.ndarray:
        """Derivative of each channel's response."""
        x = np.maximum(x, 0.0)
        half = self.half**self.slope
        return self.top * self.slope * half * x ** (self.slope - 1.0) / (half + x**self.slope) ** 2

    @property
    def start_in_convex_part(self) -> float:
        """Share of channels whose base lies below the inflection of their curve."""
        turn = self.half * ((self.slope - 1.0) / (self.slope + 1.0)) ** (1.0 / self.slope)
        return float((self.base < turn).mean())


def make(random: np.random.Generator, share: float) -> Instance:
    """3 to 12 channels, slope 1.5 to 3, base budgets over two orders of magnitude, half-saturation near it.

    The base is about 1, a size that the local solvers need; ours needs none.
    """
    size = int(random.integers(3, 13))
    base = np.exp(random.normal(0.0, 1.0, size))
    return Instance(
        top=base * random.uniform(1.0, 6.0, size),
        half=base * random.uniform(0.5, 2.0, size),
        slope=random.uniform(1.5, 3.0, size),
        base=base,
        share=share,
    )


def certified(instance: Instance) -> tuple[float, float, float]:
    """Value, proved gap and seconds of our own answer."""
    size = instance.base.size
    zeros, ones = np.zeros(size), np.ones(size)
    program = LinearProgram(
        objective=np.concatenate([zeros, ones]),
        matrix=sparse.csc_array(np.concatenate([ones, zeros]).reshape(1, -1)),
        row_lower=np.array([-np.inf]),
        row_upper=np.array([instance.budget]),
        column_lower=np.concatenate([zeros, np.full(size, -np.inf)]),
        column_upper=np.concatenate([instance.upper, np.full(size, np.inf)]),
        integer=np.zeros(2 * size, dtype=bool),
        maximize=True,
    )
    parameters = zip(instance.top.tolist(), instance.half.tolist(), instance.slope.tolist(), strict=True)
    terms = [
        CurveTerm(index, size + index, curve("hill", top=top, half=half, slope=slope))
        for index, (top, half, slope) in enumerate(parameters)
    ]
    started = time.perf_counter()
    result = solve_curves(CurveProgram(program, terms), SolveOptions(gap=GAP, time_limit=60.0))
    seconds = time.perf_counter() - started
    spend = result.values[:size]
    if spend.sum() > instance.budget * (1 + 1e-9) or (spend > instance.upper * (1 + 1e-9)).any():
        raise AssertionError("the answer breaks the budget")
    value = float(instance.value(spend).sum())
    bound = result.bound if result.bound is not None else np.inf
    return value, (bound - value) / abs(value), seconds


def equal_split(instance: Instance) -> float:
    """SLSQP from the equal split."""
    start = np.minimum(np.full(instance.base.size, instance.budget / instance.base.size), instance.upper)
    unit = float(instance.value(start).sum()) or 1.0
    found = minimize(
        lambda x: -instance.value(x).sum() / unit,
        start,
        jac=lambda x: -instance.marginal(x) / unit,
        bounds=[(0.0, upper) for upper in instance.upper],
        constraints={"type": "eq", "fun": lambda x: x.sum() - instance.budget, "jac": np.ones_like},
        method="SLSQP",
        options={"ftol": 1e-9, "maxiter": 1000},
    )
    return feasible_value(instance, found.x)


def lower_bounds(instance: Instance) -> float:
    """Augmented Lagrangian with SLSQP from the lower bounds."""
    import nlopt

    size = instance.base.size
    outer = nlopt.opt(nlopt.AUGLAG_EQ, size)
    inner = nlopt.opt(nlopt.LD_SLSQP, size)
    inner.set_xtol_rel(1e-10)
    outer.set_local_optimizer(inner)
    outer.set_xtol_rel(1e-10)
    outer.set_maxeval(100_000)
    outer.set_maxtime(10.0)
    outer.set_lower_bounds(np.zeros(size))
    outer.set_upper_bounds(instance.upper)

    def objective(x: np.ndarray, gradient: np.ndarray) -> float:
        if gradient.size:
            gradient[:] = -instance.marginal(x)
        return -float(instance.value(x).sum())

    def spend(x: np.ndarray, gradient: np.ndarray) -> float:
        if gradient.size:
            gradient[:] = 1.0
        return float(x.sum() - instance.budget)

    outer.set_min_objective(objective)
    outer.add_equality_constraint(spend, 1e-8)
    try:
        x = outer.optimize(np.zeros(size))
    except (nlopt.RoundoffLimited, RuntimeError, ValueError):
        x = np.zeros(size)
    return feasible_value(instance, x)


def greedy(instance: Instance) -> float:
    """Steps of 1e-4 of the budget: the channel and number of steps with the best return a step."""
    step = instance.budget * 1e-4
    counts = np.minimum(10_000, np.floor(instance.upper / step).astype(int))
    grids = [
        np.append(instance_value(instance, index, step * np.arange(count + 1)), np.nan)[:-1]
        for index, count in enumerate(counts)
    ]
    at = np.zeros(instance.base.size, dtype=int)
    best = [best_stretch(grid, 0) for grid in grids]
    while True:
        index = int(np.argmax([rate for rate, _ in best]))
        rate, steps = best[index]
        if rate <= 0 or at.sum() + steps > 10_000:
            break
        at[index] += steps
        best[index] = best_stretch(grids[index], at[index])
    return feasible_value(instance, step * at)


def best_stretch(grid: np.ndarray, start: int) -> tuple[float, int]:
    """The best return a step from `start`, and over how many steps."""
    if start + 1 >= grid.size:
        return -np.inf, 0
    rates = (grid[start + 1 :] - grid[start]) / np.arange(1, grid.size - start)
    place = int(rates.argmax())
    return float(rates[place]), place + 1


def instance_value(instance: Instance, index: int, x: np.ndarray) -> np.ndarray:
    """Response of one channel on a grid."""
    power = x ** instance.slope[index]
    return instance.top[index] * power / (instance.half[index] ** instance.slope[index] + power)


def feasible_value(instance: Instance, x: np.ndarray) -> float:
    """The value of an answer brought into its bounds, and onto the budget if it goes over it."""
    x = np.clip(np.nan_to_num(x), 0.0, instance.upper)
    return float(instance.value(x * min(1.0, instance.budget / max(x.sum(), 1e-300))).sum())


PEERS: dict[str, Callable[[Instance], float]] = {
    "SLSQP from the equal split": equal_split,
    "AUGLAG + SLSQP from the lower bounds": lower_bounds,
    "greedy on a grid": greedy,
}


def main() -> None:
    """Print certificates, seconds and the peers' shortfalls."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--count", type=int, default=240)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    random = np.random.default_rng(arguments.seed)
    instances = [make(random, SHARES[number % len(SHARES)]) for number in range(arguments.count)]
    ours = [certified(instance) for instance in instances]
    value, gap, seconds = (np.array(column) for column in zip(*ours, strict=True))
    convex = np.mean([instance.start_in_convex_part for instance in instances])
    print(
        f"{len(instances)} instances, 3 to 12 channels, all curves S-shaped (slope 1.5 to 3), "
        "bounds 0 to 3 x base"
    )
    print(
        f"budget / base: {', '.join(map(str, SHARES))}; "
        f"base in the convex part of the curve: {convex:.0%} of channels"
    )
    print(f"certified to {GAP:g}: {(gap <= GAP).sum()} of {len(instances)}, worst gap {gap.max():.2e}")
    print(
        f"seconds: median {np.median(seconds):.3f}, 95 % {np.quantile(seconds, 0.95):.3f}, "
        f"worst {seconds.max():.3f}"
    )
    for name, peer in PEERS.items():
        started = time.perf_counter()
        peers = np.array([peer(instance) for instance in instances])
        spent = (time.perf_counter() - started) / len(instances)
        short = (value - peers) / np.abs(value)
        for share in SHARES:
            mine = np.array([instance.share == share for instance in instances])
            print(
                f"{name}, budget {share}: below ours by more than 1e-6 in {(short[mine] > 1e-6).mean():.0%}, "
                f"by more than 1 % in {(short[mine] > 0.01).mean():.0%}, mean {short[mine].mean():.2%}, "
                f"worst {short[mine].max():.1%}, best {-short[mine].min():+.1e}"
            )
        verdict = (
            "never above ours by more than 1e-6"
            if short.min() >= -1e-6
            else f"ABOVE OURS by {-short.min():.1e}"
        )
        print(f"{name}: {verdict}; {spent:.3f} s an instance")


if __name__ == "__main__":
    main()
