"""A risk file read against its plan: variables, events, and the correlation that is asked."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from optimizer.errors import InputError
from optimizer.io.yaml import load_yaml
from optimizer.plan.load import as_written
from optimizer.plan.names import nearest
from optimizer.plan.problems import explained
from optimizer.plan.source import Source
from scenarios.base import Base
from scenarios.risk.events import Event, events_of
from scenarios.risk.further import NOTHING, Further
from scenarios.risk.sampling import check_correlation, correlated, uniforms
from scenarios.risk.schema import STRENGTHS, MatrixSpec, RiskSpec
from scenarios.risk.uncertain import Variable, variables_of

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

FRESH = 1_000_003
"""What is added to the seed for samples that no decision has seen."""


@dataclass(frozen=True)
class Draws:
    """N futures: uniform numbers of the variables (N, V) and outcomes of the events (N, E)."""

    u: FloatArray
    outcomes: IntArray

    def __len__(self) -> int:
        return len(self.u)

    @property
    def digest(self) -> str:
        """SHA-256 of the samples' bytes."""
        found = hashlib.sha256(np.ascontiguousarray(self.u).tobytes())
        found.update(np.ascontiguousarray(self.outcomes).tobytes())
        return found.hexdigest()

    def taken(self, rows: Sequence[int] | IntArray) -> Draws:
        """Some of the futures."""
        return Draws(self.u[rows], self.outcomes[rows])

    def joined(self, other: Draws) -> Draws:
        """These futures and then the others."""
        return Draws(np.concatenate([self.u, other.u]), np.concatenate([self.outcomes, other.outcomes]))


@dataclass(frozen=True)
class Risk:
    """A risk file: what may happen to this plan."""

    spec: RiskSpec
    base: Base
    source: Source
    variables: tuple[Variable, ...]
    events: tuple[Event, ...]
    correlation: FloatArray
    further: Further = NOTHING
    """What is measured beside the plan's own figures."""

    def draws(self, samples: int | None = None, fresh: int = 0) -> Draws:
        """The samples of the file's seed; `fresh` gives others, which are independent of them."""
        count, seed = samples or self.spec.samples, self.spec.seed + fresh * FRESH
        place, method = self.source.place(("samples",)), self.spec.sampling
        known = len(self.variables)
        points = uniforms(seed, count, known + len(self.events), method, place)
        u = correlated(points[:, :known], self.correlation)
        outcomes = [event.outcome(points[:, known + at]) for at, event in enumerate(self.events)]
        return Draws(u, np.stack(outcomes, axis=1) if outcomes else np.zeros((count, 0), dtype=np.int64))

    def __reduce__(self) -> Any:
        """Travels as its file: quantiles are functions, which do not."""
        return risk_of, (self.spec, self.base, self.source, self.further)

    @property
    def likely(self) -> Draws:
        """The one future in which nothing happens; its uniforms are not used."""
        return Draws(
            np.full((1, len(self.variables)), np.nan), np.zeros((1, len(self.events)), dtype=np.int64)
        )

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the file's content."""
        return hashlib.sha256(self.spec.model_dump_json().encode()).hexdigest()


def load_risk(base: Base, path: str | Path) -> Risk:
    """Read a risk file of a plan; raises `InputError` with file, line and the way out."""
    file = Path(path)
    document = load_yaml(file, file.name)
    source = Source(file.name, document.lines)
    try:
        spec = RiskSpec.model_validate(as_written(document))
    except ValidationError as error:
        raise explained(error, source, known=list(RiskSpec.model_fields)) from None
    return risk_of(spec, base, source)


def risk_of(spec: RiskSpec, base: Base, source: Source | None = None, further: Further = NOTHING) -> Risk:
    """A risk file in memory; raises like `load_risk`."""
    source = source or Source("risk")
    if not spec.uncertain and not spec.events:
        raise InputError("risk.nothing_uncertain", source.place(("name",)))
    variables = variables_of(spec, base.content.tables, source, base.folder)
    events = events_of(spec, base.plan, source)
    correlation = _correlation(spec, variables, source)
    return Risk(spec, base, source, variables, events, correlation, further)


def _correlation(spec: RiskSpec, variables: Sequence[Variable], source: Source) -> FloatArray:
    """The rank correlation of the variables (V, V)."""
    if isinstance(spec.correlation, MatrixSpec):
        matrix = _given_matrix(spec.correlation, variables, source)
    else:
        same = np.array([[a.category == b.category for b in variables] for a in variables], dtype=np.bool_)
        matrix = np.where(same.reshape(len(variables), -1), STRENGTHS[spec.correlation], 0.0)
        np.fill_diagonal(matrix, 1.0)
    for at, entry in enumerate(spec.move_together):
        found = [
            _named(name, variables, source, ("move_together", at, "names", place))
            for place, name in enumerate(entry.names)
        ]
        strength = STRENGTHS.get(str(entry.strength), entry.strength)
        value = float(strength)
        if not -1.0 <= value <= 1.0:
            raise InputError("risk.matrix_form", source.place(("move_together", at, "strength"), value))
        for first, group in enumerate(found):
            others = [place for other in found[first + 1 :] for place in other] or group
            for one in group:
                for other in others:
                    if one != other:
                        matrix[one, other] = matrix[other, one] = value
    return np.asarray(matrix, dtype=np.float64)


def _given_matrix(given: MatrixSpec, variables: Sequence[Variable], source: Source) -> FloatArray:
    values = np.array(given.values, dtype=np.float64) if given.values else np.zeros((0, 0))
    place = source.place(("correlation", "values"))
    if values.shape != (len(given.names), len(given.names)):
        raise InputError("risk.matrix_form", place)
    check_correlation(values, place)
    positions = []
    for at, name in enumerate(given.names):
        found = _named(name, variables, source, ("correlation", "names", at))
        positions.append(found[0])
    matrix = np.eye(len(variables))
    matrix[np.ix_(positions, positions)] = values
    return matrix


def _named(name: str, variables: Sequence[Variable], source: Source, path: Any) -> list[int]:
    """The variables of this name, or whose name begins with it; raises `InputError` when there is none."""
    names = [variable.name for variable in variables]
    exact = [at for at, known in enumerate(names) if known == name]
    found = exact or [at for at, known in enumerate(names) if known.startswith(name)]
    if not found:
        raise InputError(
            "risk.name_unknown", source.place(path, name), name=name, nearest=nearest(name, names)
        )
    return found
