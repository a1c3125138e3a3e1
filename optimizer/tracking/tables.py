"""A tracking as tidy tables for the run folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from optimizer.report.words import unit_text
from optimizer.result.kpis import COMPANY
from optimizer.tracking.causes import PARTS
from optimizer.tracking.goals import goals_frame
from optimizer.tracking.rates import drift_reason
from optimizer.tracking.tracking import Comparison, Tracking

TRACKING_COLUMNS = (
    "metric", "unit", "scope", "member", "periods", "plan_to_date", "fact", "deviation", "share", "weeks",
    "run_rate", "forecast", "plan", "target", "gap", "light",
)  # fmt: skip
CAUSE_COLUMNS = ("scope", "member", "cause", "amount", "share", "plan_to_date", "fact", "periods")
DRIFT_COLUMNS = (
    "rate", "scope", "member", "planned", "measured", "factor", "count", "test", "chance", "adjusted",
    "alert", "reason",
)  # fmt: skip


def tracking_frames(found: Tracking) -> dict[str, pd.DataFrame]:
    """Tables tracking, goals, causes and drift."""
    return {
        "tracking": tracking_frame(found),
        "goals": goals_frame(found.goals, found.comparison.solution),
        "causes": causes_frame(found.comparison),
        "drift": drift_frame(found.comparison),
    }


def tracking_frame(found: Tracking) -> pd.DataFrame:
    """One row a metric and member of a level.

    Columns: metric; unit; scope (company, or a column) and member; periods (closed periods that are told on
    this level); plan_to_date, fact and deviation over these; share (of the plan to date); weeks (the
    deviation in weeks of the planned pace); run_rate, forecast and plan of the horizon; target and gap
    (forecast less target; blank without a target); light (green, amber, red).
    """
    solution = found.comparison.solution
    rows = [
        {
            "metric": one.metric, "unit": unit_text(solution, one.unit), "scope": one.scope or COMPANY,
            "member": one.member, "periods": one.periods, "plan_to_date": one.plan_to_date,
            "fact": one.fact, "deviation": one.deviation, "share": one.share, "weeks": one.weeks,
            "run_rate": one.run_rate, "forecast": one.forecast, "plan": one.plan, "target": one.target,
            "gap": one.gap, "light": one.light or "",
        }
        for one in found.standings
    ]  # fmt: skip
    return _frame(rows, TRACKING_COLUMNS, ("metric", "unit", "scope", "member", "light"), ("periods",))


def causes_frame(found: Comparison) -> pd.DataFrame:
    """One row a member and cause; the amounts of a member add up to fact less plan to date, to the hundredth.

    Columns: scope, member, cause (conversion:STAGE for the conversion of one stage), amount (currency), share
    (of the plan to date), plan_to_date, fact, periods.
    """
    rows = [
        {
            "scope": split.scope or COMPANY, "member": split.member, "cause": cause,
            "amount": split.causes[cause] / PARTS,
            "share": split.causes[cause] / split.plan if split.plan else None,
            "plan_to_date": split.plan / PARTS, "fact": split.fact / PARTS, "periods": split.periods,
        }
        for split in found.splits
        for cause in split.causes
    ]  # fmt: skip
    return _frame(rows, CAUSE_COLUMNS, ("scope", "member", "cause"), ("periods",))


def drift_frame(found: Comparison) -> pd.DataFrame:
    """One row a test, those that are least likely chance first.

    Columns: rate, scope, member, planned, measured, factor (measured over planned), count (what the test
    counts), test, chance (probability), adjusted (Holm), alert, reason (sentence).
    """
    language = found.solution.plan.spec.language
    rows = [
        {
            "rate": one.rate, "scope": one.scope or COMPANY, "member": one.member, "planned": one.planned,
            "measured": one.measured, "factor": one.factor, "count": one.count, "test": one.test,
            "chance": one.chance, "adjusted": one.adjusted, "alert": one.alert,
            "reason": drift_reason(one, language),
        }
        for one in found.drifts
    ]  # fmt: skip
    return _frame(rows, DRIFT_COLUMNS, ("rate", "scope", "member", "test", "reason"), (), ("alert",))


def _frame(
    rows: Sequence[Mapping[str, object]],
    columns: tuple[str, ...],
    texts: tuple[str, ...],
    counts: tuple[str, ...] = (),
    flags: tuple[str, ...] = (),
) -> pd.DataFrame:
    kinds = dict.fromkeys(columns, "float64") | dict.fromkeys(texts, "str")
    kinds |= dict.fromkeys(counts, "int64") | dict.fromkeys(flags, "bool")
    return pd.DataFrame(rows, columns=list(columns)).astype(kinds)
