"""Chains: blocks whose curves follow each other, so that a level and the last decision tell what was before.

A chain of n steps is a block of the form

    level[0] = opening + gain decision[0],    level[t] = keep level[t-1] + gain decision[t]
    output[t] <= curve[t](level[t]),    sum_u use[u] / amount[u] <= output[t]  for every group of uses u of t
    lower[t] <= decision[t] <= upper[t],    -fall[t] <= decision[t] - decision[t-1] <= rise[t]

with nothing but bounds at 0 on the uses, perhaps one binary on which the bounds of decisions depend, and
perhaps further rows over decisions. Everything is in the units of the original program. Levels may be the
decisions themselves.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from solvers.curves.blocks import Block
from solvers.curves.prepared import Prepared
from solvers.curves.table import CurveTable, make_table
from solvers.program import FloatArray, IntArray

_SAME = 1e-9
"""Coefficients that differ by this share are the same."""
_UNITS, _MOST_UNITS = 24, 100
_SHARPEST = 1e3
"""A second derivative, in units of domain and rise of its curve, that no lattice is fine enough for."""


@dataclass(frozen=True)
class Case:
    """What decisions (n,) may be at one value of the binary; `fall` and `rise` (n,) are counted from the step
    before and of no account for the first one."""

    switched: float
    lower: FloatArray
    upper: FloatArray
    fall: FloatArray
    rise: FloatArray
    further: FloatArray
    further_lower: FloatArray
    further_upper: FloatArray

    def broken(self, decisions: FloatArray) -> tuple[FloatArray, float] | None:
        """The further row that is broken most, as row (n,) and side of row x >= side; None where all hold."""
        activity = self.further @ decisions
        sides = [
            np.where(np.isfinite(side), np.abs(side), 0.0)
            for side in (self.further_lower, self.further_upper)
        ]
        size = np.maximum(np.abs(self.further) @ np.abs(decisions), np.maximum(*sides)) + 1e-300
        below, above = (self.further_lower - activity) / size, (activity - self.further_upper) / size
        if max(below.max(initial=0.0), above.max(initial=0.0)) <= _SAME:
            return None
        if below.max(initial=-np.inf) >= above.max(initial=-np.inf):
            row = int(below.argmax())
            return self.further[row], float(self.further_lower[row])
        row = int(above.argmax())
        return -self.further[row], -float(self.further_upper[row])


@dataclass(frozen=True)
class Uses:
    """What outputs are used for: column, group, step (u,), and units that one unit of output is enough for;
    the step (g,) of each group."""

    column: IntArray
    group: IntArray
    amount: FloatArray
    step: IntArray


@dataclass(frozen=True)
class Chain:
    """Columns of the steps (n,) and of the binary (-1 for none), numbers of the curves in the prepared
    program, and their formulas in original units: curve `formula[t]` of `table`. Steps of lattices are whole
    parts of `unit`."""

    decisions: IntArray
    levels: IntArray
    outputs: IntArray
    uses: Uses
    switch: int
    keep: float
    gain: float
    opening: float
    curves: IntArray
    table: CurveTable
    formula: IntArray
    cases: tuple[Case, ...]
    unit: float

    @property
    def size(self) -> int:
        """Number of steps."""
        return int(self.decisions.size)

    def powers(self) -> FloatArray:
        """keep^0 .. keep^(n-1)."""
        powers: FloatArray = np.float64(self.keep) ** np.arange(self.size, dtype=np.float64)
        return powers

    def levels_at(self, decisions: FloatArray) -> FloatArray:
        """Levels (n,) that decisions (n,) lead to."""
        levels, last = np.empty(self.size), 0.0
        for step, decision in enumerate(decisions.tolist()):
            last = (self.keep * last if step else self.opening) + self.gain * decision
            levels[step] = last
        return levels


def find_chain(prepared: Prepared, block: Block) -> Chain | None:
    """The block as a chain; None where it is none."""
    found = _Finder(prepared, block)
    return found.chain() if found.has_simple_curves() else None


class _Finder:
    """One block in the units of the original program, its rows turned into dense ones."""

    def __init__(self, prepared: Prepared, block: Block) -> None:
        self._prepared, self._program = prepared, prepared.extended
        program = self._program
        self._own = block.columns[block.columns < program.num_columns]
        rows = block.rows[block.rows < program.num_rows]
        self._matrix = sparse.csr_array(program.matrix)[rows][:, self._own].toarray()
        self._lower, self._upper = program.row_lower[rows], program.row_upper[rows]
        self._curves = np.flatnonzero(np.isin(prepared.inputs, self._own))
        self._left = np.ones(rows.size, dtype=bool)

    def has_simple_curves(self) -> bool:
        """Whether every curve is one of the original program, an upper bound, and of an input of its own."""
        prepared, curves = self._prepared, self._curves
        inputs, outputs = prepared.inputs[curves], prepared.outputs[curves]
        return bool(
            curves.size > 1
            and (prepared.sign[curves] > 0).all()
            and not prepared.equal[curves].any()
            and (outputs < prepared.original.program.num_columns).all()
            and np.unique(inputs).size == curves.size
            and not self._program.integer[inputs].any()
            and not np.isin(inputs, outputs).any()
        )

    def chain(self) -> Chain | None:
        """The chain, part by part."""
        self._curves = self._curves[np.argsort(self._prepared.inputs[self._curves], kind="stable")]
        inputs, outputs = (side[self._curves] for side in (self._prepared.inputs, self._prepared.outputs))
        uses = self._uses(outputs)
        switches = self._own[self._program.integer[self._own]]
        if uses is None or switches.size > 1:
            return None
        others = np.setdiff1d(self._own, np.concatenate([inputs, outputs, uses.column, switches]))
        decisions = others if others.size else inputs
        dynamics = self._dynamics(decisions, inputs)
        if dynamics is None or not self._usable(decisions, outputs, uses, switches):
            return None
        cases = self._cases(decisions, switches, self._most(decisions, dynamics))
        formulas = self._formulas()
        if cases is None or formulas is None:
            return None
        switch = int(switches[0]) if switches.size else -1
        found = Chain(
            decisions, inputs, outputs, uses, switch, *dynamics, self._curves, *formulas, cases, _unit(cases)
        )
        return found if found.unit > 0.0 and self._reaches(found) else None

    def _reaches(self, chain: Chain) -> bool:
        """Whether outputs are bounded by their curves alone."""
        levels = chain.levels_at(np.max([case.upper for case in chain.cases], axis=0))
        most = chain.table.value(chain.formula, np.maximum(levels, 0.0))
        return bool((most <= self._program.column_upper[chain.outputs] * (1.0 + _SAME)).all())

    def _places(self, columns: IntArray) -> IntArray:
        return np.searchsorted(self._own, columns)

    def _uses(self, outputs: IntArray) -> Uses | None:
        """Rows with an output and their other columns, which are in no other row; None for other forms."""
        matrix, place = self._matrix, self._places(outputs)
        rows = np.flatnonzero((matrix[:, place] != 0).any(axis=1))
        self._left[rows] = False
        side = np.where(self._upper[rows] == 0.0, 1.0, -1.0)
        part = matrix[rows] * side[:, None]
        lower, upper = self._lower[rows], self._upper[rows]
        one_sided = ((upper == 0.0) & np.isneginf(lower)) | ((lower == 0.0) & np.isposinf(upper))
        taken = part[:, place]
        part[:, place] = 0.0
        if not (
            one_sided.all() and ((taken < 0).sum(axis=1) == 1).all() and ((taken != 0).sum(axis=1) == 1).all()
        ):
            return None
        group, column = np.nonzero(part)
        alone = (matrix[:, column] != 0).sum(axis=0) == 1
        if not (alone.all() and (part[group, column] > 0).all()):
            return None
        step = (taken != 0).argmax(axis=1)
        made = -taken[np.arange(rows.size), step]
        return Uses(self._own[column], group, made[group] / part[group, column], step)

    def _usable(self, decisions: IntArray, outputs: IntArray, uses: Uses, switches: IntArray) -> bool:
        """Whether outputs and uses have no lower bounds but 0, and decisions are continuous and bounded."""
        program = self._program
        used = np.zeros(outputs.size, dtype=bool)
        used[uses.step] = True
        lower = program.column_lower[outputs]
        fine = (lower == 0.0) | (np.isneginf(lower) & used)
        binary = (program.column_lower[switches] >= 0.0) & (program.column_upper[switches] <= 1.0)
        return bool(
            fine.all()
            and np.isposinf(program.column_upper[uses.column]).all()
            and (program.column_lower[uses.column] == 0.0).all()
            and not program.integer[np.concatenate([decisions, uses.column])].any()
            and np.isfinite(program.column_lower[decisions]).all()
            and binary.all()
        )

    def _dynamics(self, decisions: IntArray, inputs: IntArray) -> tuple[float, float, float] | None:
        """keep, gain and opening, from the equations that tie levels to decisions."""
        size = inputs.size
        if decisions is inputs:
            return 0.0, 1.0, 0.0
        at = self._places(inputs)
        rows = np.flatnonzero((self._matrix[:, at] != 0).any(axis=1))
        self._left[rows] = False
        equations = self._lower[rows] == self._upper[rows]
        outside = np.setdiff1d(np.arange(self._own.size), np.concatenate([at, self._places(decisions)]))
        if decisions.size != size or rows.size != size or not equations.all():
            return None
        square, matrix = self._matrix[np.ix_(rows, at)], self._matrix[rows]
        if (matrix[:, outside] != 0).any() or np.linalg.matrix_rank(square) < size:
            return None
        solved = np.linalg.solve(
            square, np.column_stack([-matrix[:, self._places(decisions)], self._lower[rows]])
        )
        response, constant = solved[:, :size], solved[:, size]
        gain = float(response[0, 0])
        keep = float(response[1, 0] / gain) if gain > 0 else -1.0
        age = np.subtract.outer(np.arange(size), np.arange(size))
        if not 0.0 <= keep <= 1.0:
            return None
        wanted = np.where(age >= 0, gain * keep ** np.maximum(age, 0), 0.0)
        opening = float(constant[0])
        close = np.abs(response - wanted) <= _SAME * gain
        settled = np.abs(constant - opening * keep ** np.arange(size)) <= _SAME * (gain + abs(opening))
        return (keep, gain, opening) if close.all() and settled.all() else None

    def _domain(self) -> tuple[FloatArray, FloatArray]:
        """Where levels (n,) may be, in original units."""
        unit = self._prepared.scaling.columns[self._prepared.inputs[self._curves]]
        return self._prepared.low[self._curves] * unit, self._prepared.high[self._curves] * unit

    def _most(self, decisions: IntArray, dynamics: tuple[float, float, float]) -> FloatArray:
        """Upper bounds of decisions; what the levels leave them where they have none of their own."""
        keep, gain, opening = dynamics
        (low, high), own = self._domain(), self._program.column_upper[decisions]
        before = np.concatenate([[opening], keep * low[:-1]])
        return np.where(np.isfinite(own), own, (high - before) / gain)

    def _cases(self, decisions: IntArray, switches: IntArray, most: FloatArray) -> tuple[Case, ...] | None:
        """Bounds of decisions at every value of the binary; None where a row is about anything else."""
        at, switch = self._places(decisions), self._places(switches)
        rows = np.flatnonzero(self._left & (self._matrix != 0).any(axis=1))
        other = np.setdiff1d(np.arange(self._own.size), np.concatenate([at, switch]))
        if (self._matrix[np.ix_(rows, other)] != 0).any():
            return None
        part, moved = self._matrix[np.ix_(rows, at)], self._matrix[np.ix_(rows, switch)].sum(axis=1)
        program, cases = self._program, []
        for value in (0.0, 1.0) if switches.size else (0.0,):
            bounds = (program.column_lower[decisions], most)
            sides = (self._lower[rows] - moved * value, self._upper[rows] - moved * value)
            case = _case(value, bounds, part, sides)
            if not np.isfinite(case.upper).all() or min(case.fall.min(), case.rise.min()) < 0.0:
                return None
            cases.append(case)
        return tuple(cases)

    def _formulas(self) -> tuple[CurveTable, IntArray] | None:
        """The different curves in original units; None where one is too sharp somewhere."""
        prepared = self._prepared
        terms = {term.output_column: term.curve for term in prepared.original.curves}
        named = [terms[output] for output in prepared.outputs[self._curves].tolist()]
        different = [one for place, one in enumerate(named) if one not in named[:place]]
        table, formula = make_table(different), np.array([different.index(one) for one in named])
        low, high = self._domain()
        sharpest = table.sharpest(formula, np.zeros(high.size), high)
        rise = table.value(formula, high) - table.value(formula, low)
        tame = sharpest * high**2 <= _SHARPEST * rise
        return (table, formula) if tame.all() else None


def _case(
    value: float,
    bounds: tuple[FloatArray, FloatArray],
    matrix: FloatArray,
    sides: tuple[FloatArray, FloatArray],
) -> Case:
    """Rows over decisions as bounds of one, of the difference to the step before, or as further rows."""
    size = matrix.shape[1]
    lower, upper = bounds[0].copy(), bounds[1].copy()
    fall, rise = np.full(size, np.inf), np.full(size, np.inf)
    kept = []
    for row in range(matrix.shape[0]):
        there = np.flatnonzero(matrix[row])
        if not there.size:
            # What the binary alone breaks is left to `further`.
            kept.append(row)
            continue
        last = int(there[-1])
        factor = matrix[row, last]
        low, high = _sorted(sides[0][row] / factor, sides[1][row] / factor)
        if there.size == 1:
            lower[last], upper[last] = max(lower[last], low), min(upper[last], high)
        elif _is_difference(matrix[row], there):
            fall[last], rise[last] = min(fall[last], -low), min(rise[last], high)
        else:
            kept.append(row)
    return Case(value, lower, upper, fall, rise, matrix[kept], sides[0][kept], sides[1][kept])


def _unit(cases: tuple[Case, ...]) -> float:
    """A length of decisions of which lattices have whole parts: about a 24th of what they may be, and a whole
    part of the smallest difference, so that rounding widens that by nothing."""
    span = max(float(case.upper.max() - case.lower.min()) for case in cases)
    widths = np.concatenate([side[1:] for case in cases for side in (case.fall, case.rise)])
    least = float(widths[widths > 0].min(initial=span))
    if span <= 0.0 or least * _MOST_UNITS < span:
        return span / _UNITS
    return least / max(1.0, float(np.round(_UNITS * least / span)))


def _sorted(one: float, other: float) -> tuple[float, float]:
    """The lower side and the upper one."""
    return (one, other) if one <= other else (other, one)


def _is_difference(row: FloatArray, there: IntArray) -> bool:
    if there.size != 2 or there[1] != there[0] + 1:
        return False
    first, last = row[there].tolist()
    return bool(abs(first + last) <= _SAME * abs(last))
