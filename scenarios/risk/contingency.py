"""What to prepare now, and the early sign that says when to act on it.

For each action the plan is tried with and without it in every future, so that what acting is worth in each of
them is known; among all figures that can be seen by then the one with the best single threshold is its sign.

    worth = mean over fresh futures of 1[sign says act] (money with - money without)  -  cost to prepare

Thresholds are found on one half of the futures and measured on the other.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import t

from optimizer.model.coefficients import COSTS
from scenarios.engine import Engine
from scenarios.kept import Planned
from scenarios.risk.actions import Action, actions_of
from scenarios.risk.further import EARLY, Further
from scenarios.risk.measures import MONEY
from scenarios.risk.riskfile import Draws, Risk
from scenarios.risk.schema import ContingencySpec
from scenarios.risk.simulation import Simulation, simulate
from scenarios.risk.worlds import Worlds
from solvers.stochastic.threshold import Record, Threshold, best_threshold, record_of

FloatArray = NDArray[np.float64]

FRESH = 2_000
"""Which fresh samples measure thresholds: none that found them, and none that measure decisions."""
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Sign:
    """A figure that can be seen in time: its value in each future (N,)."""

    name: str
    kind: str
    unit: str
    values: FloatArray

    @classmethod
    def nothing(cls, futures: int) -> Sign:
        """Where nothing tells futures apart in time one acts always or never."""
        return cls("", "none", "", np.zeros(futures))


@dataclass(frozen=True)
class Rule:
    """One action by one sign: the threshold, what it does where it was found and in fresh futures."""

    action: Action
    sign: Sign
    threshold: Threshold
    found: Record
    fresh: Record


def contingency(
    risk: Risk, planned: Planned, engine: Engine | None = None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """A row an action (what is worth preparing first), and a row an action and sign.

    Raises `InputError` where nothing can be prepared.
    """
    spec = risk.spec.contingency
    if spec is None:
        return pd.DataFrame(), pd.DataFrame()
    metrics, columns = tuple(spec.indicators), tuple(spec.by) or None
    watched = replace(risk, further=Further(spec.visible_by, metrics, columns))
    model = Worlds(watched, planned, spec.way).model
    actions = actions_of(watched, planned, model)
    draws = watched.draws(spec.futures).joined(watched.draws(spec.futures, fresh=FRESH))
    without = simulate(watched, planned, draws, spec.way, engine)
    signs = list(_signs(watched, planned, draws, without, spec))
    knows_margin = model.cube.markets.knows_margin
    rules = []
    for action in actions:
        tried = simulate(risk, action.planned, draws, spec.way, engine)
        value = net_money(tried, knows_margin) - net_money(without, knows_margin)
        seen = [sign for sign in signs if _is_seen(sign, value, spec)]
        rules += [_rule(action, sign, value, spec.futures) for sign in seen or [Sign.nothing(len(draws))]]
    return _frames(rules, risk, spec)


def net_money(simulation: Simulation, knows_margin: bool) -> FloatArray:
    """Contribution of each future (N,); of a plan without margins revenue less what is paid for it."""
    money = simulation.column(MONEY)
    if knows_margin:
        return money
    paid = [simulation.column(name) for name in COSTS if name in {one.name for one in simulation.labels}]
    return np.asarray(money - sum(paid), dtype=np.float64)


def _signs(
    risk: Risk, planned: Planned, draws: Draws, without: Simulation, spec: ContingencySpec
) -> Iterator[Sign]:
    """Figures to date, and what uncertain numbers and events have turned out to be by then."""
    for place, label in enumerate(without.labels):
        if label.kind == EARLY:
            yield Sign(label.name, "figure", label.unit, without.values[:, place])
    if not spec.numbers:
        return
    for at, variable in enumerate(risk.variables):
        yield Sign(variable.name, "number", "", variable.figure(draws.u[:, at]))
    for at, event in enumerate(risk.events):
        outcome = draws.outcomes[:, at]
        if event.kind == "leaves":
            seen = (outcome > 0) & (outcome <= spec.visible_by)
        elif event.kind == "slips" and not _planned_by(planned, event.block, event.target, spec.visible_by):
            continue
        else:
            seen = outcome > 0
        yield Sign(event.name, "event", "", seen.astype(np.float64))


def _planned_by(planned: Planned, block: str, target: str, periods: int) -> bool:
    """Whether what may slip was planned for a period that is over by then."""
    names, amounts = planned.decisions.get(block, ((), np.zeros((0, 0))))
    rows = [row for row, name in enumerate(names) if target in name.split(" / ")]
    return bool(amounts[rows, :periods].any())


def _is_seen(sign: Sign, value: FloatArray, spec: ContingencySpec) -> bool:
    """Whether a sign is known in some future on which thresholds are found, and differs between them."""
    known = sign.values[: spec.futures][~np.isnan(sign.values[: spec.futures] + value[: spec.futures])]
    return bool(len(known)) and float(np.ptp(known)) > 0.0


def _rule(action: Action, sign: Sign, value: FloatArray, half: int) -> Rule:
    tried = ~np.isnan(value)
    first = np.arange(len(value)) < half
    figures = [(sign.values[part & tried], value[part & tried]) for part in (first, ~first)]
    threshold = best_threshold(*figures[0])
    return Rule(action, sign, threshold, *(record_of(threshold, *one) for one in figures))


def _frames(rules: Sequence[Rule], risk: Risk, spec: ContingencySpec) -> tuple[pd.DataFrame, pd.DataFrame]:
    """All rules, and of each action the one that brings most where it was found; what is worth most first."""
    columns = list(_row(rules[0], risk, spec)) if rules else []
    every = pd.DataFrame([_row(one, risk, spec) for one in rules], columns=columns)
    if every.empty:
        return every, every
    ranked = every.sort_values(["action", "found_value"], ascending=[True, False], kind="stable")
    best = ranked.drop_duplicates("action").sort_values("worth", ascending=False, kind="stable")
    return best.reset_index(drop=True), every


def _row(rule: Rule, risk: Risk, spec: ContingencySpec) -> dict[str, Any]:
    calendar, found, fresh = risk.base.plan.calendar, rule.found, rule.fresh
    half = float(t.ppf((1.0 + CONFIDENCE) / 2.0, max(fresh.futures - 1, 1)))
    width = half * fresh.deviation / np.sqrt(fresh.futures)
    worth = fresh.value - rule.action.prepare
    counts = {
        f"{name}_{part}": getattr(record, part)
        for name, record in (("found", found), ("fresh", fresh))
        for part in ("hits", "false_alarms", "misses", "value")
    }
    return {
        "action": rule.action.name, "kind": rule.action.kind, "way": spec.way,
        "visible_by": calendar.period[spec.visible_by - 1], "starts": calendar.period[rule.action.period],
        "sign": rule.sign.name, "sign_kind": rule.sign.kind, "unit": rule.sign.unit,
        "side": "at_least" if rule.threshold.above else "at_most", "level": rule.threshold.level,
        **counts, "value_low": fresh.value - width, "value_high": fresh.value + width,
        "always": fresh.always, "foresight": fresh.foresight, "prepare": rule.action.prepare,
        "worth": worth, "worth_preparing": worth > 0.0, "futures": fresh.futures,
    }  # fmt: skip
