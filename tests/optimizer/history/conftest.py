"""A history made here, so that everything is tested where no real data are."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

MAPPING = """
columns:
  Deal: id
  Created: opened
  Closed: closed
  Rep: seller
  Client: account
  Item: product
  Area: region
  Stage: stage
  Sum: amount
  Units: quantity
lookups:
  products: {file: products.csv, key: product, columns: {Item: product, Line: line, List: list_price}}
  sellers: {file: people.csv, key: seller, columns: {Rep: seller, Team: team}}
fixes: {product: {Lampp: Lamp}}
stages: {won: [Won], lost: [Lost], open: [Open]}
by: [line, product, region]
hierarchy: [team]
plan: {name: Next year, currency: EUR, growth: 0.04}
"""

LIST_PRICES = {"Lamp": 100.0, "Desk": 400.0, "Door": 900.0}
WIN_RATES = {"Lamp": 0.5, "Desk": 0.4, "Door": 0.25}
LAG = np.array([0.2, 0.4, 0.3, 0.1])
SEASON = np.array([0.7, 0.8, 1.0, 1.0, 1.1, 0.9, 0.7, 0.8, 1.1, 1.2, 1.2, 1.5])
FIRST, MONTHS, DEALS = 2025 * 12, 24, 9000
Rewrite = Callable[[pd.DataFrame], pd.DataFrame]


def _history() -> pd.DataFrame:
    """Closings of two years and what is open at their end, of opportunities that live by known rates."""
    random = np.random.default_rng(20260101)
    weights = np.tile(SEASON, MONTHS // 12 + 1)
    opened = random.choice(MONTHS + 12, size=DEALS, p=weights / weights.sum()) - 12
    product = random.choice(list(LIST_PRICES), size=DEALS, p=[0.6, 0.3, 0.1])
    seller = random.integers(0, 6, size=DEALS)
    won = random.random(DEALS) < pd.Series(product).map(WIN_RATES).to_numpy()
    closed = opened + random.choice(len(LAG), size=DEALS, p=LAG)
    units = random.integers(1, 4, size=DEALS)
    price = pd.Series(product).map(LIST_PRICES).to_numpy() * (0.9 + 0.02 * random.standard_normal(DEALS))
    done = closed < MONTHS
    there = closed >= 0
    stage = np.where(done, np.where(won, "Won", "Lost"), "Open")
    return pd.DataFrame({
        "Deal": [f"D{number:05d}" for number in range(DEALS)],
        "Created": _days(opened, 5),
        "Closed": np.where(done, _days(closed, 20), ""),
        "Rep": np.array(["Ana", "Bo", "Cy", "Di", "Ed", "Flo"])[seller],
        "Client": [f"C{number % 97}" for number in range(DEALS)],
        "Item": product,
        "Area": np.where(seller < 3, "North", "South"),
        "Stage": stage,
        "Sum": np.where(stage == "Won", (units * price).round(2).astype(str), ""),
        "Units": units,
    }).loc[there].reset_index(drop=True)  # fmt: skip


def _days(months: np.ndarray, day: int) -> np.ndarray:
    number = FIRST + months
    return np.array([f"{month // 12}-{month % 12 + 1:02d}-{day:02d}" for month in number], dtype=object)


@pytest.fixture(scope="session")
def deals() -> pd.DataFrame:
    """About 6,000 opportunities of two years with known rates, as an export shows them."""
    return _history()


@pytest.fixture
def export(tmp_path: Path, deals: pd.DataFrame) -> Callable[..., Path]:
    """Write the export, changed by `rewrite`, with look-up tables and mapping; returns the mapping file."""

    def write(rewrite: Rewrite = lambda frame: frame, mapping: str = MAPPING) -> Path:
        rewrite(deals.copy()).to_csv(tmp_path / "deals.csv", index=False)
        products = pd.DataFrame({"Item": LIST_PRICES, "List": LIST_PRICES, "Line": "Wood"})
        products["Item"] = products.index
        products.loc["Lamp", "Line"] = "Light"
        products.to_csv(tmp_path / "products.csv", index=False)
        people = pd.DataFrame({"Rep": ["Ana", "Bo", "Cy", "Di", "Ed", "Flo"], "Team": ["N"] * 3 + ["S"] * 3})
        people.to_csv(tmp_path / "people.csv", index=False)
        path = tmp_path / "mapping.yaml"
        path.write_text(f"history: deals.csv\n{mapping}", encoding="utf-8")
        return path

    return write


@pytest.fixture
def truth() -> dict[str, object]:
    """The rates that made the history."""
    return {
        "win_rates": WIN_RATES,
        "lag": LAG,
        "season": SEASON / 12.0,
        "prices": LIST_PRICES,
        "discount": 0.9,
    }
