"""The families of the funnel written a second time, cell by cell with PuLP, from docs/model.md alone."""

from __future__ import annotations

import pulp
from slow_data import INF, number
from slow_funnel_data import FunnelData
from slow_metrics import RATIOS, Expression, Sales, Scope
from slow_model import SlowModel, Stage

FUNNEL_RATIOS = {
    "conversion": ("won", "matured"),
    "cycle_time": ("cycle_days", "won"),
    "cac": ("marketing_cost", "customers_brought"),
    "roas": ("margin_brought", "marketing_cost"),
    "retention": ("customers_kept", "customers_before"),
}


class FunnelSales(Sales):
    """The cube with the activities of the funnel; scopes are about the periods of the plan."""

    def __init__(self, data: FunnelData) -> None:
        super().__init__(data)
        self.funnel = data
        self.whole_plan = Scope(frozenset(data.M), frozenset(data.S), frozenset(data.planned))
        self.spend = [self._row(f"spend_{c}") for c in range(len(data.channels))]
        self.response = [self._row(f"response_{c}") for c in range(len(data.channels))]
        self.worked = [self._row(f"worked_{e}", entry["amount"]) for e, entry in enumerate(data.entries)]
        self.organic = {m: self._row(f"organic_{m}") for m in data.M if sum(data.organic[m]) > 0}
        self.opening = {m: self._row(f"opening_{m}") for m in data.M if sum(data.opening[m]) > 0}
        self.waiting = {m: self._row(f"waiting_{m}") for m in data.led if self.kept(m) > 0}
        self.base = [self._row(f"base_{g}") for g in range(len(data.groups))]
        self.orders = {
            (g, m): self._row(f"orders_{g}_{m}") for g, group in enumerate(data.groups) for m in group["buys"]
        }

    def _row(self, name: str, sign: float = 1.0) -> list[pulp.LpVariable]:
        low, high = (0, None) if sign >= 0 else (None, 0)
        return [pulp.LpVariable(f"{name}_{t}", low, high) for t in self.funnel.times]

    def kept(self, m: int) -> float:
        """Share of what waits that a market keeps."""
        return number(self.funnel.markets[m], "waiting_kept") or 0.0

    def _mean_capacity(self, unit: str) -> float:
        data, planned = self.data, self.data.planned
        own = [(s, t) for s in data.S for t in planned if data.unit[s] == unit and data.capacity[s][t] < INF]
        present = sum(data.presence[s][t] for s, t in own)
        return sum(data.capacity[s][t] for s, t in own) / present if present else 0.0

    def before(self, g: int, t: int) -> Expression:
        """Customers of a group at the start of a period."""
        return self.base[g][t - 1] + 0 if t else Expression(constant=self.funnel.groups[g]["opening"])

    def decided(self, m: int, t: int, scope: Scope | None = None, won: bool = True) -> Expression:
        """Opportunities of a market that are decided in a period, times their conversion where won."""
        data, found = self.funnel, Expression()
        for e, entry in enumerate(data.entries):
            if entry["market"] == m:
                for lag, share in entry["lag"].items():
                    if t - lag >= 0:
                        found += share * (entry["conversion"] if won else 1.0) * self.worked[e][t - lag]
        if m in self.organic:
            for lag, share in data._lag(m).items():
                if t - lag >= 0:
                    found += share * (data.won[m] if won else 1.0) * self.organic[m][t - lag]
        return found

    def metric(self, name: str, scope: Scope) -> Expression:
        """The metrics of docs/metrics.md that only a funnel has, else those of sales."""
        data = self.funnel
        cells = [(m, t) for m in sorted(scope.markets) for t in sorted(scope.times)]
        if name == "contribution":
            return super().metric(name, scope) - self.metric("marketing_cost", scope)
        if name == "marketing_cost":
            return pulp.lpSum(row[t] for row in self.spend for t in scope.times)
        if name in ("won", "matured"):
            return pulp.lpSum(self.decided(m, t, won=name == "won") for m, t in cells)
        if name == "cycle_days":
            return self._cycle_days(scope)
        if name in ("customers_brought", "margin_brought"):
            return self._brought(name, scope)
        if name == "customers":
            return pulp.lpSum(row[max(scope.times)] for row in self.base)
        if name in ("customers_before", "customers_kept"):
            found = Expression()
            for g, group in enumerate(data.groups):
                factor = group["retention"] if name == "customers_kept" else 1.0
                found += factor * pulp.lpSum(self.before(g, t) for t in scope.times)
            return found
        return super().metric(name, scope)

    def _cycle_days(self, scope: Scope) -> Expression:
        data, found = self.funnel, Expression()
        for t in scope.times:
            for e, entry in enumerate(data.entries):
                for lag, share in entry["lag"].items():
                    if t - lag >= 0 and entry["market"] in scope.markets:
                        found += data.days_of(entry) * share * entry["conversion"] * self.worked[e][t - lag]
            for m in self.organic:
                for lag, share in data._lag(m).items():
                    if t - lag >= 0 and m in scope.markets:
                        found += data.cycle[m] * share * data.won[m] * self.organic[m][t - lag]
        return found

    def _brought(self, name: str, scope: Scope) -> Expression:
        data, found, size = self.funnel, Expression(), len(self.funnel.planned)
        for e, entry in enumerate(data.entries):
            m = entry["market"]
            value = 1.0 if data.market_labels[m]["customer_type"] == "new" else 0.0
            if name == "margin_brought":
                value = sum(data.unit_margin[m][t] * data.units_per_deal[m][t] for t in data.planned) / size
            if m in scope.markets:
                found += value * entry["conversion"] * pulp.lpSum(self.worked[e][t] for t in scope.times)
        return found


class SlowFunnel(SlowModel):
    """Rows and stages of a plan with a funnel."""

    data: FunnelData
    sales: FunnelSales
    data_of, sales_of, ratios = FunnelData, FunnelSales, RATIOS | FUNNEL_RATIOS

    def _more(self) -> None:
        self._marketing()
        self._opportunity()
        self._customers()
        self._bounds()

    def _marketing(self) -> None:
        data, sales = self.data, self.sales
        for c, channel in enumerate(data.channels):
            rate, most = number(channel, "carryover_rate") or 0.0, number(channel, "max_spend")
            if most is not None:
                self.row(pulp.lpSum(sales.spend[c]), upper=most)
            for t in data.times:
                if t not in data.planned:
                    self.row(sales.spend[c][t] + 0, upper=0.0)
                stock = pulp.lpSum(
                    rate**age * sales.spend[c][t - age] for age in range(t + 1) if rate or not age
                )
                self.row(sales.response[c][t] - stock, 0.0, 0.0)
        for pool in {entry["pool"] for entry in data.entries}:
            own = [e for e, entry in enumerate(data.entries) if entry["pool"] == pool]
            amount, c = data.entries[own[0]]["amount"], data.entries[own[0]]["channel"]
            for t in data.times:
                taken = pulp.lpSum(sales.worked[e][t] for e in own) - amount * sales.response[c][t]
                self.row(taken, 0.0 if amount < 0 else -INF, 0.0)

    def _opportunity(self) -> None:
        data, sales = self.data, self.sales
        for m in sorted(data.led):
            own = [p for p, pair in enumerate(data.pairs) if pair[1] == m]
            if not own:
                continue
            for t in data.times:
                sold = pulp.lpSum(sales.x[p][t] * (1.0 / self._win_factor(p)) for p in own)
                deals = sales.decided(m, t)
                if m in sales.opening:
                    deals += sales.opening[m][t]
                brought = data.units_per_deal[m][t] * deals
                for g, group in enumerate(data.groups):
                    if m in group["buys"]:
                        worth = data.units_per_deal[m][t]
                        if group["revenue"] is not None:
                            worth = group["revenue"] / data.price[m][t]
                        brought += worth * sales.orders[g, m][t]
                if m in sales.waiting:
                    sold += sales.waiting[m][t]
                    brought += sales.kept(m) * sales.waiting[m][t - 1] if t else 0
                self.row(sold - brought, upper=0.0)

    def _win_factor(self, p: int) -> float:
        row = self.data.row_of[p]
        return 1.0 if row is None else number(self.data.tables["territories"][row], "win_factor") or 1.0

    def _customers(self) -> None:
        data, sales = self.data, self.sales
        for g, group in enumerate(data.groups):
            kept = group["retention"] ** (1.0 / data.year)
            for t in data.times:
                joined = pulp.lpSum(
                    sales.x[p][t] * (1.0 / data.units_per_deal[m][t])
                    for p, (_, m) in enumerate(data.pairs)
                    if m in group["joins"]
                )
                self.row(sales.base[g][t] - kept * sales.before(g, t) - joined, 0.0, 0.0)
                part = sum(data.spread[m][t] for m in group["buys"]) / len(group["buys"])
                each = group["orders"] * part * len(data.planned) / data.year
                ordered = pulp.lpSum(sales.orders[g, m][t] for m in group["buys"])
                self.row(ordered - each * sales.before(g, t), upper=0.0)

    def _bounds(self) -> None:
        data, sales = self.data, self.sales
        for rows, most in ((sales.organic, data.organic), (sales.opening, data.opening)):
            for m, row in rows.items():
                for t in data.times:
                    least = -INF if data.has_hours(m) else most[m][t]
                    self.row(row[t] + 0, least, most[m][t])
        for p, (s, m) in enumerate(data.pairs):
            for t in data.times[len(data.planned) :]:
                bounded = data.potential[m][t] < INF or m in data.led
                if not (bounded or (data.capacity[s][t] < INF and data.effort[p][t] > 0)):
                    self.row(sales.x[p][t] + 0, upper=0.0)

    def _hours(self) -> None:
        """Sales and leads within the capacity, and what leads take."""
        data, sales = self.data, self.sales
        timed = {p: m for p, (s, m) in enumerate(data.pairs) if data.unit[s] == "hours" and self._asks(m)}
        self.work = work = {(p, t): self.variable() for p in timed for t in data.times}
        for s in data.S:
            own = [p for p, pair in enumerate(data.pairs) if pair[0] == s]
            for t in data.times:
                leads = pulp.lpSum(work[p, t] for p in own if p in timed)
                if data.presence[s][t] == 0 and leads:
                    self.row(leads, upper=0.0)
                if data.capacity[s][t] < INF:
                    taken = pulp.lpSum(data.effort[p][t] * sales.x[p][t] for p in own)
                    self.row(taken + leads, upper=data.capacity[s][t])
        for m in set(timed.values()):
            for t in data.times:
                given = pulp.lpSum(work[p, t] for p in timed if timed[p] == m)
                self.row(given + self._by_others(m, t, timed) - self._needed(m, t), lower=0.0)

    def _asks(self, m: int) -> bool:
        return m in self.data.led and self.data.has_hours(m)

    def _by_others(self, m: int, t: int, timed: dict[int, int]) -> Expression:
        data, found = self.data, Expression()
        for p, (_, market) in enumerate(data.pairs):
            if market == m and p not in timed:
                for later in data.times[t:]:
                    rate = data.hours_at(m, later - t, True) / data.units_per_deal[m][later]
                    found += rate * self.sales.x[p][later]
        return found

    def _needed(self, m: int, t: int) -> Expression:
        data, sales, found = self.data, self.sales, Expression()
        for earlier in data.times[: t + 1]:
            rate = data.hours_at(m, t - earlier, False)
            found += rate * pulp.lpSum(
                sales.worked[e][earlier] for e, entry in enumerate(data.entries) if entry["market"] == m
            )
            if m in sales.organic:
                found += rate * sales.organic[m][earlier]
        if m in sales.opening:
            for later in data.times[t:]:
                found += data.hours_at(m, later - t, True) * sales.opening[m][later]
        return found

    def _contribution(self) -> Stage:
        everything = self.sales.whole_plan
        everything = Scope(everything.markets, everything.sellers, frozenset(self.data.times))
        money = self.sales.metric("contribution", everything)
        return Stage("contribution", money - self._penalties(), True, self.sales.reach(money) or 1.0)

    def _load_of_limited(self) -> Expression | None:
        data, seats = self.data, {}
        for s in data.S:
            total = sum(data.capacity[s][t] for t in data.planned)
            if all(c < INF for c in data.capacity[s]) and total > 0:
                seats[s] = total / self.sales.mean_capacity[data.unit[s]]
        if len(seats) < 2:
            return None
        total, level, found = sum(seats.values()), self.variable(), []
        for s, seat in seats.items():
            scope = Scope(frozenset(data.M), frozenset([s]), frozenset(data.planned))
            leads = pulp.lpSum(
                variable
                for (p, t), variable in self.work.items()
                if data.pairs[p][0] == s and t in data.planned
            )
            load = self.sales.metric("load", scope) * (1.0 / total)
            if leads:
                load = load + leads * (1.0 / (self.sales.mean_capacity["hours"] * total))
            found.append(self._absolute(load - level * (seat / total)))
        return pulp.lpSum(found)
