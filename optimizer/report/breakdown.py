"""The plan by its first dimensions and by time, in one step of money, with sums that add up on the page."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from optimizer.report import numbers
from optimizer.report.layout import Column
from optimizer.report.rounding import controlled_rounding
from optimizer.report.sheet import Sheet, known_figure
from optimizer.report.words import column_word, metric_word
from optimizer.result.evaluate import figures
from optimizer.result.kpis import scope_columns

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

MOST_ROWS = 15
MOST_COLUMNS = 8
NO_HIERARCHY = frozenset({"seller", "sales_channel", "status", "customer_type", "unit"})


def breakdown(sheet: Sheet) -> None:
    """Revenue by the first market dimension and by the first hierarchy column of sellers, each by quarter."""
    for column in first_dimensions(sheet):
        _table(sheet, column)


def first_dimensions(sheet: Sheet) -> list[str]:
    """Two market dimensions and a hierarchy column of sellers, those that targets speak of first.

    Dimensions with one label or very many are left out, and so are finer ones of the first (province of
    region).
    """
    cube = sheet.solution.sellers
    own = cube.inputs.selling.sellers.labels
    spoken = {
        name
        for rule in sheet.solution.plan.rules
        if rule.kind == "target"
        for name in (*rule.each, *rule.where)
    }
    usable = [
        name
        for name in sorted(scope_columns(sheet.solution), key=lambda name: name not in spoken)
        if name.split(".")[-1] not in NO_HIERARCHY and 1 < len(_labels(sheet, name)) <= MOST_ROWS
    ]
    markets = [
        name
        for name in usable
        if name.removeprefix("market.") in cube.markets.labels and "seller." not in name
    ]
    sellers = [name for name in usable if name.removeprefix("seller.") in own and name not in markets]
    chosen = markets[:1]
    chosen += [name for name in markets[1:] if not _nested(sheet, name, markets[0])][:1]
    people = ["seller"] if 1 < len(cube.seat_names) <= MOST_ROWS else []
    return [*chosen, *(sellers or people)[:1]]


def _nested(sheet: Sheet, fine: str, coarse: str) -> bool:
    """Whether each label of `fine` belongs to one label of `coarse`."""
    labels = sheet.solution.sellers.markets.labels
    pairs = set(zip(*(labels[name.removeprefix("market.")] for name in (fine, coarse)), strict=True))
    return len(pairs) == len({first for first, _ in pairs})


def _labels(sheet: Sheet, column: str) -> set[str]:
    side, name = sheet.solution.metrics.scopes.sides(column)
    cube = sheet.solution.sellers
    return set(cube.markets.labels[name] if side == "market" else cube.inputs.selling.sellers.labels[name])


def _table(sheet: Sheet, column: str) -> None:
    solution = sheet.solution
    time = "quarter" if len(set(solution.plan.calendar.quarter)) <= MOST_COLUMNS else "year"
    found = dict(figures(solution, "revenue", [column, time]))
    labels = list(dict.fromkeys(member for member, _ in found))
    spans = list(dict.fromkeys(span for _, span in found))
    cells = np.array([[found[(label, span)] for span in spans] for label in labels])
    step = numbers.common_step(float(cells.sum()), sheet.language)
    scale = step.size / 10.0**step.decimals
    alone = column == "seller"
    whole = _rounded_alone(cells / scale) if alone else _rounded(cells / scale)
    gap = "" if sheet.language == "zh" else " "
    unit = f"{step.word}{gap}{sheet.money}".strip()
    sheet.paper.heading(
        sheet.say(
            "breakdown",
            metric=metric_word("revenue", sheet.language),
            column=column_word(column, sheet.language),
            time=column_word(time, sheet.language),
            unit=unit,
        )
    )
    texts = [
        [numbers.number(value / 10.0**step.decimals, sheet.language, step.decimals) for value in row]
        for row in whole.tolist()
    ]
    growth = _growth(sheet, column, labels)
    total = sheet.say("total")
    rows = [[label, *texts[at], growth[at]] for at, label in enumerate([*labels, total])]
    heads = [*spans, total] if len(spans) > 1 else [total]
    if len(spans) == 1:
        rows = [[row[0], row[-2], row[-1]] for row in rows]
    columns = [Column(column_word(column, sheet.language)), *(Column(head, True) for head in heads)]
    if any(growth):
        columns.append(sheet.column("growth", True))
    else:
        rows = [row[:-1] for row in rows]
    sheet.paper.table(columns, rows)
    if alone:
        sheet.paper.paragraph(sheet.say("rounded_alone"), indent=2, tone="faint")


def _rounded(cells: FloatArray) -> IntArray:
    """The table in whole steps with its sums, which are the same for every dimension: time is rounded
    first, and what that changes goes to the largest figure of each period."""
    by_time = controlled_rounding(cells.sum(axis=0)[None, :])[0, :-1]
    settled = cells.copy()
    spans = np.arange(cells.shape[1])
    settled[cells.argmax(axis=0), spans] += by_time - cells.sum(axis=0)
    return controlled_rounding(settled)


def _rounded_alone(cells: FloatArray) -> IntArray:
    """The table with its sums, each figure rounded by itself."""
    rows = np.vstack([cells, cells.sum(axis=0)])
    return np.asarray(np.rint(np.column_stack([rows, rows.sum(axis=1)])), dtype=np.int64)


def _growth(sheet: Sheet, column: str, labels: list[str]) -> list[str]:
    """Growth on last year of each label and of the company; blanks where it is not known."""
    side = sheet.solution.metrics.scopes.sides(column)[0]
    company = known_figure(sheet, "growth")
    if side != "market" or company is None:
        return [""] * (len(labels) + 1)
    found = {member[0]: value for member, value in figures(sheet.solution, "growth", [column])}
    return [sheet.percent(value, 1, sign=True) for value in (*(found[label] for label in labels), company)]
