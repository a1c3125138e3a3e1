"""The roles table as arrays: people without names, by tenure, who join, learn, leave and are led."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from optimizer.errors import InputError
from optimizer.plan import phasing
from optimizer.plan.assumptions import AssumptionLog
from optimizer.plan.fromrun import HEADS, JOINING, fitted
from optimizer.plan.names import nearest
from optimizer.plan.openseats import TENURE_MONTHS
from optimizer.plan.plan import Plan
from optimizer.plan.profiles import NO_RAMP
from optimizer.plan.tables import Table

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

LEADERS = (("managed_by", "span"), ("supported_by", "support_ratio"))
"""Column that names another role -> heads of this role for each head of that one."""


@dataclass(frozen=True, eq=False)
class Roles:
    """R roles in A classes of tenure, a period each, over T periods; the last class is everybody older."""

    labels: dict[str, list[str]]
    names: tuple[str, ...]
    opening: FloatArray
    """Heads at the start by class (R, A)."""
    joining: FloatArray
    """Heads hired before the start whose first day is in each period (R, T); those of the first are in
    `opening`."""
    ramp: FloatArray
    """Share of full productivity of each class (R, A)."""
    stay: FloatArray
    """Share of heads that a period keeps (R,): (1 - attrition)^(1 / periods a year)."""
    lead: IntArray
    """Periods from the decision to the first day (R,)."""
    may_hire: BoolArray
    """Periods in which hires are decided (R, T)."""
    hire_max: FloatArray
    """Hires at most, over the plan (R,); inf without a limit."""
    leave_max: FloatArray
    """Heads that may be let go at most, over the plan (R,); 0 where nobody is."""
    least: FloatArray
    most: FloatArray
    """Heads at least and at most in every period (R,)."""
    training: FloatArray
    """Heads that are not at full ramp at most, in any period (R,)."""
    pay: FloatArray
    """Currency a month and head (R,)."""
    recruiting: FloatArray
    """Currency of a hire decided in each period, pro rata of the expected stay (R, T)."""
    leave_cost: FloatArray
    """Currency of a head that is let go (R,)."""
    led: tuple[tuple[int, int, float, str], ...]
    """(role, role that leads or supports it, heads of the one for each of the other, the column)."""
    loss: FloatArray
    """Share of the people who were there at the start that is expected to be gone in each period (R, T)."""
    refill: FloatArray
    """Periods until a leaver with a name is replaced (R,); inf where nobody is."""
    hired: FloatArray
    """Hires that are facts, by the period in which they were decided (R, T)."""
    gone: FloatArray
    """Heads whom facts know to have been let go (R, T)."""

    def run_on(self, more: int) -> Roles:
        """The roles with so many periods more: nobody is hired, and losses go on."""
        nobody = np.zeros((len(self.names), more), dtype=np.bool_)
        return replace(
            self,
            joining=np.hstack([self.joining, np.zeros(nobody.shape)]),
            may_hire=np.hstack([self.may_hire, nobody]),
            recruiting=np.hstack([self.recruiting, np.zeros(nobody.shape)]),
            loss=_losses(self.refill, self.stay, self.loss.shape[1] + more),
            hired=np.hstack([self.hired, np.zeros(nobody.shape)]),
            gone=np.hstack([self.gone, np.zeros(nobody.shape)]),
        )


def role_dimensions(table: Table) -> dict[str, list[str]]:
    """The label columns of the roles table: `role` and those that the planner added."""
    return {name: table.text(name) for name in ("role", *table.labels)}


def resolve_roles(plan: Plan, log: AssumptionLog) -> Roles | None:
    """Arrays of roles; None without the table.

    Raises `InputError` for unknown roles in managed_by and supported_by, ratios without a role, and lead
    times that are no whole number of periods.
    """
    table = plan.tables.get("roles")
    if table is None:
        return None
    calendar = plan.calendar
    months = 12.0 / calendar.periods_a_year
    ramp = _ramps(plan, table, months, log)
    lead = np.nan_to_num(table.numbers("lead_time"))
    if (lead != np.round(lead)).any():
        row = int((lead != np.round(lead)).argmax())
        raise InputError("effects.periods_not_whole", table.place(row, "lead_time", f"{lead[row]:g}"))
    attrition = np.nan_to_num(table.numbers("attrition"))
    stay = (1.0 - attrition) ** (1.0 / calendar.periods_a_year)
    refill = np.nan_to_num(table.numbers("refill"), nan=np.inf)
    return Roles(
        labels=role_dimensions(table),
        names=tuple(table.text("role")),
        opening=_opening(plan, table, ramp.shape[1], months),
        joining=_joining(table, calendar.size),
        ramp=ramp,
        stay=stay,
        lead=lead.astype(np.int64),
        may_hire=np.ones((len(table), calendar.size), dtype=np.bool_),
        hire_max=np.nan_to_num(table.numbers("hire_max"), nan=np.inf),
        leave_max=np.nan_to_num(table.numbers("leave_max")),
        least=np.nan_to_num(table.numbers("headcount_min")),
        most=np.nan_to_num(table.numbers("headcount_max"), nan=np.inf),
        training=np.nan_to_num(table.numbers("training_capacity"), nan=np.inf),
        pay=np.nan_to_num(table.numbers("cost")),
        recruiting=_recruiting(plan, table, attrition, lead, log),
        leave_cost=np.nan_to_num(table.numbers("leave_cost")),
        led=_led(table),
        loss=_losses(refill, stay, calendar.size),
        refill=refill,
        hired=np.zeros((len(table), calendar.size)),
        gone=np.zeros((len(table), calendar.size)),
    )


def _ramps(plan: Plan, table: Table, months: float, log: AssumptionLog) -> FloatArray:
    """Ramp by class (R, A), A the classes that the longest ramp needs, at least 2."""
    steps = []
    for row, name in enumerate(table.choices("ramp")):
        if name == NO_RAMP:
            steps.append((np.zeros(1), np.ones(1)))
        elif name:
            if "profiles" not in plan.tables:
                raise InputError("model.profiles_missing", table.place(row, "ramp", name), profile=name)
            steps.append(phasing.ramp_steps(plan.tables["profiles"], name))
        else:
            ages, shares = (np.array(part) for part in zip(*phasing.DEFAULT_RAMP, strict=True))
            steps.append((ages, np.minimum(shares * log.factor("default_ramp"), 1.0)))
    blank = sum(not name for name in table.choices("ramp"))
    log.note("default_ramp", "roles", "ramp", blank, None)
    classes = max(2, 1 + int(np.ceil(max(float(ages.max()) for ages, _ in steps) / months - 1e-9)))
    age = np.arange(classes) * months + 1e-9
    return np.array(
        [shares[np.maximum(np.searchsorted(ages, age, side="right") - 1, 0)] for ages, shares in steps]
    )


def _opening(plan: Plan, table: Table, classes: int, months: float) -> FloatArray:
    """Heads at the start by class (R, A): those of an earlier run, else by the profile of tenure, else
    everybody in the last one."""
    heads = np.nan_to_num(table.numbers("headcount"))
    found = np.zeros((len(table), classes))
    found[:, -1] = heads
    for row, name in enumerate(table.choices("tenure_profile")):
        if not name:
            continue
        if "profiles" not in plan.tables:
            raise InputError("model.profiles_missing", table.place(row, "tenure_profile", name), profile=name)
        ages, shares = phasing.ramp_steps(plan.tables["profiles"], name)
        at = np.minimum((ages / months).astype(np.int64), classes - 1)
        found[row] = heads[row] * np.bincount(at, weights=shares / shares.sum(), minlength=classes)
    known = table.by_period.get(HEADS)
    if known is None:
        return found
    carried = fitted(known, classes)
    carried[:, -1] += known[:, classes:].sum(axis=1)
    return np.where(np.isnan(carried), found, carried)


def _joining(table: Table, periods: int) -> FloatArray:
    """Heads that an earlier run has hired and that come later (R, T); none without one."""
    return fitted(np.nan_to_num(table.by_period.get(JOINING, np.zeros((len(table), 0)))), periods)


def _recruiting(
    plan: Plan, table: Table, attrition: FloatArray, lead: FloatArray, log: AssumptionLog
) -> FloatArray:
    """hiring_cost * min(1, months from the first day to the end of the plan / expected stay) (R, T); the
    stay is 12 / attrition months."""
    size, months = plan.calendar.size, 12.0 / plan.calendar.periods_a_year
    cost = np.nan_to_num(table.numbers("hiring_cost"))
    blank = (attrition <= 0) & (cost > 0)
    log.note("tenure", "roles", "attrition", int(blank.sum()), TENURE_MONTHS, "months")
    usual = TENURE_MONTHS * log.factor("tenure")
    stay = np.where(attrition > 0, 12.0 / np.where(attrition > 0, attrition, 1.0), usual)
    left = np.maximum(size - np.arange(size)[None, :] - lead[:, None], 0.0) * months
    return np.asarray(cost[:, None] * np.minimum(left / stay[:, None], 1.0), dtype=np.float64)


def _led(table: Table) -> tuple[tuple[int, int, float, str], ...]:
    names, found = table.text("role"), []
    for column, ratio in LEADERS:
        figures = table.numbers(ratio)
        for row, name in enumerate(table.choices(column)):
            if not name and np.isnan(figures[row]):
                continue
            if not name or np.isnan(figures[row]):
                raise InputError(
                    "people.ratio_half", table.place(row, column, name), column=column, ratio=ratio
                )
            if name not in names:
                near = nearest(name, names)
                raise InputError("people.role_unknown", table.place(row, column, name), nearest=near)
            found.append((row, names.index(name), float(figures[row]), ratio))
    return tuple(found)


def _losses(refill: FloatArray, stay: FloatArray, periods: int) -> FloatArray:
    """1 - stay^k, k the periods since the start, at most those until a leaver is replaced (R, T)."""
    age = np.minimum(np.arange(periods)[None, :], refill[:, None])
    return np.asarray(1.0 - stay[:, None] ** age, dtype=np.float64)
