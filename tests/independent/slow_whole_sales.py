"""Metrics of a plan with everything, cell by cell, from docs/metrics.md and docs/model.md alone."""

from __future__ import annotations

import pulp
from slow_data import INF, number
from slow_facts import FactData, Told
from slow_funnel import FunnelSales
from slow_metrics import Expression, Scope
from slow_staff import Staff

MONEY = (
    "margin", "commission", "marketing_cost", "initiative_cost", "initiative_benefit", "initiative_value",
    "hiring_cost", "extra_cost",
)  # fmt: skip
GAINS = ("margin", "initiative_benefit", "initiative_value")
OF_THE_COMPANY = MONEY[2:]


class WholeSales(FunnelSales):
    """The activities of a plan in a world in which the starts are given."""

    data: FactData

    def __init__(self, data: FactData) -> None:
        super().__init__(data)
        self.whole = data
        self.told = Told(data)
        self.staff = Staff(data, data.closed)
        for row, group in zip(self.base, data.groups, strict=True):
            self.typical |= {variable.name: group["opening"] for variable in row}
        for p, (s, _) in enumerate(data.pairs):
            for t in data.times:
                if data.is_seat(s):
                    self.x[p][t].upBound = None
                if t < data.closed or not data.is_open(p, t):
                    self.x[p][t].upBound = 0
        channels = range(len(data.channels))
        whole = {c for c in channels if self._in_whole_units(c)}
        self.spend = [
            [
                pulp.LpVariable(
                    f"input_{c}_{t}", 0, None, pulp.LpInteger if c in whole else pulp.LpContinuous
                )
                for t in data.times
            ]
            for c in channels
        ]
        self.used = {
            c: self._switch(f"used_{c}") for c in channels if self.fixed(c, "period") or self._least(c)
        }
        self.tiers = {c: self._tiers(c) for c in channels if data.tiers(c)}
        self.opened = {c: self._switch(f"opened_{c}") for c in channels if self.fixed(c, "horizon")}

    def _switch(self, name: str) -> list[pulp.LpVariable]:
        return [pulp.LpVariable(f"{name}_{t}", 0, 1, pulp.LpInteger) for t in self.whole.times]

    def _tiers(self, c: int) -> list[tuple[float, list[pulp.LpVariable]]]:
        """Price and amount of each tier of a row of marketing, the first one included."""
        prices = [self.whole.per_input(c), *(self.whole.tier_price(c, row) for row in self.whole.tiers(c))]
        return [
            (price, [pulp.LpVariable(f"tier_{c}_{k}_{t}", 0) for t in self.whole.times])
            for k, price in enumerate(prices)
        ]

    def _in_whole_units(self, c: int) -> bool:
        row = self.whole.channels[c]
        said = (row.get("whole_units") or "").strip() or (
            "yes" if self.whole.plan.get("whole_units") else "no"
        )
        return said == "yes" and number(row, "unit_cost") is not None

    def fixed(self, c: int, per: str) -> float:
        """Fixed cost of a channel that is paid per period of use, or once."""
        row = self.whole.channels[c]
        return (number(row, "fixed_cost") or 0.0) if (row.get("fixed_per") or "period") == per else 0.0

    def _least(self, c: int) -> float:
        return number(self.whole.channels[c], "min_if_used") or 0.0

    def leads(self, c: int, t: int) -> Expression:
        """What the curve of a channel and effects on leads bring."""
        data = self.whole
        return (1.0 + data.lead_factor(c, t)) * self.response[c][t] + data.leads_added(c, t)

    # The funnel

    def _kinds(
        self,
    ) -> list[tuple[int, list[pulp.LpVariable], float, dict[int, float], float, list[dict[str, str]]]]:
        """Rows whose opportunities are decided later: market, amounts, conversion, lag, days, effects that they feel."""
        data = self.whole
        found = [
            (e["market"], self.worked[k], e["conversion"], e["lag"], data.days_of(e), data.about_entry(e))
            for k, e in enumerate(data.entries)
        ]
        found += [
            (m, row, data.won[m], data._lag(m), data.cycle[m], data.about_organic(m))
            for m, row in self.organic.items()
        ]
        return found

    def decided_in(self, m: int, t: int, what: str, first: int = 0) -> Expression:
        """Opportunities of a market that are decided in a period: `won`, `matured` or `waited` (days times deals)."""
        found = Expression()
        for market, amounts, conversion, lag, days, about in self._kinds():
            if market == m:
                for u in range(first, t + 1):
                    entering = self.whole.entering(conversion, lag, days, about, u)
                    found += getattr(entering, what).get(t - u, 0.0) * amounts[u]
        return found

    def decided(self, m: int, t: int, scope: Scope | None = None, won: bool = True) -> Expression:
        """As above, for deals that are sold: not those of closed periods where the pipeline holds them."""
        return self.decided_in(m, t, "won" if won else "matured", self.whole.first_decided(m))

    def metric(self, name: str, scope: Scope) -> Expression:
        """A metric in a scope: what is planned, and what facts tell."""
        narrow = scope.by_market or scope.by_seller
        if name == "contribution":
            parts = [n for n in MONEY if not (narrow and n in OF_THE_COMPANY)]
            return pulp.lpSum((1.0 if n in GAINS else -1.0) * self.metric(n, scope) for n in parts)
        found = self._planned(name, scope)
        return found + self.told.metric(name, scope)

    def _planned(self, name: str, scope: Scope) -> Expression:
        data = self.whole
        cells = [(m, t) for m in sorted(scope.markets) for t in sorted(scope.times)]
        times = sorted(scope.times)
        if name in ("won", "matured", "cycle_days"):
            word = "waited" if name == "cycle_days" else name
            return pulp.lpSum(self.decided_in(m, t, word, data.first_decided(m)) for m, t in cells)
        if name in ("customers_brought", "margin_brought"):
            return self._brought(name, scope)
        if name == "opportunities":
            rows = [(e["market"], self.worked[k]) for k, e in enumerate(data.entries)]
            rows += list(self.organic.items())
            return pulp.lpSum(row[t] for m, row in rows for t in times if m in scope.markets)
        if name == "customers_kept":
            return pulp.lpSum(self._kept_customers(g, t) for g in range(len(data.groups)) for t in times)
        if name == "satisfaction_points":
            return Expression(constant=sum(self.weight(m, t) * data.satisfaction(m, t) for m, t in cells))
        if name == "satisfaction_weight":
            return Expression(constant=sum(self.weight(m, t) for m, t in cells))
        if name in COMPANY:
            return pulp.lpSum(COMPANY[name](self, t) for t in times)
        if name in ("headcount", "capacity", "seller_cost"):
            return self._of_sellers(name, scope)
        if any(name == resource["name"] for resource in data.resources):
            return self._taken(name, scope)
        return super().metric(name, scope)

    def weight(self, m: int, t: int) -> float:
        """Last year's revenue, equally where it is unknown."""
        known = [row for row in self.whole.last_revenue if row is not None]
        if len(known) < len(self.whole.last_revenue) or not sum(map(sum, known)):
            return 1.0
        return self.whole.last_revenue[m][t]

    def _coefficient(self, name: str, p: int, t: int) -> float:
        data, (s, m) = self.whole, self.whole.pairs[p]
        if name in ("revenue", "sized_revenue"):
            sized = any(m in pool["markets"] and pool["revenue"] is not None for pool in data.pools)
            return data.pair_price[p][t] if name == "revenue" or sized else 0.0
        if name == "margin":
            return data.pair_margin[p][t]
        if name == "commission":
            return data.commission[s] * data.pair_price[p][t]
        if name == "hours":
            return data.pair_hours[p][t]
        if name == "load":
            mean = self.mean_capacity.get(data.unit[s] or "", 0.0)
            return data.pair_effort[p][t] / mean if mean else 0.0
        return super()._coefficient(name, p, t)

    def _kept_customers(self, g: int, t: int) -> Expression:
        data = self.whole
        base = data.groups[g]["retention"]
        more = sum(points - base for points in data.retention_points(g, t))
        return base * self.before(g, t) + more * data.path(g, t, data.closed)

    def before(self, g: int, t: int) -> Expression:
        """Customers of a group at the start of a period; in closed ones those of the start."""
        if t <= self.whole.closed:
            return Expression(constant=self.whole.groups[g]["opening"])
        return self.base[g][t - 1] + 0

    def _brought(self, name: str, scope: Scope) -> Expression:
        data, found, size = self.whole, Expression(), len(self.whole.planned)
        for k, e in enumerate(data.entries):
            m = e["market"]
            value = 1.0 if data.market_labels[m]["customer_type"] == "new" else 0.0
            if name == "margin_brought":
                value = sum(data.unit_margin[m][t] * data.units_per_deal[m][t] for t in data.planned) / size
            for t in scope.times:
                if m in scope.markets:
                    entering = data.entering(
                        e["conversion"], e["lag"], data.days_of(e), data.about_entry(e), t
                    )
                    found += value * entering.conversion * self.worked[k][t]
        return found

    # People and resources

    def _of_sellers(self, name: str, scope: Scope) -> Expression:
        data, times = self.whole, sorted(scope.times)
        found = Expression(constant=self._figure_of_sellers(name, scope))
        if name == "capacity":
            found += self._added_by_effects(scope)
        for s in {data.pairs[p][0] for p, _ in self.cells(scope)} & set(data.full):
            if name == "headcount":
                found += pulp.lpSum(self.staff.heads(s, t) for t in times) * (
                    1.0 / len(times) if times else 0.0
                )
            elif name == "seller_cost":
                found += (
                    (number(data.sellers[s], "cost") or 0.0)
                    * data.months
                    * pulp.lpSum(self.staff.heads(s, t) for t in times)
                )
            elif data.unit[s] and data.full[s][0] < INF and self.mean_capacity[data.unit[s]]:
                each = 1.0 / self.mean_capacity[data.unit[s]]
                found += each * pulp.lpSum(self.staff.capacity(s, t) for t in times)
        return found

    def _added_by_effects(self, scope: Scope) -> float:
        """What effects add to the capacity of sellers who are there, in average seller-periods."""
        data, found = self.whole, 0.0
        for s in {data.pairs[p][0] for p, _ in self.cells(scope)}:
            mean = self.mean_capacity.get(data.unit[s] or "", 0.0)
            for t in scope.times if mean and not data.is_seat(s) else []:
                if t >= data.closed and data.capacity[s][t] < INF:
                    found += (data.full_capacity[s][t] - data.capacity[s][t]) / mean
        return found

    def _taken(self, name: str, scope: Scope) -> Expression:
        """A resource: by what is sold, and in the whole company by people, marketing and initiatives."""
        data, times = self.whole, sorted(scope.times)
        found = pulp.lpSum(data.use(p, name) * self.x[p][t] for p, t in self.cells(scope))
        if scope.by_market or scope.by_seller:
            return found
        for row in data.tables["uses"]:
            if row["resource"] != name or row["activity"].split(":")[0] == "sell":
                continue
            amount = float(row["amount"])
            found += amount * pulp.lpSum(self._amount(row["activity"], t) for t in times)
        for activity, amount in data.owner_uses(name):
            found += amount * pulp.lpSum(self._amount(activity, t) for t in times)
        return found

    def _amount(self, activity: str, t: int) -> Expression:
        data, (kind, _, name) = self.whole, activity.partition(":")
        if kind == "seller":
            rows = [s for s in data.S if name in ("", data.sellers[s]["seller"])]
            return pulp.lpSum(
                self.staff.heads(s, t) if data.is_seat(s) else data.headcount[s][t] for s in rows
            )
        if kind == "marketing":
            return pulp.lpSum(
                row[t] for c, row in enumerate(self.spend) if name in ("", data.channels[c]["channel"])
            )
        if kind in ("initiative", "active"):
            own = [i for i in data.initiatives if name in ("", i)]
            running = [data.begun.get(i) == t if kind == "initiative" else data.active(i, t) for i in own]
            return Expression(constant=float(sum(running)))
        if kind == "role":
            return pulp.lpSum(self.staff.role_heads(r, t) for r in data.roles if name in ("", r))
        return pulp.lpSum(row[t] for r, row in self.staff.role_hire.items() if name in ("", r))

    # Money of the company

    def _marketing_cost(self, t: int) -> Expression:
        data = self.whole
        if t < data.closed:
            return Expression(constant=sum(data.told_spend(c, t) for c in range(len(self.spend))))
        paid = [data.per_input(c) * row[t] for c, row in enumerate(self.spend) if c not in self.tiers]
        paid += [price * row[t] for own in self.tiers.values() for price, row in own]
        paid += [self.fixed(c, "period") * row[t] for c, row in self.used.items()]
        paid += [self.fixed(c, "horizon") * row[t] for c, row in self.opened.items()]
        return pulp.lpSum(paid)

    def _of_initiatives(self, name: str, t: int) -> Expression:
        data, total = self.whole, 0.0
        for i, row in data.initiatives.items():
            begins = 1.0 if data.begun.get(i) == t else 0.0
            runs = data.months if data.active(i, t) else 0.0
            total += {
                "starts": begins,
                "initiative_benefit": (number(row, "benefit") or 0.0) * begins,
                "initiative_cost": (number(row, "cost") or 0.0) * begins
                + (number(row, "running_cost") or 0.0) * runs,
            }[name]
        return Expression(constant=total)

    def _insertions(self, t: int) -> Expression:
        data = self.whole
        return pulp.lpSum(
            row[t] for c, row in enumerate(self.spend) if number(data.channels[c], "unit_cost") is not None
        )


COMPANY = {
    "marketing_cost": WholeSales._marketing_cost,
    "initiative_cost": lambda sales, t: sales._of_initiatives("initiative_cost", t),
    "initiative_benefit": lambda sales, t: sales._of_initiatives("initiative_benefit", t),
    "starts": lambda sales, t: sales._of_initiatives("starts", t),
    "initiative_value": lambda sales, t: Expression(constant=sales.whole.value(t)),
    "hiring_cost": lambda sales, t: sales.staff.cost(t),
    "hires": lambda sales, t: sales.staff.hires(t),
    "role_heads": lambda sales, t: pulp.lpSum(sales.staff.role_heads(r, t) for r in sales.whole.roles),
    "insertions": WholeSales._insertions,
    "leads": lambda sales, t: pulp.lpSum(sales.leads(c, t) for c in range(len(sales.spend))),
}
"""What belongs to the whole company, in a period."""
