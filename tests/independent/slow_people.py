"""Initiatives, effects, open seats and roles a second time, from docs/model.md alone: every choice of starts
is tried, and what is left of the plan is a small program that PuLP solves.

So no product of a decision and a sale is ever modelled: with the starts given, every price, cost, hour,
potential and capacity is a number. Plans are simple on purpose: months, an even season, capacity in hours,
every figure given. Nothing of the package is imported.
"""

from __future__ import annotations

import csv
import datetime
import itertools
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pulp
import yaml

Row = dict[str, str]


def number(row: Row, column: str, blank: float = 0.0) -> float:
    """A cell as a number; `blank` where there is none."""
    text = (row.get(column) or "").strip()
    return float(text) if text else blank


class SlowPeople:
    """The best contribution of one plan folder, over every choice of starts."""

    def __init__(self, folder: Path) -> None:
        plan: dict[str, Any] = yaml.safe_load((folder / "plan.yaml").read_text(encoding="utf-8"))
        self.T = plan["calendar"]["periods"]
        self.tables: dict[str, list[Row]] = {}
        for name in ("markets", "sellers", "territories", "initiatives", "effects", "roles", "profiles"):
            path = folder / f"{name}.csv"
            self.tables[name] = []
            if name in plan["tables"]:
                with path.open(encoding="utf-8", newline="") as lines:
                    self.tables[name] = list(csv.DictReader(lines))
        self.markets, self.sellers = self.tables["markets"], self.tables["sellers"]
        self.initiatives, self.effects = self.tables["initiatives"], self.tables["effects"]
        self.roles = {row["role"]: row for row in self.tables["roles"]}
        self.seats = [s for s, row in enumerate(self.sellers) if row.get("status") == "open"]

    def best(self) -> float:
        """The largest contribution of any choice that the rules of initiatives and seats allow."""
        return max(self._contribution(starts, hires) for starts, hires in self._choices())

    def _choices(self) -> Iterator[tuple[list[int | None], dict[int, int | None]]]:
        when = [None, *range(self.T)]
        seats = [[None, *(t for t in range(self.T) if self._may_start(s, t))] for s in self.seats]
        for starts in itertools.product(when, repeat=len(self.initiatives)):
            if self._allowed(list(starts)):
                for hires in itertools.product(*seats):
                    yield list(starts), dict(zip(self.seats, hires, strict=True))

    def _may_start(self, s: int, t: int) -> bool:
        return not self._from(s) or t >= self._from(s)

    def _from(self, s: int) -> int:
        text = self.sellers[s].get("from") or ""
        return datetime.date.fromisoformat(text).month - 1 if text else 0

    def _duration(self, i: int) -> int:
        return int(number(self.initiatives[i], "duration", self.T))

    def _allowed(self, starts: list[int | None]) -> bool:
        names = [row["initiative"] for row in self.initiatives]
        for i, row in enumerate(self.initiatives):
            if starts[i] is None:
                continue
            if row.get("requires"):
                other = starts[names.index(row["requires"])]
                if other is None or starts[i] < other + int(number(row, "requires_after")):
                    return False
            if row.get("excludes") and starts[names.index(row["excludes"])] is not None:
                return False
        return all(self._touched_once(starts, t) for t in range(self.T)) and self._levels(starts) is not None

    def _touched_once(self, starts: list[int | None], t: int) -> bool:
        """Whether at most one initiative of each group runs in t or has ended less than its gap ago."""
        busy: dict[str, int] = {}
        for i, row in enumerate(self.initiatives):
            if (row.get("gap") or "") != "" and starts[i] is not None:
                if starts[i] <= t < starts[i] + self._duration(i) + int(number(row, "gap")):
                    busy[row["group"]] = busy.get(row["group"], 0) + 1
        return all(count <= 1 for count in busy.values())

    def _works(self, effect: Row, starts: list[int | None], t: int) -> bool:
        i = [row["initiative"] for row in self.initiatives].index(effect["initiative"])
        if starts[i] is None:
            return False
        first = starts[i] + int(number(effect, "after"))
        return first <= t < first + int(number(effect, "lasts", self._duration(i)))

    def _levels(self, starts: list[int | None]) -> list[list[bool]] | None:
        """Whether each market is open in each period; None where two levels of one demand are active."""
        unlocks = [row for row in self.effects if row["changes"] == "unlock"]
        found = []
        for market in self.markets:
            own = [row for row in unlocks if row["line"] in ("*", market["line"])]
            found.append([not own or any(self._works(e, starts, t) for e in own) for t in range(self.T)])
        for shared in {m["shared_demand"] for m in self.markets if m.get("shared_demand")}:
            group = [k for k, m in enumerate(self.markets) if m.get("shared_demand") == shared]
            locked = [k for k in group if any(e["line"] == self.markets[k]["line"] for e in unlocks)]
            for t in range(self.T):
                if sum(found[k][t] for k in locked) > 1:
                    return None
                for k in set(group) - set(locked):
                    found[k][t] = not locked or not any(found[j][t] for j in locked)
        return found

    # Figures with the starts given

    def _sum(self, changes: str, base: float, market: Row, t: int, starts: list[int | None]) -> float:
        """A figure with the effects that work: amounts and shares of the base add up."""
        total = base
        for effect in self.effects:
            if effect["changes"] != changes or effect["line"] not in ("*", market["line"]):
                continue
            if self._works(effect, starts, t):
                likely = number(effect, "likely")
                total += (likely - 1.0) * base if effect["kind"] == "multiply" else likely
        return total

    def _potential(self, m: int, t: int, starts: list[int | None]) -> float:
        base = number(self.markets[m], "potential") / self.T
        total = base
        for effect in self.effects:
            covered = [k for k in self.markets if effect["line"] in ("*", k["line"])]
            if effect["changes"] != "demand" or self.markets[m] not in covered:
                continue
            if not self._works(effect, starts, t):
                continue
            if effect["kind"] == "multiply":
                total += (number(effect, "likely") - 1.0) * base
            else:
                groups = {k.get("shared_demand") or k["line"]: number(k, "potential") for k in covered}
                total += (
                    number(effect, "likely") * number(self.markets[m], "potential") / sum(groups.values())
                )
        return total

    def _capacity(self, s: int, t: int, starts: list[int | None], hires: dict[int, int | None]) -> float:
        full = number(self.sellers[s], "capacity")
        if s in hires:
            if hires[s] is None or t < hires[s]:
                return 0.0
            full *= self._ramp(s, t - hires[s])
        return full + self._added(s, t, starts, full, 1.0)

    def _added(self, s: int, t: int, starts: list[int | None], full: Any, heads: Any) -> Any:
        """What effects add to people who are there: a share of what they can do, or an amount a head."""
        total = 0.0
        for effect in self.effects:
            if effect["changes"] == "capacity" and effect["seller"] in ("*", self.sellers[s]["seller"]):
                if self._works(effect, starts, t):
                    likely = number(effect, "likely")
                    total += (likely - 1.0) * full if effect["kind"] == "multiply" else likely * heads
        return total

    def _ramp(self, s: int, age: int) -> float:
        name = self.sellers[s].get("ramp") or "none"
        return self._step(name, age)

    def _step(self, name: str, age: int) -> float:
        steps = [
            (int(r["period_or_age"]), float(r["value"]))
            for r in self.tables["profiles"]
            if r["profile"] == name
        ]
        return 1.0 if name == "none" else max(steps, key=lambda step: step[0] if step[0] <= age else -1)[1]

    def _fixed(self, starts: list[int | None], hires: dict[int, int | None]) -> float:
        """Money that follows from the starts alone."""
        total = 0.0
        for i, row in enumerate(self.initiatives):
            if starts[i] is not None:
                runs = min(self.T, starts[i] + self._duration(i)) - starts[i]
                total += number(row, "benefit") - number(row, "cost") - number(row, "running_cost") * runs
        for effect in self.effects:
            if effect["changes"] == "value":
                total += sum(
                    number(effect, "likely") for t in range(self.T) if self._works(effect, starts, t)
                )
        for s, begun in hires.items():
            if begun is not None:
                row, left = self.sellers[s], self.T - begun
                total -= number(row, "cost") * left
                total -= number(row, "hiring_cost") * min(1.0, left / number(row, "tenure", 60.0))
        return total

    def _contribution(self, starts: list[int | None], hires: dict[int, int | None]) -> float:
        """The best sales for given starts."""
        opened, times = self._levels(starts), range(self.T)
        assert opened is not None
        program = pulp.LpProblem("plan", pulp.LpMaximize)
        x = {
            (s, m, t): pulp.LpVariable(f"x_{s}_{m}_{t}", 0, None if opened[m][t] else 0)
            for s in range(len(self.sellers))
            for m in range(len(self.markets))
            for t in times
        }
        money = [pulp.LpAffineExpression(constant=self._fixed(starts, hires))]
        for (s, m, t), cell in x.items():
            market = self.markets[m]
            price = self._sum("price", number(market, "price"), market, t, starts)
            cost = self._sum("unit_cost", number(market, "unit_cost"), market, t, starts)
            money.append((price - cost - number(self.sellers[s], "commission_rate") * price) * cell)
        productive, everybody, rows, paid = self._staff()
        program += pulp.lpSum([*money, *paid])
        for row in rows:
            program += row
        for t in times:
            for m in range(len(self.markets)):
                most = self._potential(m, t, starts)
                program += pulp.lpSum(x[s, m, t] for s in range(len(self.sellers))) <= most
            for s, seller in enumerate(self.sellers):
                used = pulp.lpSum(
                    self._sum("hours", self._hours(m), market, t, starts) * x[s, m, t]
                    for m, market in enumerate(self.markets)
                )
                if seller["seller"] in self.roles:
                    own = seller["seller"], t
                    full = number(seller, "capacity") * productive[own]
                    program += used <= full + self._added(s, t, starts, full, everybody[own])
                else:
                    program += used <= self._capacity(s, t, starts, hires)
        program.solve(pulp.PULP_CBC_CMD(msg=False, gapRel=0.0, gapAbs=1e-9))
        if program.status == pulp.LpStatusInfeasible:
            # Somebody would have less than no time: these starts do not go together.
            return -math.inf
        assert program.status == pulp.LpStatusOptimal
        return float(pulp.value(program.objective))

    def _hours(self, m: int) -> float:
        rows = [r for r in self.tables["territories"] if r["line"] in ("*", self.markets[m]["line"])]
        return number(max(rows, key=lambda row: row["line"] != "*"), "hours_per_unit")

    def _staff(self) -> tuple[dict[tuple[str, int], Any], dict[tuple[str, int], Any], list[Any], list[Any]]:
        """Productive heads and all heads of each role and period, their rows, and what hires cost."""
        heads: dict[tuple[str, int], Any] = {}
        everybody: dict[tuple[str, int], Any] = {}
        rows, paid = [], []
        for name, role in self.roles.items():
            stay = (1.0 - number(role, "attrition")) ** (1 / 12)
            lead, ramp = int(number(role, "lead_time")), role.get("ramp") or "none"
            hire = [pulp.LpVariable(f"hire_{name}_{t}", 0, None, pulp.LpInteger) for t in range(self.T)]
            rows.append(pulp.lpSum(hire) <= number(role, "hire_max"))
            opening = number(role, "headcount")
            learning = []
            for t in range(self.T):
                cohorts = [(u, t - u - lead) for u in range(self.T) if t - u - lead >= 0]
                heads[name, t] = opening * stay**t + pulp.lpSum(
                    hire[u] * stay**age * self._step(ramp, age) for u, age in cohorts
                )
                everybody[name, t] = opening * stay**t + pulp.lpSum(hire[u] * stay**age for u, age in cohorts)
                paid.append(pulp.lpSum(-number(role, "cost") * stay**age * hire[u] for u, age in cohorts))
                learning.append(
                    pulp.lpSum(hire[u] * stay**age for u, age in cohorts if self._step(ramp, age) < 1.0)
                )
            if (role.get("training_capacity") or "") != "":
                rows += [one <= number(role, "training_capacity") for one in learning]
        return heads, everybody, rows, paid
