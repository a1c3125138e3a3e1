"""What has happened before `calendar.as_of` a second time, from docs/model.md (2a) and docs/defaults.md alone."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from slow_data import INF, Row, number
from slow_effects import Starts
from slow_marketing import MarketingData
from slow_metrics import Scope

FACT_NUMBERS = ("units", "revenue", "deals", "margin", "leads", "opportunities", "spend", "hours", "starts")


class FactData(MarketingData):
    """A plan whose periods before `as_of` are what the table `actuals` says."""

    def __init__(self, folder: Path, starts: Starts, spent: dict[str, list[float]] | None = None) -> None:
        self.closed, self.spent = 0, spent or {}
        super().__init__(folder, starts)
        self._fill_owners()
        self.pools_told = [Pool(self, row, self._period(row)) for row in self.told if self._is_sold(row)]

    def _fill_stages(self) -> None:
        """Read the facts before anything of the funnel is timed."""
        self.told = self.tables.setdefault("actuals", [])
        as_of = self.plan["calendar"].get("as_of")
        if as_of is not None:
            day = as_of if isinstance(as_of, datetime.date) else datetime.date.fromisoformat(as_of)
            self.closed = sum(1 for start in self.starts if start < day)
        super()._fill_stages()

    def _run_on(self) -> None:
        super()._run_on()
        for s in self.S:
            for t in range(self.closed):
                self.presence[s][t] = 0.0
                self.capacity[s][t] = min(self.capacity[s][t], 0.0)

    def _period(self, row: Row) -> int:
        return self.time_labels["period"].index(row["period"])

    @staticmethod
    def _is_sold(row: Row) -> bool:
        return any((row.get(name) or "").strip() for name in ("units", "revenue", "deals", "margin"))

    def told_starts(self) -> Starts:
        """Initiatives that have started, and when."""
        return {row["initiative"]: self._period(row) for row in self.told if number(row, "starts")}

    def told_heads(self, role: str, measure: str, t: int) -> float:
        """Hires or leavers of a role in a closed period."""
        rows = [row for row in self.told if row.get("role") == role and self._period(row) == t]
        return sum(number(row, measure) or 0.0 for row in rows)

    def told_spend(self, c: int, t: int) -> float:
        """Currency that a channel was given in a closed period."""
        rows = [
            r for r in self.told if r.get("channel") == self.channels[c]["channel"] and self._period(r) == t
        ]
        return sum(number(row, "spend") or 0.0 for row in rows)

    def told_input(self, c: int, t: int) -> float:
        """What that bought: what is left beside the fixed cost, the lowest tier first."""
        horizon = bool(self.tiers(c)) and self.tiers(c)[0]["per"] == "horizon"
        before = sum(self._bare(c, u) for u in range(t)) if horizon else 0.0
        return self._bought(c, before + self._bare(c, t)) - self._bought(c, before)

    def _bare(self, c: int, t: int) -> float:
        spent, row = self.told_spend(c, t), self.channels[c]
        due = (number(row, "fixed_cost") or 0.0) if spent > 0 else 0.0
        if row.get("fixed_per") == "horizon" and any(self.told_spend(c, u) > 0 for u in range(t)):
            due = 0.0
        return spent - min(due, spent)

    def _bought(self, c: int, money: float) -> float:
        above = [0.0, *(self.above(c, row) for row in self.tiers(c)), INF]
        prices = [self.per_input(c), *(self.tier_price(c, row) for row in self.tiers(c))]
        if money <= 0:
            return 0.0
        for k, price in enumerate(prices):
            if price > 0 and money < (above[k + 1] - above[k]) * price:
                return above[k] + money / price
            if above[k + 1] < INF:
                money -= (above[k + 1] - above[k]) * price
        return above[-2]

    def has_pipeline(self, m: int) -> bool:
        """Whether open deals of a market are told."""
        return any(self.covers_market(self.deal_keys(row), m) for row in self.tables["pipeline"])

    def first_decided(self, m: int) -> int:
        """The first period whose opportunities count: open deals stand for those of closed periods."""
        return self.closed if self.has_pipeline(m) else 0

    def _closing(self, row: Row, m: int) -> dict[int, float]:
        found = super()._closing(row, m)
        if (row.get("close") or "").strip():
            return found
        return {t + self.closed: part for t, part in found.items()}

    def sold_in_pool(self, pool: dict[str, Any], in_currency: bool) -> float:
        """What facts inside a size pool sold."""
        members = set(pool["markets"])
        return sum(
            one.figure("revenue" if in_currency else "units")
            for one in self.pools_told
            if one.markets <= members
        )

    # Owners of initiatives

    def _fill_owners(self) -> None:
        self.asked = [row for row in self.tables["uses"] if row["resource"] == "owner"]

    def _owned(self, row: Row, owner: str) -> list[str]:
        name = row["activity"].partition(":")[2]
        return [i for i, own in self.initiatives.items() if name in ("", i) and own.get("owner") == owner]

    def owner_uses(self, resource: str) -> list[tuple[str, float]]:
        """What initiatives take of a resource that has their owner's name: activity and amount."""
        return [
            (f"{row['activity'].partition(':')[0]}:{i}", float(row["amount"]))
            for row in self.asked
            for i in self._owned(row, resource)
        ]

    def owner_hours(self, s: int, t: int) -> float:
        """What initiatives take of a seller who owns them."""
        total = 0.0
        for activity, amount in self.owner_uses(self.sellers[s]["seller"]):
            kind, _, name = activity.partition(":")
            happens = self.begun.get(name) == t if kind == "initiative" else self.active(name, t)
            total += amount if happens else 0.0
        return total


@dataclass
class Pool:
    """One row of facts about sales: what it covers, and what it adds to each metric."""

    data: FactData
    row: Row
    t: int

    def __post_init__(self) -> None:
        data = self.data
        keys = {c: v for c, v in self.row.items() if c not in ("period", "returned", *FACT_NUMBERS)}
        self.pairs = [
            p
            for p, (s, m) in enumerate(data.pairs)
            if data.covers_market(keys, m) and data.covers_seller(keys, s)
        ]
        self.markets = {m for m in data.M if data.covers_market(keys, m)}
        self.sellers = {s for s in data.S if data.covers_seller(keys, s)}

    def _mean(self, rate: list[float], by_revenue: bool = False) -> float:
        """Mean of a rate over the pairs that the pool covers, weighted by last year."""
        table = self.data.last_revenue if by_revenue else self.data.last_units
        weights = [(table[self.data.pairs[p][1]] or [0.0] * 99)[self.t] for p in self.pairs]
        if not sum(weights):
            weights = [1.0 for _ in self.pairs]
        return sum(w * r for w, r in zip(weights, rate, strict=True)) / sum(weights)

    def figure(self, name: str) -> float:
        """What the pool adds to a metric: told, or derived from what is told."""
        data, t = self.data, self.t
        own = [data.pairs[p][1] for p in self.pairs]
        price = self._mean([data.price[m][t] for m in own])
        told = {name: number(self.row, name) for name in ("units", "revenue", "deals", "margin")}
        revenue, units = told["revenue"], told["units"]
        if revenue is None:
            revenue = (units or 0.0) * price
        if units is None:
            units = revenue / price
        if name in ("units", "revenue"):
            return units if name == "units" else revenue
        if name == "deals":
            return (
                told["deals"]
                if told["deals"] is not None
                else units * self._mean([1.0 / data.units_per_deal[m][t] for m in own])
            )
        if name == "margin":
            if told["margin"] is not None:
                return told["margin"]
            return revenue * self._mean([data.unit_margin[m][t] / data.price[m][t] for m in own], True)
        if name == "commission":
            return revenue * self._mean([data.commission[data.pairs[p][0]] for p in self.pairs], True)
        if any(name == resource["name"] for resource in data.resources):
            return units * self._mean([data.use(p, name) for p in self.pairs])
        if name == "new_customers":
            deals = [1.0 / data.units_per_deal[m][t] for m in own]
            new = [data.market_labels[m]["customer_type"] == "new" for m in own]
            ours = self._mean([each if joins else 0.0 for each, joins in zip(deals, new, strict=True)])
            return self.figure("deals") * ours / self._mean(deals)
        return 0.0


class Told:
    """What facts add to a metric of a scope."""

    def __init__(self, data: FactData) -> None:
        self.data = data

    def metric(self, name: str, scope: Scope) -> float:
        """The sum over pools whose labels lie in the scope."""
        return sum(
            pool.figure(name)
            for pool in self.data.pools_told
            if pool.t in scope.times and pool.markets <= scope.markets and pool.sellers <= scope.sellers
        )
