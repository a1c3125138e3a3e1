"""Worlds without compiling: what is learned of them, for each combination of levels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from optimizer.model.compile import Model, compile_plan
from scenarios.risk.arrays import World
from scenarios.risk.futures import Future, with_presence
from scenarios.risk.learned import (
    Influence,
    Learned,
    NotLearnedError,
    Probe,
    influence_of,
    nodes_between,
    smooth_influence,
    summed_influence,
)
from scenarios.risk.presence import absent_share
from scenarios.risk.riskfile import Draws, Risk
from scenarios.risk.slips import delays_of, slipped
from scenarios.risk.worlds import Worlds

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

MOST_LEVELS = 8
"""Combinations of levels that are learned; more are compiled in full."""
_LEVELS = (0.9, 0.25, 0.1, 0.75, 0.5, 0.97, 0.03)
"""Uniform numbers at which a variable is tried."""
MOST_KINDS = 24
"""Kinds of rows that are tried one by one for numbers that several of them move."""
_JOINT = 4
"""Futures in which everything moves, compiled to see how several moves of one number combine."""
_SHARE_THERE = 0.5
"""Share of each period for which sellers are there in the future that shows what presence moves."""


@dataclass(frozen=True)
class Atom:
    """One movement that the learned numbers know: of a variable, an outcome of an event, or presence."""

    kind: str
    number: int = 0
    outcome: int = 0
    base: FloatArray | None = None
    """Likely values of a variable that sets rows, one for rows of the same low, likely and high (slots,)."""
    first: IntArray | None = None
    """A row of each of these (slots,)."""


class LearnedWorlds:
    """Worlds of one set of levels without compiling."""

    def __init__(
        self, worlds: Worlds, learned: Learned, atoms: Sequence[Atom], unknown: Sequence[int]
    ) -> None:
        self.worlds, self.learned, self._atoms = worlds, learned, tuple(atoms)
        self.unknown = tuple(unknown)
        """Figures that depend on who is there, which is not learned: they are NaN."""

    def world(self, draws: Draws, row: int) -> World:
        """One future."""
        outcomes = draws.outcomes[row]
        world = self.learned.world(movements(self.worlds, self._atoms, draws.u[row], outcomes))
        happened = {int(at): int(outcomes[at]) for at in np.flatnonzero(outcomes)}
        delays = delays_of(self.worlds.risk.events, happened)
        if not delays:
            return world
        return replace(world, program=slipped(world.program, self.worlds.model, delays))


Key = tuple[tuple[float, ...], ...]


class Stratified:
    """Learned worlds for each combination of levels.

    A number that takes a few values only (a cycle that is as planned or half as long again) may change rows
    and columns: how far ahead leads count, what falls behind the end. Each combination is a base of its own.
    """

    def __init__(self, worlds: Worlds, draws: Draws) -> None:
        """Learns; raises `NotLearnedError` with the reason."""
        self._variables = [
            at
            for at, one in enumerate(worlds.risk.variables)
            if at not in worlds.levels and (one.action == "shift" or one.distribution.name == "discrete")
        ]
        self._worlds = worlds
        keys = list(dict.fromkeys(self.key(draws, row) for row in range(len(draws))))
        if len(keys) > MOST_LEVELS:
            raise NotLearnedError(f"{len(keys)} combinations of levels")
        self.parts: dict[Key, LearnedWorlds] = {}
        for key in keys:
            levels = {at: np.array(amounts) for at, amounts in zip(self._variables, key, strict=True)}
            own = (
                Worlds(worlds.risk, worlds.planned, worlds.way, worlds.levels | levels) if levels else worlds
            )
            self.parts[key] = _Learning(own, draws).learned()
        if len({part.worlds.base.measures.labels for part in self.parts.values()}) > 1:
            raise NotLearnedError("figures come or go")

    @property
    def unknown(self) -> tuple[int, ...]:
        """Figures that some combination has not learned."""
        return tuple(sorted({at for part in self.parts.values() for at in part.unknown}))

    def key(self, draws: Draws, row: int) -> Key:
        """The levels of one future."""
        found = []
        for at in self._variables:
            variable = self._worlds.risk.variables[at]
            amounts = variable.amounts(float(draws.u[row, at]))
            found.append(tuple((np.round(amounts) if variable.action == "shift" else amounts).tolist()))
        return tuple(found)

    def world(self, draws: Draws, row: int) -> World:
        """One future."""
        return self.parts[self.key(draws, row)].world(draws, row)


def movements(worlds: Worlds, atoms: Sequence[Atom], u: FloatArray, outcomes: IntArray) -> list[FloatArray]:
    """How far each atom moves in a future: a factor less 1, an amount, 1 for an outcome, less the absent."""
    found = []
    for atom in atoms:
        if atom.kind == "presence":
            found.append(-absent_share(worlds, outcomes).ravel())
        elif atom.kind == "event":
            found.append(np.array([1.0 if outcomes[atom.number] == atom.outcome else 0.0]))
        else:
            found.append(_movement(worlds.risk, atom, float(u[atom.number])))
    return found


def _movement(risk: Risk, atom: Atom, u: float) -> FloatArray:
    variable = risk.variables[atom.number]
    if np.isnan(u):
        return np.zeros(1 if atom.base is None else len(atom.base))
    amounts = variable.amounts(u)
    return _of_amounts(variable.action, amounts if atom.first is None else amounts[atom.first], atom.base)


def _of_amounts(action: str, amounts: FloatArray, base: FloatArray | None) -> FloatArray:
    if base is not None:
        return amounts / base - 1.0
    return amounts - 1.0 if action == "multiply" else amounts


class _Learning:
    """Compiles the futures from which one is to learn."""

    def __init__(self, worlds: Worlds, draws: Draws) -> None:
        self._worlds, self._draws, self._risk = worlds, draws, worlds.risk
        self._base = worlds.base
        self._flat = self._base.flat()
        self._atoms: list[Atom] = []
        self._influences: list[Influence] = []
        self._unknown: set[int] = set()

    def learned(self) -> LearnedWorlds:
        """Variables one by one, events one by one, presence, then some futures in which everything moves."""
        for number in range(len(self._risk.variables)):
            if number not in self._worlds.levels:
                self._variable(number)
        for number, event in enumerate(self._risk.events):
            if event.kind == "changes" or event.block == "start":
                for outcome in range(1, len(event.probability) + 1):
                    future = self._future(happened={number: outcome})
                    self._add(
                        Atom("event", number, outcome), [Probe(np.ones(1), self._of(future))], event.name
                    )
        if any(event.kind == "leaves" for event in self._risk.events):
            self._presence()
        learned = Learned(self._base, self._influences)
        self._joint(learned)
        return LearnedWorlds(self._worlds, learned, self._atoms, sorted(self._unknown))

    def _future(
        self, amounts: Mapping[int, FloatArray] | None = None, happened: Mapping[int, int] | None = None
    ) -> Future:
        return Future.with_one(self._risk, {**self._worlds.levels, **(amounts or {})}, happened)

    def _of(self, future: Future) -> FloatArray:
        world = self._worlds.compiled(future)
        if not self._base.fits(world):
            raise NotLearnedError("rows or columns come or go")
        return world.flat()

    def _add(self, atom: Atom, probes: Sequence[Probe], name: str) -> None:
        found, other = influence_of(self._flat, probes)
        self._leave_out(other, name)
        self._atoms.append(atom)
        self._influences.append(found)

    def _leave_out(self, places: IntArray, name: str) -> None:
        """Figures whose own numbers are not learned are left out; a program that is not learned is no use."""
        first = self._base.place_of_measures()
        if (places < first).any():
            raise NotLearnedError(f"{name} moves {int((places < first).sum())} numbers in a way of its own")
        self._unknown |= self._measured_by(places)

    def _variable(self, number: int) -> None:
        variable = self._risk.variables[number]
        if variable.action == "set":
            self._by_row(number)
            return
        atom = Atom("variable", number)
        probes: list[Probe] = []
        for u in _LEVELS:
            movement = _of_amounts(variable.action, variable.amounts(u), None)
            known = [probe.movement[0] for probe in probes]
            if movement[0] != 0.0 and not any(np.isclose(movement[0], one) for one in known):
                future = self._future({number: variable.amounts(u)})
                probes.append(Probe(movement, self._of(future)))
            if len(probes) == 2:
                break
        if not probes:
            return
        found, other = influence_of(self._flat, probes)
        self._atoms.append(atom)
        self._influences.append(found)
        if len(other):
            self._smooth(number, other)

    def _smooth(self, number: int, places: IntArray) -> None:
        """Numbers that a variable moves along a smooth curve, such as a yearly rate by month."""
        variable = self._risk.variables[number]
        ends = np.quantile(self._draws.u[:, number], [0.0, 1.0])
        range_of = [_of_amounts(variable.action, variable.amounts(float(u)), None)[0] for u in ends]
        nodes = nodes_between(range_of[0], range_of[1])
        tried = np.append(nodes, range_of[0] + 0.3 * (range_of[1] - range_of[0]))
        one = 1.0 if variable.action == "multiply" else 0.0
        flats = [self._of(self._future({number: np.array([one + t])}))[places] for t in tried]
        found, other = smooth_influence(self._flat, places, nodes, flats[:-1], (tried[-1], flats[-1]))
        self._leave_out(other, variable.name)
        self._atoms.append(Atom("variable", number))
        self._influences.append(found)

    def _by_row(self, number: int) -> None:
        """A variable that sets rows, in two futures of random values between their ends.

        Rows of the same low, likely and high move together, so that equal sellers stay equal.
        """
        variable = self._risk.variables[number]
        table = self._risk.base.content.tables[variable.table]
        base = table.numbers(variable.column)[variable.rows]
        ends = variable.amounts(0.02), variable.amounts(0.98)
        triples = np.column_stack([ends[0], base, ends[1]])
        _, first, kind = np.unique(triples, axis=0, return_index=True, return_inverse=True)
        likely, moves = base[first], (ends[0] != ends[1])[first]
        if (likely[moves] == 0.0).any():
            raise NotLearnedError(f"{variable.name}: a likely value is 0")
        random = np.random.Generator(np.random.PCG64(number))
        probes: list[Probe] = []
        for _ in range(2):
            amounts = ends[0] + (ends[1] - ends[0]) * random.uniform(0.1, 0.9, len(first))[kind.ravel()]
            movement = np.where(moves, amounts[first] / np.where(likely == 0.0, 1.0, likely) - 1.0, 0.0)
            future = self._future({number: amounts})
            probes.append(Probe(movement, self._of(future)))
        scale = np.where(likely == 0.0, 1.0, likely)
        atom = Atom("variable", number, base=scale, first=first)
        found, other = influence_of(self._flat, probes)
        self._atoms.append(atom)
        self._influences.append(found)
        if len(other):
            ranges = np.where(moves, ends[1][first], likely)
            self._sums(atom, kind.ravel(), ranges, other, probes)

    def _sums(
        self, atom: Atom, kind: IntArray, ends: FloatArray, places: IntArray, probes: Sequence[Probe]
    ) -> None:
        """Numbers that several kinds of rows move, such as the size of all markets of a region, by adding up:
        a future for each kind shows its part."""
        variable = self._risk.variables[atom.number]
        likely = np.ones(len(ends)) if atom.base is None else atom.base
        moving = np.flatnonzero(ends != likely)
        if len(moving) > MOST_KINDS:
            self._leave_out(places, variable.name)
            return
        slopes = np.zeros((len(ends), len(places)))
        for slot in moving.tolist():
            amounts = np.where(np.arange(len(ends)) == slot, ends, likely)[kind]
            change = self._of(self._future({atom.number: amounts}))[places] - self._flat[places]
            slopes[slot] = change / (ends[slot] / likely[slot] - 1.0)
        found, wrong = summed_influence(self._flat, places, slopes, probes)
        self._leave_out(wrong, variable.name)
        self._atoms.append(atom)
        self._influences.append(found)

    def _presence(self) -> None:
        """Capacity rows and, of a plan that is kept, planned sales go with those who are there."""
        model, inputs = self._worlds.model, self._worlds.inputs
        sellers = inputs.selling.sellers
        leaving = {event.target for event in self._risk.events if event.kind == "leaves"}
        limits = sellers.capacity[[sellers.names.index(name) for name in sorted(leaving)]]
        if not np.isfinite(limits).all():
            raise NotLearnedError("a seller without a limit may leave")
        there = np.full_like(sellers.presence, _SHARE_THERE)
        half = compile_plan(with_presence(inputs, there))
        world = self._worlds.world_of(half, Future.with_one(self._risk))
        if not self._base.fits(world):
            raise NotLearnedError("presence makes rows or columns come or go")
        probe, other = influence_of(self._flat, [Probe(np.array([_SHARE_THERE - 1.0]), world.flat())])
        self._leave_out(other, "presence")
        self._unknown |= self._measured_by(probe.place)
        slot = self._slots_of(probe.place, self._capacity_slots(model))
        measured = probe.place >= self._base.place_of_measures()
        if (slot[~measured] < 0).any():
            raise NotLearnedError("presence moves more than capacities")
        kept = slot >= 0
        place, slope = probe.place[kept], probe.slope[kept]
        cells = (
            self._planned_cells(model) if self._worlds.way == "kept" else (place[:0], place[:0], slope[:0])
        )
        found = Influence(
            np.concatenate([place, cells[0]]),
            np.concatenate([slot[kept], cells[1]]),
            np.concatenate([slope, cells[2]]),
            np.zeros(len(place) + len(cells[0]), dtype=np.bool_),
            multiplies=True,
        )
        self._atoms.append(Atom("presence"))
        self._influences.append(found)

    def _slots_of(self, places: IntArray, slots: IntArray) -> IntArray:
        """The slot of each place: that of its row, of capacities and of what initiatives add to them."""
        program, found = self._base.program, np.full(len(places), -1)
        for first, row in (
            (self._base.place_of_rows(), np.arange(program.num_rows)),
            (self._base.place_of_matrix(), program.matrix.indices),
        ):
            inside = (places >= first) & (places < first + len(row))
            found[inside] = slots[row[places[inside] - first]]
        return found

    def _capacity_slots(self, model: Model) -> IntArray:
        """Seat and period of each capacity row as one number (m,); -1 for all other rows."""
        slots = np.full(self._base.program.num_rows, -1)
        limited = np.argwhere(np.isfinite(model.cube.capacity))
        block = next((one for one in self._base.program.row_blocks if one.name == "hours"), None)
        if block is not None and block.size == len(limited):
            width = model.cube.capacity.shape[1]
            slots[block.start : block.stop] = limited[:, 0] * width + limited[:, 1]
        return slots

    def _planned_cells(self, model: Model) -> tuple[IntArray, IntArray, FloatArray]:
        cube = model.cube
        upper = self._base.program.column_upper[: cube.num_cells]
        cells = np.flatnonzero(np.isfinite(upper) & (upper > 0.0))
        width = cube.num_periods
        slots = cube.pair_seat[cells // width] * width + cells % width
        return cells + self._base.place_of_columns(), slots, upper[cells]

    def _measured_by(self, places: IntArray) -> set[int]:
        """The figures whose own numbers presence moves: heads, cost of sellers, use of capacity."""
        world, first = self._base, self._base.place_of_measures()
        measures = world.measures
        rows = np.concatenate(
            [
                np.repeat(np.arange(len(measures.labels)), np.diff(measures.top.indptr)),
                np.repeat(np.arange(len(measures.labels)), np.diff(measures.bottom.indptr)),
                *[np.arange(len(measures.labels))] * 4,
            ]
        )
        inside = places[places >= first] - first
        return set(rows[inside].tolist())

    def _joint(self, learned: Learned) -> None:
        """Compare futures with their compilation: all that moves but presence, and what arrives later."""
        count = len(self._draws)
        rows = np.unique(np.linspace(0, count - 1, _JOINT).astype(int))
        moves, flats = [], []
        apart = [event.kind == "leaves" or event.block == "spend" for event in self._risk.events]
        leaves = np.array(apart, dtype=np.bool_)
        for row in rows.tolist():
            outcomes = np.where(leaves, 0, self._draws.outcomes[row])
            alone = Draws(self._draws.u[row][None], outcomes[None])
            future = replace(Future.of(alone, 0), amounts=self._worlds.levels)
            flats.append(self._of(future))
            moves.append(movements(self._worlds, self._atoms, self._draws.u[row], outcomes))
        self._leave_out(learned.choose(moves, flats), "several variables")
