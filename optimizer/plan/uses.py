"""The resources and uses tables as arrays: what there is, and what activities take of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from optimizer.errors import InputError
from optimizer.plan.markets import Markets
from optimizer.plan.matching import matching_rows, prefixed
from optimizer.plan.names import nearest
from optimizer.plan.plan import Plan
from optimizer.plan.sellers import Selling
from optimizer.plan.tables import Table
from optimizer.plan.territories import market_columns

FloatArray = NDArray[np.float64]

SELL = "sell"
SELLER = "seller"
OWNER = "owner"
"""The owner of an initiative where a resource is named: the resource or the seller of that name."""
SEATS = "seat_heads"
"""Block of the people in open seats, who take what sellers take by being there."""
BLOCKS = {
    "marketing": "spend",
    "initiative": "start",
    "active": "active",
    "role": "role_heads",
    "hire": "role_hire",
}
"""Activity of the table `uses` -> block of the model."""
TABLES = {"spend": ("marketing", "channel"), "start": ("initiatives", "initiative")}
TABLES["active"] = TABLES["start"]
TABLES["role_heads"] = TABLES["role_hire"] = ("roles", "role")
"""Block -> table and column that its names come from."""


@dataclass(frozen=True)
class Resources:
    """R resources over T periods."""

    names: tuple[str, ...]
    capacity: FloatArray
    """Capacity (R, T); of the whole horizon in every column where `per_horizon`; inf without a limit."""
    per_horizon: NDArray[np.bool_]
    """Whether the capacity is for the whole horizon (R,)."""
    extra_price: FloatArray
    """Currency a unit beyond capacity (R,); inf where no more can be bought."""
    per_unit: dict[int, FloatArray]
    """Resource -> amount a unit sold, by pair (P,)."""
    by_sellers: FloatArray
    """Amount that sellers take by being there (R, T)."""
    by_block: dict[str, dict[int, FloatArray]]
    """Block -> resource -> amount a unit of each of its rows (rows,): an insertion or a unit of currency of
    marketing, a start, an active period, somebody in an open seat."""

    of_owners: tuple[tuple[str, int, int, float], ...] = ()
    """(block, row of initiatives, seller who owns it, hours a start or an active period)."""

    def of_seats(self, place: int) -> tuple[float, ...]:
        """What somebody in one open seat takes of each resource (R,)."""
        return tuple(float(amounts[place]) for amounts in self.by_block[SEATS].values())


def resolve_resources(plan: Plan, markets: Markets, selling: Selling) -> Resources:
    """Arrays of resources and uses; raises `InputError` for unknown resources and activities."""
    table, uses = plan.tables.get("resources"), _with_owners(plan, selling)
    owners = _owners(plan, selling)
    periods, pairs = plan.calendar.size, len(selling.pairs.seller)
    names = [] if table is None else table.text("resource")
    per_unit = {row: np.zeros(pairs) for row in range(len(names))}
    by_sellers = np.zeros((len(names), periods))
    by_block = {block: _block_uses(plan, uses, names, block) for block in TABLES}
    seats = selling.sellers.open_seats
    of_seats = {row: np.zeros(0 if seats is None else len(seats.seller)) for row in range(len(names))}
    by_block[SEATS] = of_seats
    if uses is not None:
        _check_names(uses, names)
        _add_uses(uses, names, markets, selling, per_unit, by_sellers, of_seats)
    if table is None:
        nothing = np.zeros(0)
        return Resources(
            (), np.zeros((0, periods)), nothing.astype(np.bool_), nothing, {}, by_sellers, by_block, owners
        )
    capacity = table.by_period.get(
        "capacity", np.broadcast_to(table.numbers("capacity")[:, None], (len(names), periods))
    )
    per = table.text("per") if "per" in table.frame.columns else [""] * len(names)
    return Resources(
        names=tuple(names),
        capacity=np.where(np.isnan(capacity), np.inf, capacity),
        per_horizon=np.array([kind == "horizon" for kind in per], dtype=np.bool_),
        extra_price=np.nan_to_num(table.numbers("extra_price"), nan=np.inf),
        per_unit=per_unit,
        by_sellers=by_sellers,
        by_block=by_block,
        of_owners=owners,
    )


def _owner_rows(plan: Plan) -> list[tuple[int, str, int]]:
    """(row of uses, block, row of initiatives) of every use of an initiative that its owner gives.

    Raises `InputError` for activities that have no owner.
    """
    uses, table = plan.tables.get("uses"), plan.tables.get("initiatives")
    known = plan.tables["resources"].text("resource") if "resources" in plan.tables else []
    found = []
    if uses is None or OWNER in known:
        return []
    for row, (activity, resource) in enumerate(
        zip(uses.text("activity"), uses.text("resource"), strict=True)
    ):
        kind, _, name = activity.partition(":")
        if resource != OWNER:
            continue
        if BLOCKS.get(kind) not in ("start", "active") or table is None:
            raise InputError("people.owner_of_nothing", uses.place(row, "activity", activity))
        for at, label in enumerate(table.text("initiative")):
            if not name or label == name:
                found.append((row, BLOCKS[kind], at))
    return found


def _owners(plan: Plan, selling: Selling) -> tuple[tuple[str, int, int, float], ...]:
    """What initiatives take of sellers who own them; raises `InputError` where their time is not in hours."""
    found, sellers = [], selling.sellers
    for row, block, at in _owner_rows(plan):
        owner = plan.tables["initiatives"].choices("owner")[at]
        if owner not in sellers.names:
            continue
        seller = sellers.names.index(owner)
        if sellers.capacity_unit[seller] != "hours":
            place = plan.tables["initiatives"].place(at, "owner", owner)
            raise InputError("people.owner_not_in_hours", place)
        found.append((block, at, seller, float(plan.tables["uses"].numbers("amount")[row])))
    return tuple(found)


def _with_owners(plan: Plan, selling: Selling) -> Table | None:
    """The uses, where an owner who is no seller is the resource of that name, a row an initiative.

    Raises `InputError` for owners that are neither.
    """
    uses = plan.tables.get("uses")
    rows = _owner_rows(plan)
    if uses is None or not rows:
        return uses
    known = plan.tables["resources"].text("resource") if "resources" in plan.tables else []
    table = plan.tables["initiatives"]
    keep = [row for row, resource in enumerate(uses.text("resource")) if resource != OWNER]
    taken, activities, resources = list(keep), uses.text("activity"), uses.text("resource")
    named = [(activities[row], resources[row]) for row in keep]
    for row, _, at in rows:
        owner = table.choices("owner")[at]
        if owner in selling.sellers.names:
            continue
        if owner not in known:
            near = nearest(owner, [*selling.sellers.names, *known])
            raise InputError("people.owner_unknown", table.place(at, "owner", owner), nearest=near)
        taken.append(row)
        named.append((f"{activities[row].partition(':')[0]}:{table.text('initiative')[at]}", owner))
    if not taken:
        return None
    frame = uses.frame.iloc[taken].reset_index(drop=True)
    frame = frame.assign(activity=[one for one, _ in named], resource=[other for _, other in named])
    return uses.replace(frame=frame, rows=uses.rows[taken])


def _block_uses(plan: Plan, uses: Table | None, names: list[str], block: str) -> dict[int, FloatArray]:
    """Rows with an activity of the block (`marketing` for all, `marketing:CHANNEL` for one) add up."""
    table, column = plan.tables.get(TABLES[block][0]), TABLES[block][1]
    if table is None:
        return {}
    labels = table.text(column)
    found = {resource: np.zeros(len(labels)) for resource in range(len(names))}
    if uses is None:
        return found
    for row, (activity, resource) in enumerate(
        zip(uses.text("activity"), uses.text("resource"), strict=True)
    ):
        kind, _, name = activity.partition(":")
        if BLOCKS.get(kind) != block or resource not in names:
            continue
        if name and name not in labels:
            place = uses.place(row, "activity", activity)
            raise InputError("model.activity_name", place, table=table.name, nearest=nearest(name, labels))
        own = np.array([not name or label == name for label in labels], dtype=np.bool_)
        found[names.index(resource)] += uses.numbers("amount")[row] * own
    return found


def _check_names(uses: Table, names: list[str]) -> None:
    for row, (activity, resource) in enumerate(
        zip(uses.text("activity"), uses.text("resource"), strict=True)
    ):
        if resource not in names:
            raise InputError(
                "model.resource_unknown",
                uses.place(row, "resource", resource),
                nearest=nearest(resource, names),
            )
        if activity.split(":")[0] not in (SELL, SELLER, *BLOCKS):
            raise InputError("model.activity_unknown", uses.place(row, "activity", activity))


def _add_uses(
    uses: Table,
    names: list[str],
    markets: Markets,
    selling: Selling,
    per_unit: dict[int, FloatArray],
    by_sellers: FloatArray,
    of_seats: dict[int, FloatArray],
) -> None:
    """Rows add up: an amount a unit sold in the row's markets by the row's sellers, or a seller and
    period."""
    pairs, sellers = selling.pairs, selling.sellers
    seller_side = prefixed(sellers.labels, "seller")
    of_market, market = matching_rows(uses, prefixed(market_columns(markets), "market"))
    of_seller, seller = matching_rows(uses, seller_side)
    activities, amounts = uses.text("activity"), uses.numbers("amount")
    for row, (activity, resource) in enumerate(zip(activities, uses.text("resource"), strict=True)):
        kind, _, name = activity.partition(":")
        if kind in BLOCKS:
            continue
        own = np.zeros(len(sellers.names), dtype=np.bool_)
        own[seller[of_seller == row]] = True
        if name:
            if name not in sellers.names:
                raise InputError(
                    "model.activity_seller",
                    uses.place(row, "activity", activity),
                    nearest=nearest(name, sellers.names),
                )
            own &= np.array([found == name for found in sellers.names], dtype=np.bool_)
        if kind == SELLER:
            by_sellers[names.index(resource)] += amounts[row] * sellers.headcount[own].sum(axis=0)
            if sellers.open_seats is not None:
                of_seats[names.index(resource)] += amounts[row] * own[sellers.open_seats.seller]
        else:
            where = np.zeros(len(markets.names), dtype=np.bool_)
            where[market[of_market == row]] = True
            per_unit[names.index(resource)] += amounts[row] * (where[pairs.market] & own[pairs.seller])
