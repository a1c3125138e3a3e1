"""Rates that have left their plan by more than chance: exact tests on counts, with Holm's correction.

    conversion   binomial test: deals out of opportunities against the planned share
    leads        Poisson test: opportunities against the planned number
    retention    Poisson test: customers lost against the planned number
    volume       Poisson test: deals against the planned number, where no opportunities are told
    price        t test: logarithms of measured over planned price, one a pool and period, against 0

References: Clopper & Pearson 1934 (binomial); Garwood 1936 (Poisson); Student 1908; Holm 1979.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from optimizer.plan.fact_labels import UNKNOWN
from optimizer.tracking.causes import Evaluations
from optimizer.tracking.measured import Measured

FloatArray = NDArray[np.float64]

_FEWEST_PRICES = 3
"""Prices that a t test needs at least."""


@dataclass(frozen=True)
class Drift:
    """One rate on one level: planned and measured, the test, and how likely chance is."""

    rate: str
    scope: str
    member: str
    planned: float
    measured: float
    count: float
    """What the test counts: opportunities, expected arrivals or deals, prices."""
    test: str
    chance: float
    """Probability that chance alone brings a rate as far from its plan."""
    adjusted: float
    """The same after Holm's correction for all tests that were made."""
    alert: bool = False

    @property
    def factor(self) -> float:
        """Measured over planned."""
        return self.measured / self.planned if self.planned > 0 else 1.0


def drifts(
    measured: Sequence[Measured],
    found: Evaluations,
    scopes: Sequence[str],
    deals: FloatArray,
    chance: float,
    first: int = 0,
) -> list[Drift]:
    """Every test on every level, those that are least likely chance first; `deals` is the planned number a
    unit by pair (P, T). Periods before `first` were facts already when the plan was made and test nothing."""
    tests = [*_counts(measured, scopes), *_volumes(measured, found, scopes, deals, first)]
    tests += _prices(found, scopes, first)
    tests.sort(key=lambda one: one.chance)
    worst, adjusted = 0.0, []
    for position, one in enumerate(tests):
        worst = min(max(worst, one.chance * (len(tests) - position)), 1.0)
        adjusted.append(replace(one, adjusted=worst, alert=worst <= chance))
    return adjusted


def clearest(tests: Sequence[Drift], rate: str) -> list[Drift]:
    """The alerts on one rate, of the level that shows them most clearly and of no other: the same drift is
    not counted on every level that sees it."""
    alerts = [one for one in tests if one.rate == rate and one.alert]
    return [one for one in alerts if one.scope == alerts[0].scope]


def _counts(measured: Sequence[Measured], scopes: Sequence[str]) -> list[Drift]:
    """Conversion and leads of the company and of every member that pools know."""
    found: list[Drift] = []
    for rate in dict.fromkeys(one.rate for one in measured if one.rate != "hours"):
        own = [one for one in measured if one.rate == rate]
        found += [_count(rate, *group) for group in _groups(own, scopes)]
    return found


def _count(rate: str, scope: str, member: str, group: Sequence[Measured]) -> Drift:
    planned, got = sum(one.planned for one in group), sum(one.measured for one in group)
    if rate == "leads":
        return _arrivals(rate, scope, member, planned, got)
    if rate == "retention":
        lost = sum(one.lost[0] for one in group), sum(one.lost[1] for one in group)
        test = _arrivals(rate, scope, member, *lost)
        return replace(test, planned=planned / len(group), measured=got / len(group))
    base = sum(one.base_planned for one in group), sum(one.base for one in group)
    return _conversion(rate, scope, member, planned / base[0], got, base[1])


def _groups(measured: Sequence[Measured], scopes: Sequence[str]) -> list[tuple[str, str, list[Measured]]]:
    """(scope, member, its pools), the company first; a scope that some pool does not know is left out."""
    groups = [("", "", list(measured))] if measured else []
    for scope in scopes:
        if not measured or any(scope not in one.where for one in measured):
            continue
        members = dict.fromkeys(one.where[scope] for one in measured)
        groups += [(scope, name, [one for one in measured if one.where[scope] == name]) for name in members]
    return groups


def _conversion(rate: str, scope: str, member: str, share: float, won: float, opportunities: float) -> Drift:
    from scipy.stats import binomtest

    trials = max(round(opportunities), round(won))
    p_value = float(binomtest(round(won), trials, min(share, 1.0)).pvalue) if trials else 1.0
    measured = won / opportunities if opportunities > 0 else 0.0
    return Drift(rate, scope, member, share, measured, opportunities, "binomial", p_value, p_value)


def _arrivals(rate: str, scope: str, member: str, expected: float, came: float) -> Drift:
    """Two-sided exact Poisson test: twice the smaller tail."""
    from scipy.stats import poisson

    number = round(came)
    tails = float(poisson.cdf(number, expected)), float(poisson.sf(number - 1, expected))
    p_value = min(1.0, 2.0 * min(tails)) if expected > 0 else 1.0
    return Drift(rate, scope, member, expected, came, expected, "poisson", p_value, p_value)


def _volumes(
    measured: Sequence[Measured], found: Evaluations, scopes: Sequence[str], deals: FloatArray, first: int
) -> list[Drift]:
    """Deals against the plan on the finest rows that no conversion speaks of."""
    grain = found.grain
    covered = np.zeros(grain.facts.size, dtype=np.bool_)
    covered[[one.pool for one in measured if one.rate == "conversion"]] = True
    planned = grain.planned(deals, "deals")[:, first:].sum(axis=1)
    came = grain.of_facts(grain.facts.values["deals"])[:, first:].sum(axis=1)
    kept = np.ones(grain.size, dtype=np.bool_)
    kept[: grain.facts.size] = ~covered
    if covered.any():
        inside = np.isin(grain.facts.pairs[0], np.flatnonzero(covered))
        kept[grain.facts.size + grain.facts.pairs[1][inside]] = False
        kept[np.unique(_pools_of(grain.facts.pairs, grain.facts.pairs[1][inside]))] = False
    if not planned[kept].sum() > 0:
        return []
    tests = [_arrivals("volume", "", "", float(planned[kept].sum()), float(came[kept].sum()))]
    for scope in scopes:
        labels = np.array(grain.labels(scope), dtype=str)
        if (came[kept & (labels == UNKNOWN)] != 0).any():
            continue
        for name in dict.fromkeys(labels[kept & (labels != UNKNOWN)].tolist()):
            rows = kept & (labels == name)
            if planned[rows].sum() > 0:
                tests.append(
                    _arrivals("volume", scope, name, float(planned[rows].sum()), float(came[rows].sum()))
                )
    return tests


def _pools_of(
    pairs: tuple[NDArray[np.int64], NDArray[np.int64]], wanted: NDArray[np.int64]
) -> NDArray[np.int64]:
    """The pools that cover one of some pairs."""
    return np.asarray(pairs[0][np.isin(pairs[1], wanted)])


def _prices(found: Evaluations, scopes: Sequence[str], first: int) -> list[Drift]:
    from scipy.stats import ttest_1samp

    planned, fact = found.stages["units"], found.stages["fact"]
    # Where only revenue is told the price is the planned one by construction, and says nothing.
    facts = found.grain.facts
    both = ~np.isnan(facts.told["units"][:, : facts.past]) & ~np.isnan(facts.told["revenue"][:, : facts.past])
    known = np.zeros(fact.shape, dtype=np.bool_)
    known[: facts.size] = both
    known &= (planned > 0) & (fact > 0)
    known[:, :first] = False
    tests = []
    for scope in ("", *scopes):
        labels = np.array(found.grain.labels(scope) if scope else ["company"] * found.grain.size, dtype=str)
        for name in dict.fromkeys(labels[labels != UNKNOWN].tolist()):
            inside = known & (labels == name)[:, None]
            ratios = np.log(fact[inside] / planned[inside])
            if len(ratios) < _FEWEST_PRICES or (ratios.std() < 1e-9 and abs(ratios.mean()) < 1e-9):
                continue
            units = found.units_after[inside].sum()
            before, after = planned[inside].sum() / units, fact[inside].sum() / units
            p_value = 0.0 if ratios.std() < 1e-12 else float(ttest_1samp(ratios, 0.0).pvalue)
            member = name if scope else ""
            tests.append(
                Drift("price", scope, member, before, after, float(len(ratios)), "t", p_value, p_value)
            )
    return tests
