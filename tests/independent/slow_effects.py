"""Initiatives and their effects a second time, from docs/model.md alone: with the starts given, every effect is a number.

So no product of two decisions is ever modelled here: whoever compares tries every choice of starts (`choices`) and
gives each of them to `EffectData`, whose prices, hours, potentials, capacities, conversions, lags and customers are those of a
world in which these initiatives run.
"""

from __future__ import annotations

import datetime
import itertools
import math
from collections.abc import Iterator
from pathlib import Path

from slow_data import INF, Row, number
from slow_funnel_data import FunnelData, hat

Starts = dict[str, int]
"""Initiative -> period in which it starts; the others do not."""
EFFECT_SETTINGS = ("initiative", "changes", "kind", "low", "likely", "high", "after", "lasts")
Window = tuple[str, int, int]


class EffectData(FunnelData):
    """A plan in which the given initiatives start in the given periods."""

    def __init__(self, folder: Path, starts: Starts) -> None:
        self.begun = starts
        super().__init__(folder)
        self.months = 12.0 / self.year
        self._change_demand()
        self._change_units()
        self._change_capacity()
        self._change_organic()

    def _find_led(self) -> None:
        for name in ("initiatives", "effects"):
            self.tables.setdefault(name, [])
        self.initiatives = {row["initiative"]: row for row in self.tables["initiatives"]}
        self.effects = [
            row
            for row in self.tables["effects"]
            if (row.get("likely") or "").strip() or row["changes"] == "unlock"
        ]
        super()._find_led()

    def _run_out(self) -> int:
        """Effects that make a cycle longer, or bring organic opportunities, may make the run-out longer."""
        found = super()._run_out()
        if not self.led or self.plan.get("run_out") is not None:
            return found
        kinds = [(e["lag"], self.days_of(e), self.about_entry(e)) for e in self.entries]
        for m in self.M:
            organic = [
                e for e in self.effects if e["changes"] == "organic" and self.covers_market(self.keys(e), m)
            ]
            if sum(self.organic[m]) > 0 or organic:
                kinds.append((self._lag(m), self.cycle[m], self.about_organic(m)))
        for lag, days, about in kinds:
            longer = 0.0
            for e in about:
                if e["changes"] == "cycle":
                    likely = number(e, "likely") or 0.0
                    longer += max(0.0, (likely - 1.0) * days if e.get("kind") == "multiply" else likely)
            found = max(found, *shifted(lag, days, longer, self.length))
        return found

    @staticmethod
    def keys(effect: Row) -> Row:
        """The keys of an effect."""
        return {c: v for c, v in effect.items() if c not in EFFECT_SETTINGS}

    # Which starts there are

    def choices(self, told: Starts, closed: int) -> list[Starts]:
        """Every choice of starts that the rules of initiatives allow; those of closed periods are told."""
        options: list[list[tuple[str, int] | None]] = []
        for name, row in self.initiatives.items():
            if name in told:
                options.append([(name, told[name])])
            else:
                open_periods = [t for t in self.planned if t >= closed and self._may_start(row, t)]
                options.append([None, *((name, t) for t in open_periods)])
        found = [dict(one for one in choice if one) for choice in itertools.product(*options)]
        return [starts for starts in found if self._allowed(starts, closed)]

    def _may_start(self, row: Row, t: int) -> bool:
        """Whether any day of a period lies between `earliest` and `latest`."""
        first, last = (row.get("earliest") or "").strip(), (row.get("latest") or "").strip()
        if first and self.ends[t] <= datetime.date.fromisoformat(first):
            return False
        return not last or self.starts[t] <= datetime.date.fromisoformat(last)

    def _allowed(self, starts: Starts, closed: int) -> bool:
        for name, begun in starts.items():
            row = self.initiatives[name]
            after = int(number(row, "requires_after") or 0)
            for other in self._names(row, "requires"):
                if begun >= closed and not (other in starts and starts[other] + after <= begun):
                    return False
            if any(other in starts for other in self._names(row, "excludes")):
                return False
        return self._apart(starts) and self._one_level(starts)

    @staticmethod
    def _names(row: Row, column: str) -> list[str]:
        return [name.strip() for name in (row.get(column) or "").split(";") if name.strip()]

    def _apart(self, starts: Starts) -> bool:
        """Of a group with gaps none runs, or has ended less than its gap ago, while another runs."""
        for t in self.planned:
            busy = [
                self.initiatives[name]["group"]
                for name, begun in starts.items()
                if number(self.initiatives[name], "gap") is not None
                and begun <= t < begun + self.duration(name) + (number(self.initiatives[name], "gap") or 0)
            ]
            if len(busy) != len(set(busy)):
                return False
        return True

    def _one_level(self, starts: Starts) -> bool:
        for rows in self.shared().values():
            levels = [m for m in rows if self._unlocks(m)]
            for t in self.planned:
                if sum(any(self._works(e, starts, t) for e in self._unlocks(m)) for m in levels) > 1:
                    return False
        return True

    # What works when

    def duration(self, name: str) -> float:
        """Periods that an initiative runs; to the end where nothing is said."""
        own = number(self.initiatives[name], "duration")
        return INF if own is None else own

    def active(self, name: str, t: int) -> bool:
        """Whether an initiative runs in a period."""
        return name in self.begun and self.begun[name] <= t < self.begun[name] + self.duration(name)

    def _works(self, effect: Row, starts: Starts, t: int) -> bool:
        name = effect["initiative"]
        if name not in starts:
            return False
        first, lasts = starts[name] + (number(effect, "after") or 0), number(effect, "lasts")
        return first <= t < first + (self.duration(name) if lasts is None else lasts)

    def working(self, changes: str, t: int) -> Iterator[tuple[Row, Row, float, bool]]:
        """Effects on something that work in a period: row, keys, amount, whether it is a factor."""
        for effect in self.effects:
            if effect["changes"] == changes and self._works(effect, self.begun, t):
                keys = self.keys(effect)
                yield effect, keys, number(effect, "likely") or 0.0, effect.get("kind") == "multiply"

    @staticmethod
    def window(effect: Row) -> Window:
        """Effects of one window are together: initiative, after, lasts."""
        lasts = number(effect, "lasts")
        return effect["initiative"], int(number(effect, "after") or 0), -1 if lasts is None else int(lasts)

    # Demand, and rows that share it

    def shared(self) -> dict[str, list[int]]:
        """Label -> rows of markets that share one demand."""
        found: dict[str, list[int]] = {}
        for m in self.M:
            label = (self.markets[m].get("shared_demand") or "").strip()
            if label:
                found.setdefault(label, []).append(m)
        return found

    def demands(self) -> list[list[int]]:
        """Markets by demand: those that share one together, every other alone."""
        together = list(self.shared().values())
        return together + [[m] for m in self.M if not any(m in rows for rows in together)]

    def _change_demand(self) -> None:
        """Potential of each demand, and what effects add to it."""
        self.most_of = [
            [max(self.potential[m][t] for m in rows) for t in self.times] for rows in self.demands()
        ]
        self.added_of = [[0.0 for _ in self.times] for _ in self.demands()]
        for t in self.times:
            for effect, _, _, _ in self.working("demand", t):
                for d, added in enumerate(self.added_of):
                    added[t] += self.demand_added(effect, d, t)

    def demand_added(self, effect: Row, d: int, t: int) -> float:
        """What an effect adds to a demand in a period in which it works."""
        keys, amount = self.keys(effect), number(effect, "likely") or 0.0
        own = [k for k, rows in enumerate(self.demands()) if self.covers_market(keys, rows[0])]
        if d not in own:
            return 0.0
        if effect.get("kind") == "multiply":
            return (amount - 1.0) * self.most_of[d][t]
        total = sum(self.most_of[k][t] for k in own)
        return amount * (self.most_of[d][t] / total if 0 < total < INF else 1.0 / len(own))

    def _unlocks(self, m: int) -> list[Row]:
        return [e for e in self.effects if e["changes"] == "unlock" and self.covers_market(self.keys(e), m)]

    def is_open(self, p: int, t: int) -> bool:
        """Whether a pair may sell: nothing unlocks it, or what does works; the base of levels while no other is active."""
        s, m = self.pairs[p]
        keys = [(e, self.keys(e)) for e in self._unlocks(m)]
        own = [e for e, key in keys if self.covers_seller(key, s)]
        if own and not any(self._works(e, self.begun, t) for e in own):
            return False
        for rows in self.shared().values():
            levels = [k for k in rows if self._unlocks(k)]
            if m in rows and levels and m not in levels:
                return not any(self._works(e, self.begun, t) for k in levels for e in self._unlocks(k))
        return True

    # What a unit is worth and takes

    def _change_units(self) -> None:
        """Price, margin, hours and effort of each pair with what works: amounts and shares of the base add up."""
        self.pair_price, self.pair_margin = [], []
        self.pair_hours, self.pair_effort = [], []
        for p, (_, m) in enumerate(self.pairs):
            price, margin, hours, effort = [], [], [], []
            for t in self.times:
                base, cost = self.price[m][t], self.price[m][t] - self.unit_margin[m][t]
                dearer = self._change("price", p, t, base)
                costlier = self._change("unit_cost", p, t, cost)
                # What takes no hours takes none with any effect.
                longer = self._change("hours", p, t, self.hours[p][t]) if self.hours[p][t] else 0.0
                price.append(base + dearer)
                margin.append(self.unit_margin[m][t] + dearer - costlier)
                hours.append((self.hours[p][t] or 0.0) + longer)
                timed = self.unit[self.pairs[p][0]] == "hours" and self.hours[p][t]
                effort.append(
                    self.effort[p][t] * (1.0 + longer / self.hours[p][t]) if timed else self.effort[p][t]
                )
            self.pair_price.append(price)
            self.pair_margin.append(margin)
            self.pair_hours.append(hours)
            self.pair_effort.append(effort)

    def _change(self, changes: str, p: int, t: int, base: float) -> float:
        s, m = self.pairs[p]
        return sum(
            (amount - 1.0) * base if factor else amount
            for _, keys, amount, factor in self.working(changes, t)
            if self.covers_market(keys, m) and self.covers_seller(keys, s)
        )

    def _change_capacity(self) -> None:
        self.full_capacity = [list(row) for row in self.capacity]
        for s, t in itertools.product(self.S, self.times):
            for _, keys, amount, factor in self.working("capacity", t):
                if self.covers_seller(keys, s) and self.capacity[s][t] < INF:
                    more = (amount - 1.0) * self.capacity[s][t] if factor else amount * self.headcount[s][t]
                    self.full_capacity[s][t] += more

    # The funnel

    def _change_organic(self) -> None:
        self.all_organic = [list(row) for row in self.organic]
        for t in self.times:
            for _, keys, amount, factor in self.working("organic", t):
                own = [m for m in self.M if self.covers_market(keys, m)]
                total = sum(self.organic[m][t] for m in own)
                for m in own:
                    share = self.organic[m][t] / total if total else 1.0 / len(own)
                    self.all_organic[m][t] += (
                        (amount - 1.0) * self.organic[m][t] if factor else amount * share
                    )

    def entering(
        self, conversion: float, lag: dict[int, float], days: float, about: list[Row], t: int
    ) -> Entering:
        """How opportunities that enter in t are decided; `about` are the effects that they feel."""
        won = {after: conversion * share for after, share in lag.items()}
        matured, late = dict(lag), {after: 0.0 for after in lag}
        points = 0.0
        felt: dict[Window, tuple[float, float]] = {}
        for changes in ("conversion", "cycle"):
            for effect, _, amount, factor in self.working(changes, t):
                if effect in about:
                    base = conversion if changes == "conversion" else days
                    change = (amount - 1.0) * base if factor else amount
                    better, longer = felt.get(self.window(effect), (0.0, 0.0))
                    felt[self.window(effect)] = (
                        (better + change, longer) if changes == "conversion" else (better, longer + change)
                    )
        for better, longer in felt.values():
            points += better
            moved = shifted(lag, days, longer, self.length)
            for after in {*lag, *moved}:
                shift = moved.get(after, 0.0) - lag.get(after, 0.0)
                won[after] = won.get(after, 0.0) + better * lag.get(after, 0.0) + conversion * shift
                matured[after] = matured.get(after, 0.0) + shift
                late[after] = late.get(after, 0.0) + longer * conversion * lag.get(after, 0.0)
        waited = {after: days * conversion * lag.get(after, 0.0) + late.get(after, 0.0) for after in late}
        return Entering(won, matured, waited, conversion + points)

    def about_entry(self, entry: dict[str, object]) -> list[Row]:
        """Effects on conversion and cycle that an entry of yields feels."""
        channel = self.channels[int(str(entry["channel"]))]
        return [
            e
            for e, keys in self._funnel_effects()
            if self.covers_market(keys, int(str(entry["market"]))) and self.covers_channel(keys, channel)
        ]

    def about_organic(self, m: int) -> list[Row]:
        """Effects on conversion and cycle that organic opportunities feel: those that name no channel."""
        return [
            e
            for e, keys in self._funnel_effects()
            if self.covers_market(keys, m) and (keys.get("channel") or "*") == "*"
        ]

    def _funnel_effects(self) -> Iterator[tuple[Row, Row]]:
        for e in self.effects:
            if e["changes"] in ("conversion", "cycle"):
                yield e, self.keys(e)

    @staticmethod
    def covers_channel(keys: Row, channel: Row) -> bool:
        """Whether a row's keys agree with a row of marketing."""
        return all(v == "*" or c not in channel or channel[c] == v for c, v in keys.items())

    def lead_factor(self, c: int, t: int) -> float:
        """What effects on leads add to the response of a channel, as a share of it."""
        return sum(
            amount - 1.0
            for _, keys, amount, factor in self.working("leads", t)
            if factor and self.covers_channel(keys, self.channels[c])
        )

    def leads_added(self, c: int, t: int) -> float:
        """Leads a period that effects add to a channel: an amount is shared equally by its rows of marketing."""
        total = 0.0
        for _, keys, amount, factor in self.working("leads", t):
            own = [k for k, channel in enumerate(self.channels) if self.covers_channel(keys, channel)]
            if not factor and c in own:
                total += amount / len(own)
        return total

    # Customers, money and points

    def path(self, g: int, t: int, closed: int) -> float:
        """Customers of the start who are there at the start of a period without any effect."""
        group = self.groups[g]
        return group["opening"] * group["retention"] ** (max(t - closed, 0) / self.year)

    def about_group(self, g: int, changes: str, t: int) -> Iterator[tuple[float, bool]]:
        """Effects on retention or repeat orders of a group that work: amount, whether it is a factor."""
        for _, keys, amount, factor in self.working(changes, t):
            if any(self.covers_market(keys, m) for m in self.groups[g]["buys"]):
                yield amount, factor

    def retention_points(self, g: int, t: int) -> list[float]:
        """Retention of a year under each effect that works."""
        base = self.groups[g]["retention"]
        return [
            base * amount if factor else base + amount
            for amount, factor in self.about_group(g, "retention", t)
        ]

    def value(self, t: int) -> float:
        """Currency that effects `value` bring in a period."""
        return sum(amount * self.months for _, _, amount, _ in self.working("value", t))

    def satisfaction(self, m: int, t: int) -> float:
        """Points that effects add in a market."""
        return sum(a for _, keys, a, _ in self.working("satisfaction", t) if self.covers_market(keys, m))


class Entering:
    """Periods after the entry -> won deals, decided opportunities and days times deals; deals an opportunity in all."""

    def __init__(
        self, won: dict[int, float], matured: dict[int, float], waited: dict[int, float], conversion: float
    ) -> None:
        self.won, self.matured, self.waited, self.conversion = won, matured, waited, conversion


def shifted(lag: dict[int, float], days: float, longer: float, length: float) -> dict[int, float]:
    """The lag of a cycle that takes so many days more."""
    if not longer:
        return lag
    position = (days + longer) / length
    found = {at: hat(position - at) for at in (math.floor(position), math.floor(position) + 1)}
    return {at: share for at, share in found.items() if share > 0}
