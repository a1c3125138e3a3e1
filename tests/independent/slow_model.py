"""The program of a plan written a second time, cell by cell with PuLP, from docs/model.md alone.

`SlowModel(folder).solve()` gives the value of every stage but the tie-break, or says that there is no plan
or no limit. Nothing of the package is imported.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Any

import pulp
from slow_data import INF, TERRITORY_NUMBERS, SlowData
from slow_metrics import IN_CURRENCY, RATIOS, Expression, Sales, Scope

NO_SCALE = 1.0
LOCK = 1e-7
NOTHING = 1e-9
MOST_CHANGE = 20000.0
"""No member of a plan as small as these differs by more, in units or currency."""
DIGITS = 2e-7
"""The solver writes eight digits of a value."""


@dataclass
class Stage:
    """One stage: an expression to make small or large."""

    name: str
    expression: Expression
    maximize: bool = False
    reach: float = NO_SCALE
    best: float | None = None
    """A value that cannot be beaten, and of which nothing may be given up."""


@dataclass(frozen=True)
class SoftRow:
    """A soft row in units of its scale: `lower <= expression / scale <= upper`."""

    expression: Expression
    lower: float
    upper: float
    scale: float
    spec: dict[str, Any]


@dataclass(frozen=True)
class Answer:
    """How a plan came out: `optimal`, `no_plan` or `unbounded`, and the value of each stage by name."""

    status: str
    stages: tuple[tuple[str, float], ...] = ()
    reaches: tuple[float, ...] = ()
    sales: tuple[tuple[float, ...], ...] = ()


class SlowModel:
    """Rows and stages of one plan folder."""

    data_of, sales_of, ratios = SlowData, Sales, RATIOS
    options = ("preprocess off",)

    def __init__(self, folder: Path) -> None:
        self.data = self.data_of(folder)
        self.plan = self.data.plan
        self.sales = self.sales_of(self.data)
        cells = [*(cell for row in self.sales.x for cell in row), *self.sales.extra.values()]
        self.one = pulp.LpVariable("one", 1, 1)
        # A row with every cell, which always holds: PuLP knows only variables that stand in a row.
        self.constraints = [pulp.lpSum(cells) + self.one >= 1]
        self.count = 0
        self.slacks: list[tuple[dict[str, Any], float, Expression]] = []
        self.hard: list[tuple[Expression, float, float]] = []
        self.soft: list[SoftRow] = []
        self.distances: list[tuple[int, Expression]] = []
        self.spreads: list[Expression] = []
        self.references: list[float] = []
        self._demand()
        self._size_pools()
        self._territory_shares()
        self._hours()
        self._resources()
        self._more()
        for kind in ("targets", "budgets", "limits"):
            for spec in self.plan.get(kind) or []:
                self._rule(kind, spec)
        for spec in self.plan.get("balance") or []:
            self._balance(spec)
        for spec in self.plan.get("stay_near") or []:
            self._stay_near(spec)

    # Building blocks

    def variable(self, kind: str = pulp.LpContinuous, top: float | None = None) -> pulp.LpVariable:
        """A new variable that is not negative."""
        self.count += 1
        return pulp.LpVariable(f"v_{self.count}", 0, top, kind)

    def row(self, expression: Expression, lower: float = -INF, upper: float = INF) -> None:
        """`lower <= expression <= upper`, remembered for the enumeration as well."""
        self.hard.append((expression, lower, upper))
        self._add(expression, lower, upper)

    def _add(self, expression: Expression, lower: float, upper: float) -> None:
        expression = Expression({v: c for v, c in expression.items() if c}, expression.constant)
        if not len(expression):
            slip = 1e-9 * max(1.0, abs(expression.constant))
            if lower - slip <= expression.constant <= upper + slip:
                return
            self.constraints.append(self.variable(top=0.0) >= 1)
            return
        size = max(abs(c) for c in expression.values())
        if lower > -INF:
            self.constraints.append(expression * (1.0 / size) >= lower / size)
        if upper < INF:
            self.constraints.append(expression * (1.0 / size) <= upper / size)

    # Families

    def _more(self) -> None:
        """Families of plans with more than sales."""

    def _demand(self) -> None:
        data = self.data
        for m in data.M:
            for t in data.times:
                if data.potential[m][t] < INF:
                    own = [p for p, pair in enumerate(data.pairs) if pair[1] == m]
                    self.row(pulp.lpSum(self.sales.x[p][t] for p in own), upper=data.potential[m][t])

    def _size_pools(self) -> None:
        data = self.data
        for pool in data.pools:
            scope = Scope(frozenset(pool["markets"]), frozenset(data.S), frozenset(data.times))
            for metric, size in (("revenue", pool["revenue"]), ("units", pool["units"])):
                if size is not None and pool["share"] is not None:
                    self.row(self.sales.metric(metric, scope), upper=pool["share"] * size)

    def _territory_shares(self) -> None:
        data = self.data
        for k, row in enumerate(data.tables["territories"]):
            keys = {c: v for c, v in row.items() if c not in TERRITORY_NUMBERS}
            markets = [m for m in data.M if data.covers_market(keys, m)]
            won = [p for p in range(len(data.pairs)) if data.row_of[p] == k]
            all_pairs = [p for p, pair in enumerate(data.pairs) if pair[1] in markets]
            for span in self._spans():
                part = pulp.lpSum(self.sales.x[p][t] for p in won for t in span)
                whole = pulp.lpSum(self.sales.x[p][t] for p in all_pairs for t in span)
                for side in ("share_min", "share_max"):
                    if (row.get(side) or "").strip():
                        share, least = float(row[side]), side == "share_min"
                        room = self._told_room(won, all_pairs, share, least) if span[0] == 0 else 0.0
                        self.row(part - share * whole, *((room,) if least else (-INF, room)))

    def _told_room(self, won: list[int], all_pairs: list[int], share: float, least: bool) -> float:
        """What closed periods leave of a share beside nothing: a plan without facts has none."""
        return 0.0

    def _spans(self) -> list[list[int]]:
        """The periods over which a limit of the horizon counts."""
        return [list(self.data.times)]

    def _hours(self) -> None:
        data = self.data
        for s in data.S:
            own = [p for p, pair in enumerate(data.pairs) if pair[0] == s]
            for t in data.times:
                if data.capacity[s][t] < INF:
                    taken = pulp.lpSum(data.effort[p][t] * self.sales.x[p][t] for p in own)
                    self.row(taken, upper=data.capacity[s][t])

    def _resources(self) -> None:
        data = self.data
        for r, resource in enumerate(data.resources):
            if resource["capacity"] is None:
                continue
            spans = [[t] for t in data.times] if resource["per"] == "period" else [list(data.times)]
            for span in spans:
                scope = Scope(frozenset(data.M), frozenset(data.S), frozenset(span))
                bought = pulp.lpSum(self.sales.extra[r, t] for t in span if (r, t) in self.sales.extra)
                self.row(self.sales.metric(resource["name"], scope) - bought, upper=resource["capacity"])

    # Rules

    def _rule(self, kind: str, spec: dict[str, Any]) -> None:
        must = spec.get("must", kind != "targets")
        where, each = spec.get("where") or {}, spec.get("each") or []
        each = each if isinstance(each, list) else [each]
        scope = self.sales.scope(where)
        for labels, member in self.sales.members(scope, each).items():
            low, high = _bounds(spec, labels)
            if low is None and high is None:
                continue
            for expression, lower, upper, scale in self._rows(spec, member, labels, (low, high)):
                if must:
                    self.row(expression, lower, upper)
                else:
                    self._soften(spec, SoftRow(expression, lower, upper, scale, spec))
                if spec["metric"] == "revenue" and not where and not each and not _is_share(spec):
                    self.references.append(lower)

    def _rows(
        self,
        spec: dict[str, Any],
        member: Scope,
        labels: tuple[str, ...],
        bounds: tuple[float | None, float | None],
    ) -> list[tuple[Expression, float, float, float]]:
        metric, sales = spec["metric"], self.sales
        low, high = bounds
        largest = max(abs(b) for b in bounds if b is not None)
        if metric in self.ratios or _is_share(spec):
            if metric in self.ratios:
                top, bottom = (sales.metric(name, member) for name in self.ratios[metric])
                shift = 1.0 if metric == "growth" else 0.0
            else:
                top, bottom, shift = sales.metric(metric, member), self._whole(spec, labels), 0.0
            rates = [b + shift for b in bounds if b is not None]
            scale = max(abs(rate) for rate in rates) * sales.reach(bottom)
            rows = []
            for bound, lower, upper in ((low, 0.0, INF), (high, -INF, 0.0)):
                if bound is not None:
                    expression = top - (bound + shift) * bottom
                    rows.append((expression, lower, upper, scale or sales.reach(expression) or NO_SCALE))
            return rows
        expression = sales.metric(metric, member)
        factor = 1.0
        if "growth" in spec:
            factor = sales.last_year(metric in IN_CURRENCY, member)
        elif isinstance(spec.get("of"), str):
            factor = sales.column(spec["of"], metric in IN_CURRENCY, member)
        scale = largest * abs(factor) or sales.reach(expression) or NO_SCALE
        lower = -INF if low is None else low * factor
        return [(expression, lower, INF if high is None else high * factor, scale)]

    def _whole(self, spec: dict[str, Any], labels: tuple[str, ...]) -> Expression:
        where, each = dict(spec.get("where") or {}), spec.get("each") or []
        each = each if isinstance(each, list) else [each]
        kept = len(each)
        if isinstance(spec.get("of"), dict):
            where = spec["of"]
        elif where:
            where.pop(list(where)[-1])
        else:
            kept -= 1
        scope = self.sales.scope(where)
        for column, label in list(zip(each, labels, strict=True))[:kept]:
            scope = self.sales.narrowed(scope, column, [label])
        return self.sales.metric(spec["metric"], scope)

    def _soften(self, spec: dict[str, Any], soft: SoftRow) -> None:
        self.soft.append(soft)
        expression = soft.expression * (1.0 / soft.scale)
        for bound, sign in ((soft.lower, 1), (soft.upper, -1)):
            if abs(bound) < INF:
                slack = self.variable()
                self.slacks.append((spec, soft.scale, slack + 0))
                self._add(sign * expression + slack, sign * bound / soft.scale, INF)

    # Balance and distances

    def _ratios(self, spec: dict[str, Any]) -> tuple[list[Expression], float]:
        """Metric over basis of each member in units of their mean, and that mean."""
        metric, across, basis = spec.get("metric", "revenue"), spec["across"], spec.get("basis", "capacity")
        found = []
        for member in self.sales.members(self.sales.scope(spec.get("where") or {}), [across]).values():
            size = self.sales.basis(basis, metric in IN_CURRENCY, member)
            if size > 0:
                found.append((self.sales.metric(metric, member), size))
        mean = sum(self.sales.reach(f) for f, _ in found) / sum(size for _, size in found)
        return [f * (1.0 / (size * mean)) for f, size in found], mean

    def _spread(self, spec: dict[str, Any]) -> tuple[Expression, Expression, float]:
        ratios, mean = self._ratios(spec)
        lowest, highest = self.variable(), self.variable()
        for ratio in ratios:
            self._add(ratio - lowest, 0.0, INF)
            self._add(ratio - highest, -INF, 0.0)
        return lowest + 0, highest + 0, mean

    def _balance(self, spec: dict[str, Any]) -> None:
        lowest, highest, _ = self._spread(spec)
        band = spec.get("within")
        if band is None:
            self.spreads.append(highest - lowest)
        else:
            self._add((1 - band) * highest - (1 + band) * lowest, -INF, 0.0)

    def _differences(self, metric: str, members: list[Scope]) -> tuple[list[Expression], Expression]:
        """above + below of each member against last year's shares, and X/B."""
        in_currency = metric in IN_CURRENCY
        figures = [self.sales.metric(metric, member) for member in members]
        last = [self._known_last_year(in_currency, member) for member in members]
        base = sum(last)
        if base == 0:
            return [], Expression()
        total = self._named(pulp.lpSum(figures) * (1.0 / base))
        found = []
        for figure, own in zip(figures, last, strict=True):
            found.append(self._absolute(figure * (1.0 / base) - (own / base) * total))
        return found, total

    def _known_last_year(self, in_currency: bool, member: Scope) -> float:
        table = self.data.last_revenue if in_currency else self.data.last_units
        return sum(table[m][t] for m in member.markets for t in member.times if table[m] is not None)

    def _named(self, expression: Expression) -> Expression:
        """A column that is the expression: rows that all speak of one total stay short."""
        self.count += 1
        column = pulp.LpVariable(f"v_{self.count}")
        self._add(expression - column, 0.0, 0.0)
        return column + 0

    def _absolute(self, expression: Expression) -> Expression:
        above, below = self.variable(), self.variable()
        self._add(expression - above + below, 0.0, 0.0)
        return above + below

    def _stay_near(self, spec: dict[str, Any]) -> None:
        by = spec["by"] if isinstance(spec["by"], list) else [spec["by"]]
        found = self.sales.members(self.sales.whole_plan, by)
        if isinstance(spec.get("to"), dict):
            distances, total, size = self._distances_to_run(spec, by, found)
        else:
            distances, total = self._differences(spec.get("metric", "revenue"), list(found.values()))
            in_currency = spec.get("metric", "revenue") in IN_CURRENCY
            size = sum(self._known_last_year(in_currency, member) for member in found.values())
        changes = []
        for distance in distances:
            if spec.get("within") is not None:
                self._add(distance - spec["within"] * total, -INF, 0.0)
            if spec.get("changes_at_most") is not None:
                changes.append(self.variable(pulp.LpInteger, 1))
                self._add(distance - (MOST_CHANGE / size) * changes[-1], -INF, 0.0)
        if changes:
            self._add(pulp.lpSum(changes), -INF, spec["changes_at_most"])
        if spec.get("priority") is not None:
            self.distances.append((spec["priority"], pulp.lpSum(distances)))

    def _distances_to_run(
        self, spec: dict[str, Any], by: list[str], members: dict[tuple[str, ...], Scope]
    ) -> tuple[list[Expression], Expression, float]:
        """above + below of each member against what it sold in another run, as shares of all of that run."""
        metric, sold = spec.get("metric", "revenue"), dict.fromkeys(members, 0.0)
        ahead = {self.data.time_labels["period"][t] for t in self.sales.whole_plan.times}
        with (self.data.folder / spec["to"]["run"] / "sales.csv").open(encoding="utf-8", newline="") as lines:
            for row in csv.DictReader(lines):
                if row["period"] in ahead:
                    sold[tuple(row[column] for column in by)] += float(row[metric])
        size = sum(map(abs, sold.values())) or 1.0
        found = [
            self._absolute((self.sales.metric(metric, member) - sold[labels]) * (1.0 / size))
            for labels, member in members.items()
        ]
        return found, Expression(constant=1.0), size

    def _even_load(self) -> Expression | None:
        data = self.data
        if any(c < INF for row in data.capacity for c in row):
            return self._load_of_limited()
        if len(data.sellers) < 2:
            return None
        reach, found = self.sales.reach(self.sales.metric("revenue", self.sales.whole_plan)), []
        for t in data.times:
            level, present = self.variable(), sum(data.presence[s][t] for s in data.S)
            for s in data.S:
                part = data.presence[s][t] / present if present else 0.0
                scope = Scope(frozenset(data.M), frozenset([s]), frozenset([t]))
                load = self.sales.metric("revenue", scope) * (1.0 / (reach or 1.0))
                found.append(self._absolute(load - level * part))
        return pulp.lpSum(found)

    def _load_of_limited(self) -> Expression | None:
        data, seats = self.data, {}
        for s in data.S:
            if all(c < INF for c in data.capacity[s]) and sum(data.capacity[s]) > 0:
                seats[s] = sum(data.capacity[s]) / self.sales.mean_capacity[data.unit[s]]
        if len(seats) < 2:
            return None
        total, level, found = sum(seats.values()), self.variable(), []
        for s, seat in seats.items():
            scope = Scope(frozenset(data.M), frozenset([s]), frozenset(data.times))
            load = self.sales.metric("load", scope) * (1.0 / total)
            found.append(self._absolute(load - level * (seat / total)))
        return pulp.lpSum(found)

    # Stages

    def stages(self) -> list[Stage]:
        """The stages in order, without the tie-break."""
        found = []
        priorities = {spec.get("priority", 1) for spec, _, _ in self.slacks if "penalty" not in spec}
        for priority in sorted(priorities | {number for number, _ in self.distances}):
            parts = [
                spec.get("weight", 1.0) * slack
                for spec, _, slack in self.slacks
                if "penalty" not in spec and spec.get("priority", 1) == priority
            ]
            parts += [distance for number, distance in self.distances if number == priority]
            found.append(Stage(f"targets {priority}", pulp.lpSum(parts), best=0.0))
        asked = self.plan.get("objective")
        return found + (self._default_stages() if asked is None else self._asked_stages(asked))

    def _penalties(self) -> Expression:
        priced = [(spec["penalty"], scale, slack) for spec, scale, slack in self.slacks if "penalty" in spec]
        return pulp.lpSum(penalty * scale * slack for penalty, scale, slack in priced)

    def _contribution(self) -> Stage:
        money = self.sales.metric("contribution", self.sales.whole_plan)
        return Stage("contribution", money - self._penalties(), True, self.sales.reach(money))

    def _penalty_stage(self) -> list[Stage]:
        penalties = self._penalties()
        reach = sum(spec["penalty"] * scale for spec, scale, _ in self.slacks if "penalty" in spec)
        return [Stage("penalties", penalties, reach=reach, best=0.0)] if penalties else []

    def _default_stages(self) -> list[Stage]:
        found = [self._contribution()] if self.data.knows_margin else [*self._penalty_stage(), self._total()]
        found += [Stage("balance", spread, best=0.0) for spread in self.spreads]
        parts = []
        if any(sum(row) > 0 for row in self.data.last_revenue if row is not None):
            differences, _ = self._differences("revenue", self._market_periods())
            parts += differences
        even = self._even_load()
        if even is not None:
            parts.append(even)
        return [*found, Stage("nearness", pulp.lpSum(parts), best=0.0)] if parts else found

    def _market_periods(self) -> list[Scope]:
        """Each market in each period."""
        data, everybody = self.data, frozenset(self.data.S)
        return [Scope(frozenset([m]), everybody, frozenset([t])) for m in data.M for t in data.times]

    def _total(self) -> Stage:
        revenue = self.sales.metric("revenue", self.sales.whole_plan)
        asked = [bound for bound in self.references if bound > -INF]
        known = [sum(row) for row in self.data.last_revenue if row is not None]
        reference = max(asked) if asked else sum(known)
        if not reference:
            return Stage("revenue", revenue, True, self.sales.reach(revenue))
        return Stage("total", self._absolute(revenue * (1.0 / reference) - 1.0), best=0.0)

    def _asked_stages(self, asked: list[dict[str, Any]]) -> list[Stage]:
        found = []
        if not any(stage.get("maximize") == "contribution" and not stage.get("where") for stage in asked):
            found += self._penalty_stage()
        for stage in asked:
            found += self._asked(stage)
        return found

    def _asked(self, stage: dict[str, Any]) -> list[Stage]:
        if stage.get("maximize") == "contribution" and not stage.get("where"):
            return [self._contribution()]
        if stage.get("maximize") == "smallest":
            ratios, mean = self._ratios(stage)
            smallest = self.variable()
            for ratio in ratios:
                self._add(ratio - smallest, 0.0, INF)
            return [Stage("smallest", smallest * mean, True, mean)]
        if stage.get("minimize") == "shortfall":
            parts = [spec.get("weight", 1.0) * slack for spec, _, slack in self.slacks]
            return [Stage("shortfall", pulp.lpSum(parts), best=0.0)]
        if stage.get("minimize") == "spread":
            if "metric" not in stage and "across" not in stage:
                return [Stage("spread", pulp.lpSum(self.spreads), best=0.0)]
            lowest, highest, _ = self._spread(stage)
            return [Stage("spread", highest - lowest, best=0.0)]
        if stage.get("minimize") == "change":
            differences, _ = self._differences("revenue", self._market_periods())
            return [Stage("nearness", pulp.lpSum(differences), best=0.0)]
        metric = stage.get("maximize") or stage["minimize"]
        expression = self.sales.metric(metric, self.sales.scope(stage.get("where") or {}))
        return [Stage(metric, expression, "maximize" in stage, self.sales.reach(expression))]

    # Solving

    def solve(self, before: str = "") -> Answer:
        """Solve stage after stage, each locked before the next, up to the one named `before`."""
        asked = list(takewhile(lambda stage: stage.name != before, self.stages()))
        stages, values = asked or [Stage("nothing", Expression())], []
        for stage in stages:
            status = self._solve(stage)
            if status != "optimal":
                return Answer(status)
            value = stage.expression.constant
            value += sum(c * (v.varValue or 0.0) for v, c in stage.expression.items())
            again = sum(1 for name, _ in values if name.split(" ")[0] == stage.name)
            values.append((f"{stage.name} {again + 1}" if again else stage.name, value))
            self._lock(stage, value)
        sales = tuple(tuple(v.varValue or 0.0 for v in row) for row in self.sales.x)
        return Answer("optimal", tuple(values), tuple(stage.reach for stage in stages), sales)

    def _solve(self, stage: Stage) -> str:
        sign = -1.0 if stage.maximize else 1.0
        size = max((abs(c) for c in stage.expression.values()), default=1.0) or 1.0
        if self._run((stage.expression - stage.expression.constant) * (sign / size)):
            return "optimal"
        return "unbounded" if self._run(self.one + 0) else "no_plan"

    def _run(self, objective: Expression) -> bool:
        """Whether the rows have an optimum, written into the variables."""
        problem = pulp.LpProblem("plan", pulp.LpMinimize)
        problem.setObjective(objective if any(objective.values()) else self.one + 0)
        for constraint in self.constraints:
            problem += constraint
        options = ["primalTolerance 1e-9", "dualTolerance 1e-9", "integerTolerance 1e-7", *self.options]
        problem.solve(pulp.PULP_CBC_CMD(msg=False, options=options, gapRel=0.0, gapAbs=1e-9))
        return bool(problem.status == pulp.LpStatusOptimal)

    def _lock(self, stage: Stage, value: float) -> None:
        if not stage.expression:
            return
        at_best = stage.best is not None and abs(value - stage.best) <= NOTHING
        slack = 0.0 if at_best else max(LOCK * stage.reach, DIGITS * abs(value))
        self._add(stage.expression, *((value - slack, INF) if stage.maximize else (-INF, value + slack)))


def _is_share(spec: dict[str, Any]) -> bool:
    return "share_at_least" in spec or "share_at_most" in spec


def _bounds(spec: dict[str, Any], labels: tuple[str, ...]) -> tuple[float | None, float | None]:
    """Lower and upper bound of a member, None where there is none."""

    def of(form: str) -> float | None:
        value = spec.get(form)
        if isinstance(value, dict):
            value = value.get(labels[0])
        return None if value is None else float(value)

    if spec.get("between") is not None:
        least, most = spec["between"]
        return float(least), float(most)
    if spec.get("equals") is not None:
        return of("equals"), of("equals")
    if spec.get("growth") is not None:
        growth = of("growth")
        return None if growth is None else 1.0 + growth, None
    low = of("share_at_least") if "share_at_least" in spec else of("at_least")
    return low, of("share_at_most") if "share_at_most" in spec else of("at_most")
