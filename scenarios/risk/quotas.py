"""Quotas as decisions of now: the same total, divided so that the least is missed in many futures.

    now: a quota for each seat group      later: what is missed of it, given what its sellers bring

Sales do not depend on quotas in a plan, so that money is decided first (spend, starts, hires) and quotas for
what sellers bring under these decisions, *reacting*. Commission is paid on sales as the plan has it; the
total is that of the plan's quotas, over-assignment included, and bounds of sellers are kept. Equal sellers
carry equal quotas.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from optimizer.quotas.assignment import assign
from optimizer.quotas.quota import Quota
from optimizer.result.solution import Solution
from scenarios.engine import Engine
from scenarios.kept import Planned
from scenarios.risk.further import QUOTA, Further
from scenarios.risk.riskfile import Draws, Risk
from scenarios.risk.sample import Sample
from scenarios.risk.simulation import Simulation, simulate
from solvers.stochastic.promises import promise

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

COLUMNS = (
    "quota", "seller", "unit", "assigned", "decided", "brings", "reached_assigned", "reached_decided",
    "missed_assigned", "missed_decided",
)  # fmt: skip


def decided_quotas(
    risk: Risk,
    solution: Solution,
    planned: Planned,
    sample: Sample,
    fresh: Draws,
    engine: Engine | None = None,
) -> pd.DataFrame:
    """A row a seller of each quota that goes down to sellers: as assigned and as decided for the sample, how
    likely each is reached and what is missed of it on average, on fresh futures."""
    wanted = [
        (str(number), quota)
        for number, quota in enumerate(assign(solution))
        if quota.tree.by[-1] == "seller" and not quota.spec.across
    ]
    if not wanted or "sellers" not in risk.base.plan.tables:
        return pd.DataFrame(columns=list(COLUMNS))
    measured = replace(risk, further=Further(quotas=True))
    draws = sample.draws.joined(fresh)
    tried = simulate(measured, planned, draws, "reacting", engine)
    groups = solution.model.cube.groups.group
    parts = []
    for number, quota in wanted:
        brought = _brought(tried, number)
        if brought is not None:
            parts.append(_decided(quota, solution, brought, sample, groups))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=list(COLUMNS))


def _brought(tried: Simulation, number: str) -> FloatArray | None:
    """What each seller brings in each future (N, sellers); None where it depends on futures in a way of its
    own, so that it was not measured."""
    places = [at for at, one in enumerate(tried.labels) if one.kind == QUOTA and one.rule == number]
    return tried.values[:, places] if places else None


def _decided(
    quota: Quota, solution: Solution, brought: FloatArray, sample: Sample, groups: IntArray
) -> pd.DataFrame:
    """One quota: nodes of sellers, sums by seat group, promises, and each seller's part of them."""
    tree, names = quota.tree, list(solution.inputs.selling.sellers.names)
    leaves = np.arange(tree.leaves.start, tree.leaves.stop)
    seller = np.array([names.index(tree.paths[leaf][-1]) for leaf in leaves])
    assigned = quota.year[leaves]
    group, place = np.unique(groups[seller], return_inverse=True)
    lower, upper = _bounds(quota, leaves, assigned)
    known = np.asarray(~np.isnan(brought).any(axis=1), dtype=np.bool_)
    half = len(sample.draws)
    shares = sample.shares * known[:half]
    sums = _by_group(brought[:, seller], place, len(group))
    sides = [_by_group(side[None], place, len(group))[0] for side in (lower, upper, assigned)]
    total = float(assigned.sum())
    found = promise(np.nan_to_num(sums[:half]), shares / shares.sum(), total, sides[0], sides[1], sides[2])
    weight = _weights(brought[:half][known[:half]][:, seller], assigned, place, len(group))
    decided = found[place] * weight
    fresh = brought[half:][known[half:]][:, seller]
    return pd.DataFrame({
        "quota": quota.name, "seller": [names[at] for at in seller], "unit": quota.unit,
        "assigned": assigned, "decided": decided, "brings": fresh.mean(axis=0),
        "reached_assigned": (fresh >= assigned * (1 - 1e-6)).mean(axis=0),
        "reached_decided": (fresh >= decided * (1 - 1e-6)).mean(axis=0),
        "missed_assigned": np.maximum(assigned - fresh, 0.0).mean(axis=0),
        "missed_decided": np.maximum(decided - fresh, 0.0).mean(axis=0),
    })  # fmt: skip


def _bounds(quota: Quota, leaves: IntArray, assigned: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Least and most of each leaf (L,): its rules, but never beyond what it carries already (a rule may have
    given way)."""
    lower, upper = np.zeros(len(leaves)), np.full(len(leaves), np.inf)
    for limit in quota.limits:
        lower = np.fmax(lower, np.nan_to_num(limit.lower[leaves], neginf=0.0))
        upper = np.fmin(upper, limit.upper[leaves])
    locked = np.isin(leaves, list(quota.locked))
    lower, upper = np.where(locked, assigned, lower), np.where(locked, assigned, upper)
    return np.minimum(lower, assigned), np.maximum(upper, assigned)


def _by_group(values: FloatArray, place: IntArray, count: int) -> FloatArray:
    """Sums of columns by group (N, count)."""
    found = np.zeros((count, len(values)))
    np.add.at(found, place, values.T)
    return found.T


def _weights(brought: FloatArray, assigned: FloatArray, place: IntArray, count: int) -> FloatArray:
    """Each seller's share of the seat group (L,): of what they bring, else of what they carry, else equal."""
    value = brought.mean(axis=0)
    for instead in (assigned, np.ones(len(place))):
        value = np.where(np.bincount(place, value, count)[place] > 0.0, value, instead)
    return np.asarray(value / np.bincount(place, value, count)[place], dtype=np.float64)
