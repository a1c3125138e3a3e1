"""What marketing takes and brings, and which initiatives start, as tidy tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from optimizer.model.blocks import ActivityBlock
from optimizer.model.scopes import SALES
from optimizer.plan.marketing import Marketing
from optimizer.plan.sellers import dates
from optimizer.result.brought import brings_by_initiative
from optimizer.result.by_channel import by_channel
from optimizer.result.solution import Solution

FloatArray = NDArray[np.float64]

TIME = ("period", "quarter", "year")
NOISE = 1e-9
"""Cost and leads below this are rounding of the solver."""


def marketing(solution: Solution) -> pd.DataFrame:
    """What each row of marketing takes in and brings in each period; rows without either are left out.

    Columns: channel; the other columns of the marketing table; period, quarter, year; insertions (blank where
    the row has no unit_cost); marketing_cost (currency, fixed costs included); leads; opportunities (that its
    yields make of them and that are worked on) and won (deals that these bring, whenever they are signed;
    blank without markets). Raises `ValueError` without a plan.
    """
    block = solution.activities.blocks["spend"]
    figures = {name: by_channel(solution, name) for name in ("insertions", "marketing_cost", "leads")}
    inputs = solution.inputs.marketing
    assert inputs is not None
    figures |= _brought(solution, inputs)
    figures["insertions"] = np.where(inputs.by_insertion[:, None], figures["insertions"], np.nan)
    kept = np.nan_to_num(np.abs(figures["marketing_cost"])) + np.abs(figures["leads"]) > NOISE
    row, period = np.nonzero(kept)
    columns: dict[str, Any] = {
        name: np.array(labels, dtype=object)[row] for name, labels in block.labels.items()
    }
    for name in TIME:
        columns[name] = np.array(getattr(solution.sellers.calendar, name), dtype=object)[period]
    texts = list(columns)
    columns |= {name: values[kept] for name, values in figures.items()}
    return pd.DataFrame(columns).astype(dict.fromkeys(texts, "str"))


def _brought(solution: Solution, marketing: Marketing) -> dict[str, FloatArray]:
    """Opportunities worked on, and deals that they bring, by row of marketing and period."""
    block, funnel = solution.activities.blocks.get("worked"), solution.inputs.funnel
    nothing = np.zeros((len(marketing.names), solution.sellers.num_periods))
    if block is None:
        return {"opportunities": nothing, "won": np.full_like(nothing, np.nan)}
    worked, channel = block.values(solution.x), marketing.yields.channel[marketing.yields.pool]
    opportunities, won = nothing.copy(), nothing.copy()
    np.add.at(opportunities, channel, worked)
    if funnel is None:
        return {"opportunities": opportunities, "won": np.full_like(nothing, np.nan)}
    np.add.at(won, channel, funnel.of_yield.conversion[:, None] * worked)
    return {"opportunities": opportunities, "won": won}


def initiatives(solution: Solution) -> pd.DataFrame:
    """Every initiative, whether it is started or not.

    Columns: initiative; owner and the other columns of the initiatives table; milestone and due as the
    planner wrote them; start (period; blank where it is not started); initiative_cost and initiative_benefit
    (currency over the plan); brings (what the effects of a started one change, in words).
    Raises `ValueError` without a plan.
    """
    metrics, x = solution.metrics, solution.x
    block = metrics.activities.blocks["start"]
    begun = block.values(x) > 0.5
    periods = np.array(solution.sellers.calendar.period, dtype=object)
    table = solution.plan.tables["initiatives"]
    columns: dict[str, Any] = {name: np.array(labels, dtype=object) for name, labels in block.labels.items()}
    columns["milestone"] = np.array(table.choices("milestone"), dtype=object)
    columns["due"] = np.array([_day(day) for day in dates(table, "due")], dtype=object)
    columns["start"] = np.where(begun.any(axis=1), periods[begun.argmax(axis=1)], "")
    texts = list(columns)
    for name in ("initiative_cost", "initiative_benefit"):
        figures = _by_row(metrics.parts(name), metrics.activities.blocks, x, block.num_rows)
        columns[name] = figures.sum(axis=1)
    brings = brings_by_initiative(solution)
    columns["brings"] = [brings.get(name, "") for name in block.labels["initiative"]]
    texts.append("brings")
    return pd.DataFrame(columns).astype(dict.fromkeys(texts, "str"))


def hires(solution: Solution) -> pd.DataFrame:
    """Every open seat, filled or not, and every period in which a role hires.

    Columns: seller (blank for roles) and the other columns of the sellers table; role (blank for seats,
    unless the sellers table has the column); start (period of the start or the decision; blank where a seat
    stays open); hires; hiring_cost (currency over the plan; of a role only the recruiting). Raises
    `ValueError` without a plan.
    """
    parts = [part for part in (_seats(solution), _role_hires(solution)) if part is not None]
    found = pd.concat(parts, ignore_index=True)
    texts = [name for name in found.columns if name not in ("hires", "hiring_cost")]
    order = [*texts, "hires", "hiring_cost"]
    return found[order].fillna(dict.fromkeys(texts, "")).astype(dict.fromkeys(texts, "str"))


def _seats(solution: Solution) -> pd.DataFrame | None:
    metrics, x = solution.metrics, solution.x
    seats = solution.sellers.inputs.selling.sellers.open_seats
    if seats is None or not (seats.role < 0).any():
        return None
    block = metrics.activities.blocks["hire"]
    begun = block.values(x) > 0.5
    periods = np.array(solution.sellers.calendar.period, dtype=object)
    columns: dict[str, Any] = {
        name: np.array(labels, dtype=object)
        for name, labels in block.labels.items()
        if not name.startswith("seller.")
    }
    columns["start"] = np.where(begun.any(axis=1), periods[begun.argmax(axis=1)], "")
    columns["hires"] = begun.any(axis=1).astype(np.float64)
    cost = {
        name: part for name, part in metrics.parts("hiring_cost").items() if name in ("hire", "seat_heads")
    }
    columns["hiring_cost"] = _by_row(cost, metrics.activities.blocks, x, block.num_rows).sum(axis=1)
    return pd.DataFrame(columns)[seats.role < 0]


def _role_hires(solution: Solution) -> pd.DataFrame | None:
    block = solution.metrics.activities.blocks.get("role_hire")
    if block is None:
        return None
    hired = np.round(block.values(solution.x))
    row, period = np.nonzero(hired)
    recruiting = np.broadcast_to(solution.metrics.parts("hiring_cost")["role_hire"], hired.shape)
    columns: dict[str, Any] = {
        name: np.array(labels, dtype=object)[row] for name, labels in block.labels.items()
    }
    columns["start"] = np.array(solution.sellers.calendar.period, dtype=object)[period]
    columns["hires"] = hired[row, period]
    columns["hiring_cost"] = (hired * recruiting)[row, period]
    return pd.DataFrame(columns)


def decisions(solution: Solution) -> pd.DataFrame:
    """What is decided besides sales, for runs that keep or freeze it.

    Columns: activity (spend, start, extra ...); row (its labels, joined by ` / `); period; amount in the
    activity's own unit. Amounts of 0 are left out, but each row is there at least once. Raises `ValueError`
    without a plan.
    """
    x, parts = solution.x, []
    periods = np.array(solution.sellers.calendar.period, dtype=object)
    for block in solution.activities.blocks.values():
        if block.name == SALES or not block.decision or block.stands_for is not None:
            continue
        amounts = block.values(x)
        shown = np.abs(amounts) > 0
        shown[:, 0] |= ~shown.any(axis=1)
        row, period = np.nonzero(shown)
        names = np.array(block.row_names, dtype=object)[row]
        columns = {"activity": block.name, "row": names, "period": periods[period], "amount": amounts[shown]}
        parts.append(pd.DataFrame(columns))
    empty = pd.DataFrame({"activity": [], "row": [], "period": [], "amount": np.zeros(0)})
    frame = pd.concat(parts, ignore_index=True) if parts else empty
    return frame.astype(dict.fromkeys(("activity", "row", "period"), "str"))


def _day(day: np.datetime64) -> str:
    return "" if np.isnat(day) else str(day)


def _by_row(
    parts: Mapping[str, FloatArray], blocks: Mapping[str, ActivityBlock], x: FloatArray, num_rows: int
) -> FloatArray:
    """A metric of activities that share their rows, by row and period."""
    total: FloatArray = np.zeros((num_rows, 1))
    for name, coefficient in parts.items():
        total = total + coefficient * blocks[name].values(x)
    return total
