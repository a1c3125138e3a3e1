"""The effects table as arrays: what initiatives change, where, and from when on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from optimizer.errors import InputError, Place
from optimizer.plan.assumptions import AssumptionLog
from optimizer.plan.initiatives import Initiatives
from optimizer.plan.marketing import Marketing
from optimizer.plan.markets import Markets
from optimizer.plan.matching import Side, matching_rows, prefixed
from optimizer.plan.names import nearest
from optimizer.plan.plan import Plan
from optimizer.plan.sellers import Sellers
from optimizer.plan.tables import ALL, Table
from optimizer.plan.territories import market_columns

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

SIDES: Mapping[str, tuple[str, ...]] = {
    "demand": ("market",),
    "organic": ("market",),
    "leads": ("marketing",),
    "conversion": ("market", "marketing"),
    "cycle": ("market", "marketing"),
    "retention": ("market",),
    "repeat": ("market",),
    "capacity": ("seller",),
    "hours": ("market", "seller"),
    "price": ("market", "seller"),
    "unit_cost": ("market", "seller"),
    "value": ("market",),
    "satisfaction": ("market",),
    "unlock": ("market", "seller"),
}
"""What an effect changes -> whose columns its keys may name."""
ADD_ONLY = ("value", "satisfaction")
UNLOCK = "unlock"


@dataclass(frozen=True, eq=False)
class Effects:
    """E effects of initiatives over W windows of time."""

    row: IntArray
    """Row of the table (E,)."""
    changes: tuple[str, ...]
    amount: FloatArray
    """What is added, or the factor minus 1 where the effect multiplies (E,)."""
    multiplies: BoolArray
    window: IntArray
    """Window of each effect (E,)."""
    windows: tuple[tuple[int, int, int], ...]
    """(initiative, periods from its start to the first period of the window, periods that it lasts)."""
    markets: BoolArray
    """Markets that each effect is about (E, M)."""
    sellers: BoolArray
    """Sellers that each effect is about (E, S)."""
    channels: BoolArray
    """Rows of marketing that each effect is about (E, C)."""
    by_channel: BoolArray
    """Whether an effect names rows of marketing (E,)."""
    place: tuple[Place, ...]
    """Where each effect stands (E,)."""

    def of(self, *changes: str) -> list[int]:
        """The effects that change one of these."""
        return [effect for effect, change in enumerate(self.changes) if change in changes]


def resolve_effects(
    plan: Plan,
    markets: Markets,
    sellers: Sellers,
    marketing: Marketing | None,
    initiatives: Initiatives | None,
    log: AssumptionLog,
) -> Effects | None:
    """Arrays of effects; None without the table.

    A blank `likely` is an effect of nothing, which is written down. Raises `InputError` for unknown
    initiatives, keys of a side that the effect has nothing to do with, and amounts that cannot be.
    """
    table = plan.tables.get("effects")
    if table is None:
        return None
    if initiatives is None:
        raise InputError("effects.no_initiatives", table.place(0))
    changes = tuple(table.text("changes"))
    sides: dict[str, Side] = {
        "marketing": {} if marketing is None else marketing.labels,
        "market": prefixed(market_columns(markets), "market"),
        "seller": prefixed(sellers.labels, "seller"),
    }
    _check(table, changes, sides)
    amount, multiplies = _amounts(table, changes, log)
    # Windows that end with the plan may part in run-out periods, so they are told apart by what is written.
    written = [str(lasts) for lasts in table.numbers("lasts")]
    windows = list(zip(_windows(table, initiatives, plan.calendar.size), written, strict=True))
    distinct = list(dict.fromkeys(windows))
    return Effects(
        row=np.arange(len(table)),
        changes=changes,
        amount=amount,
        multiplies=multiplies,
        window=np.array([distinct.index(window) for window in windows], dtype=np.int64),
        windows=tuple(window for window, _ in distinct),
        markets=_matched(table, sides["market"], len(markets.names)),
        sellers=_matched(table, sides["seller"], len(sellers.names)),
        channels=_matched(table, sides["marketing"], 0 if marketing is None else len(marketing.names)),
        by_channel=_names_one(table, [name for name in sides["marketing"] if name not in sides["market"]]),
        place=tuple(table.place(row) for row in range(len(table))),
    )


def effects_run_on(plan: Plan, effects: Effects, initiatives: Initiatives, more: int) -> Effects:
    """The effects with so many periods more: those that last to the end of the plan last on.

    `initiatives` run on already.
    """
    size = plan.calendar.size + more
    longer = _windows(plan.tables["effects"], initiatives, size)
    first = [int(np.argmax(effects.window == window)) for window in range(len(effects.windows))]
    return replace(effects, windows=tuple(longer[effect] for effect in first))


def _matched(table: Table, side: Side, size: int) -> BoolArray:
    found: BoolArray = np.zeros((len(table), size), dtype=np.bool_)
    if size:
        row, member = matching_rows(table, side)
        found[row, member] = True
    return found


def _names_one(table: Table, columns: Sequence[str]) -> BoolArray:
    """Rows that fill in one of these key columns (E,)."""
    found: BoolArray = np.zeros(len(table), dtype=np.bool_)
    for column in columns:
        if column in table.labels:
            found |= np.array([text != ALL for text in table.text(column)], dtype=np.bool_)
    return found


def _check(table: Table, changes: Sequence[str], sides: Mapping[str, Side]) -> None:
    """Refuse blank kinds, and keys that what the effect changes does not have."""
    for row, change in enumerate(changes):
        if not change:
            raise InputError("plan.blank_label", table.place(row, "changes"), column="changes")
    for column in table.labels:
        texts = table.text(column)
        for row, change in enumerate(changes):
            has_it = any(column in sides[side] for side in SIDES[change])
            if texts[row] != ALL and not has_it:
                raise InputError("effects.foreign_key", table.place(row, column, texts[row]), changes=change)


def _amounts(table: Table, changes: Sequence[str], log: AssumptionLog) -> tuple[FloatArray, BoolArray]:
    """The likely amounts (E,), factors minus 1, and which of them are factors."""
    likely = table.numbers("likely")
    multiplies = np.array([kind == "multiply" for kind in table.choices("kind")], dtype=np.bool_)
    unlocks = np.array([change == UNLOCK for change in changes], dtype=np.bool_)
    for row in np.flatnonzero(multiplies).tolist():
        if changes[row] in (*ADD_ONLY, UNLOCK):
            raise InputError("effects.add_only", table.place(row, "kind"), changes=changes[row])
        if likely[row] < 0:
            raise InputError("effects.factor_negative", table.place(row, "likely", f"{likely[row]:g}"))
    _check_order(table, likely)
    blank = np.isnan(likely) & ~unlocks
    log.note("effect_blank", "effects", "likely", int(blank.sum()), None, scalable=False)
    nothing = np.where(multiplies, 1.0, 0.0)
    amount = np.where(np.isnan(likely) | unlocks, nothing, likely) - nothing
    return amount, multiplies


def _check_order(table: Table, likely: FloatArray) -> None:
    low, high = table.numbers("low"), table.numbers("high")
    crossed = (low > likely) | (likely > high) | (low > high)
    if crossed.any():
        row = int(crossed.argmax())
        raise InputError("plan.range_order", table.place(row, "likely", f"{likely[row]:g}"), column="likely")


def _windows(table: Table, initiatives: Initiatives, periods: int) -> list[tuple[int, int, int]]:
    """(initiative, after, lasts) of each effect; a blank `lasts` is the initiative's own duration."""
    after, lasts = table.numbers("after"), table.numbers("lasts")
    for name, values, least in (("after", after, 0), ("lasts", lasts, 1)):
        wrong = ~np.isnan(values) & ((values < least) | (values != np.round(values)))
        if wrong.any():
            row = int(wrong.argmax())
            raise InputError("effects.periods_not_whole", table.place(row, name, f"{values[row]:g}"))
    found = []
    for row, name in enumerate(table.text("initiative")):
        if name not in initiatives.names:
            near = nearest(name, initiatives.names)
            raise InputError("effects.initiative_unknown", table.place(row, "initiative", name), nearest=near)
        own = initiatives.names.index(name)
        length = int(initiatives.duration[own]) if np.isnan(lasts[row]) else int(lasts[row])
        found.append((own, int(np.nan_to_num(after[row])), min(length, periods)))
    return found
