"""The page of a solution: status and proof first, then the numbers that a manager reads."""

from __future__ import annotations

from collections.abc import Callable

from optimizer.report.assumed import assumed
from optimizer.report.binding import binding
from optimizer.report.breakdown import breakdown
from optimizer.report.contradiction import contradiction
from optimizer.report.funnel import funnel
from optimizer.report.layout import Paper
from optimizer.report.mode import mode
from optimizer.report.sheet import Sheet, known_figure
from optimizer.report.spending import spending
from optimizer.report.staffing import staffing
from optimizer.report.starting import starting
from optimizer.report.targets import targets
from optimizer.report.usage import usage
from optimizer.result.evaluate import figures
from optimizer.result.rows import balance_rows, outcome_rows
from optimizer.result.solution import Solution, StageOutcome, Status

NARROWEST = 76
WIDEST = 120
NOTHING = 1e-9
"""Units at or below which nothing is sold."""
PROVED = 1e-6
"""A relative distance from the bound below which a plan counts as the best one."""


def page(
    solution: Solution,
    width: int = 100,
    colour: bool = False,
    language: str | None = None,
    folder: str | None = None,
) -> str:
    """The page as text of `width` columns (76 to 120); `folder` is where the tables were written, if any.

    `language` is en, ru or zh, by default the plan's own.
    """
    paper = Paper(min(max(width, NARROWEST), WIDEST), colour)
    rows = (*outcome_rows(solution), *balance_rows(solution)) if solution.has_plan else ()
    sheet = Sheet(solution, paper, language or solution.plan.spec.language, rows)
    _title(sheet)
    _status(sheet)
    if solution.has_plan:
        _headline(sheet)
        mode(sheet)
        _notes(sheet)
        sections = (
            targets,
            breakdown,
            spending,
            funnel,
            starting,
            staffing,
            binding,
            usage,
            *_asked_for(solution),
            assumed,
        )
        for section in sections:
            section(sheet)
    elif solution.contradiction is not None:
        contradiction(sheet)
    _where_next(sheet, folder)
    return paper.text()


def _asked_for(solution: Solution) -> tuple[Callable[[Sheet], None], ...]:
    """Sections that only some plans have; quotas stand above reports and are imported where they are used."""
    if not solution.plan.spec.quotas:
        return ()
    from optimizer.quotas.run import quota_section

    return (quota_section,)


def worst_gap(solution: Solution) -> float | None:
    """The largest relative distance between a stage's figure and its proved bound; None where a stage
    proves none."""
    gaps = [_gap(stage) for stage in solution.stages if stage.result is not None]
    if any(gap is None for gap in gaps):
        return None
    return max((gap for gap in gaps if gap is not None), default=0.0)


def _gap(stage: StageOutcome) -> float | None:
    result = stage.result
    if result is None or result.objective_value is None or result.bound is None:
        return None
    distance = abs(result.objective_value - result.bound)
    # A shortfall is a share of what was asked already; every other figure is measured against itself.
    return (
        distance
        if stage.stage.unit == "share"
        else distance / max(abs(result.objective_value), stage.stage.scale)
    )


def _title(sheet: Sheet) -> None:
    plan = sheet.solution.plan
    calendar = plan.calendar
    span = calendar.period[0] if calendar.size == 1 else f"{calendar.period[0]} – {calendar.period[-1]}"
    parts = [plan.spec.name, span, *([plan.spec.currency] if plan.spec.currency else [])]
    sheet.paper.heading(" · ".join(parts))


def _status(sheet: Sheet) -> None:
    solution, paper = sheet.solution, sheet.paper
    if solution.status is Status.OPTIMAL:
        gap = worst_gap(solution)
        proof = sheet.percent(max(gap or 0.0, PROVED), 4)
        known = "open" if gap is None else "best" if gap <= PROVED else "within"
        paper.paragraph(sheet.say(_of_kind(sheet, known), gap=proof), tone="good")
    elif solution.status is Status.FEASIBLE:
        paper.paragraph(sheet.say(_of_kind(sheet, "feasible"), why=_why(sheet)), tone="bad")
        _unproved_stage(sheet)
    else:
        paper.paragraph(sheet.say(f"status_{solution.status}", why=_why(sheet)), tone="bad")
    if solution.residuals is not None:
        worst = solution.residuals.worst
        paper.paragraph(sheet.say("verified", worst=f"{worst:.0e}" if worst else "0"), tone="faint")


def _of_kind(sheet: Sheet, known: str) -> str:
    """The sentence on a plan that was looked for, or on one that is kept and is not said to be the best."""
    return f"kept_{known}" if sheet.solution.keeps else f"status_{known}"


def _why(sheet: Sheet) -> str:
    """The reason of the stop in words; one that the catalogue does not know is given as it is."""
    reason, _, limit = sheet.solution.reason.partition(": ")
    if reason == "limit":
        return sheet.say("why_limit_time") if limit == "time" else sheet.say("why_limit", limit=limit)
    return sheet.say("why_interrupted") if reason == "interrupted" else sheet.say("why_other", reason=reason)


def _unproved_stage(sheet: Sheet) -> None:
    """The first stage that is not proved, and how much better it could be."""
    for number, stage in enumerate(sheet.solution.stages, start=1):
        gap = _gap(stage)
        if stage.result is not None and stage.result.is_optimal:
            continue
        fields = {"number": number, "count": len(sheet.solution.stages), "stage": stage.stage.name}
        if gap is None:
            sheet.paper.paragraph(sheet.say("stage_open", **fields))
        else:
            sheet.paper.paragraph(sheet.say("stage_within", gap=sheet.percent(gap, 2), **fields))
        return


def _headline(sheet: Sheet) -> None:
    """Revenue, growth, contribution, and how many targets are met; in a plan without markets what it brings
    and costs instead of revenue."""
    solution = sheet.solution
    parts = _sold(sheet) if len(solution.plan.tables["markets"]) else _brought(sheet)
    asked = [row for row in sheet.rows if row["kind"] == "target"]
    if asked:
        met = sum(row["status"] in ("met", "no_denominator") for row in asked)
        parts.append(sheet.say("headline_targets", met=met, count=len(asked)))
    if parts:
        sheet.paper.paragraph(" · ".join(parts))


def _brought(sheet: Sheet) -> list[str]:
    """Leads, what marketing costs, and the contribution of initiatives, as far as the plan has them."""
    blocks, found = sheet.solution.activities.blocks, []
    for metric, unit, block in (
        ("leads", "leads", "response"),
        ("marketing_cost", "currency", "spend"),
        ("contribution", "currency", "start"),
    ):
        if block in blocks:
            value = figures(sheet.solution, metric, [])[0][1]
            found.append(sheet.say(f"headline_{metric}", value=sheet.with_unit(value, unit)))
    return found


def _sold(sheet: Sheet) -> list[str]:
    """Revenue with its growth, and contribution."""
    solution = sheet.solution
    revenue = figures(solution, "revenue", [])[0][1]
    last_year = known_figure(sheet, "last_year")
    text = sheet.say("headline_revenue", value=sheet.with_unit(revenue, "currency"))
    if last_year is not None and last_year > 0:
        growth = sheet.percent(revenue / last_year - 1.0, 1, sign=True)
        text = sheet.say(
            "headline_growth",
            value=sheet.with_unit(revenue, "currency"),
            growth=growth,
            last_year=sheet.figure(last_year, "currency"),
        )
    parts = [text]
    if solution.sellers.markets.knows_margin:
        contribution = figures(solution, "contribution", [])[0][1]
        parts.append(sheet.say("headline_contribution", value=sheet.with_unit(contribution, "currency")))
    return parts


def _notes(sheet: Sheet) -> None:
    from optimizer import messages

    for key, fields in sheet.solution.notes:
        sheet.paper.paragraph(messages.text(key, sheet.language, **fields), mark="! ")
    sales = sheet.solution.sales
    if sales is not None and sales.size and float(sales.max()) <= NOTHING:
        sheet.paper.paragraph(sheet.say("nothing_sold"), mark="! ")


def _where_next(sheet: Sheet, folder: str | None) -> None:
    """The files to open next; without a folder, how to get them."""
    paper, solution = sheet.paper, sheet.solution
    paper.heading(sheet.say("next"))
    if folder is None:
        paper.paragraph(sheet.say("next_folder"), indent=2)
        return
    names = ["run", "sales"] if solution.has_plan else []
    if solution.has_plan and solution.plan.spec.quotas:
        names.append("letters")
    if any(row["status"] in ("short", "over") for row in sheet.rows):
        names.append("shortfalls")
    if solution.marginal_values:
        names.append("marginal_values")
    if solution.contradiction is not None:
        names.append("repairs")
    if solution.inputs.assumptions:
        names.append("assumptions")
    files = {"run": "run.xlsx", "letters": "letters/"}
    entries = [
        (files.get(name, f"tables/{name}.csv"), sheet.say(f"next_{name}")) for name in [*names, "inputs"]
    ]
    entries[-1] = ("inputs/plan.yaml", entries[-1][1])
    wide = max(len(name) for name, _ in entries)
    paper.paragraph(sheet.say("next_in", folder=folder), indent=2)
    for name, sentence in entries:
        paper.paragraph(sentence, indent=4, mark=f"{name:<{wide}}  ")
