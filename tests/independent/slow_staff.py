"""Open seats and roles a second time, cell by cell with PuLP, from docs/model.md alone (families headcount and hours)."""

from __future__ import annotations

import datetime
from collections.abc import Iterator

import pulp
from slow_data import INF, Row, number
from slow_effects import EffectData, Starts
from slow_metrics import Expression

STAY_WITHOUT_ATTRITION = 60.0


class StaffData(EffectData):
    """A plan in which open seats and rows of roles have no heads and no capacity of their own."""

    def _fill_capacities(self) -> None:
        super()._fill_capacities()
        self.tables.setdefault("roles", [])
        self.roles = {row["role"]: row for row in self.tables["roles"]}
        self.seats = [s for s in self.S if self.sellers[s].get("status") == "open"]
        self.role_rows = {
            s: row["seller"] for s, row in enumerate(self.sellers) if row["seller"] in self.roles
        }
        self.full: dict[int, list[float]] = {}
        for s in [*self.seats, *self.role_rows]:
            self.full[s] = [INF if c is None else c for c in self._capacity(s)[1]]
            nothing = [0.0 for _ in self.times]
            self.headcount[s], self.presence[s] = nothing, list(nothing)
            self.capacity[s] = [INF if c == INF else 0.0 for c in self.full[s]]

    def told_heads(self, role: str, measure: str, t: int) -> float:
        """Hires or leavers of a role that facts tell of; none without facts."""
        return 0.0

    def _run_on(self) -> None:
        super()._run_on()
        for s in self.full:
            self.full[s] += [self.full[s][len(self.planned) - 1]] * self.after

    def is_seat(self, s: int) -> bool:
        """Whether heads and capacity of a row of sellers are decided."""
        return s in self.full

    def first_day(self, s: int, begun: int) -> datetime.date:
        """Day on which somebody who is hired for a seat in a period starts."""
        return max(self.starts[begun], self._date(s, "from") or self.starts[begun])

    def may_fill(self, s: int, t: int) -> bool:
        """Whether a seat may be filled in a period: not before `from`."""
        first = self._date(s, "from")
        return first is None or self.ends[t] > first

    def there(self, s: int, begun: int, t: int) -> tuple[float, float]:
        """Share of the days of t on which a hire of `begun` is there, and the same times the ramp."""
        t = min(t, len(self.planned) - 1)
        first, last = self.first_day(s, begun), self._date(s, "to")
        days = list(self.days(t))
        share = sum(1 for day in days if day >= first and (last is None or day <= last)) / len(days)
        start = self.starts[t]
        age = 12 * (start.year - first.year) + start.month - first.month + (start.day - first.day) / 31
        return share, share * self.step((self.sellers[s].get("ramp") or "").strip(), age)

    def step(self, ramp: str, age: float) -> float:
        """Ramp after so many months."""
        if ramp == "none":
            return 1.0
        steps = self.profile(ramp)
        reached = [value for months, value in sorted(steps) if months <= max(age, 0.0) + 1e-9]
        return reached[-1] if reached else 0.0


class Staff:
    """Variables and rows of open seats and roles, and what they cost."""

    def __init__(self, data: StaffData, closed: int) -> None:
        self.data, self.closed = data, closed
        self.rows: list[tuple[Expression, float, float]] = []
        self.hire = {s: [self._variable(f"hire_{s}_{t}", 1) for t in data.planned] for s in data.seats}
        for s, row in self.hire.items():
            self.rows.append((pulp.lpSum(row), 0.0, 1.0))
            barred = [v for t, v in enumerate(row) if t < closed or not data.may_fill(s, t)]
            self.rows.append((pulp.lpSum(barred), 0.0, 0.0))
        self.staff: dict[str, list[list[pulp.LpVariable]]] = {}
        self.role_hire: dict[str, list[pulp.LpVariable]] = {}
        self.leave: dict[str, list[list[pulp.LpVariable]]] = {}
        self.left: dict[str, list[list[float]]] = {}
        for name, role in data.roles.items():
            self._role(name, role)
        for name, role in data.roles.items():
            self._ratios(name, role)

    @staticmethod
    def _variable(name: str, top: int | None = None) -> pulp.LpVariable:
        return pulp.LpVariable(name, 0, top, pulp.LpInteger)

    def _role(self, name: str, role: Row) -> None:
        data = self.data
        times, last = data.times, len(data.times) + 4
        self.stay = (1.0 - (number(role, "attrition") or 0.0)) ** (1 / data.year)
        stay, lead = self.stay, int(number(role, "lead_time") or 0)
        hire = self.role_hire[name] = [self._variable(f"hires_{name}_{t}") for t in times]
        ages = range(last + 1)
        staff = self.staff[name] = [
            [pulp.LpVariable(f"staff_{name}_{a}_{t}", 0) for t in times] for a in ages
        ]
        leave = self.leave[name] = [
            [pulp.LpVariable(f"leave_{name}_{a}_{t}", 0) for t in times] for a in ages
        ]
        opening = self._opening(role, last)
        hired, gone = ([data.told_heads(name, word, t) for t in times] for word in ("hires", "leavers"))
        left = self.left[name] = self._left(opening, hired, gone, lead)
        for t in times:
            if t < self.closed or t not in data.planned:
                self.rows.append((hire[t] + 0, hired[t], hired[t]))
            if t < self.closed:
                self.rows.append((pulp.lpSum(row[t] for row in leave), gone[t], gone[t]))
            for a in ages:
                came = Expression(constant=opening[a] if t == 0 else 0.0)
                if a == 0 and t - lead >= 0:
                    came += hire[t - lead]
                if a > 0 and t > 0:
                    came += stay * staff[a - 1][t - 1]
                if a == last and t > 0:
                    came += stay * staff[a][t - 1]
                self.rows.append((staff[a][t] + leave[a][t] - came, 0.0, 0.0))
            if t < self.closed:
                continue
            least, most = number(role, "headcount_min") or 0.0, number(role, "headcount_max")
            if self.closed and t < self.closed + lead:
                least = min(least, sum(left[t]))
            self.rows.append((self.role_heads(name, t), least, self._most(most, sum(left[t]))))
            room = number(role, "training_capacity")
            if room is not None:
                new = [a for a in ages if self._ramp(role, a) < self._ramp(role, last) - 1e-12]
                most = self._most(room, sum(left[t][a] for a in new))
                self.rows.append((pulp.lpSum(staff[a][t] for a in new), -INF, most))
        self.rows.append((pulp.lpSum(hire), 0.0, self._most(number(role, "hire_max"), sum(hired))))
        leavers = pulp.lpSum(cell for row in leave for cell in row)
        self.rows.append((leavers, 0.0, self._most(number(role, "leave_max") or 0.0, sum(gone))))

    def _most(self, bound: float | None, left: float) -> float:
        """An upper bound, which gives way to what closed periods have left."""
        if bound is None:
            return INF
        return max(bound, left) if self.closed else bound

    def _left(
        self, opening: list[float], hired: list[float], gone: list[float], lead: int
    ) -> list[list[float]]:
        """Heads by period and age when nothing but facts is decided; leavers are of all ages alike."""
        found: list[list[float]] = []
        for t in self.data.times:
            if not t:
                now = list(opening)
            else:
                kept = [self.stay * heads for heads in found[-1]]
                now = [0.0, *kept[:-2], kept[-2] + kept[-1]]
            now[0] += hired[t - lead] if t >= lead else 0.0
            total = sum(now)
            found.append([heads * (1 - gone[t] / total) if total else 0.0 for heads in now])
        return found

    def _opening(self, role: Row, last: int) -> list[float]:
        heads, profile = number(role, "headcount") or 0.0, (role.get("tenure_profile") or "").strip()
        found = [0.0] * (last + 1)
        if not profile:
            found[last] = heads
            return found
        for months, share in self.data.profile(profile):
            found[min(int(months / self.data.months), last)] += heads * share
        return found

    def _ramp(self, role: Row, age: int) -> float:
        return self.data.step((role.get("ramp") or "").strip(), age * self.data.months)

    def _ratios(self, name: str, role: Row) -> None:
        for other, most in (("managed_by", "span"), ("supported_by", "support_ratio")):
            leader, ratio = (role.get(other) or "").strip(), number(role, most)
            if leader and ratio is not None:
                for t in [t for t in self.data.times if t >= self.closed]:
                    left = self._with_names(name, t) - ratio * self._with_names(leader, t)
                    heads = self.everybody(name, t) - ratio * self.everybody(leader, t)
                    self.rows.append((heads, -INF, self._most(0.0, left)))

    def _with_names(self, role: str, t: int) -> float:
        """Heads of a role that closed periods have left, and those with names whom nobody has to hire."""
        data = self.data
        own = [s for s in data.S if (data.sellers[s].get("role") or "").strip() == role]
        return sum(self.left.get(role, [[0.0]] * len(data.times))[t]) + sum(data.headcount[s][t] for s in own)

    # What others see

    def everybody(self, role: str, t: int) -> Expression:
        """Heads of a role: without names, and sellers who carry its label."""
        data, found = self.data, self.role_heads(role, t)
        for s in data.S:
            if (data.sellers[s].get("role") or "").strip() == role:
                found += self.heads(s, t) if s in self.hire else data.headcount[s][t]
        return found

    def role_heads(self, role: str, t: int) -> Expression:
        """Heads of a role without names."""
        return pulp.lpSum(row[t] for row in self.staff[role]) if role in self.staff else Expression()

    def heads(self, s: int, t: int) -> Expression:
        """Heads of a seat or of a row of a role."""
        if s in self.data.role_rows:
            return self.role_heads(self.data.role_rows[s], t)
        return pulp.lpSum(self.data.there(s, u, t)[0] * self.hire[s][u] for u in self.data.planned)

    def capacity(self, s: int, t: int) -> Expression:
        """Capacity of a seat or of a row of a role, with what effects add to it: a share of it, or an amount a head."""
        found = plain = self._plain_capacity(s, t)
        for _, keys, amount, factor in self.data.working("capacity", t):
            if self.data.covers_seller(keys, s):
                found = found + ((amount - 1.0) * plain if factor else amount * self.heads(s, t))
        return found

    def _plain_capacity(self, s: int, t: int) -> Expression:
        data, full = self.data, self.data.full[s][t]
        if s in data.role_rows:
            role = data.roles[data.role_rows[s]]
            rows = self.staff[data.role_rows[s]]
            return full * pulp.lpSum(self._ramp(role, a) * row[t] for a, row in enumerate(rows))
        return full * pulp.lpSum(data.there(s, u, t)[1] * self.hire[s][u] for u in data.planned)

    def may_sell(self, s: int, t: int) -> Expression:
        """One where somebody sits on a seat and sells."""
        if s in self.data.role_rows:
            return self.role_heads(self.data.role_rows[s], t)
        return pulp.lpSum(self.hire[s][u] for u in self.data.planned if self.data.there(s, u, t)[1] > 0)

    def loss(self, role: str, t: int) -> float:
        """Share of the people with names who have left by t and are not replaced."""
        row = self.data.roles[role]
        stay = (1.0 - (number(row, "attrition") or 0.0)) ** (1 / self.data.year)
        refill = number(row, "refill")
        return 1.0 - stay ** (t if refill is None else min(t, refill))

    def hires(self, t: int) -> Expression:
        """Seats that are filled and hires of roles that are decided in a period."""
        return pulp.lpSum(
            [row[t] for row in self.hire.values()] + [row[t] for row in self.role_hire.values()]
        )

    def cost(self, t: int) -> Expression:
        """Recruiting and pay of those who join, in a period."""
        return pulp.lpSum([*self._cost_of_seats(t), *self._cost_of_roles(t)])

    def _cost_of_seats(self, t: int) -> Iterator[Expression]:
        data = self.data
        for s, row in self.hire.items():
            yield (number(data.sellers[s], "cost") or 0.0) * data.months * self.heads(s, t)
            if t in data.planned:
                tenure = number(data.sellers[s], "tenure")
                tenure = STAY_WITHOUT_ATTRITION if tenure is None else tenure
                part = min(1.0, self._months_left(data.starts[t]) / tenure)
                yield (number(data.sellers[s], "hiring_cost") or 0.0) * part * row[t]

    def _cost_of_roles(self, t: int) -> Iterator[Expression]:
        data = self.data
        for name, role in data.roles.items():
            attrition, lead = number(role, "attrition") or 0.0, int(number(role, "lead_time") or 0)
            stay = (1.0 - attrition) ** (1 / data.year)
            added = self.role_heads(name, t) - (number(role, "headcount") or 0.0) * stay**t
            yield (number(role, "cost") or 0.0) * data.months * added
            yield (number(role, "leave_cost") or 0.0) * pulp.lpSum(row[t] for row in self.leave[name])
            if t + lead in data.planned:
                tenure = 12.0 / attrition if attrition else STAY_WITHOUT_ATTRITION
                part = min(1.0, self._months_left(data.starts[t + lead]) / tenure)
                yield (number(role, "hiring_cost") or 0.0) * part * self.role_hire[name][t]

    def _months_left(self, day: datetime.date) -> float:
        end = self.data.ends[len(self.data.planned) - 1]
        return 12 * (end.year - day.year) + end.month - day.month + (end.day - day.day) / 31


__all__ = ["Staff", "StaffData", "Starts"]
