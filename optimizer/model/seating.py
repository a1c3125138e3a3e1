"""The columns of open seats: when each is filled, who is there, and what they can do."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from optimizer.model.blocks import ActivityBlock
from optimizer.model.builder import ProgramBuilder
from optimizer.model.cube import Cube
from optimizer.model.marketing import by_period
from optimizer.model.staff import most_heads
from optimizer.plan.openseats import OpenSeats

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]


def seat_blocks(builder: ProgramBuilder, cube: Cube) -> list[ActivityBlock]:
    """Blocks hire (binary, O), seat_heads (share of the period that somebody is there, O) and seat_capacity
    (O, in the seat's unit); none without open seats."""
    seats = cube.inputs.selling.sellers.open_seats
    if seats is None:
        return []
    labels = seat_labels(cube, seats)
    names = tuple(labels["seller"])
    rows, periods = len(names), cube.num_periods
    ahead = np.arange(periods) >= cube.inputs.past
    shown = by_period(names, cube.calendar.period)
    filled = filled_before(cube, seats)
    may = np.where(ahead[None, :], seats.may_start, filled).astype(np.float64)
    at_most = most_of_seats(cube, seats)
    hire = builder.add_columns(
        "hire", may.size, shown, lower=filled.ravel().astype(np.float64), upper=may.ravel(), integer=True
    )
    heads = builder.add_columns("seat_heads", may.size, shown, upper=at_most[0].ravel())
    capacity = builder.add_columns("seat_capacity", may.size, shown, upper=at_most[1].ravel())
    return [
        ActivityBlock("hire", hire, labels, rows, periods, np.ones(may.shape), decision=True),
        ActivityBlock("seat_heads", heads, labels, rows, periods, _finite(at_most[0]), decision=False),
        ActivityBlock("seat_capacity", capacity, labels, rows, periods, _finite(at_most[1]), decision=False),
    ]


def filled_before(cube: Cube, seats: OpenSeats) -> BoolArray:
    """Starts of open seats in closed periods, as facts tell them (O, T)."""
    facts = cube.inputs.facts
    if facts is None or facts.hires is None:
        return np.zeros(seats.may_start.shape, dtype=np.bool_)
    return np.asarray(facts.hires > 0, dtype=np.bool_)


def _finite(values: FloatArray) -> FloatArray:
    """A plausible size where there may be no limit."""
    return np.where(np.isfinite(values), values, 1.0)


def most_of_seats(cube: Cube, seats: OpenSeats) -> tuple[FloatArray, FloatArray]:
    """Heads and capacity of each row at most (O, T); inf for a whole role without a limit."""
    heads, capacity = seats.headcount.max(axis=1), seats.capacity.max(axis=1)
    roles = cube.inputs.roles
    for place in np.flatnonzero(seats.role >= 0).tolist():
        assert roles is not None
        most = float(most_heads(roles)[seats.role[place]])
        heads[place] = most
        full = seats.full[place]
        capacity[place] = np.multiply(full, most, out=np.zeros_like(full), where=full > 0)
    return heads, capacity


def seat_labels(cube: Cube, seats: OpenSeats) -> dict[str, list[str]]:
    """Columns of the sellers table, also as seller.NAME, of each open seat."""
    found = {}
    for name, texts in cube.inputs.selling.sellers.labels.items():
        found[name] = found[f"seller.{name}"] = [texts[seller] for seller in seats.seller]
    return found


def seat_of_open(cube: Cube, seats: OpenSeats) -> IntArray:
    """The seat of the cube that each open seat is (O,): open seats are never in a group with others."""
    return cube.groups.group[seats.seller]


def open_seat_of(cube: Cube) -> IntArray:
    """The open seat that each seat of the cube is (G,); -1 for people who are there."""
    found = np.full(len(cube.seat_names), -1, dtype=np.int64)
    seats = cube.inputs.selling.sellers.open_seats
    if seats is not None:
        found[seat_of_open(cube, seats)] = np.arange(len(seats.seller))
    return found


def may_be_there(cube: Cube) -> BoolArray:
    """Seats and periods in which somebody is there or may be (G, T)."""
    there = cube.presence > 0
    seats = cube.inputs.selling.sellers.open_seats
    if seats is not None:
        ahead = np.arange(cube.num_periods) >= cube.inputs.past
        begun = (seats.may_start & ahead[None, :]) | filled_before(cube, seats)
        reached = ((seats.presence * begun[:, :, None]).max(axis=1) > 0) & ahead[None, :]
        whole = (seats.role >= 0)[:, None] & (np.arange(cube.num_periods) >= cube.inputs.past)[None, :]
        there[seat_of_open(cube, seats)] |= reached | whole
    return np.asarray(there, dtype=np.bool_)


def staffed(cube: Cube, hires: FloatArray, heads: FloatArray, capacity: FloatArray) -> Cube:
    """The cube with its open seats and whole roles as planned: `hires` (O, T) are 1 in the period of a start,
    `heads` and `capacity` (O, T) those that follow."""
    seats = cube.inputs.selling.sellers.open_seats
    if seats is None:
        return cube
    own = seat_of_open(cube, seats)
    whole = (seats.role >= 0)[:, None]
    there = np.einsum("ou,out->ot", np.round(hires), seats.presence)
    full = np.where(np.isfinite(seats.full) & (seats.full > 0), seats.full, 1.0)

    def filled(values: FloatArray, planned: FloatArray) -> FloatArray:
        found: FloatArray = values.copy()
        found[own] = np.where(np.isfinite(values[own]), planned, values[own])
        return found

    return replace(
        cube,
        headcount=filled(cube.headcount, heads),
        presence=filled(cube.presence, np.where(whole, capacity / full, there)),
        capacity=filled(cube.capacity, capacity),
    )
