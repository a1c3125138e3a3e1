"""Plan and fact of a plan with a funnel: stages, retention, and causes that add up whatever is told."""

from __future__ import annotations

import textwrap
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from optimizer.errors import InputError
from optimizer.plan.inputs import resolve
from optimizer.plan.load import load_plan
from optimizer.result.evaluate import figures
from optimizer.result.solution import Solution
from optimizer.result.tables import sales
from optimizer.settings import SolveSettings
from optimizer.solving import solve
from optimizer.tracking import Comparison, compare
from optimizer.tracking.rates import rates_table
from optimizer.tracking.stageflow import entering_stages

MARKETS = """region,line,customer_type,price,margin_rate,organic,potential
East,a,new,100,0.5,1200,900
East,a,existing,100,0.5,,4000
West,a,new,100,0.5,600,900
West,a,existing,100,0.5,,2000
"""
STAGES = """customer_type,stage,conversion,days,hours
new,lead,0.5,10,
new,quote,0.4,20,
"""
CUSTOMERS = """region,line,customer_type,customers,retention,orders
East,a,existing,300,0.8,2
West,a,existing,100,0.8,2
"""
KEYS = ["region", "line", "customer_type"]
MONTHS = 4


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A plan of a year with a funnel in a folder."""
    found = tmp_path_factory.mktemp("funnel")
    for name, text in (("markets", MARKETS), ("stages", STAGES), ("customers", CUSTOMERS)):
        (found / f"{name}.csv").write_text(text, encoding="utf-8")
    text = """
        name: Test
        calendar: {start: 2027-01-01, periods: 12, every: month}
        tables: {markets: markets.csv, stages: stages.csv, customers: customers.csv}
        targets: [{name: Year, metric: revenue, at_least: 150000}]
        """
    (found / "plan.yaml").write_text(textwrap.dedent(text), encoding="utf-8")
    return found


@pytest.fixture(scope="module")
def solved(folder: Path) -> Solution:
    """The plan, solved."""
    return solve(load_plan(folder), SolveSettings(marginal_values=False, leverage=False))


@pytest.fixture(scope="module")
def as_planned(solved: Solution) -> pd.DataFrame:
    """The plan of the first months as facts would tell it, with a row for each later stage."""
    frame = sales(solved).groupby(["period", *KEYS], as_index=False)[["units", "revenue"]].sum()
    came = {tuple(label): value for label, value in figures(solved, "opportunities", [*KEYS, "period"])}
    customers = solved.activities.blocks["customers"]
    ends = customers.values(solved.x)
    periods = list(solved.plan.calendar.period)
    group = {(region, "existing"): row for row, region in enumerate(customers.labels["region"])}
    market = {name: row for row, name in enumerate(zip(*solved.sellers.markets.labels.values(), strict=True))}
    quotes = entering_stages(solved)[:, 1]
    rows = []
    for row in frame.to_dict("records"):
        at, kind = periods.index(row["period"]), row["customer_type"]
        if at >= MONTHS:
            continue
        if kind == "new":
            row["opportunities"] = came[(*(row[name] for name in KEYS), row["period"])]
            keys = tuple(row[name] for name in solved.sellers.markets.labels)
            count = quotes[market[keys], at]
            rows.append({name: row[name] for name in ("period", *KEYS)} | {
                "stage": "quote", "opportunities": count,
            })  # fmt: skip
        else:
            row["customers"] = ends[group[row["region"], kind], at]
        rows.append(row)
    return pd.DataFrame(rows).assign(stage=lambda one: one["stage"].fillna(""))


def told(folder: Path, solution: Solution, facts: pd.DataFrame) -> Comparison:
    """The plan compared with facts of some months."""
    facts.to_csv(folder / "actuals.csv", index=False)
    text = (folder / "plan.yaml").read_text(encoding="utf-8")
    text = text.replace("every: month}", f"every: month, as_of: 2027-{MONTHS + 1:02d}-01}}")
    text = text.replace("customers: customers.csv}", "customers: customers.csv, actuals: actuals.csv}")
    (folder / "facts.yaml").write_text(text, encoding="utf-8")
    return compare(solution, resolve(load_plan(folder / "facts.yaml")))


def company(found: Comparison) -> dict[str, int]:
    """The causes of the company, with plan and fact."""
    split = next(split for split in found.splits if not split.scope)
    return {**split.causes, "plan": split.plan, "fact": split.fact}


def test_a_funnel_that_comes_true_tracks_at_zero(
    folder: Path, solved: Solution, as_planned: pd.DataFrame
) -> None:
    """With stages and customers told as planned every cause is 0, on every level, and nothing drifts."""
    found = told(folder, solved, as_planned)
    assert {value for split in found.splits for value in split.causes.values()} <= {-1, 0, 1}
    assert "conversion:quote" in found.splits[0].causes
    assert not any(one.alert for one in found.drifts) and rates_table(found) is None


def test_the_stage_that_converts_less_is_the_cause(
    folder: Path, solved: Solution, as_planned: pd.DataFrame
) -> None:
    """A quarter fewer quotes that become deals is a cause of the stage quote and of nothing else."""
    # Fewer who join a base as large as planned would be better retention.
    facts = as_planned.drop(columns="customers")
    new = facts["customer_type"].eq("new") & facts["stage"].eq("")
    facts.loc[new, ["units", "revenue"]] *= 0.75
    found = told(folder, solved, facts)
    causes = company(found)
    lost = causes["fact"] - causes["plan"]
    assert lost < 0 and causes["conversion:quote"] == pytest.approx(lost, abs=3)
    assert all(abs(causes[name]) <= 2 for name in ("leads", "conversion:lead", "conversion", "retention"))
    alert = next(one for one in found.drifts if one.rate == "conversion:quote")
    assert alert.factor == pytest.approx(0.75, rel=1e-6) and alert.test == "binomial"


def test_customers_who_leave_are_a_cause(folder: Path, solved: Solution, as_planned: pd.DataFrame) -> None:
    """A tenth of the base lost in January costs its orders from February on, as retention, and drifts."""
    facts = as_planned.copy()
    buys = facts["customer_type"].eq("existing")
    facts.loc[buys, "customers"] *= 0.9
    later = buys & facts["period"].gt("2027-01")
    facts.loc[later, ["units", "revenue"]] *= 0.9
    found = told(folder, solved, facts)
    causes = company(found)
    # Those who joined are part of the smaller base, so that a little of the loss is volume.
    assert causes["retention"] == pytest.approx(causes["fact"] - causes["plan"], rel=0.1)
    assert abs(causes["retention"]) >= 0.9 * abs(causes["volume"] + causes["retention"])
    table = rates_table(found)
    assert table is not None and "retention" in table.choices("rate")
    assert next(one for one in found.drifts if one.rate == "retention").test == "poisson"


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 10_000), st.sets(st.sampled_from(["opportunities", "stage", "customers", "units"])))
def test_causes_add_up_whatever_is_told(
    folder: Path, solved: Solution, as_planned: pd.DataFrame, seed: int, hidden: set[str]
) -> None:
    """On random facts of a funnel, some measures left out, the causes of every member of every level add up to
    its deviation to the last hundredth."""
    random = np.random.default_rng(seed)
    facts = as_planned.copy()
    for name in ("units", "revenue", "opportunities", "customers"):
        facts[name] *= np.exp(0.3 * random.standard_normal(len(facts)))
    if hidden & {"stage", "opportunities"}:
        facts = facts[facts["stage"].eq("")].drop(columns="stage")
    facts = facts.drop(columns=[name for name in hidden if name != "stage"])
    for split in told(folder, solved, facts).splits:
        assert sum(split.causes.values()) == split.fact - split.plan


@pytest.mark.parametrize(
    ("key", "change"),
    [
        ("funnel.stage_unknown", {"stage": "quotation"}),
        ("tracking.stage_alone", {"opportunities": np.nan, "hours": 1.0}),
    ],
)
def test_bad_rows_of_stages_are_errors_with_their_place(
    folder: Path, solved: Solution, as_planned: pd.DataFrame, key: str, change: dict[str, object]
) -> None:
    """A stage that the plan does not know, and a row without a count, are refused with row and value."""
    facts = as_planned.assign(hours=np.nan).reset_index(drop=True)
    first = facts.index[facts["stage"].eq("quote")][0]
    for name, value in change.items():
        facts.loc[first, name] = value
    with pytest.raises(InputError) as error:
        told(folder, solved, facts)
    assert error.value.key == key and error.value.place.row == first + 2
