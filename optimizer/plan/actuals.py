"""The table `actuals` as arrays: what has happened before `calendar.as_of`, in the detail that is known.

A *pool* is one combination of keys. Facts that are known by region only are one pool of that region and never
split over its sellers or products. A pool carries every label that all it covers have in common: what is
known by province is known by region too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from optimizer.errors import InputError, Place
from optimizer.plan.assumptions import AssumptionLog
from optimizer.plan.fact_figures import derived_figures, pool_pairs
from optimizer.plan.fact_labels import known_labels
from optimizer.plan.fact_periods import fact_periods
from optimizer.plan.fact_spend import bought_for
from optimizer.plan.fact_staff import StaffFact, staff_facts, staff_rows
from optimizer.plan.fact_stages import NOTHING_ENTERED, Entered, entered_stages, stage_rows
from optimizer.plan.fact_totals import SOLD, without_totals
from optimizer.plan.fact_weights import planned_units
from optimizer.plan.initiatives import Initiatives
from optimizer.plan.marketing import Marketing
from optimizer.plan.markets import Markets
from optimizer.plan.matching import matching_rows
from optimizer.plan.plan import Plan
from optimizer.plan.scopes import initiative_dimensions, marketing_dimensions
from optimizer.plan.sellers import Selling
from optimizer.plan.tables import ALL, Table

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.int64]

MEASURES = (
    "units", "revenue", "deals", "margin", "leads", "opportunities", "spend", "hours", "starts", "customers",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Facts:
    """R pools over T periods; nothing is known from period `past` on."""

    past: int
    names: tuple[str, ...]
    labels: Mapping[str, list[str]]
    """Column -> label of each pool (R,), blank where the pool covers several; columns of markets and sellers
    also as market.region and seller.region."""
    told: Mapping[str, FloatArray]
    """Measure -> what the table says (R, T); NaN where it says nothing."""
    values: Mapping[str, FloatArray]
    """Metric -> what a pool adds to it (R, T); derived where the table does not say, 0 where nothing is
    known."""
    uses: Mapping[int, FloatArray]
    """Resource -> what the sales of a pool took of it (R, T)."""
    price: FloatArray
    """Mean price of what a pool covers (R, T)."""
    pairs: tuple[IntArray, IntArray]
    """(pool, pair of seller and market) for every pair that a pool covers."""
    spend: FloatArray | None = None
    """Input of each row of marketing in closed periods (C, T); None without marketing."""
    starts: FloatArray | None = None
    """Starts of each initiative in closed periods (I, T); None without initiatives."""
    hires: FloatArray | None = None
    """Open seats that were filled, 1 in the closed period of their start (O, T); None without open seats."""
    planned: FloatArray | None = None
    """Planned units of each pair (P, T) in closed periods; None where no plan says."""
    staff: tuple[StaffFact, ...] = ()
    """Hires and leavers of roles."""
    measured: frozenset[str] = field(default=frozenset())
    """Measures that the table has."""
    entered: Entered = field(default=NOTHING_ENTERED)
    """Opportunities that entered a stage, where facts tell of stages."""

    @property
    def size(self) -> int:
        """R."""
        return len(self.names)

    def run_on(self, more: int) -> Facts:
        """The facts with so many periods more, of which nothing is known."""

        def longer(values: FloatArray) -> FloatArray:
            return np.pad(values, ((0, 0), (0, more)))

        return replace(
            self,
            told={name: longer(values) for name, values in self.told.items()},
            values={name: longer(values) for name, values in self.values.items()},
            uses={resource: longer(values) for resource, values in self.uses.items()},
            price=longer(self.price),
            planned=None if self.planned is None else longer(self.planned),
            spend=None if self.spend is None else longer(self.spend),
            starts=None if self.starts is None else longer(self.starts),
            hires=None if self.hires is None else longer(self.hires),
            entered=replace(self.entered, told=longer(self.entered.told)),
        )


def resolve_facts(
    plan: Plan,
    markets: Markets,
    selling: Selling,
    marketing: Marketing | None,
    initiatives: Initiatives | None,
    uses: Mapping[int, FloatArray],
    log: AssumptionLog,
) -> Facts | None:
    """The facts of a plan; None where it has none.

    `uses` is resource -> amount a unit sold, by pair (P,). Raises `InputError` with the place for a table
    without `as_of` and the reverse, periods outside the closed ones, a period twice, negative figures that
    are not marked as returned, totals that contradict their details, and closed periods without any sales.
    """
    table, past = _table(plan), plan.calendar.past
    if table is None:
        return None
    period = fact_periods(plan, table)
    of_stage = stage_rows(table)
    staged, stage_period = table.some_rows(of_stage), period[of_stage]
    table, period = table.some_rows(~of_stage), period[~of_stage]
    of_staff = staff_rows(table)
    staff = staff_facts(table.some_rows(of_staff), period[of_staff], plan.calendar.size, MEASURES)
    table, period = table.some_rows(~of_staff), period[~of_staff]
    _check_signs(table)
    pools, pool = _pools(table)
    told = _told(table, pools, pool, period, plan.calendar.size)
    labels = known_labels(plan, pools, told)
    told = without_totals(table, pools, pool, period, labels, told)
    _check_complete(plan, table, told, past)
    pairs = pool_pairs(plan, pools, selling)
    planned = planned_units(plan, selling)
    values, uses_of, price = derived_figures(markets, selling, told, pairs, uses, planned, log)
    spend = _spend(pools, marketing, plan, told, values)
    filled, hires = _hires(pools, selling, told)
    return Facts(
        past=past,
        names=tuple(_name(pools, row) for row in range(len(pools))),
        labels=labels,
        told=told,
        values=values,
        uses=uses_of,
        price=price,
        pairs=pairs,
        spend=spend,
        starts=_starts(table, pools, initiatives, plan, np.where(filled[:, None], 0.0, told["starts"])),
        hires=hires,
        planned=planned,
        staff=staff,
        measured=frozenset(name for name in MEASURES if table.has(name)),
        entered=entered_stages(plan, staged, pools, stage_period),
    )


def _table(plan: Plan) -> Table | None:
    """The table of facts; None in a plan without facts. Raises `InputError` for one of table and `as_of`
    without the other."""
    table, past = plan.tables.get("actuals"), plan.calendar.past
    if table is not None and not past:
        raise InputError("tracking.as_of_missing", Place(file=table.file, sheet=table.sheet))
    if table is None and past:
        raise InputError(
            "tracking.actuals_missing", Place(file=plan.file, value=str(plan.spec.calendar.as_of))
        )
    return table


def _check_signs(table: Table) -> None:
    returned = table.yes("returned")
    for name in ("units", "revenue", "deals"):
        wrong = (table.numbers(name) < 0) & ~returned
        if wrong.any():
            row = int(wrong.argmax())
            value = f"{table.numbers(name)[row]:.12g}"
            raise InputError("tracking.negative", table.place(row, name, value), column=name)


def _pools(table: Table) -> tuple[Table, IntArray]:
    """One row for each combination of keys, and the pool of each row of the table; returns stand apart, so
    that a month with sales and returns is not a month twice."""
    keys = [*zip(*(table.text(name) for name in table.labels), strict=True)] if table.labels else []
    keys = keys or [()] * len(table)
    position = {key: at for at, key in enumerate(dict.fromkeys(keys))}
    frame = pd.DataFrame(list(position), columns=list(table.labels), dtype="str")
    frame.index = pd.RangeIndex(len(position))
    pool = np.array([position[key] for key in keys], dtype=np.int64)
    first = np.unique(pool, return_index=True)[1]
    pools = Table(
        "actuals", frame, file=table.file, sheet=table.sheet, rows=table.rows[first], labels=table.labels,
        headers=table.headers,
    )  # fmt: skip
    return pools, pool


def _told(
    table: Table, pools: Table, pool: IntArray, period: IntArray, num_periods: int
) -> dict[str, FloatArray]:
    """Measure -> figure of each pool and period (R, T), NaN where the table says nothing; returns are added
    to what was sold."""
    returned = table.yes("returned")
    cell = (pool * num_periods + period) * 2 + returned
    order = np.argsort(cell, kind="stable")
    twice = np.flatnonzero(np.diff(cell[order]) == 0)
    if len(twice):
        first, second = sorted((int(order[twice[0]]), int(order[twice[0] + 1])))
        place = table.place(second, "period", table.text("period")[second])
        raise InputError("tracking.period_twice", place, first=table.place(first).row)
    found = {}
    for name in MEASURES:
        values = np.full((len(pools), num_periods), np.nan)
        given = np.flatnonzero(~np.isnan(table.numbers(name)))
        values[pool[given], period[given]] = 0.0
        np.add.at(values, (pool[given], period[given]), table.numbers(name)[given])
        found[name] = values
    return found


def _check_complete(plan: Plan, table: Table, told: Mapping[str, FloatArray], past: int) -> None:
    """Raise `InputError` for a closed period of a plan with markets that has no sales at all, not even 0."""
    if not len(plan.tables["markets"]):
        return
    known = np.zeros(plan.calendar.size, dtype=np.bool_)
    for name in SOLD:
        known |= ~np.isnan(told[name]).all(axis=0)
    missing = np.flatnonzero(~known[:past])
    if len(missing):
        label = plan.calendar.period[int(missing[0])]
        raise InputError("tracking.period_missing", Place(file=table.file, sheet=table.sheet), period=label)


def _spend(
    pools: Table,
    marketing: Marketing | None,
    plan: Plan,
    told: Mapping[str, FloatArray],
    values: dict[str, FloatArray],
) -> FloatArray | None:
    """Input of each row of marketing that a pool names by itself (C, T). Marketing cost of the pools goes to
    `values`: what several rows share, and what a row's spending is beside its inputs at the first price."""
    shared = np.nan_to_num(told["spend"])
    values["marketing_cost"] = shared
    if marketing is None:
        return None
    spent = np.zeros((len(marketing.names), shared.shape[1]))
    rows, channels = matching_rows(pools, marketing_dimensions(plan.tables["marketing"]))
    alone = np.bincount(rows, minlength=len(pools)) == 1
    rows, channels = rows[alone[rows]], channels[alone[rows]]
    np.add.at(spent, channels, shared[rows])
    inputs = bought_for(marketing, spent)
    beside = spent - inputs * marketing.unit_cost[:, None]
    share = np.divide(beside, spent, out=np.zeros_like(spent), where=spent > 0)
    shared[rows] *= share[channels]
    return inputs


def _starts(
    table: Table, pools: Table, initiatives: Initiatives | None, plan: Plan, told: FloatArray
) -> FloatArray | None:
    """Starts of each initiative (I, T) from those of pools (R, T); raises `InputError` for a start that names
    no single one."""
    started = np.nan_to_num(told)
    if initiatives is None:
        return None
    found = np.zeros((len(initiatives.names), started.shape[1]))
    rows, own = matching_rows(pools, initiative_dimensions(plan.tables["initiatives"]))
    alone = np.bincount(rows, minlength=len(pools)) == 1
    unclear = started.any(axis=1) & ~alone
    if unclear.any():
        raise InputError("tracking.start_of_whom", pools.place(int(unclear.argmax()), "starts"))
    kept = alone[rows]
    np.add.at(found, own[kept], started[rows[kept]])
    if (found.sum(axis=1) > 1).any():
        row = initiatives.names[int(found.sum(axis=1).argmax())]
        raise InputError("tracking.started_twice", Place(file=table.file), name=row)
    return np.rint(found)


def _hires(
    pools: Table, selling: Selling, told: Mapping[str, FloatArray]
) -> tuple[BoolArray, FloatArray | None]:
    """Pools that name an open seat (R,), and the starts of each seat (O, T); None without open seats."""
    seats = selling.sellers.open_seats
    named: BoolArray = np.zeros(len(pools), dtype=np.bool_)
    if seats is None:
        return named, None
    found = np.zeros((len(seats.seller), told["starts"].shape[1]))
    place = {selling.sellers.names[seller]: at for at, seller in enumerate(seats.seller.tolist())}
    for row, seller in enumerate(pools.text("seller") if "seller" in pools.labels else ()):
        if seller in place and not np.isnan(told["starts"][row]).all():
            named[row] = True
            found[place[seller]] += np.nan_to_num(told["starts"][row])
    return named, np.minimum(np.rint(found), 1.0)


def _name(pools: Table, row: int) -> str:
    """The filled keys of a pool joined; `all` for the company's."""
    filled: Sequence[str] = [pools.text(name)[row] for name in pools.labels]
    return "/".join(label for label in filled if label != ALL) or "all"
