"""The cells of a file that the plan names, read as its entry says."""

from __future__ import annotations

from pathlib import Path

from optimizer.errors import Place
from optimizer.io.cells import Cells, read_cells
from optimizer.io.paths import resolve_inside
from optimizer.plan.schema import TableSpec


def cells_of(spec: TableSpec, folder: Path, place: Place) -> Cells:
    """The cells of one table; `place` is where the plan names its file. Raises like `read_cells`."""
    return read_cells(
        resolve_inside(folder, spec.file, place),
        sheet=spec.sheet,
        header_row=spec.header_row,
        encoding=spec.encoding,
        delimiter=spec.delimiter,
        decimal=spec.decimal,
        query=spec.query,
        shown=spec.file,
        place=place,
    )
