"""A plan folder read and completed a second time, from docs/defaults.md alone.

Nothing of the package is used: plan.yaml goes through PyYAML, tables through `csv`, every blank is filled
cell by cell in plain Python. Slow, small, and written to be compared with the page.
"""

from __future__ import annotations

import calendar as months
import csv
import datetime
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import yaml

Row = dict[str, str]
INF = math.inf
PERIODS_A_YEAR = {"week": 52, "month": 12, "quarter": 4}
MARKET_NUMBERS = [
    "last_year_units",
    "last_year_revenue",
    "price",
    "margin_rate",
    "unit_cost",
    "units_per_deal",
    "potential",
    "potential_revenue",
    "size_units",
    "size_revenue",
    "max_share",
    "organic",
    "waiting_kept",
]
TERRITORY_NUMBERS = ("hours_per_unit", "win_factor", "share_min", "share_max")
MARKET_SETTINGS = ["whole_units", "season", "potential_profile", "last_year_profile"]
SELLER_SETTINGS = [
    "capacity",
    "capacity_unit",
    "capacity_per",
    "capacity_profile",
    "productivity",
    "from",
    "to",
    "ramp",
    "cost",
    "commission_rate",
]
DEFAULT_RAMP = [(0.0, 0.0), (3.0, 0.25), (6.0, 0.5), (9.0, 0.75), (12.0, 1.0)]
SELLING_HOURS = 261 * 8 * 0.35


def number(row: Row, column: str) -> float | None:
    """A cell as a number, None where it is blank or the column is not there."""
    text = (row.get(column) or "").strip()
    return float(text) if text else None


def is_number(text: str) -> bool:
    """Whether a cell is written as a number."""
    try:
        float(text)
    except ValueError:
        return False
    return True


class SlowData:
    """A plan with its blanks filled; indices s, m, t as in docs/model.md."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.plan: dict[str, Any] = yaml.safe_load((folder / "plan.yaml").read_text(encoding="utf-8"))
        self._read_calendar()
        self._read_tables()
        self._fill_markets()
        self._fill_sellers()
        self._find_pairs()
        self._fill_capacities()
        self._fill_efforts()
        self._fill_pools()
        self._fill_resources()

    # Calendar and profiles

    def _read_calendar(self) -> None:
        spec = self.plan["calendar"]
        self.every, size = spec.get("every", "month"), spec["periods"]
        day, first = spec["start"], spec.get("fiscal_year_start", 1)
        if isinstance(day, str):
            day = datetime.date.fromisoformat(day)
        self.starts, self.ends = [], []
        for _ in range(size):
            self.starts.append(day)
            day = self._next(day)
            self.ends.append(day)
        self.times = range(size)
        self.share_of_year = size / PERIODS_A_YEAR[self.every]
        self.time_labels: dict[str, list[str]] = {"period": [], "quarter": [], "year": []}
        for start in self.starts:
            middle = start + datetime.timedelta(days=3) if self.every == "week" else start
            fiscal = middle.year + (1 if middle.month >= first else 0)
            year = str(middle.year) if first == 1 else f"FY{fiscal % 100:02d}"
            quarter = f"{year}-Q{(middle.month - first) % 12 // 3 + 1}"
            iso = middle.isocalendar()
            period = {
                "week": f"{iso.year}-W{iso.week:02d}",
                "month": f"{middle.year}-{middle.month:02d}",
                "quarter": quarter,
            }[self.every]
            for name, label in (("period", period), ("quarter", quarter), ("year", year)):
                self.time_labels[name].append(label)

    def _next(self, day: datetime.date) -> datetime.date:
        if self.every == "week":
            return day + datetime.timedelta(days=7)
        later = day.month - 1 + (1 if self.every == "month" else 3)
        return datetime.date(day.year + later // 12, later % 12 + 1, day.day)

    def days(self, t: int) -> Iterator[datetime.date]:
        """The days of a period."""
        day = self.starts[t]
        while day < self.ends[t]:
            yield day
            day += datetime.timedelta(days=1)

    def profile(self, name: str) -> list[tuple[float, float]]:
        """The rows of a profile: month or age, and value."""
        rows = [row for row in self.tables["profiles"] if row["profile"] == name]
        return [(float(row["period_or_age"]), float(row["value"])) for row in rows]

    def by_month(self, values: dict[int, float]) -> list[float]:
        """Each period takes of each month the share of its days that lie in the period."""
        return [
            sum(values[day.month] / months.monthrange(day.year, day.month)[1] for day in self.days(t))
            for t in self.times
        ]

    def season(self, name: str) -> list[float]:
        """Share of a year by period, from a profile by month."""
        return self.by_month({int(month): value for month, value in self.profile(name)})

    def has_profile(self, name: str) -> bool:
        """Whether the table of profiles has one of this name."""
        return any(row["profile"] == name for row in self.tables["profiles"])

    def working_days(self) -> list[float]:
        """Share of a year by period: the profile working_days, else Monday to Friday."""
        if self.has_profile("working_days"):
            counts = {int(month): value for month, value in self.profile("working_days")}
            return self.by_month({month: value / sum(counts.values()) for month, value in counts.items()})
        first, shares = self.starts[0], []
        for t in self.times:
            start = self.starts[t]
            passed = 12 * (start.year - first.year) + start.month - first.month - (start.day < first.day)
            year = first.replace(year=first.year + passed // 12)
            in_year = sum(1 for at in range(366) if self._is_in_year(year, at))
            shares.append(sum(1 for day in self.days(t) if day.weekday() < 5) / in_year)
        return shares

    @staticmethod
    def _is_in_year(year: datetime.date, at: int) -> bool:
        day = year + datetime.timedelta(days=at)
        return day < year.replace(year=year.year + 1) and day.weekday() < 5

    # Tables

    def _read_tables(self) -> None:
        names = ("markets", "sellers", "territories", "market_size", "resources", "uses", "profiles")
        self.tables: dict[str, list[Row]] = {name: [] for name in names}
        self.across: dict[str, str] = {}
        for name, spec in self.plan["tables"].items():
            file = spec if isinstance(spec, str) else spec["file"]
            if not isinstance(spec, str) and "months_across" in spec:
                self.across[name] = spec["months_across"]
            with (self.folder / file).open(encoding="utf-8", newline="") as lines:
                self.tables[name] = list(csv.DictReader(lines))
        self.markets = self.tables["markets"]
        self.M = range(len(self.markets))

    def columns(self, table: str) -> list[str]:
        """The column names of a table, without months across."""
        rows = self.tables[table]
        measured = set(self._months(table)) if table in self.across else set()
        return [name for name in rows[0] if name not in measured] if rows else []

    def _months(self, table: str) -> list[str]:
        last = self.across[table].startswith("last_year")
        return [self._year_before(label) if last else label for label in self.time_labels["period"]]

    @staticmethod
    def _year_before(label: str) -> str:
        if label.startswith("FY"):
            return f"FY{int(label[2:4]) - 1:02d}{label[4:]}"
        return f"{int(label[:4]) - 1}{label[4:]}"

    def months_of(self, table: str, row: int, measure: str) -> list[float | None] | None:
        """A measure that stands one column a period, or None when it does not."""
        if self.across.get(table) != measure:
            return None
        return [number(self.tables[table][row], label) for label in self._months(table)]

    def rate(self, m: int, column: str) -> list[float | None]:
        """A rate of a market in every period."""
        return self.months_of("markets", m, column) or [number(self.markets[m], column)] * len(self.times)

    # Markets

    def _fill_markets(self) -> None:
        labels = [c for c in self.columns("markets") if c not in MARKET_NUMBERS + MARKET_SETTINGS]
        self.number_columns = {
            c for c in labels if all(is_number(row[c]) for row in self.markets) and c != "unit"
        }
        self.market_columns = [c for c in labels if c not in self.number_columns]
        self.market_labels = [{c: row[c].strip() for c in self.market_columns} for row in self.markets]
        for market in self.market_labels:
            market["customer_type"] = market.get("customer_type") or "existing"
        if "customer_type" not in self.market_columns:
            self.market_columns.append("customer_type")
        self.phase = {kind: [self._phase(m, kind) for m in self.M] for kind in ("potential", "last_year")}
        self.spread = [[part / sum(row) for part in row] for row in self.phase["potential"]]
        self._fill_last_year_and_price()
        self._fill_margin()
        self.units_per_deal = [
            [1.0 if v is None else v for v in self.rate(m, "units_per_deal")] for m in self.M
        ]
        self.potential = [self._potential(m) for m in self.M]
        everywhere = bool(self.plan.get("whole_units", False))
        self.whole = [row.get("whole_units", "yes" if everywhere else "no") == "yes" for row in self.markets]

    def _phase(self, m: int, kind: str) -> list[float]:
        column = f"{kind}_profile" if f"{kind}_profile" in self.markets[0] else "season"
        named = (self.markets[m].get(column) or "").strip()
        if named:
            return self.season(named)
        if self.has_profile("season"):
            return self.season("season")
        for measure in ("last_year_revenue", "last_year_units"):
            if self.across.get("markets") == measure:
                rows = [[v or 0.0 for v in self.months_of("markets", k, measure) or []] for k in self.M]
                own = rows[m] if sum(rows[m]) > 0 else [sum(col) for col in zip(*rows, strict=True)]
                if sum(own) > 0:
                    return [value / sum(own) * self.share_of_year for value in own]
        return self.working_days()

    def _last_year(self, m: int, column: str) -> list[float] | None:
        by_month = self.months_of("markets", m, column)
        if by_month is not None:
            return None if all(v is None for v in by_month) else [v or 0.0 for v in by_month]
        amount = number(self.markets[m], column)
        return None if amount is None else [amount * part for part in self.phase["last_year"][m]]

    def _fill_last_year_and_price(self) -> None:
        self.price, self.last_units, self.last_revenue = [], [], []
        for m in self.M:
            units, revenue = self._last_year(m, "last_year_units"), self._last_year(m, "last_year_revenue")
            derived = 1.0
            if units and revenue and sum(units) > 0 and sum(revenue) > 0:
                derived = sum(revenue) / sum(units)
            price = [derived if v is None else v for v in self.rate(m, "price")]
            if units is None and revenue is not None:
                units = [revenue[t] / price[t] for t in self.times]
            elif revenue is None and units is not None:
                revenue = [units[t] * price[t] for t in self.times]
            self.price.append(price)
            self.last_units.append(units)
            self.last_revenue.append(revenue)

    def _fill_margin(self) -> None:
        found: dict[tuple[int, int], float] = {}
        for m in self.M:
            margin_rate, unit_cost = self.rate(m, "margin_rate"), self.rate(m, "unit_cost")
            for t in self.times:
                if margin_rate[t] is not None:
                    found[m, t] = margin_rate[t] * self.price[m][t]
                elif unit_cost[t] is not None:
                    found[m, t] = self.price[m][t] - unit_cost[t]
        self.knows_margin = bool(found)
        self.unit_margin = [[0.0 for _ in self.times] for _ in self.M]
        if not found:
            return
        weight = {(m, t): (self.last_revenue[m] or [0.0] * len(self.times))[t] + 1e-9 for m, t in found}
        mean = sum(weight[k] * found[k] / self.price[k[0]][k[1]] for k in found) / sum(weight.values())
        for m in self.M:
            self.unit_margin[m] = [found.get((m, t), mean * self.price[m][t]) for t in self.times]

    def _amount(self, m: int, column: str) -> list[float | None]:
        by_month = self.months_of("markets", m, column)
        amount = number(self.markets[m], column)
        if by_month is not None:
            return by_month
        return [None if amount is None else amount * part for part in self.spread[m]]

    def _potential(self, m: int) -> list[float]:
        units, revenue = self._amount(m, "potential"), self._amount(m, "potential_revenue")
        row, cap = self.markets[m], 1.0 + float(self.plan.get("growth_cap", 0.5))
        size_units, size_revenue = number(row, "size_units"), number(row, "size_revenue")
        max_share = number(row, "max_share")
        found = []
        for t in self.times:
            price, part, last = self.price[m][t], self.spread[m][t], self.last_units[m]
            if units[t] is not None:
                found.append(units[t])
            elif revenue[t] is not None:
                found.append(revenue[t] / price)
            elif max_share is not None and size_units is not None:
                found.append(size_units * max_share * part)
            elif max_share is not None and size_revenue is not None:
                found.append(size_revenue * max_share * part / price)
            else:
                found.append(INF if last is None else last[t] * cap)
        return found

    # Sellers

    def _fill_sellers(self) -> None:
        self.has_sellers = bool(self.tables["sellers"])
        self.sellers: list[Row] = self.tables["sellers"] or [{"seller": str(self.plan["name"])}]
        self.S = range(len(self.sellers))
        labels = [c for c in self.sellers[0] if c not in SELLER_SETTINGS]
        measured = set(self._months("sellers")) if "sellers" in self.across else set()
        labels = [c for c in labels if c not in measured]
        numbers = {c for c in labels if c != "seller" and all(is_number(row[c]) for row in self.sellers)}
        self.seller_numbers = numbers if self.has_sellers else set()
        self.seller_columns = [c for c in labels if c not in numbers]
        self.seller_labels = [{c: row[c].strip() for c in self.seller_columns} for row in self.sellers]
        self.headcount = [[self._headcount(s, t) for t in self.times] for s in self.S]
        self.presence = [[self.headcount[s][t] * self._ramp(s, t) for t in self.times] for s in self.S]
        self.commission = [number(row, "commission_rate") or 0.0 for row in self.sellers]
        self.cost = [number(row, "cost") or 0.0 for row in self.sellers]

    def _date(self, s: int, column: str) -> datetime.date | None:
        text = (self.sellers[s].get(column) or "").strip()
        return datetime.date.fromisoformat(text) if text else None

    def _headcount(self, s: int, t: int) -> float:
        first, last = self._date(s, "from"), self._date(s, "to")
        days = list(self.days(t))
        there = [d for d in days if (first is None or d >= first) and (last is None or d <= last)]
        return len(there) / len(days)

    def _ramp(self, s: int, t: int) -> float:
        row, first = self.sellers[s], self._date(s, "from")
        name = (row.get("ramp") or "").strip()
        if first is None or name == "none":
            return 1.0
        if not name and (row.get("sales_channel") or "").strip() not in ("", "direct"):
            return 1.0
        steps = self.profile(name) if name else DEFAULT_RAMP
        start = self.starts[t]
        age = 12 * (start.year - first.year) + start.month - first.month + (start.day - first.day) / 31
        reached = [value for step, value in sorted(steps) if step <= max(age, 0.0) + 1e-12]
        return reached[-1] if reached else 0.0

    def _find_pairs(self) -> None:
        self.pairs: list[tuple[int, int]] = []
        self.row_of: list[int | None] = []
        for s in self.S:
            for m in self.M:
                if not self.has_sellers:
                    self.pairs.append((s, m))
                    self.row_of.append(None)
                elif self.tables["territories"]:
                    self._by_rows(s, m)
                elif self._share_labels(s, m):
                    self.pairs.append((s, m))
                    self.row_of.append(None)

    def _share_labels(self, s: int, m: int) -> bool:
        common = [c for c in self.seller_columns if c in self.market_columns]
        mine, its = self.seller_labels[s], self.market_labels[m]
        return all(mine[c] in ("*", its[c]) for c in common)

    def _by_rows(self, s: int, m: int) -> None:
        best, row_index = -1, None
        for index, row in enumerate(self.tables["territories"]):
            keys = {c: v for c, v in row.items() if c not in TERRITORY_NUMBERS}
            if self.covers_seller(keys, s) and self.covers_market(keys, m):
                filled = sum(1 for label in keys.values() if label != "*")
                if filled > best:
                    best, row_index = filled, index
        if row_index is not None:
            self.pairs.append((s, m))
            self.row_of.append(row_index)

    def covers_seller(self, keys: Row, s: int) -> bool:
        """Whether a row's keys agree with a seller's labels."""
        return self._covers(keys, self.seller_labels[s], "seller.", True)

    def covers_market(self, keys: Row, m: int) -> bool:
        """Whether a row's keys agree with a market's labels."""
        return self._covers(keys, self.market_labels[m], "market.", False)

    @staticmethod
    def _covers(keys: Row, labels: dict[str, str], prefix: str, star: bool) -> bool:
        for column, label in keys.items():
            name = column.removeprefix(prefix)
            if label == "*" or name not in labels:
                continue
            if labels[name] != label and not (star and labels[name] == "*"):
                return False
        return True

    def hours_per_unit(self, p: int) -> float | None:
        """What the pair's row of territories says."""
        row = self.row_of[p]
        return None if row is None else number(self.tables["territories"][row], "hours_per_unit")

    # Capacity and effort

    def _year(self, s: int) -> list[float]:
        name = (self.sellers[s].get("capacity_profile") or "").strip()
        if name or self.has_profile("season"):
            return self.season(name or "season")
        known = [row for row in self.last_revenue if row is not None]
        by_period = [sum(row[t] for row in known) for t in self.times]
        if sum(by_period) > 0:
            return [value / sum(by_period) * self.share_of_year for value in by_period]
        return self.working_days()

    def _fill_capacities(self) -> None:
        self.unit, self.capacity = [], []
        for s in self.S:
            unit, capacity = self._capacity(s)
            self.unit.append(unit)
            self.capacity.append(
                [INF if c is None else c * p for c, p in zip(capacity, self.presence[s], strict=True)]
            )

    def _capacity(self, s: int) -> tuple[str | None, list[float | None]]:
        row, nothing = self.sellers[s], [None] * len(self.times)
        amount, productivity = number(row, "capacity"), number(row, "productivity")
        unit = (row.get("capacity_unit") or "").strip() or "hours"
        by_month, year = self.months_of("sellers", s, "capacity"), self._year(s)
        if productivity is not None:
            own = [p for p, pair in enumerate(self.pairs) if pair[0] == s]
            if own and all(self.hours_per_unit(p) is not None for p in own):
                hours = productivity * self._hours_per_revenue(own)
                return "hours", [hours * part for part in year]
            return "revenue", [productivity * part for part in year]
        if by_month is not None and any(v is not None for v in by_month):
            return unit, by_month
        if amount is None:
            return None, nothing
        per = (row.get("capacity_per") or "").strip() or ("period" if unit == "hours" else "horizon")
        parts = {
            "period": [1.0 for _ in self.times],
            "year": year,
            "horizon": [part / sum(year) for part in year],
        }[per]
        return unit, [amount * part for part in parts]

    def _hours_per_revenue(self, own: list[int]) -> float:
        markets = [self.pairs[p][1] for p in own]
        weights = [sum(self.last_revenue[m] or [0.0]) for m in markets]
        if sum(weights) == 0:
            weights = [1.0 for _ in markets]
        mean_price = [sum(self.price[m]) / len(self.times) for m in markets]
        hours = [self.hours_per_unit(p) or 0.0 for p in own]
        return sum(w * h / c for w, h, c in zip(weights, hours, mean_price, strict=True)) / sum(weights)

    def _fill_efforts(self) -> None:
        self.effort: list[list[float]] = []
        self.hours: list[list[float | None]] = []
        for p, (s, m) in enumerate(self.pairs):
            hours = [self._hours(p, t) for t in self.times]
            per: dict[str | None, Callable[[int], float]] = {
                "hours": lambda t, hours=hours: hours[t],
                "revenue": lambda t, m=m: self.price[m][t],
                "units": lambda t: 1.0,
                "deals": lambda t, m=m: 1.0 / self.units_per_deal[m][t],
                None: lambda t: 0.0,
            }
            self.hours.append(hours)
            self.effort.append([per[self.unit[s]](t) for t in self.times])

    def _hours(self, p: int, t: int) -> float | None:
        (s, m), given = self.pairs[p], self.hours_per_unit(p)
        if given is not None:
            return given
        productivity = number(self.sellers[s], "productivity")
        if self.unit[s] == "hours":
            finite = [c for k in self.S if self.unit[k] == "hours" for c in self.capacity[k] if c < INF]
            revenue = sum(sum(row) for row in self.last_revenue if row is not None)
            return self.price[m][t] * sum(finite) / revenue
        if self.unit[s] == "revenue" and productivity:
            return self.price[m][t] * SELLING_HOURS / productivity
        return None

    # Pools and resources

    def _fill_pools(self) -> None:
        self.pools: list[dict[str, Any]] = []
        for m, row in enumerate(self.markets):
            self._pool(row, [m])
        for row in self.tables["market_size"]:
            keys = {c: v for c, v in row.items() if c not in ("size_units", "size_revenue", "max_share")}
            self._pool(row, [m for m in self.M if self.covers_market(keys, m)])

    def _pool(self, row: Row, members: list[int]) -> None:
        revenue, units = number(row, "size_revenue"), number(row, "size_units")
        if revenue is not None or units is not None:
            self.pools.append(
                {"markets": members, "revenue": revenue, "units": units, "share": number(row, "max_share")}
            )

    def _fill_resources(self) -> None:
        self.resources = []
        for row in self.tables["resources"]:
            self.resources.append(
                {
                    "name": row["resource"],
                    "capacity": number(row, "capacity"),
                    "per": (row.get("per") or "").strip() or "period",
                    "extra_price": number(row, "extra_price"),
                }
            )

    def use(self, p: int, resource: str) -> float:
        """What a unit sold by a pair takes of a resource: matching rows add up."""
        s, m = self.pairs[p]
        total = 0.0
        for row, keys in self._uses(resource, "sell"):
            if self.covers_seller(keys, s) and self.covers_market(keys, m):
                total += float(row["amount"])
        return total

    def fixed(self, resource: str, t: int) -> float:
        """What sellers take of a resource by being there."""
        total = 0.0
        for row, keys in self._uses(resource, "seller"):
            for s in self.S:
                if self.covers_seller(keys, s):
                    total += float(row["amount"]) * self.headcount[s][t]
        return total

    def _uses(self, resource: str, activity: str) -> Iterator[tuple[Row, Row]]:
        for row in self.tables["uses"]:
            if row["resource"] == resource and row["activity"] == activity:
                yield row, {c: v for c, v in row.items() if c not in ("activity", "resource", "amount")}
