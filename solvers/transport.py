"""Programs, options and results as plain files (arrays in .npz, the rest in JSON), to cross processes.

Nothing is pickled: a file can hold numbers and words only.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from solvers.errors import InvalidOptionError
from solvers.options import SolveOptions
from solvers.program import LinearProgram
from solvers.result import Basis, Limit, Ranges, Reason, Residuals, SolveResult, Termination

_SIDES = ("objective", "row_lower", "row_upper", "column_lower", "column_upper", "integer")
_LIVE_OPTIONS = ("log", "progress", "interrupt")
_ARRAY_OPTIONS = ("start_basis", "start_values")
_RESULT_ARRAYS = ("x", "duals", "reduced_costs")
_RESULT_WORDS = (
    "solver", "objective_value", "bound", "duals_are_of_fixed_integers", "seconds", "iterations", "nodes",
    "method",
)  # fmt: skip

Arrays = dict[str, NDArray[Any]]


def write_request(folder: Path, program: LinearProgram, options: SolveOptions, **words: Any) -> None:
    """Write a program with its options and some words more; callbacks and events stay behind.

    Raises `InvalidOptionError` when `raw` holds anything but numbers, words and collections of them.
    """
    arrays: Arrays = {name: getattr(program, name) for name in _SIDES}
    matrix = program.matrix
    arrays |= {"data": matrix.data, "indices": matrix.indices, "indptr": matrix.indptr}
    if options.start_values is not None:
        arrays["start_values"] = options.start_values
    if options.start_basis is not None:
        arrays |= {"start_columns": options.start_basis.columns, "start_rows": options.start_basis.rows}
    np.savez(folder / "request.npz", allow_pickle=False, **arrays)
    kept = {field.name for field in fields(options)} - {*_LIVE_OPTIONS, *_ARRAY_OPTIONS}
    plain = {name: getattr(options, name) for name in sorted(kept)}
    content = {
        "maximize": program.maximize,
        "offset": program.offset,
        "options": plain | {"raw": dict(options.raw)},
        "basis_of": options.start_basis.solver if options.start_basis else None,
        **words,
    }
    try:
        text = json.dumps(content)
    except TypeError as error:
        raise InvalidOptionError(f"the options in `raw` cannot go to another process: {error}") from error
    (folder / "request.json").write_text(text, encoding="utf-8")


def read_request(folder: Path) -> tuple[LinearProgram, SolveOptions, Mapping[str, Any]]:
    """Read what `write_request` wrote: the program, the options and all words."""
    content = json.loads((folder / "request.json").read_text(encoding="utf-8"))
    with np.load(folder / "request.npz", allow_pickle=False) as arrays:
        sides = {name: arrays[name] for name in _SIDES}
        shape = (sides["row_lower"].size, sides["objective"].size)
        matrix = sparse.csc_array((arrays["data"], arrays["indices"], arrays["indptr"]), shape=shape)
        start: dict[str, Any] = {}
        if "start_values" in arrays:
            start["start_values"] = arrays["start_values"]
        if "start_columns" in arrays:
            start["start_basis"] = Basis(content["basis_of"], arrays["start_columns"], arrays["start_rows"])
    program = LinearProgram(matrix=matrix, maximize=content["maximize"], offset=content["offset"], **sides)
    return program, SolveOptions(**content["options"], **start), content


def write_result(folder: Path, result: SolveResult, **words: Any) -> None:
    """Write a result and some words more; the file of words comes last and says that all is there."""
    given = {name: getattr(result, name) for name in _RESULT_ARRAYS}
    arrays: Arrays = {name: array for name, array in given.items() if array is not None}
    if result.ranges is not None:
        arrays |= {f"ranges_{name}": array for name, array in vars(result.ranges).items()}
    if result.basis is not None:
        arrays |= {"basis_columns": result.basis.columns, "basis_rows": result.basis.rows}
    np.savez(folder / "result.npz", allow_pickle=False, **arrays)
    content = {name: getattr(result, name) for name in _RESULT_WORDS} | {
        "termination": asdict(result.termination),
        "residuals": asdict(result.residuals) if result.residuals else None,
        "basis_of": result.basis.solver if result.basis else None,
        "notes": list(result.notes),
        **words,
    }
    draft = folder / "result.draft"
    draft.write_text(json.dumps(content, default=_plain), encoding="utf-8")
    draft.replace(folder / "result.json")


def is_complete(folder: Path) -> bool:
    """Whether a result is there."""
    return (folder / "result.json").exists()


def read_result(folder: Path) -> tuple[SolveResult, Mapping[str, Any]] | None:
    """Read what `write_result` wrote: the result and all words; None when it is not complete."""
    if not is_complete(folder):
        return None
    content = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    with np.load(folder / "result.npz", allow_pickle=False) as arrays:
        given = {name: arrays[name] for name in _RESULT_ARRAYS if name in arrays}
        ranges = {name[7:]: arrays[name] for name in arrays if name.startswith("ranges_")}
        basis = [arrays[name] for name in ("basis_columns", "basis_rows") if name in arrays]
    ended = content["termination"]
    termination = Termination(
        Reason(ended["reason"]), Limit(ended["limit"]) if ended["limit"] else None, ended["detail"]
    )
    return SolveResult(
        termination=termination,
        residuals=Residuals(**content["residuals"]) if content["residuals"] else None,
        ranges=Ranges(**ranges) if ranges else None,
        basis=Basis(content["basis_of"], *basis) if basis else None,
        notes=tuple(content["notes"]),
        **{name: content[name] for name in _RESULT_WORDS},
        **given,
    ), content


def _plain(value: Any) -> Any:
    """NumPy's scalars as Python's."""
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{value!r} is no number or word")
