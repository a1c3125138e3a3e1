"""Why there is no plan, and what would make one possible."""

from __future__ import annotations

from collections.abc import Sequence

from optimizer.report.sheet import Sheet
from optimizer.report.words import points
from optimizer.result.solution import Repair

SHOWN = 15


def contradiction(sheet: Sheet) -> None:
    """The least change, every repair by one rule alone, and a set of rules that cannot all hold."""
    found = sheet.solution.contradiction
    if found is None:
        return
    changes = [repair for repair in found.least_change if repair.change]
    if changes:
        _list(sheet, "least_change", changes)
    alone = [repair for repair in found.single_repairs if repair.change is not None]
    if alone:
        _list(sheet, "alone", alone)
    hopeless = [repair for repair in found.single_repairs if repair.change is None]
    if hopeless and not alone:
        sheet.paper.paragraph(sheet.say("none_alone"), indent=2)
    if found.conflicting:
        title = "conflicting" if found.conflicting_is_minimal else "conflicting_unproved"
        sheet.paper.heading(sheet.say(title))
        for repair in found.conflicting[:SHOWN]:
            sheet.paper.paragraph(rule_text(sheet, repair), indent=2, mark="- ")
        _more(sheet, len(found.conflicting))


def _list(sheet: Sheet, title: str, repairs: Sequence[Repair]) -> None:
    sheet.paper.heading(sheet.say(title))
    for repair in repairs[:SHOWN]:
        sheet.paper.paragraph(change_text(sheet, repair), indent=2, mark="- ")
    _more(sheet, len(repairs))


def _more(sheet: Sheet, count: int) -> None:
    if count > SHOWN:
        sheet.paper.paragraph(sheet.say("more", count=count - SHOWN), indent=4)


def rule_text(sheet: Sheet, repair: Repair) -> str:
    """A rule with its bound: `Total: 200 units`."""
    name = sheet.say(f"family_{repair.family}", name=repair.name)
    return (
        name
        if repair.bound is None
        else sheet.say("rule_bound", name=name, bound=sheet.with_unit(repair.bound, repair.unit))
    )


def change_text(sheet: Sheet, repair: Repair) -> str:
    """A change of a bound in business units: `Total: lower 200 units by 30, to 170`."""
    name = sheet.say(f"family_{repair.family}", name=repair.name)
    change = repair.change or 0.0
    amount = (
        points(abs(change), sheet.language)
        if repair.unit == "share"
        else sheet.with_unit(abs(change), repair.unit)
    )
    direction = "raise" if change > 0 else "lower"
    if repair.bound is None:
        return sheet.say(f"change_{direction}", name=name, amount=amount)
    return sheet.say(
        f"change_{direction}_from",
        name=name,
        amount=amount,
        bound=sheet.figure(repair.bound, repair.unit),
        new=sheet.with_unit(repair.bound + change, repair.unit),
    )
