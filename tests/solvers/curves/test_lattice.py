"""What a lattice says that no path of a chain exceeds, no path does; the paths that come back are of the chain."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solvers.curves import curve, make_table
from solvers.curves.chains import Case, Chain, Uses
from solvers.curves.lattice import Bounds, Payoff, make_lattice

STEPS, UPPER = 3, 2.0
NONE = np.zeros(0, dtype=np.int64)


@dataclass(frozen=True)
class Drawn:
    """A chain, what it pays, and where its decisions have to be."""

    chain: Chain
    payoff: Payoff
    bounds: Bounds

    def value(self, decisions: np.ndarray) -> np.ndarray:
        """What paths (p, n) make, written out again."""
        chain, total = self.chain, np.zeros(len(decisions))
        level = np.zeros(len(decisions))
        for step in range(STEPS):
            kept = chain.opening if step == 0 else chain.keep * level
            level = kept + chain.gain * decisions[:, step]
            formula = np.full(level.size, chain.formula[step])
            total += self.payoff.worth[step] * chain.table.value(formula, level)
            total -= self.payoff.cost[step] * decisions[:, step]
        return total + self.payoff.constant

    def allowed(self, decisions: np.ndarray) -> np.ndarray:
        """Which paths (p, n) keep bounds and differences."""
        change, case = np.diff(decisions, axis=1), self.chain.cases[0]
        inside = (decisions >= self.bounds.lower - 1e-9) & (decisions <= self.bounds.upper + 1e-9)
        small = (change >= -case.fall[1:] - 1e-9) & (change <= case.rise[1:] + 1e-9)
        return np.asarray(inside.all(axis=1) & small.all(axis=1))


@st.composite
def chains(draw: st.DrawFn) -> Drawn:
    """A chain of three steps with one or two S-shaped curves, bounds and widths not always whole steps."""
    number = st.floats(0.0, 1.0)
    hills = [
        curve("hill", top=1.0 + draw(number), half=0.4 + draw(number), slope=1.2 + 3.0 * draw(number))
        for _ in range(2)
    ]
    width = draw(st.sampled_from([0.25, 0.5, 0.61, np.inf]))
    side = np.full(STEPS, width)
    case = Case(
        0.0,
        np.zeros(STEPS),
        np.full(STEPS, UPPER),
        side,
        draw(st.sampled_from([1.0, 2.0])) * side,
        np.zeros((0, STEPS)),
        np.zeros(0),
        np.zeros(0),
    )
    chain = Chain(
        decisions=np.arange(STEPS),
        levels=np.arange(STEPS),
        outputs=np.arange(STEPS),
        uses=Uses(NONE, NONE, np.zeros(0), NONE),
        switch=-1,
        keep=draw(st.sampled_from([0.0, 0.3, 0.7, 1.0])),
        gain=draw(st.sampled_from([0.4, 1.0])),
        opening=draw(st.sampled_from([0.0, 0.5])),
        curves=np.arange(STEPS),
        table=make_table(hills),
        formula=np.array([0, draw(st.integers(0, 1)), 1]),
        cases=(case,),
        unit=0.125 if width == 0.61 else 0.25 if width > 1 else width / 2,
    )
    worth = np.array([2.0 * draw(number) for _ in range(STEPS)])
    cost = np.array([1.5 * draw(number) - 0.1 for _ in range(STEPS)])
    low = np.array([draw(st.sampled_from([0.0, 0.0, 0.3])) for _ in range(STEPS)])
    high = np.array([draw(st.sampled_from([UPPER, UPPER, 1.1])) for _ in range(STEPS)])
    return Drawn(chain, Payoff(worth, cost, draw(number)), Bounds(low, high))


@settings(max_examples=25, deadline=None)
@given(drawn=chains(), seed=st.integers(0, 1000))
def test_no_path_is_above_the_bound(drawn: Drawn, seed: int) -> None:
    """Neither any path of a fine grid nor any random one; the path that comes back is one and has its value."""
    grid = np.linspace(0.0, UPPER, 21)
    paths = np.stack(np.meshgrid(grid, grid, grid, indexing="ij"), axis=-1).reshape(-1, STEPS)
    random = np.random.default_rng(seed).uniform(0.0, UPPER, (3_000, STEPS))
    paths = np.concatenate([paths, random])
    paths = paths[drawn.allowed(paths)]
    best = float(drawn.value(paths).max())
    missed = []
    for parts in (1, 3):
        found = make_lattice(drawn.chain, drawn.chain.cases[0], parts).best(drawn.payoff, drawn.bounds)
        assert found.most >= best - 1e-9
        if found.decisions is not None:
            assert drawn.allowed(found.decisions[None, :]).all()
            assert found.value == pytest.approx(float(drawn.value(found.decisions[None, :])[0]), abs=1e-9)
            assert found.value <= found.most + 1e-9
        missed.append(found.most - best)
    assert missed[-1] <= missed[0] + 1e-2


def drawn_plainly(lower: float = 0.0) -> Drawn:
    """The chain of some tests: all widths whole steps."""
    side = np.full(STEPS, 0.5)
    nothing = np.zeros(0)
    upper, low = np.full(STEPS, UPPER), np.full(STEPS, lower)
    case = Case(0.0, np.zeros(STEPS), upper, side, side, np.zeros((0, STEPS)), nothing, nothing)
    table = make_table([curve("hill", top=1.0, half=0.9, slope=2.5)])
    uses = Uses(NONE, NONE, nothing, NONE)
    formula, order = np.zeros(STEPS, dtype=np.int64), np.arange(STEPS)
    chain = Chain(order, order, order, uses, -1, 0.4, 0.6, 0.2, order, table, formula, (case,), 0.25)
    return Drawn(chain, Payoff(np.array([1.0, 1.3, 0.8]), np.full(STEPS, 0.35), 0.0), Bounds(low, upper))


def test_the_bound_misses_a_quarter_at_half_the_step() -> None:
    """The error falls with the square of the step, and the path is soon the best one."""
    drawn = drawn_plainly()
    found = [
        make_lattice(drawn.chain, drawn.chain.cases[0], parts).best(drawn.payoff, drawn.bounds)
        for parts in (2, 4, 8)
    ]
    missed = [one.most - found[-1].value for one in found]
    assert 0.0 <= missed[2] <= 0.4 * missed[1] <= 0.4**2 * missed[0] <= 0.01
    assert found[1].value == pytest.approx(found[2].value, abs=1e-3)


def test_where_no_path_is_allowed_nothing_is_the_most() -> None:
    """Bounds that the differences do not allow: first nothing, then nearly everything."""
    drawn = drawn_plainly()
    lower, upper = np.array([0.0, 0.0, 1.9]), np.array([0.2, UPPER, UPPER])
    found = make_lattice(drawn.chain, drawn.chain.cases[0], 4).best(drawn.payoff, Bounds(lower, upper))
    assert found.most == -np.inf and found.decisions is None
