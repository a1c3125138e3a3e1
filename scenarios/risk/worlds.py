"""The worlds in which a plan is tried: every future as arrays, compiled in full or from what was learned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from optimizer.errors import InputError
from optimizer.model.compile import FAMILIES, Model, compile_plan
from scenarios.kept import Planned, money_stage, way_of
from scenarios.risk.arrays import World
from scenarios.risk.events import absence
from scenarios.risk.futures import Future, Futures, with_presence
from scenarios.risk.learned import Influence, Learned, NotLearnedError, Probe, influence_of
from scenarios.risk.measures import measures_of
from scenarios.risk.riskfile import Draws, Risk
from scenarios.world import WISHES
from solvers.program import LinearProgram

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

_LEVELS = (0.9, 0.25, 0.1, 0.75, 0.5, 0.97, 0.03)
"""Uniform numbers at which a variable is tried."""
_JOINT = 4
"""Futures in which everything moves, compiled to see how several moves of one number combine."""
_TIE = 1e-7
_SHARE_THERE = 0.5
"""Share of each period for which sellers are there in the future that shows what presence moves."""


@dataclass(frozen=True)
class Atom:
    """One movement that the learned numbers know: of a variable, an outcome of an event, or presence."""

    kind: str
    number: int = 0
    outcome: int = 0
    base: FloatArray | None = None
    """Likely values of the rows of a variable that sets them (rows,)."""


class Worlds:
    """The futures of one plan, tried in one way (kept, reacting)."""

    def __init__(self, risk: Risk, planned: Planned, way: str) -> None:
        self.risk, self.planned, self.way = risk, planned, way
        self.futures = Futures(risk)

    def compiled(self, future: Future) -> World:
        """A future compiled in full; raises `InputError` where its numbers make no plan."""
        return self.world_of(self.futures.model(future), future)

    def world_of(self, model: Model, future: Future) -> World:
        """A compiled plan as the world of a future."""
        found = way_of(self.futures.planned(self.planned, future), model, self.way)
        if found.curves:
            raise InputError("risk.curves_left")
        money, ties = money_stage(model), model.stages[-1]
        # What brings the same money is told apart as in the plan itself, for a ten-millionth of its reach.
        reach = float(np.abs(model.context.magnitude(model.context.metrics.total("revenue"))[0]))
        preferred = money.objective - _TIE * reach * ties.terms.dense(model.program.num_columns)
        program = _without_wishes(found.program).replace(
            objective=preferred, maximize=True, offset=money.offset
        )
        return World(program, measures_of(model))

    @cached_property
    def base(self) -> World:
        """The plan's own world."""
        return self.world_of(self.futures.base_model, Future.of(self.risk.likely, 0))

    def learn(self, draws: Draws) -> LearnedWorlds:
        """Learn how every number depends on the futures; raises `NotLearnedError` with the reason."""
        return _Learning(self, draws).learned()


def _without_wishes(program: LinearProgram) -> LinearProgram:
    """The program without the rows that say what the planner wants: rules, and what stages measure."""
    kept = np.ones(program.num_rows, dtype=np.bool_)
    blocks, first = [], 0
    for block in program.row_blocks:
        if block.name not in FAMILIES or block.name in WISHES:
            kept[block.start : block.stop] = False
        else:
            blocks.append(replace(block, start=first, stop=first + block.size))
            first += block.size
    return program.replace(
        matrix=sparse.csc_array(program.matrix.tocsr()[np.flatnonzero(kept)].tocsc()),
        row_lower=program.row_lower[kept],
        row_upper=program.row_upper[kept],
        row_blocks=tuple(blocks),
    )


class LearnedWorlds:
    """Worlds without compiling."""

    def __init__(
        self, worlds: Worlds, learned: Learned, atoms: Sequence[Atom], unknown: Sequence[int]
    ) -> None:
        self._worlds, self.learned, self._atoms = worlds, learned, tuple(atoms)
        self.unknown = tuple(unknown)
        """Figures that depend on who is there, which is not learned: they are NaN."""

    def world(self, draws: Draws, row: int) -> World:
        """One future."""
        moves = movements(self._worlds, self._atoms, draws.u[row], draws.outcomes[row])
        return self.learned.world(moves)


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
    if atom.kind == "shift":
        return np.array([1.0 if round(float(amounts[0])) == atom.outcome else 0.0])
    return _of_amounts(variable.action, amounts, atom.base)


def _of_amounts(action: str, amounts: FloatArray, base: FloatArray | None) -> FloatArray:
    if base is not None:
        return amounts / base - 1.0
    return amounts - 1.0 if action == "multiply" else amounts


def absent_share(worlds: Worlds, outcomes: IntArray) -> FloatArray:
    """Share of each seat group's capacity that is gone in each period (G, T)."""
    sellers = worlds.futures.base_inputs.selling.sellers
    happened = {int(at): int(outcomes[at]) for at in np.flatnonzero(outcomes)}
    periods = sellers.capacity.shape[1]
    gone = absence(worlds.risk.events, happened, sellers.names, periods)
    groups = worlds.futures.base_model.cube.groups.group
    lost, whole = (np.zeros((int(groups.max()) + 1, periods)) for _ in range(2))
    np.add.at(lost, groups, gone * sellers.capacity)
    np.add.at(whole, groups, sellers.capacity)
    return np.divide(lost, whole, out=np.zeros_like(lost), where=whole > 0)


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
        for number, variable in enumerate(self._risk.variables):
            if variable.action == "shift":
                self._shift(number)
            else:
                self._variable(number)
        for number, event in enumerate(self._risk.events):
            if event.kind != "leaves":
                for outcome in range(1, len(event.probability) + 1):
                    future = Future.with_one(self._risk, happened={number: outcome})
                    self._add(
                        Atom("event", number, outcome), [Probe(np.ones(1), self._of(future))], event.name
                    )
        if any(event.kind == "leaves" for event in self._risk.events):
            self._presence()
        learned = Learned(self._base, self._influences)
        self._joint(learned)
        return LearnedWorlds(self._worlds, learned, self._atoms, sorted(self._unknown))

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
                future = Future.with_one(self._risk, amounts={number: variable.amounts(u)})
                probes.append(Probe(movement, self._of(future)))
            if len(probes) == 2:
                break
        if probes:
            self._add(atom, probes, variable.name)

    def _by_row(self, number: int) -> None:
        """A variable that sets rows: each row by itself, in two futures of random values between its ends."""
        variable = self._risk.variables[number]
        table = self._risk.base.content.tables[variable.table]
        base = table.numbers(variable.column)[variable.rows]
        ends = variable.amounts(0.02), variable.amounts(0.98)
        moves = ends[0] != ends[1]
        if (base[moves] == 0.0).any():
            raise NotLearnedError(f"{variable.name}: a likely value is 0")
        random = np.random.Generator(np.random.PCG64(number))
        probes: list[Probe] = []
        for _ in range(2):
            amounts = ends[0] + (ends[1] - ends[0]) * random.uniform(0.1, 0.9, len(base))
            movement = np.where(moves, amounts / np.where(base == 0.0, 1.0, base) - 1.0, 0.0)
            future = Future.with_one(self._risk, amounts={number: amounts})
            probes.append(Probe(movement, self._of(future)))
        self._add(Atom("variable", number, base=np.where(base == 0.0, 1.0, base)), probes, variable.name)

    def _shift(self, number: int) -> None:
        variable = self._risk.variables[number]
        steps = np.unique(np.round(variable.figure(self._draws.u[:, number]))).astype(int)
        for step in steps[steps != 0].tolist():
            future = Future.with_one(self._risk, amounts={number: np.array([float(step)])})
            self._add(Atom("shift", number, step), [Probe(np.ones(1), self._of(future))], variable.name)

    def _presence(self) -> None:
        """Capacity rows and, of a plan that is kept, planned sales go with those who are there."""
        model, inputs = self._worlds.futures.base_model, self._worlds.futures.base_inputs
        sellers = inputs.selling.sellers
        leaving = {event.target for event in self._risk.events if event.kind == "leaves"}
        limits = sellers.capacity[[sellers.names.index(name) for name in sorted(leaving)]]
        if not np.isfinite(limits).all():
            raise NotLearnedError("a seller without a limit may leave")
        there = np.full_like(sellers.presence, _SHARE_THERE)
        half = compile_plan(with_presence(inputs, there))
        world = self._worlds.world_of(half, Future.of(self._risk.likely, 0))
        if not self._base.fits(world):
            raise NotLearnedError("presence makes rows or columns come or go")
        probe, other = influence_of(self._flat, [Probe(np.array([_SHARE_THERE - 1.0]), world.flat())])
        self._leave_out(other, "presence")
        self._unknown |= self._measured_by(probe.place)
        slots, rows = self._capacity_slots(model), self._base.place_of_rows()
        slot = np.full(len(probe.place), -1)
        inside = (probe.place >= rows) & (probe.place < rows + self._base.program.num_rows)
        slot[inside] = slots[probe.place[inside] - rows]
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
        )
        self._atoms.append(Atom("presence"))
        self._influences.append(found)

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
        """Compare futures in which everything but presence moves with their compilation."""
        count = len(self._draws)
        rows = np.unique(np.linspace(0, count - 1, _JOINT).astype(int))
        moves, flats = [], []
        leaves = np.array([event.kind == "leaves" for event in self._risk.events], dtype=np.bool_)
        for row in rows.tolist():
            outcomes = np.where(leaves, 0, self._draws.outcomes[row])
            alone = Draws(self._draws.u[row][None], outcomes[None])
            flats.append(self._of(Future.of(alone, 0)))
            moves.append(movements(self._worlds, self._atoms, self._draws.u[row], outcomes))
        self._leave_out(learned.choose(moves, flats), "several variables")
