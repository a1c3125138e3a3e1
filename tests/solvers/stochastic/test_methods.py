"""Chance constraints, robust rows, tails by planes, intervals, reduction and break-even, on small programs."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy import sparse
from scipy.stats import norm

from solvers import LinearProgram
from solvers.errors import InvalidProgramError
from solvers.solving import solve
from solvers.stochastic.breakeven import Shift, break_even_bisect, break_even_linear
from solvers.stochastic.chance import Goal, with_chance
from solvers.stochastic.cvar import TailProgram, tail_by_one_program, tail_by_planes
from solvers.stochastic.extensive import extensive_form
from solvers.stochastic.lshaped import DecompositionOptions, solve_lshaped
from solvers.stochastic.measures import Blend, quantile, tail_mean
from solvers.stochastic.outofsample import gap_interval, mean_interval, share_interval
from solvers.stochastic.reduction import fast_forward
from solvers.stochastic.robust import protection_for, robust_counterpart, violation_bound
from solvers.stochastic.two_stage import TwoStage, split

Build = Callable[..., LinearProgram]


def tail_case(seed: int, futures: int, columns: int, level: float = 0.9) -> TailProgram:
    """A portfolio: weights that add up to 1, a loss linear in them."""
    random = np.random.default_rng(seed)
    losses = random.normal(-0.05, 0.2, (futures, columns)) * random.uniform(0.5, 2, columns)
    program = LinearProgram(
        objective=np.zeros(columns),
        matrix=sparse.csc_array(np.ones((1, columns))),
        row_lower=np.ones(1),
        row_upper=np.ones(1),
        column_lower=np.zeros(columns),
        column_upper=np.full(columns, 0.6),
        integer=np.zeros(columns, dtype=bool),
    )
    return TailProgram(program, losses, random.normal(size=futures), np.full(futures, 1 / futures), level)


def test_planes_and_one_program_find_the_same_tail() -> None:
    """Cutting planes prove the optimum of the whole linear program."""
    for seed in range(3):
        problem = tail_case(seed, 200, 12)
        whole, planes = tail_by_one_program(problem), tail_by_planes(problem)
        assert planes.objective == pytest.approx(whole.objective, abs=1e-5)
        assert planes.bound <= whole.objective + 1e-6
        assert planes.tail == pytest.approx(problem.value(planes.x))


@pytest.mark.parametrize(
    ("futures", "columns", "cap", "floor"), [(150, 260, 1.0, None), (100, 80, 0.05, 0.04)]
)
def test_portfolios_are_proved_in_few_rounds(
    futures: int, columns: int, cap: float, floor: float | None
) -> None:
    """Gain and risk nearly cancel and hundreds of weights share one budget: interior points say where planes
    are to be taken, and the bound is that of the whole linear program."""
    random = np.random.default_rng(4)
    gains = random.normal(0.05, 0.2, (futures, columns)) * random.uniform(0.5, 2, columns)
    rows, least = [np.ones(columns)], [1.0]
    if floor is not None:
        rows, least = [*rows, gains.mean(axis=0)], [*least, floor]
    program = LinearProgram(
        objective=np.zeros(columns),
        matrix=sparse.csc_array(np.array(rows)),
        row_lower=np.array(least),
        row_upper=np.array([1.0, np.inf][: len(rows)]),
        column_lower=np.zeros(columns),
        column_upper=np.full(columns, cap),
        integer=np.zeros(columns, dtype=bool),
    )
    problem = TailProgram(program, -gains, np.zeros(futures), np.full(futures, 1 / futures), 0.9, 2.0)
    found, whole = tail_by_planes(problem, 1e-4), tail_by_one_program(problem)
    assert found.bound - 1e-9 <= whole.objective <= found.objective + 1e-9
    assert found.objective - found.bound <= 1e-4 * abs(found.objective)
    assert found.rounds < 25
    assert found.x.sum() == pytest.approx(1.0) and found.x.min() >= 0.0 and found.x.max() <= cap
    assert problem.value(found.x) == pytest.approx(found.objective)


def test_rows_of_now_that_ask_for_much_leave_room_while_planes_bound_nothing() -> None:
    """The first plane falls without end, and a rule of now asks for more than the first box holds: the box
    grows, and nothing is called impossible."""
    demand = np.array([15_000.0, 20_000.0])
    programs = [
        # Columns: make now, buy later what is missing.
        LinearProgram(
            objective=np.array([1.0, 3.0]),
            matrix=sparse.csc_array(np.array([[1.0, 0.0], [1.0, 1.0]])),
            row_lower=np.array([5_000.0, amount]),
            row_upper=np.full(2, np.inf),
            column_lower=np.zeros(2),
            column_upper=np.full(2, np.inf),
            integer=np.zeros(2, dtype=bool),
        )
        for amount in demand
    ]
    problem = split(programs, np.array([0.5, 0.5]), np.array([True, False]))
    found = solve_lshaped(problem, None, DecompositionOptions(start=np.array([5_000.0])))
    assert found.x == pytest.approx([20_000.0])
    assert found.objective == pytest.approx(20_000.0)


def test_a_news_vendor_orders_the_quantile() -> None:
    """Order (price - cost) / price of the sampled demand, and the tail of its loss, by decomposition of samples."""
    demand = np.sort(np.random.default_rng(5).normal(100, 20, 120))
    cost, price = 3.0, 10.0
    programs = []
    for amount in demand:
        # Columns: order now, sell later.
        programs.append(
            LinearProgram(
                objective=np.array([-cost, price]),
                matrix=sparse.csc_array(np.array([[-1.0, 1.0]])),
                row_lower=np.array([-np.inf]),
                row_upper=np.zeros(1),
                column_lower=np.zeros(2),
                column_upper=np.array([500.0, amount]),
                integer=np.zeros(2, dtype=bool),
                maximize=True,
            )
        )
    shares = np.full(demand.size, 1 / demand.size)
    found = solve_lshaped(split(programs, shares, np.array([True, False])))
    wanted = quantile(demand, shares, (price - cost) / price)
    profit = np.mean(price * np.minimum(wanted, demand) - cost * wanted)
    assert found.objective == pytest.approx(profit, rel=1e-6)
    assert abs(found.x[0] - norm.ppf(0.7, 100, 20)) < 6.0


def test_normal_losses_agree_with_the_closed_form() -> None:
    """CVaR of a sampled normal loss is mean + deviation * density / (1 - level), within its interval."""
    loss, level = np.random.default_rng(1).normal(10, 4, 40_000), 0.9
    shares = np.full(loss.size, 1 / loss.size)
    wanted = 10 + 4 * norm.pdf(norm.ppf(level)) / (1 - level)
    beyond = np.maximum(loss - quantile(loss, shares, level), 0.0) / (1 - level)
    _, low, high = mean_interval(beyond, 0.999)
    at = quantile(loss, shares, level)
    assert at + low <= wanted <= at + high
    assert tail_mean(loss, shares, level) == pytest.approx(wanted, rel=0.01)


def test_a_chance_is_kept_and_no_more(random_two_stage: Callable[..., TwoStage]) -> None:
    """The best plan under a chance constraint is that of enumerating which futures may miss."""
    problem = random_two_stage(1, futures=5)
    form = extensive_form(problem, Blend())
    count, n = 5, problem.first.num_columns
    rows = np.zeros((count, form.program.num_columns))
    for place, start in enumerate(form.starts):
        rows[place, start : start + 3] = 1.0
    free = solve(form.program)
    reached = rows @ free.x
    least = float(np.sort(reached)[2]) + 0.2
    goal = Goal(sparse.csr_array(rows), np.zeros(count), least)
    chance = 0.5
    found = solve(with_chance(form, goal, problem.probability, chance))
    best = -np.inf
    for missed in range(2**count):
        misses = np.array([missed >> place & 1 for place in range(count)], dtype=bool)
        if problem.probability[misses].sum() > 1 - chance + 1e-9:
            continue
        kept = rows[~misses]
        fixed = form.program.replace(
            matrix=sparse.csc_array(sparse.vstack([form.program.matrix, sparse.csr_array(kept)])),
            row_lower=np.append(form.program.row_lower, np.full(len(kept), least)),
            row_upper=np.append(form.program.row_upper, np.full(len(kept), np.inf)),
        )
        answer = solve(fixed)
        if answer.x is not None:
            best = max(best, answer.objective)
    assert found.objective == pytest.approx(best, rel=1e-6)
    assert n == 4


def test_a_goal_without_a_floor_is_refused(random_two_stage: Callable[..., TwoStage]) -> None:
    """Big-M is derived from bounds; where there is none, that is said."""
    problem = random_two_stage(1, futures=2)
    form = extensive_form(problem, Blend(1.0, 1.0, 0.5))
    rows = np.zeros((2, form.program.num_columns))
    rows[:, form.tail] = 1.0
    with pytest.raises(InvalidProgramError, match="bounds"):
        with_chance(form, Goal(sparse.csr_array(rows), np.zeros(2), 1.0), problem.probability, 0.5)


@pytest.fixture
def knapsack(build: Build) -> tuple[LinearProgram, np.ndarray]:
    """A maximisation under three capacity rows of ten uncertain coefficients each, one column free in sign."""
    random = np.random.default_rng(2)
    matrix = random.uniform(1, 4, (3, 10))
    lower = np.zeros(10)
    lower[0] = -1.0
    program = build(
        random.uniform(1, 3, 10), matrix.tolist(), row_upper=[20, 25, 30], column_lower=lower,
        column_upper=np.full(10, 6.0), maximize=True,
    )  # fmt: skip
    return program, matrix * 0.2


def test_no_protection_is_the_plain_plan_and_full_protection_the_worst_case(
    knapsack: tuple[LinearProgram, np.ndarray],
) -> None:
    """A protection of 0 changes nothing; one of all coefficients is the plan for the worst of each (Soyster 1973)."""
    program, deviation = knapsack
    plain = robust_counterpart(program, sparse.csc_array(deviation), np.zeros(3))
    assert solve(plain.program).objective == pytest.approx(solve(program).objective)
    full = solve(robust_counterpart(program, sparse.csc_array(deviation), np.full(3, 10.0)).program)
    x = full.x[:10]
    assert (program.matrix @ x + deviation @ np.abs(x) <= program.row_upper + 1e-6).all()
    # Without the column of either sign the worst case is the plan with every coefficient at its highest.
    positive = program.replace(column_lower=np.zeros(10))
    worst = positive.replace(matrix=sparse.csc_array(program.matrix.toarray() + deviation))
    counterpart = robust_counterpart(positive, sparse.csc_array(deviation), np.full(3, 10.0))
    assert solve(counterpart.program).objective == pytest.approx(solve(worst).objective)


@pytest.mark.parametrize("protection", [1.0, 2.5, 4.0])
def test_protected_rows_are_violated_at_most_as_often_as_bounded(
    knapsack: tuple[LinearProgram, np.ndarray], protection: float
) -> None:
    """On fresh independent symmetric coefficients every row stays under the bound of Bertsimas & Sim."""
    program, deviation = knapsack
    robust = robust_counterpart(program, sparse.csc_array(deviation), np.full(3, protection))
    x = solve(robust.program).x[:10]
    signs = np.random.default_rng(11).choice([-1.0, 1.0], size=(20_000, 3, 10))
    used = np.einsum("sij,ij,j->si", signs, deviation, x) + program.matrix @ x
    often = (used > program.row_upper + 1e-6).mean(axis=0)
    assert (often <= violation_bound(10, protection)).all()


def test_what_cannot_be_protected_is_refused(build: Build) -> None:
    """An uncertain equation and a protection beyond the uncertain coefficients are errors."""
    program = build([1, 1], [[1, 1]], row_lower=[1], row_upper=[1])
    with pytest.raises(InvalidProgramError, match="two bounds"):
        robust_counterpart(program, sparse.csc_array([[0.1, 0.1]]), np.ones(1))
    free = program.replace(row_lower=np.array([-np.inf]))
    with pytest.raises(InvalidProgramError, match="between 0"):
        robust_counterpart(free, sparse.csc_array([[0.1, 0.1]]), np.full(1, 3.0))
    with pytest.raises(InvalidProgramError, match="at least 0"):
        robust_counterpart(free, sparse.csc_array([[-0.1, 0.1]]), np.ones(1))


def test_the_protection_that_a_chance_needs() -> None:
    """The least protection whose bound is small enough, and the bound's ends."""
    assert violation_bound(10, 10) == 0.0
    assert violation_bound(10, 0) >= 0.5
    needed = protection_for(30, 0.05)
    assert violation_bound(30, needed) <= 0.05 < violation_bound(30, needed - 1)


def test_intervals_cover_what_they_should() -> None:
    """The gap's upper end lies above its mean; a share's interval holds the share."""
    found = gap_interval([1.0, 2.0, 0.5, 1.5])
    assert found.mean == pytest.approx(1.25)
    assert found.upper > found.mean
    with pytest.raises(InvalidProgramError, match="two batches"):
        gap_interval([1.0])
    low, high = share_interval(30, 100)
    assert low < 0.3 < high
    assert share_interval(0, 50)[0] == 0.0


def test_reduction_keeps_what_lies_in_the_middle() -> None:
    """Two clusters are two futures with their clusters' probabilities; all kept leaves no distance."""
    points = np.array([[0.0], [0.1], [-0.1], [10.0], [10.2]])
    shares = np.array([0.2, 0.2, 0.2, 0.3, 0.1])
    found = fast_forward(points, shares, 2)
    assert sorted(found.kept) == [1, 3]
    assert sorted(found.probability) == pytest.approx([0.4, 0.6])
    assert fast_forward(points, shares, 5).distance == 0.0
    with pytest.raises(InvalidProgramError, match="between 1"):
        fast_forward(points, shares, 6)


def test_a_linear_break_even_is_confirmed_on_both_sides(build: Build) -> None:
    """Just below the parameter the goal cannot be reached, just above it can."""
    program = build([0, 0], [[1, 2], [3, 1]], row_upper=[4, 6], column_upper=[5, 5])
    nothing = np.zeros(2)
    shift = Shift(nothing, np.array([1.0, 0.0]), nothing, np.array([0.0, 0.5]))
    goal = np.array([1.0, 1.0])
    found = break_even_linear(program, shift, goal, 4.0, 0.0, 100.0)

    def best(parameter: float) -> float:
        moved = program.replace(
            objective=goal,
            maximize=True,
            row_upper=program.row_upper + parameter * shift.row_upper,
            column_upper=program.column_upper + parameter * shift.column_upper,
        )
        return solve(moved).objective

    assert found.exact
    assert best(found.value + 1e-4) >= 4.0 > best(found.value - 1e-4)
    assert break_even_linear(program, shift, goal, 4.0, 0.0, 0.1).value is None
    by_halves = break_even_bisect(lambda parameter: best(parameter) >= 4.0, 0.0, 100.0, 1e-6)
    assert by_halves.value == pytest.approx(found.value, abs=2e-6)
    assert by_halves.beyond < by_halves.value
    assert break_even_bisect(lambda parameter: True, 0.0, 1.0, 1e-6).always
    assert break_even_bisect(lambda parameter: False, 0.0, 1.0, 1e-6).value is None
