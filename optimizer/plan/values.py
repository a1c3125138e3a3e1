"""One column of a table from cells to values, each refusal with its row and column."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from optimizer.errors import InputError, Place
from optimizer.io.cells import Cells
from optimizer.plan.columns import Column
from optimizer.plan.dates import date_problem, parse_date, parse_month
from optimizer.plan.names import folded, nearest
from optimizer.plan.tables import ALL

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

_YES = frozenset(["yes", "y", "true", "1", "да", "истина", "是", "真", "+"])
_NO = frozenset(["no", "n", "false", "0", "нет", "ложь", "否", "假", "-"])
_CHOICE_WORDS = {
    "new": "новый новые новая 新 新客户 新客",
    "existing": "существующий существующие действующий действующие старый старые 老客户 老客 现有 存量",
    "hours": "часы час часов 小时 工时",
    "deals": "сделки сделка сделок 成交 单数 订单",
    "units": "штуки штук шт единицы 件 台 数量",
    "revenue": "выручка 收入 销售额 营收",
    "period": "период 周期 每期",
    "year": "год 年 每年",
    "horizon": "горизонт 全期",
    "present": "работает штат 在职 现有人员",
    "open": "вакансия открыта открыто 空缺 待招",
}
"""Our choice -> words for it in other languages."""


@dataclass(frozen=True)
class KeptCells:
    """The cells of a table without the rows that are left out."""

    cells: Cells
    keep: IntArray
    """Positions of the rows that stay (rows,)."""

    def place(self, row: int, header: str) -> Place:
        """Where entry `row` of the kept ones stands, with its value unless it is blank."""
        place = self.cells.place(int(self.keep[row]), header)
        return place if place.value else replace(place, value=None)

    def labels(self, header: str) -> list[str]:
        """A column as text (rows,)."""
        found = self.cells.labels(header)
        return [found[at] for at in self.keep]

    def raw(self, header: str) -> list[object]:
        """A column as the file holds it (rows,)."""
        found = self.cells.columns[header]
        return [found[at] for at in self.keep]

    def numbers(self, header: str, column: Column, required: bool = False) -> FloatArray:
        """A number column (rows,), NaN where blank; raises `InputError` for text and outside its bounds."""
        values, unreadable = self.cells.numbers(header)
        kept = set(self.keep.tolist())
        for at in unreadable:
            if at in kept:
                raise self.cells.number_error(header, at)
        values = values[self.keep]
        if required and np.isnan(values).any():
            place = self.place(int(np.isnan(values).argmax()), header)
            raise InputError("plan.blank_value", place, column=header)
        if column.low is not None and (values < column.low).any():
            place = self.place(int((values < column.low).argmax()), header)
            raise InputError("plan.number_low", place, column=header, limit=f"{column.low:g}")
        if column.high is not None and (values > column.high).any():
            row = int((values > column.high).argmax())
            raise share_high(float(values[row]), self.place(row, header), header)
        return values

    def text(self, header: str, *, required: bool, star: bool) -> list[str]:
        """A label column (rows,); raises `InputError` for a blank where one is required, and for `*` where it
        says nothing."""
        labels = self.labels(header)
        for row, label in enumerate(labels):
            if not label and required:
                key = "plan.blank_key" if star else "plan.blank_label"
                raise InputError(key, self.place(row, header), column=header)
            if label == ALL and not star:
                raise InputError("plan.star", self.place(row, header), column=header)
        return labels

    def dates(self, header: str, *, ends: bool) -> NDArray[np.datetime64]:
        """A date column (rows,), NaT for blanks; a month is its first day, or with `ends` its last day."""
        days = [self._date(row, value, header, ends) for row, value in enumerate(self.raw(header))]
        return np.array(days, dtype="datetime64[D]")

    def _date(self, row: int, value: object, header: str, ends: bool) -> datetime.date | None:
        if value is None or (isinstance(value, str) and not value.strip()):
            return None
        day = parse_date(value)
        if day is not None:
            return day
        month = parse_month(value)
        if month is None or month.year is None:
            raise date_problem(value, self.place(row, header))
        first = datetime.date(month.year, month.month, 1)
        return _last_day(first) if ends else first

    def yes_no(self, header: str) -> BoolArray:
        """A yes/no column (rows,); a blank is no."""
        found = [self._is_yes(row, label, header) for row, label in enumerate(self.labels(header))]
        return np.array(found, dtype=np.bool_)

    def _is_yes(self, row: int, label: str, header: str) -> bool:
        text = label.casefold()
        if text in _YES or text in _NO or not text:
            return text in _YES
        raise InputError("plan.yes_no_unreadable", self.place(row, header), column=header)

    def choices(self, header: str, choices: Sequence[str]) -> list[str]:
        """A column of choices (rows,) in our words; a blank stays blank."""
        words = {folded(choice): choice for choice in choices}
        for choice in choices:
            words |= {folded(word): choice for word in _CHOICE_WORDS.get(choice, "").split()}
        found = []
        for row, label in enumerate(self.labels(header)):
            if label and folded(label) not in words:
                place, known = self.place(row, header), ", ".join(choices)
                near = words[folded(nearest(label, words, 1))]
                raise InputError("plan.unknown_choice", place, entry=header, known=known, nearest=near)
            found.append(words[folded(label)] if label else "")
        return found


def meant_as_percent(value: float) -> bool:
    """Whether a share above 1 may be a number of per cent: 31 may, 1.31 and 250 may not."""
    return 2.0 <= value <= 100.0


def share_high(value: float, place: Place, column: str) -> InputError:
    """The error for a share above 1, with the per cent that may be meant."""
    if not meant_as_percent(value):
        return InputError("plan.share_above", place, column=column)
    percent, share = f"{value:.12g}%", f"{value / 100:.12g}"
    return InputError("plan.share_high", place, column=column, percent=percent, share=share)


def _last_day(first: datetime.date) -> datetime.date:
    after = (first.replace(day=28) + datetime.timedelta(days=4)).replace(day=1)
    return after - datetime.timedelta(days=1)
