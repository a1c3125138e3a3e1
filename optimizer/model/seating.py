"""The columns of open seats: when each is filled, who is there, and what they can do."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from optimizer.model.blocks import ActivityBlock
from optimizer.model.builder import ProgramBuilder
from optimizer.model.cube import Cube
from optimizer.model.marketing import by_period
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
    may = (seats.may_start & ahead[None, :]).astype(np.float64)
    most_heads, most_capacity = seats.headcount.max(axis=1), seats.capacity.max(axis=1)
    hire = builder.add_columns("hire", may.size, shown, upper=may.ravel(), integer=True)
    heads = builder.add_columns("seat_heads", may.size, shown, upper=most_heads.ravel())
    capacity = builder.add_columns("seat_capacity", may.size, shown, upper=most_capacity.ravel())
    return [
        ActivityBlock("hire", hire, labels, rows, periods, np.ones(may.shape), decision=True),
        ActivityBlock("seat_heads", heads, labels, rows, periods, most_heads, decision=False),
        ActivityBlock("seat_capacity", capacity, labels, rows, periods, most_capacity, decision=False),
    ]


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
        begun = seats.may_start & (np.arange(cube.num_periods) >= cube.inputs.past)[None, :]
        reached = (seats.presence * begun[:, :, None]).max(axis=1) > 0
        there[seat_of_open(cube, seats)] |= reached
    return np.asarray(there, dtype=np.bool_)


def staffed(cube: Cube, hires: FloatArray) -> Cube:
    """The cube with its open seats filled as planned: `hires` (O, T) are 1 in the period of the start."""
    seats = cube.inputs.selling.sellers.open_seats
    if seats is None:
        return cube
    own, begun = seat_of_open(cube, seats), np.round(hires)

    def filled(values: FloatArray, by_start: FloatArray) -> FloatArray:
        found: FloatArray = values.copy()
        known = np.isfinite(values[own])
        found[own] = np.where(known, np.einsum("ou,out->ot", begun, by_start), values[own])
        return found

    return replace(
        cube,
        headcount=filled(cube.headcount, seats.headcount),
        presence=filled(cube.presence, seats.presence),
        capacity=filled(cube.capacity, seats.capacity),
    )
