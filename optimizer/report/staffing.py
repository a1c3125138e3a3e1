"""Section hires: which open seats are filled, when, and what that costs."""

from __future__ import annotations

from optimizer.report import numbers
from optimizer.report.sheet import Sheet
from optimizer.result.activities import hires


def staffing(sheet: Sheet) -> None:
    """Every open seat that is filled, the hires of roles, and the names of seats that stay open; nothing
    without open seats and roles."""
    if not {"hire", "role_hire"} & set(sheet.solution.activities.blocks):
        return
    table = hires(sheet.solution)
    filled, vacant = table[table["start"] != ""], table[table["start"] == ""]
    if len(filled):
        sheet.paper.heading(sheet.say("hires", unit=sheet.money))
        names = [name for name in ("seller", "role") if name in filled.columns]
        rows = [
            [
                next(row[name] for name in names if row[name]),
                row["start"],
                numbers.amount(row["hires"], sheet.language),
                numbers.amount(row["hiring_cost"], sheet.language),
            ]
            for _, row in filled.sort_values(["start", *names], kind="stable").iterrows()
        ]
        columns = [sheet.column("seat"), sheet.column("starts")]
        columns += [sheet.column("hires", True), sheet.column("cost", True)]
        sheet.paper.table(columns, rows)
    if len(vacant):
        sellers = ", ".join(vacant["seller"])
        sheet.paper.paragraph(sheet.say("seats_stay_open", count=len(vacant), sellers=sellers))
