"""The columns of every table: name, kind, unit and bounds. One place for reader, checks, schema and docs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["label", "number", "money", "date", "yes_no", "choice", "profile"]
Extra = Literal[
    "dimensions",
    "market_keys",
    "seller_and_market_keys",
    "marketing_keys",
    "marketing_and_market_keys",
    "any_keys",
    "effect_keys",
    "none",
]


CHANGES = (
    "demand",
    "organic",
    "leads",
    "conversion",
    "cycle",
    "retention",
    "repeat",
    "capacity",
    "hours",
    "price",
    "unit_cost",
    "value",
    "satisfaction",
    "unlock",
)
"""What an effect of an initiative may change."""
CURVE_FAMILIES = (
    "linear",
    "hill",
    "logistic",
    "s_logistic",
    "log",
    "log1p",
    "power",
    "adbudg",
    "michaelis_menten",
    "points",
)
CURVE_PARAMETERS = (
    "bottom",
    "top",
    "half",
    "slope",
    "rate",
    "middle",
    "intercept",
    "scale",
    "unit",
    "exponent",
    "minimum",
    "maximum",
    "divisor",
)


@dataclass(frozen=True)
class Column:
    """One column. `money` columns are multiplied by `amounts_in`; `profile` names a row set of `profiles`."""

    name: str
    kind: Kind
    unit: str = ""
    low: float | None = None
    high: float | None = None
    required: bool = False
    choices: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True)
class TableColumns:
    """The columns of one table; `extra` says what any further column is."""

    name: str
    keys: tuple[str, ...]
    extra: Extra
    columns: tuple[Column, ...]

    def column(self, name: str) -> Column | None:
        """The column of this name or alias, or None."""
        for column in self.columns:
            if name == column.name or name in column.aliases:
                return column
        return None


def _number(
    name: str, unit: str, low: float | None = 0.0, high: float | None = None, *aliases: str
) -> Column:
    return Column(name, "number", unit, low, high, aliases=aliases)


def _money(name: str, unit: str, low: float | None = 0.0, *aliases: str) -> Column:
    return Column(name, "money", unit, low, aliases=aliases)


TABLES: dict[str, TableColumns] = {
    "markets": TableColumns(
        "markets",
        (),
        "dimensions",
        (
            _number("last_year_units", "units a year"),
            _money("last_year_revenue", "currency a year"),
            _money("price", "currency/unit"),
            _number("margin_rate", "share of revenue", -1.0, 1.0),
            _money("unit_cost", "currency/unit"),
            _number("units_per_deal", "units/deal"),
            Column("customer_type", "choice", choices=("new", "existing")),
            _number("potential", "units over the horizon"),
            _money("potential_revenue", "currency over the horizon"),
            _number("size_units", "units over the horizon"),
            _money("size_revenue", "currency over the horizon", 0.0, "size"),
            _number("max_share", "share of size", 0.0, 1.0),
            _number("organic", "opportunities over the horizon"),
            _number("waiting_kept", "share of unsold opportunities kept a period", 0.0, 1.0),
            Column("unit", "label"),
            Column("whole_units", "yes_no"),
            Column("shared_demand", "label"),
            Column("season", "profile"),
            Column("potential_profile", "profile"),
            Column("last_year_profile", "profile"),
            Column("organic_profile", "profile"),
        ),
    ),
    "sellers": TableColumns(
        "sellers",
        ("seller",),
        "dimensions",
        (
            Column("seller", "label", required=True),
            Column("sales_channel", "label"),
            _number("capacity", "capacity_unit per capacity_per"),
            Column("capacity_unit", "choice", choices=("hours", "deals", "units", "revenue")),
            Column("capacity_per", "choice", choices=("period", "year", "horizon")),
            Column("capacity_profile", "profile"),
            _money("productivity", "currency a year at full ramp"),
            Column("from", "date"),
            Column("to", "date"),
            Column("ramp", "profile"),
            _money("cost", "currency/month"),
            _money("hiring_cost", "currency a hire"),
            _number("tenure", "months that a hire is expected to stay"),
            _number("commission_rate", "share of revenue", 0.0, 1.0),
            _money("target_pay", "currency a year", 0.0, "ote"),
            _money("quota_min", "currency a year"),
            _money("quota_max", "currency a year"),
            _money("last_quota", "currency a year"),
            Column("status", "choice", choices=("present", "open")),
        ),
    ),
    "territories": TableColumns(
        "territories",
        (),
        "seller_and_market_keys",
        (
            _number("hours_per_unit", "hours/unit"),
            _number("win_factor", "units sold per unit that an average seller would sell"),
            _number("share_min", "share of the market's units", 0.0, 1.0),
            _number("share_max", "share of the market's units", 0.0, 1.0),
        ),
    ),
    "market_size": TableColumns(
        "market_size",
        (),
        "market_keys",
        (
            _number("size_units", "units over the horizon"),
            _money("size_revenue", "currency over the horizon", 0.0, "size"),
            _number("max_share", "share of size", 0.0, 1.0),
        ),
    ),
    "resources": TableColumns(
        "resources",
        ("resource",),
        "none",
        (
            Column("resource", "label", required=True),
            _number("capacity", "unit of the resource"),
            Column("per", "choice", choices=("period", "horizon")),
            _money("extra_price", "currency/unit of the resource"),
            Column("unit", "label"),
        ),
    ),
    "uses": TableColumns(
        "uses",
        ("activity", "resource"),
        "seller_and_market_keys",
        (
            Column("activity", "label", required=True),
            Column("resource", "label", required=True),
            Column(
                "amount",
                "number",
                "unit of the resource per unit sold, or per seller and period",
                required=True,
            ),
        ),
    ),
    "marketing": TableColumns(
        "marketing",
        ("channel",),
        "dimensions",
        (
            Column("channel", "label", required=True),
            _money("unit_cost", "currency/insertion"),
            _money("min_spend", "currency over the horizon"),
            _money("max_spend", "currency over the horizon"),
            _number("min_insertions", "insertions over the horizon"),
            _number("max_insertions", "insertions over the horizon"),
            _money("base_spend", "currency over the horizon"),
            _number("min_of_base", "share of base_spend"),
            _number("max_of_base", "share of base_spend"),
            Column("whole_units", "yes_no"),
            _money("min_if_used", "currency per period of use"),
            _money("fixed_cost", "currency per fixed_per"),
            Column("fixed_per", "choice", choices=("period", "horizon")),
            Column("pacing", "choice", choices=("free", "even")),
            Column("from", "date"),
            Column("to", "date"),
            Column("curve_of", "choice", choices=("insertions", "spend")),
            _number("carryover_rate", "share kept for the next period", 0.0, 1.0),
            Column("carryover_profile", "profile"),
            Column("normalised", "yes_no"),
            _number("opening_stock", "currency, or insertions"),
            Column("lag", "profile"),
        ),
    ),
    "curves": TableColumns(
        "curves",
        (),
        "marketing_keys",
        (
            Column("part", "label"),
            Column("family", "choice", choices=CURVE_FAMILIES),
            Column("weight", "number", "factor"),
            Column("curve_per", "choice", choices=("period", "year", "horizon")),
            *(Column(name, "number", "parameter of the curve") for name in CURVE_PARAMETERS),
            _money("spend", "currency, or insertions: a point of the curve"),
            _number("leads", "leads at this spend"),
            _money("spend_now", "currency, or insertions"),
            _number("leads_now", "leads at spend_now"),
            _number("leads_if_doubled", "leads at twice spend_now"),
        ),
    ),
    "yields": TableColumns(
        "yields",
        (),
        "marketing_and_market_keys",
        (
            Column("opportunities", "number", "opportunities per lead of the channel", required=True),
            _number("conversion", "deals per opportunity", 0.0, 1.0),
        ),
    ),
    "stages": TableColumns(
        "stages",
        ("stage",),
        "market_keys",
        (
            Column("stage", "label", required=True),
            _number("conversion", "share that reaches the next stage", 0.0, 1.0, "conversion_to_next"),
            _number("days", "days in the stage"),
            _number("hours", "hours of a deal in the stage"),
        ),
    ),
    "pipeline": TableColumns(
        "pipeline",
        (),
        "market_keys",
        (
            Column("deal", "label"),
            Column("amount", "money", "currency, revenue when all is won", 0.0, required=True),
            Column("stage", "label"),
            Column("close", "date", aliases=("expected_close",)),
            _number("probability", "share that is won", 0.0, 1.0),
        ),
    ),
    "customers": TableColumns(
        "customers",
        (),
        "market_keys",
        (
            Column(
                "customers",
                "number",
                "customers at the start",
                0.0,
                required=True,
                aliases=("opening_customers",),
            ),
            _number("retention", "share kept a year", 0.0, 1.0),
            _number("orders", "orders a customer a year", 0.0, None, "orders_per_customer"),
            _money("revenue_per_order", "currency/order"),
        ),
    ),
    "initiatives": TableColumns(
        "initiatives",
        ("initiative",),
        "dimensions",
        (
            Column("initiative", "label", required=True),
            _money("cost", "currency a start"),
            _money("running_cost", "currency/month"),
            _money("benefit", "currency a start"),
            Column("earliest", "date"),
            Column("latest", "date"),
            _number("duration", "periods"),
            Column("requires", "label"),
            _number("requires_after", "periods"),
            Column("excludes", "label"),
            _number("gap", "periods"),
            Column("owner", "label"),
            Column("milestone", "label"),
            Column("due", "date"),
        ),
    ),
    "effects": TableColumns(
        "effects",
        (),
        "effect_keys",
        (
            Column("initiative", "label", required=True),
            Column("changes", "choice", required=True, choices=CHANGES),
            Column("kind", "choice", choices=("add", "multiply")),
            Column("low", "number", "like likely"),
            Column("likely", "number", "unit of what it changes, or a factor"),
            Column("high", "number", "like likely"),
            _number("after", "periods"),
            _number("lasts", "periods"),
        ),
    ),
    "locks": TableColumns(
        "locks",
        (),
        "seller_and_market_keys",
        (
            Column("quota", "label"),
            Column("value", "money", "currency or unit of the quota, over the horizon", 0.0, required=True),
            Column("reason", "label", required=True),
        ),
    ),
    "commitments": TableColumns(
        "commitments",
        (),
        "seller_and_market_keys",
        (
            Column("quota", "label"),
            Column(
                "commitment", "money", "currency or unit of the quota, over the horizon", 0.0, required=True
            ),
            _number("weight", "factor"),
            Column("reason", "label"),
        ),
    ),
    "credits": TableColumns(
        "credits",
        (),
        "seller_and_market_keys",
        (
            Column("quota", "label"),
            Column("overlay", "label", required=True),
            Column("share", "number", "share of the sales credited", 0.0, 1.0, required=True),
        ),
    ),
    "actuals": TableColumns(
        "actuals",
        (),
        "any_keys",
        (
            Column("period", "label", required=True, aliases=("month", "week", "date")),
            _number("units", "units", None),
            _money("revenue", "currency", None),
            _number("deals", "deals", None),
            _money("margin", "currency", None),
            _number("leads", "leads"),
            _number("opportunities", "opportunities"),
            _money("spend", "currency"),
            _number("hours", "hours"),
            _number("starts", "starts", 0.0, 1.0),
            Column("returned", "yes_no", aliases=("return", "returns")),
        ),
    ),
    "rates": TableColumns(
        "rates",
        (),
        "seller_and_market_keys",
        (
            Column("rate", "choice", choices=("price", "volume", "hours")),
            Column("factor", "number", "measured over planned", 0.0, required=True),
            Column("reason", "label"),
        ),
    ),
    "profiles": TableColumns(
        "profiles",
        ("profile",),
        "none",
        (
            Column("profile", "label", required=True),
            Column("period_or_age", "label", required=True, aliases=("period", "age")),
            Column("value", "number", "share or factor", 0.0, required=True),
        ),
    ),
}
