"""The columns of the tables of selling: markets, sellers and what they need, facts, quotas and profiles."""

from __future__ import annotations

from optimizer.plan.column import Column, TableColumns, money, number

RATES = ("price", "volume", "hours", "leads", "conversion", "retention")
"""Rates that facts measure and that act from `as_of` on."""

SELLING: dict[str, TableColumns] = {
    "markets": TableColumns(
        "markets",
        (),
        "dimensions",
        (
            number("last_year_units", "units a year"),
            money("last_year_revenue", "currency a year"),
            money("price", "currency/unit"),
            number("margin_rate", "share of revenue", -1.0, 1.0),
            money("unit_cost", "currency/unit"),
            number("units_per_deal", "units/deal"),
            Column("customer_type", "choice", choices=("new", "existing")),
            number("potential", "units over the horizon"),
            money("potential_revenue", "currency over the horizon"),
            number("size_units", "units over the horizon"),
            money("size_revenue", "currency over the horizon", 0.0, "size"),
            number("max_share", "share of size", 0.0, 1.0),
            number("organic", "opportunities over the horizon"),
            number("waiting_kept", "share of unsold opportunities kept a period", 0.0, 1.0),
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
            number("capacity", "capacity_unit per capacity_per"),
            Column("capacity_unit", "choice", choices=("hours", "deals", "units", "revenue")),
            Column("capacity_per", "choice", choices=("period", "year", "horizon")),
            Column("capacity_profile", "profile"),
            money("productivity", "currency a year at full ramp"),
            Column("from", "date"),
            Column("to", "date"),
            Column("ramp", "profile"),
            money("cost", "currency/month"),
            money("hiring_cost", "currency a hire"),
            number("tenure", "months that a hire is expected to stay"),
            number("commission_rate", "share of revenue", 0.0, 1.0),
            money("target_pay", "currency a year", 0.0, "ote"),
            money("quota_min", "currency a year"),
            money("quota_max", "currency a year"),
            money("last_quota", "currency a year"),
            Column("status", "choice", choices=("present", "open")),
        ),
    ),
    "roles": TableColumns(
        "roles",
        ("role",),
        "dimensions",
        (
            Column("role", "label", required=True),
            number("headcount", "heads at the start"),
            Column("tenure_profile", "profile"),
            number("attrition", "share a year", 0.0, 1.0),
            number("refill", "periods until a leaver with a name is replaced"),
            Column("ramp", "profile"),
            number("lead_time", "periods"),
            number("hire_max", "heads over the horizon"),
            number("leave_max", "heads over the horizon"),
            number("headcount_min", "heads"),
            number("headcount_max", "heads"),
            number("training_capacity", "heads below full ramp at a time"),
            money("cost", "currency/month"),
            money("hiring_cost", "currency a hire"),
            money("leave_cost", "currency a head"),
            Column("managed_by", "label"),
            number("span", "heads a manager"),
            Column("supported_by", "label"),
            number("support_ratio", "heads a supporter"),
        ),
    ),
    "territories": TableColumns(
        "territories",
        (),
        "seller_and_market_keys",
        (
            number("hours_per_unit", "hours/unit"),
            number("win_factor", "units sold per unit that an average seller would sell"),
            number("share_min", "share of the market's units", 0.0, 1.0),
            number("share_max", "share of the market's units", 0.0, 1.0),
        ),
    ),
    "market_size": TableColumns(
        "market_size",
        (),
        "market_keys",
        (
            number("size_units", "units over the horizon"),
            money("size_revenue", "currency over the horizon", 0.0, "size"),
            number("max_share", "share of size", 0.0, 1.0),
        ),
    ),
    "resources": TableColumns(
        "resources",
        ("resource",),
        "none",
        (
            Column("resource", "label", required=True),
            number("capacity", "unit of the resource"),
            Column("per", "choice", choices=("period", "horizon")),
            money("extra_price", "currency/unit of the resource"),
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
            number("weight", "factor"),
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
            number("units", "units", None),
            money("revenue", "currency", None),
            number("deals", "deals", None),
            money("margin", "currency", None),
            number("leads", "leads"),
            number("opportunities", "opportunities"),
            money("spend", "currency"),
            number("hours", "hours"),
            number("starts", "starts", 0.0, 1.0),
            number("customers", "customers at the end of the period"),
            Column("stage", "label"),
            Column("returned", "yes_no", aliases=("return", "returns")),
        ),
    ),
    "rates": TableColumns(
        "rates",
        (),
        "seller_and_market_keys",
        (
            Column(
                "rate", "choice", choices=("price", "volume", "hours", "leads", "conversion", "retention")
            ),
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
