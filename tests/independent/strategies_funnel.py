"""Small random plans with a funnel: marketing by lines, stages, organic, open deals, customers who order again."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from strategies import RandomPlan

Draw = Any
SEASON = (0.06, 0.04, 0.09, 0.08, 0.08, 0.1, 0.07, 0.07, 0.09, 0.08, 0.1, 0.14)


def _some(draw: Draw, *values: object) -> Any:
    return draw(st.sampled_from(values))


def _maybe(draw: Draw, times_of_four: int = 2) -> bool:
    return draw(st.integers(0, 3)) >= 4 - times_of_four


@st.composite
def funnel_plans(draw: Draw) -> RandomPlan:
    """A plan with margins in which at least one market is led by opportunities."""
    every = _some(draw, "month", "quarter")
    calendar = {"start": "2027-01-01", "periods": draw(st.integers(1, 4)), "every": every}
    plan = RandomPlan({"name": "Funnel", "calendar": calendar, "tables": {}})
    rows = [("season", at + 1, share) for at, share in enumerate(SEASON)]
    rows += [("lag_own", 0, 0.25), ("lag_own", 2, 0.75)]
    plan.tables["profiles"] = [
        dict(zip(("profile", "period_or_age", "value"), row, strict=True)) for row in rows
    ]
    _markets(draw, plan)
    if _maybe(draw, 3):
        _sellers(draw, plan)
    if _maybe(draw, 3):
        _marketing(draw, plan)
    if _maybe(draw, 3):
        _stages(draw, plan)
    if _maybe(draw):
        _pipeline(draw, plan)
    if _maybe(draw):
        plan.tables["customers"] = _customers(draw)
    for name in plan.tables:
        plan.plan["tables"][name] = f"{name}.csv"
    _rules(draw, plan)
    if _maybe(draw, 1):
        plan.plan["run_out"] = draw(st.integers(0, 3))
    return plan


def _markets(draw: Draw, plan: RandomPlan) -> None:
    rows = [
        {
            "sku": f"m{at}",
            "customer_type": kind,
            "price": _some(draw, 5, 10, 40),
            "margin_rate": _some(draw, 0.2, 0.5),
        }
        for at, kind in enumerate(
            ("new", "existing", _some(draw, "new", "existing"))[: draw(st.integers(2, 3))]
        )
    ]
    for row in rows:
        row["potential"] = _some(draw, 20, 60, 200) if _maybe(draw, 3) else 500
        row["units_per_deal"] = _some(draw, 1, 2)
    for row in rows:
        row["organic"] = _some(draw, "", 10, 40)
    rows[0]["organic"] = 25
    if _maybe(draw, 1):
        for row in rows:
            row["waiting_kept"] = _some(draw, 0, 0.5)
    plan.tables["markets"] = rows


def _sellers(draw: Draw, plan: RandomPlan) -> None:
    unit = _some(draw, "hours", "hours", "units")
    rows = [
        {"seller": f"s{at}", "capacity": _some(draw, 10, 40, 150), "capacity_unit": unit, "capacity_per": "period",
         "from": "", "ramp": "none", "commission_rate": _some(draw, 0, 0.1)}
        for at in range(draw(st.integers(1, 3)))
    ]  # fmt: skip
    if len(rows) > 1 and _maybe(draw):
        rows[1] |= {"capacity": "", "capacity_unit": ""}
    if _maybe(draw, 1):
        rows[0]["from"] = "2027-02-01"
    plan.tables["sellers"] = rows
    plan.tables["territories"] = [
        {
            "seller": row["seller"],
            "sku": sku,
            "hours_per_unit": _some(draw, 0, 1, 2),
            "win_factor": _some(draw, "", 0.5, 1.25),
        }
        for row in rows
        for sku in ("*",)
    ]


def _marketing(draw: Draw, plan: RandomPlan) -> None:
    rows = [
        {"channel": f"c{at}", "max_spend": _some(draw, 20, 60), "carryover_rate": _some(draw, "", "", 0.3, 0.5),
         "lag": _some(draw, "", "", "lag_own")}
        for at in range(draw(st.integers(1, 2)))
    ]  # fmt: skip
    skus = [row["sku"] for row in plan.tables["markets"]]
    plan.tables["marketing"] = rows
    plan.tables["yields"] = [
        {"channel": _some(draw, *(row["channel"] for row in rows), "*"), "sku": _some(draw, *skus, "*"),
         "opportunities": _some(draw, 0.2, 0.5, 1), "conversion": _some(draw, "", 0.3)}
        for _ in range(draw(st.integers(1, 3)))
    ]  # fmt: skip
    if _maybe(draw, 1):
        own = {"channel": rows[0]["channel"], "sku": skus[0], "opportunities": -0.1, "conversion": ""}
        plan.tables["yields"].append(own)


def _stages(draw: Draw, plan: RandomPlan) -> None:
    days = [0, 10, 45, 100] if plan.plan["calendar"]["every"] == "month" else [0, 40, 100]
    rows = [
        {"sku": sku, "stage": stage, "conversion": _some(draw, 0.4, 0.8, ""), "days": _some(draw, *days),
         "hours": _some(draw, 0, 1, 3)}
        for sku in ("*", "m0")[: draw(st.integers(1, 2))]
        for stage in ("lead", "quote")
    ]  # fmt: skip
    plan.tables["stages"] = rows


def _pipeline(draw: Draw, plan: RandomPlan) -> None:
    stage = ["", "quote"] if "stages" in plan.tables else [""]
    plan.tables["pipeline"] = [
        {"sku": _some(draw, "m0", "m1", "*"), "amount": _some(draw, 50, 400), "stage": _some(draw, *stage),
         "close": _some(draw, "", "2027-01-20"), "probability": _some(draw, "", 0.5)}
        for _ in range(draw(st.integers(1, 2)))
    ]  # fmt: skip


def _customers(draw: Draw) -> list[dict[str, object]]:
    return [
        {"sku": "*", "customers": _some(draw, 10, 50), "retention": _some(draw, "", 0.5, 0.9),
         "orders": _some(draw, "", 2, 6), "revenue_per_order": _some(draw, "", 20)}
    ]  # fmt: skip


def _rules(draw: Draw, plan: RandomPlan) -> None:
    possible: list[dict[str, Any]] = [
        {"metric": "revenue", "at_least": _some(draw, 200, 2000)},
        {"metric": "revenue", "each": "period", "at_least": _some(draw, 50, 500), "priority": 2},
        {"metric": "won", "at_least": _some(draw, 3, 30), "priority": 2},
        {"metric": "new_customers", "at_least": _some(draw, 5, 50)},
        {"metric": "conversion", "at_least": _some(draw, 0.1, 0.5), "must": True},
    ]
    if "customers" in plan.tables:
        possible.append({"metric": "customers", "at_least": _some(draw, 20, 60), "priority": 2})
        possible.append({"metric": "retention", "at_least": 0.4, "must": True})
    if "marketing" in plan.tables:
        possible.append({"metric": "cac", "at_most": _some(draw, 3, 10), "must": True})
        possible.append({"metric": "roas", "at_least": _some(draw, 0.5, 2), "must": True})
        possible.append({"metric": "marketing_cost", "at_most": _some(draw, 10, 40), "must": True})
    if "stages" in plan.tables:
        possible.append({"metric": "cycle_time", "at_most": _some(draw, 30, 90), "must": True})
    chosen = draw(st.lists(st.sampled_from(possible), max_size=3, unique_by=repr))
    plan.plan["targets"] = [rule | {"name": f"rule {at}"} for at, rule in enumerate(chosen)]
    if _maybe(draw, 1):
        plan.plan["objective"] = [{"maximize": _some(draw, "contribution", "won", "revenue")}]
