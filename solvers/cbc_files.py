"""How CBC and we talk: a model in MPS, the values in its binary solution file, and its log."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import sparse

from solvers.options import Progress
from solvers.program import BoolArray, FloatArray, LinearProgram

_REJECTED = re.compile(r"^(No|Multiple|Short) match|^<Possible options|is illegal for|was provided for")
_NODES = re.compile(r"After \d+ nodes, .* (\S+) best solution, best possible (\S+) \((\S+) seconds\)")
_BOUND = re.compile(r"Lower bound:\s+(-?\d+(?:\.(\d*))?)$")
_COUNT = re.compile(r"(Enumerated nodes|Total iterations):\s+(\d+)$")
_TORN = re.compile(r"thinks problem is unbounded|infeasible AND unbounded|says infeasible or unbounded")
_OUTCOME = "Result - "
_NO_INCUMBENT = 1e49


@dataclass(frozen=True)
class CbcValues:
    """Values `x` (n,), row prices `duals` (m,) and `reduced_costs` (n,), in the sense of our program."""

    x: FloatArray
    duals: FloatArray
    reduced_costs: FloatArray


@dataclass(frozen=True)
class CbcLog:
    """What only the log tells: the `outcome` of the search in CBC's words, the proved `bound`, `counts` by
    CBC's names, the line of a `rejected` option, and whether it was `torn` between two reasons."""

    outcome: str
    bound: float | None
    counts: Mapping[str, int]
    rejected: str | None
    torn: bool


def kept_rows(program: LinearProgram) -> BoolArray:
    """Rows (m,) that bound anything; the reader of MPS files drops the others."""
    return np.asarray(np.isfinite(program.row_lower) | np.isfinite(program.row_upper))


def sense(program: LinearProgram) -> float:
    """1 to minimise and -1 to maximise: CBC is always asked to minimise `sense * objective`."""
    return -1.0 if program.maximize else 1.0


def write_model(program: LinearProgram, path: Path) -> None:
    """Write free MPS with columns c0, c1, ... and rows r0, r1, ..., numbers as shortest exact decimals.

    Names come from positions, because names of people's making may collide once spaces are replaced.
    """
    kept = kept_rows(program)
    lower, upper = program.row_lower[kept], program.row_upper[kept]
    kinds = np.select([lower == upper, np.isinf(lower), np.isinf(upper)], ["E", "L", "G"], "L")
    sides = np.where(kinds == "G", lower, upper).tolist()
    ranged = np.flatnonzero(np.isfinite(lower) & np.isfinite(upper) & (lower != upper))
    widths = (upper - lower)[ranged].tolist()
    lines = [
        "NAME model FREE",
        "ROWS",
        " N cost",
        *(f" {kind} r{row}" for row, kind in enumerate(kinds.tolist())),
        "COLUMNS",
        *_column_lines(program, kept),
        "RHS",
        f" RHS cost {-sense(program) * program.offset!r}",
        *(f" RHS r{row} {side!r}" for row, side in enumerate(sides)),
        "RANGES",
        *(f" RNG r{row} {width!r}" for row, width in zip(ranged.tolist(), widths, strict=True)),
        "BOUNDS",
        *_bound_lines(program),
        "ENDATA\n",
    ]
    path.write_text("\n".join(lines))


def read_values(program: LinearProgram, path: Path) -> CbcValues:
    """Read what `-saveSolution` wrote: two int32, objective, activities, prices, values, reduced costs."""
    kept = kept_rows(program)
    sizes = np.cumsum([1, kept.sum(), kept.sum(), program.num_columns])
    numbers = np.frombuffer(path.read_bytes(), dtype=np.float64, offset=8)
    _, _, prices, x, reduced_costs = np.split(numbers, sizes)
    duals = np.zeros(program.num_rows)
    duals[kept] = sense(program) * prices
    return CbcValues(x.copy(), duals, sense(program) * reduced_costs)


def read_log(program: LinearProgram, lines: Sequence[str]) -> CbcLog:
    """Read the log. Its bound is printed rounded, so it is weakened by half of the last digit."""
    bound = None
    for found in filter(None, map(_BOUND.match, lines)):
        bound = sense(program) * (float(found[1]) - 0.5 * 10.0 ** -len(found[2] or ""))
    return CbcLog(
        outcome=next((line.removeprefix(_OUTCOME) for line in lines if line.startswith(_OUTCOME)), ""),
        bound=bound,
        counts={found[1]: int(found[2]) for found in map(_COUNT.match, lines) if found},
        rejected=next((line for line in lines if _REJECTED.search(line)), None),
        torn=any(_TORN.search(line) for line in lines),
    )


def read_progress(program: LinearProgram, line: str) -> Progress | None:
    """The progress that a line of the log reports, or None."""
    found = _NODES.search(line)
    if not found:
        return None
    objective, bound, seconds = map(float, found.groups())
    if abs(objective) > _NO_INCUMBENT:
        return Progress(seconds, bound=sense(program) * bound)
    gap = abs(objective - bound) / max(1e-10, abs(objective))
    return Progress(seconds, sense(program) * objective, sense(program) * bound, gap)


def _column_lines(program: LinearProgram, kept: BoolArray) -> list[str]:
    """The entries by column, the cost first (so that no column is lost), between markers where integer."""
    n = program.num_columns
    costs = sparse.csr_array((sense(program) * program.objective, np.arange(n), [0, n]), shape=(1, n))
    matrix = sparse.vstack([costs, program.matrix.tocsr()[kept]], format="csc")
    rows = ["cost", *(f"r{row}" for row in range(matrix.shape[0] - 1))]
    columns = np.repeat(np.arange(n), np.diff(matrix.indptr)).tolist()
    terms = zip(columns, matrix.indices.tolist(), matrix.data.tolist(), strict=True)
    entries = [f" c{column} {rows[row]} {value!r}" for column, row, value in terms]
    edges = np.flatnonzero(np.diff(program.integer.astype(np.int8), prepend=0, append=0))
    lines: list[str] = []
    start = 0
    for number, stop in enumerate(matrix.indptr[edges].tolist()):
        lines += entries[start:stop]
        lines.append(f" M{number} 'MARKER' '{'INTEND' if number % 2 else 'INTORG'}'")
        start = stop
    return lines + entries[start:]


def _bound_lines(program: LinearProgram) -> list[str]:
    """Bounds of all columns but those of the format's default (continuous, at least 0)."""
    lower, upper = program.column_lower, program.column_upper
    written = np.flatnonzero(program.integer | (lower != 0) | (upper != np.inf))
    bounds = zip(written.tolist(), lower[written].tolist(), upper[written].tolist(), strict=True)
    lines = []
    for column, low, high in bounds:
        if low == high:
            lines.append(f" FX BND c{column} {low!r}")
            continue
        lines.append(f" MI BND c{column}" if low == -np.inf else f" LO BND c{column} {low!r}")
        lines.append(f" PL BND c{column}" if high == np.inf else f" UP BND c{column} {high!r}")
    return lines
