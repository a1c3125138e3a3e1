"""The mapping file of `fit` as pydantic models: which column means what, and how to estimate."""

from __future__ import annotations

import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from optimizer.io.numbers import number_from_yaml

Number = Annotated[float, BeforeValidator(number_from_yaml)]

ROLES = ("id", "opened", "closed", "seller", "account", "product", "stage", "amount", "quantity")
"""The columns that `fit` understands; every other name is a label that markets or sellers may use."""

NUMBER_COLUMNS = ("amount", "quantity", "list_price")
DATE_COLUMNS = ("opened", "closed")


class Strict(BaseModel):
    """Unknown keys are errors and values cannot be changed."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class SourceSpec(Strict):
    """How to read the history file, when the file does not show it."""

    sheet: str | None = None
    """Sheet of a workbook; needed when it has several."""
    header_row: int = Field(default=1, ge=1)
    """Row of the column names, counted from 1 as the spreadsheet shows it."""
    encoding: str | None = None
    """Encoding, when it cannot be told from the bytes."""
    delimiter: str | None = None
    """Delimiter of a CSV, when it cannot be told from the text."""
    decimal: Literal[",", "."] | None = None
    """Decimal sign, when the file does not show it."""


class LookupSpec(SourceSpec):
    """A table that is joined to the history by one column: products, sellers, accounts, territories."""

    file: str
    """File of the table, relative to the folder of the history."""
    key: str
    """Our name of the column by which it is joined."""
    columns: dict[str, str] = Field(min_length=1)
    """The table's column name -> our name, the key among them; `list_price` is a number, the rest labels."""


class StageSpec(Strict):
    """Which stage labels mean won, lost and open."""

    won: list[str] = Field(min_length=1)
    """Labels of deals that were won."""
    lost: list[str] = Field(default_factory=list)
    """Labels of deals that were lost."""
    open: list[str] = Field(default_factory=list)
    """Labels of deals that are still open."""


class HorizonSpec(Strict):
    """The plan that is written."""

    name: str = ""
    """Name of the plan; made from the name of the history when left out."""
    currency: str = ""
    """Label of money."""
    language: Literal["en", "ru", "zh"] = "en"
    """Language of the plan and of the notes in `quality.csv`."""
    start: datetime.date | None = None
    """First day of the horizon; default: the first day of the month after the last month of the history."""
    periods: int = Field(default=12, gt=0, le=120)
    """Months of the horizon."""
    growth: Number = 0.05
    """Growth on last year that the plan's target asks for."""


class MethodSpec(Strict):
    """How to estimate; every figure has a default."""

    recent_months: int = Field(default=12, ge=1)
    """Levels (last year, organic, potential, throughput) come from the last months, this many at most."""
    potential_factor: Number | None = Field(default=None, gt=0)
    """Potential = factor x deals seen (won, lost, open); default 1, or 1.5 where only won deals are known."""
    throughput_quantile: Number = Field(default=0.75, gt=0, lt=1)
    """Quantile of a seller's monthly revenue that stands for full productivity."""
    throughput_window: int = Field(default=3, ge=1, le=12)
    """Months over which a seller's revenue is averaged before the quantile is taken."""
    thin: int = Field(default=30, ge=1)
    """An estimate from fewer deals is called thin."""
    idle_months: int = Field(default=6, ge=1)
    """A seller without a deal closed or opened in this many last months is left out of the plan."""


class MappingSpec(Strict):
    """The mapping file."""

    history: str | None = None
    """The export, relative to the mapping file; left out when it is given on the command line."""
    source: SourceSpec = Field(default_factory=SourceSpec)
    """How to read the export."""
    columns: dict[str, str] = Field(min_length=1)
    """The export's column name -> one of `ROLES`, or the name of a label column."""
    lookups: dict[str, LookupSpec] = Field(default_factory=dict)
    """Tables that are joined to the export, in this order."""
    fixes: dict[str, dict[str, str]] = Field(default_factory=dict)
    """Our column -> {label as it is written: label as it should be}."""
    stages: StageSpec | None = None
    """Stage labels; needed with a `stage` column. Without one every row is a won order."""
    shift_days: int = Field(default=0, ge=-31, le=31)
    """Days by which all dates are moved, for exports that book a month's orders around its first day."""
    scale: Number = Field(default=1.0, gt=0)
    """Amounts and list prices of the export are multiplied by this."""
    negative_amounts: Literal["drop", "keep"] = "drop"
    """What happens to won rows with a negative amount: left out, or kept as returns."""
    by: list[str] = Field(min_length=1)
    """The columns that make a market, the most general first: thin markets are pooled from the right."""
    hierarchy: list[str] = Field(default_factory=list)
    """The columns above the seller, the highest first (region, manager)."""
    territories: str = "seller"
    """`seller`: all sell what they have had deals in; a hierarchy column: what their unit has had."""
    plan: HorizonSpec = Field(default_factory=HorizonSpec)
    """The horizon and target of the plan."""
    method: MethodSpec = Field(default_factory=MethodSpec)
    """How to estimate."""

    @property
    def known_columns(self) -> tuple[str, ...]:
        """Our column names that the export and the look-ups give, each once."""
        names = list(self.columns.values())
        for lookup in self.lookups.values():
            names += lookup.columns.values()
        return tuple(dict.fromkeys(names))
