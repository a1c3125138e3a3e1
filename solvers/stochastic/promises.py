"""Amounts that are promised now and add up to a total, against what is delivered later."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from solvers.errors import InvalidProgramError, NoSolutionError
from solvers.program import FloatArray, LinearProgram
from solvers.stage import Stage
from solvers.staged import solve_stages
from solvers.stochastic.extensive import extensive_form
from solvers.stochastic.two_stage import Future, TwoStage


def promise(
    delivered: FloatArray,
    probability: FloatArray,
    total: float,
    lower: FloatArray,
    upper: FloatArray,
    near: FloatArray,
) -> FloatArray:
    """Promises q (G,) of which the least is missed on average; among them those nearest to `near` (G,).

        minimise  sum_s p_s sum_g max(0, q_g - delivered_sg),  then  sum_g abs(q_g - near_g)
        subject to  sum_g q_g = total,   lower <= q <= upper

    Two stages: q now, what is missed of it later. Where no bound acts, every promise is kept with the same
    probability: the newsvendor's condition with one price for all (Birge & Louveaux, section 1.1).
    `delivered` (S, G), `probability` (S,). Raises `InvalidProgramError` for bounds without the total.
    """
    if not lower.sum() <= total * (1 + 1e-12) or not upper.sum() >= total * (1 - 1e-12):
        raise InvalidProgramError("the bounds leave no promises that add up to the total")
    scale = max(abs(total), 1.0) / max(1, near.size)
    problem = _two_stages(
        delivered / scale, probability, total / scale, lower / scale, upper / scale, near / scale
    )
    form = extensive_form(problem)
    count, columns = near.size, form.program.num_columns
    distance = np.zeros(columns)
    distance[count : 2 * count] = 1.0
    stages = [Stage("missed", form.program.objective), Stage("distance", distance)]
    result = solve_stages(form.program, stages)
    if result.x is None:
        raise NoSolutionError(f"no promises were found: {result.termination.reason}")
    return np.asarray(result.x[:count] * scale, dtype=np.float64)


def _two_stages(
    delivered: FloatArray,
    probability: FloatArray,
    total: float,
    lower: FloatArray,
    upper: FloatArray,
    near: FloatArray,
) -> TwoStage:
    """Now: q and its distance from `near`; later: what is missed of each promise."""
    count = near.size
    identity, nothing = sparse.eye_array(count), np.zeros(count)
    ones = sparse.csr_array(np.append(np.ones(count), nothing)[None])
    sides = sparse.block_array([[identity, -identity], [identity, identity]])
    first = LinearProgram(
        objective=np.zeros(2 * count),
        matrix=sparse.csc_array(sparse.vstack([ones, sides])),
        row_lower=np.concatenate([[total], np.full(count, -np.inf), near]),
        row_upper=np.concatenate([[total], near, np.full(count, np.inf)]),
        column_lower=np.append(lower, nothing),
        column_upper=np.append(upper, np.full(count, np.inf)),
        integer=np.zeros(2 * count, dtype=np.bool_),
    )
    technology = sparse.csc_array(sparse.hstack([-identity, sparse.csc_array((count, count))]))
    recourse = LinearProgram(
        objective=np.ones(count),
        matrix=sparse.csc_array(identity),
        row_lower=nothing,
        row_upper=np.full(count, np.inf),
        column_lower=nothing,
        column_upper=np.full(count, np.inf),
        integer=np.zeros(count, dtype=np.bool_),
    )
    futures = [
        Future(float(share), recourse.replace(row_lower=-one), technology, np.zeros(2 * count))
        for share, one in zip(probability, delivered, strict=True)
    ]
    return TwoStage(first, tuple(futures))
