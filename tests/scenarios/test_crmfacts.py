"""Facts from a CRM export: read by the mapping that `fit` uses, in the labels that plan and export share."""

from __future__ import annotations

from pathlib import Path

import pytest

from optimizer.errors import InputError
from scenarios.monday import Asked, track_run

MARKETS = """product,region,last_year_revenue,price,margin_rate,organic
Lamp,North,24000,100,0.5,480
Lamp,South,12000,100,0.5,240
"""
SELLERS = "seller,region\nAna,North\nBo,South\n"
PLAN = """name: CRM
calendar: {start: 2027-01-01, periods: 12, every: month}
tables: {markets: markets.csv, sellers: sellers.csv}
targets: [{name: Year, metric: revenue, growth: 0.1}]
"""
MAPPING = """columns:
  Deal: id
  Created: opened
  Closed: closed
  Rep: seller
  Item: product
  Area: region
  Stage: stage
  Sum: amount
  Units: quantity
stages: {won: [Won], lost: [Lost], open: [Open]}
by: [product, region]
plan: {name: Next, currency: EUR}
"""
EXPORT = """Deal,Created,Closed,Rep,Item,Area,Stage,Sum,Units
1,2026-12-10,2027-01-05,Ana,Lamp,North,Won,210,2
2,2027-01-02,2027-01-20,Ana,Lamp,North,Won,95,1
3,2027-01-03,2027-02-11,Bo,Lamp,South,Won,300,3
4,2027-01-09,2027-02-01,Bo,Lamp,South,Lost,,1
5,2027-02-09,,Bo,Lamp,South,Open,,1
6,2026-11-09,2026-12-09,Ana,Lamp,North,Won,500,5
7,2027-02-09,2027-03-09,Ana,Lamp,North,Won,700,7
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A plan, an export and its mapping."""
    texts = {"markets.csv": MARKETS, "sellers.csv": SELLERS, "plan.yaml": PLAN, "mapping.yaml": MAPPING}
    for name, text in {**texts, "deals.csv": EXPORT}.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def test_an_export_is_tracked_by_its_mapping(folder: Path) -> None:
    """Deals won count in the month of closing and opportunities in that of opening; what lies before the plan
    and behind as_of is left out."""
    import datetime

    asked = Asked(folder / "deals.csv", folder / "mapping.yaml", datetime.date(2027, 3, 1), out=folder / "r")
    facts = track_run(folder, asked).tracked.comparison.facts
    assert facts.values["revenue"].sum(axis=0)[:3].tolist() == [305.0, 300.0, 0.0]
    assert facts.values["deals"].sum(axis=0)[:2].tolist() == [2.0, 1.0]
    assert facts.values["opportunities"].sum(axis=0)[:2].tolist() == [3.0, 2.0]
    assert set(facts.labels["region"]) == {"North", "South"} and set(facts.labels["seller"]) == {"Ana", "Bo"}
    assert (folder / "r" / "inputs" / "actuals.csv").is_file()


def test_a_label_that_the_plan_does_not_know_is_an_error_of_the_export(folder: Path) -> None:
    """A product that no market has is refused with the name of the file."""
    export = (folder / "deals.csv").read_text(encoding="utf-8").replace("3,2027-01-03", "3,2027-01-03")
    (folder / "deals.csv").write_text(export.replace("Bo,Lamp,South,Won", "Bo,Desk,South,Won"), "utf-8")
    with pytest.raises(InputError) as error:
        track_run(folder, Asked(folder / "deals.csv", folder / "mapping.yaml"))
    assert error.value.key == "plan.unknown_label" and error.value.place.file == "deals.csv"
