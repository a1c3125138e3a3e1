"""The columns of every table as Markdown, for `docs/columns.md`."""

from __future__ import annotations

from optimizer.plan.columns import TABLES, Column, TableColumns

_FURTHER = {
    "dimensions": "Any further column is a dimension, whose labels rules and other tables can name.",
    "market_keys": "Any further column is a key: a column of markets, or `*` for all.",
    "seller_and_market_keys": "Any further column is a key: of sellers or of markets, or `*` for all.",
    "marketing_keys": "Any further column is a key: a column of marketing, or `*` for all.",
    "marketing_and_market_keys": "Any further column is a key: of marketing or of markets, or `*` for all.",
    "any_keys": "Any further column is a key of the plan: of sellers, markets, marketing or initiatives.",
    "effect_keys": "Any further column is a key of what the effect changes, or `*` for all.",
    "none": "It has no further columns.",
}
_KINDS = {"yes_no": "yes or no", "profile": "name of a profile", "choice": "one of"}


def columns_text() -> str:
    """Every table with its columns: kind, unit, bounds, choices and other names."""
    parts = [
        "# The columns of every table",
        "",
        "This page is printed by `apportion schema --tables`; a test compares the two. How files become",
        "tables is in [tables.md](tables.md), what stands in for a blank in [defaults.md](defaults.md).",
        "Names are compared without case, spaces and underscores. A number may have `_low` and `_high`",
        "beside it.",
    ]
    for table in TABLES.values():
        parts += ["", f"## {table.name}", "", *_table_lines(table)]
    return "\n".join(parts) + "\n"


def _table_lines(table: TableColumns) -> list[str]:
    rows = [f"| {column.name} | {_kind(column)} | {_names(column)} |" for column in table.columns]
    head = ["| column | what it holds | other names |", "|---|---|---|"]
    return [*head, *rows, "", _FURTHER[table.extra]]


def _kind(column: Column) -> str:
    words = _KINDS.get(column.kind, column.kind)
    if column.choices:
        words += " " + ", ".join(column.choices)
    words += f", {column.unit}" if column.unit else ""
    if column.kind in ("number", "money"):
        bounds = [
            f"{word} {bound:g}"
            for word, bound in (("at least", column.low), ("at most", column.high))
            if bound is not None
        ]
        words += f" ({', '.join(bounds)})" if bounds else ""
    return f"{words}; required" if column.required else words


def _names(column: Column) -> str:
    return ", ".join(column.aliases)
