"""A plan tried in many futures, kept or with the sellers reacting, on one core or several."""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scenarios.engine import Engine, SerialEngine, WorkerLostError
from scenarios.kept import Planned
from scenarios.risk import futures as futures_
from scenarios.risk.events import Event
from scenarios.risk.frames import Frame, best_in
from scenarios.risk.learned import NotLearnedError
from scenarios.risk.learning import Key, Stratified
from scenarios.risk.measures import Label, Measures
from scenarios.risk.riskfile import Draws, Risk
from scenarios.risk.worlds import Worlds
from scenarios.tasks import run_each

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.int64]

CHECKED = 6
"""Futures of each simulation that are compiled in full as well and compared."""
AGREEMENT = 1e-6
"""Relative difference of money and figures up to which the two are the same."""
CHUNK = 200
"""Most futures that are handed over at a time."""
CHUNKS = 4
"""Least number of chunks a worker, so that none waits long for another."""

Progress = Callable[[int, int], None]
"""Called with futures done and futures in all."""


@dataclass(frozen=True)
class Simulation:
    """What a plan brought in N futures: K figures, and whether each bound held.

    `values` (N, K), NaN for a ratio of nothing and where `failed` is set; `at_least` and `at_most` (K,) are
    the bounds of rules. `method` is `learned` or `compiled`, with the reason.
    """

    way: str
    labels: tuple[Label, ...]
    values: FloatArray
    reached: BoolArray
    at_least: FloatArray
    at_most: FloatArray
    failed: BoolArray
    method: str = ""
    left_out: tuple[str, ...] = field(default=())
    """Members of rules whose figures depend on the futures in a way that was not learned."""

    def column(self, name: str) -> FloatArray:
        """One figure by name (N,); raises `KeyError`."""
        for place, label in enumerate(self.labels):
            if label.name == name:
                return self.values[:, place]
        raise KeyError(name)


class Tried:
    """One plan in one way, ready for any future; every future starts from the plan's own world."""

    def __init__(self, worlds: Worlds, learned: Stratified | None, draws: Draws) -> None:
        self._worlds, self._learned, self._draws = worlds, learned, draws
        self._frames: dict[Key, Frame] = {}

    @property
    def events(self) -> tuple[Event, ...]:
        """The events of the risk file."""
        return self._worlds.risk.events

    @property
    def count(self) -> int:
        """Figures of each future."""
        return len(self._worlds.base.measures.labels)

    def _frame(self, learned: Stratified, row: int) -> Frame:
        """What all futures with the levels of this one share."""
        key = learned.key(self._draws, row)
        if key not in self._frames:
            self._frames[key] = Frame(learned.parts[key].worlds.base)
        return self._frames[key]

    def values(self, row: int) -> tuple[FloatArray, Measures] | None:
        """The figures of one future; None where no answer was found."""
        if self._learned is None:
            return self.compiled(row)
        world = self._learned.world(self._draws, row)
        x = self._frame(self._learned, row).solve(world)
        return None if x is None else (world.measures.values(x), world.measures)

    def compiled(self, row: int) -> tuple[FloatArray, Measures] | None:
        """The same with the future compiled in full."""
        world = self._worlds.compiled(futures_.Future.of(self._draws, row))
        x = best_in(world)
        return None if x is None else (world.measures.values(x), world.measures)


def simulate(
    risk: Risk,
    planned: Planned,
    draws: Draws,
    way: str = "kept",
    engine: Engine | None = None,
    progress: Progress | None = None,
    learn: bool = True,
) -> Simulation:
    """Try a plan in every future of the draws, in the way `kept` or `reacting`.

    The figures do not depend on the engine; without one all is done here. Numbers of futures come from what
    was learned where that is possible and agrees with futures compiled in full; `learn=False` compiles all.
    Futures at which two workers died count as failed.
    """
    worlds = Worlds(risk, planned, way)
    learned, method = (None, "compiled") if not learn else _learned(worlds, draws)
    tried = Tried(worlds, learned, draws)
    if learned is not None:
        differs = _disagreement(tried, draws, learned.unknown)
        if differs:
            learned, method = None, f"compiled: {differs}"
            tried = Tried(worlds, None, draws)
    base = worlds.base.measures
    values = np.full((len(draws), len(base.labels)), np.nan)
    reached = np.zeros(values.shape, dtype=np.bool_)
    done = 0
    pack = SimulationPack(risk, planned, way, learned is not None, draws, tried)
    for rows, found in _in_chunks(pack, engine or SerialEngine()):
        if found is not None:
            values[rows], reached[rows] = found
        done += len(rows)
        if progress is not None:
            progress(done, len(draws))
    unknown = () if learned is None else learned.unknown
    known = [at for at in range(len(base.labels)) if at not in unknown]
    kept = base.taken(known)
    return Simulation(
        way, kept.labels, values[:, known], reached[:, known], kept.at_least, kept.at_most,
        np.isnan(values[:, 0]), method, tuple(base.labels[at].name for at in unknown if base.labels[at].rule),
    )  # fmt: skip


def _learned(worlds: Worlds, draws: Draws) -> tuple[Stratified | None, str]:
    try:
        return Stratified(worlds, draws), "learned"
    except NotLearnedError as error:
        return None, f"compiled: {error}"


def _disagreement(tried: Tried, draws: Draws, unknown: tuple[int, ...]) -> str:
    """The first figure of a checked future in which learned and compiled numbers differ; empty for none."""
    leaves = [event.kind == "leaves" for event in tried.events]
    for row in np.unique(np.linspace(0, len(draws) - 1, CHECKED).astype(int)).tolist():
        one, other = tried.values(row), tried.compiled(row)
        if one is None or other is None:
            if (one is None) != (other is None):
                return f"future {row} has an answer one way only"
            continue
        size = np.maximum(1.0, np.abs(other[0]))
        with np.errstate(invalid="ignore"):
            wrong = np.abs(one[0] - other[0]) > AGREEMENT * size
        wrong |= np.isnan(one[0]) != np.isnan(other[0])
        # Who leaves is a seat of his own when compiled, so that what ties in money may fall otherwise.
        split = bool(draws.outcomes[row][leaves].any())
        wrong[list(unknown)] = False
        if wrong[0] or (wrong.any() and not split):
            return f"{one[1].labels[int(wrong.argmax())].name} differs in future {row}"
    return ""


def _in_chunks(
    pack: SimulationPack, engine: Engine
) -> Iterator[tuple[IntArray, tuple[FloatArray, BoolArray] | None]]:
    """Rows with their figures, in the order in which they are done; None where two workers died at them."""
    count = len(pack.draws)
    size = min(CHUNK, max(1, -(-count // (CHUNKS * engine.workers))))
    engine.share(pack)
    rows = (np.arange(first, min(first + size, count)) for first in range(0, count, size))
    for chunk, future in run_each(engine, rows):
        lost = isinstance(future.exception(), WorkerLostError)
        yield chunk, None if lost else future.result()


@dataclass(frozen=True)
class SimulationPack:
    """What the chunks of one simulation share; what is `ready` here is built anew where the pack travels."""

    risk: Risk
    planned: Planned
    way: str
    learn: bool
    draws: Draws
    ready: Tried | None = None

    @cached_property
    def key(self) -> str:
        """See `scenarios.engine.Pack`."""
        return hashlib.sha256(pickle.dumps(self)).hexdigest()

    def worker(self) -> Simulator:
        """See `scenarios.engine.Pack`."""
        if self.ready is not None:
            return Simulator(self.ready)
        worlds = Worlds(self.risk, self.planned, self.way)
        learned = Stratified(worlds, self.draws) if self.learn else None
        return Simulator(Tried(worlds, learned, self.draws))

    def __reduce__(self) -> Any:
        return SimulationPack, (self.risk, self.planned, self.way, self.learn, self.draws)


@dataclass(frozen=True)
class Simulator:
    """Runs chunks of futures."""

    tried: Tried

    def run(self, rows: IntArray) -> tuple[FloatArray, BoolArray]:
        """The figures of some futures, and which bounds hold."""
        shape = (len(rows), self.tried.count)
        values, reached = np.full(shape, np.nan), np.zeros(shape, dtype=np.bool_)
        for place, row in enumerate(rows.tolist()):
            found = self.tried.values(row)
            if found is not None:
                values[place], reached[place] = found[0], found[1].reached(found[0])
        return values, reached
