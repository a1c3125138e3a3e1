"""Scenario files as pydantic models: strict, frozen, each key with its meaning."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from optimizer.plan.schema import Label, Labels, Number

Category = Literal["market", "customer", "execution", "financial"]

ACTIONS = ("set", "multiply", "add", "shift", "replace", "remove", "add_rows")
"""What a change of a table may do; exactly one of them."""


class Strict(BaseModel):
    """Unknown keys are errors and values cannot be changed."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, use_attribute_docstrings=True, populate_by_name=True
    )


class ScenarioSpec(Strict):
    """A scenario file: what is different from the plan."""

    name: Label
    """Name of the scenario, unique in a sweep."""
    category: Category | None = None
    """Which kind of uncertainty: market, customer, execution or financial."""
    probability: Number | None = Field(default=None, ge=0, le=1)
    """How likely it is; a grid shares it out among its points."""
    note: str = ""
    """A sentence for the reader."""
    extends: Labels = Field(default_factory=list)
    """Scenario files of the same folder whose changes come first, in this order."""
    changes: list[dict[str, Any]] = Field(default_factory=list)
    """What changes: entries with `table`, with `rule`, or with keys of the plan file."""
    grid: dict[str, list[Any]] = Field(default_factory=dict)
    """Name -> values; `$name` in the changes takes each value in turn, several names every combination."""


class TableChange(Strict):
    """A change of some rows of one table; it does exactly one of `ACTIONS`."""

    table: str
    """Name of the table in the plan file."""
    where: dict[str, Any] = Field(default_factory=dict)
    """Column -> label, list of labels, {at_least, at_most} of a number, {from, to} of a date."""
    column: Labels = Field(default_factory=list)
    """The column, or several, that the change is about."""
    first: Any = Field(default=None, alias="from")
    """First period; the column then becomes one value a period."""
    last: Any = Field(default=None, alias="to")
    """Last period, included."""
    set: Any = None
    """The new value (null for a blank); an amount between from and to is by period."""
    multiply: Number | None = None
    """Factor."""
    add: Number | None = None
    """Amount in the plan's own unit; between from and to it is by period."""
    shift: int | None = None
    """Periods by which a profile comes later (negative: earlier)."""
    replace: str | None = None
    """A file of the plan's folder: the whole table, or with `column` the values of this column by key."""
    remove: bool | None = None
    """Take the rows out."""
    add_rows: list[dict[str, Any]] | str | None = None
    """Rows as column -> value, or a file of the plan's folder that holds them."""
    order: int | None = Field(default=None, ge=1)
    """Place among the ordered changes of this scenario; needed where two of them change one cell."""


TABLE_KEYS = tuple(field.alias or name for name, field in TableChange.model_fields.items())
