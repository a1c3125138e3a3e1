"""Initiatives and their effects: factors that are probably meant otherwise."""

from __future__ import annotations

from collections.abc import Iterator

from optimizer.checks.finding import Checked, Finding

LEAST, MOST = 0.5, 2.0
"""Factors outside are rare for an initiative, and common where a share was typed for a factor."""


def check_factors(checked: Checked) -> Iterator[Finding]:
    """Effects that multiply by less than a half or more than two: 0.05 typed for 1.05."""
    effects = checked.inputs.effects
    if effects is None:
        return
    for effect, change in enumerate(effects.changes):
        factor = float(effects.amount[effect]) + 1.0
        if effects.multiplies[effect] and not LEAST <= factor <= MOST:
            initiative = effects.windows[int(effects.window[effect])][0]
            fields = {
                "factor": f"{factor:g}",
                "initiative": checked.inputs.plan.tables["initiatives"].text("initiative")[initiative],
                "changes": change,
                "percent": f"{100.0 * (factor - 1.0):+.0f}",
            }
            yield Finding("warning", "effects.factor_odd", fields, effects.place[effect])
