"""The columns and labels that rules may name, and scopes (`where`) with every label checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from optimizer.errors import InputError, Place
from optimizer.plan.calendar import Calendar
from optimizer.plan.names import nearest
from optimizer.plan.source import KeyPath, Source
from optimizer.plan.tables import ALL, Table

TIME_COLUMNS = ("period", "quarter", "year")
MARKET_LABELS = ("customer_type", "unit")
SELLER_LABELS = ("seller", "sales_channel", "status")
LIKELY_STATUS = "present"
LIKELY_CUSTOMER = "existing"

Scope = Mapping[str, list[str]]
"""Column -> the labels that are inside; a column that is not named is not limited."""


def market_dimensions(markets: Table) -> dict[str, list[str]]:
    """The label columns of the markets table that keys and rules may name: dimension -> label by row.

    A blank customer_type is `existing`.
    """
    names = (*markets.labels, *MARKET_LABELS)
    found = {name: markets.text(name) for name in names if name in markets.frame.columns}
    if "customer_type" in found:
        found["customer_type"] = [kind or LIKELY_CUSTOMER for kind in found["customer_type"]]
    return found


def seller_dimensions(sellers: Table) -> dict[str, list[str]]:
    """The label columns of the sellers table that keys and rules may name; a blank status is `present`."""
    names = dict.fromkeys((*SELLER_LABELS, *sellers.labels))
    found = {name: sellers.text(name) for name in names if name in sellers.frame.columns}
    if "status" in found:
        found["status"] = [status or LIKELY_STATUS for status in found["status"]]
    return found


def marketing_dimensions(marketing: Table) -> dict[str, list[str]]:
    """The label columns of the marketing table: `channel` and those that the planner added."""
    return {name: marketing.text(name) for name in ("channel", *marketing.labels)}


def initiative_dimensions(initiatives: Table) -> dict[str, list[str]]:
    """The label columns of the initiatives table: `initiative`, `owner`, and those that the planner added."""
    names = ("initiative", "owner", *initiatives.labels)
    return {name: initiatives.text(name) for name in names if name in initiatives.frame.columns}


def yield_dimensions(tables: Mapping[str, Table]) -> dict[str, list[str]]:
    """The label columns of yields that no other table has; they are its own where there are no markets."""
    if "yields" not in tables or len(tables["markets"]):
        return {}
    own = marketing_dimensions(tables["marketing"])
    return {name: tables["yields"].text(name) for name in tables["yields"].labels if name not in own}


def shared_columns(markets: Table, sellers: Table | None) -> tuple[str, ...]:
    """Columns that markets and sellers both have; a rule may use their bare name only while they agree."""
    if sellers is None:
        return ()
    own = seller_dimensions(sellers)
    return tuple(name for name in market_dimensions(markets) if name in own)


def _activity_dimensions(tables: Mapping[str, Table]) -> list[dict[str, list[str]]]:
    """The label columns of activities other than sales."""
    found = []
    if "marketing" in tables:
        found += [marketing_dimensions(tables["marketing"]), yield_dimensions(tables)]
    if "initiatives" in tables:
        found.append(initiative_dimensions(tables["initiatives"]))
    if "roles" in tables:
        found.append({name: tables["roles"].text(name) for name in ("role", *tables["roles"].labels)})
    return found


@dataclass(frozen=True)
class Known:
    """Every column that a rule may name, with its labels, and the calendar behind the time columns."""

    calendar: Calendar
    labels: Mapping[str, Mapping[str, None]]

    @classmethod
    def of(cls, calendar: Calendar, tables: Mapping[str, Table]) -> Known:
        """The columns of markets and sellers, bare and as `market.region` / `seller.region`, and of time."""
        labels: dict[str, dict[str, None]] = {}
        for prefix, columns in (
            ("market", market_dimensions(tables["markets"])),
            ("seller", seller_dimensions(tables["sellers"]) if "sellers" in tables else {}),
        ):
            for name, values in columns.items():
                found = dict.fromkeys(label for label in values if label not in ("", ALL))
                labels.setdefault(name, {}).update(found)
                labels[f"{prefix}.{name}"] = found
        for activity in _activity_dimensions(tables):
            for name, values in activity.items():
                found = dict.fromkeys(label for label in values if label not in ("", ALL))
                labels.setdefault(name, {}).update(found)
        for name, values_of_time in calendar.dimensions.items():
            labels[name] = dict.fromkeys(values_of_time.tolist())
        return cls(calendar, labels)

    def column(self, name: str, place: Place) -> str:
        """The column itself; raises `InputError` with the nearest name when there is none."""
        if name not in self.labels:
            bare = [known for known in self.labels if "." not in known or "." in name]
            raise InputError("plan.unknown_scope_column", place, column=name, nearest=nearest(name, bare))
        return name

    def members(self, column: str, label: object, place: Place) -> tuple[str, ...]:
        """The labels of `column` that one written label stands for; several only in `period`."""
        text = label_text(label, column, place)
        if column in TIME_COLUMNS:
            try:
                return self.calendar.labels_of(column, text)
            except InputError as error:
                raise InputError(error.key, place, **error.fields) from None
        if text not in self.labels[column]:
            near = nearest(text, self.labels[column])
            raise InputError("plan.unknown_label", place, column=column, nearest=near)
        return (text,)


def label_text(label: object, column: str, place: Place) -> str:
    """A label as text; raises `InputError` for nothing, lists and mappings."""
    if isinstance(label, str | int | float) and str(label).strip():
        return str(label)
    raise InputError("plan.scope_value", place, column=column)


def resolved_scope(where: Mapping[str, object], known: Known, source: Source, path: KeyPath) -> Scope:
    """A scope with every column and label checked and `{from, to}` written out; `*` leaves a column open.

    Raises `InputError` for unknown columns and labels with the nearest one, for an empty list, and for
    `{from, to}` on anything but period, quarter and year.
    """
    scope: dict[str, list[str]] = {}
    for name, value in where.items():
        here = (*path, name)
        column = known.column(name, source.place(here))
        if value == ALL:
            continue
        if isinstance(value, dict):
            scope[column] = _between(column, value, known, source, here)
        elif isinstance(value, list):
            scope[column] = _listed(column, value, known, source, here)
        else:
            scope[column] = list(known.members(column, value, source.place(here, value)))
    return scope


def _listed(column: str, values: Sequence[object], known: Known, source: Source, path: KeyPath) -> list[str]:
    if not values:
        raise InputError("plan.scope_value", source.place(path), column=column)
    found: dict[str, None] = {}
    for at, value in enumerate(values):
        found |= dict.fromkeys(known.members(column, value, source.place((*path, at), value)))
    return list(found)


def _between(
    column: str, ends: Mapping[str, object], known: Known, source: Source, path: KeyPath
) -> list[str]:
    place = source.place(path)
    if column not in TIME_COLUMNS or not ends or not set(ends) <= {"from", "to"}:
        raise InputError("plan.scope_range", place, column=column)
    texts = {name: label_text(end, column, place) for name, end in ends.items()}
    try:
        return list(known.calendar.labels_between(column, texts.get("from"), texts.get("to")))
    except InputError as error:
        raise InputError(error.key, place, **error.fields) from None
