"""The schema of a risk file: what is uncertain, what may happen, and how it is sampled."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from optimizer.plan.schema import Label, Labels, Number
from scenarios.schema import Category

FROM_COLUMNS = "from low/likely/high columns"
"""What `uncertain` says to take every column that has `_low` and `_high` beside it."""
STRENGTHS = {"none": 0.0, "low": 0.2, "medium": 0.5, "strong": 0.8}
"""Rank correlation that the words mean."""
Strength = Literal["none", "low", "medium", "strong"]


def _entries(value: Any) -> Any:
    return [value] if isinstance(value, str | dict) else value


class Strict(BaseModel):
    """Unknown keys are errors and values cannot be changed."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, use_attribute_docstrings=True, populate_by_name=True
    )


class UncertainSpec(Strict):
    """Numbers of one column that are not known: a factor on them, an amount added, or periods later."""

    name: Label = ""
    """Name in reports; made from table, column and member when left out."""
    table: str
    """Table of the plan."""
    column: str | None = None
    """The column; left out with `shift`."""
    each: Labels = Field(default_factory=list)
    """One uncertain number for each combination of these columns' labels; without it one for all rows."""
    where: dict[str, Any] = Field(default_factory=dict)
    """Which rows, as in scenario files."""
    multiply: Any = None
    """Distribution of a factor: {low, likely, high}, or {distribution: name, ...}."""
    add: Any = None
    """Distribution of an amount that is added, in the column's own unit."""
    shift: Any = None
    """Distribution of whole periods by which a profile comes later."""
    category: Category | None = None
    """Which numbers move together by default; that of the table when left out."""


class TogetherSpec(Strict):
    """Uncertain numbers that move together more or less than the rest of their category."""

    names: Labels
    """Names of uncertain numbers, or beginnings of them."""
    strength: Strength | Number
    """A word, or a rank correlation between -1 and 1."""


class MatrixSpec(Strict):
    """Rank correlations for experts."""

    names: Labels
    """Names of uncertain numbers; those that are not named are independent."""
    values: list[list[Number]]
    """A row a name; symmetric, with ones on the diagonal."""


class EventSpec(Strict):
    """Something that happens or not: a seller leaves, an initiative or a campaign slips, numbers change."""

    name: Label
    """Name in reports."""
    probability: Number | None = Field(default=None, gt=0, le=1)
    """Of happening within the horizon."""
    probability_year: Number | None = Field(default=None, gt=0, lt=1)
    """Of happening within a year; the horizon's is worked out."""
    each: Literal["seller"] | None = None
    """`seller`: each seller by himself, at any period; else the event happens once or not."""
    where: dict[str, Any] = Field(default_factory=dict)
    """Which sellers may leave."""
    refill_months: Number | None = Field(default=None, ge=0)
    """Months after which the seat is filled again; never when left out."""
    initiative: Label | None = None
    """The initiative that starts later than planned."""
    channel: Label | None = None
    """The channel of marketing whose spend comes later than planned."""
    delay_periods: dict[int, Number] = Field(default_factory=dict)
    """Periods of the delay -> probability, adding up to 1."""
    changes: list[dict[str, Any]] = Field(default_factory=list)
    """Changes of tables as in a scenario file, which hold when it happens."""


class ActionSpec(Strict):
    """Something that can be prepared now and done later: exactly one of initiative, resource and channel."""

    name: Label = ""
    """Name in reports; that of the initiative, resource or channel when left out."""
    initiative: Label | None = None
    """An initiative that the plan does not start; it starts as soon as it may after `visible_by`."""
    resource: Label | None = None
    """A resource of which `amount` more is bought in each later period, at its extra_price."""
    channel: Label | None = None
    """A channel of marketing on which `amount` (currency) more is spent in each later period: a reserve."""
    amount: Number | None = Field(default=None, gt=0)
    """Units of the resource, or currency on the channel, in each period after `visible_by`."""
    prepare: Number = Field(default=0, ge=0)
    """Currency that preparing costs now, whether one acts or not."""


class ContingencySpec(Strict):
    """What to prepare now, and which early sign says that it is time to act."""

    visible_by: int = Field(ge=1)
    """Periods whose figures are known when one decides to act."""
    actions: list[ActionSpec] = Field(default_factory=list)
    """What can be prepared; when left out, every initiative that the plan does not start."""
    way: Literal["reacting", "kept"] = "reacting"
    """How the plan is tried with and without the action."""
    indicators: Labels = Field(default_factory=lambda: ["revenue", "deals", "leads", "opportunities"])
    """Metrics whose figures to date are looked at, those of the company and of each member of `by`."""
    by: Labels = Field(default_factory=list)
    """Columns by which they are split; every column of markets with at most 8 labels when left out."""
    numbers: bool = True
    """Whether uncertain numbers and events are indicators too: what they have turned out to be by then."""
    futures: int = Field(default=500, ge=20, le=100_000)
    """Futures from which thresholds are found; as many fresh ones measure them."""


class DecideSpec(Strict):
    """What is decided now for many futures, and what these decisions must reach."""

    futures: int = Field(default=200, ge=2, le=10_000)
    """Futures for which is decided."""
    reduce_to: int | None = Field(default=None, ge=1)
    """A few of them that stand for all (fast forward selection)."""
    reach: dict[str, Annotated[Number, Field(gt=0, le=1)]] = Field(default_factory=dict)
    """Target (or `target: member`) -> probability with which decisions have to make it reachable."""
    time_limit: Number = Field(default=300, gt=0)
    """Seconds for the decision with `reach`."""


class RobustSpec(Strict):
    """A plan that holds while only so many of the uncertain numbers of each row turn out badly at once."""

    budget: Number = Field(default=1, ge=0)
    """How many of the numbers that move a row may be at the bad end of their range at once; it need not be
    whole. 0 is the plan as it is, a large one the worst case of each row."""
    rows: Labels = Field(default_factory=list)
    """Families (hours, demand ...) and names of rules to protect; the world and all rules when left out."""
    numbers: Labels = Field(default_factory=list)
    """Names of uncertain numbers, or beginnings of them; all of them when left out."""
    futures: int = Field(default=2000, ge=100, le=1_000_000)
    """Fresh futures in which is counted how often rows break."""


class RiskSpec(Strict):
    """A risk file."""

    name: Label
    """Name of the analysis."""
    seed: int = Field(ge=0)
    """The same seed gives the same samples, byte for byte."""
    samples: int = Field(default=2000, ge=10, le=1_000_000)
    """Futures that are drawn."""
    sampling: Literal["latin_hypercube", "sobol"] = "latin_hypercube"
    """How they are drawn; for Sobol a power of two."""
    uncertain: Annotated[list[str | UncertainSpec], BeforeValidator(_entries)] = Field(default_factory=list)
    """`from low/likely/high columns`, or a list of uncertain numbers."""
    correlation: Strength | MatrixSpec = "medium"
    """How strongly numbers of one category move together; or a matrix."""
    move_together: list[TogetherSpec] = Field(default_factory=list)
    """Exceptions."""
    events: list[EventSpec] = Field(default_factory=list)
    """What may happen."""
    worst: Number = Field(default=0.10, gt=0, lt=1)
    """Share of the futures that counts as the worst."""
    decide: DecideSpec | None = None
    """Decisions for many futures."""
    robust: RobustSpec | None = None
    """A plan that holds against a budget of uncertainty."""
    contingency: ContingencySpec | None = None
    """What to prepare now, and when to act on it."""
