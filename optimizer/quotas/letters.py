"""Quota letters: one table a leaf and one page a manager, as files for the run folder."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pandas as pd

from optimizer.io.write import csv_text
from optimizer.messages import text
from optimizer.quotas.activity import Weeks
from optimizer.quotas.controls import Control, controls
from optimizer.quotas.quota import Quota
from optimizer.quotas.tables import chain_frame, letters_frame
from optimizer.quotas.wording import Words, chain_sentences, chain_title, main_reason, marks
from optimizer.report.layout import padded, text_width
from optimizer.result.solution import Solution

FOLDER = "letters"
_UNSAFE = re.compile(r"[^\w\- ]+")
_LONGEST_NAME = 60
_NAME_WIDTH = 28


def letter_files(solution: Solution, quotas: Sequence[Quota]) -> dict[str, str]:
    """Every letter by its name relative to the run folder: text of CSV tables and of pages.

    `letters/<quota> <leaf>.csv` has one row a span, with the chain of its number as columns;
    `letters/<quota> <manager>.txt` is the page of an inner node: its own number with reasons, its people.
    """
    found: dict[str, str] = {}
    for quota, prefix in zip(quotas, _prefixes(quotas), strict=True):
        names = file_names(quota, prefix, text("quotas.everything", solution.plan.spec.language))
        found |= {f"{FOLDER}/{names[node]}.csv": text for node, text in _tables(solution, quota).items()}
        items, weeks = controls(solution.plan, quota, solution.plan.spec.language), Weeks(solution, quota)
        for node in range(quota.tree.starts[-2]):
            found[f"{FOLDER}/{names[node]}.txt"] = manager_page(solution, quota, node, items, weeks)
    return found


def file_names(quota: Quota, prefix: str, everything: str) -> list[str]:
    """A file name for each node: prefix, number and labels, without signs that file systems refuse.

    A node whose labels are all `*` or signs is called `everything`.
    """
    titles = [_safe(quota.title(node)) or everything for node in range(quota.tree.size)]
    return [f"{prefix} {node:05d} {title}".strip() for node, title in enumerate(titles)]


def _safe(text: str) -> str:
    return _UNSAFE.sub("-", text)[:_LONGEST_NAME].strip(" -")


def _prefixes(quotas: Sequence[Quota]) -> list[str]:
    """The names of quotas as files begin with them; numbered where two would be the same file."""
    names = [_safe(quota.name) for quota in quotas]
    folded = [name.casefold() for name in names]
    return [
        name if name and folded.count(name.casefold()) == 1 else f"{name} ({at + 1})".strip()
        for at, name in enumerate(names)
    ]


def _tables(solution: Solution, quota: Quota) -> dict[int, str]:
    """The table of each leaf: letters and, in further columns, what each step of every number adds."""
    letters = letters_frame(solution, quota)
    leaves = range(quota.tree.size)[quota.tree.leaves]
    count = len(quota.spans.all_labels)
    chains = chain_frame(quota, list(leaves), list(range(count)))
    names = list(dict.fromkeys(chains["step"]))
    adds = chains["adds"].to_numpy().reshape(len(leaves) * count, len(names))
    for at, name in enumerate(names):
        letters[f"step_{name}"] = adds[:, at]
    return dict(zip(leaves, _parts(letters, count), strict=True))


def _parts(table: pd.DataFrame, count: int) -> list[str]:
    """The CSV text of each run of `count` rows, with the header; written once and cut, which is many times
    faster."""
    header, *lines = csv_text(table).splitlines(keepends=True)
    if len(lines) == len(table):
        return ["".join([header, *lines[at : at + count]]) for at in range(0, len(lines), count)]
    # A label with a line break takes several lines, so that lines cannot be counted.
    return [
        csv_text(table.iloc[at : at + count].reset_index(drop=True)) for at in range(0, len(table), count)
    ]


def manager_page(solution: Solution, quota: Quota, node: int, items: Sequence[Control], weeks: Weeks) -> str:
    """The page of one manager: the node's number with its reasons, and lines for everybody directly below:
    numbers, reason, and what the plan asks for in a week."""
    words = Words(quota, solution.plan.spec.language, solution.plan.spec.currency)
    last = len(quota.spans.all_labels) - 1
    lines = [chain_title(words, node, last), ""]
    lines += [f"  {sentence}" for sentence in chain_sentences(words, node, last)]
    lines += [
        "",
        _line([words.text(f"column_{name}") for name in ("node", "share", "plan", "quota", "stretch")]),
    ]
    children = np.flatnonzero(quota.tree.parent == node).tolist()
    for child in children:
        lines.append(_line(_cells(words, child)))
        notes = [*marks(words, child), main_reason(words, child), weeks.sentence(child, last, words.language)]
        lines += [f"    {note}" for note in notes if note]
    lines += ["", words.text("page_spans")]
    lines += _by_span(words, [*children, node])
    lines += ["", words.text("page_controls")]
    for item in items:
        lines.append(f"  {words.text('item_met' if item.met else 'item_open')} {item.sentence}")
    return "\n".join(lines) + "\n"


def _cells(words: Words, node: int) -> list[str]:
    quota = words.quota
    plan, carried = float(quota.plan[node].sum()), float(quota.year[node] / quota.factor[node])
    stretch = words.percent(carried / plan - 1.0) if plan > 0 else "–"
    return [
        quota.title(node),
        words.amount(float(quota.target_share[node].sum())),
        words.amount(plan),
        words.amount(float(quota.year[node])),
        stretch,
    ]


def _line(cells: Sequence[str]) -> str:
    name, *figures = cells
    wide = max(_NAME_WIDTH, text_width(name))
    return "  " + padded(name, wide) + "".join(padded(figure, 16, right=True) for figure in figures)


def _by_span(words: Words, nodes: Sequence[int]) -> list[str]:
    """One line a span: what each node carries, the manager's own sum last."""
    quota = words.quota
    lines = [_line(["", *(quota.tree.paths[node][-1] if node else quota.company for node in nodes)])]
    for at, label in enumerate(quota.spans.all_labels):
        lines.append(_line([label, *(words.amount(float(quota.wide[node, at])) for node in nodes)]))
    return lines
