"""Section initiatives: what starts, when, and what it costs and brings."""

from __future__ import annotations

from optimizer.report import numbers
from optimizer.report.sheet import Sheet
from optimizer.result.activities import initiatives


def starting(sheet: Sheet) -> None:
    """Every initiative that starts: cost, benefit, and what its effects bring; nothing without
    initiatives."""
    if "start" not in sheet.solution.activities.blocks:
        return
    table = initiatives(sheet.solution)
    started = table[table["start"] != ""]
    if not len(started):
        sheet.paper.paragraph(sheet.say("initiatives_none"))
        return
    sheet.paper.heading(sheet.say("initiatives", unit=sheet.money))
    rows = [
        [
            row["initiative"],
            row["start"],
            numbers.amount(row["initiative_cost"], sheet.language),
            numbers.amount(row["initiative_benefit"], sheet.language),
        ]
        for _, row in started.sort_values("start", kind="stable").iterrows()
    ]
    columns = [sheet.column("initiative"), sheet.column("starts")]
    columns += [sheet.column("cost", True), sheet.column("benefit", True)]
    sheet.paper.table(columns, rows)
    for _, row in started.iterrows():
        if row["brings"]:
            sheet.paper.paragraph(f"{row['initiative']}: {row['brings']}", indent=2, mark="- ")
