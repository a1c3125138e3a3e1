"""The tables of the funnel read and completed a second time, from docs/model.md and docs/defaults.md alone."""

from __future__ import annotations

import datetime
import itertools
import math
from pathlib import Path
from typing import Any

from slow_data import PERIODS_A_YEAR, Row, SlowData, number

LEFT_OVER = 0.1


def hat(z: float) -> float:
    """What enters during a period enters at any of its moments alike."""
    return max(0.0, 1.0 - abs(z))


def mean_hat(first: float, last: float, lag: int) -> float:
    """Mean of h(s - lag) over s from first to last: lines between its corners, by the trapezoid rule."""
    if last - first < 1e-9:
        return hat(first - lag)
    corners = sorted({first, last, *(c for c in (lag - 1.0, float(lag), lag + 1.0) if first < c < last)})
    area = sum((b - a) * (hat(a - lag) + hat(b - lag)) / 2 for a, b in itertools.pairwise(corners))
    return area / (last - first)


class FunnelData(SlowData):
    """A plan with a funnel; arrays by period go on for R run-out periods behind the T of the plan."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.planned = range(len(self.times))
        self.year = PERIODS_A_YEAR[self.every]
        self.length = 7.0 if self.every == "week" else 365.25 / self.year
        for name in ("stages", "pipeline", "customers", "marketing", "yields"):
            self.tables.setdefault(name, [])
        self._fill_stages()
        self._fill_entries()
        self._fill_customers()
        self._find_led()
        self.after = self._run_out()
        self._run_on()
        self._fill_opening()

    # Stages

    def _fill_stages(self) -> None:
        names = list(dict.fromkeys(row["stage"] for row in self.tables["stages"]))
        self.stages: list[list[tuple[str, float, float, float]]] = []
        for m in self.M:
            found = []
            for name in names:
                rows = [row for row in self.tables["stages"] if row["stage"] == name]
                rows = [row for row in rows if self.covers_market(self.stage_keys(row), m)]
                if rows:
                    best = max(rows, key=lambda row: sum(v != "*" for v in self.stage_keys(row).values()))
                    kept = number(best, "conversion")
                    days, hours = number(best, "days") or 0.0, number(best, "hours") or 0.0
                    found.append((name, 1.0 if kept is None else kept, days, hours))
            self.stages.append(found)
        self.won = [math.prod(kept for _, kept, _, _ in stages) for stages in self.stages]
        self.cycle = [sum(days for _, _, days, _ in stages) for stages in self.stages]

    @staticmethod
    def stage_keys(row: Row) -> Row:
        """The market columns of a row of stages."""
        return {c: v for c, v in row.items() if c not in ("stage", "conversion", "days", "hours")}

    def has_hours(self, m: int) -> bool:
        """Whether the stages of a market say hours."""
        return any(hours for _, _, _, hours in self.stages[m])

    def hours_at(self, m: int, lag: int, before: bool) -> float:
        """Hours of an opportunity `lag` periods after it enters, or of a won deal before its signature."""
        total, reached, passed = 0.0, 1.0, 0.0
        for _, kept, days, hours in self.stages[m]:
            first, last = passed, passed + days
            if before:
                first, last = self.cycle[m] - last, self.cycle[m] - first
            total += hours * reached * mean_hat(first / self.length, last / self.length, lag)
            reached, passed = reached * kept, passed + days
        if before:
            return total / self.won[m] if self.won[m] else 0.0
        return total

    # Marketing and yields

    def _fill_entries(self) -> None:
        channels = {row["channel"]: row for row in self.tables["marketing"]}
        self.channels = list(channels.values())
        self.entries: list[dict[str, Any]] = []
        for k, row in enumerate(self.tables["yields"]):
            keys = {c: v for c, v in row.items() if c not in ("channel", "opportunities", "conversion")}
            for c, channel in enumerate(self.channels):
                if row["channel"] not in ("*", channel["channel"]):
                    continue
                for m in self.M:
                    if self.covers_market(keys, m):
                        own = number(row, "conversion")
                        lag = self._lag(m, (channel.get("lag") or "").strip())
                        self.entries.append(
                            {"pool": (k, c), "channel": c, "market": m, "amount": float(row["opportunities"]),
                             "conversion": self.won[m] if own is None else own, "lag": lag}
                        )  # fmt: skip

    def _lag(self, m: int, profile: str = "") -> dict[int, float]:
        if profile:
            return {int(age): value for age, value in self.profile(profile) if value}
        position = self.cycle[m] / self.length
        shares = {lag: hat(position - lag) for lag in (math.floor(position), math.floor(position) + 1)}
        return {lag: share for lag, share in shares.items() if share > 0}

    def days_of(self, entry: dict[str, Any]) -> float:
        """Days from the entry of an opportunity to its decision."""
        channel = self.channels[int(str(entry["channel"]))]
        if (channel.get("lag") or "").strip():
            lag = dict(entry["lag"])
            return sum(age * share for age, share in lag.items()) * self.length
        return self.cycle[int(str(entry["market"]))]

    # Customers

    def _fill_customers(self) -> None:
        self.groups = []
        for row in self.tables["customers"]:
            numbers = ("customers", "retention", "orders", "revenue_per_order")
            keys = {c: v for c, v in row.items() if c not in numbers}
            wider = {c: v for c, v in keys.items() if c != "customer_type"}
            kinds = [labels["customer_type"] for labels in self.market_labels]
            buys = [m for m in self.M if self.covers_market(keys, m) and kinds[m] != "new"]
            joins = [m for m in self.M if self.covers_market(wider, m) and kinds[m] == "new"]
            kept, orders = number(row, "retention"), number(row, "orders")
            self.groups.append(
                {"opening": float(row["customers"]), "retention": 1.0 if kept is None else kept,
                 "orders": 1.0 if orders is None else orders, "revenue": number(row, "revenue_per_order"),
                 "buys": buys, "joins": joins}
            )  # fmt: skip

    # Led markets, organic, horizon

    def _find_led(self) -> None:
        self.organic = [[v or 0.0 for v in self._amount(m, "organic")] for m in self.M]
        led = {m for m in self.M if number(self.markets[m], "organic") is not None}
        led |= {int(str(entry["market"])) for entry in self.entries}
        led |= {m for group in self.groups for m in group["buys"]}
        led |= {
            m
            for m in self.M
            if any(self.covers_market(self.deal_keys(r), m) for r in self.tables["pipeline"])
        }
        self.led = led

    @staticmethod
    def deal_keys(row: Row) -> Row:
        """The market columns of a row of pipeline."""
        return {c: v for c, v in row.items() if c not in ("deal", "amount", "stage", "close", "probability")}

    def _run_out(self) -> int:
        if not self.led:
            return 0
        if self.plan.get("run_out") is not None:
            return int(self.plan["run_out"])
        lags = [max(self._lag(m)) for m in self.M if sum(self.organic[m]) > 0]
        lags += [max(dict(entry["lag"])) for entry in self.entries]
        for c in {int(str(entry["channel"])) for entry in self.entries}:
            rate = number(self.channels[c], "carryover_rate") or 0.0
            if rate:
                lags.append(min(self.year, math.ceil(math.log(LEFT_OVER) / math.log(rate) - 1e-9)))
        return max(lags, default=0)

    def _run_on(self) -> None:
        size = len(self.planned)
        source = []
        for j in range(self.after):
            t = size + j
            while t >= size:
                t -= self.year
            source.append(t if t >= 0 else size - 1)
        tables = [
            self.price,
            self.unit_margin,
            self.units_per_deal,
            self.potential,
            self.spread,
            self.organic,
        ]
        for table in [*tables, self.effort, self.hours]:
            for row in table:
                row += [row[t] for t in source]
        for s in self.S:
            full = [c / p for c, p in zip(self.capacity[s], self.presence[s], strict=True) if p > 0]
            for t in source:
                there, last = self.presence[s][t], self.presence[s][size - 1]
                each = self.capacity[s][t] / there if there > 0 else sum(full) / len(full) if full else 0.0
                self.capacity[s].append(times(each, last))
            self.presence[s] += [self.presence[s][size - 1]] * self.after
            self.headcount[s] += [self.headcount[s][size - 1]] * self.after
        self.times = range(size + self.after)
        for labels in self.time_labels.values():
            labels.extend([""] * self.after)

    def _fill_opening(self) -> None:
        self.opening = [[0.0 for _ in self.times] for _ in self.M]
        covered = set()
        for row in self.tables["pipeline"]:
            own = [m for m in self.M if self.covers_market(self.deal_keys(row), m)]
            covered |= set(own)
            shares = self._shares(own)
            for m in own:
                for t, part in self._closing(row, m).items():
                    if t in self.times:
                        worth = self.price[m][t] * self.units_per_deal[m][t]
                        self.opening[m][t] += float(row["amount"]) * shares[m] * part / worth
        for m in self.M:
            if m not in covered and sum(self.organic[m]) > 0:
                for lag, share in self._lag(m).items():
                    for back in range(1, lag + 1):
                        if lag - back in self.times:
                            came = self.organic[m][
                                self.year - back if 0 <= self.year - back < len(self.planned) else 0
                            ]
                            self.opening[m][lag - back] += came * share * self.won[m]

    def _shares(self, own: list[int]) -> dict[int, float]:
        sizes = {}
        for m in own:
            sizes[m] = sum(self.potential[m][t] * self.price[m][t] for t in self.planned)
            if math.isinf(sizes[m]):
                sizes[m] = sum(self.last_revenue[m] or [0.0])
        total = sum(sizes.values())
        return {m: size / total if total else 1.0 / len(own) for m, size in sizes.items()}

    def _closing(self, row: Row, m: int) -> dict[int, float]:
        """Period -> share of an open deal's amount that is won in it."""
        name, own, later, kept, seen = (row.get("stage") or "").strip(), 0.0, 0.0, 1.0, False
        for stage, conversion, days, _ in self.stages[m]:
            if stage == name:
                seen, own = True, days
            elif seen:
                later += days
            if seen:
                kept *= conversion
        given = number(row, "probability")
        won = kept if given is None else given
        if (row.get("close") or "").strip():
            day = datetime.date.fromisoformat(row["close"])
            return {t: won for t in self.planned if self.starts[t] <= day < self.ends[t]}
        first, last = later / self.length, (later + own) / self.length
        if last - first < 1e-9:
            return {math.floor(first): won}
        return {
            t: won * max(0.0, min(last, t + 1) - max(first, t)) / (last - first)
            for t in range(math.ceil(last) + 1)
        }


def times(each: float, there: float) -> float:
    """A capacity without limit stays one while somebody is there."""
    return each * there if there > 0 else 0.0
