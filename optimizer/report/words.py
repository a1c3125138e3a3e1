"""Words of the plan in the reader's language: metrics, units, and the sentences that tables carry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from optimizer import messages
from optimizer.report import numbers

if TYPE_CHECKING:
    from optimizer.plan.assumptions import Assumption
    from optimizer.result.solution import Solution

_METRICS = frozenset(
    {
        "units",
        "deals",
        "revenue",
        "margin",
        "commission",
        "contribution",
        "hours",
        "new_customers",
        "load",
        "headcount",
        "capacity",
        "seller_cost",
        "extra_cost",
        "marketing_cost",
        "initiative_cost",
        "initiative_benefit",
        "initiative_value",
        "hiring_cost",
        "hires",
        "role_heads",
        "satisfaction",
        "satisfaction_points",
        "satisfaction_weight",
        "starts",
        "insertions",
        "leads",
        "opportunities",
        "matured",
        "won",
        "cycle_days",
        "customers_brought",
        "margin_brought",
        "customers",
        "customers_before",
        "customers_kept",
        "conversion",
        "cycle_time",
        "cac",
        "roas",
        "retention",
        "market_size",
        "last_year",
        "last_year_units",
        "average_check",
        "average_price",
        "margin_rate",
        "market_share",
        "growth",
        "utilisation",
    }
)
_UNITS = frozenset(
    {
        "units",
        "deals",
        "hours",
        "heads",
        "customers",
        "seats",
        "starts",
        "insertions",
        "leads",
        "opportunities",
        "points",
        "days",
        "weight",
    }
)
_COLUMNS = frozenset(
    {"seller", "region", "line", "team", "quarter", "period", "year", "customer_type", "sales_channel"}
)

_PHRASES = {
    "hours a year": "unit_hours_a_year",
    "times last year": "unit_times_last_year",
    "hours per currency": "unit_hours_per_currency",
}


def metric_word(metric: str, language: str) -> str:
    """A metric as a reader of the language calls it; a resource keeps the planner's own name."""
    return messages.text(f"report.metric_{metric}", language) if metric in _METRICS else metric


def column_word(column: str, language: str) -> str:
    """One of our columns as a reader of the language calls it; the planner's own columns keep their name."""
    return messages.text(f"report.column_{column}", language) if column in _COLUMNS else column


def currency(solution: Solution) -> str:
    """The plan's label of money, `currency` where it has none."""
    return solution.plan.spec.currency or "currency"


def unit_text(solution: Solution, unit: str) -> str:
    """A unit as tables write it: the plan's own currency in the place of `currency`."""
    return unit.replace("currency", currency(solution))


def unit_word(solution: Solution, unit: str, language: str) -> str:
    """A unit as a page writes it; empty for shares (in percent) and for money without a currency."""
    if unit == "share":
        return ""
    if unit in ("currency", "revenue"):
        return solution.plan.spec.currency
    return messages.text(f"report.unit_{unit}", language) if unit in _UNITS else unit


def one_word(solution: Solution, unit: str, language: str) -> str:
    """One of a unit: `hour`, `CNY`, `percentage point`."""
    if unit == "share":
        return messages.text("report.point", language)
    return (
        messages.text(f"report.one_{unit}", language)
        if unit in _UNITS
        else unit_word(solution, unit, language)
    )


def figure(value: float | None, unit: str, language: str) -> str:
    """A value with the precision of a page: shares in percent, everything else to four digits."""
    if unit == "share":
        return numbers.percent(value, language)
    return numbers.amount(value, language)


def with_unit(solution: Solution, value: float | None, unit: str, language: str) -> str:
    """A value with its unit: `4.47 M CNY`, `447万元`."""
    gap = "" if language == "zh" else " "
    return f"{figure(value, unit, language)}{gap}{unit_word(solution, unit, language)}".strip()


def sentences(parts: Sequence[str], language: str) -> str:
    """Sentences in a row; Chinese ones stand without a blank between them."""
    return ("" if language == "zh" else " ").join(parts)


def assumption_sentence(solution: Solution, used: Assumption, language: str) -> str:
    """What was assumed, with its figures filled in."""
    value = "" if used.value is None else figure(used.value, used.unit.removesuffix(" of revenue"), language)
    return messages.text(
        f"assumptions.{used.key}",
        language,
        rows=used.rows,
        value=value,
        unit=_assumed_unit(solution, used.unit, language),
        column=used.column,
    )


def _assumed_unit(solution: Solution, unit: str, language: str) -> str:
    """The unit of an assumed figure in the reader's words: `CNY/unit`, `hours a year`."""
    if unit in _PHRASES:
        money = unit_word(solution, "currency", language) or messages.text("report.unit_currency", language)
        return messages.text(f"report.{_PHRASES[unit]}", language).replace("¤", money)
    above, _, below = unit.partition("/")
    return "/".join(
        [
            unit_word(solution, above, language),
            *([one_word(solution, below + "s", language)] if below else []),
        ]
    )


def short_sentence(solution: Solution, row: Mapping[str, Any], language: str) -> str:
    """One sentence for a rule that the plan misses: how far, out of how much."""
    unit = row["raw_unit"]
    short = row["status"] == "short"
    asked = row["at_least"] if short else row["at_most"]
    missing = points(row["shortfall"], language)
    if unit != "share":
        missing = with_unit(solution, row["shortfall"], unit, language)
    return messages.text(
        f"report.sentence_{row['status']}",
        language,
        name=rule_title(row),
        missing=missing,
        share=numbers.percent(row["shortfall"] / abs(asked) if asked else None, language, 2),
        asked=figure(asked, unit, language),
        value=figure(row["value"], unit, language),
    )


def points(share: float, language: str) -> str:
    """A difference of shares in percentage points."""
    return messages.text("report.points", language, value=numbers.number(share * 100.0, language, 2))


def rule_title(row: Mapping[str, Any]) -> str:
    """A rule's name with its member: `Quarters: 2027-Q4`."""
    return f"{row['rule']}: {row['member']}" if row["member"] else str(row["rule"])
