"""The columns of every table, in one place for reader, checks, schema and docs."""

from __future__ import annotations

from optimizer.plan.column import Column, TableColumns
from optimizer.plan.columns_funnel import CURVE_PARAMETERS, FUNNEL
from optimizer.plan.columns_selling import SELLING

__all__ = ["CURVE_PARAMETERS", "TABLES", "Column", "TableColumns"]

TABLES: dict[str, TableColumns] = {**SELLING, **FUNNEL}
