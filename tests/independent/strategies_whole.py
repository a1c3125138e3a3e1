"""Small random plans with everything: one seed, one plan folder."""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
from strategies import RandomPlan

SEASON = (0.06, 0.04, 0.09, 0.08, 0.08, 0.1, 0.07, 0.07, 0.09, 0.08, 0.1, 0.14)
CHANGES = (
    "demand", "organic", "leads", "conversion", "cycle", "retention", "repeat", "capacity", "hours", "price",
    "unit_cost", "value", "satisfaction", "unlock",
)  # fmt: skip
AMOUNTS: dict[str, tuple[tuple[float, ...], tuple[float, ...]]] = {
    "demand": ((1.5, 0.8), (10, 25)),
    "organic": ((1.6, 0.7), (4, 9)),
    "leads": ((1.5, 0.8), (6, 12)),
    "conversion": ((1.3, 0.9), (0.1, 0.15)),
    "cycle": ((0.5, 1.4), (15, 30)),
    "retention": ((1.1,), (0.05, 0.1)),
    "repeat": ((1.5, 0.7), (2, 4)),
    "capacity": ((1.3, 0.8), (10, -5)),
    "hours": ((0.7, 1.2), (-0.3, 0.2)),
    "price": ((1.15, 0.9), (2, -1)),
    "unit_cost": ((0.8, 1.1), (-0.5, 0.5)),
    "value": ((), (15, 40)),
    "satisfaction": ((), (2, 5)),
}
"""What an effect changes -> factors and amounts."""
Rows = list[dict[str, object]]
RUN_LABELS = ("sku", "region", "customer_type", "shared_demand")


class WholePlan(RandomPlan):
    """A plan whose folder may hold an earlier run, in Parquet for the package and in CSV for the slow side."""

    run: dict[str, Rows]
    smooth = False
    """Whether a curve is a smooth one, which the slow side knows by lines only."""

    @contextmanager
    def folder(self) -> Iterator[Path]:
        """A folder with the files, as long as it is needed."""
        with super().folder() as folder:
            for name, rows in getattr(self, "run", {}).items():
                (folder / "before" / "tables").mkdir(parents=True, exist_ok=True)
                frame = pd.DataFrame(rows)
                frame.to_parquet(folder / "before" / "tables" / f"{name}.parquet")
                frame.to_csv(folder / "before" / f"{name}.csv", index=False)
            yield folder


class Draw:
    """Choices from one seed."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def one(self, *values: Any) -> Any:
        """One of the values."""
        return self.random.choice(values)

    def maybe(self, chance: float = 0.5) -> bool:
        """True with the chance."""
        return self.random.random() < chance

    def some(self, rows: Rows, column: str, *values: Any) -> None:
        """A value for each row."""
        for row in rows:
            row[column] = self.one(*values)


def whole_plan(seed: int) -> WholePlan:
    """The plan of a seed."""
    draw = Draw(seed)
    calendar: dict[str, Any] = {"start": "2027-01-01", "periods": draw.one(2, 3, 3, 4), "every": "month"}
    if draw.maybe(0.2):
        calendar |= {"every": "quarter", "periods": draw.one(2, 3)}
    if calendar["periods"] > 2 and draw.maybe(0.35):
        calendar["as_of"] = "2027-02-01" if calendar["every"] == "month" else "2027-04-01"
    plan = WholePlan({"name": "Whole", "calendar": calendar, "tables": {}})
    _profiles(plan)
    _markets(draw, plan)
    _sellers(draw, plan)
    _funnel(draw, plan)
    _marketing(draw, plan)
    _initiatives(draw, plan)
    _resources(draw, plan)
    if "as_of" in calendar:
        _facts(draw, plan)
    for name in plan.tables:
        plan.plan["tables"][name] = f"{name}.csv"
    _rules(draw, plan)
    if draw.maybe(0.4):
        _freeze(draw, plan)
    plan.plan["objective"] = [{"maximize": "contribution"}]
    if draw.maybe(0.25):
        plan.plan["run_out"] = draw.one(0, 1, 2)
    # Choices of their own, so that whatever they are leaves the rest of a seed's plan as it is.
    more = Draw(1_000_003 + seed)
    if more.maybe(0.35):
        _tiers(more, plan)
    if more.maybe(0.25):
        _smooth(more, plan)
    if more.maybe(0.25):
        _near_run(more, plan)
    if more.maybe(0.4):
        _signs_in_no_time(plan)
    return plan


def _months(plan: WholePlan) -> int:
    return 1 if plan.plan["calendar"]["every"] == "month" else 3


def periods(plan: WholePlan) -> list[str]:
    """Labels of the periods."""
    count = plan.plan["calendar"]["periods"]
    if _months(plan) == 1:
        return [f"2027-{at + 1:02d}" for at in range(count)]
    return [f"2027-Q{at + 1}" for at in range(count)]


def _profiles(plan: WholePlan) -> None:
    rows = [("season", at + 1, share) for at, share in enumerate(SEASON)]
    rows += [("flat", at + 1, 1 / 12) for at in range(12)]
    rows += [("own_lag", 0, 0.25), ("own_lag", 1, 0.75), ("fades", 0, 1), ("fades", 1, 0.6)]
    rows += [("slow", 0, 0.5), ("slow", 1, 1), ("joined", 0, 0.5), ("joined", 3, 0.5)]
    plan.tables["profiles"] = [
        dict(zip(("profile", "period_or_age", "value"), row, strict=True)) for row in rows
    ]


def _markets(draw: Draw, plan: WholePlan) -> None:
    kinds = ("new", "existing", draw.one("new", "existing"))
    rows: Rows = [
        {"sku": f"m{at}", "region": "NS"[at % 2], "customer_type": kind} for at, kind in enumerate(kinds)
    ]
    draw.some(rows, "price", 8, 10, 20)
    draw.some(rows, "unit_cost", 3, 5)
    draw.some(rows, "potential", 30, 60, 150)
    draw.some(rows, "last_year_units", 20, 40, 90)
    draw.some(rows, "season", "", "flat")
    draw.some(rows, "units_per_deal", 1, 1, 2)
    draw.some(rows, "organic", "", 30, 60)
    rows[0]["organic"] = 40
    draw.some(rows, "waiting_kept", "", "", 0.5)
    draw.some(rows, "shared_demand", "")
    if draw.maybe(0.4):
        rows[2]["organic"] = ""
        level = dict(rows[2]) | {"sku": "m3", "price": draw.one(12, 25), "potential": draw.one(20, 40)}
        rows.append(level)
        rows[2]["shared_demand"] = level["shared_demand"] = "D"
    if draw.maybe(0.5):
        plan.tables["market_size"] = [
            {
                "region": draw.one("N", "S"),
                draw.one("size_revenue", "size_units"): draw.one(200, 1000),
                "max_share": 0.4,
            }
        ]
    plan.tables["markets"] = rows


def _sellers(draw: Draw, plan: WholePlan) -> None:
    first: dict[str, object] = {
        "seller": "s0",
        "team": "A",
        "role": "other",
        "status": "",
        "from": "",
        "to": "",
        "cost": 10,
    }
    first |= {
        "capacity": draw.one(25, 60, 120),
        "capacity_unit": "hours",
        "capacity_per": "period",
        "ramp": "none",
    }
    first |= {"hiring_cost": "", "tenure": "", "commission_rate": draw.one("", 0.1)}
    second = first | {"seller": "s1"}
    if draw.maybe(0.5):
        second |= {
            "team": "B",
            "capacity": draw.one(30, 90),
            "capacity_unit": draw.one("hours", "units", "revenue"),
        }
    rows: Rows = [first, second]
    if draw.maybe(0.4):
        rows.append(
            first
            | {"seller": "agent", "team": "B", "capacity": "", "capacity_unit": "", "commission_rate": 0.2}
        )
    if draw.maybe(0.3):
        second |= {"from": draw.one("2026-12-10", "2027-02-01"), "ramp": "slow"}
    if draw.maybe(0.6):
        seat = first | {
            "seller": "seat",
            "status": "open",
            "capacity": draw.one(30, 60, 90),
            "commission_rate": "",
        }
        seat |= {"cost": draw.one(40, 90), "hiring_cost": draw.one("", 200), "tenure": draw.one("", 24)}
        rows.append(seat | {"ramp": draw.one("none", "slow"), "from": draw.one("", "2027-02-01")})
    if draw.maybe(0.6):
        _roles(draw, plan, rows)
    plan.tables["sellers"] = rows
    territories: Rows = [{"seller": "*", "sku": "*"}]
    territories += [{"seller": "s0", "sku": "m0"}] if draw.maybe() else []
    territories += [{"seller": "s1", "sku": "*"}] if draw.maybe(0.3) else []
    draw.some(territories, "hours_per_unit", 0.5, 1, 2)
    draw.some(territories, "win_factor", "", "", 0.8, 1.25)
    draw.some(territories, "share_max", "")
    if len(territories) > 1 and draw.maybe(0.4):
        territories[1]["share_max"] = draw.one(0.5, 0.8)
    plan.tables["territories"] = territories


def _signs_in_no_time(plan: WholePlan) -> None:
    """Sales of the first market take nothing of the capacity of an open seat and of a whole role."""
    known = {str(row["seller"]) for row in plan.tables["sellers"]}
    for name in sorted(known & {"seat", "rep"}):
        plan.tables["territories"].append(
            {"seller": name, "sku": "m0", "hours_per_unit": 0, "win_factor": "", "share_max": ""}
        )


def _roles(draw: Draw, plan: WholePlan, rows: Rows) -> None:
    leader = draw.maybe(0.6)
    rows[0]["role"] = rows[1]["role"] = "manager" if leader else "other"
    if leader and draw.maybe(0.3) and len(rows) > 2:
        rows[-1]["role"] = "rep"
    rows.append(
        rows[0]
        | {"seller": "rep", "team": "B", "role": "other", "capacity": 20, "cost": "", "commission_rate": ""}
    )
    names = ["rep", "manager", "helper"][: 3 if leader else 1]
    roles: Rows = []
    for name in names:
        role: dict[str, object] = {
            "role": name,
            "headcount": draw.one(0, 1, 2),
            "attrition": draw.one("", 0.5, 0.9),
        }
        role |= {
            "tenure_profile": draw.one("", "joined"),
            "ramp": draw.one("none", "slow"),
            "lead_time": draw.one("", 1),
        }
        role |= {
            "hire_max": draw.one(1, 2, 3),
            "leave_max": draw.one("", 1),
            "headcount_max": draw.one("", 4),
        }
        role |= {
            "training_capacity": draw.one("", 1),
            "cost": draw.one(20, 60),
            "hiring_cost": draw.one("", 60),
        }
        role |= {
            "leave_cost": draw.one("", 10),
            "managed_by": "",
            "span": "",
            "supported_by": "",
            "support_ratio": "",
        }
        roles.append(role | {"refill": draw.one("", 1)})
    if leader:
        roles[0] |= {
            "managed_by": "manager",
            "span": draw.one(1, 2),
            "supported_by": "helper",
            "support_ratio": draw.one(1, 3),
        }
        roles[2]["headcount"] = draw.one(1, 2)
        roles[1]["headcount"] = 1
    plan.tables["roles"] = roles


def _funnel(draw: Draw, plan: WholePlan) -> None:
    days = (0, 10, 45) if _months(plan) == 1 else (0, 40, 100)
    if draw.maybe(0.8):
        plan.tables["stages"] = [
            {
                "sku": sku,
                "stage": stage,
                "conversion": draw.one(0.5, 0.8),
                "days": draw.one(*days),
                "hours": draw.one(0, 0, 0.5, 1),
            }
            for sku in draw.one(("*",), ("*", "m0"))
            for stage in ("lead", "quote")
        ]
    if draw.maybe(0.5):
        stage = ["", "quote"] if "stages" in plan.tables else [""]
        plan.tables["pipeline"] = [
            {
                "sku": draw.one("m0", "m1"),
                "amount": draw.one(100, 300),
                "stage": draw.one(*stage),
                "close": "",
                "probability": draw.one("", 0.5),
            }
        ]
    if draw.maybe(0.8):
        plan.tables["customers"] = [
            {"sku": "*", "customers": draw.one(20, 50), "retention": draw.one(0.5, 0.8), "orders": draw.one(3, 6),
             "revenue_per_order": draw.one("", 20)}
        ]  # fmt: skip


def _marketing(draw: Draw, plan: WholePlan) -> None:
    count = plan.plan["calendar"]["periods"]
    rows: Rows = [{"channel": f"c{at}", "medium": "ab"[at]} for at in range(2)]
    for row in rows:
        unit_cost = draw.one("", "", 2)
        row |= {"unit_cost": unit_cost, "max_spend": draw.one(40, 80), "min_spend": draw.one("", "", 10)}
        row |= {
            "whole_units": "yes" if unit_cost and draw.maybe() else "",
            "min_if_used": draw.one("", "", 6),
        }
        row |= {"fixed_cost": draw.one("", "", 4), "fixed_per": draw.one("", "horizon")}
        row |= {"pacing": draw.one("", "", "even"), "from": "", "to": draw.one("", "", "2027-02-20")}
        carry = draw.one("", "", "rate", "profile")
        row |= {
            "carryover_rate": 0.5 if carry == "rate" else "",
            "carryover_profile": "fades" if carry == "profile" else "",
        }
        row |= {
            "normalised": "yes" if carry and draw.maybe() else "",
            "opening_stock": 6 if carry == "rate" and draw.maybe() else "",
        }
        row |= {"lag": draw.one("", "", "own_lag"), "curve_of": draw.one("", "spend") if unit_cost else ""}
        if row["pacing"]:
            row |= {"min_if_used": "", "min_spend": ""}
    plan.tables["marketing"] = rows
    skus = [str(row["sku"]) for row in plan.tables["markets"][:3]]
    plan.tables["yields"] = [
        {
            "channel": channel,
            "sku": draw.one(*skus, "*"),
            "opportunities": draw.one(0.4, 0.8, 1.2),
            "conversion": draw.one("", "", 0.4),
        }
        for channel in draw.one(("c0", "c1"), ("*",), ("c0", "c0", "c1"))
    ]
    taken = {(row["channel"], row["sku"]) for row in plan.tables["yields"]}
    if draw.maybe(0.3) and not taken & {("c1", "m1"), ("*", "m1")}:
        plan.tables["yields"].append({"channel": "c1", "sku": "m1", "opportunities": -0.1, "conversion": ""})
    unique = {(row["channel"], row["sku"]): row for row in plan.tables["yields"]}
    plan.tables["yields"] = list(unique.values())
    curves: Rows = []
    for row in rows:
        top = 80.0 / count
        shape = draw.one("", "line", "concave", "s", "s")
        points = {
            "concave": ((0.3 * top, 0.6 * top), (top, top)),
            "s": ((0.3 * top, 0.1 * top), (0.6 * top, 0.8 * top), (top, top)),
        }.get(shape, ())
        blank = {
            "channel": row["channel"],
            "family": "points",
            "curve_per": "period",
            "slope": "",
            "spend": "",
            "leads": "",
        }
        curves += [blank | {"spend": round(x, 4), "leads": round(y, 4)} for x, y in points]
        curves += [blank | {"family": "linear", "slope": 0.7}] if shape == "line" else []
    if curves:
        plan.tables["curves"] = curves


def _tiers(draw: Draw, plan: WholePlan) -> None:
    """One or two prices beyond amounts that are often reached, of a row of marketing or of both."""
    channels = draw.one(("c0",), ("c1",), ("c0", "c1"))
    plan.tables["tiers"] = [
        {"channel": channel, "above_spend": above, "price_factor": draw.one(0.5, 0.8, 1.3, 2), "per": per}
        for channel in channels
        for per in draw.one(("period",), ("horizon",))
        for above in draw.one((6,), (12,), (6, 14))
    ]
    plan.plan["tables"]["tiers"] = "tiers.csv"


def _smooth(draw: Draw, plan: WholePlan) -> None:
    """A smooth curve for one of the rows of marketing, S-shaped or not, in place of what it has."""
    channel, top = draw.one("c0", "c1"), 80.0 / plan.plan["calendar"]["periods"]
    names = ("channel", "family", "curve_per", "slope", "spend", "leads")
    blank: dict[str, object] = dict.fromkeys(
        (*names, "top", "half", "rate", "middle", "scale", "exponent"), ""
    )
    own: dict[str, object] = draw.one(
        {"family": "hill", "top": top, "half": 0.4 * top, "slope": draw.one(1, 2)},
        {"family": "s_logistic", "top": top, "rate": 8 / top, "middle": 0.4 * top},
        {"family": "logistic", "top": top, "rate": 3 / top},
        {"family": "power", "scale": 1.5, "exponent": 0.7},
        {"family": "michaelis_menten", "top": top, "half": 0.5 * top},
    )
    others = [row for row in plan.tables.get("curves", []) if row["channel"] != channel]
    plan.tables["curves"] = [
        blank | row for row in [*others, own | {"channel": channel, "curve_per": "period"}]
    ]
    plan.plan["tables"]["curves"], plan.smooth = "curves.csv", True


def _initiatives(draw: Draw, plan: WholePlan) -> None:
    level = any(row["sku"] == "m3" for row in plan.tables["markets"])
    names = ["a", "b"]
    rows: Rows = []
    for name in names:
        row: dict[str, object] = {
            "initiative": name,
            "group": "g",
            "cost": draw.one(0, 10, 60),
            "running_cost": draw.one("", 5),
        }
        row |= {
            "benefit": draw.one("", 20),
            "duration": draw.one("", 1, 2),
            "earliest": draw.one("", "2027-02-01"),
        }
        row |= {
            "latest": "",
            "requires": "",
            "requires_after": "",
            "excludes": "",
            "gap": draw.one("", "", 0, 1),
            "owner": "",
        }
        rows.append(row)
    tie = draw.one("", "requires", "excludes")
    if tie:
        rows[1] |= {tie: "a", "requires_after": draw.one("", 1) if tie == "requires" else ""}
    if draw.maybe(0.5):
        rows[0]["owner"] = draw.one("s0", "Ann")
    plan.tables["initiatives"] = rows
    possible = list(CHANGES)
    if "customers" not in plan.tables:
        possible = [name for name in possible if name not in ("retention", "repeat")]
    effects: Rows = []
    for changes in draw.random.sample(possible, draw.one(3, 4, 5, 6)):
        effects.append(_effect(draw, plan, changes, names))
    if level:
        effects.append(_blank("b", "unlock") | {"sku": "m3"})
    plan.tables["effects"] = effects


def _blank(initiative: str, changes: str) -> dict[str, object]:
    found: dict[str, object] = {
        "initiative": initiative,
        "changes": changes,
        "kind": "",
        "likely": "",
        "after": "",
        "lasts": "",
    }
    return found | {"sku": "*", "seller": "*", "channel": "*"}


def _effect(draw: Draw, plan: WholePlan, changes: str, names: list[str]) -> dict[str, object]:
    row = _blank(draw.one(*names), changes) | {"after": draw.one("", 0, 1), "lasts": draw.one("", "", 1)}
    shared = any(one["sku"] == "m3" for one in plan.tables["markets"])
    skus = ["m0", "m1", "*"] if shared and changes == "demand" else ["m0", "m1", "m2", "*"]
    if changes == "unlock":
        return row | {"sku": draw.one("m0", "m1"), "seller": draw.one("*", "s0")}
    factors, amounts = AMOUNTS[changes]
    row["kind"] = draw.one(*(["multiply"] if factors else []), *(["add", ""] if amounts else []))
    row["likely"] = draw.one(*(factors if row["kind"] == "multiply" else amounts))
    if changes == "conversion" and "stages" not in plan.tables:
        row |= {"kind": "multiply", "likely": 0.8}
    if changes == "capacity":
        row["seller"] = draw.one("*", "s0")
    elif changes == "leads":
        row["channel"] = draw.one("*", "c0")
    elif changes == "organic":
        row["sku"] = "m0"
    elif changes in ("retention", "repeat"):
        row["sku"] = draw.one("*", "m1")
    elif changes not in ("value",):
        row["sku"] = draw.one(*skus)
    if changes in ("price", "unit_cost", "hours"):
        row["seller"] = draw.one("*", "*", "s0")
    if changes == "conversion":
        row["channel"] = draw.one("*", "*", "c0")
    return row


def _resources(draw: Draw, plan: WholePlan) -> None:
    rows: Rows = [
        {
            "resource": "kits",
            "capacity": draw.one(20, 60, 150),
            "per": draw.one("period", "horizon"),
            "extra_price": draw.one("", 1, 3),
        }
    ]
    uses: Rows = [
        {"activity": "sell", "sku": draw.one("*", "m0"), "resource": "kits", "amount": draw.one(0.5, 1)}
    ]
    for activity in ("seller", "marketing:c0", "initiative:a", "active:b"):
        if draw.maybe(0.4):
            uses.append({"activity": activity, "sku": "*", "resource": "kits", "amount": draw.one(0.5, 2)})
    if "roles" in plan.tables and draw.maybe():
        uses.append(
            {"activity": draw.one("role:rep", "hire:rep"), "sku": "*", "resource": "kits", "amount": 2}
        )
    if plan.tables["initiatives"][0]["owner"]:
        uses.append(
            {
                "activity": draw.one("initiative:a", "active:a"),
                "sku": "*",
                "resource": "owner",
                "amount": draw.one(5, 10),
            }
        )
        if plan.tables["initiatives"][0]["owner"] == "Ann":
            rows.append(
                {
                    "resource": "Ann",
                    "capacity": draw.one(3, 20),
                    "per": "period",
                    "extra_price": draw.one("", 2),
                }
            )
    plan.tables["resources"], plan.tables["uses"] = rows, uses


def _facts(draw: Draw, plan: WholePlan) -> None:
    closed, blank = (
        periods(plan)[0],
        {
            "sku": "*",
            "channel": "*",
            "initiative": "*",
            "units": "",
            "revenue": "",
            "spend": "",
            "starts": "",
        },
    )
    rows: Rows = []
    if draw.maybe(0.6):
        rows += [
            {"period": closed} | blank | {"sku": row["sku"], draw.one("units", "revenue"): draw.one(5, 20)}
            for row in plan.tables["markets"]
        ]
    else:
        rows.append({"period": closed} | blank | {"revenue": draw.one(50, 200)})
    rows += [
        {"period": closed} | blank | {"channel": channel, "spend": draw.one(0, 4, 8)}
        for channel in ("c0", "c1")
    ]
    if draw.maybe():
        rows.append({"period": closed} | blank | {"initiative": "a", "starts": 1})
        plan.tables["initiatives"][0]["earliest"] = ""
    if "roles" in plan.tables:
        rows = _facts_of_staff(plan, rows, closed)
    plan.tables["actuals"] = rows


def _facts_of_staff(plan: WholePlan, rows: Rows, closed: str) -> Rows:
    """Hires and leavers of the first role in the closed period; nothing is drawn, so that what follows stays."""
    first = plan.tables["roles"][0]
    staff = {"role": first["role"], "hires": int(first["hire_max"] != 2), "leavers": ""}
    if first["headcount"]:
        staff["leavers"] = 0.5
    names = dict.fromkeys(name for row in rows for name in row)
    told = [dict.fromkeys(names, "") | row | {"role": "*", "hires": "", "leavers": ""} for row in rows]
    nothing = {
        name: "*" if rows[0][name] == "*" or name in ("sku", "channel", "initiative") else ""
        for name in names
    }
    return [*told, nothing | {"period": closed} | staff]


def _rules(draw: Draw, plan: WholePlan) -> None:
    count = plan.plan["calendar"]["periods"]
    targets: list[dict[str, Any]] = [
        {"metric": "revenue", "at_least": draw.one(300, 1200)},
        {"metric": "revenue", "each": "period", "at_least": draw.one(100, 300), "priority": 2},
        {"metric": "revenue", "growth": draw.one(0.1, 0.3)},
        {"metric": "units", "where": {"region": "N"}, "at_least": draw.one(20, 60), "priority": 2},
        {"metric": "new_customers", "at_least": draw.one(5, 30), "penalty": draw.one(1, 10)},
        {"metric": "won", "at_least": draw.one(5, 30), "priority": 2},
        {"metric": "leads", "at_least": draw.one(20, 60), "priority": 2, "weight": 0.5},
        {"metric": "opportunities", "at_least": draw.one(20, 90), "priority": 2},
        {"metric": "satisfaction", "at_least": 1, "priority": 2},
        {"metric": "cac", "at_most": draw.one(3, 10), "must": True},
        {"metric": "roas", "at_least": draw.one(0.5, 2), "must": True},
        {"metric": "average_price", "at_least": draw.one(9, 12), "must": True},
        {"metric": "margin_rate", "at_least": draw.one(0.4, 0.55), "priority": 2},
        {"metric": "headcount", "at_least": draw.one(2, 4), "priority": 2},
        {"metric": "starts", "at_least": 1, "priority": 1},
    ]
    if "customers" in plan.tables:
        targets.append({"metric": "customers", "at_least": draw.one(20, 60), "priority": 2})
        targets.append({"metric": "retention", "at_least": draw.one(0.5, 0.8), "priority": 2})
    chosen = draw.random.sample(targets, draw.one(1, 2, 3))
    plan.plan["targets"] = [rule | {"name": f"target {at}"} for at, rule in enumerate(chosen)]
    budgets: list[dict[str, Any]] = [
        {"metric": "marketing_cost", "at_most": draw.one(60, 120)},
        {"metric": "marketing_cost", "each": "period", "at_most": 160 / count},
        {"metric": "initiative_cost", "at_most": draw.one(20, 80)},
        {"metric": "hiring_cost", "at_most": draw.one(100, 400)},
        {"metric": "hires", "at_most": 2},
        {"metric": "extra_cost", "at_most": 30},
    ]
    chosen = draw.random.sample(budgets, draw.one(0, 1, 2))
    plan.plan["budgets"] = [rule | {"name": f"budget {at}"} for at, rule in enumerate(chosen)]
    if draw.maybe(0.3):
        plan.plan["balance"] = [
            {
                "name": "even",
                "metric": "revenue",
                "across": "region",
                "basis": draw.one("potential", "last_year"),
                "within": 0.6,
            }
        ]
    if draw.maybe(0.4):
        near: dict[str, Any] = {
            "name": "near",
            "metric": draw.one("revenue", "units"),
            "by": draw.one(["region"], ["sku", "period"]),
        }
        how = draw.one("within", "priority", "changes_at_most")
        plan.plan["stay_near"] = [near | {how: {"within": 0.6, "priority": 2, "changes_at_most": 2}[how]}]


def _freeze(draw: Draw, plan: WholePlan) -> None:
    last, count = periods(plan)[-1], plan.plan["calendar"]["periods"]
    kinds = ["sales", "marketing", "initiatives"]
    what = draw.one(*kinds)
    channel = plan.tables["marketing"][0]
    sold = {"seller": "s0", "sku": "m1", "period": last, "units": 1.0}
    market = next(row for row in plan.tables["markets"] if row["sku"] == "m1")
    sold |= {name: market[name] for name in RUN_LABELS[1:]}
    amount = float(
        int(0.4 * float(str(channel["max_spend"])) / count / float(str(channel["unit_cost"] or 1)))
    )
    started = f"a / {plan.tables['initiatives'][0]['owner']} / g"
    decided = [
        {"activity": "spend", "row": "c0 / a", "period": last, "amount": amount},
        {"activity": "used", "row": "c0 / a", "period": last, "amount": 1.0},
        {"activity": "start", "row": started, "period": last, "amount": draw.one(0.0, 1.0, 1.0)},
    ]
    if channel["fixed_cost"] and channel["fixed_per"] == "horizon":
        decided.append({"activity": "opened", "row": "c0 / a", "period": last, "amount": 1.0})
    plan.run = {"sales": [sold], "decisions": decided}
    entry: dict[str, Any] = {"name": "as before", "run": "before", "what": [what]}
    where = {
        "sales": {"sku": "m1", "period": last},
        "marketing": {"channel": "c0", "period": last},
        "initiatives": {"initiative": "a", "period": last},
    }
    plan.plan["freeze"] = [entry | {"where": where[what]}]


def _near_run(draw: Draw, plan: WholePlan) -> None:
    """A plan near to what a run sold: few changes, or the least distance."""
    if not hasattr(plan, "run"):
        rows: Rows = []
        for market in plan.tables["markets"][:3]:
            for period in periods(plan)[-2:]:
                sold = {"seller": "s0", "period": period, "units": float(draw.one(5, 20))}
                rows.append(sold | {str(name): market[name] for name in (*RUN_LABELS, "price")})
        plan.run = {"sales": rows}
    price = {row["sku"]: float(str(row["price"])) for row in plan.tables["markets"]}
    for row in plan.run["sales"]:
        row["revenue"] = float(str(row["units"])) * price[row["sku"]]
    near = {"name": "near run", "metric": draw.one("revenue", "units"), "to": {"run": "before"}}
    near |= {"by": draw.one(["region"], ["sku"], ["sku", "period"])}
    near |= draw.one({"priority": 2}, {"changes_at_most": 1}, {"changes_at_most": 2})
    plan.plan["stay_near"] = [*plan.plan.get("stay_near", []), near]


def as_text(plan: WholePlan) -> str:
    """The files of a plan, to read when two sides differ."""
    out = io.StringIO()
    for name, text in plan.files().items():
        out.write(f"--- {name}\n{text}")
    for name, rows in getattr(plan, "run", {}).items():
        out.write(f"--- before/{name}\n")
        writer = csv.DictWriter(out, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return out.getvalue()
