"""A small plan on disk, with a way to write scenarios beside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

MARKETS = """\
region,line,customer_type,price,margin_rate,last_year_revenue,potential,season
North,premium,new,100,0.5,3000,60,
North,standard,new,40,0.3,2000,90,
South,premium,new,100,0.45,2000,40,flat
South,standard,existing,40,0.25,4000,120,flat
"""
SELLERS = """\
seller,team,region,capacity,commission_rate,to
Ann,Alpha,North,20,0.02,
Ben,Alpha,North,20,0.02,
Cai,Beta,South,30,0.03,
Dan,Beta,South,25,0.01,
"""
TERRITORIES = """\
team,line,hours_per_unit
Alpha,premium,2
Alpha,standard,1
Beta,premium,2.5
Beta,standard,0.9
"""
PROFILES = """\
profile,period_or_age,value
flat,2027-Q1,0.2
flat,2027-Q2,0.3
flat,2027-Q3,0.3
flat,2027-Q4,0.2
slow,0,0
slow,2,1
"""
RESOURCES = """\
resource,capacity,per,extra_price
demo,12,period,3
"""
USES = """\
activity,line,resource,amount
sell,premium,demo,1
"""
PLAN = """\
name: Small
currency: CNY
calendar: {start: 2027-01-01, periods: 4, every: quarter}
tables:
  markets: markets.csv
  sellers: sellers.csv
  territories: territories.csv
  profiles: profiles.csv
  resources: resources.csv
  uses: uses.csv
targets:
  - {name: Year, metric: revenue, at_least: 11_000, priority: 1}
  - {name: Lines, metric: revenue, each: line, at_least: {premium: 6_000, standard: 4_000}, priority: 2}
budgets:
  - {name: Commission, metric: commission, at_most: 300}
limits:
  - {metric: units, where: {line: standard}, at_most: 200}
"""
TABLES = {
    "markets": MARKETS,
    "sellers": SELLERS,
    "territories": TERRITORIES,
    "profiles": PROFILES,
    "resources": RESOURCES,
    "uses": USES,
}

Write = Callable[..., Path]


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """The folder of a small plan that solves in a moment."""
    folder = tmp_path / "plan"
    folder.mkdir()
    for name, text in TABLES.items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    (folder / "plan.yaml").write_text(PLAN, encoding="utf-8")
    return folder


@pytest.fixture
def write(small: Path) -> Write:
    """`write("dry", "changes: [...]")`: a scenario file of the small plan; the name is added."""

    def scenario(name: str, text: str = "", **files: str) -> Path:
        folder = small / "scenarios"
        folder.mkdir(exist_ok=True)
        for file, content in files.items():
            (small / f"{file}.csv").write_text(content, encoding="utf-8")
        path = folder / f"{name}.yaml"
        path.write_text(text if text.startswith("name:") else f"name: {name}\n{text}", encoding="utf-8")
        return path

    return scenario


WriteMonths = Callable[[Path, Mapping[str, str], str, int, Mapping[str, int], str], Path]


@pytest.fixture(scope="session")
def write_months() -> WriteMonths:
    """`write_months(folder, tables, start, periods, numbers, more)`: a plan of some months whose tables have
    these numbers put in, with more lines in its plan file."""

    def write(
        folder: Path,
        tables: Mapping[str, str],
        start: str,
        periods: int,
        numbers: Mapping[str, int],
        more: str,
    ) -> Path:
        folder.mkdir(exist_ok=True)
        for name, text in tables.items():
            (folder / f"{name}.csv").write_text(text.format(**numbers), encoding="utf-8")
        named = ", ".join(f"{name}: {name}.csv" for name in tables)
        plan = folder / "plan.yaml"
        plan.write_text(
            f"name: Half a year\ncalendar: {{start: {start}, periods: {periods}, every: month}}\n"
            f"tables: {{{named}}}\nobjective: [{{maximize: contribution}}]\n{more}",
            encoding="utf-8",
        )
        return plan

    return write
