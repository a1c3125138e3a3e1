"""Plan-shaped models of any size: sellers x allowed markets x periods, with a lagged funnel.

The tables are written as CSV files, so that reading is measured too. The funnel is a family of its own here,
written with the same builder as the plan's families: waiting opportunities, and leads that close over three
periods.

    sum_s sales[s,m,t] + waiting[m,t] <= keep waiting[m,t-1] + sum_l lag[l] conversion[m] worked[m,t-l]
    worked[m,t] <= leads[m,t]
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from optimizer.model.compile import FAMILIES, Family
from optimizer.model.context import Context
from optimizer.model.terms import Terms

LAG = (0.2, 0.5, 0.3)
KEEP = 0.5
DEMAND_WORKED = 0.8
"""Share of all potential that the sellers' hours are enough for, so that time and demand both bind."""


@dataclass(frozen=True)
class Size:
    """A step of the ladder: `markets_a_seller` of the markets are allowed to each seller."""

    name: str
    sellers: int
    markets: int
    markets_a_seller: int
    periods: int = 12


LADDER = (
    Size("3k", 20, 16, 10),
    Size("25k", 80, 48, 25),
    Size("250k", 400, 200, 50),
    Size("750k", 800, 400, 77),
)


def write_plan(size: Size, folder: Path, seed: int = 1) -> Path:
    """Write the tables and the plan file of one size into `folder` and return the plan file."""
    random = np.random.default_rng(seed)
    markets, sellers = _markets(size, random), _sellers(size, random)
    seller, market = _territories(size, random)
    hours = sellers["capacity"].sum() * size.periods / (DEMAND_WORKED * markets["potential"].sum())
    territories = pd.DataFrame(
        {
            "seller": sellers["seller"].to_numpy()[seller],
            "market": markets["market"].to_numpy()[market],
            "hours_per_unit": np.round(hours * random.uniform(0.6, 1.6, len(seller)), 6),
        }
    )
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in (("markets", markets), ("sellers", sellers), ("territories", territories)):
        table.to_csv(folder / f"{name}.csv", index=False)
    plan = folder / "plan.yaml"
    plan.write_text(_plan_file(size), encoding="utf-8")
    return plan


def _markets(size: Size, random: np.random.Generator) -> pd.DataFrame:
    regions = max(2, size.markets // 12)
    revenue = np.round(random.uniform(0.5e6, 3e6, size.markets), -3)
    price = np.round(random.uniform(500, 5000, size.markets), 1)
    return pd.DataFrame(
        {
            "market": [f"M{index:04d}" for index in range(size.markets)],
            "region": [f"R{index % regions:02d}" for index in range(size.markets)],
            "line": [("premium", "standard", "basic")[index % 3] for index in range(size.markets)],
            "last_year_revenue": revenue,
            "price": price,
            "margin_rate": np.round(random.uniform(0.2, 0.6, size.markets), 3),
            "potential": np.round(revenue / price * random.uniform(1.1, 1.6, size.markets), 1),
        }
    )


def _sellers(size: Size, random: np.random.Generator) -> pd.DataFrame:
    teams = max(2, size.sellers // 8)
    return pd.DataFrame(
        {
            "seller": [f"S{index:04d}" for index in range(size.sellers)],
            "team": [f"T{index % teams:03d}" for index in range(size.sellers)],
            "capacity": np.round(random.uniform(90, 150, size.sellers), 1),
            "capacity_unit": "hours",
            "commission_rate": np.round(random.uniform(0.0, 0.06, size.sellers), 4),
        }
    )


def _territories(size: Size, random: np.random.Generator) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Every seller's markets: a window of the list, so that neighbours overlap."""
    starts = np.sort(random.integers(0, size.markets, size.sellers))
    market = (starts[:, None] + np.arange(size.markets_a_seller)[None, :]) % size.markets
    return np.repeat(np.arange(size.sellers), size.markets_a_seller), market.ravel()


def _plan_file(size: Size) -> str:
    return f"""name: Benchmark {size.name}
calendar: {{start: 2027-01-01, periods: {size.periods}, every: month}}
tables: {{markets: markets.csv, sellers: sellers.csv, territories: territories.csv}}
limits:
  - {{name: Premium, metric: revenue, where: {{line: premium}}, share_at_least: 0.25}}
  - {{name: Regions, metric: revenue, each: [region, quarter], between: [0.3, 1.5], of: last_year}}
objective: [{{maximize: contribution}}]
"""


def funnel(context: Context) -> None:
    """Waiting opportunities and lagged leads, a row a market and period."""
    cube = context.cube
    markets, periods = len(cube.markets.names), cube.num_periods
    count = markets * periods
    grid = np.arange(count).reshape(markets, periods)
    random = np.random.default_rng(7)
    conversion = random.uniform(0.1, 0.3, markets)
    leads = cube.markets.potential * (random.uniform(0.7, 1.2, markets) / conversion)[:, None]

    def labels() -> list[tuple[str, ...]]:
        return [(name, period) for name in cube.markets.names for period in cube.calendar.period]

    waiting = context.builder.add_columns("waiting", count, labels) + grid
    worked = context.builder.add_columns("worked", count, labels, upper=leads.ravel()) + grid
    row = grid[cube.pair_market]
    parts = [
        (row, context.cell_columns, np.ones(row.shape)),
        (grid, waiting, np.ones(grid.shape)),
        (grid[:, 1:], waiting[:, :-1], np.full((markets, periods - 1), -KEEP)),
    ]
    for lag, share in enumerate(LAG):
        value = np.repeat(-share * conversion[:, None], periods - lag, axis=1)
        parts.append((grid[:, lag:], worked[:, : periods - lag], value))
    member, column, value = (np.concatenate([part[index].ravel() for part in parts]) for index in range(3))
    context.builder.add_rows("opportunity", Terms(member, column, value, np.zeros(count)), labels, upper=0.0)


BENCHMARK_FAMILIES: dict[str, Family] = {**FAMILIES, "opportunity": funnel}
