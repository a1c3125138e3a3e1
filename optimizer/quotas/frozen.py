"""Quotas that stay as another run has them: entries of `freeze` that name quotas."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from optimizer import messages
from optimizer.errors import InputError, Place
from optimizer.io.paths import resolve_inside
from optimizer.plan.names import nearest
from optimizer.plan.plan import Plan
from optimizer.plan.schema import FreezeSpec, QuotaSpec
from optimizer.quotas.hierarchy import Hierarchy

QUOTAS = "quotas"
TABLE = "tables/quotas.parquet"


def frozen_numbers(plan: Plan, spec: QuotaSpec, tree: Hierarchy) -> Iterator[tuple[int, float, str]]:
    """(leaf, number of the horizon, reason) of every leaf that an entry freezes.

    Raises `InputError` for runs without this quota or without any of its leaves, and for scopes that are not
    levels of it.
    """
    for at, entry in enumerate(plan.spec.freeze):
        if QUOTAS not in entry.what:
            continue
        place = Place(plan.file, line=plan.lines.get(("freeze", at)), value=entry.run)
        numbers = _numbers(plan, spec, tree, entry, place)
        reason = messages.text("quotas.frozen", plan.spec.language, run=entry.run)
        leaves = range(tree.size)[tree.leaves]
        known = [node for node in leaves if tree.name(node, plan.spec.name) in numbers.index]
        if not known:
            raise InputError("modes.freeze_nothing", place, what=QUOTAS, run=entry.run)
        inside = [node for node in known if _lies_in(tree, node, entry)]
        values = np.rint(numbers.loc[[tree.name(node, plan.spec.name) for node in inside]] / spec.round_to)
        yield from ((node, value * spec.round_to, reason) for node, value in zip(inside, values, strict=True))


def _numbers(
    plan: Plan, spec: QuotaSpec, tree: Hierarchy, entry: FreezeSpec, place: Place
) -> pd.Series[float]:
    """The quota of the horizon by the title of each leaf of the run."""
    path = resolve_inside(plan.folder, f"{entry.run.rstrip('/')}/{TABLE}")
    if not path.is_file():
        raise InputError("model.run_missing", place, run=entry.run, table=TABLE)
    for column in entry.where:
        if column.rpartition(".")[2] not in tree.by:
            raise InputError("modes.freeze_column", place, column=column, what=QUOTAS)
    frame = pd.read_parquet(path)
    names = list(dict.fromkeys(frame["quota"].astype(str)))
    if spec.name not in names:
        raise InputError(
            "quotas.freeze_unknown", place, name=spec.name, run=entry.run, nearest=nearest(spec.name, names)
        )
    own = frame[(frame["quota"] == spec.name) & (frame["level"] == tree.by[-1])]
    # The horizon is the last span of every node.
    return own.groupby(own["node"].astype(str), sort=False)["amount"].last()


def _lies_in(tree: Hierarchy, node: int, entry: FreezeSpec) -> bool:
    """Whether a leaf carries one of the labels of every column of a scope."""
    labels = dict(zip(tree.by, tree.paths[node], strict=True))
    for column, asked in entry.where.items():
        allowed = asked if isinstance(asked, list) else [asked]
        if labels[column.rpartition(".")[2]] not in [str(label) for label in allowed]:
            return False
    return True
