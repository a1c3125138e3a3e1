"""Markets that nobody sells to, sellers without work, open seats, profiles and entries without effect."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from optimizer.checks.finding import Checked, Finding, listed
from optimizer.plan.profiles import USED_AS, WORKING_DAYS
from optimizer.plan.tables import Table

_SEASON = "season"
_FITS = 1.02
_PEAK = 1.1


def check_coverage(checked: Checked) -> Iterator[Finding]:
    """Markets without sellers, sellers without markets or capacity, markets that can sell nothing."""
    inputs = checked.inputs
    pairs, sellers, markets = inputs.selling.pairs, inputs.selling.sellers, inputs.markets
    tables = inputs.plan.tables
    alone = np.setdiff1d(np.arange(len(markets.names)), pairs.market)
    if len(alone):
        lost = float(np.nansum(markets.last_year_revenue[alone]))
        yield _warning(
            "checking.market_without_seller", tables["markets"], markets.names, alone, last_year=lost
        )
    idle = np.setdiff1d(np.arange(len(sellers.names)), pairs.seller)
    if len(idle):
        yield _warning("checking.seller_without_market", tables["sellers"], sellers.names, idle)
    never: NDArray[np.bool_] = np.all(sellers.presence <= 0, axis=1) | np.all(sellers.capacity <= 0, axis=1)
    if sellers.open_seats is not None:
        seats = sellers.open_seats
        never[seats.seller] = ~seats.presence.any(axis=(1, 2)) & (seats.role < 0)
    away = np.flatnonzero(never)
    if len(away):
        yield _warning("checking.seller_without_capacity", tables["sellers"], sellers.names, away)
    sold = np.unique(pairs.market)
    nothing = sold[(markets.potential[sold] <= 0).all(axis=1)]
    if len(nothing):
        yield _warning("checking.market_without_potential", tables["markets"], markets.names, nothing)


def _warning(
    key: str, table: Table, names: Sequence[str], rows: NDArray[np.int64], **fields: float
) -> Finding:
    """A warning on these rows of a table: their names, how many, and the place of the first."""
    shown = {table.name: listed([names[row] for row in rows]), "count": len(rows), **fields}
    return Finding("warning", key, shown, table.place(int(rows[0])))


def check_open_seats(checked: Checked) -> Iterator[Finding]:
    """Open seats: how many, and those without an earliest start, which may start in any period."""
    table = checked.inputs.plan.tables.get("sellers")
    if table is None or "status" not in table.frame.columns:
        return
    is_open = np.array([status == "open" for status in table.text("status")], dtype=np.bool_)
    if not is_open.any():
        return
    names = table.text("seller")
    yield Finding(
        "info",
        "checking.open_seats",
        {
            "sellers": listed([names[row] for row in np.flatnonzero(is_open)]),
            "count": int(is_open.sum()),
        },
    )
    starts = (
        table.frame["from"].isna().to_numpy()
        if "from" in table.frame.columns
        else np.ones(len(table), dtype=np.bool_)
    )
    undated = np.flatnonzero(is_open & starts)
    if len(undated):
        yield Finding(
            "info",
            "checking.open_seat_without_start",
            {"sellers": listed([names[row] for row in undated])},
            table.place(int(undated[0]), "from"),
        )


def check_seasons(checked: Checked) -> Iterator[Finding]:
    """Periods in which last year's sales would take more capacity than there is, although the year fits.

    Capacity that is the same in every month flattens the season: nobody sells in December what December sold.
    """
    cube = checked.context.cube
    sellers = checked.inputs.selling.sellers
    if len(set(sellers.capacity_unit)) != 1 or not np.isfinite(sellers.capacity).all():
        return
    sold = np.nan_to_num(cube.markets.last_year_units)
    pairs = np.maximum(np.bincount(cube.pair_market, minlength=len(sold)), 1)
    share = sold[cube.pair_market] / pairs[cube.pair_market][:, None]
    needed, there = (share * cube.effort).sum(axis=0), sellers.capacity.sum(axis=0)
    if needed.sum() > there.sum() * _FITS or not (there > 0).all():
        return
    worst = int((needed / there).argmax())
    if needed[worst] > there[worst] * _PEAK:
        fields = {"period": cube.calendar.period[worst], "share": float(needed[worst] / there[worst] * 100.0)}
        place = checked.inputs.plan.tables["sellers"].place(0, "capacity")
        yield Finding("warning", "checking.season_above_capacity", fields, place)


def check_profiles(checked: Checked) -> Iterator[Finding]:
    """Profiles that nothing uses: most often a slip in a name."""
    tables = checked.inputs.plan.tables
    profiles = tables.get("profiles")
    if profiles is None:
        return
    used = {_SEASON, WORKING_DAYS}
    for table in (tables["markets"], tables.get("sellers"), tables.get("marketing")):
        for column in USED_AS:
            if table is not None and column in table.frame.columns:
                used |= set(table.text(column))
    names = profiles.text("profile")
    for name in dict.fromkeys(names):
        if name not in used:
            # A note: a fitted plan brings more profiles than its first version uses.
            yield Finding(
                "info", "checking.profile_unused", {"profile": name}, profiles.place(names.index(name))
            )


def check_effects(checked: Checked) -> Iterator[Finding]:
    """Entries of stay_near that ask for nothing."""
    for near in checked.inputs.plan.spec.stay_near:
        if near.within is None and near.priority is None and near.changes_at_most is None:
            yield Finding("warning", "checking.stay_near_without_effect", {"name": near.name})
