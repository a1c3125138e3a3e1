"""What each uncertain thing does by itself: money when it turns out low and high, in each way.

Low and high are the 10 % and 90 % points of a number; an event happens or does not. Everything else is as
planned, so that every bar can be re-solved by itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from optimizer.model.compile import Model
from scenarios.kept import Planned
from scenarios.risk.arrays import World
from scenarios.risk.frames import best_in
from scenarios.risk.futures import Future
from scenarios.risk.riskfile import Risk
from scenarios.risk.worlds import OPEN, Worlds
from solvers.options import SolveOptions
from solvers.stage import Stage
from solvers.staged_curves import solve_curve_stages

FloatArray = NDArray[np.float64]

ENDS = (0.1, 0.9)
WAYS_OF_BARS = {"kept": "kept", "reacting": "reacting", "replanned": OPEN}
REPLANNED_GAP = 0.001
"""Relative gap within which a plan with response curves is planned again."""
SAME = 1e-6
"""Relative difference up to which a figure has not moved."""


@dataclass(frozen=True)
class Swing:
    """One bar: the thing, what it is at both ends, and the futures in which only it moves."""

    name: str
    low: str
    high: str
    futures: tuple[Future, Future]


def swings(risk: Risk, groups: Mapping[str, int] | None = None) -> Iterator[Swing]:
    """The bars of a risk file: each number, each event; of sellers who may leave, each at mid-year.

    Equal sellers cost the same when they leave: with `groups` (seller -> seat group) one of each stands for
    all.
    """
    seen: set[int] = set()
    nothing = Future.with_one(risk)
    for at, variable in enumerate(risk.variables):
        amounts = [variable.amounts(end) for end in ENDS]
        texts = [f"{float(one.mean()):.3g}" if variable.action != "set" else f"P{end * 100:.0f}"
                 for one, end in zip(amounts, ENDS, strict=True)]  # fmt: skip
        low, high = (Future.with_one(risk, {at: one}) for one in amounts)
        yield Swing(variable.name, texts[0], texts[1], (low, high))
    for at, event in enumerate(risk.events):
        if event.kind == "leaves" and groups is not None:
            if groups[event.target] in seen:
                continue
            seen.add(groups[event.target])
        outcome = len(event.probability) if event.kind != "leaves" else (len(event.probability) + 1) // 2
        yield Swing(event.name, "-", "+", (nothing, Future.with_one(risk, happened={at: outcome})))


def tornado(risk: Risk, planned: Planned) -> pd.DataFrame:
    """A row a bar, the widest first: money at the low and at the high end in each way, and as planned.

    Of sellers who may leave only the one whose leaving costs most is shown. Ways: kept, reacting, and
    replanned (decisions open too, response curves within `REPLANNED_GAP`). `moves` names the targets whose
    figure a bar moves when the plan is kept: what leaves money as it is may still decide a target.
    """
    bars = Bars(risk, planned)
    frame = pd.DataFrame([bars.row(swing) for swing in bars.widest()])
    frame["width"] = (frame["kept_high"] - frame["kept_low"]).abs()
    return frame.sort_values(["width", "name"], ascending=[False, True], kind="stable", ignore_index=True)


class Bars:
    """The worlds of each way, from which every bar is measured."""

    def __init__(self, risk: Risk, planned: Planned) -> None:
        self._risk = risk
        self._worlds = {name: Worlds(risk, planned, way) for name, way in WAYS_OF_BARS.items()}
        nothing = Future.with_one(risk)
        self._planned = {name: figures_in(worlds, nothing) for name, worlds in self._worlds.items()}

    def widest(self) -> list[Swing]:
        """The bars that are shown: of sellers who may leave the one whose leaving costs most."""
        kept, best = self._worlds["kept"], dict[str, tuple[float, Swing]]()
        names = kept.inputs.selling.sellers.names
        groups = dict(zip(names, _group_names(kept), strict=True))
        for swing in swings(self._risk, groups):
            thing = _thing(self._risk, swing.name)
            money = 0.0 if thing == swing.name else money_in(kept, swing.futures[1])
            if thing not in best or money < best[thing][0]:
                best[thing] = (money, swing)
        return [swing for _, swing in best.values()]

    def row(self, swing: Swing) -> dict[str, object]:
        """One bar: money at both ends in each way, and the targets that it moves."""
        row: dict[str, object] = {"name": swing.name, "low": swing.low, "high": swing.high}
        moves: dict[str, None] = {}
        for name, worlds in self._worlds.items():
            planned = self._planned[name]
            row[f"{name}_planned"] = planned[0]
            for end, future in zip(("low", "high"), swing.futures, strict=True):
                found = figures_in(worlds, future)
                row[f"{name}_{end}"] = found[0]
                if name == "kept":
                    moves |= dict.fromkeys(_moved(worlds, planned, found))
        return {**row, "moves": ", ".join(moves)}


def _moved(worlds: Worlds, planned: FloatArray, found: FloatArray) -> list[str]:
    """The targets whose figure is not as planned."""
    moved = ~np.isclose(found, planned, rtol=SAME, atol=SAME, equal_nan=True)
    labels = worlds.base.measures.labels
    return [labels[at].rule for at in np.flatnonzero(moved) if labels[at].kind == "target"]


def _group_names(worlds: Worlds) -> list[int]:
    """The seat group of each seller."""
    return [int(group) for group in worlds.model.cube.groups.group]


def _thing(risk: Risk, name: str) -> str:
    """What a bar stands for: all sellers who may leave stand for one."""
    for event in risk.events:
        if event.name == name and event.kind == "leaves":
            return name.removesuffix(f": {event.target}")
    return name


def money_in(worlds: Worlds, future: Future) -> float:
    """Money in one future, compiled in full; NaN where there is no answer."""
    return float(figures_in(worlds, future)[0])


def figures_in(worlds: Worlds, future: Future) -> FloatArray:
    """Every figure in one future, compiled in full, money first; NaN where there is no answer."""
    model = worlds.model_of(future)
    world = worlds.world_of(model, future)
    x = _on_curves(world, model) if worlds.way == OPEN and model.curves else best_in(world)
    return np.full(len(world.measures.labels), np.nan) if x is None else world.measures.values(x)


def _on_curves(world: World, model: Model) -> FloatArray | None:
    """The best plan (n,) with response curves, on the true curves."""
    program = world.program
    stage = Stage("money", program.objective, maximize=True, offset=program.offset)
    return solve_curve_stages(program, model.curves, [stage], SolveOptions(gap=REPLANNED_GAP)).x
