"""The Monday page: one screen of where the year stands, why, and what has to be decided this week.

The content is put together once, as sections of texts; a terminal, an HTML file and a workbook show the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from optimizer import messages
from optimizer.model.families.share import untold_shares
from optimizer.report import numbers
from optimizer.report.layout import Column
from optimizer.report.words import figure, unit_word
from optimizer.result.solution import Solution
from optimizer.tracking.causes import PARTS, Split
from optimizer.tracking.drift import Drift, clearest
from optimizer.tracking.levels import Standing
from optimizer.tracking.measured import stage_of
from optimizer.tracking.rates import drift_reason
from optimizer.tracking.steps import TARGET, Closing, Step
from optimizer.tracking.tracking import Tracking

LIGHTS = {"green": "●", "amber": "◐", "red": "○"}
"""Signs that tell the lights apart without colour."""
_MOST_MEMBERS = 12
_MOST_LEVELS = 2
_MOST_LINES = 10
_NOTHING = 1e-6
"""A target that is missed by less of itself is met."""
_SHOWN = 12
"""Rows of the first table on one screen."""


@dataclass(frozen=True)
class Section:
    """A heading, a table with the light of each row (blank for none), and sentences below it."""

    title: str
    columns: Sequence[Column] = ()
    rows: Sequence[Sequence[str]] = ()
    lights: Sequence[str] = ()
    notes: Sequence[str] = ()
    asides: Sequence[str] = ()
    """A sentence on each row, blank where there is none: a line below the row in text, a column elsewhere."""
    aside: str = ""
    """Heading of that column."""
    rank: int = 9
    """Sections of a lower rank come first where one screen has no room for all."""
    least: int = 1
    """Rows and notes without which the section is no use on one screen."""
    brief: int = 3
    """Rows and notes that one screen shows at most."""

    @property
    def count(self) -> int:
        """Rows, or notes where it has no table."""
        return len(self.rows) or len(self.notes)


@dataclass(frozen=True)
class MondayPage:
    """The page: title, one line below it, and sections in order; empty sections are left out."""

    title: str
    subtitle: str
    language: str
    sections: tuple[Section, ...] = field(default=())


def monday_page(
    found: Tracking,
    closing: Closing,
    since: Mapping[tuple[str, str], float] | None = None,
    more: Sequence[Section] = (),
    assumed: Sequence[str] = (),
) -> MondayPage:
    """The page of a tracking.

    `closing` are the steps towards each gap, `since` is where an earlier run saw the year end, by (scope,
    member), `more` are the sections on what changed and what is to be done, and `assumed` names measures that
    were taken from the plan because facts do not tell them.
    """
    speaker = Speaker(found.comparison.solution)
    plan = found.comparison.inputs.plan
    last = np.datetime64(str(plan.spec.calendar.as_of)) - np.timedelta64(1, "D")
    sections = (
        _standings(speaker, found, closing, since),
        _goals(speaker, found, closing),
        _causes(speaker, found),
        *more,
        _drifts(speaker, found),
        _notes(speaker, found, assumed),
    )
    return MondayPage(
        plan.spec.name,
        speaker.say("subtitle", day=str(last)),
        speaker.language,
        tuple(section for section in sections if section.rows or section.notes),
    )


class Speaker:
    """Figures and sentences in the plan's language."""

    def __init__(self, solution: Solution) -> None:
        self.solution = solution
        self.language = solution.plan.spec.language

    def say(self, name: str, /, **fields: object) -> str:
        """A sentence of the page."""
        return messages.text(f"weekly.{name}", self.language, **fields)

    def money(self, value: float | None) -> str:
        """An amount with the word for its size."""
        return numbers.amount(value, self.language)

    def signed(self, value: float | None) -> str:
        """The same with a plus in front of gains."""
        return numbers.signed(self.money(value), value or 0.0)

    def percent(self, share: float | None) -> str:
        """A share in percent, with its sign."""
        return numbers.percent(share, self.language, sign=True)

    def with_currency(self, value: float) -> str:
        """A signed amount with its currency."""
        gap = "" if self.language == "zh" else " "
        return f"{self.signed(value)}{gap}{unit_word(self.solution, 'currency', self.language)}".strip()

    def cause(self, name: str) -> str:
        """A cause or rate; that of a stage with the stage's name."""
        stage = stage_of(name)
        return self.say(f"cause_{name}") if stage is None else self.say("cause_stage", stage=stage)

    def head(self, name: str, number: bool = True) -> Column:
        """A column under its heading."""
        return Column(self.say(f"head_{name}"), number)

    def member(self, scope: str, member: str) -> str:
        """A member as the page names it."""
        return member if scope else self.say("company")


def shown_scopes(solution: Solution, scopes: Sequence[str]) -> list[str]:
    """The levels that the page shows: those that targets and quotas name first, then the others, as long as
    they have few members."""
    named = [column for rule in solution.plan.rules for column in (*rule.each, *rule.where)]
    named += [column for quota in solution.plan.spec.quotas for column in quota.by]
    ordered = [*dict.fromkeys(column for column in named if column in scopes), *scopes]
    found = []
    for scope in dict.fromkeys(ordered):
        members = solution.metrics.members("revenue", [scope], {}).size
        if 1 < members <= _MOST_MEMBERS and scope not in ("status", "unit"):
            found.append(scope)
    return found[:_MOST_LEVELS]


def _shown(found: Tracking, metric: str) -> list[Standing]:
    scopes = ["", *shown_scopes(found.comparison.solution, found.comparison.scopes)]
    rows = [one for one in found.standings if one.metric == metric and one.scope in scopes]
    return sorted(rows, key=lambda one: scopes.index(one.scope))


def _standings(
    speaker: Speaker, found: Tracking, closing: Closing, since: Mapping[tuple[str, str], float] | None
) -> Section:
    columns = [
        speaker.head("member", False), speaker.head("target"), speaker.head("plan_to_date"),
        speaker.head("fact"), speaker.head("deviation"), speaker.head("weeks"), speaker.head("run_rate"),
        speaker.head("forecast"), speaker.head("gap"),
        *([] if since is None else [speaker.head("since")]), speaker.head("light", False),
    ]  # fmt: skip
    rows, lights, asides, shown = [], [], [], _shown(found, "revenue")
    without = any(one.target is None for one in shown)
    for one in shown:
        last = (since or {}).get((one.scope, one.member))
        gap = one.forecast - (one.plan if one.target is None else one.target)
        rows.append([
            speaker.member(one.scope, one.member), speaker.money(one.target or one.plan),
            speaker.money(one.plan_to_date), speaker.money(one.fact), speaker.percent(one.share),
            numbers.number(one.weeks, speaker.language, 1), speaker.money(one.run_rate),
            speaker.money(one.forecast), speaker.signed(gap),
            *([] if since is None else [_since(speaker, one, last)]),
            LIGHTS.get(one.light or "", ""),
        ])  # fmt: skip
        lights.append(one.light or "")
        asides.append(_step(speaker, found, closing, one) if gap < 0 else "")
    return Section(
        speaker.say("title_standing", currency=unit_word(speaker.solution, "currency", speaker.language)),
        columns,
        rows,
        lights,
        _how(speaker, closing) + ([speaker.say("no_target")] if without else []),
        asides,
        speaker.say("head_step"),
        rank=0,
        least=_SHOWN,
        brief=_SHOWN,
    )


def _since(speaker: Speaker, one: Standing, last: float | None) -> str:
    return numbers.UNKNOWN if last is None else speaker.signed(one.forecast - last)


def _step(speaker: Speaker, found: Tracking, closing: Closing, one: Standing) -> str:
    """The step that closes most of a gap; where none brings anything, what the gap comes from."""
    best = closing.best().get((one.scope, one.member))
    if best is not None:
        return _step_sentence(speaker, best, speaker.signed(best.gain))
    split = next(
        (
            split
            for split in found.comparison.splits
            if (split.scope, split.member) == (one.scope, one.member)
        ),
        None,
    )
    if split is None or not closing.solves or min(split.causes.values()) >= 0:
        return ""
    name = min(split.causes, key=lambda cause: split.causes[cause])
    amount = speaker.signed(split.causes[name] / PARTS)
    return speaker.say("step_none", cause=speaker.cause(name), amount=amount)


def _step_sentence(speaker: Speaker, best: Step, gain: str) -> str:
    text = speaker.say(f"step_{best.kind}", name=best.name, gain=gain)
    if best.contribution is None:
        return text
    return text + speaker.say("step_contribution", amount=speaker.signed(best.contribution))


def _goals(speaker: Speaker, found: Tracking, closing: Closing) -> Section:
    """The targets that are missed with the plan kept and are no row of the table above, red lights first; how
    many are not."""
    above = {(one.scope, one.member) for one in _shown(found, "revenue")}
    others = [one for one in found.goals if one.scope not in above]
    short = (one for one in others if one.gap < -_NOTHING * abs(one.asked))
    missed = sorted(short, key=lambda one: list(LIGHTS).index(one.light), reverse=True)
    columns = [
        speaker.head("goal", False), speaker.head("target"), speaker.head("planned_end"),
        speaker.head("forecast"), speaker.head("gap"), speaker.head("light", False),
    ]  # fmt: skip
    rows, asides, best = [], [], closing.best()
    for one in missed:
        figures = (figure(value, one.unit, speaker.language) for value in (one.asked, one.plan, one.forecast))
        gap = numbers.signed(figure(one.gap, one.unit, speaker.language), one.gap)
        rows.append([one.name, *figures, gap, LIGHTS[one.light]])
        step = best.get(one.scope or (TARGET, one.name))
        if step is not None:
            gain = numbers.signed(figure(step.gain, one.unit, speaker.language), step.gain)
            asides.append(_step_sentence(speaker, step, gain))
        else:
            asides.append(speaker.say("step_nothing") if closing.solves else "")
    notes = [speaker.say("goals_met", count=len(others) - len(missed))] if len(missed) < len(others) else []
    lights = [one.light for one in missed]
    heads = columns if rows else ()
    title, aside = speaker.say("title_goals"), speaker.say("head_step")
    return Section(title, heads, rows, lights, notes, asides, aside, rank=4, brief=_SHOWN)


def _how(speaker: Speaker, closing: Closing) -> list[str]:
    """How the steps were found, and how many were not tried."""
    if not closing.solves:
        return []
    told = [speaker.say("steps_how", solves=closing.solves)]
    return told + ([speaker.say("steps_left", count=closing.left)] if closing.left else [])


def _causes(speaker: Speaker, found: Tracking) -> Section:
    """Why fact and plan differ, for the company and the levels that are shown."""
    wanted = ["", *shown_scopes(found.comparison.solution, found.comparison.scopes)]
    splits = sorted(
        (split for split in found.comparison.splits if split.scope in wanted),
        key=lambda split: wanted.index(split.scope),
    )
    known = dict.fromkeys(cause for split in splits for cause in split.causes)
    used = [cause for cause in known if any(split.causes[cause] for split in splits)]
    columns = [speaker.head("member", False), *(Column(speaker.cause(name), True) for name in used)]
    columns.append(speaker.head("deviation_money"))
    rows = [
        [
            speaker.member(split.scope, split.member),
            *(speaker.signed(split.causes[cause] / PARTS) for cause in used),
            speaker.signed((split.fact - split.plan) / PARTS),
        ]
        for split in splits
    ]
    notes = [
        main_cause(speaker.solution, split, found.comparison.drifts) for split in splits if not split.scope
    ]
    heads, rows = (columns, rows) if used else ([], [])
    return Section(speaker.say("title_causes"), heads, rows, notes=notes, rank=4)


def main_cause(solution: Solution, split: Split, tests: Sequence[Drift]) -> str:
    """The largest cause of a deviation in one sentence, with the alert behind it where there is one."""
    speaker = Speaker(solution)
    deviation = split.fact - split.plan
    if not any(split.causes.values()):
        return speaker.say("as_planned")
    against = {cause: value for cause, value in split.causes.items() if value * (deviation or -1) > 0}
    name = max(against or split.causes, key=lambda cause: abs(split.causes[cause]))
    text = speaker.say(
        "main_cause",
        cause=speaker.cause(name),
        amount=speaker.with_currency(split.causes[name] / PARTS),
        deviation=speaker.with_currency(deviation / PARTS),
    )
    alerts = [drift_sentence(solution, one) for one in clearest(tests, name)]
    return " ".join([text, *alerts[:1]])


def drift_sentence(solution: Solution, one: Drift) -> str:
    """One drift: what was measured, what was planned, and the test."""
    speaker = Speaker(solution)
    unit = "share" if one.rate == "retention" or one.rate.startswith("conversion") else "units"
    if one.rate == "price":
        unit = "currency"
    shown = (figure(value, unit, speaker.language) for value in (one.measured, one.planned))
    measured, planned = shown
    return speaker.say(
        "drift",
        rate=speaker.cause(one.rate),
        member=speaker.member(one.scope, one.member),
        measured=measured,
        planned=planned,
        reason=drift_reason(one, speaker.language),
    )


def _drifts(speaker: Speaker, found: Tracking) -> Section:
    rates = dict.fromkeys(one.rate for one in found.comparison.drifts if one.alert)
    alerts = [one for rate in rates for one in clearest(found.comparison.drifts, rate)]
    notes = [drift_sentence(speaker.solution, one) for one in alerts[:_MOST_LINES]]
    if not notes and found.comparison.drifts:
        notes = [speaker.say("no_drift", count=len(found.comparison.drifts))]
    return Section(speaker.say("title_drift"), notes=notes, rank=7)


def _notes(speaker: Speaker, found: Tracking, assumed: Sequence[str]) -> Section:
    """What was not told: measures taken from the plan, and whose sales are in shares of territories."""
    notes = [speaker.say(f"taken_{name}") for name in assumed]
    shares = untold_shares(found.comparison.inputs)
    for key, rows in (("shares_as_planned", shares[True]), ("shares_of_rest", shares[False])):
        notes += [speaker.say(key, rows=", ".join(rows))] if rows else []
    return Section(speaker.say("title_untold"), notes=notes, brief=1)
