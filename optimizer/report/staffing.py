"""Section hires: which open seats are filled, when, and what that costs."""

from __future__ import annotations

from optimizer.report import numbers
from optimizer.report.sheet import Sheet
from optimizer.result.activities import hires


def staffing(sheet: Sheet) -> None:
    """Every open seat that is filled, and the names of those that stay open; nothing without open seats."""
    if "hire" not in sheet.solution.activities.blocks:
        return
    table = hires(sheet.solution)
    filled, vacant = table[table["start"] != ""], table[table["start"] == ""]
    if len(filled):
        sheet.paper.heading(sheet.say("hires", unit=sheet.money))
        rows = [
            [row["seller"], row["start"], numbers.amount(row["hiring_cost"], sheet.language)]
            for _, row in filled.sort_values(["start", "seller"], kind="stable").iterrows()
        ]
        columns = [sheet.column("seat"), sheet.column("starts"), sheet.column("cost", True)]
        sheet.paper.table(columns, rows)
    if len(vacant):
        names = ", ".join(vacant["seller"])
        sheet.paper.paragraph(sheet.say("seats_stay_open", count=len(vacant), sellers=names))
