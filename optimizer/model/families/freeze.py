"""Family freeze: parts of the plan that stay as another run has them.

    amount[k,t] = planned[k,t]      for the rows k of the named activities in scope, every period in scope

within 1e-6 of the amount, because the rows of a run hold no better than that.

Units: those of the activity (units sold, insertions or currency, starts, units of a resource). What the run
did not have is 0. Where sales are frozen nobody is in a seat group with another, so that each keeps his own.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from optimizer.errors import InputError, Place
from optimizer.model.blocks import ActivityBlock
from optimizer.model.context import Context
from optimizer.model.past_run import PastPlan, past_plan
from optimizer.model.scopes import SALES
from optimizer.model.terms import Terms
from optimizer.plan.names import nearest
from optimizer.plan.schema import FreezeSpec

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

PARTS = {
    "marketing": ("spend",),
    "initiatives": ("start",),
    "hires": ("hire", "role_hire", "role_leave"),
    "resources": ("extra",),
}
"""Word of a plan file -> the activities that it means; each decision also goes by its own name. Whether
marketing is used follows from the spend, also where the run knew no switch or this plan knows none."""
ELSEWHERE = "quotas"
"""Part that is no activity: the assignment of quotas keeps its numbers."""

ROUNDING = 1e-6
"""Room for the rounding of the run, relative to the amount: its rows hold no better than that. Less is 0."""


def freeze(context: Context) -> None:
    """Add a row for each frozen amount.

    Raises `InputError` for parts, columns and runs that are not there.
    """
    plan = context.cube.inputs.plan
    for at, entry in enumerate(plan.spec.freeze):
        place = Place(plan.file, line=plan.lines.get(("freeze", at)), value=entry.run)
        blocks = _blocks(context, entry, place)
        if not blocks:
            continue
        past = past_plan(plan, entry.run, place)
        for column in entry.where:
            if not any(context.scopes.has_column(block.name, column) for block in blocks):
                raise InputError("modes.freeze_column", place, column=column, what=", ".join(entry.what))
        for block in blocks:
            if not past.knows(context.cube, block):
                raise InputError("modes.freeze_nothing", place, what=", ".join(entry.what), run=entry.run)
            _freeze(context, entry, block, past)


def _blocks(context: Context, entry: FreezeSpec, place: Place) -> list[ActivityBlock]:
    """The activities that an entry names."""
    decided = {
        block.name: block
        for block in context.activities.blocks.values()
        if block.decision and block.stands_for is None
    }
    words = {word: [name for name in names if name in decided] for word, names in PARTS.items()}
    words |= {name: [name] for name in decided}
    found: list[ActivityBlock] = []
    for word in entry.what:
        if word == ELSEWHERE:
            continue
        if not words.get(word):
            known = [*(known for known, names in words.items() if names), ELSEWHERE]
            raise InputError(
                "modes.freeze_unknown", place, what=word, known=", ".join(known), nearest=nearest(word, known)
            )
        found += [decided[name] for name in words[word]]
    return found


def _freeze(context: Context, entry: FreezeSpec, block: ActivityBlock, past: PastPlan) -> None:
    rows, periods = _inside(context, entry, block)
    row, period = np.nonzero(rows[:, None] & periods[None, :])
    if not len(row):
        return
    amounts = past.cells(context.cube) if block.name == SALES else past.amounts(context.cube, block)
    columns = block.columns[row, period]
    count = len(row)
    terms = Terms(np.arange(count), columns, np.ones(count), np.zeros(count))
    title, shown = entry.name or f"{block.name} {entry.run}", context.cube.calendar.period

    def labels() -> list[tuple[str, ...]]:
        names = _pair_names(context) if block.name == SALES else block.row_names
        return [(title, names[at], shown[when]) for at, when in zip(row, period, strict=True)]

    values = np.where(np.abs(amounts[row, period]) <= ROUNDING, 0.0, amounts[row, period])
    room = ROUNDING * np.abs(values)
    context.builder.add_rows("freeze", terms, labels, lower=values - room, upper=values + room)


def _inside(context: Context, entry: FreezeSpec, block: ActivityBlock) -> tuple[BoolArray, BoolArray]:
    """Rows of a block and periods that lie in the scope of an entry and are still ahead."""
    scopes, past = context.scopes, context.cube.inputs.past
    periods = scopes.period_mask(entry.where)[: block.num_periods]
    periods &= np.arange(len(periods)) >= past
    if not all(scopes.has_column(block.name, column) for column in entry.where):
        return np.zeros(block.num_rows, dtype=np.bool_), periods
    if block.name == SALES:
        return scopes.pair_mask(entry.where), periods
    members = scopes.members([], entry.where, [block.name])
    return scopes.block_code(block.name, members) >= 0, periods


def _pair_names(context: Context) -> list[str]:
    cube = context.cube
    return [
        f"{cube.seat_names[seat]} / {cube.markets.names[market]}"
        for seat, market in zip(cube.pair_seat, cube.pair_market, strict=True)
    ]
