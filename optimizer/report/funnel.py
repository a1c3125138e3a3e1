"""Section funnel: customers, what a seller has to do in a week, and what comes after the horizon."""

from __future__ import annotations

import numpy as np

from optimizer import messages
from optimizer.report import numbers
from optimizer.report.layout import Column
from optimizer.report.sheet import Sheet
from optimizer.result.evaluate import figures
from optimizer.result.funnel import activities, customers, has_stages


def funnel(sheet: Sheet) -> None:
    """The lines of a plan whose deals come from opportunities; nothing for other plans."""
    if sheet.solution.inputs.funnel is None:
        return
    _after(sheet)
    _activities(sheet)
    _customers(sheet)


def _say(sheet: Sheet, name: str, **fields: object) -> str:
    return messages.text(f"funnel.{name}", sheet.language, **fields)


def _after(sheet: Sheet) -> None:
    """The contribution of run-out periods, which the plan counts and no figure shows."""
    solution = sheet.solution
    cube = solution.model.cube
    money = next((stage for stage in solution.stages if stage.stage.kind == "money"), None)
    priced = any(rule.penalty for rule in solution.plan.rules)
    if cube.num_periods == cube.num_planned or money is None or money.value is None or priced:
        return
    inside = figures(solution, "contribution", [])[0][1]
    periods = cube.calendar.period
    fields = {"first": periods[cube.num_planned], "last": periods[-1]}
    value = sheet.with_unit(money.value - inside, "currency")
    sheet.paper.paragraph(_say(sheet, "after", value=value, **fields))


def _activities(sheet: Sheet) -> None:
    """Deals that enter each stage: in all, and of an average seller in a week."""
    solution = sheet.solution
    if not has_stages(solution):
        return
    stages = solution.inputs.funnel
    assert stages is not None
    total = activities(solution).sum(axis=(0, 2))
    if not total.any():
        return
    cube = solution.sellers
    weeks = float(cube.calendar.days.sum()) / 7.0
    busy = np.unique(cube.pair_seat[activities(solution).any(axis=(1, 2))])
    sheet.paper.heading(_say(sheet, "activities"))
    rows = [
        [name, numbers.amount(all_, sheet.language), numbers.amount(all_ / weeks / len(busy), sheet.language)]
        for name, all_ in zip(stages.stages.names, total.tolist(), strict=True)
    ]
    columns = [_column(sheet, "stage"), _column(sheet, "deals", True), _column(sheet, "a_week", True)]
    sheet.paper.table(columns, rows)


def _customers(sheet: Sheet) -> None:
    """Customers of each group at the start and at the end."""
    if "customers" not in sheet.solution.activities.blocks:
        return
    table = customers(sheet.solution)
    sheet.paper.heading(_say(sheet, "customers"))
    rows = []
    for name, own in table.groupby("group", sort=False):
        figures_of = [
            own["customers_before"].iloc[0],
            own["joined"].sum(),
            own["left"].sum(),
            own["customers"].iloc[-1],
            own["orders"].sum(),
        ]
        rows.append([str(name), *(numbers.amount(value, sheet.language) for value in figures_of)])
    names = ("start", "joined", "left", "end", "orders")
    sheet.paper.table([_column(sheet, "group"), *(_column(sheet, name, True) for name in names)], rows)


def _column(sheet: Sheet, name: str, number: bool = False) -> Column:
    return Column(_say(sheet, f"head_{name}"), number)
