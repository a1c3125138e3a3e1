"""What binds, and what one more unit of it brings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from optimizer.report.layout import Column
from optimizer.report.sheet import Sheet
from optimizer.report.words import one_word, rule_title
from optimizer.result.solution import MarginalValue

SHOWN = 8
POINT = 1e-5
"""A range narrower than this share of the bound is one point: the value changes at once."""


@dataclass(frozen=True)
class Limit:
    """One limit, with its prices over the periods in which it binds."""

    family: str
    name: tuple[str, ...]
    unit: str
    prices: tuple[MarginalValue, ...]

    @property
    def worth(self) -> float:
        """What doubling it everywhere would bring at these prices; ranks the limits."""
        return sum(abs(price.value) * (abs(price.bound) or 1.0) for price in self.prices)

    @property
    def next_ones(self) -> list[float]:
        """What the next unit brings, by period: solved again where that was done, else the price."""
        return [price.value if price.more is None else price.more for price in self.prices]


def binding(sheet: Sheet) -> None:
    """The table of marginal values, the limits at their bound, or why there are no values."""
    solution, paper = sheet.solution, sheet.paper
    at_bound = [row for row in sheet.rows if row["binds"] and row["kind"] != "target"]
    if not solution.marginal_values and not at_bound and not solution.marginal_note:
        return
    paper.heading(sheet.say("binding"))
    if solution.marginal_note:
        from optimizer import messages

        paper.paragraph(messages.text(solution.marginal_note, sheet.language), indent=2)
    if solution.marginal_values:
        _values(sheet)
    if at_bound:
        names = dict.fromkeys(rule_title(row) for row in at_bound)
        shown = list(names)[:SHOWN]
        text = sheet.say("at_bound", rules=", ".join(shown))
        if len(names) > SHOWN:
            text += " " + sheet.say("more", count=len(names) - SHOWN)
        paper.paragraph(text, indent=2)


def grouped(values: Sequence[MarginalValue], periods: Sequence[str]) -> list[Limit]:
    """Prices of one limit in several periods together, the most valuable first."""
    time = set(periods)
    groups: dict[tuple[str, tuple[str, ...], str], list[MarginalValue]] = {}
    for price in values:
        by_period = price.family != "rules" and len(price.name) > 1 and price.name[-1] in time
        name = price.name[:-1] if by_period else price.name
        groups.setdefault((price.family, name, price.unit), []).append(price)
    limits = [Limit(*key, tuple(prices)) for key, prices in groups.items()]
    return sorted(limits, key=lambda limit: -limit.worth)


def _values(sheet: Sheet) -> None:
    solution = sheet.solution
    limits = grouped(solution.marginal_values, solution.plan.calendar.period)
    of = solution.marginal_values[0].of
    what = sheet.say("in_contribution") if of == "contribution" else of
    sheet.paper.paragraph(sheet.say("binding_how", what=what), indent=2, tone="faint")
    rows = [
        [
            sheet.say(f"family_{limit.family}", name=" / ".join(limit.name)),
            one_word(solution, limit.unit, sheet.language),
            _brings(sheet, limit),
            _holds(sheet, limit),
        ]
        for limit in limits[:SHOWN]
    ]
    columns = [
        sheet.column("limit"),
        sheet.column("one_more"),
        Column(sheet.say("head_brings", unit=sheet.money), True),
        sheet.column("holds"),
    ]
    sheet.paper.table(columns, rows)
    if len(limits) > SHOWN:
        sheet.paper.paragraph(sheet.say("more", count=len(limits) - SHOWN), indent=2)
    groups = {price.name[0] for price in solution.marginal_values if price.family == "hours"}
    if any(" +" in name for name in groups):
        sheet.paper.paragraph(sheet.say("equal_sellers"), indent=2, tone="faint")


def _brings(sheet: Sheet, limit: Limit) -> str:
    """What one more brings, from the least to the most over the periods; of a share, a percentage point."""
    scale = 0.01 if limit.unit == "share" else 1.0
    low, high = (scale * pick(limit.next_ones) for pick in (min, max))
    texts = [sheet.figure(value, "currency") for value in (low, high)]
    return texts[0] if texts[0] == texts[1] else f"{texts[0]} … {texts[1]}"


def _holds(sheet: Sheet, limit: Limit) -> str:
    """In how many periods it binds, or from where to where its price holds."""
    if len(limit.prices) > 1:
        return sheet.say("in_periods", count=len(limit.prices), periods=sheet.solution.plan.calendar.size)
    price = limit.prices[0]
    low, high = price.holds_from, price.holds_to
    if low is None and high is None:
        return ""
    size = abs(price.bound) or 1.0
    if low is not None and high is not None and high - low <= POINT * size:
        return sheet.say("holds_here", bound=sheet.figure(price.bound, limit.unit))
    ends = ["" if end is None else sheet.figure(end, limit.unit) for end in (low, high)]
    return " … ".join(ends)
