"""The plan file as pydantic models: strict, frozen, and the source of the JSON Schema."""

from __future__ import annotations

import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag

from optimizer.io.numbers import number_from_yaml

TableName = Literal[
    "markets", "sellers", "territories", "resources", "uses", "profiles", "market_size",
    "locks", "commitments", "credits", "marketing", "curves", "yields",
    "initiatives", "actuals", "effects", "roles", "stages", "pipeline", "customers", "rates", "tiers",
    "moves", "planned",
]  # fmt: skip


def _as_label(value: object) -> object:
    """A label that YAML reads as a number (`2027`) is the text of it."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return str(value) if is_number else value


def _as_list(value: object) -> object:
    """`each: quarter` for `each: [quarter]`."""
    return [value] if isinstance(value, str | int | float) else value


def _as_table(value: object) -> object:
    """`markets: markets.csv` for `markets: {file: markets.csv}`."""
    return {"file": value} if isinstance(value, str) else value


def _bound_form(value: object) -> str:
    """Which form of a bound stands there; a wrong one is reported as a number, the usual form."""
    if isinstance(value, dict):
        return "table" if "file" in value else "map"
    return "table" if isinstance(value, BaseModel) else "number"


def _text_or_map(value: object) -> str:
    return "map" if isinstance(value, dict) else "text"


Number = Annotated[float, BeforeValidator(number_from_yaml, json_schema_input_type=float | str)]
Label = Annotated[str, BeforeValidator(_as_label, json_schema_input_type=str | float)]
Labels = Annotated[list[Label], BeforeValidator(_as_list, json_schema_input_type=Label | list[Label])]
Scope = dict[str, Any]


class Strict(BaseModel):
    """Unknown keys are errors and values cannot be changed."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class CalendarSpec(Strict):
    """The horizon: `periods` weeks, months or quarters from `start`."""

    start: datetime.date
    """First day of the first period."""
    periods: int = Field(gt=0, le=1040)
    """Number of periods."""
    every: Literal["week", "month", "quarter"] = "month"
    """Length of a period."""
    fiscal_year_start: int = Field(default=1, ge=1, le=12)
    """Month in which the fiscal year starts; quarters and years follow it (FY27-Q1)."""
    as_of: datetime.date | None = None
    """First day that is not a fact yet: the periods before it are those of the table `actuals`."""


class TableSpec(Strict):
    """Where a table stands and how to read it."""

    file: str
    """CSV, XLSX, Parquet or SQLite file, relative to the plan file and inside its folder."""
    query: str | None = None
    """The SELECT whose rows are the table, when the file is a SQLite database."""
    sheet: Label | None = None
    """Sheet of a workbook; needed when it has several."""
    header_row: int = Field(default=1, ge=1)
    """Row of the column names, counted from 1 as the spreadsheet shows it."""
    columns: dict[str, Label] = Field(default_factory=dict)
    """The planner's column name -> our column name."""
    amounts_in: Number = Field(default=1.0, gt=0)
    """Money columns are multiplied by this (10000 for 万元, 1000 for тыс.)."""
    months_across: str | None = None
    """One column a period: the measure that these columns hold (last_year_revenue)."""
    total_rows: Literal["refuse", "drop"] = "refuse"
    """Rows that are sums of other rows (Итого, 合计, Total)."""
    drop_rows: Labels = Field(default_factory=list)
    """Labels whose rows are left out."""
    decimal: Literal[",", "."] | None = None
    """Decimal sign, when the file does not show it."""
    encoding: str | None = None
    """Encoding, when it cannot be told from the bytes."""
    delimiter: str | None = None
    """Delimiter of a CSV, when it cannot be told from the text."""


TableEntry = Annotated[TableSpec, BeforeValidator(_as_table, json_schema_input_type=str | TableSpec)]


class ValueTable(Strict):
    """Bounds of a rule from a table: the `each` columns and one value column."""

    file: str
    """CSV, XLSX or Parquet file, relative to the plan file."""
    sheet: Label | None = None
    """Sheet of a workbook."""
    column: str = "value"
    """The column that holds the bound."""


Bound = Annotated[
    Annotated[Number, Tag("number")]
    | Annotated[dict[Label, Number], Tag("map")]
    | Annotated[ValueTable, Tag("table")],
    Discriminator(_bound_form),
]
ScopeOrColumn = Annotated[
    Annotated[str, Tag("text")] | Annotated[Scope, Tag("map")],
    Discriminator(_text_or_map),
]


class RuleSpec(Strict):
    """One bound on one metric: a target, a budget or a limit."""

    name: Label = ""
    """Unique name; made from the content when left out."""
    metric: str
    """A metric or ratio of docs/metrics.md."""
    where: Scope = Field(default_factory=dict)
    """Column -> label, list of labels, or {from, to}."""
    each: Labels = Field(default_factory=list)
    """One rule for each member of these columns."""
    at_least: Bound | None = None
    """Lower bound, in the metric's unit, or in multiples of `of`."""
    at_most: Bound | None = None
    """Upper bound, in the metric's unit, or in multiples of `of`."""
    equals: Bound | None = None
    """Both bounds at once."""
    between: tuple[Number, Number] | None = None
    """Lower and upper bound."""
    growth: Bound | None = None
    """Lower bound as growth on last year: 0.20 asks for 120 % of it."""
    share_at_least: Bound | None = None
    """Lower bound as a share of the same metric in scope `of`."""
    share_at_most: Bound | None = None
    """Upper bound as a share of the same metric in scope `of`."""
    of: ScopeOrColumn | None = None
    """Scope of a share (default: `where` without its last key), or a column that multiplies the bounds."""
    must: bool | None = None
    """Hard (must) or soft (should); targets are soft, budgets and limits hard."""
    priority: int | None = Field(default=None, ge=1)
    """Stage of the shortfall of a soft rule; 1 comes first and is never traded."""
    penalty: Number | None = Field(default=None, ge=0)
    """Currency per missed unit of the metric; part of contribution instead of a stage."""
    weight: Number = Field(default=1.0, gt=0)
    """Weight of the shortfall inside its priority."""


def _rules(value: object) -> object:
    """One rule may stand without its list; a file of rules is read by `load_plan` before it comes here."""
    return [value] if isinstance(value, dict) and "metric" in value else value


RulesInput = str | TableSpec | RuleSpec | list[RuleSpec]
Rules = Annotated[list[RuleSpec], BeforeValidator(_rules, json_schema_input_type=RulesInput)]


class BalanceSpec(Strict):
    """Members of `across` carry the metric in proportion to a basis."""

    name: Label = ""
    """Unique name; made from the content when left out."""
    metric: str = "revenue"
    """A metric that is a sum."""
    where: Scope = Field(default_factory=dict)
    """Scope of the metric."""
    across: str
    """The column whose members are compared (seller, team, region)."""
    basis: str = "capacity"
    """capacity, potential, last_year, or a number column of the table that has `across`."""
    within: Number | None = Field(default=None, ge=0, lt=1)
    """Half-width of the band (0.15); without it the spread is made smallest in a stage of its own."""


LastYearOrRun = Annotated[
    Annotated[Literal["last_year"], Tag("text")] | Annotated[dict[Literal["run"], str], Tag("map")],
    Discriminator(_text_or_map),
]


class StayNearSpec(Strict):
    """Bounds or minimises the distance from last year's shares or from another run."""

    name: Label = ""
    """Unique name; made from the content when left out."""
    metric: str = "revenue"
    """A metric that is a sum."""
    by: Labels = Field(min_length=1)
    """Columns whose members are compared."""
    to: LastYearOrRun = "last_year"
    """last_year (shares), or {run: FOLDER} (figures of another run inside the plan's folder)."""
    within: Number | None = Field(default=None, ge=0)
    """Largest distance of a member: share of the total (last_year) or of its own figure (run)."""
    priority: int | None = Field(default=None, ge=1)
    """Minimise the distance in this stage when `within` is not given."""
    changes_at_most: int | None = Field(default=None, ge=0)
    """Largest number of members that may differ at all."""
    keep: Literal["if_as_good", "if_possible"] | None = None
    """Keep the plan of the run as it is, sales and decisions: where no stage of another plan is better by
    more than the proof gap (if_as_good), or wherever rules and tables leave room for it (if_possible)."""


class FreezeSpec(Strict):
    """A part of the plan that stays as another run has it."""

    name: Label = ""
    """Name in reports; made from part and run when left out."""
    run: str
    """A run folder inside the plan's folder."""
    what: Labels = Field(min_length=1)
    """sales, marketing, initiatives, hires (with those of roles), resources (bought beyond capacity), quotas
    (of the leaves, over the horizon), or a decision by its name."""
    where: Scope = Field(default_factory=dict)
    """Column -> label, list of labels, or {from, to}: only these rows and periods."""


class QuotaBand(Strict):
    """Two sides of a band; a side that is left out is open."""

    at_least: Number | None = None
    """Lower side."""
    at_most: Number | None = None
    """Upper side."""


class QuotaFairness(Strict):
    """What equal treatment means for quotas."""

    basis: Literal["plan", "potential", "capacity", "last_year"] = "plan"
    """Quotas are compared with this figure of the same seller or market."""
    within: Number | None = Field(default=None, gt=0, lt=1)
    """Half-width of the band (0.15): the quotas follow the plan inside it. Left out: the quotas follow the
    basis itself, and the largest deviation is made smallest, then the next (leximin)."""


class QuotaSpec(Strict):
    """One quota that every node of the organisation carries."""

    name: Label = ""
    """Unique name; made from metric and scope when left out."""
    metric: str = "revenue"
    """A metric that is a sum over sales: revenue, units, margin, deals, new_customers."""
    where: Scope = Field(default_factory=dict)
    """Scope of the metric: column -> label or labels."""
    by: Labels = Field(min_length=1)
    """Levels below the company from the top: columns of sellers, or of markets (market.region)."""
    per: Literal["period", "quarter", "year"] = "period"
    """Shortest span that a quota is given for."""
    across: Labels = Field(default_factory=list)
    """Columns of markets by whose members every node's quota is split too, all sums exact (line)."""
    target: Label | None = None
    """What the company must reach: a target's name or a number; default: the target on the same metric and
    scope, else the plan itself."""
    over_assignment: dict[Label, Number] = Field(default_factory=dict)
    """Level -> what its quotas add up to above the company's target (0.10 for 110 %)."""
    round_to: Number = Field(default=1.0, gt=0)
    """Quotas are whole multiples of this."""
    fairness: QuotaFairness = QuotaFairness()
    """What quotas are measured against."""
    stretch_at_most: Number | None = Field(default=None, ge=0)
    """No quota of the lowest level is further above its plan than this (0.20), over-assignment apart."""
    against_last_quota: QuotaBand | None = None
    """Change against the seller's `last_quota` (at_least: -0.1, at_most: 0.3)."""
    against_target_pay: QuotaBand | None = None
    """Quota of a year in multiples of the seller's `target_pay`."""
    seller_bounds: bool | None = None
    """Whether quota_min, quota_max, last_quota and target_pay of sellers are about this quota; default: yes
    for revenue without a scope."""


class ObjectiveStage(Strict):
    """One stage of the objective: exactly one of `maximize` and `minimize`."""

    maximize: str | None = None
    """A metric, or `smallest`: the smallest ratio of `metric` to `basis` across members."""
    minimize: str | None = None
    """A metric, `shortfall` (of soft rules), `spread` (of metric to basis), or `change` (from last year)."""
    metric: str | None = None
    """The metric of `smallest` and `spread`."""
    across: str | None = None
    """The members of `smallest` and `spread`."""
    basis: str | None = None
    """The basis of `smallest` and `spread`."""
    where: Scope = Field(default_factory=dict)
    """Scope of the metric."""


class LargestSpec(Strict):
    """The mode that looks for the largest target."""

    largest: Label
    """Name of the target whose bound is left free: the largest number (or growth) that can be reached with
    the others kept; for an upper bound the smallest."""


ModeName = Literal["contribution", "least_spend"]
Mode = Annotated[
    Annotated[ModeName, Tag("text")] | Annotated[LargestSpec, Tag("map")], Discriminator(_text_or_map)
]


class TrackingSpec(Strict):
    """When plan and fact are on track."""

    green: Number = Field(default=0.02, ge=0, lt=1)
    """A forecast that misses its target by no more than this share is green."""
    amber: Number = Field(default=0.05, ge=0, lt=1)
    """By no more than this it is amber, beyond it red."""
    chance: Number = Field(default=0.05, gt=0, lt=1)
    """A rate is off when chance alone would bring it as far no more often than this."""


class PlanSpec(Strict):
    """The plan file."""

    name: Label
    """Name of the plan, printed on every page."""
    currency: str = ""
    """Label of money; printed, never computed with."""
    language: Literal["en", "ru", "zh"] = "en"
    """Language of reports and messages."""
    calendar: CalendarSpec
    """The horizon."""
    tables: dict[TableName, TableEntry]
    """The data; one of `markets`, `marketing` and `initiatives` is needed."""
    from_run: Label | None = Field(default=None, alias="from")
    """Folder of the run of a longer plan, inside this plan's folder: what it plans in these periods becomes
    targets, and what it plans at their start the opening stock of marketing and the customers."""
    targets: Rules = Field(default_factory=list)
    """Rules that should hold, by priority."""
    budgets: Rules = Field(default_factory=list)
    """Rules that must hold."""
    limits: Rules = Field(default_factory=list)
    """Rules that must hold."""
    balance: list[BalanceSpec] = Field(default_factory=list)
    """Equal treatment in proportion to a basis."""
    stay_near: list[StayNearSpec] = Field(default_factory=list)
    """Distance from last year or from another run."""
    freeze: list[FreezeSpec] = Field(default_factory=list)
    """Parts of the plan that stay as another run has them."""
    quotas: list[QuotaSpec] = Field(default_factory=list)
    """Quotas for every node of the organisation; several a person are possible."""
    tracking: TrackingSpec = TrackingSpec()
    """Bands of red, amber and green, and how sure a drift alert is."""
    objective: list[ObjectiveStage] | None = None
    """Stages after the targets; default: contribution, then nearness to last year, then the tie-break."""
    mode: Mode | None = None
    """What to solve for in place of an objective: `contribution` (as without); `least_spend`: every target a
    must, and the least money for marketing, initiatives and whatever else is decided on; {largest: TARGET}:
    the most that can be asked of a target with the others kept."""
    proof_gap: Number | None = Field(default=None, gt=0, lt=1)
    """How near to the best possible the answer has to be proved in a plan with whole numbers, initiatives or
    response curves, as a share of it (of its target, for a shortfall); 1e-6 unless given."""
    whole_units: bool = False
    """Sell whole units only (also a column of markets)."""
    run_out: int | None = Field(default=None, ge=0, le=1040)
    """Periods behind the horizon in which what was set going still brings money; default: the longest lag."""
    growth_cap: Number = Field(default=0.5, ge=0)
    """Potential of a market without one: last year times 1 + growth_cap."""
