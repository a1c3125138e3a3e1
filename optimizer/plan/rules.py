"""Rules as the model takes them: one metric, one scope, a lower and an upper bound, must or should."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from optimizer.errors import InputError, Place
from optimizer.plan.columns import TABLES
from optimizer.plan.names import nearest
from optimizer.plan.schema import BalanceSpec, PlanSpec, RuleSpec, StayNearSpec, ValueTable
from optimizer.plan.scopes import Known, Scope, resolved_scope
from optimizer.plan.source import KeyPath, Source
from optimizer.plan.values import meant_as_percent

Kind = Literal["target", "budget", "limit"]
Members = tuple[str, ...]
Bound = float | Mapping[Members, float]
"""One number for every member, or a number by member: the labels of the `each` columns, in their order."""
ReadValues = Callable[[ValueTable, Sequence[str], Place], list[tuple[tuple[str, ...], float, Place]]]
"""Reads a table of bounds: (labels of the `each` columns, value, place of the row) a row."""

KINDS: Mapping[str, Kind] = {"targets": "target", "budgets": "budget", "limits": "limit"}
_FORMS = ("at_least", "at_most", "equals", "between", "growth", "share_at_least", "share_at_most")
_TOGETHER = (frozenset({"at_least", "at_most"}), frozenset({"share_at_least", "share_at_most"}))
_SHARES = ("share_at_least", "share_at_most")
_LOWER = ("at_least", "equals", "growth", "share_at_least")
_UPPER = ("at_most", "equals", "share_at_most")


@dataclass(frozen=True)
class Rule:
    """`lower <= metric(where, member) <= upper` for every member of `each`.

    Bounds are in the unit of the metric, except: with `as_share` they are shares of the same metric in
    scope `of`; with `as_growth` the lower bound is the growth on last year (0.20 asks for 120 % of it); with
    a column `of` they are multiples of that column's sum over the members. A member that a mapping of bounds
    does not name has no bound.
    """

    kind: Kind
    name: str
    metric: str
    where: Scope = field(default_factory=dict)
    """Column -> labels; labels of time are the calendar's own, `{from, to}` is written out."""
    each: tuple[str, ...] = ()
    """One rule a member of these columns."""
    lower: Bound | None = None
    upper: Bound | None = None
    as_share: bool = False
    as_growth: bool = False
    of: Scope | str | None = None
    """Scope of the whole of a share (None: `where` without its last key, or `each` without its last column
    where there is no `where`), or the column whose sum multiplies the bounds."""
    must: bool = True
    priority: int | None = None
    """Stage of the shortfall of a soft rule, 1 first; None for hard rules and for rules with a penalty."""
    penalty: float | None = None
    """Currency per missed unit of the metric, for soft rules without a stage."""
    weight: float = 1.0
    sought: bool = False
    """Whether the plan looks for the largest bound that can be reached instead of asking for this one."""
    place: Place = field(default_factory=Place)

    def bounds_of(self, member: Members) -> tuple[float | None, float | None]:
        """Lower and upper bound of one member of `each` (the empty tuple without `each`)."""
        lower, upper = (
            bound.get(member) if isinstance(bound, Mapping) else bound for bound in (self.lower, self.upper)
        )
        return lower, upper


def build_rules(spec: PlanSpec, known: Known, source: Source, read_values: ReadValues) -> tuple[Rule, ...]:
    """The targets, budgets and limits of a plan file in their order, checked and with every bound resolved.

    `spec` has been `named`. Raises `InputError` where a rule contradicts itself or names what is not there.
    """
    rules = []
    for key, kind in KINDS.items():
        for at, rule in enumerate(getattr(spec, key)):
            rules.append(_Builder(rule, (key, at), kind, known, source, read_values).rule())
    return tuple(rules)


def named(spec: PlanSpec, source: Source) -> PlanSpec:
    """The plan file with a unique name for every rule; raises `InputError` when two carry the same one."""
    taken: dict[str, KeyPath] = {}
    lists = (*KINDS, "balance", "stay_near")
    for key in lists:
        for at, rule in enumerate(getattr(spec, key)):
            if rule.name and rule.name in taken:
                first = source.place(taken[rule.name])
                place = source.place((key, at, "name"), rule.name)
                raise InputError("plan.name_twice", place, name=rule.name, first=first)
            if rule.name:
                taken[rule.name] = (key, at)
    counted: Counter[str] = Counter(taken.keys())
    changes = {key: [_with_name(rule, counted) for rule in getattr(spec, key)] for key in lists}
    return spec.model_copy(update=changes)


def _with_name(rule: Any, counted: Counter[str]) -> Any:
    if rule.name:
        return rule
    base = _name_of_content(rule)
    counted[base] += 1
    return rule.model_copy(update={"name": base if counted[base] == 1 else f"{base} ({counted[base]})"})


def _name_of_content(rule: RuleSpec | BalanceSpec | StayNearSpec) -> str:
    """`revenue line=premium each region at_least 48000000`."""
    parts = [rule.metric]
    if isinstance(rule, RuleSpec | BalanceSpec):
        parts += [f"{column}={_scope_text(value)}" for column, value in rule.where.items()]
    if isinstance(rule, BalanceSpec):
        return " ".join([*parts, "across", rule.across, "by", rule.basis])
    if isinstance(rule, StayNearSpec):
        other = rule.to if isinstance(rule.to, str) else rule.to["run"]
        return " ".join([*parts, "near", other, "by", *rule.by])
    if rule.each:
        parts += ["each", *rule.each]
    for form in _FORMS:
        value = getattr(rule, form)
        if value is not None:
            parts += [form, f"{value:.12g}"] if isinstance(value, float) else [form]
    return " ".join(parts)


def _scope_text(value: object) -> str:
    if isinstance(value, list):
        return "+".join(map(str, value))
    if isinstance(value, dict):
        return f"{value.get('from', '')}..{value.get('to', '')}"
    return str(value)


@dataclass(frozen=True)
class _Builder:
    """Turns one rule of the plan file into a `Rule`."""

    spec: RuleSpec
    path: KeyPath
    kind: Kind
    known: Known
    source: Source
    read_values: ReadValues

    def rule(self) -> Rule:
        forms = self._forms()
        must = self._must()
        spec = self.spec
        where = resolved_scope(spec.where, self.known, self.source, (*self.path, "where"))
        each = self._each()
        lower, upper = self._bounds(forms, each)
        soft_stage = 1 if spec.penalty is None else None
        return Rule(
            kind=self.kind,
            name=spec.name,
            metric=spec.metric,
            where=where,
            each=each,
            lower=lower,
            upper=upper,
            as_share=any(form in _SHARES for form in forms),
            as_growth="growth" in forms,
            of=self._of(forms),
            must=must,
            priority=None if must else spec.priority or soft_stage,
            penalty=spec.penalty,
            weight=spec.weight,
            place=self.source.place(self.path),
        )

    def _place(self, key: str, value: object = None) -> Place:
        return self.source.place((*self.path, key), value)

    def _forms(self) -> list[str]:
        """The bound forms that are given: one, or a lower and an upper of one kind."""
        forms = [form for form in _FORMS if getattr(self.spec, form) is not None]
        if not forms:
            place = self.source.place(self.path)
            raise InputError("plan.rule_no_bound", place, name=self.spec.name, forms=", ".join(_FORMS))
        if len(forms) > 1 and frozenset(forms) not in _TOGETHER:
            first, second = forms[:2]
            place = self._place(second)
            raise InputError("plan.rule_two_forms", place, name=self.spec.name, first=first, second=second)
        return forms

    def _must(self) -> bool:
        spec = self.spec
        must = self.kind != "target" if spec.must is None else spec.must
        if spec.priority is not None and spec.penalty is not None:
            raise InputError("plan.rule_priority_and_penalty", self._place("penalty"), name=spec.name)
        for key in ("priority", "penalty", "weight"):
            if must and key in spec.model_fields_set and getattr(spec, key) is not None:
                raise InputError("plan.rule_must_with", self._place(key), name=spec.name, entry=key)
        return must

    def _each(self) -> tuple[str, ...]:
        columns = []
        for at, column in enumerate(self.spec.each):
            place = self.source.place((*self.path, "each", at), column)
            if column in columns:
                raise InputError("plan.each_twice", place, column=column)
            columns.append(self.known.column(column, place))
        return tuple(columns)

    def _bounds(self, forms: list[str], each: tuple[str, ...]) -> tuple[Bound | None, Bound | None]:
        lower: Bound | None = None
        upper: Bound | None = None
        for form in forms:
            if form == "between" and self.spec.between is not None:
                lower, upper = self.spec.between
                continue
            bound = self._bound(form, each)
            lower = bound if form in _LOWER else lower
            upper = bound if form in _UPPER else upper
        for member in {**_by_member(lower), **_by_member(upper)}:
            low, high = _at(lower, member), _at(upper, member)
            if low is not None and high is not None and low > high:
                raise InputError(
                    "plan.rule_empty_range",
                    self._place(forms[-1]),
                    name=self.spec.name,
                    lower=f"{low:.12g}",
                    upper=f"{high:.12g}",
                    member=" / ".join(member) or "-",
                )
        return lower, upper

    def _bound(self, form: str, each: tuple[str, ...]) -> Bound:
        raw = getattr(self.spec, form)
        place = self._place(form)
        if isinstance(raw, float):
            self._check_bound(form, raw, self._place(form, raw))
            return raw
        if not each:
            raise InputError("plan.rule_map_without_each", place, name=self.spec.name, form=form)
        if isinstance(raw, ValueTable):
            entries = self.read_values(raw, each, place)
        elif len(each) > 1:
            raise InputError("plan.rule_map_of_several", place, name=self.spec.name, form=form)
        else:
            places = {label: self.source.place((*self.path, form, label), label) for label in raw}
            entries = [((label,), value, places[label]) for label, value in raw.items()]
        return self._resolved_map(form, each, entries)

    def _resolved_map(
        self, form: str, each: tuple[str, ...], entries: list[tuple[tuple[str, ...], float, Place]]
    ) -> Bound:
        found: dict[Members, float] = {}
        for labels, value, place in entries:
            self._check_bound(form, value, place)
            member: Members = ()
            for column, label in zip(each, labels, strict=True):
                members = self.known.members(column, label, place)
                if len(members) > 1:
                    raise InputError("plan.rule_member_not_one", place, column=column, label=label)
                member += members
            if member in found:
                raise InputError("plan.rule_member_twice", place, member=" / ".join(member))
            found[member] = value
        return found

    def _check_bound(self, form: str, value: float, place: Place) -> None:
        """Shares lie between 0 and 1, and growth cannot go below -100 %."""
        if form in _SHARES and not 0.0 <= value <= 1.0:
            key = "plan.rule_share_range" if meant_as_percent(value) else "plan.rule_share_outside"
            raise InputError(key, place, name=self.spec.name, percent=f"{value:.12g}%")
        if form == "growth" and value < -1.0:
            raise InputError("plan.rule_growth_range", place, name=self.spec.name)

    def _of(self, forms: list[str]) -> Scope | str | None:
        of, is_share = self.spec.of, any(form in _SHARES for form in forms)
        if of is None:
            if is_share and not self.spec.where and not self.spec.each:
                place = self.source.place(self.path)
                raise InputError("plan.rule_share_of_itself", place, name=self.spec.name)
            return None
        place = self._place("of", of)
        if is_share != isinstance(of, dict) or "growth" in forms:
            raise InputError("plan.rule_of_form", place, name=self.spec.name)
        if isinstance(of, dict):
            return resolved_scope(of, self.known, self.source, (*self.path, "of"))
        columns = ["last_year", *number_columns(), *(name for name in self.known.labels if "." not in name)]
        if of not in columns:
            raise InputError("plan.rule_of_column", place, column=of, nearest=nearest(of, columns))
        return of


def number_columns() -> list[str]:
    """The number columns of markets and sellers, which may multiply bounds and be a basis."""
    return [
        column.name
        for table in ("markets", "sellers")
        for column in TABLES[table].columns
        if column.kind in ("number", "money")
    ]


def _by_member(bound: Bound | None) -> Mapping[Members, float]:
    if bound is None:
        return {}
    return bound if isinstance(bound, Mapping) else {(): bound}


def _at(bound: Bound | None, member: Members) -> float | None:
    return bound.get(member) if isinstance(bound, Mapping) else bound
