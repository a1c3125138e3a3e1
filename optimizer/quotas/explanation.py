"""`explain`: why each number is what it is, in sentences and as a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from optimizer import messages
from optimizer.errors import InputError
from optimizer.plan.names import nearest
from optimizer.quotas.activity import Weeks
from optimizer.quotas.assignment import assign
from optimizer.quotas.balance_rules import balance_names, balance_sentences, balance_table, price_sentence
from optimizer.quotas.bottom_up import reconciliation_sentences
from optimizer.quotas.controls import controls
from optimizer.quotas.fairness import price_of_fairness
from optimizer.quotas.fairness_rows import fairness_rows
from optimizer.quotas.quota import Quota
from optimizer.quotas.shortfalls import target_rows, target_sentences
from optimizer.quotas.tables import chain_frame
from optimizer.quotas.wording import Words, chain_sentences, chain_title
from optimizer.report.layout import Paper
from optimizer.result.levers import close_shortfall, find_outcomes
from optimizer.result.solution import RuleOutcome, Solution
from optimizer.settings import SolveSettings

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Question:
    """What is to be explained: nodes by their labels (column -> label), a rule by its name, or everything."""

    nodes: Mapping[str, str]
    rule: str = ""
    span: str = ""
    """Label of a period, quarter or year; the horizon where blank."""

    @property
    def is_open(self) -> bool:
        """Whether everything is asked for."""
        return not self.nodes and not self.rule


def explain(
    solution: Solution,
    question: Question,
    language: str | None = None,
    settings: SolveSettings | None = None,
    width: int = 100,
    colour: bool = False,
) -> str:
    """The page that answers a question about a solved plan.

    Raises `InputError` for nodes, rules and spans that do not exist, and like `assign`; `ValueError`
    without a plan.
    """
    _check(question)
    chosen = language or solution.plan.spec.language
    paper = Paper(width, colour)
    quotas = assign(solution)
    if question.nodes:
        _nodes(paper, solution, quotas, question, chosen)
    if question.rule in balance_names(solution):
        _balance(paper, solution, (question.rule,), chosen, settings)
    elif question.rule:
        for outcome in find_outcomes(solution, question.rule):
            _target(paper, solution, outcome, chosen, settings)
    if question.is_open:
        _everything(paper, solution, quotas, question, chosen, settings)
        if not paper.text().strip():
            paper.paragraph(messages.text("quotas.nothing_asked", chosen))
    return paper.text()


def explain_table(
    solution: Solution, question: Question, settings: SolveSettings | None = None
) -> pd.DataFrame:
    """The same answer as rows: the steps of chains, or what binds a rule and its levers.

    Raises like `explain`.
    """
    import pandas as pd

    _check(question)
    if question.rule in balance_names(solution):
        return pd.DataFrame(balance_table(solution, question.rule))
    if question.rule:
        rows: list[dict[str, Any]] = []
        for outcome in find_outcomes(solution, question.rule):
            rows += target_rows(close_shortfall(solution, outcome, settings))
        return pd.DataFrame(rows)
    quotas = assign(solution)
    if question.nodes:
        asked = find_nodes(quotas, question.nodes)
        quotas = tuple(quota for quota in quotas if any(of is quota for of, _ in asked))
    frames = []
    for quota, span in with_span(quotas, question.span):
        nodes = [node for of, node in asked if of is quota] if question.nodes else None
        frames.append(chain_frame(quota, nodes, [span]))
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()


def _check(question: Question) -> None:
    """Raise `InputError` for a span where only a rule is asked for, which has a time of its own."""
    if question.span and question.rule and not question.nodes:
        raise InputError("quotas.span_alone", span=question.span, rule=question.rule)


def find_nodes(quotas: Sequence[Quota], labels: Mapping[str, str]) -> list[tuple[Quota, int]]:
    """The nodes of each quota that have the labels (column -> label) and none below them.

    Raises `InputError` with the nearest label when no quota has such a node.
    """
    given = {column.rpartition(".")[2]: label for column, label in labels.items()}
    found: list[tuple[Quota, int]] = []
    known: dict[str, None] = {}
    for quota in quotas:
        by = list(quota.tree.by)
        for column, label in given.items():
            if column in by:
                level = by.index(column)
                known |= dict.fromkeys(path[level] for path in quota.tree.paths if len(path) > level)
            del label
        if not set(given) <= set(by):
            continue
        level = max(by.index(column) for column in given) + 1
        nodes = quota.tree.nodes(level)
        for node in range(nodes.start, nodes.stop):
            if all(quota.tree.paths[node][by.index(column)] == label for column, label in given.items()):
                found.append((quota, node))
    if not found:
        if not quotas:
            raise InputError("quotas.none_given")
        columns = list(dict.fromkeys(column for quota in quotas for column in quota.tree.by))
        unknown = next((column for column in given if column not in columns), None)
        if unknown is not None:
            raise InputError(
                "quotas.node_level",
                column=unknown,
                nearest=nearest(unknown, columns),
                levels=", ".join(columns),
            )
        text = ", ".join(f"{column}={label}" for column, label in labels.items())
        near = nearest(next(iter(given.values())), known)
        raise InputError("quotas.node_unknown", node=text, nearest=near, levels=", ".join(columns))
    return found


def with_span(quotas: Sequence[Quota], label: str) -> list[tuple[Quota, int]]:
    """The quotas that are given for a span, with its position; the horizon for a blank label.

    Raises `InputError` with the nearest label when none of them is.
    """
    if not label:
        return [(quota, len(quota.spans.all_labels) - 1) for quota in quotas]
    found = [
        (quota, quota.spans.all_labels.index(label)) for quota in quotas if label in quota.spans.all_labels
    ]
    if quotas and not found:
        labels = dict.fromkeys(known for quota in quotas for known in quota.spans.all_labels)
        raise InputError("quotas.span_unknown", span=label, nearest=nearest(label, labels))
    return found


def _nodes(
    paper: Paper, solution: Solution, quotas: Sequence[Quota], question: Question, language: str
) -> None:
    found = find_nodes(quotas, question.nodes)
    asked = [quota for quota in quotas if any(of is quota for of, _ in found)]
    for quota, span in with_span(asked, question.span):
        words = Words(quota, language, solution.plan.spec.currency)
        weeks = Weeks(solution, quota)
        for node in (node for of, node in found if of is quota):
            _chain(paper, words, node, span)
            week = weeks.sentence(node, span, language)
            if week:
                paper.paragraph(week, indent=2)


def _chain(paper: Paper, words: Words, node: int, span: int) -> None:
    paper.heading(chain_title(words, node, span))
    for sentence in chain_sentences(words, node, span):
        paper.paragraph(sentence, indent=2)


def _target(
    paper: Paper, solution: Solution, outcome: RuleOutcome, language: str, settings: SolveSettings | None
) -> None:
    closing = close_shortfall(solution, outcome, settings)
    heading, *sentences = target_sentences(solution, closing, language, settings)
    paper.heading(heading)
    for sentence in sentences:
        paper.paragraph(sentence, indent=2, mark="- ")


def _everything(
    paper: Paper,
    solution: Solution,
    quotas: Sequence[Quota],
    question: Question,
    language: str,
    settings: SolveSettings | None,
) -> None:
    """Every target and limit, then every quota of the company with fairness, check list and commitments."""
    at_ease: Counter[str] = Counter()
    for outcome in solution.outcomes:
        if outcome.kind == "target" or outcome.binds or outcome.status in ("short", "over"):
            _target(paper, solution, outcome, language, settings)
        else:
            at_ease[outcome.rule] += 1
    if at_ease:
        names = [name if count == 1 else f"{name} ({count})" for name, count in at_ease.items()]
        paper.paragraph(messages.text("quotas.why_room", language, rules=", ".join(names)))
    names = [quota.name for quota in quotas]
    for quota, span in with_span(quotas, question.span):
        words = Words(quota, language, solution.plan.spec.currency)
        _chain(paper, words, 0, span)
        for row in fairness_rows(solution.plan, quota, language):
            if row["sentence"]:
                paper.paragraph(str(row["sentence"]), indent=2, mark="- ")
        for item in controls(solution.plan, quota, language):
            word = words.text("item_met" if item.met else "item_open")
            paper.paragraph(f"{word} {item.sentence}", indent=2)
        for sentence in reconciliation_sentences(solution, quota, names, words):
            paper.paragraph(sentence, indent=2)
    _balance(paper, solution, balance_names(solution), language, settings)


def _balance(
    paper: Paper, solution: Solution, names: Sequence[str], language: str, settings: SolveSettings | None
) -> None:
    """What balance rules hold, and what the plan would bring without them."""
    if not names:
        return
    paper.heading(messages.text("quotas.price_title", language))
    for sentence in balance_sentences(solution, names, language):
        paper.paragraph(sentence, indent=2, mark="- ")
    price = price_of_fairness(solution, settings, names)
    if price is not None:
        paper.paragraph(price_sentence(solution, price, language), indent=2, mark="- ")
