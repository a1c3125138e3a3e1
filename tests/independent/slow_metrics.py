"""Scopes and metrics of a plan cell by cell, from docs/metrics.md and docs/model.md alone."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pulp
from slow_data import INF, PERIODS_A_YEAR, SlowData

Expression = pulp.LpAffineExpression
IN_CURRENCY = {
    "revenue", "margin", "commission", "contribution", "seller_cost", "extra_cost", "last_year", "market_size",
}  # fmt: skip
RATIOS = {
    "average_check": ("revenue", "deals"),
    "average_price": ("revenue", "units"),
    "margin_rate": ("margin", "revenue"),
    "market_share": ("sized_revenue", "market_size"),
    "growth": ("revenue", "last_year"),
    "utilisation": ("load", "capacity"),
}


@dataclass(frozen=True)
class Scope:
    """A product of markets, sellers and periods; which kinds of keys made it narrower."""

    markets: frozenset[int]
    sellers: frozenset[int]
    times: frozenset[int]
    by_market: bool = False
    by_seller: bool = False


class Sales:
    """The cube of one plan: variables, scopes, metrics, reaches."""

    def __init__(self, data: SlowData) -> None:
        self.data = data
        self.typical: dict[str, float] = {}
        self.x = [[self._cell(p, t) for t in data.times] for p in range(len(data.pairs))]
        self.extra: dict[tuple[int, int], pulp.LpVariable] = {}
        for r, resource in enumerate(data.resources):
            if resource["extra_price"] is not None and resource["capacity"] is not None:
                for t in data.times:
                    self.extra[r, t] = pulp.LpVariable(f"extra_{r}_{t}", 0)
        self.whole_plan = Scope(frozenset(data.M), frozenset(data.S), frozenset(data.times))
        self.mean_capacity = {unit: self._mean_capacity(unit) for unit in set(data.unit) if unit}

    def _cell(self, p: int, t: int) -> pulp.LpVariable:
        s, m = self.data.pairs[p]
        top = 0 if self.data.presence[s][t] == 0 else None
        kind = pulp.LpInteger if self.data.whole[m] else pulp.LpContinuous
        variable = pulp.LpVariable(f"x_{p}_{t}", 0, top, kind)
        limit, last = self.data.potential[m][t], self.data.last_units[m]
        if limit == INF:
            limit = None if last is None else last[t]
        pairs_of_market = sum(1 for pair in self.data.pairs if pair[1] == m)
        self.typical[variable.name] = 1.0 if limit is None else limit / pairs_of_market
        return variable

    def _mean_capacity(self, unit: str) -> float:
        data = self.data
        own = [
            (s, t) for s in data.S for t in data.times if data.unit[s] == unit and data.capacity[s][t] < INF
        ]
        present = sum(data.presence[s][t] for s, t in own)
        return sum(data.capacity[s][t] for s, t in own) / present if present else 0.0

    # Scopes

    def narrowed(self, scope: Scope, column: str, labels: list[str]) -> Scope:
        """The part of a scope whose cells carry one of the labels."""
        data = self.data
        if column in data.time_labels:
            kept = {t for t in data.times if data.time_labels[column][t] in labels}
            return replace(scope, times=scope.times & kept)
        name, found = column.rsplit(".", maxsplit=1)[-1], scope
        if name in data.market_columns and not column.startswith("seller."):
            kept = {m for m in data.M if data.market_labels[m][name] in labels}
            shared = name in data.seller_columns and column == name
            found = replace(found, markets=found.markets & kept, by_market=found.by_market or not shared)
        if name in data.seller_columns and not column.startswith("market."):
            shared = name in data.market_columns and column == name
            wanted = [*labels, "*"] if shared else labels
            kept = {s for s in data.S if data.seller_labels[s][name] in wanted}
            found = replace(found, sellers=found.sellers & kept, by_seller=found.by_seller or not shared)
        return found

    def scope(self, where: dict[str, Any]) -> Scope:
        """The scope of a `where`."""
        found = self.whole_plan
        for column, value in where.items():
            labels = [str(label) for label in (value if isinstance(value, list) else [value])]
            found = self.narrowed(found, column, labels)
        return found

    def label(self, column: str, s: int, m: int, t: int) -> str:
        """The label that a seller, a market or a period carries in a column."""
        data, name = self.data, column.rsplit(".", maxsplit=1)[-1]
        if column in data.time_labels:
            return data.time_labels[column][t]
        return data.market_labels[m][name] if self._side(column) == "market" else data.seller_labels[s][name]

    def cells(self, scope: Scope) -> list[tuple[int, int]]:
        """Pairs and periods of a scope."""
        pairs = enumerate(self.data.pairs)
        own = [p for p, (s, m) in pairs if s in scope.sellers and m in scope.markets]
        return [(p, t) for p in own for t in sorted(scope.times)]

    def members(self, scope: Scope, each: list[str]) -> dict[tuple[str, ...], Scope]:
        """The combinations of labels that occur in a scope, and the scope of each."""
        found: dict[tuple[str, ...], Scope] = {}
        if not each:
            return {(): scope}
        for s, m, t in self._occurring(scope, each):
            labels = tuple(self.label(column, s, m, t) for column in each)
            if labels not in found:
                member = scope
                for column, label in zip(each, labels, strict=True):
                    member = self.narrowed(member, column, [label])
                found[labels] = member
        return found

    def _occurring(self, scope: Scope, each: list[str]) -> list[tuple[int, int, int]]:
        """Sellers, markets and periods whose labels occur: rows of one table where its columns suffice."""
        data = self.data
        sides = {self._side(column) for column in each if column not in data.time_labels}
        if sides <= {"market"}:
            rows = [(-1, m) for m in sorted(scope.markets)]
        elif sides == {"seller"}:
            rows = [(s, -1) for s in sorted(scope.sellers)]
        else:
            rows = [(s, m) for s, m in data.pairs if s in scope.sellers and m in scope.markets]
        return [(s, m, t) for s, m in rows for t in sorted(scope.times)]

    def _side(self, column: str) -> str:
        name = column.rsplit(".", maxsplit=1)[-1]
        return "market" if name in self.data.market_columns and not column.startswith("seller.") else "seller"

    # Metrics

    def metric(self, name: str, scope: Scope) -> Expression:
        """A sum of docs/metrics.md in a scope."""
        if name == "contribution":
            found = self.metric("margin", scope) - self.metric("commission", scope)
            narrow = scope.by_market or scope.by_seller
            return found if narrow else found - self.metric("extra_cost", scope)
        if name in ("headcount", "capacity", "seller_cost"):
            return Expression(constant=self._figure_of_sellers(name, scope))
        if name in ("last_year", "last_year_units"):
            return Expression(constant=self.last_year(name == "last_year", scope))
        if name == "market_size":
            return Expression(constant=self._market_size(scope))
        if name == "extra_cost":
            prices = [resource["extra_price"] for resource in self.data.resources]
            return pulp.lpSum(prices[r] * v for (r, t), v in self.extra.items() if t in scope.times)
        found = pulp.lpSum(self._coefficient(name, p, t) * self.x[p][t] for p, t in self.cells(scope))
        if any(name == resource["name"] for resource in self.data.resources):
            if not (scope.by_market or scope.by_seller):
                found += sum(self.data.fixed(name, t) for t in scope.times)
        return found

    def _coefficient(self, name: str, p: int, t: int) -> float:
        data, (s, m) = self.data, self.data.pairs[p]
        price, deals = data.price[m][t], 1.0 / data.units_per_deal[m][t]
        if name == "units":
            return 1.0
        if name == "deals":
            return deals
        if name == "revenue":
            return price
        if name == "sized_revenue":
            sized = any(m in pool["markets"] and pool["revenue"] is not None for pool in data.pools)
            return price if sized else 0.0
        if name == "margin":
            return data.unit_margin[m][t]
        if name == "commission":
            return data.commission[s] * price
        if name == "hours":
            return data.hours[p][t] or 0.0
        if name == "new_customers":
            return deals if data.market_labels[m]["customer_type"] == "new" else 0.0
        if name == "load":
            mean = self.mean_capacity.get(data.unit[s] or "", 0.0)
            return data.effort[p][t] / mean if mean else 0.0
        return data.use(p, name)

    def _figure_of_sellers(self, name: str, scope: Scope) -> float:
        data, times = self.data, sorted(scope.times)
        own = {data.pairs[p][0] for p, _ in self.cells(scope)}
        if name == "headcount":
            return sum(data.headcount[s][t] for s in own for t in times) / len(times) if times else 0.0
        if name == "seller_cost":
            months = 12 / PERIODS_A_YEAR[data.every]
            return sum(data.headcount[s][t] * data.cost[s] * months for s in own for t in times)
        total = 0.0
        for s in own:
            for t in times:
                if data.unit[s] and data.capacity[s][t] < INF and self.mean_capacity[data.unit[s]]:
                    total += data.capacity[s][t] / self.mean_capacity[data.unit[s]]
        return total

    def last_year(self, in_currency: bool, scope: Scope) -> float:
        """Last year's figure of a scope."""
        table = self.data.last_revenue if in_currency else self.data.last_units
        return sum((table[m] or [])[t] for m in scope.markets for t in scope.times)

    def _market_size(self, scope: Scope) -> float:
        total = 0.0
        for pool in self.data.pools:
            members = pool["markets"]
            if pool["revenue"] is not None and members and scope.markets.issuperset(members):
                for t in scope.times:
                    part = sum(self.data.spread[m][t] for m in members) / len(members)
                    total += pool["revenue"] * part
        return total

    def column(self, name: str, in_currency: bool, scope: Scope) -> float:
        """The sum of a column over a member: what bounds and bases are multiples of."""
        data = self.data
        if name == "last_year":
            return self.last_year(in_currency, scope)
        if name == "potential":
            factor = data.price if in_currency else [[1.0 for _ in data.times] for _ in data.M]
            return sum(data.potential[m][t] * factor[m][t] for m in scope.markets for t in scope.times)
        if name in data.number_columns:
            rows = {m: float(data.markets[m][name]) for m in scope.markets}
            return sum(value * data.spread[m][t] for m, value in rows.items() for t in scope.times)
        return sum(float(data.sellers[s][name]) for s in scope.sellers)

    def basis(self, name: str, in_currency: bool, scope: Scope) -> float:
        """What a balance compares a member's metric with."""
        if name == "capacity":
            return sum(self.data.capacity[s][t] for s in scope.sellers for t in scope.times)
        return self.column(name, in_currency, scope)

    def reach(self, expression: Expression) -> float:
        """How large an expression typically is: sum |coefficient| typical + |constant|."""
        parts = [abs(c) * self.typical.get(v.name, 0.0) for v, c in expression.items()]
        return sum(parts) + abs(expression.constant)
