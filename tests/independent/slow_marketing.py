"""What marketing buys a second time, cell by cell with PuLP, from docs/model.md alone: spend, carryover, response."""

from __future__ import annotations

import datetime
import itertools
import math

import pulp
from slow_data import INF, Row, number
from slow_metrics import Expression
from slow_staff import StaffData

PIECES = 32
"""Lines that stand for a smooth curve, beside the corners that are asked for."""
Point = tuple[float, float]


class MarketingData(StaffData):
    """A plan with the rows of marketing read in full."""

    spent: dict[str, list[float]]
    """Inputs by channel of a plan for which the lines lie on the smooth curves."""

    def tiers(self, c: int) -> list[Row]:
        """Rows of tiers of a row of marketing, by the amount beyond which they are."""
        own = [
            row
            for row in self.tables.get("tiers", [])
            if row["channel"] in ("*", self.channels[c]["channel"])
        ]
        return sorted(own, key=lambda row: self.above(c, row))

    def above(self, c: int, row: Row) -> float:
        """The input beyond which a tier is."""
        amount = number(row, "above_insertions")
        return amount if amount is not None else (number(row, "above_spend") or 0.0) / self.per_input(c)

    def tier_price(self, c: int, row: Row) -> float:
        """What an input costs there."""
        price, factor = number(row, "unit_cost"), number(row, "price_factor")
        return price if price is not None else (factor or 0.0) * self.per_input(c)

    def per_input(self, c: int) -> float:
        """Currency an input: what an insertion costs, else 1."""
        return number(self.channels[c], "unit_cost") or 1.0

    def _run_out(self) -> int:
        """Spending by a profile works on for its length."""
        found = super()._run_out()
        if not self.led or self.plan.get("run_out") is not None:
            return found
        for c in {int(str(entry["channel"])) for entry in self.entries}:
            name = (self.channels[c].get("carryover_profile") or "").strip()
            if name:
                found = max(found, *(int(age) for age, value in self.profile(name) if value))
        return found

    def is_active(self, c: int, t: int) -> bool:
        """Whether any day of a period lies between `from` and `to`."""
        if t not in self.planned:
            return False
        first, last = ((self.channels[c].get(name) or "").strip() for name in ("from", "to"))
        if first and self.ends[t] <= datetime.date.fromisoformat(first):
            return False
        return not last or self.starts[t] <= datetime.date.fromisoformat(last)

    def total_bounds(self, c: int) -> tuple[float, float]:
        """Least and most input over the horizon: the tightest counts."""
        row, cost = self.channels[c], self.per_input(c)
        base = number(row, "base_spend") or 0.0
        least, most = [0.0], [INF]
        for name, bounds in (("min", least), ("max", most)):
            parts = (("spend", 1.0 / cost), ("insertions", 1.0), ("of_base", base / cost))
            given = [(number(row, f"{name}_{column}"), factor) for column, factor in parts]
            bounds += [value * factor for value, factor in given if value is not None]
        return max(least), min(most)

    def weight(self, c: int, age: int) -> float:
        """What is left of an input after so many periods."""
        row, rate = self.channels[c], number(self.channels[c], "carryover_rate")
        normalised, name = row.get("normalised") == "yes", (row.get("carryover_profile") or "").strip()
        if name:
            values = {int(at): value for at, value in self.profile(name)}
            return values.get(age, 0.0) / (sum(values.values()) if normalised else 1.0)
        if rate is None:
            return 1.0 if age == 0 else 0.0
        return rate**age * (1.0 - rate if normalised else 1.0)

    def opening_stock(self, c: int, t: int) -> float:
        """What is left of the stock at the start."""
        row = self.channels[c]
        return (number(row, "opening_stock") or 0.0) * (number(row, "carryover_rate") or 0.0) ** (t + 1)

    def points(self, c: int, most: float) -> list[Point]:
        """Input -> leads a period by lines, up to the largest stock."""
        channel, scale = self.channels[c], 1.0
        rows = [row for row in self.tables.get("curves", []) if row["channel"] in ("*", channel["channel"])]
        if not rows:
            fed = any(entry["channel"] == c for entry in self.entries)
            leads = self.per_input(c) if channel.get("curve_of") == "spend" else 1.0
            return [(0.0, 0.0), (most, leads * most if fed else 0.0)]
        if (channel.get("curve_of") or "").strip() == "spend":
            scale = self.per_input(c)
        parts: dict[str, list[Row]] = {}
        for row in rows:
            parts.setdefault(row.get("part") or "", []).append(row)
        corners = {0.0, most}
        for own in parts.values():
            periods = self._periods(own[0])
            if self._family(own[0]) == "points":
                corners |= {(number(row, "spend") or 0.0) / periods / scale for row in own}
            elif self._family(own[0]) != "linear":
                corners |= {most * piece / PIECES for piece in range(PIECES)}
                corners |= self._stocks(c)
        inside = sorted(x for x in corners if x <= most)
        return [(x, sum(self._part(own, scale * x) for own in parts.values())) for x in inside]

    def _stocks(self, c: int) -> set[float]:
        """What the given inputs of a channel make of its stock."""
        inputs = [*self.spent.get(self.channels[c]["channel"], []), *(0.0 for _ in self.times)]
        return {
            self.opening_stock(c, t) + sum(self.weight(c, age) * inputs[t - age] for age in range(t + 1))
            for t in self.times
        }

    @staticmethod
    def _family(row: Row) -> str:
        return (row.get("family") or "").strip() or "points"

    def _periods(self, row: Row) -> float:
        per = (row.get("curve_per") or "").strip() or ("year" if self._family(row) == "points" else "period")
        return {"period": 1, "year": self.year, "horizon": len(self.planned)}[per]

    def _part(self, rows: list[Row], x: float) -> float:
        row, periods = rows[0], self._periods(rows[0])
        weight, family, x = number(row, "weight"), self._family(rows[0]), x * periods
        value = _points(rows, x) if family == "points" else SHAPES[family](_Parameters(row), x)
        return (1.0 if weight is None else weight) * value / periods


class _Parameters:
    """Parameters of a curve by name; a blank is 0."""

    def __init__(self, row: Row) -> None:
        self.row = row

    def __getattr__(self, name: str) -> float:
        return number(self.row, name) or 0.0


SHAPES = {
    "linear": lambda p, x: p.slope * x,
    "hill": lambda p, x: p.bottom + (p.top - p.bottom) * x**p.slope / (p.half**p.slope + x**p.slope),
    "logistic": lambda p, x: p.top * (1 - math.exp(-p.rate * x)) / (1 + math.exp(-p.rate * x)),
    "s_logistic": lambda p, x: (
        p.top * (1 / (1 + math.exp(-p.rate * (x - p.middle))) - 1 / (1 + math.exp(p.rate * p.middle)))
    ),
    "log1p": lambda p, x: p.scale * math.log(1 + x / p.unit),
    "power": lambda p, x: p.scale * x**p.exponent,
    "michaelis_menten": lambda p, x: p.top * x / (p.half + x),
}


def _points(rows: list[Row], x: float) -> float:
    """Lines between (spend, leads), from (0, 0), flat beyond the last."""
    given = sorted({(number(r, "spend") or 0.0, number(r, "leads") or 0.0) for r in rows} | {(0.0, 0.0)})
    for (a, low), (b, high) in itertools.pairwise(given):
        if x <= b:
            return low + (high - low) * (x - a) / (b - a)
    return given[-1][1]


def on_the_lines(
    points: list[Point], x: Expression, y: Expression, name: str
) -> list[tuple[Expression, float, float]]:
    """Rows that put (x, y) onto the lines between the points: one line after the other is filled, in their order."""
    slopes = [(d - b) / (c - a) for (a, b), (c, d) in itertools.pairwise(points)]
    if len(slopes) == 1:
        return [(y - slopes[0] * x, points[0][1], points[0][1]), (x + 0, 0.0, points[-1][0])]
    filled, rows = [], []
    for k, ((a, _), (b, _)) in enumerate(itertools.pairwise(points)):
        filled.append(pulp.LpVariable(f"{name}_{k}", 0, b - a))
    for k in range(len(slopes) - 1):
        # A binary where the order does not come by itself; equality needs it at every corner.
        full = pulp.LpVariable(f"{name}_full_{k}", 0, 1, pulp.LpInteger)
        rows.append((filled[k] - (points[k + 1][0] - points[k][0]) * full, 0.0, INF))
        rows.append((filled[k + 1] - (points[k + 2][0] - points[k + 1][0]) * full, -INF, 0.0))
    rows.append((x - pulp.lpSum(filled), 0.0, 0.0))
    worth = pulp.lpSum(slope * part for slope, part in zip(slopes, filled, strict=True))
    rows.append((y - worth, points[0][1], points[0][1]))
    return rows


def below_the_lines(
    points: list[Point], x: Expression, y: Expression
) -> list[tuple[Expression, float, float]] | None:
    """Rows that keep y below a concave curve, None where it is not concave."""
    lines = [((d - b) / (c - a), a, b) for (a, b), (c, d) in itertools.pairwise(points)]
    if any(later[0] > line[0] + 1e-12 for line, later in itertools.pairwise(lines)):
        return None
    return [(y - slope * x, -INF, b - slope * a) for slope, a, b in lines]
