"""Small random plan folders: tables first, then rules whose bounds fit the figures of the tables."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from hypothesis import assume
from hypothesis import strategies as st
from slow_data import INF, SlowData
from slow_metrics import RATIOS, Sales

Draw = Any
SEASONS = (
    [0.05, 0.05, 0.1, 0.1, 0.1, 0.1, 0.05, 0.05, 0.1, 0.1, 0.1, 0.1],
    [0.2, 0.02, 0.08, 0.05, 0.05, 0.1, 0.1, 0.1, 0.05, 0.05, 0.1, 0.1],
)
RAMP = ((0, 0.2), (1, 0.5), (2, 0.75), (4, 1))
WORKING_DAYS = (20, 19, 23, 22, 21, 22, 22, 22, 22, 21, 22, 23)


@dataclass
class RandomPlan:
    """The files of a plan: the plan file as data, tables as lists of rows."""

    plan: dict[str, Any]
    tables: dict[str, list[dict[str, object]]] = field(default_factory=dict)

    def files(self) -> dict[str, str]:
        """File name -> text."""
        files = {"plan.yaml": yaml.safe_dump(self.plan, sort_keys=False)}
        for name, rows in self.tables.items():
            lines = [",".join(rows[0]), *(",".join(str(v) for v in row.values()) for row in rows)]
            files[f"{name}.csv"] = "\n".join(lines) + "\n"
        return files

    def __repr__(self) -> str:
        return "\n" + "\n".join(f"--- {name}\n{text}" for name, text in self.files().items())

    @contextmanager
    def folder(self) -> Iterator[Path]:
        """A folder with the files, as long as it is needed."""
        with tempfile.TemporaryDirectory() as name:
            for file, text in self.files().items():
                (Path(name) / file).write_text(text, encoding="utf-8")
            yield Path(name)


def _some(draw: Draw, *values: object) -> Any:
    return draw(st.sampled_from(values))


def _maybe(draw: Draw, times_of_four: int = 2) -> bool:
    """True in so many of four cases; False is the simpler one."""
    return draw(st.integers(0, 3)) >= 4 - times_of_four


def _column(draw: Draw, rows: list[dict[str, object]], name: str, values: list[object]) -> None:
    for row in rows:
        row[name] = _some(draw, *values)


@st.composite
def plans(
    draw: Draw,
    max_rules: int = 2,
    extras: bool = False,
    whole: bool = False,
    tiny: bool = False,
    objectives: bool = True,
) -> RandomPlan:
    """A plan; `extras` adds balances, distances and asked objectives, `tiny` keeps it small enough to enumerate."""
    calendar = _calendar(draw, tiny)
    plan = RandomPlan({"name": "Random", "calendar": calendar, "tables": {}})
    plan.tables["profiles"] = _profiles(draw)
    _markets(draw, plan, tiny)
    if _maybe(draw, 1 if tiny else 3):
        _sellers(draw, plan, tiny)
    if _maybe(draw, 1):
        _market_size(draw, plan)
    if _maybe(draw, 0 if tiny else 1):
        _resources(draw, plan)
    for name in plan.tables:
        plan.plan["tables"].setdefault(name, f"{name}.csv")
    if whole:
        plan.plan["whole_units"] = True
    if _maybe(draw, 1):
        plan.plan["growth_cap"] = _some(draw, 0, 0.25, 1)
    with plan.folder() as folder:
        facts = Facts(folder)
    assume(facts.data.pairs)
    count = draw(st.integers(0, max_rules))
    for _ in range(count):
        kind = _some(draw, "targets", "targets", "budgets", "limits")
        plan.plan.setdefault(kind, []).append(_rule(draw, facts))
    _names(plan.plan)
    if extras:
        _balances(draw, plan, facts)
        _distances(draw, plan, facts)
    if objectives and extras and _maybe(draw, 2):
        plan.plan["objective"] = _objective(draw, plan, facts)
    return plan


def _names(plan: dict[str, Any]) -> None:
    rules = [rule for kind in ("targets", "budgets", "limits") for rule in plan.get(kind, [])]
    for index, rule in enumerate(rules):
        rule["name"] = f"rule {index}"


def _calendar(draw: Draw, tiny: bool) -> dict[str, Any]:
    every = _some(draw, "month", "quarter", "week")
    start = {
        "month": ("2027-01-01", "2027-03-01", "2027-05-15"),
        "quarter": ("2027-01-01", "2027-04-01"),
        "week": ("2027-01-04", "2027-03-24"),
    }[every]
    calendar = {
        "start": _some(draw, *start),
        "periods": draw(st.integers(1, 2 if tiny else 3)),
        "every": every,
    }
    if _maybe(draw, 1):
        calendar["fiscal_year_start"] = 4
    return calendar


def _profiles(draw: Draw) -> list[dict[str, object]]:
    shares = {"early": SEASONS[1], "late": SEASONS[1][::-1]}
    if _maybe(draw, 1):
        shares["season"] = SEASONS[0]
    if _maybe(draw, 1):
        shares["working_days"] = list(WORKING_DAYS)
    rows = [(name, month + 1, v) for name, values in shares.items() for month, v in enumerate(values)]
    rows += [("slow", age, value) for age, value in RAMP]
    return [{"profile": name, "period_or_age": label, "value": value} for name, label, value in rows]


# Markets


def _markets(draw: Draw, plan: RandomPlan, tiny: bool) -> None:
    count = draw(st.integers(1, 2 if tiny else 4))
    rows: list[dict[str, object]] = [{"sku": f"m{at}"} for at in range(count)]
    _column(draw, rows, "region", ["N", "S"])
    if _maybe(draw, 1):
        _column(draw, rows, "customer_type", ["", "new", "existing"])
    prices = [1, 2, 3, 5, 7.5] if tiny else [1, 2, 5, 7.5, 20]
    if _maybe(draw, 3):
        _column(draw, rows, "price", [*prices, ""] if _maybe(draw, 1) else prices)
    margin = _some(draw, "margin_rate", "unit_cost", "")
    if margin:
        _column(draw, rows, margin, [0.1, 0.4, 0.5, 0.9, ""] if margin == "margin_rate" else [0.5, 1, 2, ""])
        rows[0][margin] = rows[0][margin] or 0.3
    if _maybe(draw, 1):
        _column(draw, rows, "units_per_deal", ["", 0.5, 2, 4])
    if _maybe(draw, 1):
        _column(draw, rows, "season", ["", "early", "late"])
    if _maybe(draw, 1):
        _column(draw, rows, _some(draw, "potential_profile", "last_year_profile"), ["", "early"])
    if not tiny and _maybe(draw, 1):
        _column(draw, rows, "whole_units", ["no", "yes"])
    if _maybe(draw, 2):
        _column(draw, rows, "plan_b", [1, 3, 10, 0] if _maybe(draw, 1) else [1, 3, 10])
    _limits(draw, rows, tiny)
    _last_year(draw, rows, tiny)
    plan.tables["markets"] = rows
    if not tiny and plan.plan["calendar"]["every"] != "week" and _maybe(draw, 1):
        _months_across(draw, plan)


def _limits(draw: Draw, rows: list[dict[str, object]], tiny: bool) -> None:
    sizes = [2, 3, 4] if tiny else [10, 25, 60, 100]
    kind = _some(draw, "potential", "potential", "potential_revenue", "size", "")
    if tiny:
        kind = "potential"
    if kind == "size":
        _column(draw, rows, _some(draw, "size_units", "size_revenue"), [50, 200, 400])
        _column(draw, rows, "max_share", [0.1, 0.5, ""] if _maybe(draw, 1) else [0.1, 0.5])
    elif kind:
        _column(draw, rows, kind, [*sizes, ""] if _maybe(draw, 1) and not tiny else sizes)


def _last_year(draw: Draw, rows: list[dict[str, object]], tiny: bool) -> None:
    amounts = [10, 30, 80, 0] if _maybe(draw, 1) else [10, 30, 80]
    if _maybe(draw, 1):
        amounts = [*amounts, ""]
    for column in _some(
        draw, (), ("last_year_units",), ("last_year_revenue",), ("last_year_units", "last_year_revenue")
    ):
        _column(draw, rows, column, amounts)


def _months_across(draw: Draw, plan: RandomPlan) -> None:
    rows = plan.tables["markets"]
    measure = _some(draw, "last_year_revenue", "last_year_units", "potential", "price")
    with plan.folder() as folder:
        (folder / "plan.yaml").write_text(
            yaml.safe_dump({**plan.plan, "tables": {"markets": "markets.csv", "profiles": "profiles.csv"}})
        )
        data = SlowData(folder)
    data.across["markets"] = measure
    values = {"price": [1, 2, 4]}.get(measure, [5, 10, 20])
    for row in rows:
        row.pop(measure, None)
        for label in data._months("markets"):
            row[label] = _some(draw, *values)
    plan.plan["tables"]["markets"] = {"file": "markets.csv", "months_across": measure}


def _market_size(draw: Draw, plan: RandomPlan) -> None:
    if any("size" in column for column in plan.tables["markets"][0]):
        return
    regions = sorted({str(row["region"]) for row in plan.tables["markets"]})
    rows: list[dict[str, object]] = [
        {"region": region} for region in _some(draw, regions, regions[:1], ["*"])
    ]
    _column(draw, rows, _some(draw, "size_revenue", "size_revenue", "size_units"), [100, 300])
    _column(draw, rows, "max_share", [0.1, 0.3, ""])
    plan.tables["market_size"] = rows


# Sellers


def _sellers(draw: Draw, plan: RandomPlan, tiny: bool) -> None:
    kinds: list[dict[str, object]] = []
    scale = _some(draw, 1, 0.2)
    with_region, with_dates = _maybe(draw, 1), _maybe(draw, 1)
    has_last_year = any(_sold_last_year(row) for row in plan.tables["markets"])
    rows_of = _some(draw, "none", "all", "team", "seller", "region", "sku")
    with_hours = rows_of != "none" and (_maybe(draw, 2) or not has_last_year)
    units = (
        ["hours", "units", "deals", "revenue", ""]
        if with_hours or has_last_year
        else ["units", "revenue", ""]
    )
    one_unit = _some(draw, *units) if _maybe(draw, 2) else None
    for _ in range(draw(st.integers(1, 2 if tiny else 3))):
        row: dict[str, object] = {"seller": "", "team": _some(draw, "A", "B")}
        if with_region:
            row["region"] = _some(draw, "N", "S", "*")
        row["sales_channel"] = _some(draw, "", "direct", "agent")
        _capacity(draw, row, one_unit if one_unit is not None else _some(draw, *units), scale)
        row["headroom"] = _some(draw, 1, 2, 5)
        row["commission_rate"] = _some(draw, "", 0, 0.05, 0.2)
        row["cost"] = _some(draw, "", 3)
        if with_dates:
            row["from"] = _some(draw, "", "2026-06-10", "2027-01-01", "2027-02-01", "2027-04-01")
            row["to"] = _some(draw, "", "2027-04-10", "2027-12-31")
            row["ramp"] = _some(draw, "", "none", "slow")
        kinds.append(row)
    count = draw(st.integers(len(kinds), 2 if tiny else 4))
    chosen = [*kinds, *(_some(draw, *kinds) for _ in range(count - len(kinds)))]
    plan.tables["sellers"] = [{**row, "seller": f"s{at}"} for at, row in enumerate(chosen)]
    if rows_of != "none":
        _territories(draw, plan, rows_of, with_hours)


def _sold_last_year(row: dict[str, object]) -> bool:
    revenue = row.get("last_year_revenue", "")
    return bool(row.get("last_year_units") if revenue == "" else revenue)


def _capacity(draw: Draw, row: dict[str, object], unit: str, scale: float) -> None:
    row.update(
        {"capacity": "", "capacity_unit": "", "capacity_per": "", "capacity_profile": "", "productivity": ""}
    )
    if not unit:
        return
    if unit == "revenue" and _maybe(draw, 2):
        row["productivity"] = _some(draw, 100, 400, 1000) * scale
        return
    row["capacity"] = _some(draw, 10, 20, 60) * scale
    row["capacity_unit"] = unit if unit != "hours" or _maybe(draw) else ""
    row["capacity_per"] = _some(draw, "", "period", "year", "horizon")
    row["capacity_profile"] = _some(draw, "", "", "early")


def _territories(draw: Draw, plan: RandomPlan, rows_of: str, with_hours: bool) -> None:
    tables = plan.tables
    if rows_of == "all":
        rows: list[dict[str, object]] = [{"team": "*", "sku": "*"}]
    else:
        other = "sku" if rows_of in ("team", "seller") else "team"
        source = tables["markets"] if rows_of == "sku" else tables["sellers"]
        if rows_of == "region" and "region" not in source[0]:
            source = tables["markets"]
        labels = sorted({str(row[rows_of]) for row in source} - {"*"}) or ["N"]
        if rows_of == "region":
            labels = sorted({str(row["region"]) for row in tables["markets"]})
        rows = [{rows_of: label, other: "*"} for label in labels]
        if _maybe(draw, 1):
            rows.append({rows_of: "*", other: "*"})
        if _maybe(draw, 2):
            narrow = sorted({str(row[other]) for row in tables["markets" if other == "sku" else "sellers"]})
            rows.append({rows_of: labels[0], other: narrow[-1]})
    if with_hours:
        _column(draw, rows, "hours_per_unit", [0.5, 1, 4])
    if _maybe(draw, 1):
        _column(draw, rows, "share_max", ["", 0.5, 0.8, 1])
    if _maybe(draw, 1):
        _column(draw, rows, "share_min", ["", 0.1, 0.2])
    tables["territories"] = rows


def _resources(draw: Draw, plan: RandomPlan) -> None:
    names = ["vans", "demos"][: draw(st.integers(1, 2))]
    rows: list[dict[str, object]] = [{"resource": name} for name in names]
    _column(draw, rows, "capacity", [5, 20, 60, ""])
    _column(draw, rows, "per", ["", "period", "horizon"])
    _column(draw, rows, "extra_price", ["", 0.5, 2])
    plan.tables["resources"] = rows
    uses: list[dict[str, object]] = []
    for name in names:
        for sku in ("*", "m0")[: draw(st.integers(1, 2))]:
            uses.append({"activity": "sell", "sku": sku, "resource": name, "amount": _some(draw, 0.5, 1, 2)})
        if "sellers" in plan.tables and _maybe(draw, 1):
            uses.append({"activity": "seller", "sku": "*", "resource": name, "amount": _some(draw, 1, 2)})
    if "sellers" in plan.tables:
        for row in uses:
            row["team"] = _some(draw, "*", "*", plan.tables["sellers"][0]["team"])
    plan.tables["uses"] = uses


# Rules


class Facts:
    """What the tables allow rules to say."""

    def __init__(self, folder: Path) -> None:
        self.data = data = SlowData(folder)
        self.sales = Sales(data)
        self.last_year = all(row is not None for row in data.last_revenue)
        sold = {m for _, m in data.pairs}
        figures = (data.last_revenue, data.last_units)
        self.some_last_year = all(sum(sum(table[m] or [0.0]) for m in sold) > 0 for table in figures)
        self.potential = all(limit < INF for row in data.potential for limit in row)
        self.limited = any(limit < INF for row in data.capacity for limit in row)
        units = {unit for unit in data.unit}
        finite = all(limit < INF for row in data.capacity for limit in row)
        self.comparable = data.has_sellers and len(units) == 1 and finite
        shared = "region" in data.seller_columns
        self.market_keys = ["sku", "market.region" if shared else "region"]
        if "customer_type" in data.markets[0]:
            self.market_keys.append("customer_type")
        self.seller_keys = ["seller", "team"] if data.has_sellers else []
        self.time_keys = ["period", "quarter"]
        self.resources = [resource["name"] for resource in data.resources]
        priced = [r for r in data.resources if r["extra_price"] is not None and r["capacity"] is not None]
        self.extra = bool(priced)
        self.sized = any(pool["revenue"] is not None for pool in data.pools)
        self.columns = sorted(data.number_columns)

    def labels(self, key: str) -> list[str]:
        """The labels of a key that occur in cells."""
        cells = self.sales.cells(self.sales.whole_plan)
        return sorted({self.sales.label(key, *self.sales.data.pairs[p], t) for p, t in cells})


def _sums(facts: Facts) -> list[str]:
    found = ["revenue", "units", "deals", "new_customers", "hours", "commission", *facts.resources]
    if facts.data.knows_margin:
        found += ["margin", "contribution"]
    if facts.limited:
        found.append("load")
    return found


def _keys(draw: Draw, keys: list[str], most: int) -> list[str]:
    return draw(st.lists(st.sampled_from(keys), max_size=most, unique=True)) if keys else []


def _where(draw: Draw, facts: Facts, keys: list[str], most: int) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key in _keys(draw, keys, most):
        labels = facts.labels(key)
        if labels:
            found[key] = labels[:2] if _maybe(draw, 1) else _some(draw, *labels)
    return found


def _rule(draw: Draw, facts: Facts) -> dict[str, Any]:
    every_key = facts.market_keys + facts.seller_keys + facts.time_keys
    form = _some(draw, "bound", "bound", "growth", "share", "of", "ratio", "figure")
    of_last_year = facts.last_year and form in ("growth", "of")
    if form == "growth" and of_last_year:
        rule = _scoped(draw, facts, _some(draw, *_sums(facts)), facts.market_keys + facts.time_keys)
        rule["growth"] = _some(draw, -0.3, 0, 0.1, 0.5)
    elif form == "of" and (facts.columns or of_last_year or facts.potential):
        columns = [
            *facts.columns,
            *(["last_year"] if of_last_year else []),
            *(["potential"] if facts.potential else []),
        ]
        rule = _scoped(
            draw, facts, _some(draw, "revenue", "units", "deals"), facts.market_keys + facts.time_keys
        )
        rule["of"] = _some(draw, *columns)
        rule.update(_bounds_near(draw, 1.0))
    elif form == "share":
        rule = _scoped(draw, facts, _some(draw, "revenue", "units", "hours"), every_key)
        if not rule.get("where") and not rule.get("each"):
            rule["each"] = _some(draw, "sku", "period")
        rule[_some(draw, "share_at_least", "share_at_most")] = _some(draw, 0.1, 0.3, 0.5, 0.8)
    elif form == "ratio":
        rule = _ratio(draw, facts, every_key)
    elif form == "figure" and facts.extra:
        rule = _scoped(draw, facts, "extra_cost", facts.time_keys)
        rule["at_most"] = _some(draw, 0, 1, 10)
    else:
        rule = _scoped(draw, facts, _some(draw, *_sums(facts)), every_key)
        scope = facts.sales.scope(rule.get("where") or {})
        members = facts.sales.members(scope, rule.get("each") or [])
        sizes = [facts.sales.reach(facts.sales.metric(rule["metric"], member)) for member in members.values()]
        rule.update(_bounds_near(draw, max(sizes, default=0.0)))
        if _maybe(draw, 1) and len(rule.get("each") or []) == 1 and "at_least" in rule:
            labels = [labels[0] for labels in members]
            rule["at_least"] = {label: rule["at_least"] for label in labels[: max(1, len(labels) - 1)]}
    return _soften(draw, rule)


def _scoped(draw: Draw, facts: Facts, metric: str, keys: list[str]) -> dict[str, Any]:
    rule: dict[str, Any] = {"metric": metric}
    where = _where(draw, facts, keys, 2) if _maybe(draw, 2) else {}
    each = _keys(draw, [key for key in keys if key not in where], 2) if _maybe(draw, 2) else []
    if where:
        rule["where"] = where
    if each:
        rule["each"] = each
    return rule


def _bounds_near(draw: Draw, size: float) -> dict[str, Any]:
    def near() -> float:
        return float(f"{_some(draw, 0.05, 0.2, 0.4, 0.7, 1.0, 1.3, 0) * size:.3g}")

    form = _some(draw, "at_least", "at_most", "at_least", "equals", "between")
    if form == "between":
        return {"between": sorted([near(), near()])}
    return {form: near()}


def _ratio(draw: Draw, facts: Facts, every_key: list[str]) -> dict[str, Any]:
    names = ["average_check", "average_price"]
    if facts.data.knows_margin:
        names.append("margin_rate")
    if facts.last_year and facts.some_last_year:
        names.append("growth")
    if facts.limited:
        names.append("utilisation")
    if facts.sized:
        names.append("market_share")
    metric = _some(draw, *names)
    keys = {
        "growth": facts.market_keys + facts.time_keys,
        "utilisation": facts.seller_keys + facts.time_keys,
        "market_share": facts.time_keys,
    }.get(metric, every_key)
    rule = _scoped(draw, facts, metric, keys)
    if metric == "growth":
        return rule | {_some(draw, "at_least", "at_most"): _some(draw, -0.2, 0.1, 0.4)}
    top, bottom = (facts.sales.metric(name, facts.sales.whole_plan) for name in RATIOS[metric])
    size = facts.sales.reach(top) / (facts.sales.reach(bottom) or 1.0)
    form = _some(draw, "at_least", "at_most", "between")
    low = float(f"{_some(draw, 0.3, 0.7, 1.0) * size:.3g}")
    return rule | ({"between": [low, float(f"{1.2 * low:.4g}")]} if form == "between" else {form: low})


def _soften(draw: Draw, rule: dict[str, Any]) -> dict[str, Any]:
    must = _some(draw, None, None, False, False, True)
    if must is not None:
        rule["must"] = must
    if must is not True:
        how = _some(draw, "", "priority", "penalty")
        if must is None and how:
            rule["must"] = False
        if how == "priority":
            rule["priority"] = _some(draw, 1, 2)
            rule["weight"] = _some(draw, 1, 2, 0.5)
        elif how == "penalty":
            rule["penalty"] = _some(draw, 0.5, 3, 20)
    return rule


# Balance, distances, objectives


def _bases(facts: Facts) -> list[tuple[str, str]]:
    found = [(key, basis) for key in facts.market_keys[:2] for basis in facts.columns]
    if facts.last_year and facts.some_last_year:
        found += [(key, "last_year") for key in facts.market_keys[:2]]
    if facts.potential:
        found += [(key, "potential") for key in facts.market_keys[:2]]
    if facts.comparable:
        found += [("seller", "capacity"), ("team", "capacity")]
    if facts.data.has_sellers:
        found += [("seller", "headroom"), ("team", "headroom")]
    return found


def _balance(draw: Draw, facts: Facts) -> dict[str, Any] | None:
    bases = _bases(facts)
    if not bases:
        return None
    across, basis = _some(draw, *bases)
    metric, sales = _some(draw, "revenue", "units"), facts.sales
    members = sales.members(sales.whole_plan, [across]).values()
    if not any(sales.basis(basis, metric == "revenue", member) > 0 for member in members):
        return None
    return {"metric": metric, "across": across, "basis": basis}


def _balances(draw: Draw, plan: RandomPlan, facts: Facts) -> None:
    balance = _balance(draw, facts) if _maybe(draw, 2) else None
    if balance is not None:
        if _maybe(draw, 2):
            balance["within"] = _some(draw, 0.1, 0.3, 0.6)
        plan.plan["balance"] = [{"name": "balance", **balance}]


def _distances(draw: Draw, plan: RandomPlan, facts: Facts) -> None:
    if not (facts.last_year and facts.some_last_year and _maybe(draw, 2)):
        return
    keys = [*facts.market_keys[:2], "period"]
    by = draw(st.lists(st.sampled_from(keys), min_size=1, max_size=2, unique=True))
    spec: dict[str, Any] = {"name": "near", "metric": _some(draw, "revenue", "units"), "by": by}
    how = _some(draw, "within", "priority", "changes_at_most")
    spec[how] = {"within": _some(draw, 0.05, 0.2, 0.5), "priority": _some(draw, 1, 2)}.get(
        how, _some(draw, 0, 1, 2)
    )
    plan.plan["stay_near"] = [spec]


def _objective(draw: Draw, plan: RandomPlan, facts: Facts) -> list[dict[str, Any]]:
    """One or two stages; what is maximised is bounded wherever every market has a potential."""
    choices: list[dict[str, Any]] = [
        {"maximize": "revenue"},
        {"maximize": "units"},
        {"minimize": "shortfall"},
    ]
    choices += [{"minimize": "revenue"}, {"maximize": "revenue", "where": {"sku": "m0"}}]
    if facts.data.knows_margin:
        choices += [{"maximize": "contribution"}, {"maximize": "margin"}]
    if facts.last_year and facts.some_last_year:
        choices.append({"minimize": "change"})
    if any("within" not in balance for balance in plan.plan.get("balance", [])):
        choices.append({"minimize": "spread"})
    balance = _balance(draw, facts)
    if balance is not None:
        choices += [{"maximize": "smallest", **balance}, {"minimize": "spread", **balance}]
    return draw(st.lists(st.sampled_from(choices), min_size=1, max_size=2, unique_by=str))
