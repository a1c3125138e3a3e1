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

from scenarios.kept import Planned
from scenarios.risk.frames import best_in
from scenarios.risk.futures import Future
from scenarios.risk.riskfile import Risk
from scenarios.risk.worlds import OPEN, Worlds

FloatArray = NDArray[np.float64]

ENDS = (0.1, 0.9)


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
    replanned (decisions open too; left out where response curves would have to be planned again).
    """
    ways = {"kept": "kept", "reacting": "reacting"}
    worlds = {name: Worlds(risk, planned, way) for name, way in ways.items()}
    if not worlds["kept"].model.curves:
        worlds["replanned"] = Worlds(risk, planned, OPEN)
    base = {name: money_in(one, Future.with_one(risk)) for name, one in worlds.items()}
    rows = []
    groups = dict(zip(worlds["kept"].inputs.selling.sellers.names, _group_names(worlds["kept"]), strict=True))
    for swing in swings(risk, groups):
        row: dict[str, object] = {"name": swing.name, "low": swing.low, "high": swing.high}
        for name, one in worlds.items():
            row[f"{name}_planned"] = base[name]
            for end, future in zip(("low", "high"), swing.futures, strict=True):
                row[f"{name}_{end}"] = money_in(one, future)
        rows.append(row)
    frame = pd.DataFrame(rows)
    frame["width"] = (frame["kept_high"] - frame["kept_low"]).abs()
    frame["thing"] = [_thing(risk, str(name)) for name in frame["name"]]
    widest = frame.sort_values(["width", "name"], ascending=[False, True], kind="stable")
    return widest.drop_duplicates("thing").drop(columns="thing").reset_index(drop=True)


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
    world = worlds.compiled(future)
    x = best_in(world)
    return float("nan") if x is None else float(world.measures.values(x)[0])
