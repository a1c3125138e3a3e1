"""Part of family uplift: what open seats can do, and their heads, while an effect on capacity works.

    seat_gain[w,o,t] <= amount[o,t]
    seat_gain[w,o,t] <= most[o,t] working[w,t]
    amount[o,t] - seat_gain[w,o,t] <= most[o,t] (1 - working[w,t])

so that seat_gain = amount * working exactly; amount is seat_capacity for effects that multiply, seat_heads
for those that add an amount a head. Units: the seat's capacity unit; heads. Reference: McCormick 1976.
"""

from __future__ import annotations

import numpy as np

from optimizer.model.context import Context
from optimizer.model.terms import Terms


def seat_gain(context: Context) -> None:
    """Add the three rows of every product."""
    found, blocks = context.activities.seat_gains, context.activities.blocks
    if found is None:
        return
    block = blocks["seat_gain"]
    count, nothing = block.size, np.zeros(block.size)
    each, most = np.arange(count), found.most.ravel()
    by_basis = [blocks[name].columns[found.place] for name in ("seat_heads", "seat_capacity")]
    amount = Terms(each, np.where(found.of_heads[:, None], *by_basis).ravel(), np.ones(count), nothing)
    gained = Terms(each, block.columns.ravel(), np.ones(count), nothing)
    switch = Terms(each, blocks["working"].columns[found.window].ravel(), -most, nothing)
    rest = amount + gained.scaled(-1.0)
    labels = context.builder.column_labels("seat_gain")
    for word, terms, upper in (
        ("part", rest.scaled(-1.0), nothing),
        ("closed", gained + switch, nothing),
        ("open", rest + switch.scaled(-1.0), most),
    ):

        def shown(word: str = word) -> list[tuple[str, ...]]:
            return [(*label, word) for label in labels()]

        context.builder.add_rows("uplift", terms, shown, upper=upper)
