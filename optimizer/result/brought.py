"""What the effects of started initiatives bring, in the unit of what each of them changes.

From the plan's own values, with window w of effect e working as planned:

    demand, organic, capacity, retention, repeat, value     what is added while w works, used or not
    leads, conversion, cycle, hours, price, unit_cost       the change of one, times those that w is about
    satisfaction                                            the points while it works
    unlock                                                  what is sold in the opened rows while w works

These are no marginal figures: without the initiative the plan would be another one, which only a second solve
with its start forbidden tells.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from optimizer import messages
from optimizer.model.families.customers import kept_more, ordered_more
from optimizer.model.gains import added_organic, change_of_row, touches
from optimizer.model.uplifts import step_of_unit, touched
from optimizer.model.windows import added_by_seat, added_demand, value_by_market
from optimizer.plan.effects import Effects
from optimizer.report import numbers
from optimizer.result.evaluate import added_to_open_seats
from optimizer.result.solution import Solution

FloatArray = NDArray[np.float64]

UNITS = {
    "demand": "units", "organic": "opportunities", "leads": "leads", "conversion": "deals",
    "cycle": "days", "retention": "customers", "repeat": "orders", "hours": "hours", "price": "currency",
    "unit_cost": "currency", "value": "currency", "satisfaction": "points", "unlock": "units",
}  # fmt: skip
"""What an effect changes -> unit of what it brings; capacity is counted in that of its sellers."""


def effect_table(solution: Solution) -> pd.DataFrame:
    """One row an effect of an initiative that is started.

    Columns: initiative; changes; kind (add, multiply); amount (as in the effects table); first and last
    (periods of the plan in which it works; blank behind the horizon); brings and unit. Raises `ValueError`
    without a plan.
    """
    effects, found = solution.sellers.inputs.effects, solution.sellers.inputs.initiatives
    assert effects is not None and found is not None
    working = solution.activities.blocks["working"].values(solution.x)[effects.window]
    started = solution.activities.blocks["start"].values(solution.x).max(axis=1) > 0.5
    periods, rows = solution.sellers.calendar.period, []
    for effect, window in enumerate(effects.window):
        begun = effects.windows[window][0]
        if not started[begun]:
            continue
        on, factor = np.flatnonzero(working[effect] > 0.5), bool(effects.multiplies[effect])
        rows.append(
            {
                "initiative": found.names[begun],
                "changes": effects.changes[effect],
                "kind": "multiply" if factor else "add",
                "amount": float(effects.amount[effect]) + factor,
                "first": periods[on[0]] if len(on) else "",
                "last": periods[on[-1]] if len(on) else "",
                "brings": _brings(solution, effects, effect, working[effect]),
                "unit": _unit(solution, effects, effect),
            }
        )
    columns = ["initiative", "changes", "kind", "amount", "first", "last", "brings", "unit"]
    texts = dict.fromkeys(("initiative", "changes", "kind", "first", "last", "unit"), "str")
    return pd.DataFrame(rows, columns=columns).astype(texts | {"amount": float, "brings": float})


def brings_by_initiative(solution: Solution) -> dict[str, str]:
    """Initiative -> what its effects change and bring, in words of the plan's language; those that work."""
    language, found = solution.plan.spec.language, {}
    if solution.sellers.inputs.effects is None:
        return {}
    for name, own in effect_table(solution).groupby("initiative", sort=False):
        sums = own.groupby(["changes", "unit"], sort=False)["brings"].sum().reset_index()
        found[str(name)] = "; ".join(_sentence(row, language, solution) for row in sums.to_dict("records"))
    return found


def _sentence(row: dict[str, Any], language: str, solution: Solution) -> str:
    unit = row["unit"]
    word = solution.plan.spec.currency if unit == "currency" else ""
    word = word or messages.text(f"effects.unit_{unit}", language)
    value = numbers.signed(numbers.amount(row["brings"], language), row["brings"])
    return messages.text(f"effects.brings_{row['changes']}", language, value=value, unit=word)


def _unit(solution: Solution, effects: Effects, effect: int) -> str:
    if effects.changes[effect] != "capacity":
        return UNITS[effects.changes[effect]]
    units = np.array(solution.sellers.inputs.selling.sellers.capacity_unit)[effects.sellers[effect]]
    known = sorted({str(unit) for unit in units if unit})
    return "currency" if known == ["revenue"] else known[0] if len(known) == 1 else "capacity"


def _brings(solution: Solution, effects: Effects, effect: int, working: FloatArray) -> float:
    """What one effect brings over the plan, in its own unit."""
    cube, change = solution.sellers, effects.changes[effect]
    if change == "satisfaction":
        return float(effects.amount[effect]) * float(working.max(initial=0.0) > 0.5)
    if change in ("hours", "price", "unit_cost"):
        return _of_units(solution, effects, effect)
    if change in ("conversion", "cycle") or (change == "leads" and effects.multiplies[effect]):
        return _of_entries(solution, effects, effect)
    if change == "unlock":
        own = touched(cube, effects, effect)
        return float((solution.x[: cube.num_cells].reshape(cube.num_pairs, -1)[own] * working).sum())
    if change == "demand":
        added = added_demand(cube, effects, effect)
    elif change == "organic":
        added = added_organic(cube, effects, effect)
    elif change == "leads":
        added = np.full((1, cube.num_periods), float(effects.amount[effect]))
    elif change == "retention":
        added = kept_more(cube, effects, effect)
    elif change == "repeat":
        added = ordered_more(cube, effects, effect)
    elif change == "capacity":
        open_seats = float(added_to_open_seats(solution, effects, effect).sum())
        return float((added_by_seat(cube, effects, effect) * working).sum()) + open_seats
    else:
        added = value_by_market(cube, effects, effect) * 12.0 / cube.calendar.periods_a_year
    return float((added * working).sum())


def _of_units(solution: Solution, effects: Effects, effect: int) -> float:
    """The change of a unit, times the units that are sold while the window works."""
    cube, rows = solution.sellers, solution.activities.uplifts
    assert rows is not None
    own = (rows.window == effects.window[effect]) & touched(cube, effects, effect)[rows.pair]
    step = step_of_unit(cube, effects, effect)
    if effects.changes[effect] == "hours":
        step = step * np.nan_to_num(cube.hours)
    sold = solution.activities.blocks["uplift"].values(solution.x)
    return float((step[rows.pair[own]] * sold[own]).sum())


def _of_entries(solution: Solution, effects: Effects, effect: int) -> float:
    """The change of an opportunity or a lead, times those that enter while the window works."""
    total = 0.0
    blocks = solution.activities.blocks
    for base, rows in solution.activities.gains.items():
        own = touches(solution.sellers, effects, effect, rows, blocks[base])
        if (effects.changes[effect] == "leads") == (base == "response") and own.any():
            each = change_of_row(solution.sellers, effects, effect, rows, blocks[base])
            entered = blocks[f"gain_{base}"].values(solution.x)
            total += float((each[:, None] * entered)[own].sum())
    return total
