"""The markets table as arrays: every missing number derived, every derivation written down."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from optimizer.errors import InputError
from optimizer.plan import phasing
from optimizer.plan.assumptions import AssumptionLog
from optimizer.plan.plan import Plan
from optimizer.plan.scopes import market_dimensions
from optimizer.plan.tables import Table

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class Markets:
    """M markets over T periods. Rates have shape (M, T); amounts are phased to (M, T)."""

    labels: dict[str, list[str]]
    """Dimension -> label of each market."""
    names: tuple[str, ...]
    """The labels of a market joined: unique."""
    price: FloatArray
    """Currency a unit (M, T)."""
    unit_margin: FloatArray
    """Currency a unit (M, T); NaN everywhere when the plan knows no margin at all."""
    units_per_deal: FloatArray
    """Units a deal (M, T)."""
    potential: FloatArray
    """Units that can be sold (M, T); inf without a limit."""
    last_year_units: FloatArray
    """Units of the same periods last year (M, T); NaN where unknown."""
    last_year_revenue: FloatArray
    """Currency of the same periods last year (M, T); NaN where unknown."""
    spread: FloatArray
    """Share of an amount of the horizon that each period gets (M, T), summing to 1."""
    is_new: NDArray[np.bool_]
    """Whether the market's customers are new ones (M,)."""
    whole_units: NDArray[np.bool_]
    """Whether only whole units are sold (M,)."""
    unit: tuple[str, ...]
    """What a unit is; adding unlike units is an error."""
    shared_demand: tuple[str, ...]
    """The demand that each market shares with others (M,); "" where it has its own."""

    @property
    def knows_margin(self) -> bool:
        """Whether any market has a margin, so that money can be an objective."""
        return not bool(np.isnan(self.unit_margin).all())


def resolve_markets(plan: Plan, log: AssumptionLog) -> Markets:
    """Arrays of the markets table; raises `InputError` where a number can neither be read nor derived."""
    table = plan.tables["markets"]
    if not len(table):
        return _no_markets(plan)
    labels = market_dimensions(table)
    phases = _phases(plan, table, log)
    revenue, units = (
        _last_year(table, name, phases, log) for name in ("last_year_revenue", "last_year_units")
    )
    price = _price(plan, table, revenue, units, log)
    spread = phases["potential"] / phases["potential"].sum(axis=1, keepdims=True)
    units = np.where(np.isnan(units), revenue / price, units)
    revenue = np.where(np.isnan(revenue), units * price, revenue)
    return Markets(
        labels=labels,
        names=_names(labels, len(table)),
        price=price,
        unit_margin=_unit_margin(plan, table, price, revenue, log),
        units_per_deal=_units_per_deal(plan, table, log),
        potential=_of_shared_demand(table, _potential(plan, table, price, units, spread, log)),
        last_year_units=units,
        last_year_revenue=revenue,
        spread=spread,
        is_new=np.array([kind == "new" for kind in _text(table, "customer_type")], dtype=np.bool_),
        whole_units=_whole(plan, table),
        unit=tuple(_text(table, "unit")),
        shared_demand=tuple(_text(table, "shared_demand")),
    )


def _of_shared_demand(table: Table, potential: FloatArray) -> FloatArray:
    """A row without a potential takes the largest of the rows with which it shares its demand (M, T)."""
    shared = np.array(_text(table, "shared_demand"), dtype=object)
    found = potential.copy()
    for label in {name for name in shared if name}:
        own = np.flatnonzero(shared == label)
        known = np.where(np.isfinite(potential[own]), potential[own], -np.inf).max(axis=0)
        fill = np.where(known >= 0, known, np.inf)
        found[own] = np.where(np.isfinite(potential[own]), potential[own], fill)
    return found


def _no_markets(plan: Plan) -> Markets:
    """The axis of a plan of marketing alone."""
    nothing = np.zeros((0, plan.calendar.size))
    none = np.zeros(0, dtype=np.bool_)
    return Markets({}, (), nothing, nothing, nothing, nothing, nothing, nothing, nothing, none, none, (), ())


def _names(labels: dict[str, list[str]], count: int) -> tuple[str, ...]:
    """The labels of each market joined; `all` where there is a single market without labels."""
    columns = [labels[name] for name in labels if name != "unit"]
    return tuple("/".join(parts) for parts in zip(*columns, strict=True)) if columns else ("all",) * count


def _text(table: Table, column: str) -> list[str]:
    return table.text(column) if column in table.frame.columns else [""] * len(table)


def _whole(plan: Plan, table: Table) -> NDArray[np.bool_]:
    if "whole_units" in table.frame.columns:
        return np.asarray(table.frame["whole_units"], dtype=np.bool_)
    return np.full(len(table), plan.spec.whole_units, dtype=np.bool_)


def _by_period(plan: Plan, table: Table, column: str) -> FloatArray:
    """A rate as (M, T): one number a row holds in every period."""
    if column in table.by_period:
        return table.by_period[column]
    return np.broadcast_to(table.numbers(column)[:, None], (len(table), plan.calendar.size)).copy()


def _phases(plan: Plan, table: Table, log: AssumptionLog) -> dict[str, FloatArray]:
    """Share of a year that each period gets, by column that is phased: (M, T), summing to 1 over a year."""
    profiles = plan.tables.get("profiles")
    default, key = _default_phase(plan, table, profiles)
    phases = {}
    for column in ("potential", "last_year"):
        names = (
            _text(table, f"{column}_profile")
            if f"{column}_profile" in table.frame.columns
            else _text(table, "season")
        )
        shares = np.tile(default, (len(table), 1)) if default.ndim == 1 else default.copy()
        for name in sorted({name for name in names if name}):
            if profiles is None:
                raise InputError(
                    "model.profiles_missing", table.place(names.index(name), "season", name), profile=name
                )
            shares[[found == name for found in names]] = phasing.season_shares(profiles, name, plan.calendar)
        phases[column] = shares
    if key in ("last_year", "working_days") and plan.calendar.size > 1:
        _note_phasing(table, key, log)
    return phases


def _note_phasing(table: Table, key: str, log: AssumptionLog) -> None:
    """Write down which yearly amounts are spread over the periods by the default."""
    amounts = [
        name
        for name in ("potential", "potential_revenue", "last_year_units", "last_year_revenue")
        if name in table.frame.columns
    ]
    given = np.array([~np.isnan(table.numbers(name)) for name in amounts], dtype=np.bool_)
    by_default = np.array([not name for name in _text(table, "season")], dtype=np.bool_)
    rows = int((given.any(axis=0) & by_default).sum()) if amounts else 0
    log.note(f"phased_by_{key}", "markets", ", ".join(amounts), rows, None, scalable=False)


def _default_phase(plan: Plan, table: Table, profiles: Table | None) -> tuple[FloatArray, str]:
    shares, key = phasing.default_shares(profiles, plan.calendar)
    if key == "season":
        return shares, key
    for column in ("last_year_revenue", "last_year_units"):
        months = table.by_period.get(column)
        if months is not None and np.nansum(months) > 0:
            return _shares_of_last_year(plan, months), "last_year"
    return shares, key


def _shares_of_last_year(plan: Plan, months: FloatArray) -> FloatArray:
    """Last year's months as shares of a year; a market without sales takes the shares of all markets."""
    year = plan.calendar.size / plan.calendar.periods_a_year
    known = np.nan_to_num(months)
    total = known.sum(axis=1, keepdims=True)
    company = known.sum(axis=0, keepdims=True)
    rows = np.where(total > 0, known, company)
    return np.asarray(rows / rows.sum(axis=1, keepdims=True) * year, dtype=np.float64)


def _last_year(table: Table, column: str, phases: dict[str, FloatArray], log: AssumptionLog) -> FloatArray:
    """Last year's figure of the same periods (M, T); NaN where unknown, 0 in a blank month beside known
    ones."""
    if column in table.by_period:
        months = np.asarray(table.by_period[column], dtype=np.float64)
        nothing = np.isnan(months) & ~np.isnan(months).all(axis=1, keepdims=True)
        log.note("blank_month_zero", "markets", column, int(nothing.sum()), 0.0, scalable=False)
        return np.where(nothing, 0.0, months)
    return np.asarray(table.numbers(column)[:, None] * phases["last_year"], dtype=np.float64)


def _price(
    plan: Plan, table: Table, revenue: FloatArray, units: FloatArray, log: AssumptionLog
) -> FloatArray:
    given = _by_period(plan, table, "price")
    with np.errstate(divide="ignore", invalid="ignore"):
        derived = np.nansum(revenue, axis=1) / np.nansum(units, axis=1)
    derived = np.where(np.isfinite(derived) & (derived > 0), derived, np.nan)[:, None]
    derived = derived * log.factor("price_from_last_year")
    missing = np.isnan(given)
    price = np.where(missing, derived, given)
    log.note(
        "price_from_last_year",
        "markets",
        "price",
        int((missing & ~np.isnan(price)).any(axis=1).sum()),
        float(np.nanmean(derived)) if not np.isnan(derived).all() else None,
        "currency/unit",
    )
    blank = np.isnan(price)
    log.note(
        "price_one", "markets", "price", int(blank.any(axis=1).sum()), 1.0, "currency/unit", scalable=False
    )
    if (given <= 0).any():
        row = int((given <= 0).any(axis=1).argmax())
        raise InputError("model.price_not_positive", table.place(row, "price", given[row].min()))
    return np.where(blank, 1.0, price)


def _unit_margin(
    plan: Plan, table: Table, price: FloatArray, revenue: FloatArray, log: AssumptionLog
) -> FloatArray:
    rate = _by_period(plan, table, "margin_rate")
    cost = _by_period(plan, table, "unit_cost")
    both = ~np.isnan(rate) & ~np.isnan(cost)
    if both.any():
        row = int(both.any(axis=1).argmax())
        raise InputError("model.margin_twice", table.place(row, "unit_cost", cost[row, 0]))
    margin = np.where(np.isnan(rate), price - cost, rate * price)
    missing = np.isnan(margin)
    if missing.all() or not missing.any():
        return margin
    weights = np.where(missing, 0.0, np.nan_to_num(revenue) + 1e-9)
    mean_rate = float((weights * np.nan_to_num(margin / price)).sum() / weights.sum()) * log.factor(
        "mean_margin"
    )
    log.note(
        "mean_margin", "markets", "margin_rate", int(missing.any(axis=1).sum()), mean_rate, "share of revenue"
    )
    return np.where(missing, mean_rate * price, margin)


def _units_per_deal(plan: Plan, table: Table, log: AssumptionLog) -> FloatArray:
    given = _by_period(plan, table, "units_per_deal")
    missing = np.isnan(given)
    log.note(
        "one_unit_a_deal",
        "markets",
        "units_per_deal",
        int(missing.any(axis=1).sum()),
        1.0,
        "units/deal",
    )
    if (given <= 0).any():
        row = int((given <= 0).any(axis=1).argmax())
        raise InputError(
            "model.units_per_deal_not_positive", table.place(row, "units_per_deal", given[row].min())
        )
    return np.where(missing, log.factor("one_unit_a_deal"), given)


def _potential(
    plan: Plan,
    table: Table,
    price: FloatArray,
    last_year_units: FloatArray,
    spread: FloatArray,
    log: AssumptionLog,
) -> FloatArray:
    """Units a period: given, else in money over price, else the row's own size times max_share, else last
    year times 1 + growth_cap, else inf."""
    potential = table.by_period.get("potential", table.numbers("potential")[:, None] * spread)
    money = table.by_period.get("potential_revenue", table.numbers("potential_revenue")[:, None] * spread)
    potential = np.where(np.isnan(potential), money / price, potential)
    share = table.numbers("max_share")[:, None] * spread * log.factor("size_times_share")
    of_size = share * np.where(
        np.isnan(table.numbers("size_units"))[:, None],
        table.numbers("size_revenue")[:, None] / price,
        table.numbers("size_units")[:, None],
    )
    use = np.isnan(potential) & ~np.isnan(of_size)
    log.note("size_times_share", "markets", "potential", int(use.any(axis=1).sum()), None)
    potential = np.where(use, of_size, potential)
    growth = (1.0 + plan.spec.growth_cap) * log.factor("growth_cap")
    use = np.isnan(potential) & ~np.isnan(last_year_units)
    log.note("growth_cap", "markets", "potential", int(use.any(axis=1).sum()), growth, "times last year")
    potential = np.where(use, last_year_units * growth, potential)
    return np.where(np.isnan(potential), np.inf, potential)
