"""What effects on capacity add to open seats and whole roles, whose people the plan decides on.

A *seat gain* row is one window of time for one open seat: its capacity, or its heads, while the window is
open. Somebody who is there when a training works can do so much more; somebody who is not hired cannot.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from optimizer.errors import InputError
from optimizer.model.blocks import ActivityBlock
from optimizer.model.builder import ProgramBuilder
from optimizer.model.cube import Cube
from optimizer.model.marketing import by_period
from optimizer.model.seating import most_of_seats, seat_labels
from optimizer.plan.effects import Effects
from optimizer.plan.openseats import OpenSeats

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class SeatGains:
    """K rows, a window and an open seat each, over T periods."""

    window: IntArray
    """Window of each row (K,)."""
    place: IntArray
    """Open seat of each row (K,)."""
    of_heads: BoolArray
    """Whether the row counts heads, for effects that add an amount a head; else capacity (K,)."""
    most: FloatArray
    """The most that a row can be (K, T)."""

    def of_effect(self, effects: Effects, seats: OpenSeats, effect: int) -> IntArray:
        """The rows that one effect changes; its amount applies to each unit of them."""
        own = (self.window == effects.window[effect]) & (self.of_heads != effects.multiplies[effect])
        return np.flatnonzero(own & effects.sellers[effect][seats.seller][self.place])


def find_seat_gains(cube: Cube) -> SeatGains | None:
    """The seat gain rows of a cube; None where no effect is about the capacity of an open seat.

    Raises `InputError` for a whole role whose people nothing limits.
    """
    effects, seats = cube.inputs.effects, cube.inputs.selling.sellers.open_seats
    if effects is None or seats is None:
        return None
    keys = [
        (int(effects.window[effect]), place, not effects.multiplies[effect])
        for effect in effects.of("capacity")
        for place in np.flatnonzero(effects.sellers[effect][seats.seller] & seats.limited).tolist()
    ]
    if not keys:
        return None
    window, place, heads = (np.array(part) for part in zip(*dict.fromkeys(keys), strict=True))
    most = np.where(heads[:, None], *(side[place] for side in most_of_seats(cube, seats)))
    if not np.isfinite(most).all():
        row = int(seats.seller[place[int((~np.isfinite(most)).any(axis=1).argmax())]])
        name = cube.inputs.selling.sellers.names[row]
        raise InputError(
            "effects.role_without_limit", cube.inputs.plan.tables["sellers"].place(row), role=name
        )
    return SeatGains(window, place, heads, most)


def seat_gain_blocks(builder: ProgramBuilder, cube: Cube, found: SeatGains | None) -> list[ActivityBlock]:
    """Block seat_gain: capacity or heads of open seats while a window is open (K, T)."""
    seats, effects, begun = (
        cube.inputs.selling.sellers.open_seats,
        cube.inputs.effects,
        cube.inputs.initiatives,
    )
    if found is None or seats is None or effects is None or begun is None:
        return []
    labels = {name: [texts[at] for at in found.place] for name, texts in seat_labels(cube, seats).items()}
    names = tuple(
        f"{window + 1} {begun.names[effects.windows[window][0]]}/{seller}{' heads' if heads else ''}"
        for window, seller, heads in zip(found.window, labels["seller"], found.of_heads, strict=True)
    )
    labels["window"] = list(names)
    start = builder.add_columns("seat_gain", found.most.size, by_period(names, cube.calendar.period))
    size = len(names), cube.num_periods
    return [ActivityBlock("seat_gain", start, labels, *size, found.most, decision=False)]
