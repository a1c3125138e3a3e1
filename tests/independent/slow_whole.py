"""A plan with everything written a second time: every choice of starts is tried, and what is left is a program cell by cell.

`SlowWhole(folder).solve(stages)` gives the value of the first stages. Nothing of the package is imported.
"""

from __future__ import annotations

import csv
import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pulp
from slow_data import INF, number
from slow_facts import FactData
from slow_funnel import FUNNEL_RATIOS, SlowFunnel
from slow_marketing import below_the_lines, on_the_lines
from slow_metrics import RATIOS, Expression, Scope
from slow_model import Answer, SoftRow
from slow_whole_sales import WholeSales

WHOLE_RATIOS = {"satisfaction": ("satisfaction_points", "satisfaction_weight")}


class SlowWorld(SlowFunnel):
    """Rows and stages of a plan in which the given initiatives start."""

    data: FactData
    sales: WholeSales
    sales_of, ratios = WholeSales, RATIOS | FUNNEL_RATIOS | WHOLE_RATIOS

    def __init__(self, data: FactData, scales: list[float] | None) -> None:
        self.scales, self.given = [], None if scales is None else list(scales)
        self.data_of = lambda _: data
        super().__init__(data.folder)
        for entry in self.plan.get("freeze") or []:
            self._freeze(entry)

    def _soften(self, spec: dict[str, Any], soft: SoftRow) -> None:
        """Scales are those of the plan without any effect."""
        scale = soft.scale if self.given is None else self.given[len(self.scales)]
        self.scales.append(scale)
        super()._soften(spec, SoftRow(soft.expression, soft.lower, soft.upper, scale, spec))

    @property
    def ahead(self) -> list[int]:
        """Periods that are not facts."""
        return [t for t in self.data.times if t >= self.data.closed]

    def _run(self, objective: Expression) -> bool:
        """Whether the rows have an optimum; what the solver's preprocessing loses is tried without it."""
        if super()._run(objective):
            return True
        self.options = ("preprocess off", "presolve off")
        return super()._run(objective)

    def _balance(self, spec: dict[str, Any]) -> None:
        """Balances and distances are about what is ahead."""
        with self._without_facts():
            super()._balance(spec)

    def _stay_near(self, spec: dict[str, Any]) -> None:
        with self._without_facts():
            super()._stay_near(spec)

    @contextmanager
    def _without_facts(self) -> Iterator[None]:
        everything = self.sales.whole_plan
        self.sales.whole_plan = replace(everything, times=frozenset(everything.times & set(self.ahead)))
        yield
        self.sales.whole_plan = everything

    # Demand and shares

    def _demand(self) -> None:
        data = self.data
        for d, rows in enumerate(data.demands()):
            for t in self.ahead:
                most = data.most_of[d][t]
                if most == INF:
                    continue
                sold = Expression()
                for p, (_, m) in enumerate(data.pairs):
                    if m in rows and data.potential[m][t] > 0:
                        sold += (most / data.potential[m][t] if len(rows) > 1 else 1.0) * self.sales.x[p][t]
                    elif m in rows and most > 0:
                        self.row(self.sales.x[p][t] + 0, upper=0.0)
                    elif m in rows:
                        sold += self.sales.x[p][t]
                self.row(sold, upper=most + data.added_of[d][t])

    def _size_pools(self) -> None:
        data = self.data
        for pool in data.pools:
            for span in self._spans():
                cells = [(p, t) for p, (_, m) in enumerate(data.pairs) if m in pool["markets"] for t in span]
                part = sum(data.spread[m][t] for m in pool["markets"] for t in span) / len(pool["markets"])
                for worth, size in ((data.price, pool["revenue"]), (None, pool["units"])):
                    if size is not None and pool["share"] is not None:
                        sold = pulp.lpSum(
                            (worth[data.pairs[p][1]][t] if worth else 1.0) * self.sales.x[p][t]
                            for p, t in cells
                        )
                        before = data.sold_in_pool(pool, worth is not None) if span[0] == 0 else 0.0
                        self.row(
                            sold,
                            upper=max(0.0, pool["share"] * size * (1.0 if span[0] == 0 else part) - before),
                        )

    def _told_room(self, won: list[int], all_pairs: list[int], share: float, least: bool) -> float:
        """What closed periods leave where facts tell who sold: never less than nothing."""
        part = whole = 0.0
        for one in self.data.pools_told:
            covered = set(one.pairs)
            for some in (set(won), set(all_pairs)):
                if covered & some and not covered <= some and one.figure("units"):
                    return 0.0
            part += one.figure("units") if covered & set(won) else 0.0
            whole += one.figure("units") if covered & set(all_pairs) else 0.0
        room = share * whole - part
        return min(room, 0.0) if least else max(room, 0.0)

    def _spans(self) -> list[list[int]]:
        planned = list(self.data.planned)
        return [planned, list(self.data.times)[len(planned) :]] if self.data.after else [planned]

    def _resources(self) -> None:
        data = self.data
        for r, resource in enumerate(data.resources):
            if resource["capacity"] is None:
                continue
            horizon = resource["per"] == "horizon"
            for span in self._spans() if horizon else [[t] for t in data.times]:
                scope = Scope(frozenset(data.M), frozenset(data.S), frozenset(span))
                bought = pulp.lpSum(self.sales.extra[r, t] for t in span if (r, t) in self.sales.extra)
                capacity = resource["capacity"]
                if not horizon and span[0] < data.closed and (r, span[0]) in self.sales.extra:
                    capacity -= self.sales.told.metric(resource["name"], scope)
                if horizon:
                    capacity *= len(span) / len(data.planned) if span[0] else 1.0
                    capacity -= self.sales.told.metric(resource["name"], scope)
                self.row(self.sales._taken(resource["name"], scope) - bought, upper=capacity)

    # People

    def _hours(self) -> None:
        """Sales, leads and owners' hours within the capacity; what leads take; people with names who leave."""
        data, sales = self.data, self.sales
        timed = {p: m for p, (s, m) in enumerate(data.pairs) if data.unit[s] == "hours" and self._asks(m)}
        self.work = {(p, t): self.variable() for p in timed for t in data.times}
        used: dict[tuple[int, int], Expression] = {}
        for s in data.S:
            own = [p for p, pair in enumerate(data.pairs) if pair[0] == s]
            for t in data.times:
                leads = pulp.lpSum(self.work[p, t] for p in own if p in timed)
                if t < data.closed or (data.presence[s][t] == 0 and not data.is_seat(s)):
                    self.row(leads + 0, upper=0.0)
                taken = pulp.lpSum(data.pair_effort[p][t] * sales.x[p][t] for p in own) + leads
                taken += data.owner_hours(s, t)
                used[s, t] = taken
                if t >= data.closed and data.capacity[s][t] < INF:
                    more = sales.staff.capacity(s, t) if data.is_seat(s) else 0.0
                    self.row(taken - more, upper=data.full_capacity[s][t])
                if t >= data.closed and data.is_seat(s):
                    self._seat_is_held(s, t, own)
        for m in set(timed.values()):
            for t in self.ahead:
                given = pulp.lpSum(self.work[p, t] for p in timed if timed[p] == m)
                self.row(given + self._by_others(m, t, timed) - self._needed(m, t), lower=0.0)
        self._leavers(used)

    def _seat_is_held(self, s: int, t: int, own: list[int]) -> None:
        """Where a sale takes nothing of a seat's capacity, somebody has to be there all the same."""
        data = self.data
        for p in own:
            if data.capacity[s][t] == INF or data.pair_effort[p][t] == 0:
                most = self._most_demand(data.pairs[p][1], t)
                self.row(self.sales.x[p][t] - most * self.sales.staff.may_sell(s, t), upper=0.0)

    def _most_demand(self, m: int, t: int) -> float:
        """Potential of a market with all that effects add whose initiatives may start in time."""
        data = self.data
        (d,) = (d for d, rows in enumerate(data.demands()) if m in rows)
        most = more = data.most_of[d][t]
        told = data.told_starts()
        for effect in data.effects:
            name = effect["initiative"]
            begins = [
                u for u in data.planned if u >= data.closed and data._may_start(data.initiatives[name], u)
            ]
            begins += [told[name]] if name in told else []
            if effect["changes"] == "demand" and any(data._works(effect, {name: u}, t) for u in begins):
                more += max(0.0, data.demand_added(effect, d, t))
        return more * (data.potential[m][t] / most if most else 1.0)

    def _leavers(self, used: dict[tuple[int, int], Expression]) -> None:
        """Attrition of people with names bounds the time of all of them together."""
        data, staff = self.data, self.sales.staff
        for row in staff.rows:
            self.row(*row)
        for role, facts in data.roles.items():
            if not number(facts, "attrition"):
                continue
            labelled = [s for s in data.S if (data.sellers[s].get("role") or "").strip() == role]
            for unit in {data.unit[s] for s in labelled}:
                own = [s for s in labelled if data.unit[s] == unit and data.capacity[s][-1] < INF]
                for t in self.ahead if own else []:
                    stays = 1.0 - staff.loss(role, t)
                    room = pulp.lpSum(
                        data.full_capacity[s][t] + (staff.capacity(s, t) if data.is_seat(s) else 0.0)
                        for s in own
                    )
                    self.row(pulp.lpSum(used[s, t] for s in own) - stays * room, upper=0.0)

    # Marketing

    def _marketing(self) -> None:
        data = self.data
        for c in range(len(data.channels)):
            self._spend(c)
            self._response(c)
        for pool in {entry["pool"] for entry in data.entries}:
            own = [e for e, entry in enumerate(data.entries) if entry["pool"] == pool]
            amount, c = data.entries[own[0]]["amount"], data.entries[own[0]]["channel"]
            for t in data.times:
                taken = pulp.lpSum(self.sales.worked[e][t] for e in own) - amount * self.sales.leads(c, t)
                self.row(taken, 0.0 if amount < 0 else -INF, 0.0)

    def _spend(self, c: int) -> None:
        data, sales, row = self.data, self.sales, self.data.channels[c]
        least, most = data.total_bounds(c)
        spent = sum(data.told_input(c, t) for t in range(data.closed))
        open_periods = [t for t in data.planned if t >= data.closed and data.is_active(c, t)]
        if open_periods:
            self.row(
                pulp.lpSum(sales.spend[c][t] for t in open_periods),
                max(0.0, least - spent),
                max(0.0, most - spent),
            )
        for t in data.times:
            if t < data.closed:
                told = data.told_input(c, t)
                self.row(sales.spend[c][t] + 0, told, told)
            elif t not in open_periods:
                self.row(sales.spend[c][t] + 0, upper=0.0)
            elif (row.get("pacing") or "").strip() == "even":
                self.row(sales.spend[c][t] - sales.spend[c][open_periods[0]], 0.0, 0.0)
            if t < data.closed or t not in data.planned:
                for switch in (sales.used.get(c), sales.opened.get(c)):
                    if switch:
                        self.row(switch[t] + 0, upper=0.0)
                continue
            if c in sales.used:
                floor = number(row, "min_if_used") or 0.0
                self.row(data.per_input(c) * sales.spend[c][t] - floor * sales.used[c][t], lower=0.0)
                self.row(sales.spend[c][t] - most * sales.used[c][t], upper=0.0)
            # What is due once and was spent on in a closed period is paid.
            if c in sales.opened and not spent:
                self.row(sales.spend[c][t] - most * pulp.lpSum(sales.opened[c][: t + 1]), upper=0.0)
        if c in sales.opened:
            self.row(pulp.lpSum(sales.opened[c]), upper=1.0)
        if c in sales.tiers:
            self._tiers(c, spent)

    def _tiers(self, c: int, spent: float) -> None:
        """What lies beyond an amount has the price of its tier: one tier after the other is filled."""
        data, sales = self.data, self.sales
        horizon = data.tiers(c)[0]["per"] == "horizon"
        above = [0.0, *(data.above(c, row) for row in data.tiers(c)), data.total_bounds(c)[1] + spent]
        # What facts took fills the lowest tiers of the horizon.
        used = spent if horizon else 0.0
        widths = [max(0.0, max(end, used) - max(start, used)) for start, end in itertools.pairwise(above)]
        rows = [row for _, row in sales.tiers[c]]
        for t in self.ahead:
            self.row(pulp.lpSum(row[t] for row in rows) - sales.spend[c][t], 0.0, 0.0)
            times = [u for u in self.ahead if u <= t] if horizon else [t]
            for k, row in enumerate(rows):
                self.row(pulp.lpSum(row[u] for u in times), upper=widths[k])
                if k > 0:
                    reached = self.variable(pulp.LpInteger, 1)
                    self.row(row[t] - widths[k] * reached, upper=0.0)
                    below = pulp.lpSum(rows[k - 1][u] for u in times)
                    self.row(below - widths[k - 1] * reached, lower=0.0)

    def _response(self, c: int) -> None:
        data, sales = self.data, self.sales
        most = data.total_bounds(c)[1] + sum(data.told_input(c, t) for t in range(data.closed))
        most = most * sum(data.weight(c, age) for age in data.times) + data.opening_stock(c, 0) + 1.0
        points = data.points(c, most)
        negative = any(entry["channel"] == c and entry["amount"] < 0 for entry in data.entries)
        for t in data.times:
            inputs = [data.weight(c, age) * sales.spend[c][t - age] for age in range(t + 1)]
            stock = pulp.lpSum(inputs) + data.opening_stock(c, t)
            below = None if negative else below_the_lines(points, stock, sales.response[c][t])
            for row in below or on_the_lines(points, stock, sales.response[c][t], f"filled_{c}_{t}"):
                self.row(*row)

    def _customers(self) -> None:
        data, sales = self.data, self.sales
        for g, group in enumerate(data.groups):
            kept = group["retention"] ** (1.0 / data.year)
            for t in data.times:
                if t < data.closed:
                    self.row(sales.base[g][t] - group["opening"], 0.0, 0.0)
                    continue
                joined = pulp.lpSum(
                    sales.x[p][t] * (1.0 / data.units_per_deal[m][t])
                    for p, (_, m) in enumerate(data.pairs)
                    if m in group["joins"]
                )
                path = data.path(g, t, data.closed)
                better = sum(points ** (1.0 / data.year) - kept for points in data.retention_points(g, t))
                self.row(sales.base[g][t] - kept * sales.before(g, t) - joined - better * path, 0.0, 0.0)
                part = sum(data.spread[m][t] for m in group["buys"]) / len(group["buys"])
                share = part * len(data.planned) / data.year
                more = sum(
                    (amount - 1.0) * group["orders"] if factor else amount
                    for amount, factor in data.about_group(g, "repeat", t)
                )
                ordered = pulp.lpSum(sales.orders[g, m][t] for m in group["buys"])
                self.row(
                    ordered - group["orders"] * share * sales.before(g, t) - more * share * path, upper=0.0
                )

    def _bounds(self) -> None:
        data, sales = self.data, self.sales
        for rows, most in ((sales.organic, data.all_organic), (sales.opening, data.opening)):
            for m, row in rows.items():
                for t in data.times:
                    least = -INF if data.has_hours(m) else most[m][t]
                    self.row(row[t] + 0, least, most[m][t])
        for row in sales.waiting.values():
            for t in range(data.closed):
                self.row(row[t] + 0, upper=0.0)
        for p, (s, m) in enumerate(data.pairs):
            for t in data.times[len(data.planned) :]:
                bounded = data.potential[m][t] < INF or m in data.led
                if not (bounded or (data.capacity[s][t] < INF and data.effort[p][t] > 0)):
                    self.row(sales.x[p][t] + 0, upper=0.0)

    # Parts that stay as another run has them

    def _freeze(self, entry: dict[str, Any]) -> None:
        data, sales = self.data, self.sales
        folder, where = data.folder / entry["run"], entry.get("where") or {}
        what = entry["what"] if isinstance(entry["what"], list) else [entry["what"]]
        scope = sales.scope({k: v for k, v in where.items() if k not in ("channel", "initiative")})
        times = [t for t in sorted(scope.times) if t >= data.closed]
        if "sales" in what:
            planned = {
                (r["seller"], r["sku"], r["period"]): float(r["units"]) for r in _read(folder / "sales.csv")
            }
            for p, (s, m) in enumerate(data.pairs):
                for t in times if s in scope.sellers and m in scope.markets else []:
                    key = (data.sellers[s]["seller"], data.markets[m]["sku"], data.time_labels["period"][t])
                    self.row(sales.x[p][t] + 0, planned.get(key, 0.0), planned.get(key, 0.0))
        decided = {
            (r["activity"], r["row"].split(" / ")[0], r["period"]): float(r["amount"])
            for r in _read(folder / "decisions.csv")
        }
        if "marketing" in what:
            for c, row in enumerate(sales.spend):
                for t in times if where.get("channel") in (None, data.channels[c]["channel"]) else []:
                    key = ("spend", data.channels[c]["channel"], data.time_labels["period"][t])
                    self.row(row[t] + 0, decided.get(key, 0.0), decided.get(key, 0.0))
        if "hires" in what:
            for s, row in sales.staff.hire.items():
                for t in times:
                    key = ("hire", data.sellers[s]["seller"], data.time_labels["period"][t])
                    self.row(row[t] + 0, decided.get(key, 0.0), decided.get(key, 0.0))
        if "initiatives" in what:
            for i in data.initiatives:
                for t in times if where.get("initiative") in (None, i) else []:
                    begun = decided.get(("start", i, data.time_labels["period"][t]), 0.0)
                    self.row(Expression(constant=1.0 if data.begun.get(i) == t else 0.0), begun, begun)


def _read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


class SlowWhole:
    """A plan folder solved stage after stage over every choice of starts."""

    def __init__(self, folder: Path, spent: dict[str, list[float]] | None = None) -> None:
        """`spent` is the input of each row of marketing in a plan that smooth curves are to be exact for."""
        bare = FactData(folder, {}, spent)
        self.scales = SlowWorld(bare, None).scales
        told = bare.told_starts()
        self.worlds = [
            SlowWorld(FactData(folder, starts, spent), self.scales)
            for starts in bare.choices(told, bare.closed)
        ]
        self.best: SlowWorld | None = None
        """A world that is left after the last stage."""

    def solve(self, reached: dict[str, float] | None = None) -> Answer:
        """Value of every stage; the worlds that reach one go on to the next, or those that reach what a plan
        has reached, by name of the stage."""
        left, values, reaches = self.worlds, [], []
        pending = [(world, world.stages()) for world in left]
        for place in range(len(pending[0][1]) if pending else 0):
            found = []
            for world, stages in pending:
                stage = stages[place]
                status = world._solve(stage)
                assert status != "unbounded", f"the slow side has lost {world.data.begun}"
                if status == "optimal":
                    value = stage.expression.constant
                    value += sum(c * (v.varValue or 0.0) for v, c in stage.expression.items())
                    found.append((value, world, stages))
            if not found:
                return Answer("no_plan")
            sign = -1.0 if pending[0][1][place].maximize else 1.0
            value, self.best, stages = min(found, key=lambda one: sign * one[0])
            values.append((stages[place].name, value))
            reaches.append(stages[place].reach)
            value = (reached or {}).get(stages[place].name, value)
            for _, world, own in found:
                world._lock(own[place], value)
            close = 1e-6 * max(1.0, abs(value))
            pending = [(world, own) for other, world, own in found if sign * (other - value) <= close]
        return Answer("optimal", tuple(values), tuple(reaches))

    def effects_at_work(self) -> set[str]:
        """What the effects that work in the best world change."""
        assert self.best is not None
        data = self.best.data
        return {
            effect["changes"]
            for effect in data.effects
            if any(data._works(effect, data.begun, t) for t in data.planned)
        }
