"""Why fact and plan differ: the plan evaluated again with one measured rate after the other.

    E0 = plan                                  E1 = E0 with the measured leads
    E2 = E1 with the measured hours            E3 = E2 with the measured conversion, stage by stage where told
    E4 = E3 with the measured retention        E5 = units as they were, at plan prices      E6 = fact

A cause adds E(i) - E(i-1). E4 to E5 is split on every level into volume (all that the level sells grows or
shrinks alike) and mix (the rest). The evaluations of a member are rounded to whole hundredths before they are
subtracted, so that causes add up to the deviation exactly, on every level. Reference: price-volume-mix
analysis (Horngren et al., Cost Accounting).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from optimizer.plan.fact_labels import UNKNOWN
from optimizer.tracking.grain import Grain
from optimizer.tracking.measured import Factors, stage_of

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

BEFORE_VOLUME = ("leads", "hours", "conversion", "retention")
LAST = BEFORE_VOLUME[-1]
"""The last evaluation before volume."""
CAUSES = (*BEFORE_VOLUME, "volume", "mix", "price")
"""In the order in which the measured rates are put in; conversions of single stages stand behind
conversion."""
PARTS = 100
"""Parts of a unit of money that causes are counted in."""


@dataclass(frozen=True)
class Split:
    """The deviation of one member in its causes, whole hundredths: plan, fact, and what each cause adds."""

    scope: str
    member: str
    plan: int
    fact: int
    causes: Mapping[str, int]
    periods: int
    """Closed periods in which all facts are told on this level."""


@dataclass(frozen=True, eq=False)
class Evaluations:
    """Revenue by finest row and closed period after each step, in currency (G, P0), and the units
    that volume and mix are told apart by."""

    grain: Grain
    stages: Mapping[str, FloatArray]
    """`plan`, the causes before volume, `units` and `fact`, each a full evaluation."""
    units_before: FloatArray
    """Units by row and period before volume and mix (G, P0)."""
    units_after: FloatArray
    kind: IntArray
    """What a unit is, by row (G,); rows of several kinds have one of their own."""


def evaluate(
    grain: Grain, units: FloatArray, price: FloatArray, rates: Factors, retained: FloatArray | None = None
) -> Evaluations:
    """The evaluations of a plan of single sellers: `units` and `price` by pair and period (P, T); `retained`
    is what retention makes of the revenue of a pair in a closed period (P, P0)."""
    facts = grain.facts
    revenue = units * price
    stages = {"plan": grain.planned(revenue, "revenue")}
    factor: FloatArray = np.ones_like(revenue)
    for cause in _before_volume(rates):
        if cause == "retention":
            factor[:, : grain.closed] *= 1.0 if retained is None else retained
        else:
            factor *= rates.of(cause)[:, None]
        stages[cause] = grain.planned(revenue * factor, "revenue")
    before = grain.planned(units * factor, "units")
    fact = grain.of_facts(facts.values["revenue"])
    mean = _mean_price(grain, stages[LAST], before, price)
    told = ~np.isnan(facts.told["units"]) | ~np.isnan(facts.told["deals"])
    after = np.where(
        grain.of_facts(told.astype(np.float64)) > 0, grain.of_facts(facts.values["units"]), np.nan
    )
    after = np.where(np.isnan(after), np.divide(fact, mean, out=np.zeros_like(fact), where=mean > 0), after)
    stages["units"] = after * mean
    stages["fact"] = fact
    return Evaluations(grain, stages, before, after, _unit_kinds(grain))


def _before_volume(rates: Factors) -> list[str]:
    """The causes before volume in their order, conversions of stages behind conversion."""
    ordered: list[str] = []
    for cause in BEFORE_VOLUME:
        ordered.append(cause)
        if cause == "conversion":
            ordered += [rate for rate in rates.by_pair if stage_of(rate) is not None]
    return ordered


def _mean_price(grain: Grain, revenue: FloatArray, units: FloatArray, price: FloatArray) -> FloatArray:
    """Planned price of each row (G, P0); of rows without a plan the mean of what they cover."""
    own = np.zeros(revenue.shape)
    own[: grain.facts.size] = grain.facts.price[:, : grain.closed]
    own[grain.facts.size :] = price[:, : grain.closed]
    return np.divide(revenue, units, out=own, where=units > 0)


def _unit_kinds(grain: Grain) -> IntArray:
    """Code of the unit of each row (G,): that of its pairs; rows that cover several kinds stand alone."""
    cube, facts = grain.cube, grain.facts
    _, kind = np.unique(np.array(cube.markets.unit, dtype=str), return_inverse=True)
    of_pair = kind[cube.pair_market]
    count = int(kind.max(initial=-1)) + 1
    lowest, highest = np.full(facts.size, count), np.full(facts.size, -1)
    np.minimum.at(lowest, facts.pairs[0], of_pair[facts.pairs[1]])
    np.maximum.at(highest, facts.pairs[0], of_pair[facts.pairs[1]])
    alone = count + np.arange(facts.size)
    return np.concatenate([np.where(lowest == highest, lowest, alone), of_pair]).astype(np.int64)


def splits(found: Evaluations, scope: str) -> list[Split]:
    """The causes of every member of a column, or of the company with a blank one.

    Only periods are compared in which every fact is told on this level; a level on which no period is told
    has no rows.
    """
    grain = found.grain
    labels = grain.labels(scope) if scope else ["company"] * grain.size
    names, code = np.unique(np.array(labels, dtype=str), return_inverse=True)
    unknown = np.array([label == UNKNOWN for label in labels], dtype=np.bool_)
    coarse = found.stages["fact"][unknown].any(axis=0) | found.stages["plan"][unknown].any(axis=0)
    told = np.asarray(~coarse, dtype=np.bool_)
    if not told.any():
        return []
    return [
        _split(found, scope, "" if not scope else str(name), (code == at) & ~unknown, told)
        for at, name in enumerate(names)
        if str(name) != UNKNOWN
    ]


def _split(
    found: Evaluations, scope: str, member: str, rows: NDArray[np.bool_], told: NDArray[np.bool_]
) -> Split:
    totals = {
        name: round(float(values[rows][:, told].sum()) * PARTS) for name, values in found.stages.items()
    }
    order = [name for name in found.stages if name not in ("units", "fact")]
    causes = {name: totals[name] - totals[before] for before, name in pairwise(order)}
    causes["volume"] = _volume(found, rows, told)
    causes["mix"] = totals["units"] - totals[LAST] - causes["volume"]
    causes["price"] = totals["fact"] - totals["units"]
    return Split(scope, member, totals["plan"], totals["fact"], causes, int(told.sum()))


def _volume(found: Evaluations, rows: NDArray[np.bool_], told: NDArray[np.bool_]) -> int:
    """What the level would have sold beyond the plan had all its rows changed alike, by kind of unit."""
    kind, worth = found.kind[rows], found.stages[LAST][rows][:, told].sum(axis=1)
    before, after = (units[rows][:, told].sum(axis=1) for units in (found.units_before, found.units_after))
    _, code = np.unique(kind, return_inverse=True)
    planned, sold, money = (np.bincount(code, values) for values in (before, after, worth))
    growth = np.divide(sold, planned, out=np.ones_like(planned), where=planned > 0) - 1.0
    return round(float((growth * money).sum()) * PARTS)
