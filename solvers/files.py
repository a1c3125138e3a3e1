"""MPS files in and out, LP files out.

MPS: fixed or free format, plain or gzip, RANGES, BOUNDS, OBJSENSE, integer markers. Conventions where the
format is vague: a negative upper bound on a column without a lower bound makes the lower bound infinite; an
integer column without any bound is binary; further free rows are kept as rows without bounds; a right-hand
side of the objective is minus its constant.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from scipy import sparse

from solvers.errors import InvalidProgramError
from solvers.names import all_names, blocks_of
from solvers.program import LinearProgram

_FIXED_FIELDS = ((1, 3), (4, 12), (14, 22), (24, 36), (39, 47), (49, 61))
_BOUNDS_WITHOUT_VALUE = ("FR", "MI", "PL", "BV")
_TERMS_IN_A_LINE = 5


@dataclass
class _Draft:
    """What has been read so far."""

    row_kinds: dict[str, str] = field(default_factory=dict)
    columns: dict[str, int] = field(default_factory=dict)
    integer: list[bool] = field(default_factory=list)
    entries: dict[tuple[str, int], float] = field(default_factory=dict)
    rhs: dict[str, float] = field(default_factory=dict)
    ranges: dict[str, float] = field(default_factory=dict)
    lower: dict[int, float] = field(default_factory=dict)
    upper: dict[int, float] = field(default_factory=dict)
    in_integers: bool = False
    maximize: bool = False
    objective: str = ""


def read_mps(path: str | Path) -> LinearProgram:
    """Read an MPS file, `.gz` or plain, fixed or free.

    Raises `InvalidProgramError` with file and line for what cannot be understood, `OSError` for the file.
    """
    path = Path(path)
    data = path.read_bytes()
    text = (gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data).decode(
        "utf-8", errors="surrogateescape"
    )
    lines = text.splitlines()
    try:
        return _program(_draft(lines, path.name, fixed=False))
    except InvalidProgramError as error:
        # Names with blanks exist only in the fixed format, whose other files read alike in both.
        try:
            return _program(_draft(lines, path.name, fixed=True))
        except InvalidProgramError:
            raise error from None


def write_mps(program: LinearProgram, path: str | Path) -> None:
    """Write the program as a free-format MPS file (gzip when the name ends in `.gz`), numbers in full."""
    _write(path, _mps_lines(program))


def write_lp(program: LinearProgram, path: str | Path) -> None:
    """Write the program as a CPLEX LP file (gzip when the name ends in `.gz`), numbers in full."""
    _write(path, _lp_lines(program))


def _write(path: str | Path, lines: Iterable[str]) -> None:
    data = ("\n".join(lines) + "\n").encode("utf-8", errors="surrogateescape")
    Path(path).write_bytes(gzip.compress(data, mtime=0) if str(path).endswith(".gz") else data)


def _draft(lines: list[str], name: str, fixed: bool) -> _Draft:
    draft, section = _Draft(), ""
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.startswith("*"):
            continue
        try:
            if not line[0].isspace():
                section = _open_section(draft, line.split())
                if section == "ENDATA":
                    return draft
            else:
                _READERS[section](draft, _fields(line, section) if fixed else line.split())
        except (KeyError, ValueError, IndexError) as error:
            raise InvalidProgramError(
                f"{name}, line {number}: cannot read {line.strip()!r} ({error})"
            ) from error
    raise InvalidProgramError(f"{name}: the file ends without ENDATA")


def _open_section(draft: _Draft, words: list[str]) -> str:
    section = words[0].upper()
    if section == "OBJSENSE" and len(words) > 1:
        _read_sense(draft, words[1:])
    if section not in ("NAME", "ENDATA", *_READERS):
        raise ValueError(f"unknown section {section}")
    return section


def _fields(line: str, section: str) -> list[str]:
    parts = [line[start:stop].strip() for start, stop in _FIXED_FIELDS]
    used = parts[:2] if section == "ROWS" else parts if section == "BOUNDS" else parts[1:]
    while used and not used[-1]:
        used.pop()
    return used


def _read_sense(draft: _Draft, words: list[str]) -> None:
    if words[0].upper()[:3] not in ("MAX", "MIN"):
        raise ValueError("OBJSENSE is MAX or MIN")
    draft.maximize = words[0].upper().startswith("MAX")


def _read_objective_name(draft: _Draft, words: list[str]) -> None:
    draft.objective = words[0]


def _read_row(draft: _Draft, words: list[str]) -> None:
    kind, name = words
    if kind.upper() not in "NLGE" or name in draft.row_kinds:
        raise ValueError("a row has the kind N, L, G or E and a name of its own")
    draft.row_kinds[name] = kind.upper()


def _read_column(draft: _Draft, words: list[str]) -> None:
    if len(words) >= 3 and words[1].strip("'\"") == "MARKER":
        draft.in_integers = words[2].strip("'\"").upper() == "INTORG"
        return
    column = draft.columns.setdefault(words[0], len(draft.columns))
    if column == len(draft.integer):
        draft.integer.append(draft.in_integers)
    for row, value in _pairs(words[1:]):
        if row not in draft.row_kinds:
            raise ValueError(f"no row {row}")
        if (row, column) in draft.entries:
            raise ValueError(f"{row} appears twice")
        draft.entries[row, column] = value


def _read_rhs(draft: _Draft, words: list[str]) -> None:
    _read_row_figures(draft, draft.rhs, words)


def _read_ranges(draft: _Draft, words: list[str]) -> None:
    _read_row_figures(draft, draft.ranges, words)


def _read_row_figures(draft: _Draft, figures: dict[str, float], words: list[str]) -> None:
    for row, value in _pairs(words if len(words) % 2 == 0 else words[1:]):
        if row not in draft.row_kinds:
            raise ValueError(f"no row {row}")
        figures[row] = value


def _read_bound(draft: _Draft, words: list[str]) -> None:
    kind = words[0].upper()
    valueless = kind in _BOUNDS_WITHOUT_VALUE
    # The name of the set of bounds may be missing; a valueless bound may carry a value all the same.
    has_set = len(words) >= 3 and words[2] in draft.columns if valueless else len(words) == 4
    column = draft.columns[words[2 if has_set else 1]]
    value = 0.0 if valueless else float(words[3 if has_set else 2])
    if kind in ("LO", "LI", "FX"):
        draft.lower[column] = value
    if kind in ("UP", "UI", "FX"):
        draft.upper[column] = value
        if value < 0:
            draft.lower.setdefault(column, -np.inf)
    if kind in ("FR", "MI"):
        draft.lower[column] = -np.inf
    if kind in ("FR", "PL"):
        draft.upper[column] = np.inf
    if kind == "BV":
        draft.lower[column], draft.upper[column] = 0.0, 1.0
    if kind in ("BV", "LI", "UI"):
        draft.integer[column] = True
    if kind not in ("LO", "LI", "FX", "UP", "UI", *_BOUNDS_WITHOUT_VALUE):
        raise ValueError(f"bounds of kind {kind} are not known")


_READERS = {
    "ROWS": _read_row,
    "COLUMNS": _read_column,
    "RHS": _read_rhs,
    "RANGES": _read_ranges,
    "BOUNDS": _read_bound,
    "OBJSENSE": _read_sense,
    "OBJNAME": _read_objective_name,
}


def _pairs(words: list[str]) -> Iterator[tuple[str, float]]:
    if len(words) % 2:
        raise ValueError("names and numbers do not pair up")
    for name, number in zip(words[::2], words[1::2], strict=True):
        yield name, float(number)


def _program(draft: _Draft) -> LinearProgram:
    objective_row = draft.objective or next((row for row, kind in draft.row_kinds.items() if kind == "N"), "")
    row_names = [row for row in draft.row_kinds if row != objective_row]
    position = {row: number for number, row in enumerate(row_names)}
    num_columns = len(draft.columns)
    objective = np.zeros(num_columns)
    kept = [
        (position[row], column, value) for (row, column), value in draft.entries.items() if row in position
    ]
    for (row, column), value in draft.entries.items():
        if row == objective_row:
            objective[column] = value
    rows, columns, values = (np.array(part) for part in zip(*kept, strict=True)) if kept else ([], [], [])
    matrix = sparse.csc_array(
        (values, (rows, columns)), shape=(len(row_names), num_columns), dtype=np.float64
    )
    matrix.eliminate_zeros()
    bounds = np.array([_row_bounds(draft, row) for row in row_names]).reshape(-1, 2)
    integer = np.array(draft.integer, dtype=np.bool_)
    lower = np.array([draft.lower.get(column, 0.0) for column in range(num_columns)])
    return LinearProgram(
        objective=objective, matrix=matrix, row_lower=bounds[:, 0].copy(), row_upper=bounds[:, 1].copy(),
        column_lower=lower, column_upper=_upper_bounds(draft, integer), integer=integer,
        maximize=draft.maximize, offset=-draft.rhs.get(objective_row, 0.0),
        row_blocks=blocks_of(row_names), column_blocks=blocks_of(list(draft.columns)),
    )  # fmt: skip


def _upper_bounds(draft: _Draft, integer: np.ndarray) -> np.ndarray:
    default = [1.0 if whole and column not in draft.lower else np.inf for column, whole in enumerate(integer)]
    return np.array([draft.upper.get(column, value) for column, value in enumerate(default)])


def _row_bounds(draft: _Draft, row: str) -> tuple[float, float]:
    kind, rhs, spread = draft.row_kinds[row], draft.rhs.get(row, 0.0), draft.ranges.get(row)
    if kind == "N":
        return -np.inf, np.inf
    if kind == "E":
        return rhs + min(spread or 0.0, 0.0), rhs + max(spread or 0.0, 0.0)
    if kind == "L":
        return (-np.inf if spread is None else rhs - abs(spread)), rhs
    return rhs, (np.inf if spread is None else rhs + abs(spread))


def _mps_lines(program: LinearProgram) -> Iterator[str]:
    row_names = all_names(program.row_blocks, program.num_rows, "row")
    column_names = all_names(program.column_blocks, program.num_columns, "column")
    goal = _free_name("objective", set(row_names))
    kinds = [
        _row_kind(*pair) for pair in zip(program.row_lower.tolist(), program.row_upper.tolist(), strict=True)
    ]
    yield from (
        "NAME apportion",
        "OBJSENSE",
        "    MAX" if program.maximize else "    MIN",
        "ROWS",
        f" N {goal}",
    )
    yield from (f" {kind} {name}" for (kind, _, _), name in zip(kinds, row_names, strict=True))
    yield "COLUMNS"
    yield from _column_lines(program, row_names, column_names, goal)
    yield "RHS"
    if program.offset:
        yield f" RHS {goal} {-program.offset!r}"
    yield from (f" RHS {name} {rhs!r}" for (_, rhs, _), name in zip(kinds, row_names, strict=True) if rhs)
    if any(spread is not None for _, _, spread in kinds):
        yield "RANGES"
        pairs = zip(kinds, row_names, strict=True)
        yield from (f" RANGES {name} {spread!r}" for (_, _, spread), name in pairs if spread is not None)
    yield "BOUNDS"
    bounds = zip(
        column_names,
        program.column_lower.tolist(),
        program.column_upper.tolist(),
        program.integer.tolist(),
        strict=True,
    )
    for name, lower, upper, whole in bounds:
        yield from _bound_lines(name, lower, upper, whole)
    yield "ENDATA"


def _row_kind(lower: float, upper: float) -> tuple[str, float, float | None]:
    if lower == upper:
        return "E", lower, None
    if np.isinf(upper):
        return ("N", 0.0, None) if np.isinf(lower) else ("G", lower, None)
    return "L", upper, None if np.isinf(lower) else upper - lower


def _column_lines(
    program: LinearProgram, row_names: list[str], column_names: list[str], goal: str
) -> Iterator[str]:
    matrix, marked, markers = program.matrix, False, 0
    starts, rows, values = matrix.indptr.tolist(), matrix.indices.tolist(), matrix.data.tolist()
    costs, integer = program.objective.tolist(), program.integer.tolist()
    for column, name in enumerate(column_names):
        if integer[column] != marked:
            marked, markers = integer[column], markers + 1
            yield f" MARKER{markers} 'MARKER' '{'INTORG' if marked else 'INTEND'}'"
        span = range(starts[column], starts[column + 1])
        if costs[column] or not span:
            yield f" {name} {goal} {costs[column]!r}"
        yield from (f" {name} {row_names[rows[place]]} {values[place]!r}" for place in span)
    if marked:
        yield f" MARKER{markers + 1} 'MARKER' 'INTEND'"


def _bound_lines(name: str, lower: float, upper: float, whole: bool) -> Iterator[str]:
    if lower == upper:
        yield f" FX BOUND {name} {lower!r}"
        return
    if np.isinf(lower) and np.isinf(upper):
        yield f" FR BOUND {name}"
        return
    if np.isinf(lower):
        yield f" MI BOUND {name}"
    elif lower != 0 or whole or upper < 0:
        yield f" LO BOUND {name} {lower!r}"
    if np.isfinite(upper):
        yield f" UP BOUND {name} {upper!r}"
    elif whole:
        yield f" PL BOUND {name}"


def _lp_lines(program: LinearProgram) -> Iterator[str]:
    row_names = all_names(program.row_blocks, program.num_rows, "row", "lp")
    column_names = all_names(program.column_blocks, program.num_columns, "column", "lp")
    by_row = sparse.csr_array(program.matrix)
    starts, columns, values = by_row.indptr.tolist(), by_row.indices.tolist(), by_row.data.tolist()
    used = np.flatnonzero(program.objective).tolist()
    goal = _expression(
        [(program.objective[column].item(), column_names[column]) for column in used], column_names
    )
    constant = f" {'-' if program.offset < 0 else '+'} {abs(program.offset)!r}" if program.offset else ""
    yield "Maximize" if program.maximize else "Minimize"
    yield f" {_free_name('objective', set(row_names))}: {goal}{constant}"
    yield "Subject To"
    taken = set(row_names)
    bounds = zip(row_names, program.row_lower.tolist(), program.row_upper.tolist(), strict=True)
    for row, (name, lower, upper) in enumerate(bounds):
        span = range(starts[row], starts[row + 1])
        terms = _expression([(values[place], column_names[columns[place]]) for place in span], column_names)
        yield from _lp_row(name, terms, lower, upper, taken)
    yield "Bounds"
    for name, lower, upper in zip(
        column_names, program.column_lower.tolist(), program.column_upper.tolist(), strict=True
    ):
        yield _lp_bound(name, lower, upper)
    if program.is_mip:
        yield "General"
        yield from (f" {column_names[column]}" for column in np.flatnonzero(program.integer).tolist())
    yield "End"


def _expression(terms: list[tuple[float, str]], column_names: list[str]) -> str:
    if not terms:
        return f"0 {column_names[0]}" if column_names else "0"
    words = [f"{'-' if value < 0 else '+'} {abs(value)!r} {name}" for value, name in terms]
    lines = (words[start : start + _TERMS_IN_A_LINE] for start in range(0, len(words), _TERMS_IN_A_LINE))
    return "\n  ".join(" ".join(line) for line in lines)


def _lp_row(name: str, terms: str, lower: float, upper: float, taken: set[str]) -> Iterator[str]:
    if lower == upper:
        yield f" {name}: {terms} = {lower!r}"
        return
    if np.isfinite(upper) or np.isinf(lower):
        yield f" {name}: {terms} <= {'+inf' if np.isinf(upper) else repr(upper)}"
    if np.isfinite(lower):
        # A range in one row is misread by some readers without a word, so its lower side is a second row.
        own_name = name if np.isinf(upper) else _free_name(f"{name}_at_least", taken)
        yield f" {own_name}: {terms} >= {lower!r}"


def _lp_bound(name: str, lower: float, upper: float) -> str:
    if np.isinf(lower) and np.isinf(upper):
        return f" {name} free"
    if lower == upper:
        return f" {name} = {lower!r}"
    low = "-inf" if np.isinf(lower) else repr(lower)
    return f" {low} <= {name}" + ("" if np.isinf(upper) else f" <= {upper!r}")


def _free_name(wanted: str, taken: set[str]) -> str:
    while wanted in taken:
        wanted += "_"
    return wanted
